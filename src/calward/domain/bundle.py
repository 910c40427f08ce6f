"""How do several signed envelopes travel together, as a file, an HTTP body or a chain of QR codes?

A bundle is one envelope a line, in the order in which they are to be taken, each line ended by a line feed. One envelope alone is
a bundle too. Nothing is believed here: each envelope is accepted or refused by itself.
"""

from collections.abc import Iterable
from typing import Final

from calward.domain.envelope import MAX_ENVELOPE_SIZE
from calward.domain.errors import LicensingError, Problem

__all__ = ["MAX_BUNDLE_SIZE", "MAX_ENVELOPES", "join", "split"]

MAX_ENVELOPES: Final = 200
"""Envelopes in a bundle at most."""
MAX_BUNDLE_SIZE: Final = 512 * 1024 * 1024
"""Bytes of a bundle that holds handovers; one without them is at most ``MAX_ENVELOPES`` times an envelope."""


def join(envelopes: Iterable[bytes]) -> bytes:
    """Put envelopes together."""
    return b"".join(one.removesuffix(b"\n") + b"\n" for one in envelopes)


def split(bundle: bytes, *, max_size: int = MAX_ENVELOPES * MAX_ENVELOPE_SIZE) -> tuple[bytes, ...]:
    """Take them apart, still unread; raises LicensingError(MALFORMED): too large, too many, empty, or an empty line."""
    if len(bundle) > max_size:
        raise LicensingError(Problem.MALFORMED, f"the file is {len(bundle)} bytes long, {max_size} are allowed")
    lines = bundle.removesuffix(b"\n").split(b"\n", MAX_ENVELOPES)
    if len(lines) > MAX_ENVELOPES:
        raise LicensingError(Problem.MALFORMED, f"more than {MAX_ENVELOPES} envelopes stand in the file")
    if not all(lines):
        raise LicensingError(Problem.MALFORMED, "the file is empty or has an empty line: it was cut, copy it again")
    return tuple(lines)
