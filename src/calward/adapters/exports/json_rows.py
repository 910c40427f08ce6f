"""How do objects that ConvertTo-Json has written become rows: one, an array, several one after the other?

Read in pieces: never more than one object is held, however large the file; each is at most ``LARGEST`` characters.
"""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Final

from calward.adapters.exports.columns import Shape, plain, recognize
from calward.adapters.exports.tables import Row, Trouble
from calward.domain.errors import LicensingError, Problem

__all__ = ["looks_like_json", "read_json"]

LARGEST: Final = 1 << 20
"""Characters of one object; with everything that PowerShell knows about a CIM instance it is twenty thousand."""
_CHUNK: Final = 1 << 18
_BETWEEN: Final = " \t\r\n,"
_MOST_BROKEN: Final = 1000
"""After so many broken objects in a row nothing good comes any more; looking on would take hours."""
_MOST_SHAPES: Final = 1000
"""Sets of names that are remembered; a file has a handful."""
_NEAR: Final = 16
"""Characters before the end of a piece in which a cut word or escape may begin."""


def looks_like_json(head: str) -> bool:
    """Whether a text begins like JSON."""
    return head.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def read_json(file: IO[str], name: str) -> Iterator[Row | Trouble]:
    """Give each object as a row, or why it is none.

    Raises: LicensingError(MALFORMED): no object is of a kind that is known.
    """
    shapes: dict[tuple[str, ...], Shape | None] = {}
    known = 0
    seen: tuple[str, ...] = ()
    for line, found in _objects(file):
        if isinstance(found, str):
            yield line, found
            continue
        keys = tuple(found)
        if keys not in shapes:
            if len(shapes) >= _MOST_SHAPES:
                shapes.clear()
            shapes[keys] = recognize(keys)
        shape = shapes[keys]
        if shape is None:
            seen = seen or keys
            yield line, f"is an object of no kind that is known here: it has {_some(keys)}"
            continue
        known += 1
        yield line, shape, _cells(found, shape)
    if not known:
        has = f"its first object has {_some(seen)}" if seen else "it holds no object"
        detail = (
            f"{name!a} is JSON, but {has}: known are the licensing classes of WMI and session hosts, "
            "as an object or an array of objects"
        )
        raise LicensingError(Problem.MALFORMED, detail)


def _some(keys: tuple[str, ...]) -> str:
    return ", ".join(ascii(key[:30]) for key in keys[:6]) or "no names"


def _cells(found: Mapping[str, object], shape: Shape) -> Mapping[str, object]:
    cells: dict[str, object] = {}
    for key, value in found.items():
        own = shape.names.get(plain(key))
        if own is not None and cells.get(own) in (None, ""):
            cells[own] = value
    return cells


class _Window:
    """The part of a text that is being looked at, and the line on which it begins."""

    def __init__(self, file: IO[str]) -> None:
        self.text = ""
        self.place = 0
        self.line = 1
        self.ended = False
        self._file = file

    def more(self) -> None:
        """Read on, and let go of what has been read."""
        chunk = self._file.read(_CHUNK)
        self.ended = not chunk
        self.text = self.text[self.place :] + chunk
        self.place = 0

    def go(self, place: int) -> None:
        """Move on to a place."""
        self.line += self.text.count("\n", self.place, place)
        self.place = place

    def skip(self, letters: str) -> str:
        """Move over these letters; gives the one that comes next, "" at the end."""
        while True:
            place = self.place
            while place < len(self.text) and self.text[place] in letters:
                place += 1
            self.go(place)
            if place < len(self.text):
                return self.text[place]
            if self.ended:
                return ""
            self.more()


def _objects(file: IO[str]) -> Iterator[tuple[int, dict[str, object] | str]]:
    """Every object, wherever it stands: arrays and the wrapper ``{"value": […], "Count": n}`` are gone into."""
    window = _Window(file)
    decoder = json.JSONDecoder()
    broken = 0
    while letter := window.skip(_BETWEEN + "[]\ufeff"):
        if letter != "{":
            line, skipped = window.line, _skip_to(window, "{")
            if not _is_tail(skipped):
                yield line, f"{skipped[:40]!a} is no object: it is left out"
            continue
        if _opens_wrapper(window):
            continue
        line, found = window.line, _object(window, decoder)
        yield line, found
        broken = broken + 1 if isinstance(found, str) else 0
        if broken == _MOST_BROKEN:
            yield window.line, f"{broken} objects in a row are broken: the rest of the file is not read"
            return


def _skip_to(window: _Window, letter: str) -> str:
    """Move to the next letter of this kind; gives the beginning of what lay before it."""
    skipped = ""
    while True:
        place = window.text.find(letter, window.place)
        end = place if place >= 0 else len(window.text)
        skipped = (skipped + window.text[window.place : end])[:200]
        window.go(end)
        if place >= 0 or window.ended:
            return skipped
        window.more()


def _is_tail(skipped: str) -> bool:
    """Whether this is the end of a wrapper: ``"Count": 2}``."""
    rest = skipped.strip(_BETWEEN + "[]}")
    return not rest or (rest.startswith('"Count"') and rest[7:].strip(" :\t\r\n").isdecimal())


def _opens_wrapper(window: _Window) -> bool:
    """Step into ``{"value": [``, which older PowerShells write around an array."""
    while len(window.text) - window.place < 200 and not window.ended:  # noqa: PLR2004 - room for blanks.
        window.more()
    start = window.text[window.place : window.place + 200]
    compact = "".join(start.split())
    if not compact.startswith('{"value":['):
        return False
    window.go(window.place + start.index("[") + 1)
    return True


def _object(window: _Window, decoder: json.JSONDecoder) -> dict[str, object] | str:
    """One object, or why it is none; moves behind it."""
    while True:
        try:
            found, end = decoder.raw_decode(window.text, window.place)
        except RecursionError:
            # To where its depth ends, and not one level further: that would be as deep, and as slow, a thousand times over.
            _skip_to(window, "}")
            _skip_to(window, "{")
            return "is an object that is too deep: it is left out"
        except ValueError as error:
            cut = _is_cut(error, len(window.text))
            if cut and not window.ended and len(window.text) - window.place < LARGEST:
                window.more()
                continue
            why = "is larger than any export's object" if cut and not window.ended else f"is no JSON: {_first(error)}"
            window.go(max(window.place + 1, getattr(error, "pos", 0)))
            _skip_to(window, "{")
            return f"an object {why}; what comes before the next one is left out"
        window.go(end)
        return dict(found)


def _is_cut(error: ValueError, end: int) -> bool:
    """Whether more text could help: the decoder came to the end, or into a string that has none yet."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated string") or error.pos >= end - _NEAR


def _first(error: ValueError) -> str:
    return (error.msg if isinstance(error, json.JSONDecodeError) else str(error)).lower()[:80]
