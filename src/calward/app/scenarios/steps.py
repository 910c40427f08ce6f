"""What does one step of a scenario file say?"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from calward.app.scenarios.expectations import read_expect
from calward.app.scenarios.known import DAYS_MAX, Known, cal_type
from calward.app.scenarios.story import (
    Act,
    Change,
    Connect,
    Free,
    HostPart,
    Install,
    Look,
    Move,
    PackPart,
    Rebuild,
    Remove,
    SetHost,
    SetServer,
    Step,
    Switch,
)
from calward.app.scenarios.tables import Table, flag, line_of_text, moment, one_of, whole
from calward.domain.cals import CalType, HolderKind
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from calward.domain.pack_requests import ChangeKind, SourceState

__all__ = ["read_host", "read_pack", "read_step"]

_TOTAL_MAX: Final = 1_000_000


def read_step(number: int, table: Table, known: Known) -> Step:
    """Read a step; ``known`` is changed by what it sets, so that later steps are checked against that."""
    at, do = table.need("at", moment), table.need("do", one_of(_READERS))
    act = _READERS[do](table, do, known)
    expect = table.table("expect", f"step {number}, expect of {do}")
    table.end()
    wanted = {} if expect is None else read_expect(do, expect, known)
    return Step(number, table.line, at, do, act, MappingProxyType(wanted))


def read_pack(table: Table, known: Known) -> PackPart:
    """Read a pack, of a table of its own or of the step that installs it."""
    version = table.need("version", known.version)
    bought_as = table.take("bought_as", known.version, version)
    if known.ladder.rung(bought_as).order < known.ladder.rung(version).order:
        table.fail("bought_as", f"must not be older than the version {version} that the pack has now")
    return PackPart(
        server=table.need("server", known.server),
        id=PackId(table.need("id", line_of_text)),
        version=version,
        type=table.need("type", cal_type),
        total=table.need("total", whole(1, _TOTAL_MAX)),
        expires_at=table.take("expires_at", moment, NEVER),
        line=table.line,
        bought_as=bought_as,
        convertible=table.take("convertible", flag, default=True),
    )


def read_host(table: Table, known: Known) -> HostPart:
    """Read a session host."""
    return HostPart(
        name=table.need("name", line_of_text),
        version=table.need("version", known.version),
        mode=table.need("mode", cal_type),
        servers=table.need("servers", known.servers),
        grace_days=table.take("grace_days", whole(0, DAYS_MAX), None),
    )


def _connect(table: Table, _do: str, known: Known) -> Act:
    host = table.need("host", known.host)
    act = Connect(
        host=host.name,
        device=table.take("device", line_of_text, None),
        user=table.take("user", line_of_text, None),
        logon=table.take("logon", flag, default=True),
        admin=table.take("admin", flag, default=False),
    )
    kind = host.mode.holder_kind
    if getattr(act, kind.value) is None and not act.admin:
        table.fail(kind.value, f"is missing: session host {host.name} is set to {host.mode}, so the {kind} counts")
    return act


def _install(table: Table, _do: str, known: Known) -> Act:
    return Install(read_pack(table, known))


def _remove(table: Table, _do: str, known: Known) -> Act:
    return Remove(table.need("server", known.server), table.need("pack", known.pack))


def _move(table: Table, _do: str, known: Known) -> Act:
    return Move(
        pack=table.need("pack", known.pack),
        source=table.need("from", known.server),
        target=table.need("to", known.server),
        state=SourceState(table.take("source", one_of(SourceState), SourceState.CONNECTED)),
    )


def _change(table: Table, do: str, known: Known) -> Act:
    kind = ChangeKind(do)
    pack, count = table.need("pack", known.pack), table.take("count", whole(1, _TOTAL_MAX), None)
    to: str = table.need("to", cal_type if kind is ChangeKind.CONVERT else known.version)
    part = table.take("id", line_of_text, None)
    if (count is None) is not (part is None):
        table.fail("id", "count and id belong together: so many CALs become a pack with this handle")
    return Change(kind, pack, str(to), count, None if part is None else PackId(part))


def _rebuild(table: Table, _do: str, known: Known) -> Act:
    return Rebuild(table.need("server", known.server))


def _free(table: Table, do: str, known: Known) -> Act:
    server = table.need("server", known.server)
    device, user = table.take("device", line_of_text, None), table.take("user", line_of_text, None)
    version = table.take("version", known.version, None)
    key, other = (user, device) if device is None else (device, user)
    if key is None or other is not None:
        table.fail("device", "exactly one of device and user says whose license it is")
    return Free(server, do, HolderKind.USER if device is None else HolderKind.DEVICE, key, version)


def _switch(table: Table, do: str, known: Known) -> Act:
    return Switch(table.need("server", known.server), do)


def _set(table: Table, _do: str, known: Known) -> Act:
    if "host" in table:
        return _set_host(table, known)
    if "server" not in table:
        table.fail("server", "is missing: server or host says what is set")
    server = table.need("server", known.server)
    version = table.take("version", known.version, None)
    values = table.rest(but="expect")
    known.settings[server] = known.change_settings(table, values, known.settings[server])
    if not values and version is None:
        table.fail("do", "nothing is set: name a setting and its new value")
    return SetServer(server, MappingProxyType(dict(values)), version)


def _set_host(table: Table, known: Known) -> Act:
    old = table.need("host", known.host)
    new = replace(
        old,
        version=table.take("version", known.version, old.version),
        mode=table.take("mode", cal_type, old.mode),
        servers=table.take("servers", known.servers, old.servers),
        grace_days=table.take("grace_days", whole(0, DAYS_MAX), old.grace_days),
    )
    known.hosts[new.name] = new
    return SetHost(new)


def _look(table: Table, _do: str, known: Known) -> Act:
    server = table.need("server", known.server)
    pack = table.take("pack", known.pack, None)
    asked = _asked_in_expect(table, known)
    version: str | None = table.take("version", known.version, asked.version)
    type_: CalType | None = table.take("type", cal_type, asked.type)
    return Look(server, pack, version, type_)


def _asked_in_expect(table: Table, known: Known) -> Look:
    """``version`` and ``type`` may stand in ``expect`` as well: they say what is counted."""
    raw = table.peek("expect")
    found = raw if isinstance(raw, dict) else {}
    version = next((x for x in known.ladder.versions if x.lower() == str(found.get("version")).lower()), None)
    type_ = next((x for x in CalType if x == found.get("type")), None)
    return Look("", None, version, type_)


_READERS: Final[Mapping[str, Callable[[Table, str, Known], Act]]] = {
    "connect": _connect,
    "install": _install,
    "remove": _remove,
    "move": _move,
    "downgrade": _change,
    "upgrade": _change,
    "convert": _change,
    "rebuild": _rebuild,
    "revoke": _free,
    "release": _free,
    "activate": _switch,
    "deactivate": _switch,
    "down": _switch,
    "up": _switch,
    "set": _set,
    "look": _look,
}
