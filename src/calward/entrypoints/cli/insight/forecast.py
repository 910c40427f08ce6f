"""When will CALs run out? ``calward forecast``."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol

import rich_click as click

from calward.app.estates.ports import EstateStore
from calward.domain.answers import rfc3339
from calward.domain.cals import CalType
from calward.domain.fields import parse_moment
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import Column, Fit, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import AdminClient, Where
from calward.entrypoints.cli.insight.estate import estates_where
from calward.insight.estate import Estate, Source
from calward.insight.forecast import Forecast, TooThin
from calward.insight.forecast import forecast as look_ahead
from calward.insight.planner.needs import family_or_none
from calward.insight.use_history import DAY, Pool, Span, UseHistory, from_snapshots, from_spans, license_span, pools_of

__all__ = ["WiresForecasts", "forecast"]

_AHEAD: Final = 365
_SHOWN: Final = (7, 28, 91, 182, 364)
"""Days ahead of which --json tells the counts."""
_PAGE: Final = 500
_SNAPSHOTS: Final = 400
"""Imports that are read at most: the newest."""


class WiresForecasts(Protocol):
    """What the command needs of the context object."""

    def estate(self, name: str | None, where: Where, folder: Path | None) -> Estate:
        """The newest snapshot of an imported estate, or the running license server's; raises LicensingError."""

    def estates(self, folder: Path | None) -> EstateStore:
        """The estates in a folder, None: in the usual one."""

    def admin(self, where: Where) -> AdminClient:
        """A client of the license server; raises LicensingError."""


@click.command()
@click.argument("name", required=False)
@estates_where
@json_option
@click.pass_context
def forecast(
    ctx: click.Context,
    name: str | None,
    folder: Path | None,
    server: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    fingerprint: str | None,
    *,
    as_json: bool,
) -> None:
    """Say between which days the CALs of each version, type and pack run out, and how good such a forecast has been until now.

    The history of use comes from the license server's ledger, or from repeated imports of an estate. Ends with 7 where
    something is expected to run out within a year, or has.

    \b
    Examples:
      calward forecast
      calward forecast berlin --json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    wiring: WiresForecasts = ctx.obj
    where = Where(server, token_file, ca_file, fingerprint)
    estate = wiring.estate(name, where, folder)
    histories, notes = _histories(estate, wiring, where, folder)
    rows = list(_rows(estate, histories))
    if as_json:
        print_json({"estate": estate.name, "taken_at": rfc3339(estate.taken_at), "items": rows, "notes": notes})
    else:
        _print(estate, rows, notes)
    ctx.exit(Exit.FINDINGS if any(row["runs_out"]["expected"] for row in rows) else Exit.OK)


def _histories(
    estate: Estate, wiring: WiresForecasts, where: Where, folder: Path | None
) -> tuple[Mapping[Pool, UseHistory], list[str]]:
    """The history that the source allows, and what weakens it."""
    running = [span for one in estate.licenses if (span := license_span(estate, one))]
    if estate.source is Source.CALWARD:
        with closing(wiring.admin(where)) as client:
            return from_spans([*running, *_ended(estate, client)], estate.taken_at), []
    store = wiring.estates(folder)
    kept = {at // DAY: path for at, path in store.history(estate.name)}
    counted = from_snapshots(store.read(path) for path in [kept[day] for day in sorted(kept)][-_SNAPSHOTS:])
    given = from_spans(running, estate.taken_at)
    found = {pool: _longer(counted.get(pool), given.get(pool)) for pool in {*counted, *given}}
    if not any(found[pool] is given.get(pool) for pool in found):
        return found, []
    note = (
        "there are too few imports: counts come from the times at which licenses were given; "
        "those that had ended before the import may be missing, so that growth looks larger than it was"
    )
    return found, [note]


def _longer(counted: UseHistory | None, given: UseHistory | None) -> UseHistory:
    """What imports counted where it is enough for a forecast, as nothing is missing there."""
    if counted is not None and (given is None or not isinstance(look_ahead(counted.counts, 1), TooThin)):
        return counted
    return given if given is not None else UseHistory(0, ())


def _ended(estate: Estate, client: AdminClient) -> Iterator[Span]:
    """Licenses of the ledger that no longer run, page by page."""
    after: str | None = None
    while True:
        query: dict[str, str | int | bool | None] = {"ended": True, "limit": _PAGE, "after": after}
        page = client.ask("GET", "licenses", query=query)
        for row in page["items"]:
            family = family_or_none(estate.ladder, row["version"])
            if family is not None and row["ended_at"] and row["status"] != "temporary":
                pool = Pool(CalType(row["type"]), family, estate.servers[0].name, row["pack"] or "")
                yield Span(pool, _seconds(row["issued_at"]), _seconds(row["ended_at"]))
        after = page.get("next")
        if after is None:
            return


def _seconds(text: str) -> int:
    return int(parse_moment(text, "time").timestamp())


def _rows(estate: Estate, histories: Mapping[Pool, UseHistory]) -> Iterator[dict[str, Any]]:
    pools = pools_of(estate)
    for pool in sorted({*pools, *(pool for pool in histories if not pool.pack)}, key=_order):
        issued, total = pools.get(pool, (None, 0))
        history = histories.get(pool, UseHistory(0, ()))
        now = history.counts[-1] if issued is None else issued
        yield {
            "version": estate.ladder.family_name(pool.family),
            "type": pool.type.value,
            "pack": pool.pack or None,
            "server": pool.server or None,
            "in_use": int(now),
            "total": total,
            "days_known": len(history.counts),
            **_told(estate, look_ahead(history.counts, _AHEAD), total, int(now)),
        }


def _order(pool: Pool) -> tuple[object, ...]:
    return (pool.type, -pool.family, bool(pool.pack), pool.server, pool.pack)


def _told(estate: Estate, found: Forecast | TooThin, total: int | None, now: int) -> dict[str, Any]:
    days: Sequence[int | None] = (None, None, None)
    if total and now >= total:
        days = (0, 0, 0)
    elif total is not None and isinstance(found, Forecast):
        days = found.exhaustion(total)
    dates = [None if day is None else rfc3339(estate.taken_at // DAY * DAY + day * DAY)[:10] for day in days]
    return {
        "runs_out": dict(zip(("earliest", "expected", "latest"), dates, strict=True)),
        "used_up": days == (0, 0, 0),
        "thin": {"days_needed": found.needed, "why": found.why} if isinstance(found, TooThin) else None,
        "forecast": None if isinstance(found, TooThin) else _told_ahead(found),
    }


def _told_ahead(found: Forecast) -> dict[str, Any]:
    return {
        "method": found.method.value,
        "errors": {method.value: round(error, 2) for method, error in found.errors.items()},
        "inside_band": None if found.inside is None else round(found.inside, 2),
        "tests": found.tests,
        "days_ahead": [
            {
                "days": day,
                "expected": round(found.expected[day - 1], 1),
                "low": round(found.low[day - 1], 1),
                "high": round(found.high[day - 1], 1),
            }
            for day in _SHOWN
        ],
    }


def _date(key: str) -> Callable[[Mapping[str, Any]], object]:
    def date(row: Mapping[str, Any]) -> object:
        if row["used_up"] or row["thin"]:
            return None
        return row["runs_out"][key] or "> 1 year"

    return date


def _expected(row: Mapping[str, Any]) -> object:
    if row["used_up"]:
        return "used up"
    return "too thin" if row["thin"] else _date("expected")(row)


def _error(row: Mapping[str, Any]) -> object:
    found = row["forecast"]
    return None if found is None else found["errors"][found["method"]]


def _method(row: Mapping[str, Any]) -> object:
    found = row["forecast"]
    return f"known days: {row['days_known']}" if found is None else found["method"]


_COLUMNS: Final = (
    Column("type", "type"),
    Column("version", "version"),
    Column("pack", lambda row: row["pack"] or "all", Fit.CUT),
    Column("in use", "in_use"),
    Column("of", lambda row: "unlimited" if row["total"] is None else row["total"]),
    Column("runs out", _expected),
    Column("earliest", _date("earliest")),
    Column("latest", _date("latest")),
    Column("off by", _error, Fit.LEFT_OUT),
    Column("method", _method, Fit.LEFT_OUT),
)


def _print(estate: Estate, rows: Sequence[Mapping[str, Any]], notes: Iterable[str]) -> None:
    imported = " (imported, another system's)" if estate.source is Source.IMPORT else ""
    say(f"{safe(estate.name)}{imported}, as of {rfc3339(estate.taken_at)}; eight of ten days should lie in the range")
    say()
    if not table(_COLUMNS, rows):
        say("no pack is installed, and no license was given")
    for line in _thin_lines(rows):
        say(f"too thin: {line}", err=True)
    for note in notes:
        say(f"note: {note}", err=True)


def _thin_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is missing, once for all rows that miss the same."""
    thin = [row for row in rows if row["thin"] and not row["used_up"]]
    alike = Counter((row["days_known"], row["thin"]["days_needed"], row["thin"]["why"]) for row in thin)
    for (known, needed, why), number in sorted(alike.items(), key=str):
        missing = "" if needed is None else f", {needed - known} more are needed"
        yield f"{number} of {len(rows)} rows: known days: {known}{missing}: {why}"
