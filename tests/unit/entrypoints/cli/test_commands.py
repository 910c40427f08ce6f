"""Does every command ask what it should, and show what comes to people and to scripts?"""

import json
import re
from types import SimpleNamespace

import httpx2
import pytest

from calward.domain.codes import OneTimeCode
from calward.domain.errors import LicensingError, Problem
from calward.domain.reasons import Reason
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.wiring import RunOptions, ServeOptions, Where
from calward.insight.explain import CHANGES
from tests.support.command_line import Asked, FakeAdminApi, FakeHostClient, FakeWiring, calward, problem

PACK = {
    "id": "P1",
    "version": "2022",
    "type": "per-user",
    "total": 5,
    "issued": 2,
    "available": 3,
    "installed_at": "2026-01-01T00:00:00Z",
    "expires_at": "2027-01-01T00:00:00Z",
    "expired": False,
    "opens": ["2019", "2022"],
}
LICENSE = {
    "id": "L12",
    "holder": "PC1",
    "holder_kind": "device",
    "hardware_id": "5f3a",
    "type": "per-device",
    "status": "temporary",
    "version": "2022",
    "pack": None,
    "host": "SH1",
    "issued_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-04-01T00:00:00Z",
    "ended_at": None,
    "ending": None,
    "decision": "D12",
    "why": ["first-contact", "no-cal-free"],
}
HOST = {
    "name": "SH1",
    "version": "2022",
    "mode": "per-user",
    "mode_from": "policy",
    "own_mode": "per-device",
    "group": "farm1",
    "enrolled_at": None,
    "seen_at": None,
}
LIVE = {
    "heard_at": "2026-01-01T08:00:00Z",
    "agent": "1.0",
    "live_sessions": 1,
    "sessions": [
        {"line": ":10", "user": "alice", "license": "L7", "hardware_id": None, "since": "2026-01-01T07:00:00Z"}
    ],
}
TOKEN = {"id": "T3", "name": "backup", "role": "auditor", "made_at": "2026-01-01T00:00:00Z", "expires_at": "2027"}
CODE = OneTimeCode(b"0123456789").text()
PINNED_CODE = OneTimeCode(b"0123456789", b"\xab" * 32).text()
MADE = {"host": HOST, "code": CODE, "code_expires_at": "2026-01-02T00:00:00Z"}


def one(items):
    return {"items": [items], "next": None}


READS = [
    (["server", "show"], "server", {"name": "LS1", "settings": {"per_user": "track"}}, ["settings", "per_user track"]),
    (["pack", "list"], "packs", one(PACK), ["P1", "2022/per-user", "5", "2", "3", "2027-01-01T00:00:00Z"]),
    (["pack", "show", "P1"], "packs/P1", PACK, ["opens hosts of  2019, 2022", "expired         no"]),
    (["license", "list"], "licenses", one(LICENSE), ["L12", "PC1", "temporary", "D12", "first-contact, no-cal-free"]),
    (["license", "show", "L12"], "licenses/L12", LICENSE, ["why not a full one  first-contact, no-cal-free"]),
    (["license", "revocations"], "revocations", one({"family": "2022", "remaining": 3}), ["2022", "3"]),
    (["host", "list"], "hosts", one(HOST), ["SH1", "per-user", "policy", "farm1"]),
    (["host", "show", "SH1"], "hosts/SH1", HOST, ["mode comes from", "policy"]),
    (
        ["host", "show", "SH1"],
        "hosts/SH1",
        HOST | LIVE,
        ["its agent was heard      2026-01-01T08:00:00Z", "sessions open then", ":10", "alice", "L7"],
    ),
    (
        ["host", "policy", "list"],
        "policies",
        one({"group": "g", "mode": None, "servers": ["https://a"]}),
        ["https://a"],
    ),
    (["token", "list"], "tokens", one(TOKEN), ["T3", "backup", "auditor"]),
]


@pytest.mark.parametrize(("arguments", "target", "document", "shown"), READS)
def test_what_is_read_is_shown_to_people_and_given_to_scripts_whole(arguments, target, document, shown):
    wiring = FakeWiring(FakeAdminApi({("GET", target): document}))
    ran = calward(*arguments, wiring=wiring)
    assert ran.code == Exit.OK, ran
    assert ran.err == ""
    for words in shown:
        assert words in ran.out
    assert calward(*arguments, "--json", wiring=wiring).json == document
    assert {asked.target for asked in wiring.api.asked} == {target}


@pytest.mark.parametrize(
    ("arguments", "target", "next_step"),
    [
        (["pack", "list"], "packs", "calward pack install"),
        (["license", "list"], "licenses", "--ended"),
        (["host", "list"], "hosts", "calward host enroll"),
        (["host", "policy", "list"], "policies", "own setting"),
        (["token", "list"], "tokens", "calward token make"),
    ],
)
def test_an_empty_list_says_what_that_means(arguments, target, next_step):
    ran = calward(*arguments, wiring=FakeWiring(FakeAdminApi({("GET", target): {"items": [], "next": None}})))
    assert (ran.code, ran.out) == (Exit.OK, "")
    assert next_step in ran.err


ACTS = [
    (
        ["server", "deactivate"],
        Asked("POST", "clearinghouse:ask", {}, {"kind": "deactivate"}),
        "answered",
        "deactivated",
    ),
    (
        ["server", "activate", "--clearinghouse", "https://ch.example"],
        Asked(
            "POST",
            "clearinghouse:ask",
            {},
            {"kind": "activate", "reason": "first", "clearinghouse": "https://ch.example"},
        ),
        "activated",
        "activated: may issue until 2027",
    ),
    (
        ["server", "set", "per_user=enforce", "full_days_max=80", "prevent_license_upgrade=true"],
        Asked(
            "PATCH",
            "server/settings",
            {},
            {"per_user": "enforce", "full_days_max": 80, "prevent_license_upgrade": True},
        ),
        "set",
        "set per_user=enforce",
    ),
    (["pack", "remove", "P1"], Asked("DELETE", "packs/P1"), "removed", "removed P1"),
    (["license", "revoke", "L12"], Asked("POST", "licenses/L12:revoke"), "revoked", "revoked L12; 2 more"),
    (["license", "release", "L12"], Asked("POST", "licenses/L12:release"), "released", "released L12"),
    (
        ["host", "set", "SH1", "--mode", "per-device", "--group", "farm2"],
        Asked("PATCH", "hosts/SH1", {}, {"mode": "per-device", "group": "farm2"}),
        None,
        "set SH1: mode per-device, group farm2",
    ),
    (["host", "remove", "SH1"], Asked("DELETE", "hosts/SH1"), "removed", "removed SH1"),
    (
        ["host", "enroll", "SH1", "--version", "2022", "--mode", "per-user", "--group", "farm1"],
        Asked("POST", "hosts", {}, {"name": "SH1", "version": "2022", "mode": "per-user", "group": "farm1"}),
        None,
        CODE,
    ),
    (["host", "code", "SH1"], Asked("POST", "hosts/SH1:code"), None, CODE),
    (
        ["host", "policy", "set", "farm1", "--mode", "per-user", "--license-server", "https://a", "--license-server", "https://b"],
        Asked("PUT", "policies/farm1", {}, {"mode": "per-user", "servers": ["https://a", "https://b"]}),
        None,
        "set the policy of farm1",
    ),
    (["host", "policy", "remove", "farm1"], Asked("DELETE", "policies/farm1"), "removed", "removed the policy of farm1"),
    (
        ["token", "make", "backup", "--role", "auditor", "--days", "365"],
        Asked("POST", "tokens", {}, {"name": "backup", "role": "auditor", "days": 365}),
        None,
        "cala_secret",
    ),
    (["token", "end", "T3"], Asked("DELETE", "tokens/T3"), "ended", "ended T3"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "asked", "outcome", "shown"), ACTS)
def test_an_act_asks_once_and_says_what_it_has_done(arguments, asked, outcome, shown):
    document = MADE | {"token": "cala_secret", "remaining": 2, "issue_until": "2027-01-01T00:00:00Z"}
    document |= {"outcome": outcome} if outcome else {}
    wiring = FakeWiring(FakeAdminApi({(asked.method, asked.target): document}))
    ran = calward(*arguments, wiring=wiring)
    assert (ran.code, ran.err) == (Exit.OK, ""), ran
    assert shown in ran.out
    assert wiring.api.asked == [asked]
    assert calward(*arguments, "--json", wiring=wiring).json == document


@pytest.mark.parametrize(("arguments", "asked"), [(row[0], row[1]) for row in ACTS])
def test_a_refused_act_says_why_and_ends_with_its_own_code(arguments, asked):
    refusal = {"outcome": "refused", "reason": ["pack-in-use", "of-a-newer-release"], "detail": "three are running"}
    wiring = FakeWiring(FakeAdminApi({(asked.method, asked.target): refusal}))
    ran = calward(*arguments, wiring=wiring)
    assert (ran.code, ran.out) == (Exit.REFUSED, "")
    assert ran.err.splitlines() == [
        "refused: three are running",
        "  pack-in-use: licenses of this key pack are running: they end, or are revoked or released, first",
        "  of-a-newer-release",
    ]
    as_json = calward(*arguments, "--json", wiring=wiring)
    assert (as_json.code, as_json.json, as_json.err) == (Exit.REFUSED, refusal, "")


# --- status -------------------------------------------------------------------------------------------------------

STATUS = {
    "line": "nothing stops before 2027-01-01; first: pack P1, 2 users",
    "server": {"name": "LS1", "version": "2025", "issue_until": "2027-05-01T00:00:00Z", "blocked": None},
    "stops": [{"at": "2027-01-01T00:00:00Z", "sentence": "pack P1 expires: 2 users"}],
    "packs": [PACK],
    "licenses": {"total": 2, "active": 2},
    "warnings": ["short of CALs"],
}


def test_the_first_line_of_status_is_what_an_administrator_fears():
    wiring = FakeWiring(FakeAdminApi({("GET", "status"): STATUS}))
    ran = calward("status", wiring=wiring)
    assert ran.lines[0] == STATUS["line"]
    for words in ("LS1", "pack P1 expires: 2 users", "total 2, active 2", "P1", "warning: short of CALs"):
        assert words in ran.out
    assert calward("status", "--json", wiring=wiring).json == STATUS


def test_status_says_why_there_are_only_temporary_licenses_and_nothing_where_there_are_others():
    blocked = {**STATUS, "server": {**STATUS["server"], "blocked": "not-activated"}}
    for found, said in ((STATUS, False), (blocked, True)):
        ran = calward("status", wiring=FakeWiring(FakeAdminApi({("GET", "status"): found})))
        assert ("temporary licenses only, because  not-activated" in ran.out) is said
        assert ("temporary licenses only" in ran.out) is said


# --- lists --------------------------------------------------------------------------------------------------------


def paged(asked):
    after, limit = int(asked.query.get("after", 0)), int(asked.query["limit"])
    numbers = range(after + 1, min(after + limit, 1201) + 1)
    return {"items": [{"id": f"L{n}"} for n in numbers], "next": str(numbers[-1]) if numbers[-1] < 1201 else None}


@pytest.mark.parametrize(
    ("limit", "count", "next_", "pages"), [("3", 3, "3", 1), ("700", 700, "700", 2), ("0", 1201, None, 3)]
)
def test_a_long_list_is_asked_for_page_by_page(limit, count, next_, pages):
    wiring = FakeWiring(FakeAdminApi({("GET", "licenses"): paged}))
    found = calward("license", "list", "--limit", limit, "--json", wiring=wiring).json
    assert [len(found["items"]), found["next"]] == [count, next_]
    assert len(wiring.api.asked) == pages


def test_people_are_told_that_a_list_goes_on():
    ran = calward("license", "list", "--limit", "3", wiring=FakeWiring(FakeAdminApi({("GET", "licenses"): paged})))
    assert "there are more: --after 3" in ran.err


def test_a_list_of_licenses_is_filtered_by_the_server():
    wiring = FakeWiring(FakeAdminApi({("GET", "licenses"): one(LICENSE)}))
    options = ["--type", "per-device", "--status", "temporary", "--version", "2022", "--pack", "P1", "--holder", "PC 1"]
    calward("license", "list", *options, "--host", "SH1", "--ended", "--after", "7", wiring=wiring)
    assert wiring.api.asked[0].query == {
        "type": "per-device",
        "status": "temporary",
        "version": "2022",
        "pack": "P1",
        "holder": "PC 1",
        "host": "SH1",
        "ended": "true",
        "limit": "200",
        "after": "7",
    }


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_a_piped_row_is_one_line_however_narrow_the_terminal(columns):
    wiring = FakeWiring(FakeAdminApi({("GET", "licenses"): one(LICENSE)}))
    ran = calward("license", "list", wiring=wiring, columns=columns)
    assert len(ran.lines) == 3
    assert "\x1b" not in ran.out
    assert ran.lines[2].split("  ")[0].strip() == "L12"


@pytest.mark.parametrize(("arguments", "path"), [(["list"], "packs"), (["show", "P1"], "packs/P1")])
def test_a_pack_that_was_bought_for_good_never_expires_for_people(arguments, path):
    for_good = PACK | {"expires_at": "2099-12-31T23:59:59Z"}
    api = {("GET", path): one(for_good) if path == "packs" else for_good}
    assert "never" in calward("pack", *arguments, wiring=FakeWiring(FakeAdminApi(api))).out
    assert "2099-12-31T23:59:59Z" in calward("pack", *arguments, "--json", wiring=FakeWiring(FakeAdminApi(api))).out


LONG = LICENSE | {"pack": "c02ed4661a5cbe21d97d87e62f7af509", "holder": "a-rather-long-name-of-a-device.example.org"}


def on_a_terminal(columns, **env):
    wiring = FakeWiring(FakeAdminApi({("GET", "licenses"): one(LONG)}))
    return calward("license", "list", wiring=wiring, columns=columns, TTY_COMPATIBLE="1", **env)


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 200])
def test_a_table_fits_its_terminal_and_cuts_no_version_and_no_number(columns):
    shown = re.sub("\x1b\\[[0-9;]*m", "", on_a_terminal(columns).out)
    assert max(map(len, shown.splitlines())) <= columns
    for whole in ("L12", "2022/per-device", "temporary", "2026-04-01"):
        assert whole in shown
    # In 60 a row has no room: there each value has a line.
    assert ("D12" in shown) == (columns >= 120 or columns == 60)


def test_colors_are_for_terminals_that_want_them():
    assert "\x1b[33mtemporary" in on_a_terminal(100, TERM="xterm").out
    assert "\x1b[33m" not in on_a_terminal(100, TERM="xterm", NO_COLOR="1").out


def test_a_name_from_outside_cannot_do_anything_to_a_terminal():
    evil = LICENSE | {"holder": "PC\x1b]0;x\x07\n\u202e1 [bold]"}
    ran = calward("license", "list", wiring=FakeWiring(FakeAdminApi({("GET", "licenses"): one(evil)})))
    assert "PC\\x1b]0;x\\x07\\n\\u202e1 [bold]" in ran.out
    shown = calward("license", "show", "L1", wiring=FakeWiring(FakeAdminApi({("GET", "licenses/L1"): evil})))
    assert "PC\\x1b]0;x\\x07\\n\\u202e1 [bold]" in shown.out
    as_json = calward(
        "license", "show", "L1", "--json", wiring=FakeWiring(FakeAdminApi({("GET", "licenses/L1"): evil}))
    )
    assert as_json.out.isascii()
    assert as_json.json == evil


# --- files --------------------------------------------------------------------------------------------------------


def test_a_pack_is_sent_as_it_is_from_a_file_or_a_pipe(tmp_path):
    file = tmp_path / "pack.json"
    file.write_bytes(b'{"payload": "e30="}\n')
    wiring = FakeWiring(FakeAdminApi({("POST", "packs"): {"outcome": "installed", **PACK}}))
    ran = calward("pack", "install", str(file), wiring=wiring)
    assert ran.lines == ["installed P1: 5 CALs 2022/per-user, until 2027-01-01T00:00:00Z"]
    calward("pack", "install", "-", wiring=wiring, stdin=b'{"payload": "e30="}\n')
    assert [asked.body for asked in wiring.api.asked] == [b'{"payload": "e30="}'] * 2


def test_a_pack_that_is_refused_is_named(tmp_path):
    (tmp_path / "pack.json").write_bytes(b"{}")
    refusal = {"outcome": "refused", "reason": ["pack-already-installed"], "detail": "it is", "pack": "P1"}
    wiring = FakeWiring(FakeAdminApi({("POST", "packs"): refusal}))
    ran = calward("pack", "install", str(tmp_path / "pack.json"), wiring=wiring)
    assert (ran.code, ran.err.splitlines()[0]) == (Exit.REFUSED, "refused: it is")


@pytest.mark.parametrize(
    ("content", "code"), [(None, Exit.NOT_FOUND), (b"x" * 100_000, Exit.USAGE)], ids=["missing", "huge"]
)
def test_a_file_that_cannot_be_a_pack_is_not_sent(tmp_path, content, code):
    file = tmp_path / "pack.json"
    if content is not None:
        file.write_bytes(content)
    wiring = FakeWiring()
    ran = calward("pack", "install", str(file), wiring=wiring)
    assert ran.code == code
    assert "pack.json" in ran.err
    assert wiring.api.asked == []


def test_an_activation_goes_by_two_files(tmp_path):
    answers = {
        ("POST", "clearinghouse:request"): lambda _: httpx2.Response(200, content=b'{"payload": "cmVx"}\n'),
        ("POST", "server:activate"): {"outcome": "activated", "issue_until": None},
        ("PUT", "server/keyring"): {"outcome": "trusted", "version": 2},
    }
    wiring = FakeWiring(FakeAdminApi(answers))
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    assert calward("server", "activate", "--request", str(request), wiring=wiring).code == Exit.OK
    assert request.read_text() == '{"payload": "cmVx"}\n'
    assert calward("server", "activate", "--request", "-", wiring=wiring).out == '{"payload": "cmVx"}\n'
    assert calward("server", "activate", "--request", str(request), "--json", wiring=wiring).json == {
        "file": str(request)
    }
    answer.write_bytes(b"{}")
    assert calward("server", "activate", "--answer", str(answer), wiring=wiring).code == Exit.OK
    assert wiring.api.asked[-1] == Asked("POST", "server:activate", {}, b"{}")
    assert calward("server", "keyring", str(answer), wiring=wiring).lines == ["the keyring is in force: version 2"]


# --- hosts --------------------------------------------------------------------------------------------------------

ANSWER = {
    "outcome": "granted",
    "license": {
        "id": "L1",
        "version": "2022",
        "type": "per-user",
        "status": "over-used",
        "expires_at": "2026-03-01T00:00:00Z",
        "pack": None,
        "change": "new",
    },
    "decision": "D1",
    "trace": [{"rule": "keep", "verdict": "none-held", "detail": "nothing held"}],
    "reason": ["no-cal-free"],
}


def test_a_request_of_a_host_prints_the_contract_s_answer():
    wiring = FakeWiring(host_client=FakeHostClient(ANSWER))
    arguments = ["license", "request", "--host-token-file", "t", "--user", "alice", "--server", "https://ls1.example:1"]
    assert calward(*arguments, "--json", wiring=wiring).json == ANSWER
    ran = calward(*arguments, "--request-id", "r1", "--full-only", "--fingerprint", "ab", wiring=wiring)
    assert ran.lines == [
        "granted L1: 2022/per-user over-used (new), until 2026-03-01T00:00:00Z",
        "  no-cal-free: no CAL that opens this host is free",
        "why: calward explain D1",
    ]
    assert wiring.host_client.asked == [
        ({"user": "alice", "request_id": "new-id"}, False),
        ({"user": "alice", "request_id": "r1"}, True),
    ]
    assert (wiring.wheres[1].server, str(wiring.wheres[1].token_file)) == ("https://ls1.example:1", "t")
    assert wiring.wheres[1].fingerprint == "ab"


def test_a_device_is_named_by_its_name_and_its_hardware_id():
    wiring = FakeWiring(host_client=FakeHostClient(ANSWER))
    calward("license", "request", "--host-token-file", "t", "--device", "PC1", "--hardware-id", "5f", wiring=wiring)
    assert wiring.host_client.asked[0][0]["device"] == {"name": "PC1", "hardware_id": "5f"}


def test_a_refused_request_ends_with_its_own_code_and_is_whole_for_scripts():
    refused = ANSWER | {"outcome": "refused", "license": None}
    wiring = FakeWiring(host_client=FakeHostClient(refused))
    arguments = ["license", "request", "--host-token-file", "t", "--user", "alice"]
    as_json = calward(*arguments, "--json", wiring=wiring)
    assert (as_json.code, as_json.json) == (Exit.REFUSED, refused)
    assert "no-cal-free: no CAL" in calward(*arguments, wiring=wiring).err


@pytest.mark.parametrize(
    ("answer", "code"),
    [({"outcome": "confirmed", "reason": []}, 0), ({"outcome": "refused", "reason": ["license-ended"]}, 4)],
)
def test_a_host_confirms_a_logon(answer, code):
    wiring = FakeWiring(host_client=FakeHostClient(answer))
    arguments = ["license", "confirm", "--host-token-file", "t", "--license", "L1"]
    assert calward(*arguments, wiring=wiring).code == code
    as_json = calward(*arguments, "--json", wiring=wiring)
    assert (as_json.code, as_json.json) == (code, answer)
    assert wiring.host_client.asked == ["L1", "L1"]


def test_a_host_can_be_enrolled_and_joined_at_once(tmp_path):
    file = tmp_path / "sh1.token"
    answers = {("POST", "hosts"): MADE, ("POST", "hosts:enroll"): {"host": HOST, "token": "calh_secret"}}
    wiring = FakeWiring(FakeAdminApi(answers))
    arguments = ["host", "enroll", "SH1", "--version", "2022", "--mode", "per-user", "--token-file", str(file)]
    ran = calward(*arguments, "--json", wiring=wiring)
    assert ran.json == {"host": HOST, "token_file": str(file)}
    assert file.read_text() == "calh_secret\n"
    assert file.stat().st_mode & 0o777 == 0o600
    again = calward(*arguments, wiring=wiring)
    assert (again.code, len(wiring.api.asked)) == (Exit.REFUSED, 2), "nothing is made that could not be kept"
    assert "calh_secret" not in ran.out + ran.err + again.out + again.err


@pytest.mark.parametrize(("code", "pin"), [(CODE, None), (PINNED_CODE, "ab" * 32)])
def test_a_host_joins_by_its_code_and_pins_the_certificate(tmp_path, code, pin):
    file = tmp_path / "host.token"
    got = SimpleNamespace(name="SH1", version="2022", mode="per-user", token="calh_secret")
    wiring = FakeWiring(host_client=FakeHostClient(got))
    ran = calward(
        "host", "join", "-", "--server", "https://ls1", "--token-file", str(file), wiring=wiring, stdin=code.encode()
    )
    assert ran.code == Exit.OK, ran
    assert wiring.wheres == [Where("https://ls1", fingerprint=pin)]
    assert wiring.host_client.asked == [code]
    assert file.read_text() == "calh_secret\n"
    assert f'  token_file = "{file}"' in ran.lines
    assert (f'  fingerprint = "{pin}"' in ran.lines) == bool(pin)


def test_a_code_that_does_not_work_leaves_no_file(tmp_path):
    wiring = FakeWiring(host_client=FakeHostClient(LicensingError(Problem.UNAUTHORIZED, "the code is wrong")))
    ran = calward("host", "join", CODE, "--token-file", str(tmp_path / "t"), wiring=wiring)
    assert ran.code == Exit.UNAUTHORIZED
    assert list(tmp_path.iterdir()) == []


# --- set-up, tokens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "server"),
    [
        ([f"https://ls1.example:8460/setup?code={PINNED_CODE}"], "https://ls1.example:8460"),
        ([PINNED_CODE], None),
        ([PINNED_CODE, "--server", "https://other"], "https://other"),
    ],
)
def test_the_first_administrator_comes_by_a_link_or_a_code(arguments, server):
    wiring = FakeWiring(FakeAdminApi({("POST", "setup"): {"token": "cala_first"}}))
    ran = calward("setup", *arguments, wiring=wiring)
    assert ran.lines[-1] == "cala_first"
    assert wiring.wheres == [Where(server, fingerprint="ab" * 32)]
    assert wiring.api.asked == [Asked("POST", "setup", {}, {"code": PINNED_CODE})]


def test_on_the_server_itself_no_code_is_needed(tmp_path):
    wiring = FakeWiring(FakeAdminApi({("POST", "tokens"): {"token": "cala_first", "id": "T1"}}))
    ran = calward("setup", "-o", str(tmp_path / "t"), "--json", wiring=wiring)
    assert ran.json == {"token": None, "id": "T1", "token_file": str(tmp_path / "t")}
    assert (tmp_path / "t").read_text() == "cala_first\n"
    assert wiring.api.asked[0].body["role"] == "license-administrator"
    people = calward("setup", "-o", str(tmp_path / "u"), wiring=wiring)
    assert people.lines[-1] == f"export CALWARD_TOKEN_FILE={tmp_path / 'u'}"


def test_a_token_can_go_into_a_file_instead_of_the_terminal(tmp_path):
    wiring = FakeWiring(FakeAdminApi({("POST", "tokens"): TOKEN | {"token": "cala_secret"}}))
    ran = calward("token", "make", "backup", "--role", "auditor", "-o", str(tmp_path / "t"), wiring=wiring)
    assert ran.code == Exit.OK
    assert "cala_secret" not in ran.out
    assert (tmp_path / "t").read_text() == "cala_secret\n"


def test_where_the_server_is_comes_from_options_and_the_environment(tmp_path):
    token = tmp_path / "token"
    wiring = FakeWiring(FakeAdminApi({("GET", "status"): STATUS}))
    calward(
        "status",
        "--server",
        "https://a",
        "--fingerprint",
        "ab",
        "--ca-file",
        "ca.pem",
        wiring=wiring,
        CALWARD_TOKEN_FILE=str(token),
    )
    where = wiring.wheres[0]
    assert (where.server, where.token_file, str(where.ca_file), where.fingerprint) == (
        "https://a",
        token,
        "ca.pem",
        "ab",
    )


# --- explain ------------------------------------------------------------------------------------------------------

DECISION = ANSWER | {"host": "SH1", "at": "2026-01-01T00:00:00Z", "times": 3, "sentences": [], "event": {"id": 1}}


def test_the_story_of_a_decision_is_a_numbered_list():
    wiring = FakeWiring(FakeAdminApi({("GET", "decisions/D1"): DECISION}))
    assert calward("explain", "D1", wiring=wiring).lines == [
        "decision D1: granted, 2022/per-user over-used (new, until 2026-03-01T00:00:00Z)",
        "asked by host SH1 at 2026-01-01T00:00:00Z, 3 times",
        "  1. keep: nothing held",
        "what stood in the way of a full license:",
        "  no-cal-free: no CAL that opens this host is free",
        "what would change it:",
        f"  {CHANGES[Reason.NO_CAL_FREE]}",
    ]
    said = calward("explain", "D1", "--json", wiring=wiring).json
    assert said == DECISION | {"would_change": [CHANGES[Reason.NO_CAL_FREE]]}


@pytest.mark.parametrize(("option", "key"), [("--user", "user"), ("--device", "device")])
def test_what_would_be_decided_can_be_asked_beforehand(option, key):
    foreseen = ANSWER | {"outcome": "refused", "license": None, "decision": None}
    wiring = FakeWiring(FakeAdminApi({("POST", "explain"): foreseen}))
    ran = calward("explain", "--host", "SH1", option, "x", wiring=wiring)
    assert ran.code == Exit.OK, "asking is no refusal"
    assert ran.lines[0] == "now it would be: refused"
    assert wiring.api.asked == [Asked("POST", "explain", {}, {"host": "SH1", key: "x"})]


# --- audit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code", "last"),
    [
        ({"holds": True, "findings": []}, Exit.OK, "the ledger holds"),
        (
            {"holds": False, "findings": [{"what": "seat", "where": "P1/3", "expected": None, "found": "L7"}]},
            Exit.FINDINGS,
            "the ledger does not hold: findings: 1",
        ),
    ],
)
def test_verify_says_whether_the_ledger_holds(said, code, last, tmp_path):
    wiring = FakeWiring(FakeAdminApi({("POST", "audit/verify"): said}))
    ran = calward("audit", "verify", wiring=wiring)
    assert (ran.code, ran.lines[-1]) == (code, last)
    as_json = calward("audit", "verify", "--json", wiring=wiring)
    assert (as_json.code, as_json.json) == (code, said)
    kept = tmp_path / "kept.txt"
    kept.write_text("calward\n12\nroot\n")
    calward("audit", "verify", "--checkpoint", str(kept), wiring=wiring)
    assert [asked.body for asked in wiring.api.asked] == [{}, {}, {"checkpoint": "calward\n12\nroot\n"}]


EVENTS = [
    {"position": n if n < 30 else None, "event": {"id": n + 5, "at": 1_772_352_000, "kind": "license", "host": "SH1"}}
    for n in range(1, 31)
]


def trail(asked):
    limit = int(asked.query["limit"])
    if asked.query.get("last"):
        return {"items": EVENTS[-limit:], "next": None}
    after = int(asked.query["after"])
    return {"items": [x for x in EVENTS if x["position"] is None or x["position"] > after][:limit], "next": None}


@pytest.mark.parametrize(
    ("options", "places"),
    [(["-n", "3"], [28, 29, None]), (["--after", "4", "-n", "2"], [5, 6]), (["--after", "29"], [])],
)
def test_the_tail_of_the_trail_is_the_last_events_or_those_after_one(options, places):
    wiring = FakeWiring(FakeAdminApi({("GET", "audit/events"): trail}))
    ran = calward("audit", "tail", *options, "--json", wiring=wiring)
    assert [json.loads(line)["position"] for line in ran.lines] == places
    people = calward("audit", "tail", *options, wiring=wiring)
    assert people.lines == [
        f"{place or '-'} 2026-03-01T08:00:00Z license #{(place or 30) + 5}: host SH1" for place in places
    ]


def test_following_goes_on_where_it_was(monkeypatch):
    naps = iter([None, None])

    def nap(_):
        if next(naps, "enough") == "enough":
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", nap)
    wiring = FakeWiring(FakeAdminApi({("GET", "audit/events"): trail}))
    ran = calward("audit", "tail", "--after", "27", "-n", "2", "--follow", wiring=wiring)
    assert ran.code == Exit.INTERRUPTED
    assert [line.split()[0] for line in ran.lines] == ["28", "29"]
    assert wiring.api.asked[-1].query["after"] == "29"


def following(monkeypatch, answers, *options):
    """Follow while the API gives these answers, one after the other, and Ctrl-C comes."""
    waiting = iter(answers)
    rounds = iter(answers[1:])

    def nap(_):
        if next(rounds, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", nap)
    wiring = FakeWiring(FakeAdminApi({("GET", "audit/events"): lambda _: next(waiting)}))
    return calward("audit", "tail", "--follow", *options, wiring=wiring), wiring.api.asked


def test_following_shows_an_event_once_though_it_got_its_place_later(monkeypatch):
    placed = EVENTS[-1] | {"position": 30}
    ran, _ = following(monkeypatch, [{"items": EVENTS[-2:]}, {"items": [placed]}])
    assert [line.split()[0] for line in ran.lines] == ["29", "30"]


def test_following_outlives_a_restart_of_the_server(monkeypatch):
    ran, asked = following(
        monkeypatch, [{"items": EVENTS[:1]}, problem(503, "unavailable", "it restarts"), {"items": EVENTS[1:2]}]
    )
    assert ran.code == Exit.INTERRUPTED
    assert [line.split()[0] for line in ran.lines] == ["1", "2"]
    assert "it restarts: asked again" in ran.err
    assert [one.query["after"] for one in asked[1:]] == ["1", "1"]


def test_following_ends_where_waiting_would_not_help(monkeypatch):
    ran, _ = following(monkeypatch, [{"items": EVENTS[:1]}, problem(401, "unauthorized", "the token has ended")])
    assert ran.code == Exit.UNAUTHORIZED


def test_an_export_is_written_line_by_line(tmp_path):
    text = '{"id": 1}\n{"id": 2}\n{"checkpoint": "x"}\n'
    wiring = FakeWiring(FakeAdminApi({("GET", "audit/export"): text}))
    assert calward("audit", "export", wiring=wiring).out == text
    file = tmp_path / "events.jsonl"
    ran = calward("audit", "export", "-o", str(file), "--json", wiring=wiring)
    assert ran.json == {"file": str(file), "lines": 3}
    assert file.read_text() == text
    missing = calward("audit", "export", "-o", str(tmp_path / "no" / "x"), wiring=wiring)
    assert missing.code == Exit.UNAVAILABLE


# --- serving ------------------------------------------------------------------------------------------------------


def test_serve_hands_on_what_was_said_and_nothing_else(tmp_path):
    wiring = FakeWiring(places={"url": "http://127.0.0.1:1", "setup": "http://127.0.0.1:1/setup?code=X", "more": "y"})
    ran = calward("serve", "--listen", "127.0.0.1:0", "--self-signed", "--data-dir", str(tmp_path), wiring=wiring)
    assert wiring.served == [
        ServeOptions(None, {"listen": "127.0.0.1:0", "self_signed": True, "data_dir": tmp_path}),
    ]
    assert ran.lines[0] == "license server: http://127.0.0.1:1"
    assert calward("serve", "--json", wiring=wiring).json == wiring.places
    assert wiring.served[1] == ServeOptions(None, {})


def test_devrun_starts_both(tmp_path):
    wiring = FakeWiring()
    calward("devrun", "--demo", "--fresh", "--port", "8460", wiring=wiring)
    assert wiring.served == [RunOptions(demo=True, fresh=True, port=8460)]


# --- small ones ---------------------------------------------------------------------------------------------------


def test_version_names_itself():
    assert calward("version").out.startswith("calward ")
    assert set(calward("version", "--json").json) == {"calward", "python", "system"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell):
    ran = calward("completion", shell)
    assert ran.code == Exit.OK
    assert "_CALWARD_COMPLETE" in ran.out


PREVIEW = {
    "outcome": "preview", "pack": "P1", "version": "2022", "type": "per-user", "to": "2019", "count": 5, "free": 4,
    "licenses": [{"license": "L1", "holder": "alice"}], "lost": ["2022"], "hosts": ["SH1"], "reason": [],
}  # fmt: skip


def test_a_change_shows_what_would_be_lost_and_happens_only_with_a_yes():
    answers = {("POST", "clearinghouse:ask"): lambda asked: PREVIEW if asked.body.get("preview") else {"results": []}}
    wiring = FakeWiring(FakeAdminApi(answers))
    asked = calward("pack", "downgrade", "P1", "--to", "2019", wiring=wiring)
    assert asked.code == Exit.USAGE
    assert "alice" in asked.out
    for words in ("no longer open hosts of 2022", "SH1", "say --yes"):
        assert words in asked.err
    assert [one.body.get("preview") for one in wiring.api.asked] == [True]
    assert calward("pack", "downgrade", "P1", "--to", "2019", "--yes", wiring=wiring).code == Exit.OK
    assert wiring.api.asked[-1].body == {"kind": "change", "change": "downgrade", "pack": "P1", "to": "2019"}


def test_numbers_without_a_program_are_no_file_and_say_so():
    ran = calward("pack", "install", "30581742", "64210-85274-11096", wiring=FakeWiring())
    assert (ran.code, "--program" in ran.err) == (Exit.USAGE, True)


def test_all_packs_are_all_of_them():
    ran = calward("pack", "move", "--from", "0" * 32, "--pack", "all", "--pack", "P1", wiring=FakeWiring())
    assert (ran.code, "stands alone" in ran.err) == (Exit.USAGE, True)


def test_what_was_not_taken_ends_with_the_code_of_a_refusal(tmp_path):
    file = tmp_path / "answer"
    file.write_bytes(b"{}\n")
    one = {"kind": "key-pack", "outcome": "not-accepted", "reason": ["for-another-server"], "detail": "for LS2"}
    wiring = FakeWiring(FakeAdminApi({("POST", "clearinghouse:take"): {"outcome": "taken", "results": [one]}}))
    ran = calward("server", "take", str(file), wiring=wiring)
    assert ran.code == Exit.REFUSED
    assert "key-pack not-accepted: for LS2" in ran.err
