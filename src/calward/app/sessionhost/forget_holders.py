"""Whom may a session host forget? What it remembers of devices and users must not grow for ever, nor by strangers' will.

While no license server answers, the newest license in hand decides, and one that has ended counts as none
(rd-licensing 3.2, 3.3; ``calward.domain.grace``): from then on what is remembered of its holder changes no answer. Whether a
device was ever given a temporary license, and whether it is proven, is the license server's to know.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from calward.app.sessionhost.ports import BoundSession, HolderShelf, Memory
from calward.domain.licenses import Status

__all__ = ["KEPT_AFTER_END", "forget_holders"]

KEPT_AFTER_END: Final = timedelta(days=7)
"""The rule needs none of it; a clock that was wrong for some days must not cost the host what it knows."""
_KEPT_OF_TEN: Final = 9
"""Where there are too many, some more than that go: else each newcomer would have all of them looked through."""
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

IsGone = Callable[[BoundSession], bool]


def forget_holders(shelf: HolderShelf, now: datetime, *, most: int, is_gone: IsGone) -> int:
    """Forget who cannot matter any more, and of more than ``most`` those who matter least; gives how many were forgotten.

    Unproven devices go first: anybody can make up as many as they like. Whoever has a session goes last.
    """
    judged = list(shelf.holders())
    useless = [one for one in judged if not _matters(one[1], now, is_gone)]
    forgotten = shelf.forget(useless)
    if shelf.count() <= most:
        return forgotten
    left = sorted(
        (one for one in judged if _matters(one[1], now, is_gone)), key=lambda one: _weight(one[1], now, is_gone)
    )
    too_many = len(left) - most * _KEPT_OF_TEN // 10
    return forgotten + shelf.forget(left[: max(0, too_many)])


def _matters(memory: Memory, now: datetime, is_gone: IsGone) -> bool:
    runs = memory.last is not None and now < memory.last.expires_at + KEPT_AFTER_END
    return runs or _in_session(memory, is_gone)


def _in_session(memory: Memory, is_gone: IsGone) -> bool:
    return not all(is_gone(one) for one in memory.sessions)


def _weight(memory: Memory, now: datetime, is_gone: IsGone) -> tuple[bool, bool, bool, datetime]:
    """In a session, proven, still running, and then whose license ends last."""
    held = memory.last
    proven = memory.proven or (held is not None and held.status == Status.ACTIVE)
    return (
        _in_session(memory, is_gone),
        proven,
        held is not None and held.runs(now),
        held.expires_at if held else _NEVER,
    )
