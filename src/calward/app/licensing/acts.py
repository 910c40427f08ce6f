"""How is an administrator's act written down, done or refused?"""

from dataclasses import dataclass, field
from typing import Any

from calward.app.ports import Book
from calward.domain.events import Kind
from calward.domain.reasons import SENTENCES, Reason

__all__ = ["Done", "RefusedAct", "refuse_act", "write_act"]


@dataclass(frozen=True, slots=True)
class Done:
    """An act that was carried out: ``outcome`` is its past participle, ``event`` the number of its event (0: nothing changed)."""

    outcome: str
    event: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """An act that was refused, with everything that stood in the way; ``detail`` is one sentence that helps."""

    reasons: tuple[Reason, ...]
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)
    outcome: str = "refused"


def write_act(book: Book, kind: Kind, at: int, by: str, **facts: Any) -> int:  # noqa: ANN401 - an event's keys
    """Append the event of an act by ``by`` (whom the door knew) and return its number; facts that are None stay away."""
    number = book.new_id()
    known = {key: value for key, value in facts.items() if value is not None}
    book.append({"id": number, "at": at, "kind": kind.value, "by": by} | known)
    return number


def refuse_act(book: Book, act: str, at: int, by: str, reason: Reason, detail: str = "", **facts: Any) -> RefusedAct:  # noqa: ANN401
    """Write down that an act was refused, and say so; facts go into the event and the answer."""
    write_act(book, Kind.ACT_REFUSED, at, by, act=act, reasons=[reason.value], **facts)
    return RefusedAct((reason,), detail or SENTENCES[reason], facts)
