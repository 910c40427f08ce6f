"""How is a demo's estate filled with a history of months, before anything is served?

The same parts as in real life, but with a clock that the story moves: every event, signature and checkpoint bears the story's time.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from calward.adapters.secret_files import write_secret
from calward.adapters.system import SystemClock, SystemEntropy
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.publish_keyring import KEYRING_DAYS
from calward.app.demo.estate import SERVER_NAME, SERVER_VERSION
from calward.app.demo.player import SEED, Summary, first_second, play
from calward.app.demo.stage import Stage, StoryClock, StoryEntropy
from calward.bootstrap.clearinghouse import init_clearinghouse
from calward.bootstrap.license_server import LicenseServer
from calward.config import ServerConfig
from calward.domain.errors import LicensingError, Problem

__all__ = ["clear", "fill_demo"]

STATE_FILE: Final = "demo.state"
FILLING, FILLED = "filling\n", "filled\n"
TOKENS_FOLDER: Final = "hosts"
"""Holds a token for each host, to try what it would be answered."""
LEDGER_FILE: Final = "ledger.db"
CLEARINGHOUSE_NAME: Final = "Example clearinghouse"


def fill_demo(folder: Path, clearinghouse_folder: str, *, until: int | None = None) -> Summary | None:
    """Fill the ledger in a folder, unless that was done before (None); ``until``: when the story ends, else now.

    What an interrupted run has left is removed first. Raises: LicensingError(CONFLICT): the folder has another ledger.
    """
    state = folder / STATE_FILE
    known = state.read_text(encoding="ascii") if state.exists() else None
    if known == FILLED:
        return None
    if known is None and (folder / LEDGER_FILE).exists():
        detail = f"{folder} has a ledger that is no demo's: name another folder by --data-dir, or clear it by --fresh"
        raise LicensingError(Problem.CONFLICT, detail)
    clear(folder, keep=("devrun.lock", ".gitignore"))
    state.write_text(FILLING, encoding="ascii")
    summary = _fill(folder, folder / clearinghouse_folder, SystemClock().now() if until is None else until)
    state.write_text(FILLED, encoding="ascii")
    return summary


def clear(folder: Path, *, keep: Sequence[str]) -> None:
    """Empty a folder but for some files."""
    for one in folder.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        elif one.name not in keep:
            one.unlink()


def _fill(folder: Path, house: Path, until: int) -> Summary:
    clock = StoryClock(first_second(until))
    entropy = StoryEntropy(SEED, SystemEntropy())
    desk, root = init_clearinghouse(house, CLEARINGHOUSE_NAME, KEYRING_DAYS, clock, SystemEntropy())
    config = ServerConfig(data_dir=folder, name=SERVER_NAME, server_version=SERVER_VERSION, roots=root.hex())
    server = LicenseServer(config, clock=clock, entropy=entropy)
    try:
        return play(_stage(server, desk, clock, entropy, folder), until=until, progress=_Progress())
    finally:
        server.close()


def _stage(server: LicenseServer, desk: Clearinghouse, clock: StoryClock, entropy: StoryEntropy, folder: Path) -> Stage:
    tokens = folder / TOKENS_FOLDER
    tokens.mkdir(mode=0o700)

    def end_of_day() -> None:
        server.host_tokens.keep_seen(server.ledger)
        server.audit_log.tend()

    return Stage(
        ledger=server.ledger,
        host_tokens=server.host_tokens,
        signatures=server.signatures,
        ladder=server.ladder,
        clearinghouse=desk,
        clock=clock,
        entropy=entropy,
        end_of_day=end_of_day,
        keep_token=lambda name, token: write_secret(tokens / f"{name}.token", token),
    )


class _Progress:
    """One line on standard error that grows; standard output belongs to the result."""

    _STEP: Final = 5

    def __init__(self) -> None:
        self._shown = 0
        sys.stderr.write("filling the demo with five months of history ")

    def __call__(self, share: float) -> None:
        reached = int(share * 100) // self._STEP
        sys.stderr.write("." * (reached - self._shown) + (" done\n" if share >= 1 else ""))
        sys.stderr.flush()
        self._shown = reached
