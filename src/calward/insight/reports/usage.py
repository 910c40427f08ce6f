"""Who holds which license: every one of them, and summed up by device and by user."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from calward.insight.estate import Estate, EstateLicense, LicenseStatus, PackType
from calward.insight.reports.charts import counts_chart
from calward.insight.reports.pools import OWN_POOLS
from calward.insight.reports.report import Chart, Column, Holds, Report, Row, head

__all__ = ["devices", "usage", "users"]

_UNTIL: Final = Column("until", "until", Holds.MOMENT, "without end")
_USAGE: Final = (
    Column("license", "license"),
    Column("server", "license server", minor=True),
    Column("pack", "pack", minor=True),
    Column("type", "type"),
    Column("version", "version"),
    Column("status", "status"),
    Column("device", "device"),
    Column("user", "user"),
    Column("hardware_id", "hardware id", minor=True),
    Column("issued_at", "issued", Holds.MOMENT, minor=True),
    _UNTIL,
    Column("host", "host", minor=True),
)


def usage(estate: Estate, filtered: str = "") -> Report:
    """Every license, one a row, in the order of its source."""
    notes = _unlisted(estate)
    return Report(
        "usage",
        "issued licenses, one a row",
        _USAGE,
        lambda: map(_row, estate.licenses),
        (*head("usage", "issued licenses, one a row", estate, filtered, notes), ("licenses", len(estate.licenses))),
        notes,
        (_by_version("licenses by version and type", estate, estate.licenses),),
    )


def _row(one: EstateLicense) -> Row:
    who = (one.device, one.user, one.hardware_id)
    when = (one.issued_at, one.expires_at, one.host)
    return (one.id, one.server, one.pack, one.type.value, one.version, one.status.value, *who, *when)


def _unlisted(estate: Estate) -> tuple[str, ...]:
    """Per-user licenses are not in the list that other systems give out: only packs count them (rd-licensing 7.3)."""
    listed = Counter(one.type for one in estate.licenses)
    told: list[str] = []
    for type_ in (PackType.PER_DEVICE, PackType.PER_USER):
        issued = sum(one.issued for one in estate.packs if one.type is type_ and one.program not in OWN_POOLS)
        if issued and not listed[type_]:
            told.append(f"{issued} {type_.value} licenses are counted by packs, but no holder of one is listed")
    return tuple(told)


def _by_version(title: str, estate: Estate, licenses: Iterable[EstateLicense]) -> Chart:
    names = {version: estate.ladder.family_name(estate.ladder.family_of(version)) for version in estate.ladder.versions}
    counts = Counter(f"{names.get(one.version or '', 'unknown version')}/{one.type.value}" for one in licenses)
    return counts_chart(title, list(counts.items()))


@dataclass(slots=True)
class _Holder:
    """What one device or user holds."""

    name: str
    hardware_id: str | None = None
    licenses: int = 0
    temporary: int = 0
    versions: set[str] = field(default_factory=set)
    servers: set[str] = field(default_factory=set)
    first: int | None = None
    last: int | None = None
    endless: bool = False

    def add(self, one: EstateLicense) -> None:
        """Count a license."""
        self.licenses += 1
        self.temporary += one.status is LicenseStatus.TEMPORARY
        self.versions.add(one.version or "?")
        self.servers.add(one.server)
        if one.issued_at is not None:
            self.first = one.issued_at if self.first is None else min(self.first, one.issued_at)
        if one.expires_at is None:
            self.endless = True
        else:
            self.last = one.expires_at if self.last is None else max(self.last, one.expires_at)

    def row(self, estate: Estate) -> Row:
        """The columns after the name."""
        versions = sorted(self.versions, key=lambda one: -1 if one == "?" else estate.ladder.rung(one).order)
        until = None if self.endless else self.last
        return (
            self.licenses,
            self.temporary,
            ", ".join(versions),
            self.first,
            until,
            ", ".join(sorted(self.servers)),
        )


def _gather(
    licenses: Iterable[EstateLicense],
    key: Callable[[EstateLicense], str],
    name: Callable[[EstateLicense], str | None],
) -> dict[str, _Holder]:
    found: dict[str, _Holder] = {}
    for one in licenses:
        holder = found.setdefault(key(one) or f"license {one.id}", _Holder("", one.hardware_id))
        holder.name = holder.name or name(one) or ""
        holder.add(one)
    return found


def _ordered(holders: Iterable[_Holder]) -> Iterable[_Holder]:
    """Who holds most comes first."""
    return sorted(holders, key=lambda one: (-one.licenses, one.name.casefold(), one.hardware_id or ""))


_HELD: Final = (
    Column("licenses", "licenses", Holds.COUNT),
    Column("temporary", "temporary", Holds.COUNT),
    Column("versions", "versions"),
    Column("first_issued_at", "first issued", Holds.MOMENT, minor=True),
    _UNTIL,
    Column("servers", "license servers"),
)


def devices(estate: Estate, filtered: str = "") -> Report:
    """What each device holds: a device is one by its hardware id, else by its name without case."""
    licenses = [one for one in estate.licenses if one.type is not PackType.PER_USER]
    found = _gather(licenses, lambda one: one.hardware_id or (one.device or "").casefold(), lambda one: one.device)

    def rows() -> Iterator[Row]:
        return ((one.name or None, one.hardware_id, *one.row(estate)) for one in _ordered(found.values()))

    columns = (Column("device", "device"), Column("hardware_id", "hardware id", minor=True), *_HELD)
    several = sum(one.licenses > 1 for one in found.values())
    notes = (*_unlisted(estate), *((f"devices that hold more than one license: {several}",) if several else ()))
    facts = (*head("devices", "licenses by device", estate, filtered, _unlisted(estate)), ("devices", len(found)))
    chart = _by_version("devices' licenses by version", estate, licenses)
    return Report("devices", "licenses by device", columns, rows, facts, notes, (chart,))


def users(estate: Estate, filtered: str = "") -> Report:
    """What each user holds by per-user licenses: users are compared without case."""
    licenses = [one for one in estate.licenses if one.type is PackType.PER_USER]
    found = _gather(licenses, lambda one: (one.user or one.device or "").casefold(), lambda one: one.user or one.device)

    def rows() -> Iterator[Row]:
        return ((one.name or None, *one.row(estate)) for one in _ordered(found.values()))

    notes = _unlisted(estate)
    facts = (*head("users", "licenses by user", estate, filtered, notes), ("users", len(found)))
    chart = _by_version("users' licenses by version", estate, licenses)
    return Report("users", "licenses by user", (Column("user", "user"), *_HELD), rows, facts, notes, (chart,))
