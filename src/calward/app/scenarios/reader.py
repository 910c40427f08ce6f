"""Is this text a scenario, and which?"""

import tomllib
from collections.abc import Callable, Iterable
from typing import Final

from calward.app.scenarios.known import Known
from calward.app.scenarios.lines import lines_of
from calward.app.scenarios.steps import read_host, read_pack, read_step
from calward.app.scenarios.story import HostPart, PackPart, Scenario, ServerPart, Step
from calward.app.scenarios.tables import Table, flag, line_of_text
from calward.domain.compatibility import server_holds_cal
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.domain.settings import Settings
from calward.ladders import DEFAULT_LADDER

__all__ = ["read_scenario"]

_UNTITLED: Final = "a scenario without a title"


def read_scenario(text: str, load_ladder: Callable[[str], Ladder]) -> Scenario:
    """Read and check a whole file.

    Raises: LicensingError(MALFORMED): names line, key and what was expected; also for an unknown key.
    """
    top = _parse(text)
    title = top.take("title", line_of_text, _UNTITLED)
    known = Known(_ladder(top, load_ladder))
    servers = [_server(x, known) for x in top.tables("server")]
    packs, hosts, steps = top.tables("pack"), top.tables("host"), top.tables("step")
    top.end()
    known.packs = frozenset(name for x in (*packs, *steps) if isinstance(name := x.peek("id"), str))
    return Scenario(
        title=title,
        ladder=known.ladder,
        servers=tuple(servers),
        packs=_packs(packs, known, servers),
        hosts=_hosts(hosts, known),
        steps=_steps(top, steps, known),
    )


def _parse(text: str) -> Table:
    try:
        return Table(tomllib.loads(text), (), lines_of(text), "")
    except (ValueError, RecursionError) as error:  # Not only TOMLDecodeError: a number may have too many digits.
        raise LicensingError(
            Problem.MALFORMED, f"this is not TOML: {str(error)[:1].lower()}{str(error)[1:]}"
        ) from error


def _ladder(top: Table, load_ladder: Callable[[str], Ladder]) -> Ladder:
    name = top.take("ladder", line_of_text, DEFAULT_LADDER)
    try:
        return load_ladder(name)
    except LicensingError as error:
        top.fail("ladder", error.detail)


def _server(table: Table, known: Known) -> ServerPart:
    name = table.need("name", line_of_text)
    if name in known.settings:
        table.fail("name", f"there is a license server {name} already")
    version = table.take("version", known.version, known.ladder.newest)
    activated = table.take("activated", flag, default=True)
    known.settings[name] = known.change_settings(table, table.rest(), Settings())
    return ServerPart(name, version, activated, known.settings[name])


def _packs(tables: Iterable[Table], known: Known, servers: Iterable[ServerPart]) -> tuple[PackPart, ...]:
    by_name = {server.name: server for server in servers}
    found: dict[str, PackPart] = {}
    for table in tables:
        pack = read_pack(table, known)
        table.end()
        if pack.id in found:
            table.fail("id", f"there is a pack {pack.id} already")
        holder = by_name[pack.server].version
        if not server_holds_cal(known.ladder, holder, pack.version):
            would = ", ".join(known.ladder.at_least(pack.version))
            table.fail("version", f"license server {pack.server} runs as {holder} and cannot hold it; {would} would do")
        found[pack.id] = pack
    return tuple(found.values())


def _hosts(tables: Iterable[Table], known: Known) -> tuple[HostPart, ...]:
    for table in tables:
        host = read_host(table, known)
        table.end()
        if host.name in known.hosts:
            table.fail("name", f"there is a session host {host.name} already")
        known.hosts[host.name] = host
    return tuple(known.hosts.values())


def _steps(top: Table, tables: Iterable[Table], known: Known) -> tuple[Step, ...]:
    steps: list[Step] = []
    for number, table in enumerate(tables, 1):
        step = read_step(number, table, known)
        if steps and step.at < steps[-1].at:
            table.fail("at", "must not be earlier than the step before")
        steps.append(step)
    if not steps:
        top.fail("step", "is missing: a scenario has at least one step")
    return tuple(steps)
