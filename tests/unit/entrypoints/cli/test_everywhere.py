"""Do the options that commands have in common do the same at all of them? Every test walks the commands there are."""

import csv
import io
import json
import shlex
import subprocess

import click
import pytest
import yaml

from calward.entrypoints.cli.common.everywhere import _OF_ESTATES, _SPOKEN_TO, _STREAMS
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.live_names import asks_server
from calward.entrypoints.cli.reference import commands
from tests.support.command_line import Asked, FakeAdminApi, FakeHostClient, FakeWiring, calward, problem

LEAVES = {path: command for path, command in commands() if not isinstance(command, click.Group)}
NAMES = {path: {name for param in command.params for name in param.opts} for path, command in LEAVES.items()}
READS = "list show status verify tail export revocations moves explain diagnose summary usage history duplicates packs"
CLIENTS = [path for path, command in LEAVES.items() if asks_server(command) and path not in _STREAMS]
CHANGES = {
    "calward host code": "SH1",
    "calward host enroll": "SH1 --version 2022 --mode per-user",
    "calward host policy remove": "farm1",
    "calward host policy set": "farm1 --mode per-user",
    "calward host remove": "SH1",
    "calward host set": "SH1 --mode per-user",
    "calward license forget": "--user alice",
    "calward license release": "L12",
    "calward license revoke": "L12",
    "calward pack cancel-move": "M1",
    "calward pack convert": "P1 --to per-user",
    "calward pack downgrade": "P1 --to 2008R2",
    "calward pack give-up-change": "P1",
    "calward pack install": "--program retail 3B6XQ-9QZ4T-R6V2A-V1GKC-W0NDE",
    "calward pack move": "--from 5f0c --pack all",
    "calward pack remove": "P1",
    "calward pack upgrade": "P1 --to 2022",
    "calward server activate": "--clearinghouse https://ch.example",
    "calward server contact": "",
    "calward server deactivate": "",
    "calward server keyring": "FILE",
    "calward server rebuild": "--clearinghouse https://ch.example",
    "calward server recover": "--accept-loss",
    "calward server set": "per_user=enforce",
    "calward token end": "T3",
    "calward token make": "alice --role viewer",
}
"""Every command that changes something on its license server, with arguments that are enough for it."""
FINAL = {path for path, names in NAMES.items() if "--no-input" in names}
LISTS = {
    "calward pack list": "packs",
    "calward license list": "licenses",
    "calward host list": "hosts",
    "calward host policy list": "policies",
    "calward token list": "tokens",
    "calward pack moves": "clearinghouse/moves",
    "calward license revocations": "revocations",
}
HOSTILE = {
    "id": "=1+1",
    "name": "no\x1b[2J",
    "type": "true",
    "on": None,
    "why": ["a", "b"],
    "more": {"deep": [1, {"x": "ü"}]},
}


def words(path, tmp_path):
    file = tmp_path / "file.json"
    file.write_text('{"payload": ""}')
    return [*path.split()[1:], *shlex.split(CHANGES.get(path, "").replace("FILE", str(file)))]


def anything():
    """An API that answers every question with the same."""
    answered = {"outcome": "removed", "dry_run": True, "pack": "P1"}
    api = FakeAdminApi()
    api.answers = Everything(answered)
    return api


class Everything(dict):
    def __init__(self, answer):
        self.answer = answer

    def get(self, _key, _default=None):
        return self.answer


def changed(api):
    """What was asked that changes something; a preview does not."""
    return [
        one for one in api.asked if one.method != "GET" and not (isinstance(one.body, dict) and one.body.get("preview"))
    ]


@pytest.mark.parametrize("path", sorted(LEAVES.keys() - _SPOKEN_TO))
def test_every_command_can_be_quiet_and_without_colors(path):
    assert {"--quiet", "--no-color"} <= NAMES[path]


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_what_has_json_has_the_other_forms_or_writes_lines_or_a_file(path):
    names = NAMES[path]
    files = [param for param in LEAVES[path].params if "-o" in param.opts and param.name != "form"]
    expected = "--json" in names and path not in _STREAMS and "--format" not in names and not files
    assert ({"--output", "--columns", "--no-headers"} <= names) == expected or path == "calward completion"


def test_what_changes_something_is_known_here():
    marked = {path for path, command in LEAVES.items() if hasattr(command.callback, "calward_act")}
    assert marked == set(CHANGES)
    reading = {
        path
        for path in CLIENTS
        if path.split()[-1] in READS.split() or _OF_ESTATES in {p.name for p in LEAVES[path].params}
    }
    others = {
        "calward server take",
        "calward license request",
        "calward license confirm",
        "calward host join",
        "calward setup",
    }
    assert set(CLIENTS) - marked - reading == others


@pytest.mark.parametrize("path", sorted(CHANGES))
def test_a_dry_run_asks_and_changes_nothing(path, tmp_path):
    wiring = FakeWiring(anything())
    ran = calward(*words(path, tmp_path), "--dry-run", wiring=wiring)
    assert ran.code == Exit.OK, ran
    assert wiring.api.asked
    assert all(one.query.get("dry_run") == "true" for one in changed(wiring.api)), wiring.api.asked


def test_a_server_that_knows_no_dry_run_is_not_believed():
    api = FakeAdminApi({("DELETE", "packs/P1"): {"outcome": "removed"}})
    ran = calward("pack", "remove", "P1", "--dry-run", wiring=FakeWiring(api))
    assert (ran.code, "may have done it" in ran.err) == (Exit.UNAVAILABLE, True)


@pytest.mark.parametrize("path", sorted(CHANGES))
def test_a_dry_run_that_is_refused_ends_as_the_act_would(path, tmp_path):
    api = anything()
    api.answers = Everything(
        {"outcome": "refused", "reason": ["no-cal-free"], "detail": "it is in use", "dry_run": True}
    )
    ran = calward(*words(path, tmp_path), "--dry-run", "--json", wiring=FakeWiring(api))
    assert (ran.code, ran.json["outcome"]) == (Exit.REFUSED, "refused")


@pytest.mark.parametrize("path", sorted(CLIENTS))
def test_curl_shows_the_request_and_sends_nothing(path, tmp_path):
    if "--curl" not in NAMES[path]:
        assert _OF_ESTATES in {param.name for param in LEAVES[path].params}
        return
    token = tmp_path / "it's a.token"
    token.write_text("cala_secret")
    more = {
        "calward license request": ["--user", "alice", "--host-token-file", str(token)],
        "calward license confirm": ["--license", "L12", "--host-token-file", str(token)],
        "calward host join": ["FQ63-5VYR-OAC3-B4JA", "--token-file", str(tmp_path / "new")],
        "calward setup": ["FQ63-5VYR-OAC3-B4JA"],
        "calward server take": [str(token)],
    }
    given = more.get(path, ["X"] if not CHANGES.get(path) and any(p.required for p in LEAVES[path].params) else [])
    own = (
        [] if path in more else ["--admin-token-file" if path == "calward host enroll" else "--token-file", str(token)]
    )
    wiring = FakeWiring(FakeAdminApi(), FakeHostClient(AssertionError("asked")))
    ran = calward(*words(path, tmp_path), *given, *own, "--curl", wiring=wiring)
    assert ran.code == Exit.OK, ran
    shell = subprocess.run(
        ["bash", "-c", f"curl() {{ printf '%s\\n' \"$@\"; }}; {ran.out}"], capture_output=True, text=True, check=True
    )
    said = shell.stdout.splitlines()
    assert not own or "Authorization: Bearer cala_secret" in said
    assert any(word.startswith("https://ls1.example:8460/api/v1/") for word in said)
    assert "cala_secret" not in ran.out or path == "calward server take"
    assert "FQ63" not in ran.out
    assert wiring.api.asked == []


@pytest.mark.parametrize("path", sorted(FINAL & CHANGES.keys()))
@pytest.mark.parametrize(
    ("typed", "options", "code"), [("y\n", [], 0), ("n\n", [], 130), ("", ["--yes"], 0), ("", ["--no-input"], 2)]
)
def test_what_cannot_be_undone_is_asked_first_on_a_terminal(path, typed, options, code, tmp_path, monkeypatch):
    monkeypatch.setattr("calward.entrypoints.cli.common.everywhere._on_a_terminal", lambda: True)
    wiring = FakeWiring(anything())
    ran = calward(*words(path, tmp_path), *options, wiring=wiring, stdin=typed.encode())
    assert ran.code == code, ran
    assert bool(wiring.api.asked) == (code == 0)
    assert ("go on?" in ran.err) == bool(typed)


@pytest.mark.parametrize("path", sorted(FINAL & CHANGES.keys()))
def test_without_a_terminal_nothing_is_asked(path, tmp_path):
    wiring = FakeWiring(anything())
    assert calward(*words(path, tmp_path), wiring=wiring).code == Exit.OK
    assert changed(wiring.api)


@pytest.mark.parametrize("path", sorted(LISTS))
@pytest.mark.parametrize("flags", [["-o", "yaml"], ["--output=yaml"]])
def test_yaml_is_the_same_as_json(path, flags):
    wiring = FakeWiring(FakeAdminApi({("GET", LISTS[path]): {"items": [HOSTILE, {"id": "no"}], "next": None}}))
    ran = calward(*path.split()[1:], *flags, wiring=wiring)
    assert yaml.safe_load(ran.out) == calward(*path.split()[1:], "--json", wiring=wiring).json
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("path", sorted(LISTS))
def test_csv_has_a_line_for_each_item_and_runs_nothing(path):
    wiring = FakeWiring(FakeAdminApi({("GET", LISTS[path]): {"items": [HOSTILE], "next": None}}))
    ran = calward(*path.split()[1:], "-o", "csv", "--columns", "why,id,name", wiring=wiring)
    assert list(csv.reader(io.StringIO(ran.out))) == [["why", "id", "name"], ["a b", "'=1+1", "no\\x1b[2J"]]
    bare = calward(*path.split()[1:], "-o", "csv", "--columns", "id", "--no-headers", wiring=wiring)
    assert bare.lines == ["'=1+1"]


@pytest.mark.parametrize("path", sorted(LISTS))
def test_columns_are_chosen_by_their_titles_or_keys(path):
    wiring = FakeWiring(FakeAdminApi({("GET", LISTS[path]): {"items": [{"id": "X1", "extra": "7"}], "next": None}}))
    assert calward(*path.split()[1:], "--columns", "extra", "--no-headers", wiring=wiring).lines[0] == "7"
    ran = calward(*path.split()[1:], "--columns", "extar", wiring=wiring)
    assert (ran.code, "did you mean extra?" in ran.err) == (Exit.USAGE, True)


def test_an_error_is_a_problem_document_for_whoever_asked_for_a_form_that_programs_read():
    for flags in (["--json"], ["-o", "json"], ["-oyaml"], ["--output=csv"]):
        ran = calward("pack", "show", "P9", *flags, wiring=FakeWiring())
        assert ran.code == Exit.NOT_FOUND
        assert (ran.error["type"], ran.error["status"]) == ("urn:calward:problem:not-found", 404)
    assert calward("pack", "show", "P9", "-o", "table", wiring=FakeWiring()).err.startswith("error: ")


def test_quiet_leaves_result_and_errors():
    wiring = FakeWiring(FakeAdminApi({("GET", "packs"): {"items": [], "next": None}}))
    assert calward("pack", "list", "-q", wiring=wiring).err == ""
    assert calward("pack", "show", "P1", "-q", wiring=wiring).err.startswith("error: ")
    refused = FakeAdminApi({("DELETE", "packs/P1"): {"outcome": "refused", "detail": "in use", "reason": []}})
    assert calward("pack", "remove", "P1", "-q", wiring=FakeWiring(refused)).err == "refused: in use\n"


def test_a_profile_says_where_and_with_which_token(tmp_path):
    folder = tmp_path / "calward"
    folder.mkdir()
    (folder / "config.toml").write_text('[profile.berlin]\nserver = "https://ls9.example"\ntoken_file = "~/b.token"\n')
    wiring = FakeWiring(FakeAdminApi({("GET", "packs"): {"items": [], "next": None}}))
    env = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": "/home/a", "CALWARD_TOKEN_FILE": "/other.token"}
    assert calward("pack", "list", "--profile", "berlin", wiring=wiring, **env).code == Exit.OK
    [where] = wiring.wheres
    assert (where.server, str(where.token_file)) == ("https://ls9.example", "/home/a/b.token")
    unknown = calward("pack", "list", wiring=wiring, CALWARD_PROFILE="paris", **env)
    assert (unknown.code, "there are berlin" in unknown.err) == (Exit.NOT_FOUND, True)
    both = calward("pack", "list", "--profile", "berlin", "--server", "https://x", wiring=wiring, **env)
    assert both.code == Exit.USAGE


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("pack show ", ["P1", "P2"]), ("pack show P2", ["P2"]), ("license list --pack ", ["P1", "P2"])],
)
def test_names_on_the_server_are_completed(typed, expected):
    from calward.entrypoints.cli.root import cli

    packs = {"items": [{"id": "P1", "version": "2022"}, {"id": "P2", "version": "2019"}, {"id": "x\ny"}], "next": None}
    *words, last = typed.split(" ")
    from click.shell_completion import ShellComplete

    wiring = FakeWiring(FakeAdminApi({("GET", "packs"): packs}))
    found = ShellComplete(cli, {"obj": wiring}, "calward", "_X").get_completions(words, last)
    assert [one.value for one in found] == expected


def test_a_server_that_is_away_costs_a_completion_nothing():
    from click.shell_completion import ShellComplete

    from calward.entrypoints.cli.root import cli

    assert ShellComplete(cli, {"obj": FakeWiring()}, "calward", "_X").get_completions(["pack", "show"], "") == []


def test_powershell_gets_a_line_for_each(monkeypatch):
    from calward.entrypoints.cli.common.powershell import PowerShellComplete
    from calward.entrypoints.cli.root import cli

    monkeypatch.setenv("COMP_WORDS", json.dumps(["calward", "pack", "inst"]))
    found = PowerShellComplete(cli, {}, "calward", "_X").complete()
    assert found.startswith("install\tInstall CALs")


def test_asked_is_what_the_tests_think(tmp_path):
    wiring = FakeWiring(anything())
    calward("pack", "remove", "P1", "--dry-run", wiring=wiring)
    assert wiring.api.asked == [Asked("DELETE", "packs/P1", {"dry_run": "true"}, None)]


@pytest.mark.parametrize(
    ("arguments", "target", "items", "meant"),
    [
        (["pack", "show", "ad79…"], "packs", [{"id": "ad79b759"}, {"id": "fe01"}], "did you mean ad79b759?"),
        (
            ["host", "set", "TS08-ERP", "--mode", "per-user"],
            "hosts",
            [{"name": "TS08-ERP1"}, {"name": "X"}],
            "did you mean TS08-ERP1?",
        ),
        (["license", "revoke", "alice"], "licenses", [{"id": "L7"}], "did you mean L7?"),
        (["token", "end", "zz"], "tokens", [{"id": "T3"}], "no such"),
    ],
)
def test_an_unknown_name_is_answered_with_one_that_is_there(arguments, target, items, meant):
    api = FakeAdminApi({("GET", target): {"items": items, "next": None}})
    for one in ("packs/ad79…", "hosts/TS08-ERP", "licenses/alice:revoke", "tokens/zz"):
        for method in ("GET", "PATCH", "POST", "DELETE"):
            api.answers[method, one] = problem(404, "not-found", "no such thing")
    ran = calward(*arguments, wiring=FakeWiring(api))
    assert ran.code == Exit.NOT_FOUND
    assert meant in ran.err
    assert ("did you mean" in ran.err) == ("did" in meant)


def test_status_goes_on_and_tells_what_changes(monkeypatch):
    lines = iter(["all is well", "all is well", None, "pack P1 ends"])

    def answer(_asked):
        line = next(lines, "end")
        if line == "end":
            raise KeyboardInterrupt
        return {"line": line} if line else problem(503, "unavailable", "it restarts")

    monkeypatch.setattr("calward.entrypoints.cli.status._EVERY_SECONDS", 0.0)
    ran = calward("status", "--watch", wiring=FakeWiring(FakeAdminApi({("GET", "status"): answer})))
    assert (ran.code, ran.lines) == (Exit.INTERRUPTED, ["all is well", "pack P1 ends"])
    assert ran.err.strip() == "it restarts: asked again"
