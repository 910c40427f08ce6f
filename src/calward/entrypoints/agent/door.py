"""How does the agent hear its host's programs? A Unix socket for root and the agent's own user: one line of JSON each way."""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["Answering", "Door"]

Answering = Callable[[dict[str, Any], int], Awaitable[dict[str, Any]]]
"""Answer one question of a process, given by its id; raises nothing that is expected."""
_PATIENCE: Final = 2.0
"""Seconds for a question to come whole, and for its answer to be taken."""
_MAX_QUESTION: Final = 1 << 13
_BACKLOG: Final = 512
"""Programs that may knock at one moment; one more is turned away and does its own work."""
_OWNER_ONLY: Final = 0o177
"""umask"""


class Door:
    """Listens from ``open`` to ``close``; each program is served alone, so that a slow one hinders nobody."""

    def __init__(self, path: Path, answer: Answering, peer_of: Callable[[socket.socket], tuple[int, int]]) -> None:
        self._path = path
        self._answer = answer
        self._peer_of = peer_of
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; raises LicensingError: CONFLICT where another agent does, UNAVAILABLE where it cannot."""
        try:
            self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if _taken(self._path):
                raise LicensingError(Problem.CONFLICT, f"another agent listens at {self._path}")
            before = os.umask(_OWNER_ONLY)
            try:
                self._server = await asyncio.start_unix_server(
                    self._serve, self._path, limit=_MAX_QUESTION, backlog=_BACKLOG
                )
            finally:
                os.umask(before)
        except OSError as error:
            raise LicensingError(Problem.UNAVAILABLE, f"{self._path} cannot be listened at: {error}") from None

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            with suppress(OSError):
                self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            pid, uid = self._peer_of(writer.get_extra_info("socket"))
            if uid in (0, os.geteuid()):
                question = json.loads(await asyncio.wait_for(reader.readline(), _PATIENCE))
                if isinstance(question, dict):
                    writer.write(json.dumps(await self._answer(question, pid)).encode() + b"\n")
                    await asyncio.wait_for(writer.drain(), _PATIENCE)
        except (OSError, ValueError, RecursionError, asyncio.IncompleteReadError):
            pass  # Whoever asks so gets no answer, and does its own work.
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _taken(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(_PATIENCE)
        try:
            sock.connect(os.fspath(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True
