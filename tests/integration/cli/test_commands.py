"""Do the commands and the administration API understand each other?"""

import json

import pytest

from calward.domain.roles import Role
from calward.entrypoints.cli.common.exit_codes import Exit

USER_HOST = ("--version", "2016", "--mode", "per-user")


def good(ran):
    assert (ran.code, ran.err) == (Exit.OK, ""), ran
    return ran.json


def test_a_pack_comes_is_shown_and_goes(server, run, tmp_path):
    file = tmp_path / "pack.json"
    file.write_bytes(server.clearinghouse.pack(total=3, generation=1) + b"\n")
    good(run("server", "keyring", str(keyring(server, tmp_path)), "--json"))
    installed = good(run("pack", "install", str(file), "--json"))
    assert (installed["outcome"], installed["pack"]["total"]) == ("installed", 3)
    pack = installed["pack"]["id"]
    listed = good(run("pack", "list", "--json"))
    assert [(x["id"], x["available"]) for x in listed["items"]] == [(pack, 3)]
    assert "2000, 2003" in run("pack", "show", pack).out
    again = run("pack", "install", str(file), "--json")
    assert (again.code, again.json["reason"]) == (Exit.REFUSED, ["pack-already-installed"])
    assert run("pack", "remove", pack).lines == [f"removed {pack}"]
    assert run("pack", "show", pack).code == Exit.NOT_FOUND


def keyring(server, folder):
    path = folder / "keyring.json"
    path.write_bytes(server.clearinghouse.keyring())
    return path


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 100, b'{"payload": 1}'])
def test_what_is_no_pack_is_refused_with_its_reason(run, tmp_path, content):
    file = tmp_path / "pack.json"
    file.write_bytes(content)
    ran = run("pack", "install", str(file), "--json")
    assert ran.code in {Exit.REFUSED, Exit.USAGE}
    assert (ran.json if ran.out else ran.error)["detail"]


def test_a_pack_for_another_server_says_so(server, run, tmp_path):
    good(run("server", "keyring", str(keyring(server, tmp_path)), "--json"))
    file = tmp_path / "pack.json"
    file.write_bytes(server.clearinghouse.pack(server_id="f" * 32, generation=1))
    ran = run("pack", "install", str(file))
    assert ran.code == Exit.REFUSED
    assert ran.err.startswith("refused: ")


def test_a_server_is_activated_over_the_network_and_given_up(run):
    said = good(run("server", "activate", "--clearinghouse", "https://ch.example", "--json"))
    assert said["outcome"] == "activated"
    assert good(run("server", "show", "--json"))["activated"] is True
    assert run("server", "deactivate").code == Exit.OK
    assert good(run("server", "show", "--json"))["activated"] is False


def test_a_server_is_activated_by_two_files(server, run, tmp_path):
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    good(run("server", "keyring", str(keyring(server, tmp_path)), "--json"))
    assert run("server", "activate", "--request", str(request)).code == Exit.OK
    answer.write_bytes(server.clearinghouse.activate(request.read_bytes().strip()))
    ran = run("server", "activate", "--answer", str(answer))
    assert (ran.code, ran.err) == (Exit.OK, "")
    assert ran.out.startswith("activated: may issue until ")


def test_settings_change_and_a_misspelt_one_is_named(run):
    assert run("server", "set", "per_user=enforce", "low_share=0.05").code == Exit.OK
    shown = good(run("server", "show", "--json"))["settings"]
    assert shown["per_user"] == "enforce"
    ran = run("server", "set", "per_usr=enforce")
    assert ran.code == Exit.USAGE
    assert "per_usr" in ran.err


def test_the_life_of_a_session_host(server, run, tmp_path):
    made = good(run("host", "enroll", "SH1", *USER_HOST, "--group", "farm1", "--json"))
    assert made["host"]["name"] == "SH1"
    token = tmp_path / "sh2.token"
    joined = good(run("host", "enroll", "SH2", *USER_HOST, "--token-file", str(token), "--json"))
    assert joined["host"] == {"name": "SH2", "version": "2016", "mode": "per-user"}
    answer = server.client.get("/api/v1/host", headers={"Authorization": f"Bearer {token.read_text().strip()}"})
    assert answer.json()["name"] == "SH2"
    assert run("host", "set", "SH2", "--version", "2019", "--group", "farm1").code == Exit.OK
    assert run("host", "policy", "set", "farm1", "--mode", "per-device").code == Exit.OK
    shown = good(run("host", "show", "SH2", "--json"))
    assert (shown["version"], shown["mode"], shown["mode_from"]) == ("2019", "per-device", "policy")
    assert "farm1" in run("host", "policy", "list").out
    assert run("host", "policy", "remove", "farm1").code == Exit.OK
    assert run("host", "code", "SH2").code == Exit.OK
    assert run("host", "remove", "SH2").code == Exit.OK
    assert [x["name"] for x in good(run("host", "list", "--json"))["items"]] == ["SH1"]
    ran = run("host", "enroll", "SH1", *USER_HOST)
    assert ran.code == Exit.REFUSED, "there is one of this name"
    assert run("host", "enroll", "SH3", "--version", "2O16", "--mode", "per-user").code == Exit.NOT_FOUND


def test_licenses_are_listed_explained_revoked_and_released(server, run):
    server.install(total=10)
    device_host = server.host()
    first = server.ask(device_host, "5f3a")
    listed = good(run("license", "list", "--status", "temporary", "--json"))["items"]
    assert [(x["id"], x["why"]) for x in listed] == [(first["license"]["id"], ["first-contact"])]
    assert "first-contact" in run("license", "list").out
    full = server.prove(device_host, "77aa")
    story = run("explain", full["decision"])
    assert story.lines[0].startswith(f"decision {full['decision']}: granted, 2016/per-device active")
    beforehand = good(run("explain", "--host", "SH1", "--device", "77aa", "--json"))
    assert (beforehand["outcome"], beforehand["decision"]) == ("granted", None)
    assert run("explain", "--host", "SH1", "--device", "name of 77aa").lines[0].startswith("now it would be: granted")
    assert good(run("license", "revocations", "--json"))["items"][0]["remaining"] == 2
    number = full["license"]["id"]
    wrong = run("license", "release", number, "--json")
    assert (wrong.code, wrong.json["reason"]) == (Exit.REFUSED, ["per-device-not-releasable"])
    assert run("license", "revoke", number).lines[0].startswith(f"revoked {number}")
    assert good(run("license", "show", number, "--json"))["ending"] == "revoked"
    assert number not in run("license", "list").out
    assert number in run("license", "list", "--ended").out
    assert number in run("license", "list", "--all").out
    assert run("license", "show", "L999").code == Exit.NOT_FOUND
    assert run("explain", "D9999").code == Exit.NOT_FOUND


def test_a_list_longer_than_a_page_comes_whole(server, run):
    host = server.host()
    for number in range(7):
        server.ask(host, f"device-{number}")
    found = good(run("license", "list", "--limit", "3", "--json"))
    assert len(found["items"]) == 3
    rest = good(run("license", "list", "--limit", "0", "--after", found["next"], "--json"))
    assert (len(rest["items"]), rest["next"]) == (4, None)


def test_status_begins_with_what_an_administrator_fears(server, run):
    server.install(end=server.clock.now() + 86400 * 30)
    server.prove(server.host(), "5f3a")
    document = good(run("status", "--json"))
    shown = run("status")
    assert shown.lines[0] == document["line"]
    assert document["line"].startswith("nothing stops before ")
    assert (shown.code, shown.err) == (Exit.OK, "")


def test_the_trail_is_verified_shown_and_exported(server, run, tmp_path):
    server.prove(server.host(), "5f3a")
    file = tmp_path / "events.jsonl"
    assert run("audit", "export", "-o", str(file)).code == Exit.OK
    lines = file.read_text().splitlines()
    assert all(json.loads(line) for line in lines)
    newest = run("audit", "tail", "-n", "2", "--json")
    assert [json.loads(line)["event"]["kind"] for line in newest.lines] != []
    assert len(run("audit", "tail", "-n", "2").lines) == 2
    good(run("audit", "verify", "--json"))
    kept = tmp_path / "kept.txt"
    kept.write_text(server.client.get("/api/v1/audit/checkpoint", headers=server.admin(name="x")).text)
    ran = run("audit", "verify", "--checkpoint", str(kept))
    assert (ran.code, ran.lines[-1]) == (Exit.OK, "the ledger holds")
    kept.write_text("no checkpoint\n")
    assert run("audit", "verify", "--checkpoint", str(kept)).code in {Exit.USAGE, Exit.FINDINGS}


def test_tokens_are_made_listed_and_ended(run, tmp_path):
    made = good(run("token", "make", "backup", "--role", "auditor", "--json"))
    assert made["token"].startswith("cala_")
    assert "backup" in run("token", "list").out
    assert run("token", "make", "backup", "--role", "viewer").code == Exit.REFUSED
    assert run("token", "end", made["id"]).lines == [f"ended {made['id']}"]
    assert run("token", "end", made["id"]).code == Exit.NOT_FOUND


@pytest.mark.parametrize(
    ("role", "allowed", "forbidden"),
    [
        (Role.VIEWER, ["status"], ["token", "list"]),
        (Role.OPERATOR, ["host", "list"], ["license", "revoke", "L1"]),
        (Role.AUDITOR, ["audit", "verify"], ["host", "remove", "SH1"]),
    ],
)
def test_a_role_that_does_not_allow_it_has_its_own_code(run, role, allowed, forbidden):
    assert run(*allowed, role=role).code == Exit.OK
    ran = run(*forbidden, role=role)
    assert ran.code == Exit.UNAUTHORIZED
    assert role.value in ran.err


HOSTILE = [
    "\x1b[2J",
    "a\nb",
    "\u202eevil",
    "x" * 400,
    "../../x",
    "?a=b#c",
    "%2e%2e",
    "' OR 1=1 --",
    "<script>",
    "ü\u0301",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_never_makes_an_error_of_our_own(run, name):
    for arguments in (
        ["pack", "show", name],
        ["pack", "remove", name],
        ["license", "show", name],
        ["license", "list", "--holder", name],
        ["license", "list", "--host", name],
        ["license", "list", "--version", name],
        ["license", "list", "--after", name],
        ["host", "show", name],
        ["host", "enroll", name, *USER_HOST],
        ["host", "policy", "set", name],
        ["explain", name],
        ["explain", "--host", name, "--user", name],
        ["token", "make", name, "--role", "viewer"],
        ["token", "end", name],
        ["server", "set", f"{name}=1"],
        ["audit", "tail"],
    ):
        ran = run(*arguments)
        assert ran.code in {Exit.OK, Exit.USAGE, Exit.NOT_FOUND, Exit.REFUSED}, (arguments, ran)
        shown = ran.out + ran.err
        assert not {"\x1b", "\u202e"} & set(shown), arguments
