"""How is a small file written so that it is there whole or not at all?"""

import json
import os
import tempfile
from pathlib import Path
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["read_json", "sync_folder", "write_whole"]

_LARGEST: Final = 64 << 20


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write beside the place, durable, and rename; makes the folder; raises LicensingError(UNAVAILABLE)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            Path(partial).replace(path)
            sync_folder(path.parent)
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be written: {error.strerror}") from None


def sync_folder(folder: Path) -> None:
    """Make durable what names a folder has; raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> object:
    """What a file of JSON says, None where there is none; raises LicensingError: UNAVAILABLE, CORRUPT."""
    try:
        with path.open("rb") as file:
            return json.loads(file.read(_LARGEST))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise LicensingError(Problem.CORRUPT, f"{str(path)!a} is no JSON: move it away") from None
