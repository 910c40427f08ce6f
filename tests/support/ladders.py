"""Which ladders do tests stand on?"""

import tomllib
from itertools import accumulate
from pathlib import Path

from hypothesis import strategies as st

from calward.adapters.ladders import load_ladder
from calward.domain.ladder import Ladder, parse_ladder

HARBOR_FILE = Path(__file__).with_name("harbor.toml")
"""A ladder that no code can know."""


def windows_server() -> Ladder:
    """Give the shipped ladder."""
    return load_ladder("windows-server")


def harbor() -> Ladder:
    """Give the invented ladder: families {sloop, Ketch, ketch-II}, {barque}, {4.2}."""
    return parse_ladder(tomllib.loads(HARBOR_FILE.read_text(encoding="utf-8")))


def a_rung(id_: str = "v1", **changes: object) -> dict[str, object]:
    """Build one rung as a ladder file holds it; a change to ``None`` leaves the key out."""
    rung = {"id": id_, "title": f"Version {id_}", "host_name": "host", "cal_name": "CAL"} | changes
    return {key: value for key, value in rung.items() if value is not None}


def a_ladder_file(*rungs: object, **changes: object) -> dict[str, object]:
    """Build what a ladder file holds; a change to ``None`` leaves the key out."""
    ladder = {"name": "plain", "title": "Plain", "rungs": list(rungs) or [a_rung()]} | changes
    return {key: value for key, value in ladder.items() if value is not None}


def ladder_of(family_sizes: list[int]) -> Ladder:
    """Build a ladder with families of these sizes; its versions are v0, v1, ..."""
    oldest = [0, *accumulate(family_sizes)]
    rungs = [
        a_rung(f"v{number}", family=f"v{first}")
        for first, size in zip(oldest, family_sizes, strict=False)
        for number in range(first, first + size)
    ]
    return parse_ladder(a_ladder_file(*rungs))


any_ladder = st.lists(st.integers(1, 4), min_size=1, max_size=8).map(ladder_of)
"""Ladders of one to eight families of one to four versions."""


@st.composite
def ladder_and_versions(draw: st.DrawFn, count: int) -> tuple[Ladder, list[str]]:
    """Draw a ladder and some of its versions, which may be the same."""
    ladder = draw(any_ladder)
    return ladder, draw(st.lists(st.sampled_from(ladder.versions), min_size=count, max_size=count))
