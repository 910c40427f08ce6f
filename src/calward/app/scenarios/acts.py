"""What does every step but a connection do to the estate?"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_server import activate_server, change_settings, deactivate_server
from calward.app.licensing.free_license import FreeLicense, find_license, release_license, revoke_license
from calward.app.licensing.install_key_pack import RemoveKeyPack, remove_key_pack
from calward.app.ports import Book
from calward.app.scenarios.changing import change
from calward.app.scenarios.looking import look
from calward.app.scenarios.moving import move, rebuild
from calward.app.scenarios.results import Result
from calward.app.scenarios.story import (
    Act,
    Change,
    Free,
    Install,
    Look,
    Move,
    Rebuild,
    Remove,
    SetHost,
    SetServer,
    Switch,
)
from calward.app.scenarios.touch import contact, keep_in_touch, right_until
from calward.app.scenarios.world import BY, PlayedServer, World
from calward.domain.errors import LicensingError
from calward.domain.reasons import Reason

__all__ = ["carry_out"]


def carry_out(act: Act, world: World, now: int) -> Result:
    """Carry one step out; what a license server has not is a refusal with the reason ``not-found``."""
    try:
        return _PLAYERS[type(act)](act, world, now)
    except LicensingError as error:
        return Result({"outcome": "refused", "reason": [error.problem.value]}, detail=error.detail)


def _install(act: Install, world: World, now: int) -> Result:
    pack = act.pack
    known = world.office.register.get(pack.id)
    elsewhere = known.statement.server_id if known else pack.server
    if elsewhere != pack.server:  # The same handle is the same pack, and a pack is signed for one license server.
        detail = f"pack {pack.id} is installed on license server {elsewhere}"
        return _result(RefusedAct((Reason.PACK_ALREADY_INSTALLED,), detail))
    return _result(world.install_one(pack, now))


def _remove(act: Remove, world: World, now: int) -> Result:
    done = _write(world, act.server, lambda book: remove_key_pack(RemoveKeyPack(act.pack, BY), book, now=now))
    if isinstance(done, Done):
        world.office.let_go(act.pack, act.server)
    return _result(done)


def _free(act: Free, world: World, now: int) -> Result:
    family = None if act.version is None else world.ladder.family_of(act.version)

    def free(book: Book) -> tuple[int, Done | RefusedAct]:
        found = find_license(book, act.kind, act.key, now, family)
        use_case = revoke_license if act.verb == "revoke" else release_license
        return found.id, use_case(FreeLicense(found.id, BY), book, now=now)

    number, done = world.servers[act.server].ledger.write(free)
    if isinstance(done, Done) and act.verb == "revoke":
        world.servers[act.server].revoked.add(world.servers[act.server].license_name(number))
    return _result(done)


def _switch(act: Switch, world: World, now: int) -> Result:
    return _SWITCHES[act.verb](world.servers[act.server], world, now)


def _down(server: PlayedServer, world: World, now: int) -> Result:
    server.up = False
    world.observe(now)
    return Result({"outcome": "down"})


def _up(server: PlayedServer, world: World, now: int) -> Result:
    """It answers hosts again, and the first thing it does is to contact the clearinghouse."""
    if not server.in_touch:
        server.up = server.reached = True
        server.in_touch_since = now
        contact(server, world, now)
    world.observe(now)
    return Result({"outcome": "up"})


def _activate(server: PlayedServer, world: World, now: int) -> Result:
    """Whoever activates speaks with the clearinghouse: what waits is carried out before a right to issue is given."""
    contact(server, world, now)
    until = right_until(server, world, now)
    return _result(_write(world, server.name, lambda book: activate_server(until, book, now=now, by=BY)))


def _deactivate(server: PlayedServer, world: World, now: int) -> Result:
    """Without a right to issue nothing has to be waited for: moves of its packs take effect."""
    done = _write(world, server.name, lambda book: deactivate_server(book, now=now, by=BY))
    if isinstance(done, Done):
        world.office.press_all(server.name, now)
        keep_in_touch(world, now)
    return _result(done)


def _set_server(act: SetServer, world: World, now: int) -> Result:
    def change(book: Book) -> Done | RefusedAct:
        refused = _run_as(act.version, book, world) if act.version else None
        return refused or change_settings(act.values, book, now=now, by=BY)

    return _result(_write(world, act.server, change))


def _run_as(version: str, book: Book, world: World) -> RefusedAct | None:
    """Let the server run as another version, unless it holds packs that this version could not hold."""
    family = world.ladder.family_of(version)
    newer = sorted(pack.id for pack in book.shelf().packs if pack.family > family)
    if newer:
        detail = f"as {version} the license server could not hold {', '.join(newer)}"
        return RefusedAct((Reason.SERVER_VERSION_TOO_LOW,), detail)
    book.set_server(replace(book.server(), version=version, family=family))
    return None


def _set_host(act: SetHost, world: World, now: int) -> Result:
    world.hosts[act.host.name].part = act.host
    world.observe(now)
    return Result({"outcome": "set"})


def _look(act: Look, world: World, now: int) -> Result:
    return Result(look(act, world, now))


def _write(world: World, server: str, act: Callable[[Book], Done | RefusedAct]) -> Done | RefusedAct:
    return world.servers[server].ledger.write(act)


def _result(done: Done | RefusedAct) -> Result:
    facts: dict[str, object] = {"outcome": done.outcome, **done.facts}
    if isinstance(done, Done):
        return Result(facts)
    return Result(facts | {"reason": [reason.value for reason in done.reasons]}, detail=done.detail)


_SWITCHES: Final[Mapping[str, Callable[[PlayedServer, World, int], Result]]] = {
    "down": _down,
    "up": _up,
    "activate": _activate,
    "deactivate": _deactivate,
}
_PLAYERS: Final[Mapping[type, Callable[[Any, World, int], Result]]] = {
    Install: _install,
    Remove: _remove,
    Move: move,
    Change: change,
    Rebuild: rebuild,
    Free: _free,
    Switch: _switch,
    SetServer: _set_server,
    SetHost: _set_host,
    Look: _look,
}
