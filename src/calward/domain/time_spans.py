"""How long is ``15m``?"""

import re
from typing import Final

__all__ = ["SPAN_FORM", "seconds_of"]

SPAN_FORM: Final = "a time like 90s, 15m, 6h or 1d"
_SPAN: Final = re.compile(r"(0|[1-9]\d{0,5})([smhd])", re.ASCII)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str) -> int | None:
    """Seconds of ``0s``, ``90s``, ``15m``, ``6h`` or ``1d``; None where it is none of these."""
    found = _SPAN.fullmatch(text)
    return None if found is None else int(found[1]) * _UNITS[found[2]]
