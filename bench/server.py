"""How is the license server that users start brought up for a measurement, and the load sent from another process?"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load import Job, Result

__all__ = ["Loader", "Running", "loader", "serving"]

_START_SECONDS = 60
_LOAD = Path(__file__).with_name("load.py")
_CALWARD = Path(sys.executable).with_name("calward")


@dataclass(frozen=True, slots=True)
class Running:
    """A license server that answers."""

    port: int
    pid: int

    def resident_mb(self) -> float:
        """Memory that the process holds now (VmRSS), in units of a million bytes."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        return round(kilobytes * 1024 / 1e6, 1)


@contextmanager
def serving(url: str, folder: Path) -> Iterator[Running]:
    """`calward serve` on a database, with its keys in ``folder`` and the echo route beside; stopped as an operator would."""
    port = _free_port()
    words = [_CALWARD, "serve", "--data-dir", folder, "--database", url, "--listen", f"127.0.0.1:{port}"]
    words += ["--socket", "none"]  # Nobody administers it, and a folder's name may be too long for a socket's.
    environment = {**os.environ, "CALWARD_BENCH_ECHO": "1", "CALWARD_NEW_KEY": "1"}
    log = folder / "serve.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen([str(x) for x in words], env=environment, stdout=output, stderr=output)
        try:
            _wait(process, port, log)
            yield Running(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until it answers; stops the run if it ends instead."""
    give_up = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8")[-2000:]
    raise SystemExit(f"bench: calward serve did not come up:\n{said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Loader:
    """The process that makes the load, kept from job to job so that its own start is never measured."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, job: Job) -> Result:
        """Do a job; stops the run if an answer came out wrong."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError
        with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
            self._process.stdin.write(json.dumps(asdict(job) | {"result_file": file.name}) + "\n")
            self._process.stdin.flush()
            if not self._process.stdout.readline():
                raise SystemExit("bench: the load generator ended")
            result = Result(**json.load(file))
        if result.wrong:
            detail = f"{result.wrong} of {len(result.ms)} answers came out wrong"
            raise SystemExit(f"bench: {detail} (by status: {result.statuses}), the first:\n{result.first_wrong}")
        return result

    def rate(self, port: int, connections: int, messages: Sequence[str], expect: str = "", times: int = 1) -> float:
        """Requests a second of a closed loop."""
        return len(messages) / self.run(Job(port, connections, list(messages), expect, times)).seconds


@contextmanager
def loader() -> Iterator[Loader]:
    """A load generator, ready for jobs."""
    words = [sys.executable, str(_LOAD)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Loader(process)
        finally:
            process.terminate()
