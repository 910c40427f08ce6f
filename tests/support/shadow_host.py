"""FreeRDP's shadow server in a room: it shares a screen that is there already."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.room import PASSWORD, Program, Room, until
from tests.support.x_display import display
from tests.support.xrdp_host import JWM, listening

SHARED = "8a5a2b"
KEYS = "/run/shadow/.config/freerdp/shadow"
"""Where it keeps its certificate and key: a relay for NLA needs both."""


@contextmanager
def shadow_host(room: Room, *, security: str, port: int) -> Iterator[Program]:
    """Start a screen and share it; ``security``: tls or nla."""
    shared = display(room, name=f"xvfb-shadow-{security}")
    room.done("install", "-d", "-m", "700", "/run/shadow")
    room.path("/run/shadow/jwmrc").write_text(JWM.format(color=SHARED))
    manager = room.start("jwm", "-f", "/run/shadow/jwmrc", name=f"jwm-{security}", env=shared.env)
    options = []
    if security == "nla":
        line = room.done("winpr-hash", "-f", "sam", "-u", "alice", "-p", PASSWORD)
        room.path("/run/shadow/sam").write_bytes(line + b"\n")
        options = ["/sam-file:/run/shadow/sam"]
    env = {**shared.env, "HOME": "/run/shadow"}
    command = ("freerdp-shadow-cli", f"/port:{port}", "/bind-address:127.0.0.1", f"/sec:{security}", *options)
    program = room.start(*command, name=f"shadow-{security}", env=env)
    until(lambda: listening(room, port) or program.ended, what=lambda: program.text)
    try:
        yield program
    finally:
        program.stop()
        manager.stop()
        shared.stop()
