"""A session host's outside in memory: license servers that answer by a list, a memory that is a dictionary."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from calward.app.sessionhost.ports import HostPolicy, Memory
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.heard import Heard, HeldLicense

T = TypeVar("T")
NOW = datetime(2026, 11, 24, 6, 22, 46, tzinfo=UTC)


def a_held_license(
    name: str = "L1",
    *,
    type: CalType = CalType.PER_USER,  # noqa: A002 - the field's name.
    status: str = "active",
    expires_at: datetime = datetime(2027, 1, 1, tzinfo=UTC),
    server: str | None = "one",
) -> HeldLicense:
    return HeldLicense(name, "2022", type, status, expires_at, "P1", "new", server)


GRANTED = Heard(a_held_license(), (), "D1")
NONE_FREE = Heard(None, ("no-cal-free",), "D2")


def trouble(problem: Problem = Problem.UNREACHABLE) -> LicensingError:
    return LicensingError(problem, f"license server one is {problem}")


class FakeServer:
    """Gives its answers in order, the last for ever; an error is raised. ``asked`` holds the questions."""

    def __init__(self, *answers: Heard | LicensingError, name: str = "one", grace_days: int | LicensingError = 120):
        self.name = name
        self.answers = list(answers)
        self.grace_days = grace_days
        self.asked: list[tuple[str, str, bool]] = []
        self.seconds: list[float] = []
        self.confirmed: list[str] = []
        self.refuses_to_confirm = False

    def request_for_user(self, user: str, request_id: str, *, full_only: bool, seconds: float) -> Heard:
        self.asked.append((user, request_id, full_only))
        self.seconds.append(seconds)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, LicensingError):
            raise answer
        return answer

    def request_for_device(
        self, name: str, hardware_id: str, request_id: str, *, full_only: bool, seconds: float
    ) -> Heard:
        return self.request_for_user(hardware_id, request_id, full_only=full_only, seconds=seconds)

    def confirm(self, license_id: str, *, seconds: float) -> None:
        self.confirmed.append(license_id)
        if self.refuses_to_confirm:
            raise trouble(Problem.CONFLICT)

    def policy(self, *, seconds: float, now: datetime) -> HostPolicy:
        if isinstance(self.grace_days, LicensingError):
            raise self.grace_days
        return HostPolicy("2022", "per-user", self.grace_days, now)


class MemoryInMemory:
    """Keeps one ``Memory`` of the host and the parts of each user."""

    def __init__(self, host: Memory | None = None):
        self.host = host or Memory()
        self.users: dict[str, Memory] = {}

    def of(self, user: str) -> Memory:
        known = self.users.get(user, Memory())
        return replace(self.host, last=known.last, sessions=known.sessions)

    def change(self, user: str, revise: Callable[[Memory], tuple[Memory, T]]) -> T:
        after, result = revise(self.of(user))
        self.host = self.users[user] = after
        return result
