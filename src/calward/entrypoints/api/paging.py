"""How does a list come in pages? After a key, never after a count, so that nothing is shown twice or passed over."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from calward.domain.answers import numbered
from calward.domain.errors import LicensingError, Problem
from calward.domain.names import check_holder
from calward.entrypoints.api.answers import Items

__all__ = ["After", "Limit", "number_after", "page_of", "seen"]

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="How many items at most")]
After = Annotated[str | None, Query(max_length=300, description="`next` of the page before")]


def number_after(after: str | None, letter: str) -> int | None:
    """The number in a cursor; raises LicensingError(MALFORMED)."""
    if after is None:
        return None
    number = numbered(after, letter)
    if number is None:
        raise LicensingError(Problem.MALFORMED, "after must be next of the page before", field="after")
    return number


def page_of(items: Sequence[T], key: Callable[[T], str], limit: int, after: str | None) -> Items[Any]:
    """A page of a short list that is read whole; ``key`` names an item."""
    in_order = sorted((x for x in items if after is None or key(x) > after), key=key)
    shown = in_order[:limit]
    return Items(items=shown, next=key(shown[-1]) if len(in_order) > limit else None)


def seen(text: str | None, what: str) -> str | None:
    """A text to look for; raises LicensingError(MALFORMED) for one that nothing can be called."""
    return None if text is None else check_holder(text, what)
