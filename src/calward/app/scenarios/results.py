"""What came of a step, and of a scenario?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calward.app.scenarios.expectations import Mismatch
from calward.app.scenarios.story import Step
from calward.domain.trace import Line

__all__ = ["Played", "Result", "ScenarioReport", "refusal"]


@dataclass(frozen=True, slots=True)
class Result:
    """``facts``: the result by the keys that ``expect`` may name; ``detail``: a sentence about a refusal, where there is one."""

    facts: Mapping[str, object]
    trace: tuple[Line, ...] = ()
    detail: str = ""


def refusal(reasons: Sequence[str], detail: str) -> Result:
    """The result of a step that was refused."""
    return Result({"outcome": "refused", "reason": list(reasons)}, detail=detail)


@dataclass(frozen=True, slots=True)
class Played:
    """A step, its result, and where that is not what was expected."""

    step: Step
    result: Result
    mismatches: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True)
class ScenarioReport:
    """A scenario that was played to its end."""

    title: str
    played: tuple[Played, ...]

    @property
    def holds(self) -> bool:
        """Whether every expectation holds."""
        return not any(played.mismatches for played in self.played)
