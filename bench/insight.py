"""How long do questions about large estates take, and how does it grow with their size?

``import``: files of another system become a snapshot, by the command itself in a process of its own. Its yardstick reads the same file
as bare CSV and does nothing with it. ``plan``, ``diagnose`` and ``forecast``: ``bench.questions``.
"""

import csv
import runpy
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import questions
from bench.figures import Sizes, middle, ratio
from bench.places import say

__all__ = ["measure"]

_IMPORTS = Path(__file__).resolve().parents[1] / "examples" / "imports"
_PACKS = _IMPORTS / "powershell" / "packs.csv"
_KIB = 1024
_COMMAND = """
import sys
from calward.bootstrap.program import main
code = main(sys.argv[1:])
# Not getrusage: that begins with what the process that started us had.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(peak.split()[1])
sys.exit(code)
"""
"""The command line, and what memory it has taken at most, in KiB, as its last word."""


def measure(folder: Path, sizes: Sizes) -> Mapping[str, Any]:
    """The figures by what was asked."""
    return {"import": _imports(folder, sizes), **questions.measure(folder, sizes)}


def _imports(folder: Path, sizes: Sizes) -> Mapping[str, Any]:
    """Seconds and memory for three lengths of a list of issued licenses, and the growth between the last two."""
    write = runpy.run_path(str(_IMPORTS / "make.py"))["write_long_list"]
    found: dict[str, Any] = {}
    seconds: dict[int, float] = {}
    lengths = (sizes.few, sizes.many // 10, sizes.many)
    for number in lengths:
        file = folder / f"issued-{number}.csv"
        write(file, number)
        rounds = 1 if number == sizes.many else min(3, sizes.rounds)
        runs = [_run(folder, file) for _ in range(rounds)]
        seconds[number] = middle([took for took, _ in runs])
        bare = _bare(file)
        found[f"{number}_licenses"] = {
            "seconds": seconds[number],
            "licenses_per_s": round(number / seconds[number]),
            "mib": max(mib for _, mib in runs),
            "file_mib": round(file.stat().st_size / _KIB**2, 1),
            "times_bare_csv": ratio(seconds[number], bare),
        }
        say(f"   import of {number:,} issued licenses: {seconds[number]} s")
        file.unlink()
    found["growth_of_seconds_tenfold"] = ratio(seconds[lengths[2]], seconds[lengths[1]])
    return found


def _run(folder: Path, file: Path) -> tuple[float, int]:
    """Import once: seconds of the whole command, and MiB of its memory at most."""
    words = [
        sys.executable,
        "-c",
        _COMMAND,
        "estate",
        "import",
        str(_PACKS),
        str(file),
        "--estates",
        str(folder / "estates"),
    ]
    began = time.perf_counter()
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"bench: the import ended with {ended.returncode}: {ended.stderr}")
    return time.perf_counter() - began, round(int(ended.stdout.split()[-1]) / _KIB)


def _bare(file: Path) -> float:
    began = time.perf_counter()
    with file.open(encoding="utf-8", newline="") as lines:
        for _ in csv.reader(lines):
            pass
    return time.perf_counter() - began
