"""How does a command end when it cannot do what it was asked?"""

import json
import sys

import click
import pytest

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.exit_codes import EXIT_OF, HELP_FOR, MEANINGS, Exit
from calward.entrypoints.cli.common.running import run
from tests.support.command_line import FakeAdminApi, FakeWiring, calward, problem


def failing(error: BaseException) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json: bool) -> None:
        raise error

    return command


@pytest.mark.parametrize("problem", Problem)
def test_every_kind_of_error_has_a_code_and_a_help(problem):
    assert EXIT_OF[problem] in MEANINGS
    assert HELP_FOR[problem]


def test_every_code_has_a_meaning_and_the_numbers_stay():
    assert {code.name: code.value for code in MEANINGS} == {
        "OK": 0,
        "BUG": 1,
        "USAGE": 2,
        "NOT_FOUND": 3,
        "REFUSED": 4,
        "UNAUTHORIZED": 5,
        "UNAVAILABLE": 6,
        "FINDINGS": 7,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize("problem", Problem)
def test_an_error_is_two_lines_for_people(problem, capsys):
    code = run(failing(LicensingError(problem, "pack P1 is in use")), [], None)
    assert code == EXIT_OF[problem]
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"error: pack P1 is in use\nhelp: {HELP_FOR[problem]}\n")


def test_an_error_is_one_object_for_scripts(capsys):
    run(failing(LicensingError(Problem.MALFORMED, "it is wrong", field="name")), ["--json"], None)
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {
        "type": "urn:calward:problem:malformed",
        "title": "Bad Request",
        "status": 400,
        "problem": "malformed",
        "detail": "it is wrong",
        "help": HELP_FOR[Problem.MALFORMED],
        "exit_code": 2,
        "field": "name",
    }


def test_a_bug_is_said_to_be_one_and_shows_no_traceback(capsys):
    assert run(failing(ZeroDivisionError("by zero")), [], None) == Exit.BUG
    assert "ZeroDivisionError: by zero" in (err := capsys.readouterr().err)
    assert "Traceback" not in err
    assert "CALWARD_DEBUG=1" in err


def test_who_asks_for_a_traceback_gets_it(capsys, monkeypatch):
    monkeypatch.setenv("CALWARD_DEBUG", "1")
    run(failing(ZeroDivisionError()), [], None)
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_ends_quietly(capsys):
    assert run(failing(KeyboardInterrupt()), [], None) == Exit.INTERRUPTED
    assert capsys.readouterr().err.strip() == ""


@pytest.mark.parametrize("as_seen", ["itself", "through a library that ends the program"])
def test_a_reader_that_has_had_enough_is_no_error(monkeypatch, as_seen):
    monkeypatch.setattr("calward.entrypoints.cli.common.running._leave_the_pipe", lambda: Exit.OK)
    error: BaseException = BrokenPipeError()
    if as_seen != "itself":
        error = SystemExit(1)
        error.__context__ = BrokenPipeError()
    assert run(failing(error), [], None) == Exit.OK


@pytest.mark.parametrize(("code", "ends_with"), [(3, 3), (None, 0), ("no", 1)])
def test_a_library_that_ends_the_program_is_believed(code, ends_with):
    assert run(failing(SystemExit(code)), [], None) == ends_with


def test_what_an_error_repeats_from_outside_cannot_move_the_cursor(capsys):
    run(failing(LicensingError(Problem.NOT_FOUND, "no host \x1b[2J\u202eevil")), [], None)
    assert capsys.readouterr().err.startswith("error: no host \\x1b[2J\\u202eevil\n")


@pytest.mark.parametrize(
    ("arguments", "detail", "near"),
    [
        (["licence"], "no such command 'licence'", "did you mean license?"),
        (["pack", "instal"], "no such command 'instal'", "did you mean install or list?"),
        (["host", "policy", "sett"], "no such command 'sett'", "did you mean set?"),
        (["matrix", "--knd", "x"], "no such option '--knd'", "did you mean --kind?"),
    ],
)
def test_a_misspelt_word_gets_a_proposal(arguments, detail, near):
    ran = calward(*arguments, wiring=FakeWiring())
    assert ran.code == Exit.USAGE
    assert ran.out == ""
    assert ran.err.startswith(f"error: {detail}\nhelp: {near}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["pack", "show"],
        ["license", "request", "--host-token-file", "f"],
        ["license", "request", "--host-token-file", "f", "--user", "a", "--device", "b"],
        ["license", "request", "--host-token-file", "f", "--device", "b"],
        ["explain"],
        ["explain", "D1", "--user", "a"],
        ["explain", "--host", "h", "--user", "a", "--device", "b"],
        ["server", "activate"],
        ["server", "activate", "--clearinghouse", "https://c", "--answer", "f"],
        ["server", "set", "per_user"],
        ["host", "set", "SH1"],
        ["host", "enroll", "SH1", "--version", "2022", "--mode", "per-moon"],
        ["token", "make", "x", "--role", "god"],
        ["pack", "list", "--limit", "-1"],
        ["setup", "no code at all"],
        ["setup", ""],
        ["completion", "tcsh"],
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_wrong_use_is_an_error_of_its_own_code(arguments, as_json):
    wiring = FakeWiring()
    ran = calward(*arguments, *(["--json"] if as_json else []), wiring=wiring)
    assert ran.code == Exit.USAGE, ran
    assert ran.out == ""
    assert wiring.api.asked == []
    if as_json:
        assert ran.error["exit_code"] == Exit.USAGE
        assert ran.error["help"]
    else:
        assert [line.partition(": ")[0] for line in ran.err.splitlines()] == ["error", "help"]


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "malformed", Exit.USAGE),
        (401, "unauthorized", Exit.UNAUTHORIZED),
        (403, "forbidden", Exit.UNAUTHORIZED),
        (404, "not-found", Exit.NOT_FOUND),
        (409, "conflict", Exit.REFUSED),
        (413, "too-large", Exit.USAGE),
        (422, "malformed", Exit.USAGE),
        (500, "internal", Exit.UNAVAILABLE),
        (503, "unavailable", Exit.UNAVAILABLE),
        (500, "corrupt", Exit.FINDINGS),
    ],
)
def test_a_problem_of_the_server_keeps_its_kind_and_its_words(status, kind, code):
    api = FakeAdminApi({("GET", "status"): lambda _: problem(status, kind, "the server's own words", field="name")})
    ran = calward("status", wiring=FakeWiring(api))
    assert ran.code == code
    assert ran.err.startswith("error: the server's own words\nhelp: ")
    as_json = calward("status", "--json", wiring=FakeWiring(api))
    assert (as_json.error["detail"], as_json.error["field"]) == ("the server's own words", "name")


def test_a_server_that_cannot_be_found_says_how_to_start_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = calward("status", CALWARD_DATA_DIR=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path))
    assert ran.code == Exit.UNAVAILABLE
    assert f"no socket at /run/calward/calward.sock, {tmp_path}/calward.sock" in ran.err
    assert "calward serve" in ran.err


def test_a_terminal_that_lacks_a_character_gets_an_escape():
    api = FakeAdminApi({("GET", "packs/P1"): {"id": "P1", "version": "2022 ✓"}})
    ran = calward("pack", "show", "P1", wiring=FakeWiring(api), encoding="latin-1")
    assert ran.code == Exit.OK
    assert "2022 \\u2713" in ran.out


def test_a_name_that_no_address_can_hold_is_refused_before_it_is_sent():
    wiring = FakeWiring()
    for name in ("", "..", "\udcff"):
        assert calward("pack", "show", name, wiring=wiring).code == Exit.USAGE
    assert wiring.api.asked == []


def test_a_name_cannot_leave_its_place_in_the_address():
    wiring = FakeWiring()
    calward("pack", "show", "../tokens?x=1#y", wiring=wiring)
    assert [(asked.target, asked.query) for asked in wiring.api.asked[:1]] == [("packs/../tokens?x=1#y", {})]


def test_the_interpreter_s_own_streams_are_left_as_they_were():
    before = sys.stdout, sys.stderr
    calward("version")
    assert (sys.stdout, sys.stderr) == before
