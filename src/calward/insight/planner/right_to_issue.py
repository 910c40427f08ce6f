"""What a plan may do with a license server's right to issue."""

from dataclasses import dataclass

from calward.domain.errors import LicensingError, Problem
from calward.insight.planner.keeping import settled
from calward.insight.planner.stage import Stage

__all__ = ["Activate", "Lapse", "activate", "lapse"]


@dataclass(frozen=True, slots=True)
class Lapse:
    """From now on a license server gives temporary licenses only, and renews none."""

    server: str


@dataclass(frozen=True, slots=True)
class Activate:
    """A license server may issue again."""

    server: str


def lapse(edit: Lapse, stage: Stage) -> None:
    """Take the right away; ``edit.server``: as the stage writes it. Raises: LicensingError(CONFLICT): it has none."""
    if edit.server in stage.lapsed:
        raise LicensingError(Problem.CONFLICT, f"license server {edit.server} has no right to issue already")
    stage.uses = settled(stage)
    stage.lapsed[edit.server] = stage.now


def activate(edit: Activate, stage: Stage) -> None:
    """Give it back. Raises: LicensingError(CONFLICT): it has one."""
    if stage.lapsed.pop(edit.server, None) is None:
        raise LicensingError(Problem.CONFLICT, f"license server {edit.server} has the right to issue already")
