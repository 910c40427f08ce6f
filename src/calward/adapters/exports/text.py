"""How do bytes of a file become lines: which encoding, how large, and is it text at all?

Looked at before anything parses. Nothing is held but one chunk or one line.
"""

import codecs
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["LONGEST_LINE", "MOST_BYTES", "TextFile", "inspect_file"]

MOST_BYTES: Final = 1 << 30
"""A million issued licenses take a third of this, in the most talkative of the forms."""
LONGEST_LINE: Final = 1 << 20
"""Characters; no export has lines of a thousandth of this, but JSON may stand in one line: that is read in pieces."""
_CHUNK: Final = 1 << 20
_HEAD: Final = 4096
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FALLBACK: Final = "cp1252"
"""What Windows writes where it writes no Unicode, in the West."""
_CLEAN_UP: Final = str.maketrans("", "", "\x00")


Flaw = tuple[int, str]


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that is text; ``flaws`` say what of it is none, each with its line (0: wherever)."""

    path: Path
    encoding: str
    size: int
    flaws: tuple[Flaw, ...]

    def open(self) -> IO[str]:
        """Open it; line ends come as they stand in it."""
        return self.path.open(encoding=self.encoding, errors="replace", newline="")

    def lines(self) -> Iterator[str]:
        """Give the lines with their ends, of whichever kind.

        Raises: LicensingError(MALFORMED): a line is longer than any export's.
        """
        with self.open() as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
                    detail = f"line {number} of {self.path.name!a} is longer than {LONGEST_LINE} characters: no export has such lines"
                    raise LicensingError(Problem.MALFORMED, detail)
                yield line.translate(_CLEAN_UP) if "\x00" in line else line


def inspect_file(path: Path) -> TextFile:
    """Look through a file once: its size, its encoding, and whether it is text.

    Raises: LicensingError: NOT_FOUND, UNAVAILABLE where it cannot be read, MALFORMED where it is too large, empty or no text.
    """
    try:
        # Asked before it is opened: a pipe would make us wait for whoever writes into it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise LicensingError(Problem.MALFORMED, f"{str(path)!a} is no regular file: save what it gives as one")
        with path.open("rb") as file:
            return _inspect(path, file)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise LicensingError(Problem.NOT_FOUND, f"there is no file {str(path)!a}") from None
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be read: {error.strerror}") from None


def _inspect(path: Path, file: IO[bytes]) -> TextFile:
    size = os.fstat(file.fileno()).st_size
    if size > MOST_BYTES:
        detail = f"{str(path)!a} has {size} bytes: more than {MOST_BYTES} are not read; export fewer rows at a time"
        raise LicensingError(Problem.MALFORMED, detail)
    head = file.read(_HEAD)
    if not head.strip(b"\x00\r\n\t \xff\xfe\xef\xbb\xbf"):
        raise LicensingError(Problem.MALFORMED, f"{str(path)!a} is empty")
    encoding, flaws = _encoding(path, head, file)
    return TextFile(path, encoding, size, flaws)


def _encoding(path: Path, head: bytes, file: IO[bytes]) -> tuple[str, tuple[Flaw, ...]]:
    """The codec, and what does not fit it."""
    marked = next((codec for mark, codec in _MARKS if head.startswith(mark)), None) or _unmarked_utf16(head)
    if marked is None and _is_binary(head):
        detail = f"{str(path)!a} is no text but a binary file: what can be read is CSV, JSON or the text of a report{_hint(head)}"
        raise LicensingError(Problem.MALFORMED, detail)
    if marked:
        return marked, _flaws(marked, file)
    flaws = _flaws("utf-8", file)
    if all(reason in _HARMLESS for _, reason in flaws) or _mostly_utf8(file):
        return "utf-8", flaws
    return _FALLBACK, _flaws(_FALLBACK, file)


def _is_binary(head: bytes) -> bool:
    """Whether these are no letters of any encoding: a stray zero makes no binary file."""
    return b"\x00" in head and (head.count(b"\x00") * 20 > len(head) or any(one in head for one in _UNWRITTEN))


_UNWRITTEN: Final = tuple(bytes([one]) for one in (*range(1, 9), *range(14, 26), *range(28, 32)))


def _hint(head: bytes) -> str:
    return "; a workbook is saved as CSV by the program that shows it" if head.startswith((b"PK", b"\xd0\xcf")) else ""


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without its mark: most characters of an export are Latin, so every second byte is zero."""
    pairs = len(head) // 2
    zeros = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    for count, other, codec in ((zeros[1], zeros[0], "utf-16-le"), (zeros[0], zeros[1], "utf-16-be")):
        if pairs and count > pairs // 2 and other == 0:
            return codec
    return None


_CUT: Final = "it ends within a character"
_ZEROS: Final = "it holds characters with the number zero, here for the first time: they are left out"
_HARMLESS: Final = frozenset({_CUT, _ZEROS})
"""Flaws that do not speak against an encoding."""


def _flaws(codec: str, file: IO[bytes]) -> tuple[Flaw, ...]:
    """The first of each kind."""
    decoder = codecs.getincrementaldecoder(codec)(errors="strict")
    zeros: list[Flaw] = []
    lines = 1
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if not zeros and (place := text.find("\x00")) >= 0:
                zeros.append((lines + text.count("\n", 0, place), _ZEROS))
            lines += text.count("\n")
    except UnicodeDecodeError as error:
        some = error.object[error.start : error.start + 4].hex(" ")
        wrong = f"it holds bytes that are no {codec}, here for the first time: {some}; they are shown as \ufffd"
        before = error.object[: error.start].decode(
            error.encoding if error.encoding.startswith("utf") else "latin-1", "replace"
        )
        return *zeros, (lines + before.count("\n"), wrong)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return *zeros, (0, _CUT)
    return tuple(zeros)


def _mostly_utf8(file: IO[bytes]) -> bool:
    """Whether more of what is not ASCII is UTF-8 than not: one broken byte must not change every other letter."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    good = bad = 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        text = decoder.decode(chunk)
        broken = text.count("\ufffd")
        bad += broken
        good += len(text) - len(text.encode("ascii", "ignore")) - broken
    return good > bad
