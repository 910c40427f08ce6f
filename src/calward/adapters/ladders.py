"""Where does a version ladder come from: the shipped ones by name, any other from a file?"""

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder, parse_ladder

__all__ = ["load_ladder", "shipped_ladders"]

_SUFFIX: Final = ".toml"
_MAX_BYTES: Final = 1_048_576
"""A ladder of a thousand versions takes a fifth of this; whatever is larger is some other file."""


@cache
def shipped_ladders() -> tuple[str, ...]:
    """List the names of the ladders in this installation, in alphabetical order."""
    names = (entry.name for entry in files("calward.ladders").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_ladder(name_or_path: str) -> Ladder:
    """Load a shipped ladder by its name, or one from a TOML file by its path.

    A shipped name wins over a file of that name in the working directory; ``./NAME`` means the file.

    Raises: LicensingError: NOT_FOUND where there is neither, MALFORMED where the file is no ladder (the detail names
    file and key), UNAVAILABLE where it cannot be read.
    """
    if name_or_path in shipped_ladders():
        return _shipped(name_or_path)
    return _parsed(_read(name_or_path), name_or_path)


@cache
def _shipped(name: str) -> Ladder:
    return _parsed(files("calward.ladders").joinpath(name + _SUFFIX).read_bytes(), name)


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise LicensingError(Problem.NOT_FOUND, _no_such_ladder(path)) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise LicensingError(Problem.UNAVAILABLE, f"ladder file {path!r} cannot be read: {why.lower()}") from error
    if len(content) > _MAX_BYTES:
        raise LicensingError(Problem.MALFORMED, f"{path!r} is no ladder file: it is larger than {_MAX_BYTES} bytes")
    return content


def _no_such_ladder(name: str) -> str:
    near = get_close_matches(name.lower(), shipped_ladders(), n=1, cutoff=0.5)
    help_ = f"did you mean {near[0]}" if near else f"shipped are {', '.join(shipped_ladders())}"
    return f"{name!r} is neither a shipped ladder nor a file: {help_}"


def _parsed(content: bytes, source: str) -> Ladder:
    try:
        return parse_ladder(tomllib.loads(content.decode()))
    except (ValueError, RecursionError) as error:  # Not only TOMLDecodeError: a number may have too many digits.
        raise LicensingError(Problem.MALFORMED, f"ladder file {source!r} is not TOML: {_first_small(error)}") from error
    except LicensingError as error:
        detail = f"ladder file {source!r}: {error.detail}"
        raise LicensingError(error.problem, detail, field=error.field) from error


def _first_small(error: Exception) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]
