"""What does PAM ask, and what is it told? One process for one question.

``account`` decides: exit 0 lets the user in, 1 keeps the user out, with a sentence on standard output. ``session`` never
keeps anybody out: the gate is the account stack, which also sees reconnections; a refusal in the session stack would leave
the user before a black screen.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from calward.app.sessionhost.check_account import CheckAccount
from calward.app.sessionhost.close_session import CloseSession
from calward.app.sessionhost.open_session import OpenSession
from calward.app.sessionhost.ports import Complain
from calward.domain.grace import Admission, HostOutcome
from calward.entrypoints.pam.texts import for_administrator, for_user

__all__ = ["IN", "OUT", "PamDesk", "PamQuestion", "answer"]

IN: Final = 0
OUT: Final = 1
_TROUBLE: Final = "The license check of this host does not work. Please tell your administrator."


@dataclass(frozen=True, slots=True)
class PamQuestion:
    """What ``pam_exec`` puts into the environment; ``stack`` is our own first argument."""

    stack: str
    type: str
    user: str
    line: str
    remote: str = ""

    @classmethod
    def read(cls, stack: str, environment: Mapping[str, str]) -> "PamQuestion":
        """Take what is there; a missing user is an empty name, which no rule lets in."""
        read = environment.get
        return cls(stack, read("PAM_TYPE", ""), read("PAM_USER", ""), read("PAM_TTY", ""), read("PAM_RHOST", ""))


@dataclass(frozen=True, slots=True)
class PamDesk:
    """The host's use cases, wired: ``bootstrap.pam`` makes it from the host's settings."""

    check: Callable[[CheckAccount], Admission]
    opened: Callable[[OpenSession], None]
    closed: Callable[[CloseSession], None]
    exempt: Callable[[str], bool]
    grace_days: int | None
    admit_on_trouble: bool


@dataclass(frozen=True, slots=True)
class _Voices:
    """To the user, and to the administrator: an expected answer, and trouble."""

    say: Complain
    tell: Complain
    complain: Complain


def answer(
    question: PamQuestion,
    desk: Callable[[], PamDesk],
    *,
    now: datetime,
    request_id: str,
    say: Complain,
    tell: Complain,
    complain: Complain,
) -> int:
    """Answer PAM with an exit code; whatever goes wrong is an answer too, since a traceback would be shown to the user.

    ``desk`` may raise LicensingError (the settings are wrong). ``say`` speaks to the user; ``tell`` tells the administrator
    of a refusal or a logon by grace, ``complain`` of trouble.
    """
    admit_on_trouble = question.stack != "account"
    try:
        wired = desk()
        admit_on_trouble = admit_on_trouble or wired.admit_on_trouble
        return _STACKS[question.stack](question, wired, now, request_id, _Voices(say, tell, complain))
    except Exception as error:  # noqa: BLE001 - see above.
        complain(f"{question.stack} user={question.user!a}: {type(error).__name__}: {error}")
    if admit_on_trouble or _is_root(question.user):
        return IN
    say(_TROUBLE)
    return OUT


def _account(question: PamQuestion, desk: PamDesk, now: datetime, request_id: str, voices: _Voices) -> int:
    if not question.user:
        raise ValueError("PAM_USER is not set: this program is started by pam_exec")
    command = CheckAccount(question.user, now, request_id, desk.exempt(question.user), desk.grace_days)
    admission = desk.check(command)
    text = for_user(admission)
    if text is not None:
        voices.tell(for_administrator(question.user, admission))
        voices.say(text)
    return OUT if admission.outcome is HostOutcome.REFUSED else IN


def _session(question: PamQuestion, desk: PamDesk, now: datetime, _request_id: str, voices: _Voices) -> int:
    if question.type == "open_session":
        desk.opened(OpenSession(question.user, question.line, now))
    elif question.type == "close_session":
        desk.closed(CloseSession(question.user, question.line))
    else:
        voices.complain(
            f"session was asked for PAM_TYPE={question.type!a}: only open_session and close_session mean something"
        )
    return IN


def _is_root(user: str) -> bool:
    """Broken settings name no exempt users; whoever has to repair them gets in all the same."""
    return user == "root" and os.geteuid() == 0


_STACKS: Final = {"account": _account, "session": _session}
