"""How does an estate stand at one moment of a plan, as far as CALs are concerned?"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from calward.domain.cals import CalType
from calward.domain.ladder import Ladder
from calward.insight.estate import Estate, EstatePack, PackType
from calward.insight.planner.matching import Cals, Serving
from calward.insight.planner.names import ServerNames
from calward.insight.planner.needs import OWN_POOLS, NeedsRead, PackKey, Use, family_or_none, read_uses

__all__ = ["HostNow", "Stage", "stage_of"]

_SHOWN: Final = 5
"""Names that a sentence lists."""
_TRUE: Final = frozenset({"true", "1", "yes"})


class HostNow(NamedTuple):
    """A session host as it stands."""

    name: str
    family: int
    mode: CalType | None
    servers: frozenset[str]


@dataclass(slots=True)
class Stage:
    """What edits change. ``uses`` and ``cals`` are replaced, never changed in place."""

    ladder: Ladder
    now: int
    uses: Sequence[Use]
    cals: Sequence[Cals]
    servers: dict[str, Serving]
    hosts: dict[str, HostNow]
    enforcing: set[str] = field(default_factory=set)
    """License servers that refuse per-user over-use."""
    lapsed: dict[str, int] = field(default_factory=dict)
    """License servers without a right to issue, and since when."""
    user_days: Mapping[str, int] = field(default_factory=dict)
    """Days that a per-user license lasts, where a license server says so."""
    temporary_ends: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """(family, when a device's temporary license ends) → devices that hold no CAL."""
    notes: list[str] = field(default_factory=list)

    @property
    def live(self) -> Iterator[Cals]:
        """CALs that have not expired."""
        return (one for one in self.cals if one.expires_at is None or one.expires_at > self.now)

    def held(self) -> Mapping[tuple[CalType, int, frozenset[str], PackKey | None], int]:
        """How many need what, by the CALs they hold now."""
        counted: Counter[tuple[CalType, int, frozenset[str], PackKey | None]] = Counter()
        for use in self.uses:
            counted[use.type, use.family, use.servers, use.pack] += use.number
        return counted


def stage_of(estate: Estate) -> Stage:
    """The stage before any edit; its notes say what had to be inferred."""
    names = ServerNames(estate)
    read = read_uses(estate)
    hosts = dict(_hosts(estate, names))
    stage = Stage(
        ladder=estate.ladder,
        now=estate.taken_at,
        uses=read.uses,
        cals=_joined(cals for pack in estate.packs if (cals := _cals(estate.ladder, pack, names))),
        servers={name: _serving(estate, names, name) for name in sorted(names.all)},
        hosts=hosts,
        enforcing={
            names.canonical(one.name) for one in estate.servers if dict(one.settings).get("per_user") == "enforce"
        },
        lapsed={names.canonical(one.name): estate.taken_at for one in estate.servers if one.activated is False},
        user_days=dict(_user_days(estate, names)),
        temporary_ends=read.temporary_ends,
    )
    stage.notes += _notes(estate, read)
    return stage


def _hosts(estate: Estate, names: ServerNames) -> Iterator[tuple[str, HostNow]]:
    for host in estate.hosts:
        family = family_or_none(estate.ladder, host.version)
        if family is not None:
            yield host.name, HostNow(host.name, family, host.mode, names.of_host(host))


def _serving(estate: Estate, names: ServerNames, name: str) -> Serving:
    """A server whose version nobody says is taken to be as new as can be."""
    found = next((one for one in estate.servers if names.canonical(one.name) == name), None)
    family = family_or_none(estate.ladder, found.version) if found else None
    settings = dict(found.settings) if found else {}
    newest = estate.ladder.family_of(estate.ladder.newest)
    prevented = settings.get("prevent_license_upgrade", "").casefold() in _TRUE
    return Serving(newest if family is None else family, upgrades=not prevented)


def _user_days(estate: Estate, names: ServerNames) -> Iterator[tuple[str, int]]:
    for one in estate.servers:
        days = dict(one.settings).get("user_days", "")
        if days.isascii() and days.isdigit():
            yield names.canonical(one.name), int(days)


def _cals(ladder: Ladder, pack: EstatePack, names: ServerNames) -> Cals | None:
    family = family_or_none(ladder, pack.version)
    if family is None or pack.version is None or pack.program.casefold() in OWN_POOLS:
        return None
    type_ = CalType.PER_DEVICE if pack.type is PackType.BUILT_IN else CalType(pack.type)
    server = names.canonical(pack.server)
    return Cals(pack.id, server, type_, pack.version, family, pack.total, pack.expires_at, pack.moving)


def _joined(found: Iterable[Cals]) -> Sequence[Cals]:
    """One entry for each id of a server: an import may list an id twice, and each is a pack."""
    kept: dict[tuple[str, str], Cals] = {}
    for one in found:
        number = 1
        while (one.server, one.id if number == 1 else f"{one.id}#{number}") in kept:
            number += 1
        name = one.id if number == 1 else f"{one.id}#{number}"
        kept[one.server, name] = one._replace(id=name)
    return tuple(kept.values())


def _notes(estate: Estate, read: NeedsRead) -> Iterator[str]:
    total = sum(use.number for use in read.uses)
    if read.inferred:
        yield (
            f"which hosts {read.inferred} of {total} holders use is not in the snapshot: "
            "each is taken to need the newest hosts that its license opens"
        )
    if read.unlisted:
        yield f"{read.unlisted} holders are known by the number of their pack only: the files list no licenses of theirs"
    if read.left_out:
        yield f"{read.left_out} licenses are left out: their version is not known"
    unknown = sum(1 for pack in estate.packs if family_or_none(estate.ladder, pack.version) is None)
    if unknown:
        yield f"{unknown} packs are left out: their version is not known"
    for one in estate.packs:
        if one.moving:
            yield f"pack {one.id} is moving: until it has arrived, its CALs serve only who holds them now"
    for server in estate.servers:
        if server.activated is False:
            yield f"{server.name} has no right to issue: temporary licenses only, and none is renewed"
    if read.unused_hosts:
        shown = ", ".join(read.unused_hosts[:_SHOWN]) + (", …" if len(read.unused_hosts) > _SHOWN else "")
        yield f"nobody is known to use {len(read.unused_hosts)} of {len(estate.hosts)} hosts ({shown})"
