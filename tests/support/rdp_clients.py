"""The clients of the distribution as people start them: FreeRDP's xfreerdp and rdesktop, on a display in a room."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.room import PASSWORD, Program
from tests.support.x_display import Display


class Client:
    """A client machine: a name, and a home that keeps licenses from one connection to the next."""

    def __init__(self, display: Display, folder: Path, name: str):
        self.display = display
        self.home = folder / f"client-{name}"
        self.home.mkdir(exist_ok=True)
        self.name = name

    @property
    def env(self) -> dict[str, str]:
        return {**self.display.env, "HOME": str(self.home)}

    def licenses(self) -> list[bytes]:
        """What it keeps in its license store."""
        return [path.read_bytes() for path in sorted(self.home.rglob("*.cal"))]


class FreeRdp(Client):
    """xfreerdp."""

    def start(self, port: int, user: str | None = None, *options: str, address: str = "127.0.0.1") -> Program:
        """Connect; without a user it stops at the host's login window."""
        credentials = (f"/u:{user}", f"/p:{PASSWORD}") if user else ()
        return self.display.room.start(
            "xfreerdp", f"/v:{address}:{port}", *credentials, f"/client-hostname:{self.name}", "/cert:ignore",
            "/size:1024x768", "-decorations", "/log-level:INFO", *options,
            name=f"xfreerdp-{self.name}", env=self.env,
        )  # fmt: skip


class Rdesktop(Client):
    """rdesktop; it asks on its standard input whether to trust the certificate."""

    def start(self, port: int, user: str | None = None, *options: str, address: str = "127.0.0.1") -> Program:
        """Connect; without a user it stops at the host's login window."""
        credentials = ("-u", user, "-p", PASSWORD) if user else ("-u", "")
        reading, writing = os.pipe()
        os.write(writing, b"yes\n" * 3)
        try:
            return self.display.room.start(
                "rdesktop", *credentials, "-n", self.name, "-g", "1024x768", "-D", *options, f"{address}:{port}",
                name=f"rdesktop-{self.name}", env=self.env, stdin=reading,
            )  # fmt: skip
        finally:
            os.close(reading)
            os.close(writing)


@contextmanager
def connected(client: FreeRdp | Rdesktop, port: int, user: str | None = None, *options: str) -> Iterator[Program]:
    """A connection that is ended as when somebody pulls the plug."""
    program = client.start(port, user, *options)
    try:
        yield program
    finally:
        program.stop()
