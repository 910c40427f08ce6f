"""Run a seed: its steps, then everything heals and has to add up. A failing run is made as short as it gets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.support.moving_world import acts
from tests.support.moving_world.checker import Checker
from tests.support.moving_world.healing import heal
from tests.support.moving_world.world import BrokenError, World

STEPS = 60


@dataclass
class Outcome:
    """What came of a seed; ``why`` None: all is well. ``told``: its story."""

    seed: int
    steps: tuple[int, ...]
    why: str | None = None
    kind: str = ""
    told: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        steps = ",".join(map(str, self.steps))
        story = "\n".join(self.told[-120:])
        return f"seed {self.seed}, steps {steps}: {self.why}\n{story}"


def run(seed: int, steps: Sequence[int] = range(STEPS)) -> Outcome:
    """Each step draws from its own source, so that steps can be left out and the others stay what they are."""
    world = World(seed)
    try:
        checker = Checker(world)
        outcome = Outcome(seed, tuple(steps), told=world.told, counts=world.counts)
        try:
            begin(world)
            for step in steps:
                _step(world, step)
                checker.after_step()
            heal(world, checker)
        except BrokenError as error:
            outcome.why, outcome.kind = str(error), "broken"
        except Exception as error:  # noqa: BLE001 - a program that fails here has a bug, whatever it raises
            outcome.why, outcome.kind = f"{type(error).__name__}: {error}", type(error).__name__
        return outcome
    finally:
        world.close()


def begin(world: World) -> None:
    """Most stories begin when the servers have been activated and have packs."""
    rng = Random(f"{world.seed}/begin")
    bad, world.network.bad, world.step = world.network.bad, 0.0, -1
    for copy in world.running() if rng.random() < 0.9 else ():
        acts.activate(world, rng, copy, online=True)
        for bought in world.purchases:
            if rng.random() < 0.5:
                acts.install(world, rng, copy, bought, online=True)
    world.network.bad = bad


def _step(world: World, step: int) -> None:
    rng = Random(f"{world.seed}/{step}")
    world.step, world.network.rng = step, rng
    world.later(rng.choice((1, 20, 60, 3600, 3600, 20_000, 86_400)))
    weights = _weights(world)
    act = rng.choices(list(weights), list(weights.values()))[0]
    if rng.random() < world.crashes:
        rng.choice(world.running()).ledger.doom.plan(rng)
    if rng.random() < world.crashes:
        world.store.doom.plan(rng)
    act(world, rng)
    world.store.doom.forget()
    for one in world.copies:
        one.ledger.doom.forget()


def _weights(world: World) -> dict[acts.Act, int]:
    """Each seed has its own taste: what it never does makes room for more of the rest. Some are about one thing only."""
    rng = Random(f"{world.seed}/taste")
    if rng.random() < 0.3:
        return dict(rng.choice(acts.THEMES))
    found = {act: weight * rng.choice((0, 1, 1, 1, 4)) for act, weight in acts.ACTS.items()}
    return found | (dict(acts.DISK_ACTS) if world.faulty_disks else {}) | {acts.contact: 18}


def shrink(failed: Outcome, tries: int = 300) -> Outcome:
    """The shortest story that fails in the same way: first its beginning, then without each step in turn."""
    best, steps = failed, list(failed.steps)
    size = len(steps) // 2
    while size and tries > 0:
        at = 0
        while at < len(steps) and tries > 0:
            fewer = steps[:at] + steps[at + size :]
            tries -= 1
            found = run(failed.seed, fewer)
            if found.why is not None and found.kind == failed.kind:
                best, steps = found, fewer
            else:
                at += size
        size //= 2
    return best
