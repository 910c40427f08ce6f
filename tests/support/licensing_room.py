"""A license server and a clearinghouse in a room, as their administrators start them, and what those do there.

``calward serve --self-signed`` with a certificate that hosts pin, activated online by ``calward clearinghouse serve``.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.clock_off import clock
from tests.support.command_line import Ran, calward
from tests.support.room import Program, Room, until
from tests.support.running_server import CALWARD

HOST_STATE = "/run/calward-host"
PORT, HOUSE_PORT = 8460, 8470
URL, HOUSE_URL = f"https://127.0.0.1:{PORT}", f"http://127.0.0.1:{HOUSE_PORT}"


class Office:
    """The license server of a room; its administrator is root, by the local socket. ``days``: how far its clock is off."""

    def __init__(self, room: Room, folder: Path, days: int):
        self.room = room
        self.house = folder / "house"
        self.data = folder / "server"
        self.days = days
        self.programs: list[Program] = []

    def start(self) -> None:
        """Start both; the first time they are made, and the license server is activated."""
        env = clock(self.days)
        new = not self.house.exists()
        if new:
            self.room.done(CALWARD, "clearinghouse", "init", self.house, env=env)
        sales = (CALWARD, "clearinghouse", "serve", "--dir", self.house, "--port", str(HOUSE_PORT), "--json")
        root = (self.house / "root.pub").read_text()
        server = (CALWARD, "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{PORT}", "--self-signed", "--json")
        named = ("--name", "LS1", "--roots", _key(root), "--clearinghouse", HOUSE_URL)
        self.programs = [self._ready(*sales, name="clearinghouse"), self._ready(*server, *named, name="serve")]
        if new:
            self.do("server", "activate", "--clearinghouse", HOUSE_URL)

    def stop(self) -> None:
        """The license server is down."""
        for program in reversed(self.programs):
            program.stop()

    @property
    def runs(self) -> bool:
        return any(not program.ended for program in self.programs)

    def do(self, *words: str) -> Any:
        """Run a command on the license server, give its JSON."""
        ran = self._ran(*words, "--json", "--server", f"unix:{self.data}/calward.sock")
        return json.loads(ran.out)

    def install_pack(self, version: str, cal_type: str, total: int) -> None:
        """Sell and install CALs, as files."""
        server = self.do("server", "show")["id"]
        file = str(self.house / f"{version}-{cal_type}-{total}.json")
        sale = ("--server", server, "--version", version, "--type", cal_type, "--total", str(total))
        self._ran("clearinghouse", "sign", *sale, "--dir", str(self.house), "-o", file)
        self.do("pack", "install", file)

    def set(self, **settings: str) -> None:
        """Change settings of the license server."""
        self.do("server", "set", *(f"{key}={value}" for key, value in settings.items()))

    def enroll(self, name: str, version: str, mode: str) -> None:
        """Make this room's machine a session host: what it was before is forgotten."""
        code = self.do("host", "enroll", name, "--version", version, "--mode", mode)["code"]
        self.room.done("install", "-d", "-m", "755", "/etc/calward")
        self.room.done("rm", "-rf", HOST_STATE, "/etc/calward/host.token")
        joined = ("host", "join", code, "--server", URL, "--token-file", "/etc/calward/host.token", "--json")
        self.fingerprint = json.loads(self.room.done(CALWARD, *joined, env=clock(self.days)))["fingerprint"]

    def licenses(self, **fields: str) -> list[dict[str, Any]]:
        """All licenses that have these values."""
        items = self.do("license", "list", "--limit", "1000")["items"]
        return [item for item in items if all(item.get(key) == value for key, value in fields.items())]

    def license(self, holder: str, met: Callable[[dict[str, Any]], object] = bool) -> dict[str, Any]:
        """A holder's only license, once there is one that meets a condition."""

        def look() -> dict[str, Any] | None:
            found = self.licenses(holder=holder)
            assert len(found) < 2, found
            return found[0] if found and met(found[0]) else None

        return until(look, what=lambda: f"a license of {holder} in {self.licenses()}")

    def proven(self, license_id: str) -> None:
        """Wait until a host has said that somebody has logged on with this license's device."""
        told = {"kind": "proven", "license": int(license_id.removeprefix("L"))}
        until(
            lambda: any(told.items() <= event.items() for event in self.events()),
            what=lambda: f"{told} in {self.events()}",
        )

    def events(self) -> list[dict[str, Any]]:
        """What the ledger has written down."""
        ran = self._ran("audit", "tail", "--limit", "500", "--json", "--server", f"unix:{self.data}/calward.sock")
        return [json.loads(line)["event"] for line in ran.out.splitlines()]

    def _ready(self, *command: str | Path, name: str) -> Program:
        program = self.room.start(*command, name=name, env=clock(self.days))
        until(lambda: '"url"' in program.text or program.ended, seconds=30, what=lambda: program.text)
        assert not program.ended, program.text
        return program

    def _ran(self, *words: str) -> Ran:
        ran = calward(*words)
        assert ran.code == 0, (words, ran.out, ran.err)
        return ran


def _key(text: str) -> str:
    return next(line.partition(": ")[2] for line in text.splitlines() if line.startswith("public:"))


@contextmanager
def office(room: Room, folder: Path, *, days: int = 0) -> Iterator[Office]:
    """Start it, with the clock so many days off; it goes on where an earlier one has ended in this folder."""
    folder.mkdir(exist_ok=True)
    found = Office(room, folder, days)
    found.start()
    try:
        yield found
    finally:
        found.stop()
