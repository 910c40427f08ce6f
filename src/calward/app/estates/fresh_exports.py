"""Which files of a folder are to be imported now: fresh ones, whole, each content once?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

__all__ = ["FolderState", "Stamp", "after_import", "after_look", "fresh"]

_MOST_DIGESTS = 10_000
"""Contents that are remembered."""


class Stamp(NamedTuple):
    """What changes when a file does: bytes, and nanoseconds since 1970."""

    size: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class FolderState:
    """What was in the folder at the last look, what of it was imported as it is, and digests of contents, oldest first."""

    seen: Mapping[str, Stamp] = field(default_factory=dict)
    imported: Mapping[str, Stamp] = field(default_factory=dict)
    digests: Sequence[str] = ()


def fresh(state: FolderState, now: Mapping[str, Stamp]) -> tuple[str, ...]:
    """Files that were not imported as they are now, all of one export; none while one of them is new or still grows."""
    names = tuple(sorted(name for name, stamp in now.items() if state.imported.get(name) != stamp))
    return names if all(state.seen.get(name) == now[name] for name in names) else ()


def after_look(state: FolderState, now: Mapping[str, Stamp]) -> FolderState:
    """What is known after a look; files that have left the folder are forgotten, their contents are not."""
    kept = {name: stamp for name, stamp in state.imported.items() if name in now}
    return replace(state, seen=dict(now), imported=kept)


def after_import(state: FolderState, done: Mapping[str, Stamp], digests: Sequence[str]) -> FolderState:
    """What is known after files have been imported, or were found to hold what was imported before."""
    all_digests = tuple(dict.fromkeys((*state.digests, *digests)))[-_MOST_DIGESTS:]
    return replace(state, imported={**state.imported, **done}, digests=all_digests)
