"""How is a file cut into texts that fit QR codes, and put together again from codes that were read in any order?

A part is ``CALWARD:1:<part>:<parts>:<check>:<data>``: upper case, so that a QR code writes it in its dense alphanumeric mode; ``check``
is the first 64 bits of the file's SHA-256 in hexadecimal digits, the same in all parts; ``data`` is base32 without padding.
Source: reliability-security C.4 (whole envelopes travel as files or QR codes).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["MAX_CARRIED", "PART_BYTES", "cut", "put_together"]

PART_BYTES: Final = 600
"""Bytes of the file in one part: a code that a telephone reads from a screen or from paper (size 22 of 40)."""
MAX_PARTS: Final = 99
MAX_CARRIED: Final = PART_BYTES * MAX_PARTS
"""Bytes of the largest file that can be carried so; a larger one (many issued licenses that move along) travels as a file."""

_PART = re.compile(r"CALWARD:1:(\d{1,2}):(\d{1,2}):([0-9A-F]{16}):([A-Z2-7]{1,960})", re.ASCII)


def cut(content: bytes) -> list[str]:
    """Cut a file into the texts of QR codes; raises LicensingError(MALFORMED): it is empty or too large."""
    if not 0 < len(content) <= MAX_CARRIED:
        detail = f"{len(content)} bytes do not fit QR codes, 1 to {MAX_CARRIED} do: carry the file itself"
        raise LicensingError(Problem.MALFORMED, detail)
    pieces = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)]
    check = _check(content)
    return [f"CALWARD:1:{n}:{len(pieces)}:{check}:{_to_base32(piece)}" for n, piece in enumerate(pieces, 1)]


def put_together(texts: Iterable[str]) -> bytes:
    """The file from the texts of its codes, in any order, some of them twice.

    Raises: LicensingError(MALFORMED): a text is no part of ours, parts of two files are mixed, some are missing (it says which),
    or they do not give what was cut.
    """
    found: dict[int, str] = {}
    whole: tuple[int, str] | None = None
    for text in texts:
        number, parts, check, data = _read(text)
        if whole not in {None, (parts, check)}:
            raise LicensingError(
                Problem.MALFORMED, "these codes belong to different files: read those of one file only"
            )
        whole = parts, check
        found[number] = data
    if whole is None:
        raise LicensingError(Problem.MALFORMED, "no code of Calward is there: photograph it sharp, straight and whole")
    missing = sorted(set(range(1, whole[0] + 1)) - set(found))
    if missing:
        numbers = ", ".join(map(str, missing))
        raise LicensingError(Problem.MALFORMED, f"of {whole[0]} codes these are missing: {numbers}; read them too")
    content = b"".join(_from_base32(found[number]) for number in sorted(found))
    if _check(content) != whole[1]:
        raise LicensingError(Problem.MALFORMED, "the codes do not give the file that was cut: one of them was changed")
    return content


def _read(text: str) -> tuple[int, int, str, str]:
    match = _PART.fullmatch(text)
    if match is None:
        raise LicensingError(Problem.MALFORMED, "this code is none of Calward's")
    number, parts = int(match[1]), int(match[2])
    if not 1 <= number <= parts:
        raise LicensingError(Problem.MALFORMED, f"the code calls itself number {number} of {parts}")
    return number, parts, match[3], match[4]


def _check(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16].upper()


def _to_base32(piece: bytes) -> str:
    return base64.b32encode(piece).decode().rstrip("=")


def _from_base32(text: str) -> bytes:
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise LicensingError(Problem.MALFORMED, "a code holds data of an impossible length: it was changed") from None
