"""What if either side of a move is killed at any moment? Asked again, it goes on; no pack is on two servers, none is lost."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.estate import PROGRAM, Estate, an_estate

AFTER = [0.05, 0.3, 0.6, 1.0]
"""Seconds after which the kill comes; where it hits is left to chance, what must hold is the same everywhere."""


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with an_estate(tmp_path) as made:
        made.serve_clearinghouse()
        for name in ("old", "new"):
            made.serve(name, "2022")
            assert made.at(name, "server", "activate", "--clearinghouse", made.url).code == 0
        yield made


def holders(estate: Estate, pack: str) -> list[str]:
    return [name for name in ("old", "new") if pack in estate.packs(name)]


def interrupted(estate: Estate, asking: str, victim: str, seconds: float, *command: str) -> None:
    """Ask, and kill the victim while it is at it."""
    where = f"unix:{estate.servers[asking].places['socket']}"
    with subprocess.Popen(
        [*PROGRAM, *command, "--server", where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as asked:
        with suppress(subprocess.TimeoutExpired):
            asked.wait(timeout=seconds)
        process = estate.ch if victim == "ch" else estate.servers[victim]
        assert process is not None
        process.end(signal.SIGKILL)
        asked.wait(timeout=60)
    process.start()


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["old", "new", "ch"])
def test_a_move_goes_on_after_either_side_was_killed_in_the_middle(estate: Estate, victim: str) -> None:
    estate.at("old", "pack", "install", "--program", "retail", *estate.buy())
    (pack,) = estate.packs("old")
    (number,) = estate.desk("purchase", "list", "--json").json["items"][0]["numbers"]
    move = ("pack", "move", "--from", estate.id_of("old"), "--pack", pack, "--proof", number)
    steps = [("new", move), ("old", ("server", "contact")), ("new", ("server", "contact"))]
    for (asking, command), seconds in zip(steps, AFTER, strict=False):
        interrupted(estate, asking, victim, seconds, *command)
    estate.at("new", *move)
    for _ in range(2):
        for name in ("old", "new"):
            ran = estate.at(name, "server", "contact")
            assert ran.code == 0, ran
    assert holders(estate, pack) == ["new"]
    assert estate.at("new", "pack", "moves", "--json").json["items"] == []
    assert estate.desk("audit", "verify").code == 0
    for name in ("old", "new"):
        assert estate.at(name, "audit", "verify").code == 0
