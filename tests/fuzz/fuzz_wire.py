"""Which bytes from outside are more than a RemoteProtocolError? Looks for them guided by what runs (atheris, libFuzzer).

``.venv/bin/python tests/fuzz/fuzz_wire.py`` goes on until it is stopped or has found one, which it leaves in a file;
``-max_total_time=60`` ends it after a minute, a file's name behind it plays that file again. Where bytes go is said by the
first of them: a number in ``TARGETS``. It begins with the messages of the specifications, and with those of a folder, if
one is named, in which it also keeps what has led it further.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["calward.wire"]):
    from calward.wire.errors import RemoteProtocolError
    from tests.support.wire_targets import TARGETS, seeds, session_seeds

NAMES = list(TARGETS)
LIMITS = ("-max_len=8192", "-timeout=10", "-rss_limit_mb=1024")
"""Bytes of an input, seconds for one of them, and MiB of the whole process."""


def one_input(data: bytes) -> None:
    """Give bytes to the target that the first of them says; what else than RemoteProtocolError is raised, is a find."""
    if data:
        with suppress(RemoteProtocolError):
            TARGETS[NAMES[data[0] % len(NAMES)]](data[1:])


def write_seeds(folder: Path) -> None:
    """Write the right bytes of each target, one file each."""
    for name, group in {**seeds(), **session_seeds()}.items():
        for number, data in enumerate(group):
            (folder / f"{name} {number}".replace(" ", "-")).write_bytes(bytes([NAMES.index(name)]) + data)


def main() -> None:
    """Run; atheris ends the process itself."""
    with tempfile.TemporaryDirectory() as folder:
        write_seeds(Path(folder))
        options = [one for one in sys.argv[1:] if one.startswith("-")]
        paths = [one for one in sys.argv[1:] if not one.startswith("-")]
        again = bool(paths) and all(Path(one).is_file() for one in paths)
        atheris.Setup([sys.argv[0], *LIMITS, *options, *paths, *([] if again else [folder])], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
