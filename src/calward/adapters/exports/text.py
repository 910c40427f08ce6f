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


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that is text; ``flaw`` says what of it is none in this encoding, and is read as U+FFFD."""

    path: Path
    encoding: str
    size: int
    flaw: str | None

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
    encoding, flaw = _encoding(path, head, file)
    return TextFile(path, encoding, size, flaw)


def _encoding(path: Path, head: bytes, file: IO[bytes]) -> tuple[str, str | None]:
    """The codec, and what does not fit it."""
    marked = next((codec for mark, codec in _MARKS if head.startswith(mark)), None) or _unmarked_utf16(head)
    if marked is None and b"\x00" in head:
        detail = f"{str(path)!a} is no text but a binary file: what can be read is CSV, JSON or the text of a report"
        raise LicensingError(Problem.MALFORMED, detail)
    for codec in (marked,) if marked else ("utf-8", _FALLBACK):
        file.seek(0)
        flaw = _flaw(codec, file)
        if flaw is None or codec != "utf-8" or flaw == _CUT:
            return codec, flaw
    return _FALLBACK, None  # Not reached: the fallback always returns.


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without its mark: most characters of an export are Latin, so every second byte is zero."""
    pairs = len(head) // 2
    zeros = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    for count, other, codec in ((zeros[1], zeros[0], "utf-16-le"), (zeros[0], zeros[1], "utf-16-be")):
        if pairs and count > pairs // 2 and other == 0:
            return codec
    return None


_CUT: Final = "it ends within a character"


def _flaw(codec: str, file: IO[bytes]) -> str | None:
    decoder = codecs.getincrementaldecoder(codec)(errors="strict")
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
    except UnicodeDecodeError as error:
        return f"it holds bytes that are no {codec}: {error.object[error.start : error.start + 4].hex(' ')}"
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _CUT
    return None
