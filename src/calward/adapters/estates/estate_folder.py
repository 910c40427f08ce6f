"""Where are snapshots of other systems' estates kept: a folder an estate, a file an import.

``FOLDER/NAME/estate.json`` says whose it is, ``FOLDER/NAME/snapshots/20261124T145200Z.json.gz`` is one snapshot. Written beside its place
and renamed: a snapshot is there whole or not at all. Nothing but an import writes here.
"""

import gzip
import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from calward.adapters.ladders import load_ladder
from calward.adapters.whole_file import sync_folder, write_whole
from calward.app.estates.document import from_json, pieces
from calward.domain.errors import LicensingError, Problem
from calward.insight.estate import Estate

__all__ = ["EstateFolder", "estates_folder"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_FILE: Final = re.compile(r"(\d{8}T\d{6}Z)(?:-(\d{1,6}))?\.json\.gz", re.ASCII)
_TIME: Final = "%Y%m%dT%H%M%SZ"
_LARGEST: Final = 4 << 30
"""Bytes of a snapshot: ten million licenses take half of it. What is larger is none of ours."""
_CHUNK: Final = 1 << 20
_ABOUT: Final = "estate.json"


def estates_folder(environment: Mapping[str, str]) -> Path:
    """The folder of all estates: CALWARD_ESTATES, else ``calward/estates`` in XDG_DATA_HOME or ``~/.local/share``."""
    if named := environment.get("CALWARD_ESTATES"):
        return Path(named)
    data = environment.get("XDG_DATA_HOME") or ""
    home = (
        Path(data) if Path(data).is_absolute() else Path(environment.get("HOME") or "~").expanduser() / ".local/share"
    )
    return home / "calward" / "estates"


class EstateFolder:
    """The port ``EstateStore``, in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> Sequence[str]:
        """The estates there are, in alphabetical order."""
        with _reading(self.folder):
            if not self.folder.is_dir():
                return ()
            return sorted(
                one.name for one in self.folder.iterdir() if (one / _ABOUT).is_file() and _NAME.fullmatch(one.name)
            )

    def newest(self, name: str) -> Estate:
        """The newest snapshot; raises LicensingError."""
        history = self.history(name)
        if not history:
            raise LicensingError(
                Problem.NOT_FOUND, f"the estate {name!a} has no snapshot: calward estate import makes one"
            )
        return self.read(history[-1][1])

    def history(self, name: str) -> Sequence[tuple[int, Path]]:
        """When snapshots were taken, oldest first; raises LicensingError."""
        place = self._place(name)
        with _reading(place):
            if not (place / _ABOUT).is_file():
                raise LicensingError(Problem.NOT_FOUND, self._no_such(name))
            files = ((match, one) for one in (place / "snapshots").glob("*.gz") if (match := _FILE.fullmatch(one.name)))
            ordered = sorted(files, key=lambda one: (one[0][1], int(one[0][2] or 0)))
            return [(_seconds(match[1]), path) for match, path in ordered]

    def read(self, path: Path) -> Estate:
        """One snapshot; raises LicensingError, CORRUPT where the file has been damaged."""
        try:
            with _reading(path):
                return from_json(_unpacked(path), load_ladder)
        except LicensingError as error:
            if error.problem is not Problem.MALFORMED:
                raise
            raise LicensingError(Problem.CORRUPT, f"{str(path)!a} cannot be used: {error.detail}") from error

    def keep(self, estate: Estate) -> Path:
        """Add a snapshot; raises LicensingError."""
        place = self._place(estate.name)
        snapshots = place / "snapshots"
        with _writing(place):
            snapshots.mkdir(parents=True, exist_ok=True)
            path = _written(snapshots, estate)
            about = {"name": estate.name, "source": estate.source.value, "ladder": estate.ladder.name}
            write_whole(place / _ABOUT, json.dumps(about, indent=2).encode() + b"\n")
        return path

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            expected = "letters, digits, '.', '_' and '-', at most 64, beginning with a letter or digit"
            raise LicensingError(
                Problem.MALFORMED, f"{name!a} is no name of an estate: it takes {expected}", field="name"
            )
        return self.folder / name

    def _no_such(self, name: str) -> str:
        names = self.names()
        there = f"there are {', '.join(names)}" if names else "there is none yet: calward estate import FILE makes one"
        return f"there is no estate {name!a} in {self.folder}: {there}"


def _written(folder: Path, estate: Estate) -> Path:
    """Write a snapshot under the first name of its second that is free."""
    stem = datetime.fromtimestamp(estate.taken_at, UTC).strftime(_TIME)
    handle, partial = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            _pack(file, estate)
            file.flush()
            os.fsync(file.fileno())
        return _linked(Path(partial), folder, stem)
    finally:
        Path(partial).unlink(missing_ok=True)


def _pack(file: IO[bytes], estate: Estate) -> None:
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=5, mtime=0) as packed:
        for piece in pieces(estate):
            packed.write(piece)


def _linked(partial: Path, folder: Path, stem: str) -> Path:
    """Give a written file its name; a link never replaces another import's snapshot."""
    number = 1
    while True:
        path = folder / (f"{stem}.json.gz" if number == 1 else f"{stem}-{number}.json.gz")
        try:
            os.link(partial, path)
        except FileExistsError:
            number += 1
            continue
        sync_folder(folder)
        return path


def _unpacked(path: Path) -> bytearray:
    """The text of a snapshot; raises LicensingError(CORRUPT)."""
    found = bytearray()
    try:
        with gzip.open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                found += chunk
                if len(found) > _LARGEST:
                    raise LicensingError(Problem.CORRUPT, f"{str(path)!a} is larger than any snapshot")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise LicensingError(Problem.CORRUPT, f"{str(path)!a} is damaged: import the files again") from None
    return found


def _seconds(stem: str) -> int:
    try:
        return int(datetime.strptime(stem, _TIME).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise LicensingError(Problem.CORRUPT, f"{stem} is no time: the name of a snapshot was changed") from None


@contextmanager
def _reading(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{str(place)!a} cannot be read: {error.strerror or error}") from None


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LicensingError(
            Problem.UNAVAILABLE, f"{str(place)!a} cannot be written: {error.strerror or error}"
        ) from None
