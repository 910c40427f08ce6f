"""Does every device and user hold one CAL, and is it still there to use it?"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.view import View, holder_of
from calward.insight.diagnoser.words import counted, listing, verb
from calward.insight.estate import EstateLicense, LicenseStatus, PackType
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS"]

_NO_DEVICES: Final = NotLooked("the snapshot has no per-device licenses")
_NO_USERS: Final = NotLooked("the snapshot has no per-user licenses")
_NO_IDS: Final = NotLooked("the snapshot does not say the hardware id of any device")
_COUNTED: Final = frozenset({LicenseStatus.ACTIVE, LicenseStatus.TEMPORARY, LicenseStatus.UNKNOWN})


class _Held(NamedTuple):
    """Running licenses of who seems to be one holder."""

    name: str
    licenses: tuple[EstateLicense, ...]

    @property
    def spare(self) -> int:
        """Full licenses beyond the first."""
        return max(0, sum(one.status is LicenseStatus.ACTIVE for one in self.licenses) - 1)


def _groups(view: View, type_: PackType, key: Callable[[EstateLicense], str | None]) -> Iterator[_Held]:
    """Holders of more than one running license, by whatever tells them apart: one pass, and only the others are kept whole."""
    first: dict[str, EstateLicense] = {}
    more: dict[str, list[EstateLicense]] = {}
    for one in view.estate.licenses:
        if one.type is type_ and one.status in _COUNTED and view.runs(one) and (name := key(one)):
            if name in first:
                more.setdefault(name, [first[name]]).append(one)
            else:
                first[name] = one
    return (_Held(holder_of(held[0]), tuple(held)) for held in more.values())


def _name(license_: EstateLicense) -> str | None:
    return license_.device.casefold() if license_.device else None


def _hardware(license_: EstateLicense) -> str | None:
    return license_.hardware_id.casefold() if license_.hardware_id else None


def _user(license_: EstateLicense) -> str | None:
    return license_.user.casefold() if license_.user else None


def _identity(license_: EstateLicense) -> str | None:
    return _hardware(license_) or _name(license_)


def _has(view: View, type_: PackType) -> bool:
    return any(one.type is type_ for one in view.estate.licenses)


def _reimaged(view: View) -> Said:
    return _by_identity(
        view, _name, _hardware, "several-ids", "their names are equal and their hardware ids differ",
        "a device that is installed anew, or asks through another client program, has a new hardware id and takes a new license",
    )  # fmt: skip


def _renamed(view: View) -> Said:
    return _by_identity(
        view, _hardware, _name, "several-names", "their hardware ids are equal and their names differ",
        "the device was renamed, or its disk was copied to another: copies share a hardware id",
    )  # fmt: skip


def _by_identity(
    view: View,
    same: Callable[[EstateLicense], str | None],
    differs: Callable[[EstateLicense], str | None],
    subject: str,
    seen: str,
    cause: str,
) -> Said:
    if not _has(view, PackType.PER_DEVICE):
        return _NO_DEVICES
    if not any(one.hardware_id for one in view.estate.licenses):
        return _NO_IDS
    groups = _groups(view, PackType.PER_DEVICE, same)
    several = [one for one in groups if len({differs(license_) for license_ in one.licenses} - {None}) > 1]
    if not several:
        return Fine(f"no two licenses of which {seen}")
    return found([_one_device(view, several, subject, seen, cause)], _NO_DEVICES)


def _one_device(view: View, several: list[_Held], subject: str, seen: str, cause: str) -> Trouble:
    number, spare = len(several), sum(one.spare for one in several)
    held = sum(len(one.licenses) for one in several)
    return Trouble(
        Severity.WARNING if spare else Severity.INFO,
        Subject(Kind.ESTATE, subject),
        f"{counted(number, 'device')} {verb(number, 'seems', 'seem')} to hold several licenses, {counted(spare, 'full one')} too many",
        f"{counted(held, 'license')} of which {seen}: {_with_licenses(several)}",
        cause,
        _revoke(view),
        view.command("calward license revoke", several[0].licenses[0].id),
        [one.name for one in several],
        inferred=True,
    )


def _with_licenses(several: list[_Held]) -> str:
    told = [f"{one.name} ({', '.join(each.id for each in one.licenses[:3])})" for one in several[:10]]
    return listing(told, len(several))


def _revoke(view: View) -> str:
    return view.either(
        "revoke the older license of each; a device that is still there gets another",
        "revoke the older license of each in RD Licensing Manager; at most a fifth may be revoked at a time",
    )


def _several(view: View) -> Said:
    if not _has(view, PackType.PER_DEVICE):
        return _NO_DEVICES
    groups = (_full(one) for one in _groups(view, PackType.PER_DEVICE, _identity))
    # Where names differ too it is device-renamed that says so.
    several = [
        one for one in groups if _on_one_server(one) and len({_name(each) for each in one.licenses} - {None}) <= 1
    ]
    if not several:
        return Fine("no device holds two full licenses of one server")
    trouble = Trouble(
        Severity.WARNING,
        Subject(Kind.ESTATE, "one server"),
        f"{counted(len(several), 'device')} {verb(len(several), 'holds', 'hold')} more than one full license of one license server",
        _with_licenses(several),
        "an older license was not returned when a newer one was given",
        _revoke(view),
        view.command("calward license revoke", several[0].licenses[0].id),
        [one.name for one in several],
    )
    return found([trouble], _NO_DEVICES)


def _on_one_server(held: _Held) -> bool:
    """Whether some server gave two of these licenses."""
    return len(held.licenses) > len({each.server for each in held.licenses})


def _full(held: _Held) -> _Held:
    return _Held(held.name, tuple(one for one in held.licenses if one.status is LicenseStatus.ACTIVE))


def _on_servers(type_: PackType, key: Callable[[EstateLicense], str | None]) -> Callable[[View], Said]:
    thing = "device" if type_ is PackType.PER_DEVICE else "user"

    def look(view: View) -> Said:
        if not _has(view, type_):
            return _NO_DEVICES if type_ is PackType.PER_DEVICE else _NO_USERS
        if len({one.server for one in view.estate.licenses}) < 2:  # noqa: PLR2004 - "several" begins at two
            return NotLooked("the snapshot has licenses of one license server only")
        groups = (_full(one) for one in _groups(view, type_, key))
        several = [one for one in groups if len({each.server for each in one.licenses}) > 1]
        if not several:
            return Fine(f"no {thing} holds CALs of two license servers")
        return found([_spread(several, thing)], _NO_USERS)

    return look


def _spread(several: list[_Held], thing: str) -> Trouble:
    number, spare = len(several), sum(one.spare for one in several)
    servers = sorted({each.server for one in several for each in one.licenses})
    return Trouble(
        Severity.WARNING,
        Subject(Kind.ESTATE, f"{thing}s on several servers"),
        f"{counted(number, thing)} {verb(number, 'holds', 'hold')} CALs of several license servers, {spare:,} more than needed",
        f"{listing([one.name for one in several], number)}; servers {listing(servers)}",
        "license servers do not know of each other: whoever works on hosts that ask different ones takes a CAL of each",
        "let these hosts ask the same license servers in the same order, and keep the packs on one of them",
        names=[one.name for one in several],
    )


CHECKS: Final = (
    Check("device-reimaged", "no device holds licenses under several ids", About.HOLDER, _reimaged),
    Check("device-renamed", "no device holds licenses under several names", About.HOLDER, _renamed),
    Check("device-several-licenses", "no device holds two full licenses", About.HOLDER, _several),
    Check(
        "device-on-several-servers",
        "no device holds CALs of several servers",
        About.HOLDER,
        _on_servers(PackType.PER_DEVICE, _identity),
    ),
    Check(
        "user-on-several-servers",
        "no user holds CALs of several servers",
        About.HOLDER,
        _on_servers(PackType.PER_USER, _user),
    ),
)
