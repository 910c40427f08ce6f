"""Does the fuzzer find nothing in a few seconds, and does it find what is there?"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no build for this platform"),
]

ROOT = Path(__file__).parents[2]
SECONDS = 15
BROKEN = """
import sys
sys.path.insert(0, {folder!r})
import fuzz_wire
real = fuzz_wire.TARGETS["preamble"]
def broken(data):
    real(data)
    if data[1] == 0x83:
        raise IndexError("found")
fuzz_wire.TARGETS["preamble"] = broken
fuzz_wire.main()
"""


def fuzz(folder, *words):
    # What it finds it would write into the working directory.
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=110, check=False, env=os.environ
    )


def test_nothing_but_the_peers_own_mistakes_is_found_in_a_few_seconds(tmp_path):
    ran = fuzz(tmp_path, str(ROOT / "tests/fuzz/fuzz_wire.py"), f"-max_total_time={SECONDS}", "-seed=1")
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert "DONE" in ran.stderr
    assert not [*tmp_path.iterdir()]


def test_a_mistake_of_ours_is_found_and_left_in_a_file_that_plays_it_again(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text(BROKEN.format(folder=str(ROOT / "tests/fuzz")))
    ran = fuzz(tmp_path, str(script), "-max_total_time=60", "-seed=1")
    assert ran.returncode != 0
    assert "IndexError: found" in ran.stdout + ran.stderr
    [found] = tmp_path.glob("crash-*")
    again = fuzz(tmp_path, str(script), str(found))
    assert "IndexError: found" in again.stdout + again.stderr
