"""A relay in a room, in front of whatever listens behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.licensing_room import Office
from tests.support.room import Program, Room, until

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"


@contextmanager
def relay_process(
    room: Room, licensing: Office, *, listen: int, host: int, security: str, tls: tuple[str, str] | None = None
) -> Iterator[Program]:
    """Start it with this host's enrollment; ``tls``: certificate and key, else it makes its own."""
    settings = {"listen": f"127.0.0.1:{listen}", "host": f"127.0.0.1:{host}", "host_security": security}
    if tls:
        settings |= {"certificate": tls[0], "key": tls[1]}
    licensing.configure("[relay]", *(f'{name} = "{value}"' for name, value in settings.items()), grace_days=0)
    program = room.start(PYTHON, "-m", "tests.support.relay_program", name="relay", env={"PYTHONPATH": str(ROOT)})
    until(lambda: "relay is ready" in program.text or program.ended, what=lambda: program.text)
    assert not program.ended, program.text
    try:
        yield program
    finally:
        program.stop()
