"""How fast is Calward, how large does its ledger grow, and how far is both from the best that is possible?

`./dev bench [NAME…] [--json]`: stdout is one JSON object, a key for each benchmark that ran; stderr tells how it goes.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # As a script: `bench` and `tests` are found from the root.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench import filled, insight, issue, morning, splice, wire
from bench.figures import FULL, TINY, Sizes, table
from bench.places import say, work_folder
from calward.adapters.system import tune_interpreter

NAMES = ("issue", "growth", "size", "morning", "wire", "insight")

Benchmark = Callable[[Path, Sizes, Sequence[str]], Mapping[str, Any]]

BENCHMARKS: dict[tuple[str, ...], Benchmark] = {
    ("issue",): lambda folder, sizes, _names: {"issue": issue.measure(folder, sizes)},
    ("growth", "size"): filled.measure,
    ("morning",): lambda folder, sizes, _names: {"morning": morning.measure(folder, sizes)},
    ("wire",): lambda folder, sizes, _names: {"wire": wire.measure(sizes) | splice.measure(folder, sizes)},
    ("insight",): lambda folder, sizes, _names: {"insight": insight.measure(folder, sizes)},
}
"""What runs for which names; growth and size share one filled ledger."""


def measure(names: Sequence[str], folder: Path, sizes: Sizes = FULL) -> dict[str, Any]:
    """The figures of the named benchmarks."""
    found: dict[str, Any] = {}
    for covered, run in BENCHMARKS.items():
        wanted = [name for name in covered if name in names]
        if wanted:
            began = time.monotonic()
            found |= run(folder, sizes, wanted)
            say(f"   {' and '.join(wanted)}: {time.monotonic() - began:.0f} s")
    return found


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; none: all")
    parser.add_argument("--json", action="store_true", help="no table on stderr, only the JSON on stdout")
    parser.add_argument("--folder", type=Path, help="where databases are kept meanwhile; must be a disk")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes: shows that it works, measures nothing")
    found = parser.parse_args(words)
    unknown = sorted(set(found.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}: say {', '.join(NAMES)}")
    return found


def main(words: Sequence[str]) -> int:
    """Measure and print."""
    asked = arguments(words)
    tune_interpreter()  # As the server does, for what is measured in this process.
    with work_folder(asked.folder) as folder:
        found = measure(asked.names or NAMES, folder, TINY if asked.tiny else FULL)
    if not asked.json:
        say(table(found))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
