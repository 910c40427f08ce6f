"""How is per device against per user shown, to people and to scripts?"""

from typing import Any, Final

from calward.entrypoints.cli.common.output import Column, Fit, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.insight.plan_view import Shown, document, print_head
from calward.insight.planner.compare import Comparison, Way

__all__ = ["compared", "print_compared"]

_AS_IT_IS: Final = "as it is"
_COLUMNS: Final = (
    Column("way", "way"),
    Column("holders", "holders"),
    Column("without a CAL", "short"),
    Column("to buy", "buy", Fit.FOLDED),
    Column("cost", "cost"),
    Column("", lambda row: row["mark"] if row["best"] else None),
)


def compared(found: Comparison, shown: Shown) -> dict[str, Any]:
    """What scripts get: ``ways``, each with the keys of ``purchase`` of a plan; ``best``: which of them costs least."""
    whole = document(shown)
    ways = [_way(way, found, shown) for way in found.ways]
    best = [one["way"] for one in ways if one["best"]]
    return {key: whole[key] for key in ("estate", "source", "taken_at")} | {
        "ways": ways,
        "best": best,
        "notes": _notes(found),
    }


def _way(way: Way, found: Comparison, shown: Shown) -> dict[str, Any]:
    purchase = document(shown._replace(result=way.result))["purchase"]
    return {
        "way": way.type.value if way.type else _AS_IT_IS,
        "holders": way.holders,
        "changed": way.changed,
        "short": sum(row.short for row in way.result.before.rows),
        "purchase": purchase,
        "best": way in found.best,
    }


def _notes(found: Comparison) -> list[str]:
    told = [note for way in found.ways for note in way.result.notes]
    told += [
        f"{way.type}: {way.changed} holders of the other type are taken to be {_new(way, found)} of this one: "
        f"--{'users' if way.type.value == 'per-user' else 'devices'} NUMBER says how many they are"
        for way in found.ways
        if way.type and way.changed
    ]
    return [*dict.fromkeys(told), "CALs that are installed stay what they are: none is converted"]


def _new(way: Way, found: Comparison) -> int:
    return way.holders - (found.ways[0].holders - way.changed)


def print_compared(found: Comparison, shown: Shown) -> None:
    """A row a way, and which is the best."""
    print_head(shown)
    rows = [_row(one, priced=found.priced) for one in compared(found, shown)["ways"]]
    table(_COLUMNS, rows)
    say()
    names = " or ".join(row["way"] for row in rows if row["best"])
    if not names:
        say("none can be bought whole: there is no price for some of what is missing")
    elif found.priced:
        cost = next(row["cost"] for row in rows if row["best"])
        say(f"cheapest: {names}, for {cost} {safe(shown.prices.currency)}".rstrip())
    else:
        say(f"fewest CALs to buy: {names}; --prices FILE says which is cheapest")
    for note in _notes(found):
        say(f"note: {safe(note)}", err=True)


def _row(one: dict[str, Any], *, priced: bool) -> dict[str, Any]:
    purchase = one["purchase"]
    lines = [f"{line['cals']} of {line['version']}/{line['type']}" for line in purchase["lines"]]
    lines += [f"no price for {gap['number']} of {gap['version']}/{gap['type']}" for gap in purchase["without_offer"]]
    return one | {
        "buy": ", ".join(lines) or "nothing",
        "cost": purchase["cost"],
        "mark": "cheapest" if priced else "fewest",
    }
