"""What PAM is told: exit codes, sentences for the user, lines for the administrator."""

from dataclasses import replace
from datetime import timedelta

import pytest

from calward.domain.errors import LicensingError, Problem
from calward.domain.grace import Admission, GraceState, HostOutcome
from calward.entrypoints.pam import helper
from calward.entrypoints.pam.helper import IN, OUT, PamDesk, PamQuestion, answer
from calward.entrypoints.pam.texts import for_administrator, for_user
from tests.support.session_host import NOW, a_held_license

GRANTED = Admission(HostOutcome.GRANTED, a_held_license(), (), None, GraceState())
REFUSED = Admission(HostOutcome.REFUSED, None, ("no-cal-free", "grace-expired"), None, GraceState())
GRACE = Admission(HostOutcome.GRACE, None, ("no-license-server",), timedelta(days=11, hours=2), GraceState())


class Door:
    """One question at a door with a given answer; what was said to whom."""

    def __init__(self, admission: Admission | Exception = GRANTED, *, admit_on_trouble: bool = False):
        self.admission = admission
        self.admit_on_trouble = admit_on_trouble
        self.commands: list[object] = []
        self.said: list[str] = []
        self.logged: list[str] = []

    def desk(self) -> PamDesk:
        return PamDesk(
            check=self._check,
            opened=self.commands.append,
            closed=self.commands.append,
            exempt=lambda user: user == "root",
            grace_days=7,
            admit_on_trouble=self.admit_on_trouble,
        )

    def _check(self, command: object) -> Admission:
        self.commands.append(command)
        if isinstance(self.admission, Exception):
            raise self.admission
        return self.admission

    def ask(self, stack: str = "account", desk=None, **environment: str) -> int:
        question = PamQuestion.read(stack, {"PAM_USER": "alice", "PAM_TYPE": "account", "PAM_TTY": ":10"} | environment)
        return answer(
            question,
            desk or self.desk,
            now=NOW,
            request_id="id",
            say=self.said.append,
            tell=self.logged.append,
            complain=self.logged.append,
        )


def no_desk() -> PamDesk:
    raise LicensingError(Problem.MALFORMED, "host.toml: server must be a list")


def test_a_license_opens_without_a_word():
    door = Door(GRANTED)
    assert door.ask() == IN
    assert (door.said, door.logged) == ([], [])
    assert door.commands[0].grace_days == 7


def test_a_refusal_names_every_reason_and_whom_to_ask():
    door = Door(REFUSED)
    assert door.ask() == OUT
    assert door.said[0] == (
        "No remote desktop license: no CAL that opens this host is free; the host's grace period is over."
        " Please tell your administrator."
    )
    assert door.logged == ["account user='alice' outcome=refused license=none reasons=no-cal-free,grace-expired"]


def test_grace_lets_in_and_says_how_many_days_are_left():
    door = Door(GRACE)
    assert door.ask() == IN
    assert "12 days left" in door.said[0]
    assert "days_left_in_grace=11.08" in door.logged[0]


def test_the_last_day_of_grace_is_one_day():
    assert "1 day left" in for_user(replace(GRACE, grace_left=timedelta(hours=3)))


def test_a_reason_of_a_newer_server_is_shown_by_its_name_and_cannot_write_to_the_terminal():
    assert "brand-new" in for_user(replace(REFUSED, reasons=("brand-new",)))
    assert "\x1b" not in for_user(replace(REFUSED, reasons=("\x1b[2J",)))


def test_the_log_names_the_license_and_quotes_the_user():
    assert for_administrator("a\nb", GRANTED) == "account user='a\\nb' outcome=granted license=L1 reasons=none"


def test_root_is_asked_for_as_an_administrator():
    door = Door()
    door.ask(PAM_USER="root")
    assert door.commands[0].admin


@pytest.mark.parametrize(("admit", "code"), [(False, OUT), (True, IN)])
def test_a_bug_in_the_check_ends_as_the_administrator_chose(admit, code):
    door = Door(RuntimeError("boom"), admit_on_trouble=admit)
    assert door.ask() == code
    assert door.logged == ["account user='alice': RuntimeError: boom"]
    assert len(door.said) == (code == OUT)


def test_wrong_settings_refuse_users_and_let_root_in(monkeypatch):
    monkeypatch.setattr(helper.os, "geteuid", lambda: 0)
    assert Door().ask(desk=no_desk) == OUT
    assert Door().ask(desk=no_desk, PAM_USER="root") == IN


def test_without_a_user_nobody_gets_in():
    assert Door().ask(PAM_USER="") == OUT


def test_a_session_is_opened_and_closed_by_its_type():
    door = Door()
    assert door.ask("session", PAM_TYPE="open_session") == IN
    assert door.ask("session", PAM_TYPE="close_session") == IN
    assert [type(command).__name__ for command in door.commands] == ["OpenSession", "CloseSession"]
    assert door.commands[0].line == ":10"


def test_a_session_is_never_refused():
    door = Door()
    assert door.ask("session", PAM_TYPE="acct") == IN
    assert door.ask("session", desk=no_desk, PAM_TYPE="open_session") == IN
    assert door.said == []
    assert len(door.logged) == 2
