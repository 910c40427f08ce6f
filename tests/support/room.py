"""A machine of its own for a test: real programs with fixed paths and ports, and nothing of the real machine is touched.

A room is a set of namespaces (mounts, network, processes) on the machine's own file system: ``/etc`` is a copy, ``/run``
is empty, the network is a loopback, the system's log is a file. What runs in a room ends with it, sessions that have gone their own way too.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
NAMESPACES = ("--mount", "--net", "--pid")
PASSWORD = "correct-horse-1"
HASH = "$6$calwarde2e$BqkA23M.7bQSrxnvzyABscASkI6jJwHUjSGhloBqvWE.eVMfn95xD2Ta9nN3QdkBw/cQwxUsIeDdSnhIoN.XC1"


def why_no_room() -> str | None:
    """What is missing for a room, in a sentence; None if nothing is."""
    if os.geteuid() != 0:
        return "a machine of its own (namespaces, users, PAM services) can be made by root only"
    tried = ["unshare", *NAMESPACES, "--fork", "--mount-proc", "true"]
    if not shutil.which("unshare") or subprocess.run(tried, capture_output=True, check=False).returncode:
        return "this system lets nobody make namespaces (a container without CAP_SYS_ADMIN?)"
    return None


def until(found: Callable[[], T], *, seconds: float = 15, what: str | Callable[[], str]) -> T:
    """Ask again and again until the answer is true, and give it; say what was waited for when time is up."""
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, f"waited {seconds} s: {what() if callable(what) else what}"
        time.sleep(0.05)
    return answer


class Program:
    """A program in a room."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path):
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        """Its process id as the test sees it: ``nsenter`` has forked it."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(until(task.read_text, what="a program to start").split()[0])

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def text(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text(errors="replace")

    def says(self, words: str, *, seconds: float = 15) -> str:
        """Wait until it has printed these words, give all that it printed."""
        until(lambda: words in self.text, seconds=seconds, what=lambda: f"{words!r} in {self.log.name}: {self.text}")
        return self.text

    def wait(self, *, seconds: float = 15) -> int:
        """Wait for its end, give its exit code."""
        until(lambda: self.ended, seconds=seconds, what=lambda: f"the end of {self.log.name}: {self.text}")
        return self.process.returncode

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal, unless it has ended, and wait for its end."""
        if not self.ended:
            with suppress(ProcessLookupError, IndexError):
                os.kill(self.pid, number)
            self.wait()


class Room:
    """A running room."""

    def __init__(self, folder: Path, init: int, programs: list[Program]):
        self.folder = folder
        self.init = init
        self.programs = programs

    def path(self, inside: str) -> Path:
        """Where the test finds a file of the room."""
        return Path(f"/proc/{self.init}/root") / inside.lstrip("/")

    @property
    def log(self) -> str:
        """What the room's programs have told the system's log."""
        return self.path("/run/system.log").read_text(errors="replace")

    def start(
        self, *command: str | Path, name: str, user: str | None = None, env: Mapping[str, str] | None = None, stdin=None
    ) -> Program:
        """Start a program; what it prints goes to ``name.log`` in the test's folder."""
        log = self.folder / f"{name}.log"
        number = 1
        while log.exists():
            number += 1
            log = self.folder / f"{name}-{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(command, user),
                env=self._environment(env),
                stdin=stdin or subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        program = Program(process, log)
        self.programs.append(program)
        return program

    def run(
        self, *command: str | Path, user: str | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end."""
        return subprocess.run(
            self._command(command, user), env=self._environment(env), capture_output=True, timeout=30, check=False
        )

    def done(self, *command: str | Path, user: str | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """Run a program that has to succeed, give what it printed."""
        ran = self.run(*command, user=user, env=env)
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)
        return ran.stdout

    def add_user(self, name: str) -> None:
        """A user of this room only, with PASSWORD."""
        home = f"/run/home/{name}"
        self.done("useradd", "-M", "-d", home, "-s", "/bin/sh", "-p", HASH, name)
        self.done("install", "-d", "-o", name, home)

    def _command(self, command: tuple[str | Path, ...], user: str | None) -> list[str]:
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        entered = ["nsenter", "-t", str(self.init), "-m", "-n", "-p", "--"]
        return [*entered, *as_user, *(str(word) for word in command)]

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CALWARD_", "XDG_", "DISPLAY"))}
        return {**kept, "PYTHONUNBUFFERED": "1", **(env or {})}


@contextmanager
def room(folder: Path) -> Iterator[Room]:
    """Make a room; whatever happens, everything in it is ended."""
    init = Path(__file__).with_name("room_init.py")
    command = ["unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
    process = subprocess.Popen([*command, sys.executable, init], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    programs: list[Program] = []
    try:
        assert process.stdout.readline() == b"ready\n"
        child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
        yield Room(folder, int(child), programs)
    finally:
        process.stdin.close()  # The first process of the room waits for that.
        process.wait(timeout=30)
        process.stdout.close()
        for program in programs:
            program.process.wait(timeout=30)
