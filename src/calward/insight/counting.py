"""How many were there at each of many moments? One pass over what began and ended, however many moments are asked for."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

__all__ = ["counts_at"]

Key = TypeVar("Key", bound=Hashable)


def counts_at(changes: Iterable[tuple[Key, int, int]], moments: Sequence[int]) -> Mapping[Key, Sequence[int]]:
    """Add up.

    Args: changes: (what is counted, at which second, by how many it grows), in any order; moments: rising.
    Returns: for each key, one number a moment: the sum of all changes up to and including that second.
    """
    steps: dict[Key, list[int]] = {}
    for key, at, number in changes:
        places = steps.get(key)
        if places is None:
            places = steps[key] = [0] * (len(moments) + 1)
        places[bisect_left(moments, at)] += number
    return {key: list(accumulate(places[:-1])) for key, places in steps.items()}
