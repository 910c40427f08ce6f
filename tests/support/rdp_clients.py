"""The clients of the distribution as people start them: FreeRDP's xfreerdp and rdesktop, on a display in a room."""

import base64
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.room import PASSWORD, Program, until
from tests.support.x_display import Display

ENDED = re.compile(r"\[it has ended with (\d+)\]")


class Client:
    """A client machine: a name, and a home that keeps licenses from one connection to the next."""

    def __init__(self, display: Display, name: str):
        self.display = display
        home = f"/run/home/{name.lower()}"
        self.home = display.room.path(home)
        self.home.mkdir(exist_ok=True)
        self.env = {**display.env, "HOME": home}
        self.name = name

    def licenses(self) -> list[bytes]:
        """What it keeps in its license store."""
        return [path.read_bytes() for path in sorted(self.home.rglob("*.cal"))]

    def kept(self) -> tuple[str, str, str]:
        """Number, version and status of the one license of Calward's that it keeps."""
        [stored] = self.licenses()
        statement = json.loads(base64.b64decode(json.loads(stored)["payload"]))["license"]
        return statement["id"], statement["version"], statement["status"]

    def command(self, port: int, user: str | None = None, *options: str) -> list[str]:
        """What a person types to connect; without a user it stops at the host's login window."""
        raise NotImplementedError

    def start(self, port: int, user: str | None = None, *options: str) -> Program:
        """Connect, and say yes to what it asks."""
        reading, writing = os.pipe()
        os.write(writing, b"yes\n" * 3)
        try:
            return self.display.room.start(
                *self.command(port, user, *options), name=self.name, env=self.env, stdin=reading
            )
        finally:
            os.close(reading)
            os.close(writing)

    def start_in_terminal(self, port: int, user: str | None = None, *options: str) -> "Terminal":
        """Do the same in a terminal, for what a person reads there."""
        return Terminal(self, self.command(port, user, *options))


class FreeRdp(Client):
    """xfreerdp."""

    def command(self, port: int, user: str | None = None, *options: str) -> list[str]:
        credentials = [f"/u:{user}", f"/p:{PASSWORD}"] if user else []
        usual = ["/cert:ignore", "/size:1024x768", "-decorations", "/log-level:INFO"]
        return ["xfreerdp", f"/v:127.0.0.1:{port}", *credentials, f"/client-hostname:{self.name}", *usual, *options]


class Rdesktop(Client):
    """rdesktop; it asks on its standard input whether to trust the certificate."""

    def command(self, port: int, user: str | None = None, *options: str) -> list[str]:
        credentials = ["-u", user, "-p", PASSWORD] if user else ["-u", ""]
        return ["rdesktop", *credentials, "-n", self.name, "-g", "1024x768", "-D", *options, f"127.0.0.1:{port}"]


TYPED = """\
echo "$ $*" | fold -s -w 78
printf 'yes\\nyes\\n' | { stdbuf -oL "$@"; echo "[it has ended with $?]"; } 2>&1 | tee "$LOG"
exec sleep 600
"""


class Terminal:
    """A client in a terminal window, which stays when the client has ended."""

    def __init__(self, client: Client, command: list[str]):
        self.display = client.display
        self.log = client.home / "terminal.log"
        self.log.unlink(missing_ok=True)
        window = ("xterm", "-geometry", "132x40+80+100", "-e", "sh", "-c", TYPED, "sh")
        env = {**client.env, "LOG": f"{client.env['HOME']}/terminal.log"}
        self.program = self.display.room.start(*window, *command, name=f"xterm-{client.name}", env=env)

    @property
    def text(self) -> str:
        """What stands in the window."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait(self) -> int:
        """Wait for the client's end, give its exit code."""
        until(lambda: ENDED.search(self.text), what=lambda: f"the client's end: {self.text}")
        return int(ENDED.findall(self.text)[0])

    def close(self, *, keep: str) -> None:
        """Keep a picture of the window, and close it."""
        self.display.settled().keep(keep)
        self.program.stop()


@contextmanager
def connected(client: Client, port: int, user: str | None = None, *options: str) -> Iterator[Program]:
    """A connection that is ended as when somebody pulls the plug."""
    program = client.start(port, user, *options)
    try:
        yield program
    finally:
        program.stop()
