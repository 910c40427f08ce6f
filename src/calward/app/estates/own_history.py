"""Read the whole past of our own ledger for reports: packs from their events, licenses counted by the day in the database."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from calward.app.licensing.show_status import needed_server
from calward.app.reading import Reader
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Event, Kind
from calward.insight.estate import LicenseStatus, PackType
from calward.insight.own_history import Holding, OwnHistory, Step

__all__ = ["history_from", "history_json", "holdings_of", "take_history"]

_GONE: Final = frozenset({Kind.PACK_REMOVED.value, Kind.PACK_MOVED_OUT.value})


def take_history(reader: Reader, *, until: int) -> OwnHistory:
    """Everything up to a second since 1970; raises LicensingError(NOT_FOUND): the ledger is empty."""
    needed_server(reader)
    steps = [
        Step(one.pack, PackType(one.type), LicenseStatus(one.status), one.version, one.days, one.number)
        for one in reader.use_steps(until)
    ]
    return OwnHistory(until, list(holdings_of(reader.pack_events())), steps)


def holdings_of(events: Iterable[Event]) -> Iterator[Holding]:
    """What packs were from when to when; ``events``: all about packs, in order.

    Those after the time that is asked for as well: a license bears the number of the part that its pack was split into later.
    """
    here: dict[str, Holding] = {}
    for event in events:
        at, name = event["at"], event.get("pack", "")
        before = here.get(name)
        if event["kind"] == Kind.PACK_INSTALLED.value:
            whole = here.get(event.get("split_from", ""))
            here[name] = _holding(event, event["id"], whole.pack if whole else None)
        elif before is not None and event["kind"] == Kind.PACK_CHANGED.value:
            yield before._replace(end=at)
            here[name] = _holding(event, before.pack, before.split_from)
        elif before is not None and event["kind"] in _GONE:
            yield here.pop(name)._replace(end=at)
    yield from here.values()


def _holding(event: Event, number: int, split_from: int | None) -> Holding:
    type_, total, expires = PackType(event["type"]), event["total"], event["expires"]
    return Holding(number, event["at"], None, event["version"], type_, total, expires, split_from)


def history_json(found: OwnHistory) -> bytes:
    """As one JSON object: ``until``, ``holdings``, ``steps``, rows as lists in the order of their fields."""
    return msgspec.json.encode({"until": found.until, "holdings": found.holdings, "steps": found.steps})


def history_from(document: Mapping[str, Any]) -> OwnHistory:
    """Read what ``history_json`` gives, parsed; raises LicensingError(MALFORMED)."""
    try:
        return msgspec.convert(dict(document), OwnHistory)
    except msgspec.ValidationError as error:
        raise LicensingError(Problem.MALFORMED, f"this is no history of a ledger: {str(error)[:200]}") from None
