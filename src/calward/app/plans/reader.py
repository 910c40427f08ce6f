"""Is this text a plan, and which?

A plan file is a scenario file with ``[[edit]]`` tables in place of steps: servers, packs and hosts stand in it in the same words, or come
from a snapshot (``base``). Strict as a scenario: unknown keys are errors with line and key. docs/reference/plans.md lists all of them.
"""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from calward.app.plans.edit_tables import HOLDERS_MAX, read_edit, read_holders
from calward.app.plans.prices import PriceList, read_price_tables
from calward.app.scenarios.known import Known, cal_type
from calward.app.scenarios.lines import lines_of
from calward.app.scenarios.tables import Table, flag, line_of_text, moment, names, one_of, whole
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.domain.settings import PerUser
from calward.insight.estate import Estate, EstateHost, EstatePack, EstateServer, PackType, Source
from calward.insight.planner import Timed
from calward.insight.planner.edits import Edit, Lapse
from calward.ladders import DEFAULT_LADDER

__all__ = ["PlanFile", "parse_table", "read_plan"]

_UNTITLED: Final = "a plan without a title"
_BASE: Final = "estate"
_PROGRAM: Final = "plan"


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What a plan file says. ``given``: holders that it adds to the estate before anything happens; ``until`` None: the usual."""

    title: str
    estate: Estate
    given: Sequence[Edit]
    edits: Sequence[Timed]
    prices: PriceList
    until: int | None
    alone: bool = False
    """Whether it has no base: the whole estate stands in it."""


def read_plan(text: str, load_ladder: Callable[[str], Ladder], load_estate: Callable[[str | None], Estate]) -> PlanFile:
    """Read and check a whole file; ``load_estate`` gives the snapshot of a name, of the license server where there is none.

    Raises: LicensingError(MALFORMED): names line, key and what was expected, also for an unknown key; and what the snapshot raises.
    """
    top = parse_table(text, "a plan file")
    title, alone = top.take("title", line_of_text, _UNTITLED), "base" not in top
    estate = _base(top, load_ladder, load_estate)
    until = top.take("until", moment, None)
    known = Known(estate.ladder)
    estate = _with_own(top, estate, known)
    given = [read_holders(one, known) for one in top.tables("holders")]
    edits = [_timed(one, known, estate) for one in top.tables("edit")]
    prices = read_price_tables(top, known)
    top.end()
    if until is not None and until <= estate.taken_at:
        top.fail("until", "must be later than the time at which the plan begins")
    return PlanFile(title, estate, given, edits, prices, until, alone)


def parse_table(text: str, what: str) -> Table:
    """The top of a TOML file; numbers with a point stay exact."""
    try:
        return Table(tomllib.loads(text, parse_float=Decimal), (), lines_of(text), "")
    except (ValueError, ArithmeticError, RecursionError) as error:
        sentence = f"{str(error)[:1].lower()}{str(error)[1:]}"
        raise LicensingError(Problem.MALFORMED, f"{what} must be TOML: {sentence}") from error


def _base(top: Table, load_ladder: Callable[[str], Ladder], load_estate: Callable[[str | None], Estate]) -> Estate:
    base = top.take("base", line_of_text, None)
    if base is None:
        ladder = _ladder(top, load_ladder)
        start = top.need("start", moment)
        return Estate(_PROGRAM, Source.IMPORT, start, ladder)
    kind, colon, name = base.partition(":")
    if kind != _BASE or (colon and not name):
        top.fail("base", 'must be "estate" (the license server\'s own) or "estate:NAME" (an imported one)')
    return load_estate(name or None)


def _ladder(top: Table, load_ladder: Callable[[str], Ladder]) -> Ladder:
    try:
        return load_ladder(top.take("ladder", line_of_text, DEFAULT_LADDER))
    except LicensingError as error:
        top.fail("ladder", error.detail)


def _with_own(top: Table, estate: Estate, known: Known) -> Estate:
    """The estate with the servers, packs and hosts of the file."""
    servers = [*estate.servers, *(_server(one, known) for one in top.tables("server"))]
    listed = [one.name for one in servers]
    packs = [
        *estate.packs,
        *(_pack(one, known, [*listed, *(p.server for p in estate.packs)]) for one in top.tables("pack")),
    ]
    hosts = list(estate.hosts)
    for table in top.tables("host"):
        host = _host(table, known, listed)
        if host.name.casefold() in {one.name.casefold() for one in hosts}:
            table.fail("name", f"there is a session host {host.name} already")
        hosts.append(host)
    return replace(estate, servers=servers, packs=packs, hosts=hosts)


def _server(table: Table, known: Known) -> EstateServer:
    name = table.need("name", line_of_text)
    version = table.take("version", known.version, known.ladder.newest)
    per_user = table.take("per_user", one_of(PerUser), PerUser.TRACK.value)
    prevents = table.take("prevent_license_upgrade", flag, default=False)
    table.end()
    return EstateServer(name, version, settings=(("per_user", per_user), ("prevent_license_upgrade", str(prevents))))


def _pack(table: Table, known: Known, servers: Sequence[str]) -> EstatePack:
    found = EstatePack(
        id=table.need("id", line_of_text),
        server=table.need("server", one_of(dict.fromkeys(servers))),
        version=table.need("version", known.version),
        type=PackType(table.need("type", cal_type)),
        program=_PROGRAM,
        total=table.need("total", whole(1, HOLDERS_MAX)),
        issued=0,
        expires_at=table.take("expires_at", moment, None),
    )
    table.end()
    return found


def _host(table: Table, known: Known, servers: Sequence[str]) -> EstateHost:
    found = EstateHost(
        table.need("name", line_of_text),
        table.need("version", known.version),
        table.need("mode", cal_type),
        table.need("servers", names),
    )
    table.end()
    unknown = sorted(set(found.servers) - set(servers))
    if unknown:
        table.fail(
            "servers", f"there is no license server {', '.join(unknown)}: there are {', '.join(servers) or 'none'}"
        )
    return found


def _timed(table: Table, known: Known, estate: Estate) -> Timed:
    start, at = estate.taken_at, table.take("at", moment, None)
    if at is not None and at < start:
        table.fail("at", "must not be earlier than the time at which the plan begins")
    edit, words = read_edit(table, known)
    at = _usual_time(edit, estate) if at is None else at
    table.end()
    return Timed(at, edit, f"line {table.line}: {words}")


def _usual_time(edit: Edit, estate: Estate) -> int:
    """When an edit is made that names no time: a right to issue ends when the snapshot says, all else at the beginning."""
    ends = {one.name.casefold(): one.issue_until for one in estate.servers}
    end = ends.get(edit.server.casefold()) if isinstance(edit, Lapse) else None
    return estate.taken_at if end is None else max(end, estate.taken_at)
