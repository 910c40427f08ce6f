"""Where are the recorded bytes of tests/vectors, and how are they read?"""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "vectors"


def blocks(name: str) -> list[bytes]:
    """The blocks of a hex file: ``--`` parts them, what stands behind a # is for people."""
    parts = (FOLDER / name).read_text(encoding="ascii").split("\n--\n")
    return [bytes.fromhex("".join(line.partition("#")[0] for line in part.splitlines())) for part in parts]


def block(name: str) -> bytes:
    """The only block of a hex file."""
    [only] = blocks(name)
    return only


def values(name: str) -> dict[str, bytes]:
    """The values of a JSON file beside one."""
    named = json.loads((FOLDER / name).read_text(encoding="ascii"))
    return {key: bytes.fromhex(value) for key, value in named.items() if key != "source"}
