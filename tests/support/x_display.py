"""A screen that nobody looks at: Xvfb in a room, and pictures of what is on it."""

from collections import Counter

from tests.support.room import Program, Room, until
from tests.support.screenshots import Picture

WIDTH, HEIGHT = 1024, 768


class Display:
    """An X display in a room."""

    def __init__(self, room: Room, number: str, server: Program):
        self.room = room
        self.number = number
        self.server = server
        self.env = {"DISPLAY": number}

    def picture(self) -> Picture:
        """What is to be seen right now."""
        raw = self.room.done("import", "-silent", "-window", "root", "-depth", "8", "rgb:-", env=self.env)
        pixels = Counter(raw[at : at + 3] for at in range(0, len(raw), 3 * 7))  # Each seventh is enough.
        shares = {color.hex(): count / pixels.total() for color, count in pixels.items()}
        return Picture(self.room.done("import", "-silent", "-window", "root", "png:-", env=self.env), shares)

    def shows(self, color: str, *, least: float = 0.3, seconds: float = 15) -> Picture:
        """Wait until a color has its share of the screen; the picture then."""
        seen: list[Picture] = []

        def look() -> bool:
            seen[:] = [self.picture()]
            return seen[0].share(color) >= least

        until(look, seconds=seconds, what=lambda: f"{color} on {self.number}; kept as {seen[0].keep('unexpected')}")
        return seen[0]

    def settled(self, *, seconds: float = 15) -> Picture:
        """The picture once two in a row are the same."""
        pictures = [self.picture()]

        def same() -> bool:
            pictures.append(self.picture())
            return pictures[-1].png == pictures[-2].png

        until(same, seconds=seconds, what="a screen that stands still")
        return pictures[-1]

    def stop(self) -> None:
        self.server.stop()


TRIES = 3
"""Xvfb looks for a free number and then takes it: another one may have been faster."""


def display(room: Room, *, size: tuple[int, int] = (WIDTH, HEIGHT), name: str = "xvfb") -> Display:
    """Start a display on the first free number."""
    screen = f"{size[0]}x{size[1]}x24"
    command = ("Xvfb", "-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset", "-br")
    said = []
    for _ in range(TRIES):
        server = room.start(*command, name=name)
        until(lambda server=server: _number(server) or server.ended, what="Xvfb's number")
        if number := _number(server):
            return Display(room, f":{number}", server)
        said.append(server.text)
    raise AssertionError(f"Xvfb ended at once, {TRIES} times: {said}")


def _number(server: Program) -> str:
    """The display's number, among what the server and its keyboard compiler say."""
    return next((line for line in server.text.split("\n")[:-1] if line.isdigit()), "")
