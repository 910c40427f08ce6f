"""The agent of a session host in a room, with its relay, as ``calward agent run`` starts it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from calward.adapters.sessionhost.agent_socket import ask_agent
from tests.support.clock_off import clock
from tests.support.licensing_room import HOST_STATE, URL, Office
from tests.support.room import Program, Room, until
from tests.support.running_server import CALWARD

DOOR, HOST = 3389, 3390
"""Where clients come in, and where the program behind listens."""
SOCKET = "/run/calward/agent.sock"
CONFIG = "/etc/calward/host.toml"


class Agent:
    """A running one."""

    def __init__(self, room: Room, program: Program):
        self.room = room
        self.program = program
        self.before = len(room.log)

    @property
    def log(self) -> str:
        """What it has told the system's log."""
        return self.room.log[self.before :]

    def says(self, *words: str) -> str:
        """Wait for a line of its log with all of these words."""

        def look() -> str:
            return next((line for line in self.log.splitlines() if all(one in line for one in words)), "")

        return until(look, what=lambda: f"{words} in\n{self.log}")

    def heard(self) -> bool:
        """Whether it has heard from its license server."""
        said = ask_agent(self.room.path(SOCKET), {"ask": "status"}, 5)
        return said is not None and said["servers"][0]["heard"]

    def stop(self) -> None:
        """End it."""
        self.program.stop()


@contextmanager
def agent(
    room: Room, licensing: Office, *, days: int = 0, relay: Mapping[str, object] | None = None, **settings: object
) -> Iterator[Agent]:
    """Run it with these settings, and with ``relay`` in ``[relay]``; until it has heard its license server, where that runs.

    ``days``: how far its clock is off.
    """
    table = {"listen": f"127.0.0.1:{DOOR}", "host": f"127.0.0.1:{HOST}", "host_security": "plain", **(relay or {})}
    server = {"url": URL, "token_file": "/etc/calward/host.token", "fingerprint": licensing.fingerprint}
    text = [*_lines({"state_dir": HOST_STATE, **settings}), "[[server]]", *_lines(server), "[relay]", *_lines(table)]
    room.path(CONFIG).write_text("\n".join(text) + "\n")
    program = room.start(CALWARD, "agent", "run", "--json", name="agent", env=clock(days))
    found = Agent(room, program)
    until(lambda: '"relay"' in program.text or program.ended, what=lambda: program.text)
    assert not program.ended, program.text
    if licensing.runs:
        until(found.heard, what=lambda: f"the agent to hear {URL}: {found.log}")
    try:
        yield found
    finally:
        found.stop()


def _lines(table: Mapping[str, object]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: object) -> str:
    """As TOML writes it; a table within its line."""
    return "{" + ", ".join(_lines(value)) + "}" if isinstance(value, Mapping) else json.dumps(value)
