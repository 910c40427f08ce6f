"""Which CALs serve only who holds them already?

Those of a pack that is on its way to another license server, and those of a license server that has no right to issue: it renews nothing
either, so that after a full license's longest term nobody holds one any more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from calward.domain.cals import CalType
from calward.domain.settings import Settings
from calward.insight.planner.matching import Cals, Need, Serving, match
from calward.insight.planner.needs import PackKey, Use
from calward.insight.planner.stage import Stage

__all__ = ["View", "lapse_ends", "real_server", "settled", "view", "whole_view"]

Held = tuple[CalType, int, frozenset[str], PackKey | None]

_DAY: Final = 86_400
_KEPT: Final = "\0"
"""Between a server and a pack: a name that only the pack's holders ask, as no server's name has it."""


@dataclass(frozen=True, slots=True)
class View:
    """A stage as a matching may see it: who holds which CALs, which CALs there are, and on what servers."""

    held: Mapping[Held, int]
    supply: Sequence[Cals]
    servers: Mapping[str, Serving]


def whole_view(stage: Stage) -> View:
    """The stage as it were if every license server might issue and every pack had arrived."""
    return View(stage.held(), tuple(stage.live), stage.servers)


def view(stage: Stage) -> View:
    """The stage, with CALs that serve only their holders out of everybody else's reach."""
    supply = tuple(stage.live)
    barred = {(one.server, one.id): one for one in supply if one.frozen or one.server in stage.lapsed}
    if not barred:
        return whole_view(stage)
    room = {key: _room(one, stage) for key, one in barred.items()}
    kept: Counter[PackKey] = Counter()
    held: Counter[Held] = Counter()
    for (type_, family, servers, pack), number in sorted(stage.held().items(), key=lambda item: -item[0][1]):
        one = barred.get(pack) if pack else None
        keeps = 0
        if one and pack and one.type is type_ and one.family >= family:
            keeps = min(number, room[pack] - kept[pack])
            kept[pack] += keeps
            held[type_, family, servers | {_own_name(one)}, (_own_name(one), one.id)] += keeps
        held[type_, family, servers, None if one else pack] += number - keeps
    rest = [one for one in supply if (one.server, one.id) not in barred]
    rest += [one._replace(server=_own_name(one), total=kept[key]) for key, one in barred.items() if kept[key]]
    servers_of = {_own_name(one): stage.servers[one.server]._replace(upgrades=True) for one in barred.values()}
    return View(held, rest, {**stage.servers, **servers_of})


def settled(stage: Stage) -> Sequence[Use]:
    """The uses, where those who are served by now hold the CALs that serve them: who holds one keeps it, the others take what is free."""
    supply = [one for one in stage.live if not one.frozen and one.server not in stage.lapsed]
    places = {(one.server, one.id): place for place, one in enumerate(supply)}
    left = [one.total for one in supply]
    uses: list[Use] = []
    rest: list[Use] = []
    for use in sorted(stage.uses, key=lambda one: -one.family):
        place = places.get(use.pack) if use.pack else None
        keeps = 0
        if place is not None and supply[place].type is use.type and supply[place].family >= use.family:
            total = left[place]
            keeps = use.number if total is None else min(use.number, total)
            left[place] = None if total is None else total - keeps
        uses += [use._replace(number=keeps)] if keeps else []
        rest += [use._replace(number=use.number - keeps)] if use.number > keeps else []
    free = [one._replace(total=total) for one, total in zip(supply, left, strict=True)]
    found = match([Need(one.type, one.family, one.servers, one.number) for one in rest], free, stage.servers)
    uses += [
        rest[need]._replace(number=number, pack=(supply[cals].server, supply[cals].id))
        for (need, cals), number in found.given.items()
    ]
    return [*uses, *(one._replace(number=n) for one, n in zip(rest, found.short, strict=True) if n)]


def lapse_ends(stage: Stage) -> Iterator[tuple[int, str]]:
    """When the last licenses of a server without a right to issue end, and in words; only what is still to come."""
    for server, since in stage.lapsed.items():
        for type_ in sorted({one.type for one in stage.live if one.server == server}):
            ends = since + _term(stage, server, type_)
            if ends > stage.now:
                yield ends, f"the last {type_} licenses of {server} end, as none was renewed"


def real_server(name: str) -> str:
    """The license server's name."""
    return name.partition(_KEPT)[0]


def _own_name(one: Cals) -> str:
    return f"{one.server}{_KEPT}{one.id}"


def _room(one: Cals, stage: Stage) -> int:
    """How many holders may keep a CAL of this pack."""
    since = stage.lapsed.get(one.server)
    if since is not None and stage.now >= since + _term(stage, one.server, one.type):
        return 0
    return 1 << 60 if one.total is None else one.total


def _term(stage: Stage, server: str, type_: CalType) -> int:
    """Seconds that a full license lasts at most."""
    usual = Settings()
    days = usual.full_days_max if type_ is CalType.PER_DEVICE else stage.user_days.get(server, usual.user_days)
    return days * _DAY
