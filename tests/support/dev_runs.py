"""License server and clearinghouse as ``./dev run`` starts them, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DevRun:
    """A running one: where everything is, and the process that holds it together."""

    places: dict[str, str]
    process: subprocess.Popen[str]

    def __getitem__(self, kind: str) -> str:
        return self.places[kind]

    @property
    def socket(self) -> str:
        return f"unix:{self.places['socket']}"

    def children(self) -> list[int]:
        """Processes that it has started."""
        pid = self.process.pid
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in found]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def dev_run(folder: Path, *options: str) -> Iterator[DevRun]:
    """Start ``calward devrun`` on a data folder and wait until it is ready; whatever happens, it is ended."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CALWARD_")}
    command = [sys.executable, "-m", "calward", "devrun", "--data-dir", str(folder), "--json", *options]
    log = folder.with_suffix(".log")
    with log.open("a") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()  # The one line comes once everything is up; the end comes where it fails.
        assert line, log.read_text()
        yield DevRun(json.loads(line), process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()


def alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and waits to be collected does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
