"""Can this device or user log on to this session host, by what the snapshot says?

The order of questions is that of the license server (design of the product, "Which CAL a client gets"). A running license server answers
exactly (``calward explain --host … --device …``); this is the best answer that a snapshot allows, also for another system's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from calward.insight.diagnoser.pool_checks import free_for
from calward.insight.diagnoser.scope import Scope, host_named, of_holder
from calward.insight.diagnoser.temporary_checks import UNPROVEN
from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import day, listing
from calward.insight.estate import Estate, EstateHost, EstateLicense, EstateServer, LicenseStatus, PackType
from calward.insight.findings import Finding, Kind, Severity, Subject

__all__ = ["CANNOT_LOG_ON", "Answer", "Outcome", "can_log_on"]

CANNOT_LOG_ON: Final = "cannot-log-on"
"""The id of the finding that an answer is when it is no."""


class Outcome(StrEnum):
    """What would happen."""

    FULL = "full"
    TEMPORARY = "temporary"
    OVER_USE = "over-use"
    GRACE = "grace"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether ``holder`` can log on to ``host``, and the steps that lead there."""

    host: str
    holder: str
    outcome: Outcome
    steps: tuple[str, ...]
    fix: str
    inferred: bool

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        return f"{_SENTENCES[self.outcome].format(holder=self.holder, host=self.host)}"

    def document(self) -> dict[str, Any]:
        """Give it as scripts read it."""
        return {
            "host": self.host,
            "holder": self.holder,
            "outcome": self.outcome.value,
            "sentence": self.sentence,
            "steps": list(self.steps),
            "inferred": self.inferred,
        }

    def finding(self) -> Finding | None:
        """The finding that a refusal is."""
        if self.outcome is not Outcome.REFUSED:
            return None
        page = f"reference/diagnosis.html#{CANNOT_LOG_ON}"
        subject = Subject(Kind.HOST, f"{self.holder} {self.host}")
        cause, seen = self.steps[-1], "; ".join(self.steps[:-1])
        return Finding(
            CANNOT_LOG_ON,
            Severity.ERROR,
            self.sentence,
            seen or cause,
            cause,
            self.fix,
            None,
            page,
            subject,
            (self.holder,),
            self.inferred,
        )


_SENTENCES: Final = {
    Outcome.FULL: "yes: {holder} can log on to {host}, with a full license",
    Outcome.TEMPORARY: "yes: {holder} can log on to {host}, with a temporary license",
    Outcome.OVER_USE: "yes: {holder} can log on to {host}, and is recorded as over-use",
    Outcome.GRACE: "yes: {holder} can log on to {host}, while the host's grace period lasts",
    Outcome.REFUSED: "no: {holder} cannot log on to {host}",
    Outcome.UNKNOWN: "the snapshot does not say whether {holder} can log on to {host}",
}


def can_log_on(estate: Estate, scope: Scope) -> Answer:
    """Answer for a scope with a host and a holder; raises LicensingError(NOT_FOUND) for an unknown host."""
    view = View(estate)
    host = host_named(estate, scope.host or "")
    asking = _Asking(view, host, scope)
    outcome = asking.outcome()
    return Answer(host.name, scope.holder or "", outcome, tuple(asking.steps), asking.fix, inferred=view.imported)


class _Asking:
    """One question on its way: ``steps`` collects what was seen."""

    def __init__(self, view: View, host: EstateHost, scope: Scope) -> None:
        self.view = view
        self.host = host
        self.scope = scope
        self.family = view.family(host.version)
        self.steps: list[str] = []
        self.fix = "free CALs that are not needed, or buy more"

    def outcome(self) -> Outcome:
        unknown = self._unknown()
        if unknown is not None:
            self.steps.append(unknown)
            return Outcome.UNKNOWN
        mode = "per-device" if self.host.mode is None else self.host.mode.value
        self.steps.append(f"{self.host.name} is of {self.host.version} and licensed {mode.replace('-', ' ')}")
        servers = self._serving()
        held = [one for one in filter(of_holder(self.scope), self.view.estate.licenses) if one.type.value == mode]
        return self._kept(held, servers) or self._given(held, servers, PackType(mode)) or self._turned_away()

    def _unknown(self) -> str | None:
        """Why there is no answer."""
        mode, wanted = self.host.mode, "per-device" if self.scope.device is not None else "per-user"
        if mode is None or self.family == NO_FAMILY:
            return f"neither version nor licensing mode of {self.host.name} may be missing for an answer: import them with the list of hosts"
        if mode.value != wanted:
            asked = "--user" if mode.value == "per-user" else "--device"
            return f"{self.host.name} is licensed {mode.value.replace('-', ' ')}: ask with {asked}"
        return None

    def _serving(self) -> list[EstateServer]:
        """The listed servers that are new enough for the host."""
        listed = self.view.servers_of(self.host)
        if not listed:
            self.steps.append("it lists no license server of this snapshot")
            self.fix = "let the host list a license server"
        old = [one.name for one in listed if NO_FAMILY < self.view.family(one.version) < self.family]
        if old:
            self.steps.append(f"{listing(old)}: of an older version than the host, so it refuses it")
            self.fix = "let the host ask a license server of its version or newer"
        return [one for one in listed if one.name not in set(old)]

    def _kept(self, held: Sequence[EstateLicense], servers: Sequence[EstateServer]) -> Outcome | None:
        """What the holder has already."""
        running = [one for one in held if self.view.runs(one) and self.view.family(one.version) >= self.family]
        for status, outcome in ((LicenseStatus.ACTIVE, Outcome.FULL), (LicenseStatus.TEMPORARY, None)):
            for one in running:
                if one.status is status:
                    ends = f" until {day(one.expires_at)}" if one.expires_at is not None else ""
                    self.steps.append(
                        f"holds {status.value} license {one.id} of {one.version}{ends}, which opens the host"
                    )
                    if outcome is not None and servers:
                        return outcome
        if not any(one.status is LicenseStatus.ACTIVE for one in running):
            older = [one for one in held if self.view.runs(one) and one.status is LicenseStatus.ACTIVE]
            self.steps.append(
                f"holds {listing([f'{one.id} of {one.version}' for one in older])}, older than the host"
                if older
                else "holds no full license that opens it"
            )
        return None

    def _given(self, held: Sequence[EstateLicense], servers: Sequence[EstateServer], type_: PackType) -> Outcome | None:
        """What the license servers would give, in the order of the host's list."""
        known = any(not (one.why and set(one.why) <= UNPROVEN) for one in held)
        if held and not known and type_ is PackType.PER_DEVICE:
            self.steps.append("it is not proven, as far as the snapshot says: a full license comes after a logon")
        for server in servers:
            free = self._free(server, type_)
            if free and (known or type_ is PackType.PER_USER):
                return Outcome.FULL
        if type_ is PackType.PER_USER:
            return self._over_use(servers)
        return self._temporary(held, servers)

    def _free(self, server: EstateServer, type_: PackType) -> bool:
        if server.activated is False:
            self.steps.append(f"{server.name} is not activated: temporary licenses only")
            return False
        free = free_for(self.view, (server.name, type_, self.family))
        if self.view.setting(server.name, "prevent_license_upgrade") == "True":
            free = [one for one in free if one[0] == self.family]
        told = ", ".join(f"{'unlimited' if n is None else n} {self.view.cal(type_, family)}" for family, n in free)
        self.steps.append(f"{server.name}: {told or 'no CAL that opens it is'} free")
        return bool(free)

    def _over_use(self, servers: Sequence[EstateServer]) -> Outcome | None:
        for server in servers:
            if self.view.setting(server.name, "per_user") != "enforce":
                self.steps.append(f"{server.name} lets users in without a CAL and counts them")
                return Outcome.OVER_USE
        return None

    def _temporary(self, held: Sequence[EstateLicense], servers: Sequence[EstateServer]) -> Outcome | None:
        temporary = [one for one in held if one.status is LicenseStatus.TEMPORARY]
        fits = [one for one in temporary if self.view.family(one.version) >= self.family]
        if servers and any(self.view.runs(one) for one in fits):
            return Outcome.TEMPORARY
        used_up = [one for one in fits if self.view.family(one.version) == self.family]
        if servers and not used_up:
            self.steps.append(
                "a device gets one temporary license of each version family; the snapshot knows of none it has had"
            )
            return Outcome.TEMPORARY
        return None

    def _turned_away(self) -> Outcome:
        until = self.host.grace_until
        if until is not None and until > self.view.now:
            self.steps.append(f"the host's grace period lasts until {day(until)}")
            return Outcome.GRACE
        self.steps.append("no license server of its list gives a license that opens it")
        return Outcome.REFUSED
