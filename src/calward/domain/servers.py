"""Which of a session host's license servers gives the license?

A host goes down its list twice. First it asks each server for a full license only; a server without a free CAL for the
holder is passed over and records nothing. Only when none has one does the first that answers give what it gives: a
temporary license, an over-use record, or a refusal. A host with one server asks once.

Source: design, section 3, several license servers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from calward.domain.heard import Heard
from calward.domain.reasons import Reason

__all__ = ["Ask", "Chosen", "choose_server"]

Server = TypeVar("Server")
"""Whatever names a server to ``ask``: an address, a name, a client."""
Ask: TypeAlias = Callable[[Server, bool], Heard | None]
"""Ask one server, the second argument says "a full license only"; None: it did not answer, and is not asked again."""

_SERVES_NOT: Final = frozenset({Reason.HOST_NOT_AUTHORIZED, Reason.SERVER_VERSION_TOO_LOW})
"""A server that says so can give this host nothing at all: the next in the list is the first that can be meant."""


@dataclass(frozen=True, slots=True)
class Chosen(Generic[Server]):
    """The answer that counts, and who gave it."""

    server: Server
    answer: Heard


def choose_server(servers: Sequence[Server], ask: Ask[Server]) -> Chosen[Server] | None:
    """Ask a host's license servers, in order, until one answer stands; None where none answers or none is listed."""
    if len(servers) <= 1:
        return next(_answers(servers, ask, full_only=False), None)
    answers: list[Chosen[Server]] = []
    for chosen in _answers(servers, ask, full_only=True):
        if chosen.answer.license is not None:
            return chosen
        answers.append(chosen)
    return _first_that_serves(answers, ask)


def _first_that_serves(passed_over: Sequence[Chosen[Server]], ask: Ask[Server]) -> Chosen[Server] | None:
    """Let the first server that answers and serves this host give what it gives; else repeat the first refusal."""
    serving = [chosen.server for chosen in passed_over if _SERVES_NOT.isdisjoint(chosen.answer.reasons)]
    return next(_answers(serving, ask, full_only=False), None) or next(iter(passed_over), None)


def _answers(servers: Iterable[Server], ask: Ask[Server], *, full_only: bool) -> Iterator[Chosen[Server]]:
    for server in servers:
        answer = ask(server, full_only)
        if answer is not None:
            yield Chosen(server, answer)
