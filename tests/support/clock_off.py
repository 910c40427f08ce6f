"""Programs whose clock is some days off, while they run as fast as always: ``clock_off.c``, built once."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path

_SECONDS_A_DAY = 86_400


def clock(days: int) -> dict[str, str]:
    """The environment of such a program; empty where its clock is right."""
    return {"LD_PRELOAD": str(_library()), "CLOCK_OFF_SECONDS": str(days * _SECONDS_A_DAY)} if days else {}


_FOLDER = tempfile.TemporaryDirectory(prefix="clock-off-")  # Gone with the process.


@cache
def _library() -> Path:
    library = Path(_FOLDER.name) / "clock_off.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, Path(__file__).with_suffix(".c"), "-ldl"], check=True)
    return library
