"""Who must hear that CALs run short?

The article's two warnings (20: few left, 21: none left), each naming server, CAL, host and what was given instead; and 18, that
temporary licenses only are issued. Each at most once a day per CAL, so that a log stays readable.
"""

from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any

from calward.app.ports import Book
from calward.domain.events import Event, Kind
from calward.domain.issuing import Asking, Decision
from calward.domain.key_packs import KeyPack
from calward.domain.parties import Host, Server
from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["note_shortages"]


def note_shortages(event: Event, decision: Decision, asking: Asking, host: Host, server: Server, book: Book) -> None:
    """Write the warnings that a decision gives cause for; ``event`` is the decision's."""
    if asking.blocked:
        _warn(
            book,
            event,
            asking.now,
            Kind.NOT_ACTIVATED,
            18,
            str(asking.blocked),
            {"server": server.name, "host": host.name},
        )
        return
    if not asking.proven:
        return
    taken = decision.family if decision.seat and decision.license is None else None
    if taken != asking.host_family:
        _none_left(book, event, asking, host, server)
    if taken is not None and not book.plenty(asking.mode, taken):
        family = asking.shelf.same_family(asking.mode, taken, asking.now)
        _few_left(book, event, asking, host, server, family)


def _few_left(book: Book, event: Event, asking: Asking, host: Host, server: Server, packs: tuple[KeyPack, ...]) -> None:
    total = sum([pack.total for pack in packs])
    low = _low(total, server.settings.low_share)
    left = book.few_left(asking.mode, packs, asking.now, low)
    if left is not None:
        more = {"server": server.name, "host": host.name, "cal": _cal(packs[0]), "left": left, "total": total}
        _warn(book, event, asking.now, Kind.SHORTAGE, 20, _cal(packs[0]), more | {"given": _given(event)})


@lru_cache(maxsize=256)
def _low(total: int, share: Decimal) -> int:
    """How many CALs are few: this share of all, rounded down."""
    return int((total * share).to_integral_value(ROUND_FLOOR))


def _none_left(book: Book, event: Event, asking: Asking, host: Host, server: Server) -> None:
    """The host's own version is out, or was never there; what was given instead may be a newer CAL."""
    if event.get("license", event["id"]) != event["id"]:
        return  # The holder only went on with what it had: nobody was short of anything new.
    packs = asking.shelf.same_family(asking.mode, asking.host_family, asking.now)
    cal = _cal(packs[0]) if packs else f"{host.version}/{asking.mode.value}"
    if not packs and event.get("pack"):
        return  # No CAL of this version was ever bought and a newer one serves: that is how it is meant.
    total = sum(pack.total for pack in packs)
    more = {"server": server.name, "host": host.name, "cal": cal, "left": 0, "total": total, "given": _given(event)}
    _warn(book, event, asking.now, Kind.SHORTAGE, 21, cal, more)


def _warn(book: Book, event: Event, now: int, kind: Kind, number: int, about: str, more: dict[str, Any]) -> None:
    """``now`` and not the event's own time: an equal refusal may have been written down up to an hour ago."""
    if book.due(f"{number} {about}", now, SECONDS_PER_DAY):
        book.append(
            {"id": book.new_id(), "at": now, "kind": kind.value, "number": number, "decision": event["id"]} | more
        )


def _cal(pack: KeyPack) -> str:
    return f"{pack.version}/{pack.type.value}"


def _given(event: Event) -> str:
    """What the client got: a CAL by name, "temporary", "over-used", or "nothing"."""
    if event.get("pack"):
        return f"{event['version']}/{event['type']}"
    return str(event.get("status", "nothing"))
