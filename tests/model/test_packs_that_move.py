"""Can anything that goes wrong let a pack be used on two license servers, or lose a CAL? Whole stories in virtual time, from seeds.

Two license servers, a clearinghouse, hosts; messages get lost, doubled, late, and come again; processes die between any two steps;
disks are copied and put back. ``CALWARD_SEEDS=5000`` for more of them, ``CALWARD_FIRST_SEED`` for others. A seed that failed once
is kept in ``failed_seeds.txt`` with the steps that are needed, and is run first.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from calward.domain.register import TRANSITIONS, Act, RegisterState
from tests.support.moving_world.mistakes import plant
from tests.support.moving_world.runs import STEPS, Outcome, run, shrink

SEEDS = int(os.environ.get("CALWARD_SEEDS", "160"))
FIRST = int(os.environ.get("CALWARD_FIRST_SEED", "0"))
KEPT = Path(__file__).with_name("failed_seeds.txt")


def kept() -> Iterator[tuple[int, tuple[int, ...]]]:
    """The stories that failed once: a seed and its steps a line, a comment after ``#``."""
    for line in KEPT.read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].split()
        if words:
            steps = tuple(int(x) for x in words[1].split(",")) if len(words) > 1 else tuple(range(STEPS))
            yield int(words[0]), steps


def keep(failed: Outcome) -> None:
    steps = ",".join(str(x) for x in failed.steps)
    with KEPT.open("a", encoding="utf-8") as file:
        file.write(f"{failed.seed} {steps}  # {str(failed.why)[:100]}\n")


@pytest.mark.parametrize(("seed", "steps"), list(kept()))
def test_a_story_that_failed_once_ends_well(seed, steps):
    outcome = run(seed, steps)
    assert outcome.why is None, str(outcome)


@pytest.mark.timeout(0)
def test_no_pack_is_ever_used_on_two_servers_and_no_cal_is_lost(record_property):
    seen: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + SEEDS):
        outcome = run(seed)
        seen.update(outcome.counts)
        if outcome.why is not None:
            shortest = shrink(outcome)
            keep(shortest)
            pytest.fail(str(shortest))
    record_property("stories", str(dict(sorted(seen.items()))))


# The seeds that find a mistake first; others are tried where a change of the stories has made them miss it.
FOUND_BY: dict[str, int] = {
    "a claim takes effect at once": 1,
    "a claim takes effect before the right has ended": 19,
    "a late word gives up a newer right": 1986,
    "a right is given before the source knows of a claim": 52,
    "a right that was given up is taken back from the wire": 201,
    "copies are told by their size alone": 206,
    "licenses stay behind": 4,
    "nobody compares what hosts have seen": 62,
    "old generations are installed": 13,
    "requests are not remembered": 1,
    "the source forgets to freeze": 16,
}


@pytest.mark.timeout(0)
@pytest.mark.parametrize("mistake", FOUND_BY)
def test_a_mistake_that_is_planted_is_found(mistake, monkeypatch):
    plant(mistake, monkeypatch.setattr)
    seeds = (FOUND_BY[mistake], *range(60))
    assert any(run(seed).why for seed in seeds), f"no story notices that {mistake}"


PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "how-a-pack-moves.md"


@pytest.mark.parametrize(("act", "state"), list(product(Act, RegisterState)))
def test_the_table_of_states_on_the_page_is_that_of_the_code(act, state):
    rows = dict(re.findall(r"^\| (\w+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    after = TRANSITIONS[state].get(act)
    assert rows[act].split(" | ")[list(RegisterState).index(state)] == ("refused" if after is None else after)
