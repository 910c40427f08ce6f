"""How does a scenario come out? Plays it step by step, in virtual time, through the use cases of the license server."""

from calward.app.scenarios.acts import carry_out
from calward.app.scenarios.connections import connect
from calward.app.scenarios.expectations import mismatches
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.app.scenarios.results import Played, Result, ScenarioReport
from calward.app.scenarios.story import Connect, Scenario, Step
from calward.app.scenarios.touch import keep_in_touch
from calward.app.scenarios.world import LedgerFactory, World

__all__ = ["play"]


def play(scenario: Scenario, make_ledger: LedgerFactory = MemoryLedger) -> ScenarioReport:
    """Play a scenario to its end; a step that does not come out as expected does not stop it.

    ``make_ledger`` makes an empty ledger for each license server.
    """
    world = World.of(scenario, make_ledger)
    return ScenarioReport(scenario.title, tuple(_play(step, world) for step in scenario.steps))


def _play(step: Step, world: World) -> Played:
    world.sweep(step.at)
    keep_in_touch(world, step.at)
    result = _result(step, world)
    return Played(step, result, mismatches(step.expect, result.facts))


def _result(step: Step, world: World) -> Result:
    if isinstance(step.act, Connect):
        return connect(step.act, world, step.at, f"step-{step.number}")
    return carry_out(step.act, world, step.at)
