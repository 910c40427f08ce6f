"""A clearinghouse and license servers as users start them, each a process of its own, asked by the command line."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.command_line import Ran, calward

PROGRAM = (sys.executable, "-m", "calward")


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("CALWARD_")} | more


@dataclass
class Process:
    """A server that can be killed and started again; ``places`` is what it said when it was ready."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    places: dict[str, str] = field(default_factory=dict)
    running: subprocess.Popen[str] | None = None

    def start(self) -> None:
        with self.log.open("a") as log:
            self.running = subprocess.Popen(
                [*PROGRAM, *self.arguments, "--json"],
                env=_environment(self.environment),
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                text=True,
            )
        assert self.running.stdout is not None
        line = self.running.stdout.readline()
        assert line, self.log.read_text()
        self.places = json.loads(line)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it by its process id; SIGKILL leaves it no time for anything."""
        if self.running is None:
            return
        self.running.send_signal(how)
        self.running.wait(timeout=30)
        if self.running.stdout:
            self.running.stdout.close()
        self.running = None

    def kill_and_restart(self) -> None:
        self.end(signal.SIGKILL)
        self.start()


@dataclass
class Estate:
    """All of it; ``ch`` runs only where a test is online."""

    folder: Path
    stack: ExitStack
    root: str = ""
    ch: Process | None = None
    servers: dict[str, Process] = field(default_factory=dict)

    @property
    def house(self) -> Path:
        return self.folder / "ch"

    @property
    def url(self) -> str:
        assert self.ch is not None
        return self.ch.places["url"]

    def desk(self, *arguments: str, **options: Any) -> Ran:
        """A command at the clearinghouse's desk, on its folder."""
        return calward("clearinghouse", *arguments, "--dir", str(self.house), **options)

    def serve_clearinghouse(self, port: int = 0) -> None:
        arguments = ("clearinghouse", "serve", "--dir", str(self.house), "--port", str(port))
        self.ch = Process(arguments, {}, self.folder / "ch.log")
        self.ch.start()
        self.stack.callback(self.ch.end)
        # The next start is where license servers know it.
        self.ch.arguments = (*arguments[:-1], self.url.rpartition(":")[2])

    def serve(self, name: str, version: str = "2022") -> None:
        """Start a license server of this name that runs as this version."""
        data = self.folder / name
        settings = {
            "CALWARD_LISTEN": "127.0.0.1:0",
            "CALWARD_DATA_DIR": str(data),
            "CALWARD_NAME": name,
            "CALWARD_ROOTS": self.root,
            "CALWARD_SERVER_VERSION": version,
        }
        self.servers[name] = Process(("serve",), settings, self.folder / f"{name}.log")
        self.servers[name].start()
        self.stack.callback(self.servers[name].end)

    def at(self, server: str, *arguments: str, **options: Any) -> Ran:
        """A command at a license server's own socket."""
        where = f"unix:{self.servers[server].places['socket']}"
        return calward(*arguments, "--server", where, **options)

    def packs(self, server: str) -> dict[str, str]:
        """Packs of a license server: id to CAL."""
        items = self.at(server, "pack", "list", "--json").json["items"]
        return {one["id"]: f"{one['total']} {one['version']}/{one['type']}" for one in items}

    def id_of(self, server: str) -> str:
        found: str = self.at(server, "server", "show", "--json").json["id"]
        return found

    def buy(self, program: str = "retail", version: str = "2022", quantity: int = 5, *more: str) -> list[str]:
        """Buy CALs; the numbers on the paper."""
        sale = ("--program", program, "--version", version, "--type", "per-user", "--quantity", str(quantity))
        added = self.desk("purchase", "add", *sale, *more, "--json")
        assert added.code == 0, added
        numbers: list[str] = added.json["numbers"]
        return numbers


@contextmanager
def an_estate(folder: Path) -> Iterator[Estate]:
    """A clearinghouse in a folder, not yet served, and no license server."""
    with ExitStack() as stack:
        estate = Estate(folder, stack)
        made = calward("clearinghouse", "init", str(estate.house), "--name", "Example CALs", "--json")
        estate.root = made.json["root_key"]
        yield estate
