"""Where is written which findings of an estate are accepted: a file beside an imported estate, or in the user's state folder.

Written beside its place and renamed, so that it is there whole or not at all.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from calward.adapters.whole_file import write_whole
from calward.domain.errors import LicensingError, Problem
from calward.insight.snoozes import Snooze

__all__ = ["SnoozeFile", "own_snoozes"]

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LARGEST: Final = 1 << 20


def own_snoozes(environment: Mapping[str, str], server: str) -> Path:
    """The file for a license server of ours: ``calward/snoozes/SERVER.json`` in XDG_STATE_HOME or ``~/.local/state``."""
    named = Path(environment.get("XDG_STATE_HOME") or "")
    home = named if named.is_absolute() else Path(environment.get("HOME") or "~").expanduser() / ".local/state"
    return home / "calward" / "snoozes" / f"{_NOT_IN_NAMES.sub('_', server).strip('.') or 'server'}.json"


class SnoozeFile:
    """Reads and writes the snoozes of one estate; every method raises LicensingError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Snooze, ...]:
        """All that are written, also those that are over; none where there is no file."""
        try:
            with self.path.open("rb") as file:
                text = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise LicensingError(Problem.UNAVAILABLE, f"{str(self.path)!a} cannot be read: {error.strerror}") from None
        try:
            return tuple(_snooze(one) for one in json.loads(text)["snoozes"])
        except (ValueError, KeyError, TypeError, RecursionError):
            detail = f"{str(self.path)!a} is no file of snoozes: move it away, and snooze again"
            raise LicensingError(Problem.CORRUPT, detail) from None

    def write(self, snoozes: Iterable[Snooze]) -> None:
        """Write all of them."""
        rows = [{"id": one.id, "reason": one.reason, "until": one.until} for one in snoozes]
        write_whole(self.path, json.dumps({"snoozes": rows}, indent=2).encode() + b"\n")


def _snooze(row: dict[str, Any]) -> Snooze:
    id_, reason, until = row["id"], row["reason"], row["until"]
    if not (isinstance(id_, str) and isinstance(reason, str) and type(until) is int):
        raise TypeError
    return Snooze(id_, reason, until)
