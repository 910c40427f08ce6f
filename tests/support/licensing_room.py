"""A license server and a clearinghouse in a room, as ``calward devrun`` starts them, and what an administrator does there."""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.command_line import Ran, calward
from tests.support.room import Program, Room, until
from tests.support.running_server import CALWARD

HOST_STATE = "/run/calward-host"
# The loader puts the distribution's folder for this machine in place of $LIB.
LATE = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketimeMT.so.1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Office:
    """The running license server; its administrator is root, by the local socket."""

    def __init__(self, room: Room, places: Mapping[str, str], program: Program):
        self.room = room
        self.places = places
        self.program = program

    @property
    def url(self) -> str:
        return self.places["url"]

    def do(self, *words: str) -> Any:
        """Run a command on the license server, give its JSON."""
        ran = self._ran(*words, "--json", "--server", f"unix:{self.places['socket']}")
        return json.loads(ran.out)

    def install_pack(self, version: str, cal_type: str, total: int) -> None:
        """Sell and install CALs, as files."""
        server = self.do("server", "show")["id"]
        data = Path(self.places["data"])
        file = str(data / f"{version}-{cal_type}-{total}.json")
        sale = ("--server", server, "--version", version, "--type", cal_type, "--total", str(total))
        self._ran("clearinghouse", "sign", *sale, "--dir", str(data / "clearinghouse"), "-o", file)
        self.do("pack", "install", file)

    def set(self, **settings: str) -> None:
        """Change settings of the license server."""
        self.do("server", "set", *(f"{key}={value}" for key, value in settings.items()))

    def enroll(self, name: str, version: str, mode: str, *more: str, **settings: Any) -> None:
        """Make this room's machine a session host: enrollment, token, and ``/etc/calward/host.toml`` with more of its lines."""
        enrolled = self.do("host", "enroll", name, "--version", version, "--mode", mode)
        self.room.done("install", "-d", "-m", "755", "/etc/calward")
        self.room.done("rm", "-rf", HOST_STATE)  # What the machine remembers belongs to the host that it was before.
        token = self.room.path("/etc/calward/host.token")
        token.unlink(missing_ok=True)
        self.room.done(
            CALWARD, "host", "join", enrolled["code"], "--server", self.url, "--token-file", "/etc/calward/host.token"
        )
        self.configure(*more, **settings)

    def configure(self, *more: str, **settings: Any) -> None:
        """Write the session host's settings."""
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        lines += ['token_file = "/etc/calward/host.token"', f'state_dir = "{HOST_STATE}"']
        lines += ["[[server]]", f'url = "{self.url}"', *more]
        self.room.path("/etc/calward/host.toml").write_text("\n".join(lines) + "\n")

    def confirm(self, license_id: str) -> None:
        """Say, as this room's host, that the holder has logged on."""
        token = ("--host-token-file", "/etc/calward/host.token")
        self.room.done(CALWARD, "license", "confirm", "--license", license_id, *token, "--server", self.url)

    def licenses(self, **fields: str) -> list[dict[str, Any]]:
        """All licenses that have these values."""
        items = self.do("license", "list", "--limit", "1000")["items"]
        return [item for item in items if all(item.get(key) == value for key, value in fields.items())]

    def stop(self) -> None:
        """The license server is down."""
        self.program.stop(signal.SIGTERM)

    def _ran(self, *words: str) -> Ran:
        ran = calward(*words)
        assert ran.code == 0, (words, ran.out, ran.err)
        return ran


@contextmanager
def office(room: Room, folder: Path, *, days_ago: int = 0) -> Iterator[Office]:
    """Start both and wait until they are ready; ``days_ago``: their clocks are behind."""
    env = {**LATE, "FAKETIME": f"-{days_ago}d"} if days_ago else {}
    program = room.start(CALWARD, "devrun", "--data-dir", folder, "--json", name="devrun", env=env)
    until(lambda: '"socket"' in program.text or program.ended, seconds=30, what="the license server")
    line = next(line for line in program.text.splitlines() if line.startswith("{"))
    try:
        yield Office(room, json.loads(line), program)
    finally:
        program.stop()
