"""May this user log on, on a host whose agent knows with which device they came?"""

from collections.abc import Sequence
from typing import Final

from calward.app.sessionhost.check_account import CheckAccount, check_account
from calward.app.sessionhost.joins import Joined
from calward.app.sessionhost.policies import host_policy
from calward.app.sessionhost.ports import Complain, HostMemory, LicenseServer, TimeLeft
from calward.domain.cals import CalType
from calward.domain.grace import Admission, GraceState, HostOutcome
from calward.domain.reasons import Reason

__all__ = ["check_logon"]

_NO_STATE: Final = GraceState()
_NOT_LICENSED: Final = Admission(HostOutcome.GRANTED, None, (), None, _NO_STATE)


def check_logon(
    command: CheckAccount,
    joined: Joined | None,
    *,
    servers: Sequence[LicenseServer],
    memory: HostMemory,
    time_left: TimeLeft,
    complain: Complain,
    admit_without_device: bool,
) -> Admission:
    """Decide by the host's mode: per user by the user's license, per device by the device that was let in just before.

    A host that has never heard what it is asks for its users. Takes no longer than ``time_left`` and never raises.
    """
    policy = host_policy(servers, memory, command.now, time_left, complain)
    if command.admin or policy is None or policy.mode == CalType.PER_USER:
        return check_account(command, servers=servers, memory=memory, time_left=time_left, complain=complain)
    if policy.mode != CalType.PER_DEVICE:  # A mode of a later release: the server refuses what it does not want.
        return _NOT_LICENSED
    if joined is not None:
        return joined.verdict.admission
    outcome = HostOutcome.GRANTED if admit_without_device else HostOutcome.REFUSED
    return Admission(outcome, None, (Reason.DEVICE_UNKNOWN,), None, _NO_STATE)
