"""Mistakes that somebody could make in the programs, to be planted: a checker that notices none of them is worth nothing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from calward.adapters.clearinghouse.papers import SqlitePapers
from calward.app.clearinghouse import answer, contact, deactivate, order_move, rights
from calward.app.licensing import deactivate as giving_up
from calward.app.licensing import end_transfer, install_key_pack, receive_pack, release_pack, signed_things, take_orders
from calward.app.licensing.acts import Done
from calward.app.licensing.watch_checkpoints import CheckpointWatch
from calward.domain import register

Place: TypeAlias = tuple[Any, str, Any]


def no_freeze(command: Any, book: Any, *, now: int) -> Done:
    return Done("frozen")


def always(value: Any) -> Callable[..., Any]:
    return lambda *args, **options: value


def any_cancel(ref: Any, number: str, known: Any, book: Any, now: int, by: str) -> Done:
    """Unfreezes whatever is frozen, for whichever transfer."""
    pack = book.shelf().by_id.get(ref.pack_id)
    if pack is not None and pack.transfer is not None:
        return end_transfer.unfreeze_pack(pack.id, pack.transfer, book, now=now, by=by)
    return Done("ended", facts={"pack": ref.pack_id})


def late_words(request: Any, asked: Any) -> Any:
    """A word that gives up the right counts however late it comes."""
    return _deactivate(request, replace(asked, server=replace(asked.server, right_asked_at=None)))


_deactivate = deactivate.deactivate
_shown = contact.went_back

MISTAKES: Mapping[str, tuple[Place, ...]] = MappingProxyType(
    {
        "a claim takes effect at once": ((order_move, "takes_effect_at", lambda until, now: now),),
        "a claim takes effect before the right has ended": ((register, "SAFETY", timedelta(days=-20)),),
        "a right outlasts the day of a claim": ((rights, "latest_right", always(None)),),
        "a right is given before the source knows of a claim": ((rights, "_may_use_what_is_not_its", always(False)),),
        "the source forgets to freeze": ((release_pack, "freeze_pack", no_freeze),),
        "any cancelled move unfreezes": ((end_transfer, "_cancel", any_cancel),),
        "old generations are installed": ((install_key_pack, "lowest_generation", always(1)),),
        "packs of before the register are installed": (
            (signed_things, "_no_older_than_the_register", lambda found, book: found),
        ),
        "the right is taken before the news": ((take_orders, "_last", lambda one: not _last(one)),),
        "a right that was given up is taken back from the wire": ((giving_up, "CONTACT_NONCE", "x"), (giving_up, "NONCE", "y")),
        "a late word gives up a newer right": ((deactivate, "deactivate", late_words), (answer, "_ACTS", {})),
        "copies are told by their size alone": ((contact, "_why_another", lambda server, word, seen: (
            contact.rolled_back(server, seen) if _shown(server, seen) else None)),),
        "nobody compares what hosts have seen": ((CheckpointWatch, "compare", always(None)),),
        "licenses stay behind": ((receive_pack, "_adopt", always(False)),),
        "requests are not remembered": ((SqlitePapers, "answered", always(None)),),
    }
)  # fmt: skip


def _last(one: Any) -> bool:
    return bool(one.kind is take_orders.PayloadType.ACTIVATION)


def plant(name: str, setattr_: Callable[[Any, str, Any], None]) -> None:
    """Plant a mistake with pytest's ``monkeypatch.setattr``."""
    for owner, what, value in MISTAKES[name]:
        if what == "_ACTS":
            value = {**answer._ACTS, answer.PayloadType.DEACTIVATION: late_words}  # noqa: PLW2901
        setattr_(owner, what, value)
