"""How does a program run another one beside itself, so that neither outlives its purpose?

The companion gets a session of its own, so that Ctrl-C in a terminal reaches only us, and we end it in order; where the kernel can do
it (Linux), it also ends when we are killed.
"""

import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any, Self

from calward.domain.errors import LicensingError, Problem

__all__ = ["Companion"]

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies."""
_PATIENCE = 5.0
"""Seconds for an orderly end."""


class Companion:
    """``python -m calward …`` as a child; a context manager that starts and stops it."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CALWARD_")}
        self._process = subprocess.Popen(  # noqa: S603 - this program again, with arguments that we made
            [sys.executable, "-m", "calward", *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - started before any thread
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    def first_answer(self, seconds: float) -> dict[str, Any]:
        """The JSON object that it prints once it is ready; raises LicensingError(UNAVAILABLE) where none comes in time."""
        process = self._running()
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        text, deadline = b"", time.monotonic() + seconds
        while (part := _read(process.stdout, deadline - time.monotonic())) is not None:
            text += part
            try:
                found = json.loads(text)
            except ValueError:
                continue
            if isinstance(found, dict):
                return found
        ended = _ended(process, deadline)
        why = "did not answer in time" if ended is None else f"ended with code {ended}"
        raise LicensingError(Problem.UNAVAILABLE, f"calward {' '.join(self._arguments[:2])} {why}")

    def stop(self) -> None:
        """End it, first politely; nothing happens where it has ended already."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout:
            process.stdout.close()
        self._process = None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise AssertionError(self._arguments)  # Asked for before it was started.
        return self._process


def _ended(process: "subprocess.Popen[bytes]", deadline: float) -> int | None:
    """The exit code of a process that has closed its output, or None while it runs."""
    try:
        return process.wait(min(1.0, max(0.0, deadline - time.monotonic())))
    except subprocess.TimeoutExpired:
        return None


def _read(stream: IO[bytes], seconds: float) -> bytes | None:
    """What can be read within so many seconds; None when nothing comes, now or ever."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(max(0.0, seconds)):
            return None
    return os.read(stream.fileno(), 65_536) or None


def _die_with_parent(parent: int) -> Any:  # noqa: ANN401 - what subprocess takes, or None
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # Looked up before the fork: afterwards as little as possible is done.

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # It died in between.
            os._exit(1)

    return arrange
