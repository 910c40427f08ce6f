"""FreeRDP's shadow server in a room: it shares a screen that is there already."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.room import PASSWORD, Program, Room, until
from tests.support.running_server import CALWARD
from tests.support.x_display import display
from tests.support.xrdp_host import JWM, listening

SHARED = "8a5a2b"
KEYS = "/run/shadow/.config/freerdp/shadow"
SERVICE = "auth required pam_unix.so\naccount required pam_unix.so\n"
"""Its users, as docs/howto/freerdp-shadow.md has them."""


class ShadowHost:
    """A running one, with ``security`` tls or nla."""

    def __init__(self, room: Room, security: str, program: Program):
        self.room = room
        self.security = security
        self.program = program

    def keys(self) -> dict[str, str]:
        """Its own certificate and key: a relay for NLA needs both."""
        folder = self.room.path(KEYS)
        found = {"certificate": next(folder.glob("*.crt")), "key": next(folder.glob("*.key"))}
        return {what: f"{KEYS}/{path.name}" for what, path in found.items()}

    def another_pair(self) -> dict[str, str]:
        """A certificate and key that are not its own."""
        made = {"certificate": "/run/shadow/other.crt", "key": "/run/shadow/other.key"}
        ask = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other")
        self.room.done(*ask, "-keyout", made["key"], "-out", made["certificate"])
        return made


@contextmanager
def shadow_host(room: Room, *, security: str, port: int) -> Iterator[ShadowHost]:
    """Start a screen and share it."""
    room.path("/etc/pam.d/xdm").write_text(SERVICE)  # The first that shadow looks for and that is there.
    shared = display(room, name=f"xvfb-shadow-{security}")
    room.done("install", "-d", "-m", "700", "/run/shadow")
    room.path("/run/shadow/jwmrc").write_text(JWM.format(color=SHARED))
    manager = room.start("jwm", "-f", "/run/shadow/jwmrc", name=f"jwm-{security}", env=shared.env)
    options = []
    if security == "nla":
        line = room.done("winpr-hash", "-f", "sam", "-u", "alice", "-p", PASSWORD)
        room.path("/run/shadow/sam").write_bytes(line + b"\n")
        options = ["/sam-file:/run/shadow/sam"]
    else:
        room.done(CALWARD, "agent", "install-pam", "--service", "xdm", "--yes")
    env = {**shared.env, "HOME": "/run/shadow"}
    command = ("freerdp-shadow-cli", f"/port:{port}", "/bind-address:127.0.0.1", f"/sec:{security}", *options)
    program = room.start(*command, name=f"shadow-{security}", env=env)
    until(lambda: listening(room, port) or program.ended, what=lambda: program.text)
    try:
        yield ShadowHost(room, security, program)
    finally:
        program.stop()
        manager.stop()
        shared.stop()
