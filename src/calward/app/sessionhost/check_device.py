"""May this device have a session on this session host?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from calward.app.sessionhost.asking import Round, Said
from calward.app.sessionhost.check_account import grace_days_of
from calward.app.sessionhost.policies import host_policy
from calward.app.sessionhost.ports import Complain, HostMemory, HostPolicy, LicenseServer, Memory, TimeLeft
from calward.domain.cals import CalType
from calward.domain.devices import device_id, device_label
from calward.domain.errors import LicensingError
from calward.domain.grace import Admission, GraceState, HostOutcome, admit
from calward.domain.heard import Heard, HeldLicense, newest_in_hand
from calward.domain.issued_license import IssuedLicense, KnownServer, accept_license
from calward.domain.ladder import Ladder
from calward.domain.reasons import Reason
from calward.domain.trust import Verify

__all__ = ["CheckDevice", "DeviceCheck", "DeviceQuestion", "DeviceVerdict", "check_device"]

_ADMITTED: Final = Admission(HostOutcome.GRANTED, None, (), None, GraceState())
_NOBODY: Final = Admission(HostOutcome.REFUSED, None, (Reason.DEVICE_WITHOUT_IDENTITY,), None, GraceState())


@dataclass(frozen=True, slots=True)
class DeviceQuestion:
    """What the relay knows of a client; nothing of it is proven.

    ``hardware_id`` and ``name`` are from the wire. ``presented``: the license that the client showed, any bytes.
    ``connection``: the loopback address of the relay's socket towards the host, by which PAM's user is joined with this
    device later; empty where there is none. ``peer``: the client's address, for the log only. ``user``: as whom the
    client wants to log on.
    """

    hardware_id: bytes | None
    name: str
    presented: bytes | None = None
    connection: str = ""
    peer: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class DeviceVerdict:
    """What the relay does with the client.

    ``token``: the license to store on the client, None where there is nothing to store: it is the one that was presented,
    storing is off, or there is none. ``device``: the host's id for the device, None where none was needed or found.
    """

    admission: Admission
    token: bytes | None = None
    device: str | None = None

    @property
    def no_server(self) -> bool:
        """Whether it is refused because no license server answers."""
        return self.admission.outcome is HostOutcome.REFUSED and Reason.NO_LICENSE_SERVER in self.admission.reasons


@dataclass(frozen=True, slots=True)
class CheckDevice:
    """A connection of a device. ``grace_days`` None: as the license server says; ``store``: whether clients keep licenses."""

    question: DeviceQuestion
    now: datetime
    request_id: str
    grace_days: int | None = None
    store: bool = True


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """What a presented license is held against: the servers whose licenses count (named as in the host's list), the version
    ladder, and how a signature is verified.
    """

    known: Sequence[KnownServer]
    ladder: Ladder
    verify: Verify


def check_device(
    command: CheckDevice,
    *,
    servers: Sequence[LicenseServer],
    memory: HostMemory,
    check: DeviceCheck,
    time_left: TimeLeft,
    complain: Complain,
) -> DeviceVerdict:
    """Verify what is presented, ask the license servers in time, decide, remember. Never raises; may wait ``time_left``.

    A host that is not licensed per device lets every device through: its users are asked for at their logon.
    """
    question = command.question
    device = device_id(question.hardware_id, question.name)
    policy = host_policy(servers, memory, command.now, time_left, complain)
    if policy is not None and policy.mode != CalType.PER_DEVICE:
        return DeviceVerdict(_ADMITTED)
    if device is None:
        return DeviceVerdict(_NOBODY)
    presented = _presented(command, check, device, complain)
    said = Round(_asking(device, question.name), command.request_id, servers, time_left, complain).ask_all()
    decide = _Decision(command, check, device, presented, said, policy).decide
    return memory.change(device, decide)


def _asking(device: str, name: str) -> Callable[..., Heard]:
    def ask(server: LicenseServer, request_id: str, *, full_only: bool, seconds: float) -> Heard:
        return server.request_for_device(device_label(name), device, request_id, full_only=full_only, seconds=seconds)

    return ask


def _presented(command: CheckDevice, check: DeviceCheck, device: str, complain: Complain) -> HeldLicense | None:
    """The license that the client showed, where it is one for this device that counts here; else as if it had shown none."""
    if not command.question.presented:
        return None
    found = accept_license(
        command.question.presented, servers=check.known, device_id=device, now=command.now, verify=check.verify
    )
    if isinstance(found, IssuedLicense):
        return found.held(next(one.name for one in check.known if one.server_id == found.server))
    complain(f"what device {device} presents counts for nothing ({found.reason}): {found.detail}")
    return None


@dataclass(frozen=True, slots=True)
class _Decision:
    """All that is known when a connection is decided, but the memory."""

    command: CheckDevice
    check: DeviceCheck
    device: str
    presented: HeldLicense | None
    said: Said
    policy: HostPolicy | None

    def decide(self, known: Memory) -> tuple[Memory, DeviceVerdict]:
        """Decide, and say what is to be remembered."""
        command, answer = self.command, self.said.answer
        in_hand = self._in_hand(known.last)
        silent = in_hand is not None and in_hand.server not in self.said.answered
        days = grace_days_of(command.grace_days, known)
        admission = admit(answer, in_hand, known.grace, days, command.now, issuer_silent=silent)
        # An answer without a license takes back the one in hand, unless its own server could not be heard.
        last = admission.license if answer is not None or admission.license is not None else known.last
        verdict = DeviceVerdict(admission, self._token(in_hand if silent else None), self.device)
        return replace(known, grace=admission.state, last=last), verdict

    def _in_hand(self, remembered: HeldLicense | None) -> HeldLicense | None:
        """The newest of what is presented and what is remembered, without what is known to be revoked."""
        both = [held for held in (self.presented, remembered) if held is not None and not self._revoked(held)]
        if self.policy is None:
            return None
        try:
            return newest_in_hand(both, self.check.ladder, self.policy.version, CalType.PER_DEVICE, self.command.now)
        except LicensingError:  # A version that this host's ladder does not have opens nothing while no server answers.
            return None

    def _revoked(self, held: HeldLicense) -> bool:
        return any(held.server == one.name and held.id in one.revoked for one in self.check.known)

    def _token(self, kept: HeldLicense | None) -> bytes | None:
        """What the client is to keep; a temporary license does not replace a full one whose server is only away."""
        answer = self.said.answer
        if not self.command.store or answer is None or self._shown(answer.license):
            return None
        worse = kept is not None and kept == self.presented and kept.status == "active" and not answer.full
        return None if worse else answer.signed

    def _shown(self, given: HeldLicense | None) -> bool:
        """Whether the client has shown this license as it is: the statement may differ in what was done for it, and where."""
        return given is not None and self.presented is not None and _what_counts(given) == _what_counts(self.presented)


def _what_counts(held: HeldLicense) -> tuple[object, ...]:
    return held.server, held.id, held.version, held.status, held.expires_at
