"""How do restored files take the place of old ones, so that no program ever runs on half of both?

Everything is laid ready beside its place first. Then a note says that a restore is under way, with which no server starts; old files
move into a folder of their own, new ones take their place, and the note goes. Cut off before the note: nothing has happened. Cut
off later: the same restore, done again, finishes it.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["Replacement", "put_in_place", "refuse_unfinished", "under_way"]

NOTE: Final = "restore-unfinished.json"


@dataclass(frozen=True, slots=True)
class Replacement:
    """A file that is ready and where it belongs, in the same folder; ``ready`` None: the old file goes, and none comes."""

    place: Path
    ready: Path | None


def under_way(folder: Path) -> str | None:
    """Of which backup (SHA-256) a restore was cut off here; None: of none."""
    found = _note(folder)
    return None if found is None else found.get("backup", "")


def refuse_unfinished(folder: Path) -> None:
    """Do not start on the halves of two servers; raises LicensingError(CONFLICT)."""
    if (folder / NOTE).exists():
        detail = f"a restore into {folder} was cut off: run the same calward backup restore again, it finishes the work"
        raise LicensingError(Problem.CONFLICT, detail)


def put_in_place(folder: Path, backup: str, stamp: str, replacements: Iterable[Replacement]) -> Path:
    """Replace the files; returns the folder with those that were there before, which may be empty.

    ``stamp``: names that folder; an earlier attempt's is kept. Raises: LicensingError(UNAVAILABLE): repeat it.
    """
    known = _note(folder) or {}
    aside = f"before-restore-{known.get('stamp', stamp)}"
    try:
        _write_note(folder, {"backup": backup, "stamp": known.get("stamp", stamp)})
        for one in replacements:
            _replace(one, one.place.parent / aside)
        (folder / NOTE).unlink()
        _sync(folder)
    except OSError as error:
        detail = f"{error.filename}: {error.strerror}: mend it and run the same calward backup restore again"
        raise LicensingError(Problem.UNAVAILABLE, detail) from None
    return folder / aside


def _replace(one: Replacement, aside: Path) -> None:
    old = aside / one.place.name
    if one.place.exists() and not old.exists():  # What an earlier attempt has put here is no old file.
        aside.mkdir(mode=0o700, exist_ok=True)
        one.place.rename(old)
        _sync(aside)
    if one.ready is None:
        one.place.unlink(missing_ok=True)
    elif one.ready.exists():
        one.ready.replace(one.place)
    _sync(one.place.parent)


def _note(folder: Path) -> Mapping[str, str] | None:
    try:
        found = json.loads((folder / NOTE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_note(folder: Path, note: Mapping[str, str]) -> None:
    draft = folder / f"{NOTE}.new"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(dict(note), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / NOTE)
    _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
