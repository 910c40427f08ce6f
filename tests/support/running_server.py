"""The license server as users start it: ``calward serve`` in a process of its own, on a free port of loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CALWARD = Path(sys.executable).with_name("calward")


@dataclass(frozen=True)
class Running:
    """What the server printed when it was ready."""

    printed: str

    def place(self, what: str) -> str:
        """What stands behind a word of it, say "license server"."""
        return next(line.partition(": ")[2] for line in self.printed.splitlines() if line.startswith(f"{what}: "))

    @property
    def url(self) -> str:
        return self.place("license server")

    @property
    def socket(self) -> str:
        return f"unix:{self.place('local socket')}"

    @property
    def setup(self) -> str:
        return self.place("first administrator (once)")


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Running]:
    """Start it in a folder, wait until it says where it is, and end it; what it complains about fails the test."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CALWARD_")}
    environment |= {"CALWARD_LISTEN": "127.0.0.1:0", "PYTHONUNBUFFERED": "1"}
    with (folder / "serve.log").open("w+") as log:
        command = [CALWARD, "serve", *options]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield Running(_until_ready(process, log.name))
        finally:
            process.terminate()
            process.wait(timeout=30)
            if process.stdout:
                process.stdout.close()


def _until_ready(process: subprocess.Popen[str], log: str) -> str:
    """Read until the set-up link, the last thing that a new server prints; or to the end, where it ends."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("first administrator"):
            break
    assert process.poll() is None, Path(log).read_text()
    return "".join(lines)
