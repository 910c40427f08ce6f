"""How are visits played, where what a host says next depends on what it was answered?

Runs as a process of its own: the plan is one JSON object on stdin, what was heard one on stdout. A device stays with one
connection, so that its visits keep their order.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.load import Connection

__all__ = ["Heard", "Plan", "Visit"]

_PLACEHOLDER = '{"license":"LICENSE"}'


@dataclass(frozen=True, slots=True)
class Visit:
    """A device at a host: the request and the confirmation as they go over the wire, the latter without its license."""

    device: int
    request: str
    confirm: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All visits in order."""

    port: int
    connections: int
    visits: list[Visit]


@dataclass(slots=True)
class Heard:
    """What came back: milliseconds of each request, outcomes ("granted active", …), and reasons where it was less."""

    seconds: float = 0.0
    ms: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    less_than_full: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    first_wrong: str = ""


class _Player(Connection):
    """Plays visits: a request, then at a device's first visit the confirmation of the license that came."""

    def __init__(self, visits: Sequence[Visit], done: "asyncio.Future[None]") -> None:
        super().__init__(done)
        self._visits = iter(visits)
        self._visit: Visit | None = None
        self._confirming = False
        self._known: set[int] = set()
        self.answers: list[bytes] = []

    def following(self, answer: bytes | None) -> bytes | None:
        """The confirmation that belongs to the answer, or the next visit's request."""
        if answer is not None and not self._confirming:
            self.answers.append(answer)
            license_ = _license_in(answer)
            if self._visit and license_ and self._visit.device not in self._known:
                self._known.add(self._visit.device)
                self._confirming = True
                return _confirmation(self._visit.confirm, license_)
        self._confirming = False
        self._visit = next(self._visits, None)
        return self._visit.request.encode("latin-1") if self._visit else None


def _license_in(answer: bytes) -> str:
    """The license's name, found without reading the whole answer."""
    _, found, rest = answer.partition(b'"license":{"id":"')
    return rest.partition(b'"')[0].decode() if found else ""


def _confirmation(template: str, license_: str) -> bytes:
    body = _PLACEHOLDER.replace("LICENSE", license_)
    old, new = f"Content-Length: {len(_PLACEHOLDER)}", f"Content-Length: {len(body)}"
    return template.replace(_PLACEHOLDER, body).replace(old, new).encode("latin-1")


async def _play(plan: Plan) -> tuple[float, list[_Player]]:
    loop = asyncio.get_running_loop()
    players: list[_Player] = []
    for number in range(plan.connections):
        mine = [visit for visit in plan.visits if visit.device % plan.connections == number]
        player = _Player(mine, loop.create_future())
        await loop.create_connection(lambda player=player: player, "127.0.0.1", plan.port)
        players.append(player)
    began = perf_counter()
    for player in players:
        player.start()
    await asyncio.gather(*(player.done for player in players))
    return perf_counter() - began, players


def _heard(seconds: float, players: Sequence[_Player]) -> Heard:
    heard = Heard(seconds, [ms for x in players for ms in x.ms])
    heard.statuses = dict(sum((x.statuses for x in players), Counter()))
    heard.first_wrong = next((x.wrong[0].decode("latin-1")[:2000] for x in players if x.wrong), "")
    outcomes, less, refused = Counter[str](), Counter[str](), Counter[str]()
    for answer in (json.loads(raw.partition(b"\r\n\r\n")[2]) for x in players for raw in x.answers):
        _count(answer, outcomes, less, refused)
    heard.outcomes, heard.less_than_full, heard.refused = dict(outcomes), dict(less), dict(refused)
    return heard


def _count(answer: dict[str, Any], outcomes: Counter[str], less: Counter[str], refused: Counter[str]) -> None:
    outcome, status = answer.get("outcome", "error"), (answer.get("license") or {}).get("status", "")
    outcomes[f"{outcome} {status}".rstrip()] += 1
    if outcome == "granted" and status != "active":
        less.update(answer["reason"])
    elif outcome != "granted":
        refused.update(answer.get("reason", ()))


def main() -> None:
    """Play the plan of stdin."""
    plan = json.load(sys.stdin)
    visits = [Visit(**visit) for visit in plan.pop("visits")]
    print(json.dumps(asdict(_heard(*uvloop.run(_play(Plan(**plan, visits=visits)))))))


if __name__ == "__main__":
    main()
