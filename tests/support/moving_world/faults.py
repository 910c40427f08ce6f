"""Processes that die between any two steps, and lines on which things get lost."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from calward.domain.errors import LicensingError, Problem


class CrashError(Exception):
    """A process has died: what was committed stays, everything else is gone."""


class HouseCrashError(CrashError):
    """The clearinghouse's process, not the license server's."""


@dataclass
class Doom:
    """When a process dies next: at its ``at``-th transaction from now on, before or after the commit; 0: not yet."""

    error: type[CrashError] = CrashError
    at: int = 0
    after: bool = False
    happened: int = 0

    def plan(self, rng: Random) -> None:
        self.at, self.after = rng.choice((1, 1, 2, 2, 3, 4, 5, 6, 8)), rng.random() < 0.5

    def forget(self) -> None:
        self.at = 0

    def strikes(self) -> bool:
        """Whether it is this transaction's turn."""
        if self.at == 0:
            return False
        self.at -= 1
        return self.at == 0

    def die(self) -> None:
        self.happened += 1
        raise self.error


@dataclass
class Network:
    """What becomes of an exchange: all is well, or the request, or the answer, gets lost, or the request comes twice."""

    rng: Random = field(default_factory=Random)
    bad: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    def weather(self) -> str:
        what = "well"
        if self.rng.random() < self.bad:
            what = self.rng.choice(("request lost", "answer lost", "doubled", "overtaken"))
        self.counts[what] = self.counts.get(what, 0) + 1
        return what


def unreachable() -> LicensingError:
    return LicensingError(Problem.UNREACHABLE, "nobody answers")


@dataclass
class FaultyLedger:
    """A ledger whose process may die at any transaction (port ``Ledger``); ``disk`` keeps what is durable."""

    disk: Any
    doom: Doom = field(default_factory=Doom)

    def write(self, act: Callable[[Any], Any]) -> Any:
        if not self.doom.strikes():
            return self.disk.ledger.write(act)
        if self.doom.after:
            self.disk.ledger.write(act)
        else:
            self.disk.fail(act)
        return self.doom.die()


@dataclass
class FaultyStore:
    """The clearinghouse's store, likewise."""

    store: Any
    doom: Doom = field(default_factory=lambda: Doom(HouseCrashError))

    def write(self, act: Callable[[Any], Any]) -> Any:
        if not self.doom.strikes():
            return self.store.write(act)
        if self.doom.after:
            self.store.write(act)
            return self.doom.die()

        def dying(book: Any) -> None:
            act(book)
            self.doom.die()

        return self.store.write(dying)

    def read(self, look: Callable[[Any], Any]) -> Any:
        if self.doom.strikes():
            self.doom.die()
        return self.store.read(look)
