"""May this user log on, where the host's agent does not answer and nobody knows the user's device?"""

from collections.abc import Sequence
from dataclasses import replace

from calward.app.sessionhost.check_account import CheckAccount, check_account, grace_days_of
from calward.app.sessionhost.policies import ask_policy
from calward.app.sessionhost.ports import Complain, HostMemory, HostPolicy, LicenseServer, Memory, TimeLeft
from calward.domain.cals import CalType
from calward.domain.grace import Admission, GraceState, HostOutcome, admit
from calward.domain.reasons import Reason

__all__ = ["check_without_agent"]

_LET_IN = Admission(HostOutcome.GRANTED, None, (Reason.AGENT_SILENT,), None, GraceState())


def check_without_agent(
    command: CheckAccount,
    heard: HostPolicy | None,
    *,
    servers: Sequence[LicenseServer],
    memory: HostMemory,
    time_left: TimeLeft,
    complain: Complain,
    admit_anyway: bool,
) -> Admission:
    """Decide by the host's mode: per user as ever; per device by the host's grace, for no server is asked about the user.

    ``heard``: what a server has said of this host, None: it is asked now. The memory, whose disk may hang, is opened last.
    ``admit_anyway``: on a host licensed per device users come in though it does not do its work.
    Takes no longer than ``time_left`` and never raises.
    """
    policy = heard if heard or command.admin else ask_policy(servers, command.now, time_left, complain)
    if command.admin or policy is None or policy.mode == CalType.PER_USER:
        return check_account(command, servers=servers, memory=memory, time_left=time_left, complain=complain)
    if policy.mode != CalType.PER_DEVICE:  # A mode of a later release: the server refuses what it does not want.
        return replace(_LET_IN, reasons=())
    if admit_anyway:
        complain(
            f"user {command.user!a} is let in as the settings say: the agent, which knows the devices, does not answer"
        )
        return _LET_IN

    def decide(known: Memory) -> tuple[Memory, Admission]:
        admission = _by_grace(command, known)
        return replace(known, grace=admission.state), admission

    return memory.change("", decide)


def _by_grace(command: CheckAccount, known: Memory) -> Admission:
    """As when no license server answers: this host has nobody to ask."""
    days = grace_days_of(command.grace_days, known)
    admission = admit(None, None, known.grace, days, command.now)
    why = tuple(Reason.AGENT_SILENT if one == Reason.NO_LICENSE_SERVER else one for one in admission.reasons)
    return replace(admission, reasons=why)
