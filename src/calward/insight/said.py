"""What does one check say: all is well, this is wrong, or it could not be looked at?

Shared by the diagnosis of an estate (``insight.diagnoser``) and of one session host (``app.sessionhost.diagnosis``), which differ in what
they look at, in what they find, and in whose commands help.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

__all__ = ["Fine", "Found", "NotLooked", "Result", "found"]

Trouble = TypeVar("Trouble")


class Result(StrEnum):
    """How a check ended."""

    OK = "ok"
    FOUND = "found"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class Fine:
    """Nothing is wrong; ``seen`` says what was there."""

    seen: str


@dataclass(frozen=True, slots=True)
class Found(Generic[Trouble]):
    """At least one thing is wrong."""

    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class NotLooked:
    """The check has no object here, or what it needs is missing."""

    why: str


def found(troubles: Iterable[Trouble], otherwise: Fine | NotLooked) -> Fine | Found[Trouble] | NotLooked:
    """Give what was found, or else what is to be said where that is nothing."""
    collected = tuple(troubles)
    return Found(collected) if collected else otherwise
