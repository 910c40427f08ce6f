"""Where do fresh exports appear? A folder on disk, and a file that remembers what was in it."""

import hashlib
import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from calward.adapters.whole_file import read_json, write_whole
from calward.app.estates.fresh_exports import FolderState, Stamp, after_import, after_look, fresh
from calward.domain.errors import LicensingError, Problem

__all__ = ["ExportFolder"]


class ExportFolder:
    """One folder and its memory; every method raises LicensingError. Names that begin with a dot are left alone."""

    def __init__(self, folder: Path, memory: Path) -> None:
        self._folder = folder.absolute()
        self._memory = memory
        self._digests: dict[str, str] = {}
        self._taken: dict[str, Stamp] = {}

    def take(self) -> Sequence[Path]:
        """The files to import now as one snapshot; none where nothing is fresh, whole, and of content not imported yet."""
        state, now = self._read(), self._stamps()
        names = fresh(state, now)
        state = after_look(state, now)
        self._taken = {name: now[name] for name in names}
        self._digests = {name: self._digest(name) for name in names}
        if set(self._digests.values()) <= set(state.digests):
            self._write(after_import(state, self._taken, ()))
            return ()
        self._write(state)
        return [self._folder / name for name in names]

    def imported(self) -> None:
        """Remember that what was taken has been imported."""
        self._write(after_import(self._read(), self._taken, tuple(self._digests.values())))

    def _stamps(self) -> dict[str, Stamp]:
        try:
            found = {one.name: one.stat() for one in self._folder.iterdir() if not one.name.startswith(".")}
        except OSError as error:
            detail = f"the folder {str(self._folder)!a} cannot be read: {error.strerror}"
            raise LicensingError(Problem.NOT_FOUND, detail) from None
        return {name: Stamp(one.st_size, one.st_mtime_ns) for name, one in found.items() if stat.S_ISREG(one.st_mode)}

    def _digest(self, name: str) -> str:
        try:
            with (self._folder / name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise LicensingError(Problem.UNAVAILABLE, f"{name!a} cannot be read: {error.strerror}") from None

    def _read(self) -> FolderState:
        document: Any = read_json(self._memory)
        try:
            if document is None or document["folder"] != str(self._folder):
                return FolderState()
            return FolderState(_stamps(document["seen"]), _stamps(document["imported"]), tuple(document["digests"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            detail = f"{str(self._memory)!a} does not say what was imported: move it away, and all is imported again"
            raise LicensingError(Problem.CORRUPT, detail) from None

    def _write(self, state: FolderState) -> None:
        document = {
            "folder": str(self._folder),
            "seen": state.seen,
            "imported": state.imported,
            "digests": state.digests,
        }
        write_whole(self._memory, json.dumps(document).encode() + b"\n")


def _stamps(rows: Mapping[str, Any]) -> dict[str, Stamp]:
    return {name: Stamp(int(size), int(changed)) for name, (size, changed) in rows.items()}
