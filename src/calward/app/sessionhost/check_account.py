"""May this user log on to this session host?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from calward.app.sessionhost.asking import Round
from calward.app.sessionhost.ports import Complain, HostMemory, LicenseServer, Memory, TimeLeft
from calward.domain.errors import LicensingError
from calward.domain.grace import Admission, GraceState, HostOutcome, admit
from calward.domain.heard import Heard
from calward.domain.names import check_holder
from calward.domain.reasons import Reason
from calward.domain.settings import Settings

__all__ = ["CheckAccount", "check_account", "grace_days_of"]

_NAMELESS: Final = Admission(HostOutcome.REFUSED, None, (Reason.USER_NAME_NOT_TAKEN,), None, GraceState())


@dataclass(frozen=True, slots=True)
class CheckAccount:
    """A logon. ``grace_days`` None: as the license server says, else the usual; ``admin``: needs no CAL.

    ``request_id`` is new for each logon. One that got no answer needs no second try with the same id: for the same user the
    server gives the same license again.
    """

    user: str
    now: datetime
    request_id: str
    admin: bool = False
    grace_days: int | None = None


def check_account(
    command: CheckAccount,
    *,
    servers: Sequence[LicenseServer],
    memory: HostMemory,
    time_left: TimeLeft,
    complain: Complain,
) -> Admission:
    """Ask the license servers in time, decide, remember. Takes no longer than ``time_left`` and never raises.

    The servers are asked before the memory is opened: one logon that waits for a server does not hold up the others. A name that
    they would all turn down is refused here: their error would look like an outage, for which a grace period is meant.
    """
    if not (command.admin or _has_a_name(command.user)):
        return _NAMELESS

    def question(server: LicenseServer, request_id: str, *, full_only: bool, seconds: float) -> Heard:
        return server.request_for_user(command.user, request_id, full_only=full_only, seconds=seconds)

    asked = () if command.admin else servers
    answer = Round(question, command.request_id, asked, time_left, complain).ask_all().answer

    def decide(known: Memory) -> tuple[Memory, Admission]:
        admission = _admission(command, answer, known)
        return _remember(known, admission, answered=answer is not None), admission

    return memory.change(command.user, decide)


def _has_a_name(user: str) -> bool:
    try:
        check_holder(user, "user")
    except LicensingError:
        return False
    return True


def _admission(command: CheckAccount, answer: Heard | None, known: Memory) -> Admission:
    grace_days = grace_days_of(command.grace_days, known)
    return admit(answer, known.last, known.grace, grace_days, command.now, admin=command.admin)


def grace_days_of(own: int | None, known: Memory) -> int:
    """The host's own setting wins, then what the license server said of the host, then the usual."""
    if own is not None:
        return own
    return known.policy.grace_days if known.policy else Settings().grace_days


def _remember(known: Memory, admission: Admission, *, answered: bool) -> Memory:
    """Keep the newest answer of a server, also a "no": it takes back the license in hand."""
    last = admission.license if answered else known.last
    return replace(known, grace=admission.state, last=last)
