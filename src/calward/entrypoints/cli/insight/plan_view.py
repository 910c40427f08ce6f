"""How is a plan shown, to people as tables and to scripts as one document?"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from calward.app.plans.prices import PriceList
from calward.domain.answers import rfc3339
from calward.domain.cals import CalType
from calward.domain.ladder import Ladder
from calward.domain.reasons import Reason
from calward.entrypoints.cli.common.output import Column, Fit, reason_lines, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.insight.estate import Estate, Source
from calward.insight.planner import PlanResult
from calward.insight.planner.falling_out import Refused
from calward.insight.planner.purchase import Purchase
from calward.insight.planner.standing import FallUp, Row, Standing

__all__ = ["Shown", "document", "print_head", "print_needs", "print_plan"]


class Shown(NamedTuple):
    """A result, and what it is about."""

    title: str
    estate: Estate
    prices: PriceList
    result: PlanResult
    from_file: bool = False
    """Whether the estate stands in the plan file alone."""


def document(shown: Shown) -> dict[str, Any]:
    """What scripts get; docs/reference/plans.md lists its keys."""
    title, estate, prices, result, from_file = shown
    return {
        "title": title,
        "estate": estate.name,
        "source": "file" if from_file else estate.source.value,
        "taken_at": rfc3339(estate.taken_at),
        "until": rfc3339(result.until),
        "ok": result.holds,
        "before": [_row(row, shown) for row in result.before.rows],
        "after": [_row(row, shown) for row in result.after.rows],
        "steps": [
            {
                "at": rfc3339(one.at),
                "because": list(because),
                "rows": [_row(row, shown) for row in one.rows],
                "fall_ups": [_fall_up(up, shown) for up in one.fall_ups],
            }
            for one, because in result.standings
        ],
        "failing": list(_failing(shown)),
        "refused": [_refused(one, shown) for one in result.refused],
        "fall_ups": [_fall_up(one, shown) for one in result.after.fall_ups],
        "purchase": _purchase(result.purchase, prices, estate.ladder),
        "purchase_if_all_keep": _purchase(result.purchase_now, prices, estate.ladder),
        "notes": list(result.notes),
    }


def _row(row: Row, shown: Shown) -> dict[str, Any]:
    return {
        "type": row.type.value,
        "version": shown.estate.ladder.family_name(row.family),
        "needed": row.needed,
        "installed": row.installed,
        "own": row.own,
        "from_newer": row.fallen_up,
        "short": row.short,
        "waiting": row.waiting,
    }


def _failing(shown: Shown) -> Iterator[dict[str, Any]]:
    for at, row, because in shown.result.failing:
        why = [reason.value for reason in row.why]
        yield {"at": rfc3339(at), "because": list(because), **_row(row, shown), "why": why, "effect": _effect(row)}


def _refused(one: Refused, shown: Shown) -> dict[str, Any]:
    family = shown.estate.ladder.family_name(one.family)
    return {"at": rfc3339(one.at), "type": one.type.value, "version": family, "number": one.number}


def _effect(row: Row) -> str:
    """What happens to who goes without."""
    if not row.short:
        return "wait until others give up newer CALs"
    if row.why == (Reason.SERVER_VERSION_TOO_LOW,):
        return "no license at all: let in during the host's grace period only"
    if row.over_used:
        return "let in, counted as over-use"
    return "temporary license, then refused" if row.type is CalType.PER_DEVICE else "refused"


def _fall_up(one: FallUp, shown: Shown) -> dict[str, Any]:
    return {
        "type": one.type.value,
        "for": shown.estate.ladder.family_name(one.family),
        "number": one.number,
        "pack": one.pack,
        "version": one.version,
        "server": one.server,
    }


def _purchase(purchase: Purchase, prices: PriceList, ladder: Ladder) -> dict[str, Any]:
    """Amounts are texts, so that no reader makes them inexact; None where there are no prices."""
    priced = bool(prices.offers)
    lines = [
        {
            "version": line.offer.version,
            "type": line.offer.type.value,
            "cals": line.cals,
            "units": line.units,
            "size": line.offer.size,
            "cost": _money(line.cost) if priced else None,
        }
        for line in purchase.lines
    ]
    without = [
        {"type": type_.value, "version": ladder.family_name(family), "number": number}
        for (type_, family), number in purchase.without_offer.items()
    ]
    cost = _money(purchase.cost) if priced else None
    return {"lines": lines, "cost": cost, "currency": prices.currency or None, "without_offer": without}


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount:f}"


def print_plan(shown: Shown) -> None:
    """A plan that was played to its end."""
    print_head(shown)
    _print_before_and_after(shown)
    _print_steps(shown)
    _print_rest(shown)


def print_needs(shown: Shown) -> None:
    """An estate as it is today."""
    print_head(shown)
    if not table(_NEED_COLUMNS, [_row(row, shown) for row in shown.result.before.rows]):
        say("nobody is known to need a CAL, and no pack is installed")
    _print_rest(shown)


def print_head(shown: Shown) -> None:
    """What it is about, and of when."""
    estate = shown.estate
    imported = " (imported, another system's)" if estate.source is Source.IMPORT else ""
    say(safe(shown.title))
    say(f"{'from' if shown.from_file else safe(estate.name) + imported + ', as of'} {rfc3339(estate.taken_at)}")
    say()


def _total(row: Mapping[str, Any]) -> object:
    return "unlimited" if row["installed"] is None else row["installed"]


_NEED_COLUMNS: Final = (
    Column("type", "type"),
    Column("hosts of", "version"),
    Column("needed", "needed"),
    Column("installed", _total),
    Column("by own CALs", "own"),
    Column("by newer CALs", "from_newer"),
    Column("short", "short"),
    Column("waiting", "waiting"),
)
_CHANGE_COLUMNS: Final = (
    Column("type", "type"),
    Column("hosts of", "version"),
    Column("needed", lambda row: _arrow(row, "needed")),
    Column("installed", lambda row: _arrow(row, "installed")),
    Column("by newer CALs", lambda row: _arrow(row, "from_newer")),
    Column("short", lambda row: _arrow(row, "short")),
    Column("waiting", lambda row: _arrow(row, "waiting")),
)


def _arrow(row: Mapping[str, Any], key: str) -> str:
    before, after = ("unlimited" if row[when][key] is None else row[when][key] for when in ("before", "after"))
    return str(after) if before == after else f"{before} -> {after}"


def _print_before_and_after(shown: Shown) -> None:
    before, after = (_by_key(one, shown) for one in (shown.result.before, shown.result.after))
    keys = sorted({*before, *after}, key=lambda key: (key[0], -key[1]))
    nothing = {"needed": 0, "installed": 0, "from_newer": 0, "short": 0, "waiting": 0}
    rows = []
    for key in keys:
        one = before.get(key) or after[key]
        both = {"before": before.get(key, nothing), "after": after.get(key, nothing)}
        rows.append({"type": one["type"], "version": one["version"], **both})
    if not table(_CHANGE_COLUMNS, rows):
        say("nobody is known to need a CAL, and no pack is installed")


def _by_key(standing: Standing, shown: Shown) -> dict[tuple[CalType, int], dict[str, Any]]:
    return {(row.type, row.family): _row(row, shown) for row in standing.rows}


def _print_steps(shown: Shown) -> None:
    rows = [{"at": rfc3339(one.at), "what": "; ".join(because)} for one, because in shown.result.standings]
    say()
    if not table((Column("when", "at"), Column("what happens", "what", Fit.FOLDED)), rows):
        say(f"nothing happens until {rfc3339(shown.result.until)}")


_FAILING_COLUMNS: Final = (
    Column("goes without from", "at"),
    Column("type", "type"),
    Column("hosts of", "version"),
    Column("number", lambda row: row["short"] + row["waiting"]),
    Column("what it means", "effect", Fit.FOLDED),
    Column("why", "why", Fit.FOLDED),
)
_FALL_UP_COLUMNS: Final = (
    Column("served by newer CALs", "number"),
    Column("type", "type"),
    Column("hosts of", "for"),
    Column("pack", "pack", Fit.CUT),
    Column("its version", "version"),
    Column("server", "server", Fit.FOLDED),
)
_REFUSED_COLUMNS: Final = (
    Column("refused from", "at"),
    Column("devices in all", "number"),
    Column("hosts of", "version"),
)
_MOST_DAYS: Final = 8
"""Days that the table of refused devices lists; scripts get all."""
_BUY_COLUMNS: Final = (
    Column("buy", "cals"),
    Column("version", "version"),
    Column("type", "type"),
    Column("units", lambda row: row["units"] if row["size"] > 1 else None),
    Column("cost", "cost"),
)


def _print_rest(shown: Shown) -> None:
    found = document(shown)
    for columns, rows in ((_FALL_UP_COLUMNS, found["fall_ups"]), (_FAILING_COLUMNS, found["failing"])):
        if rows:
            say()
            table(columns, rows)
    for line in reason_lines(dict.fromkeys(reason for one in found["failing"] for reason in one["why"])):
        say(f"  {line}")
    _print_refused(found["refused"])
    _print_purchase(found["purchase"])
    _print_sum(shown, found)
    for note in found["notes"]:
        say(f"note: {safe(note)}", err=True)


def _print_refused(rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        say()
        table(_REFUSED_COLUMNS, rows[:_MOST_DAYS])
        left = len(rows) - _MOST_DAYS
        if left > 0:
            say(f"and on {left} more days, the last {rows[-1]['at']}: --json lists them")


def _print_purchase(purchase: Mapping[str, Any]) -> None:
    if purchase["lines"]:
        say()
        table(_BUY_COLUMNS, purchase["lines"])
    if purchase["lines"] and purchase["cost"] is not None:
        say(f"cheapest purchase: {purchase['cost']} {safe(purchase['currency'] or '')}".rstrip())
    for one in purchase["without_offer"]:
        say(f"no price for {one['number']} {one['type']} CALs of {one['version']} or newer")


def _print_sum(shown: Shown, found: Mapping[str, Any]) -> None:
    say()
    for line in _sum(shown, found):
        say(line)


_NO_PURCHASE: Final = {
    Reason.ISSUING_RIGHT_ENDED: "a license server has no right to issue: to activate it helps, to buy CALs for it does not",
    Reason.PACK_MOVING: "a pack is on its way: once it has arrived, its free CALs serve who waits for them",
}


def _sum(shown: Shown, found: Mapping[str, Any]) -> Sequence[str]:
    if shown.result.holds:
        return ["nobody goes without a CAL"]
    cals = sum(line["cals"] for line in found["purchase"]["lines"])
    lines = [f"some go without a CAL: {cals} CALs must be bought" if cals else "some go without a CAL"]
    older = {
        one["version"]: one["short"] for one in found["failing"] if Reason.SERVER_VERSION_TOO_LOW.value in one["why"]
    }
    for version, number in older.items():
        lines.append(
            f"CALs alone do not serve {number} holders of {version}: no license server they ask is as new as that"
        )
    why = {reason for one in found["failing"] for reason in one["why"]}
    lines += [words for reason, words in _NO_PURCHASE.items() if reason.value in why]
    waiting = any(one["waiting"] for one in found["failing"])
    if waiting:
        kept = found["purchase_if_all_keep"]["lines"]
        buy = ", ".join(f"{line['cals']} of {line['version']}/{line['type']}" for line in kept)
        lines.append(
            "who waits needs no purchase: others hold newer CALs than their hosts ask for; revoke or release them, "
            f"or buy {buy or 'nothing'} in all"
        )
    return lines
