"""What may a plan change in an estate, and what does each change do to who needs which CAL?"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.insight.planner.matching import Cals
from calward.insight.planner.needs import PackKey, Use
from calward.insight.planner.right_to_issue import Activate, Lapse, activate, lapse
from calward.insight.planner.stage import HostNow, Stage

__all__ = [
    "Activate",
    "AddHolders",
    "AllOfType",
    "Buy",
    "ConvertPack",
    "Edit",
    "EndPack",
    "Lapse",
    "MovePack",
    "ReplaceServer",
    "SetMode",
    "UpgradeHosts",
    "apply",
]


@dataclass(frozen=True, slots=True)
class UpgradeHosts:
    """Hosts get another version. ``holders``: how many of those whose host is not known use them; None: all of that family."""

    hosts: tuple[str, ...]
    from_family: int | None
    version: str
    holders: int | None = None


@dataclass(frozen=True, slots=True)
class AddHolders:
    """More holders, or fewer where ``number`` is negative, of one host or of hosts of one version."""

    number: int
    type: CalType
    host: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class EndPack:
    """A pack expires, or is removed."""

    pack: PackKey


@dataclass(frozen=True, slots=True)
class Buy:
    """A pack is installed."""

    cals: Cals


@dataclass(frozen=True, slots=True)
class SetMode:
    """Hosts ask for CALs of the other type. ``holders``: how many then; None: as many as before."""

    hosts: tuple[str, ...]
    mode: CalType
    holders: int | None = None


@dataclass(frozen=True, slots=True)
class AllOfType:
    """All hosts ask for CALs of one type. ``number``: how many come in place of all holders of the other one; None: as many."""

    type: CalType
    number: int | None = None


@dataclass(frozen=True, slots=True)
class ConvertPack:
    """CALs of a pack become the other type. ``count`` None: all."""

    pack: PackKey
    to: CalType
    count: int | None = None


@dataclass(frozen=True, slots=True)
class MovePack:
    """A pack goes to another license server."""

    pack: PackKey
    to: str


@dataclass(frozen=True, slots=True)
class ReplaceServer:
    """A license server is replaced by one of another version, with all its packs. ``by``: its new name, None: the same."""

    server: str
    version: str
    by: str | None = None


Edit = (
    UpgradeHosts
    | AddHolders
    | EndPack
    | Buy
    | SetMode
    | AllOfType
    | ConvertPack
    | MovePack
    | ReplaceServer
    | Lapse
    | Activate
)


def apply(edit: Edit, stage: Stage) -> None:
    """Change the stage.

    Raises: LicensingError(NOT_FOUND): the estate has no such host, pack or server; CONFLICT: it cannot be done.
    """
    _APPLY[type(edit)](edit, stage)


def _upgrade(edit: UpgradeHosts, stage: Stage) -> None:
    hosts = _hosts(stage, edit.hosts) if edit.hosts else _of_family(stage, edit.from_family)
    to = stage.ladder.family_of(edit.version)
    before = {host.family for host in hosts} | ({edit.from_family} if edit.from_family is not None else set())
    left, uses, guessed = edit.holders, [], 0
    for use in stage.uses:
        if use.host in {host.name for host in hosts}:
            uses.append(use._replace(family=to))
            continue
        moved = 0
        if use.host is None and use.family in before and _near(use, hosts, everywhere=not hosts):
            moved = use.number if left is None else min(left, use.number)
            left = None if left is None else left - moved
            guessed += moved
        uses += _split(use, moved, to)
    stage.hosts |= {host.name: host._replace(family=to) for host in hosts}
    stage.uses = uses
    if guessed and edit.holders is None:
        stage.notes.append(
            f"upgrade to {edit.version}: which holders use these hosts is not in the snapshot, all {guessed} who may are counted; "
            "holders = NUMBER in the edit says how many they are"
        )


def _near(use: Use, hosts: Collection[HostNow], *, everywhere: bool) -> bool:
    """Whether holders whose host is not known may use one of these."""
    return everywhere or any(
        host.mode in {use.type, None} and host.family == use.family and host.servers & use.servers for host in hosts
    )


def _split(use: Use, moved: int, family: int) -> Iterator[Use]:
    if moved:
        yield use._replace(number=moved, family=family)
    if use.number > moved:
        yield use._replace(number=use.number - moved)


def _of_family(stage: Stage, family: int | None) -> Collection[HostNow]:
    return [host for host in stage.hosts.values() if host.family == family]


def _hosts(stage: Stage, names: Collection[str]) -> Collection[HostNow]:
    return [stage.hosts[_named(name, stage.hosts, "session host")] for name in names]


def _add(edit: AddHolders, stage: Stage) -> None:
    host = stage.hosts[_named(edit.host, stage.hosts, "session host")] if edit.host else None
    if host and host.mode not in {edit.type, None}:
        raise LicensingError(Problem.CONFLICT, f"{host.name} is set to {host.mode}: it asks for no {edit.type} CALs")
    family = stage.ladder.family_of(edit.version) if edit.version else host.family if host else 0
    servers = host.servers if host else _usual_servers(stage, edit.type, family)
    if edit.number >= 0:
        new = Use(host.name if host else None, edit.type, family, servers, None, edit.number)
        stage.uses = [*stage.uses, new]
    else:
        _take_off(stage, edit, host.name if host else None, family)


def _usual_servers(stage: Stage, type_: CalType, family: int) -> frozenset[str]:
    """Where hosts of this kind ask; all license servers where there is none."""
    found = [host.servers for host in stage.hosts.values() if host.family == family and host.mode in {type_, None}]
    return frozenset().union(*found) or frozenset(stage.servers)


def _take_off(stage: Stage, edit: AddHolders, host: str | None, family: int) -> None:
    """Who holds no CAL leaves first: that promises the least."""
    left, uses = -edit.number, []
    for use in sorted(stage.uses, key=lambda one: one.pack is not None):
        fits = use.type is edit.type and use.family == family and (host is None or use.host == host)
        gone = min(left, use.number) if fits else 0
        left -= gone
        if use.number > gone:
            uses.append(use._replace(number=use.number - gone))
    if left:
        there = -edit.number - left
        raise LicensingError(Problem.CONFLICT, f"{-edit.number} holders are to leave, only {there} are known there")
    stage.uses = uses


def _end(edit: EndPack, stage: Stage) -> None:
    gone = _pack(stage, edit.pack)
    stage.cals = [one for one in stage.cals if one is not gone]


def _buy(edit: Buy, stage: Stage) -> None:
    new = edit.cals
    _named(new.server, stage.servers, "license server")
    if any((one.server, one.id) == (new.server, new.id) for one in stage.cals):
        raise LicensingError(Problem.CONFLICT, f"there is a pack {new.id} on {new.server} already")
    _check_holds(stage, new.server, new)
    stage.cals = [*stage.cals, new]


def _set_mode(edit: SetMode, stage: Stage) -> None:
    hosts = [host for host in _hosts(stage, edit.hosts) if host.mode is not edit.mode]
    named, uses = {host.name for host in hosts}, []
    changed: dict[tuple[str | None, int, frozenset[str]], int] = {}
    for use in stage.uses:
        mine = use.host in named or (use.host is None and _near(use, hosts, everywhere=False))
        if use.type is edit.mode or not mine:
            uses.append(use)
        else:
            key = (use.host, use.family, use.servers)
            changed[key] = changed.get(key, 0) + use.number
    uses += [
        Use(host, edit.mode, family, servers, None, number)
        for (host, family, servers), number in _spread(changed, edit.holders, hosts).items()
        if number
    ]
    stage.hosts |= {host.name: host._replace(mode=edit.mode) for host in hosts}
    stage.uses = uses


def _spread(
    changed: Mapping[tuple[str | None, int, frozenset[str]], int], holders: int | None, hosts: Collection[HostNow]
) -> Mapping[tuple[str | None, int, frozenset[str]], int]:
    """So many holders in place of those there were: all need the newest of these hosts, as any of them may use it."""
    if holders is None:
        return changed
    if not hosts:
        return {}
    newest = max(hosts, key=lambda host: host.family)
    return {(newest.name, newest.family, newest.servers): holders}


def _all_of_type(edit: AllOfType, stage: Stage) -> None:
    """Newer hosts keep their share of the holders."""
    kept = [use for use in stage.uses if use.type is edit.type]
    old = [use for use in stage.uses if use.type is not edit.type]
    before = sum(use.number for use in old)
    number, done, given = before if edit.number is None else edit.number, 0, 0
    for use in sorted(old, key=lambda one: -one.family):
        done += use.number
        # Rounded up as a running sum: never fewer of the newer hosts, and in all exactly as many as were asked for.
        share = -(-number * done // before) - given
        given += share
        if share:
            kept.append(use._replace(type=edit.type, pack=None, number=share))
    if number and not before:
        raise LicensingError(
            Problem.CONFLICT, f"all holders are of {edit.type} already: {number} are to come in place of none"
        )
    stage.uses = kept
    stage.hosts = {name: host._replace(mode=edit.type) for name, host in stage.hosts.items()}


def _convert(edit: ConvertPack, stage: Stage) -> None:
    old = _pack(stage, edit.pack)
    count = old.total if edit.count is None else edit.count
    if old.type is edit.to:
        raise LicensingError(Problem.CONFLICT, f"pack {old.id} is {edit.to} already")
    if old.total is not None and (count or 0) > old.total:
        raise LicensingError(Problem.CONFLICT, f"pack {old.id} has {old.total} CALs, {count} are to be converted")
    kept = [] if edit.count is None or old.total == count else [_fewer(old, count)]
    part = old._replace(type=edit.to, total=count, id=f"{old.id} as {edit.to}" if kept else old.id)
    stage.cals = [*(one for one in stage.cals if one is not old), *kept, part]


def _fewer(pack: Cals, count: int | None) -> Cals:
    return pack if pack.total is None or count is None else pack._replace(total=pack.total - count)


def _move(edit: MovePack, stage: Stage) -> None:
    old = _pack(stage, edit.pack)
    to = _named(edit.to, stage.servers, "license server")
    _check_holds(stage, to, old)
    stage.cals = [one._replace(server=to, frozen=False) if one is old else one for one in stage.cals]
    # Who holds one of its CALs keeps it: licenses move with their pack.
    stage.uses = [use._replace(pack=(to, old.id)) if use.pack == (old.server, old.id) else use for use in stage.uses]


def _replace(edit: ReplaceServer, stage: Stage) -> None:
    old = _named(edit.server, stage.servers, "license server")
    new, family = edit.by or old, stage.ladder.family_of(edit.version)
    if new != old and new in stage.servers:
        raise LicensingError(Problem.CONFLICT, f"there is a license server {new} already: move-pack moves packs to it")
    serving = stage.servers.pop(old)._replace(family=family)
    stage.lapsed.pop(old, None)
    stage.servers[new] = serving
    for pack in stage.cals:
        if pack.server == old:
            _check_holds(stage, new, pack)
    stage.cals = [one._replace(server=new) if one.server == old else one for one in stage.cals]
    stage.hosts = {name: host._replace(servers=_renamed(host.servers, old, new)) for name, host in stage.hosts.items()}
    stage.uses = [_use_renamed(use, old, new) for use in stage.uses]
    stage.enforcing = set(_renamed(frozenset(stage.enforcing), old, new))


def _use_renamed(use: Use, old: str, new: str) -> Use:
    pack = (new, use.pack[1]) if use.pack and use.pack[0] == old else use.pack
    return use._replace(servers=_renamed(use.servers, old, new), pack=pack)


def _renamed(servers: frozenset[str], old: str, new: str) -> frozenset[str]:
    return (servers - {old}) | {new} if old in servers else servers


def _check_holds(stage: Stage, server: str, pack: Cals) -> None:
    if stage.servers[server].family < pack.family:
        newest = stage.ladder.family_name(stage.servers[server].family)
        raise LicensingError(
            Problem.CONFLICT, f"license server {server} runs as {newest} and cannot hold {pack.id} ({pack.version})"
        )


def _pack(stage: Stage, key: PackKey) -> Cals:
    """A pack by its id; its server only where several have the id."""
    server, name = key
    found = [one for one in stage.cals if one.id == name and server in {"", one.server}]
    if len(found) == 1:
        return found[0]
    if found:
        servers = ", ".join(one.server for one in found)
        raise LicensingError(Problem.CONFLICT, f"pack {name} stands on {servers}: say server = … beside it")
    there = ", ".join(one.id for one in stage.cals[:_LISTED])
    raise LicensingError(Problem.NOT_FOUND, f"there is no pack {name} at that time: there are {there or 'none'}")


def _lapse(edit: Lapse, stage: Stage) -> None:
    lapse(Lapse(_named(edit.server, stage.servers, "license server")), stage)


def _activate(edit: Activate, stage: Stage) -> None:
    activate(Activate(_named(edit.server, stage.servers, "license server")), stage)


_LISTED: Final = 20
"""Names that an error lists."""


def _named(name: str, there: Mapping[str, object], what: str) -> str:
    """A name as the estate writes it, without regard to case."""
    if name in there:
        return name
    for known in there:
        if known.casefold() == name.casefold():
            return known
    listed = ", ".join(list(there)[:_LISTED]) or "none"
    raise LicensingError(Problem.NOT_FOUND, f"there is no {what} {name}: there are {listed}")


_APPLY: Final[Mapping[type, Callable[[Any, Stage], None]]] = {
    UpgradeHosts: _upgrade,
    AddHolders: _add,
    EndPack: _end,
    Buy: _buy,
    SetMode: _set_mode,
    AllOfType: _all_of_type,
    ConvertPack: _convert,
    MovePack: _move,
    ReplaceServer: _replace,
    Lapse: _lapse,
    Activate: _activate,
}
