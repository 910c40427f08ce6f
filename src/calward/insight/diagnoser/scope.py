"""Which part of an estate concerns one session host, one device or one user?"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from calward.domain.errors import LicensingError, Problem
from calward.insight.diagnoser.check import About
from calward.insight.diagnoser.names import plain_name
from calward.insight.diagnoser.view import View
from calward.insight.diagnoser.words import listing
from calward.insight.estate import Estate, EstateHost, EstateLicense, EstatePack, PackType

__all__ = ["Scope", "host_named", "of_holder"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked about; all None: everything. ``device``: a name or a hardware id. Names are compared without case."""

    host: str | None = None
    user: str | None = None
    device: str | None = None

    @property
    def holder(self) -> str | None:
        """The device or user."""
        return self.device if self.device is not None else self.user

    def takes(self, about: About) -> bool:
        """Whether checks about something are made."""
        if self.host is None and self.holder is None:
            return True
        if about is About.ESTATE:
            return False
        return about is About.BOTH or (self.host is not None if about is About.PLACE else True)

    def view(self, estate: Estate) -> View:
        """The part of an estate that is asked about; raises LicensingError(NOT_FOUND) for an unknown host."""
        if self.host is None and self.holder is None:
            return View(estate)
        host = None if self.host is None else host_named(estate, self.host)
        part = estate if host is None else _at_host(estate, host, self)
        return View(part if self.holder is None else _of(part, self), estate, host)


def host_named(estate: Estate, name: str) -> EstateHost:
    """The host of a name, whole or short; raises LicensingError(NOT_FOUND)."""
    wanted = plain_name(name)
    for same in (_exactly, _shortly):
        for host in estate.hosts:
            if same(plain_name(host.name), wanted):
                return host
    there = listing([host.name for host in estate.hosts]) or "none"
    raise LicensingError(Problem.NOT_FOUND, f"there is no session host {name!a} in this snapshot: it has {there}")


def _exactly(one: str, other: str) -> bool:
    return one == other


def _shortly(one: str, other: str) -> bool:
    return ("." not in one or "." not in other) and one.partition(".")[0] == other.partition(".")[0]


def _at_host(estate: Estate, host: EstateHost, scope: Scope) -> Estate:
    servers = View(estate).servers_of(host)
    names = {one.name for one in servers}
    type_ = None if host.mode is None else PackType(host.mode)

    def serves(pack: EstatePack) -> bool:
        return pack.server in names

    licenses = estate.licenses
    if scope.holder is None:
        licenses = [one for one in licenses if one.host == host.name and type_ in (None, one.type)]
    return replace(
        estate,
        hosts=[host],
        servers=servers,
        packs=[pack for pack in estate.packs if serves(pack)],
        licenses=licenses,
        failures=[one for one in estate.failures if one.host is None or one.host == host.name],
    )


def _of(estate: Estate, scope: Scope) -> Estate:
    """What concerns one holder: packs stay, as they tell what is free; their over-use is others'."""
    holds = of_holder(scope)
    wanted = (scope.holder or "").casefold()
    return replace(
        estate,
        packs=[replace(pack, over_used=0) for pack in estate.packs],
        licenses=[one for one in estate.licenses if holds(one)],
        failures=[one for one in estate.failures if one.holder.casefold() == wanted],
    )


def of_holder(scope: Scope) -> Callable[[EstateLicense], bool]:
    """Whether a license is the asked device's or user's."""
    wanted = (scope.holder or "").casefold()
    if scope.device is not None:
        return lambda one: wanted in ((one.device or "").casefold(), (one.hardware_id or "").casefold())
    return lambda one: (one.user or "").casefold() == wanted
