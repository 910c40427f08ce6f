"""Which bytes stand for a JSON object, so that equal objects have equal bytes and no others are read?

Keys sorted, no spaces, UTF-8 without escapes that are not needed, whole numbers only. What is read is written again and compared:
a second spelling of the same object is refused, so nobody can make two files that mean the same and hash differently.
"""

import json
import re
from typing import Never

from calward.domain.errors import LicensingError, Problem

__all__ = ["decode_object", "encode"]

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
# Possessive: without ways back to remember, a string of 300 MB takes no more memory than it is long.
_NO_BRACKET = re.compile(r"[^\[\]{}]+")


def encode(value: object) -> bytes:
    """Render an object of str, int, bool, None, list and dict; the same object always gives the same bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def decode_object(body: bytes, what: str, *, max_size: int, max_depth: int = 4) -> dict[str, object]:
    """Read a canonical JSON object from bytes that nobody vouches for; ``what`` names it in errors.

    Size and nesting are checked before anything is parsed.

    Raises: LicensingError(MALFORMED): too large, nested too deep, not UTF-8, not JSON, a key twice, a fraction, not canonical.
    """
    if len(body) > max_size:
        raise _malformed(what, f"is {len(body)} bytes long, {max_size} are allowed")
    try:
        text = body.decode()
        _check_depth(text, max_depth)
        value = json.loads(text, object_pairs_hook=_unique, parse_float=_no_fraction, parse_constant=_no_fraction)
        same = encode(value) == body
    except (ValueError, RecursionError) as error:
        # UnicodeError and JSONDecodeError are both ValueErrors; their text quotes positions, never the content.
        raise _malformed(what, f"is no JSON that can be read: {_reason(error)}") from None
    if not isinstance(value, dict):
        raise _malformed(what, "is JSON but no object")
    if not same:
        raise _malformed(
            what, "is not in canonical form: sorted keys, no spaces, each character in its shortest spelling"
        )
    return value


def _malformed(what: str, detail: str) -> LicensingError:
    return LicensingError(Problem.MALFORMED, f"{what} {detail}")


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower()} at character {error.pos}"
    return "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)


def _check_depth(text: str, max_depth: int) -> None:
    depth = 0
    for bracket in _NO_BRACKET.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise ValueError(f"nested deeper than {max_depth}")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _no_fraction(_text: str) -> Never:
    raise ValueError("only whole numbers are allowed")
