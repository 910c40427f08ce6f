"""How much load can one process put on the license server over kept connections?

Runs as a process of its own: the job is one JSON object on stdin, the result one on stdout. All bytes are made before the clock
runs, each connection sends its next request as soon as it has its answer (a closed loop), and an answer is looked at just enough
to know that it is the right one.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop

__all__ = ["Connection", "Job", "Result", "message", "run"]

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Job:
    """What to send. ``expect``: text that a right answer holds exactly ``times`` times; no text: any 200 is right."""

    port: int
    connections: int
    messages: list[str]
    """Whole requests, head and body, latin-1; dealt out to the connections in turn."""
    expect: str = ""
    times: int = 1
    result_file: str = ""
    """Where the result is written: it may be larger than what a pipe takes at once."""


@dataclass(slots=True)
class Result:
    """What came of it: seconds from the first byte sent to the last answer, milliseconds of each request."""

    seconds: float = 0.0
    ms: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    wrong: int = 0
    first_wrong: str = ""


def message(path: str, body: bytes, token: str) -> str:
    """One request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head.encode() + body).decode("latin-1")


class Connection(asyncio.Protocol):
    """Sends what ``following`` gives, one after the other; ``done`` is set when that is nothing more."""

    def __init__(self, done: "asyncio.Future[None]") -> None:
        self.done = done
        self._transport: Any = None
        self._began = 0.0
        self._buffer = b""
        self.ms: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.wrong: list[bytes] = []

    def following(self, answer: bytes | None) -> bytes | None:
        """What to send after an answer (None: at the start); None ends."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def start(self, answer: bytes | None = None) -> None:
        """Send the next message, or be done."""
        message = self.following(answer)
        if message is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._began = perf_counter()
        self._transport.write(message)

    def data_received(self, data: bytes) -> None:
        """Gather an answer until its head says that it is whole."""
        self._buffer += data
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.index(_LENGTH) + len(_LENGTH)
        length = int(head[at:].split(b"\r\n", 1)[0])
        if len(self._buffer) < end + len(_END_OF_HEAD) + length:
            return
        answer, self._buffer = self._buffer, b""
        self._answered(answer)

    def _answered(self, answer: bytes) -> None:
        self.ms.append((perf_counter() - self._began) * 1000)
        status = answer[9:12]
        self.statuses[status.decode()] += 1
        if status != b"200" or not self.right(answer):
            self.wrong.append(answer)
        self.start(answer)

    def right(self, answer: bytes) -> bool:  # noqa: ARG002 - others look closer
        """Whether an answer with status 200 is what was hoped for."""
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits hears of it, unless all was sent."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))


class _Sender(Connection):
    """Sends the same kind of message again and again."""

    def __init__(self, messages: list[bytes], expect: bytes, times: int, done: "asyncio.Future[None]") -> None:
        super().__init__(done)
        self._messages = iter(messages)
        self._expect, self._times = expect, times

    def following(self, answer: bytes | None) -> bytes | None:  # noqa: ARG002 - whatever it was, the next one follows
        """The next message."""
        return next(self._messages, None)

    def right(self, answer: bytes) -> bool:
        """Whether the expected text is in it as often as it should."""
        return not self._expect or answer.count(self._expect) == self._times


async def run(job: Job) -> Result:
    """Do a job."""
    loop = asyncio.get_running_loop()
    messages = [text.encode("latin-1") for text in job.messages]
    connections = []
    for number in range(job.connections):
        mine = messages[number :: job.connections]
        made = _Sender(mine, job.expect.encode(), job.times, loop.create_future())
        await loop.create_connection(lambda made=made: made, "127.0.0.1", job.port)
        connections.append(made)
    began = perf_counter()
    for connection in connections:
        connection.start()
    await asyncio.gather(*(x.done for x in connections))
    return _result(perf_counter() - began, connections)


def _result(seconds: float, connections: Sequence[Connection]) -> Result:
    wrong = [answer for x in connections for answer in x.wrong]
    return Result(
        seconds=seconds,
        ms=[ms for x in connections for ms in x.ms],
        statuses=dict(sum((x.statuses for x in connections), Counter())),
        wrong=len(wrong),
        first_wrong=wrong[0].decode("latin-1")[:2000] if wrong else "",
    )


def _jobs() -> Iterator[Job]:
    for line in sys.stdin:
        yield Job(**json.loads(line))


def main() -> None:
    """Do the jobs of stdin, a line each; a word on stdout when the result is in its file."""
    for job in _jobs():
        Path(job.result_file).write_text(json.dumps(asdict(uvloop.run(run(job)))))
        print("done", flush=True)


if __name__ == "__main__":
    main()
