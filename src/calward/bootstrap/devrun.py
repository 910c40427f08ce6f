"""How do a license server and a clearinghouse come up on a developer's machine with one command? Behind ``./dev run``.

Both listen on loopback only. The clearinghouse is a process of its own, as it is in real life, and ends with us. All that they keep
lies in one folder, so that the next start goes on where this one was.
"""

import contextlib
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from calward.adapters.companion import Companion
from calward.adapters.network.clearinghouse_client import HttpClearinghouse
from calward.adapters.network.server_address import DEV_FOLDER, usual_sockets
from calward.adapters.one_process import only_process
from calward.adapters.signing import load_public_key
from calward.adapters.system import SystemClock, SystemEntropy
from calward.app.clearinghouse.publish_keyring import KEYRING_DAYS
from calward.app.licensing.activate_online import activate_online
from calward.app.licensing.signed_things import KEYRING
from calward.bootstrap.clearinghouse import ROOT_PUBLIC_FILE, init_clearinghouse
from calward.bootstrap.demo import clear, fill_demo
from calward.bootstrap.license_server import LicenseServer
from calward.bootstrap.serve import serve
from calward.config import ServerConfig
from calward.domain.acceptance import NotAccepted
from calward.domain.errors import LicensingError, Problem
from calward.domain.trust import Role
from calward.entrypoints.cli.common.wiring import RunOptions

__all__ = ["devrun"]

LOCK_FILE: Final = "devrun.lock"
"""Held while a run uses its folder; also says that the folder is ours to clear."""
CLEARINGHOUSE_FOLDER: Final = "clearinghouse"
CLEARINGHOUSE_NAME: Final = "Example clearinghouse"
USUAL_PORT, USUAL_CLEARINGHOUSE_PORT = 8460, 8470
START_SECONDS: Final = 30.0
"""For the clearinghouse to come up, on a machine that is busy with something else."""
TO_TRY: Final = ("status", "host enroll SH1 --version 2022 --mode per-user --token-file sh1.token", "audit verify")
TO_TRY_IN_DEMO: Final = ("status", "license list --status temporary", "audit verify")

_Ready = Callable[[Mapping[str, str]], None]
_T = TypeVar("_T")


def devrun(options: RunOptions, ready: _Ready) -> None:
    """Run both until a signal comes; ``ready`` gets where everything is, and what to try first.

    Raises: LicensingError: CONFLICT: another run uses the folder, or it holds something else; UNAVAILABLE.
    """
    folder = _folder(options)
    with _claimed(folder, fresh=options.fresh):
        if options.demo:
            fill_demo(folder, CLEARINGHOUSE_FOLDER)
        house = _clearinghouse(folder)
        with contextlib.ExitStack() as stack:
            url = _on_port(options.clearinghouse_port or USUAL_CLEARINGHOUSE_PORT, partial(_start, house, stack))
            _remove_dead_sockets()

            def serve_on(port: int) -> None:
                config = _config(folder, url, port)
                rest = {"clearinghouse": url, "data": str(folder)}
                serve(config, ready=lambda own: ready(_places({**own, **rest}, config, options)), first=_activate)

            _on_port(options.port or USUAL_PORT, serve_on)


def _folder(options: RunOptions) -> Path:
    """Where all of it is kept: one folder for the plain run, another for the demo's."""
    return (options.data_dir or DEV_FOLDER / ("demo" if options.demo else "plain")).absolute()


@contextlib.contextmanager
def _claimed(folder: Path, *, fresh: bool) -> Iterator[None]:
    """Make the folder ours while we run; ``fresh``: what an earlier run has left in it is removed first."""
    if folder.exists() and any(folder.iterdir()) and not (folder / LOCK_FILE).exists():
        raise LicensingError(
            Problem.CONFLICT, f"{folder} holds something that ./dev run has not made: name another folder by --data-dir"
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    helps = "stop that one first, or name another folder by --data-dir"
    with only_process(folder / LOCK_FILE, f"another run uses {folder}", helps):
        (folder / ".gitignore").write_text("*\n", encoding="ascii")
        if fresh:
            clear(folder, keep=(LOCK_FILE,))
        yield


def _clearinghouse(folder: Path) -> Path:
    """The clearinghouse's folder; it is made at the first start."""
    house = folder / CLEARINGHOUSE_FOLDER
    if not (house / ROOT_PUBLIC_FILE).exists():
        shutil.rmtree(house, ignore_errors=True)  # Of a first start that was interrupted.
        init_clearinghouse(house, CLEARINGHOUSE_NAME, KEYRING_DAYS, SystemClock(), SystemEntropy())
    return house


def _start(house: Path, stack: contextlib.ExitStack, port: int) -> str:
    """Start the clearinghouse, to be ended with the stack; gives its address."""
    arguments = ["clearinghouse", "serve", "--dir", str(house), "--port", str(port), "--json"]
    return str(stack.enter_context(Companion(arguments)).first_answer(START_SECONDS)["url"])


def _on_port(wanted: int, start: Callable[[int], _T]) -> _T:
    """Start something on a port, or on any free one (0) where somebody else has it, or takes it at the last moment."""
    if _is_free(wanted):
        try:
            return start(wanted)
        except LicensingError as error:
            if error.problem is not Problem.UNAVAILABLE:
                raise
    return start(0)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _places(places: dict[str, str], config: ServerConfig, options: RunOptions) -> dict[str, str]:
    """Where everything is, that another port had to be taken, and what to try."""
    wanted = {
        "url": options.port or USUAL_PORT,
        "clearinghouse": options.clearinghouse_port or USUAL_CLEARINGHOUSE_PORT,
    }
    taken = [str(port) for kind, port in wanted.items() if not places[kind].endswith(f":{port}")]
    note = {"note": f"something else listens on port {' and '.join(taken)}: free ones are used"} if taken else {}
    return {**places, **note, **_to_try(config, options)}


def _config(folder: Path, clearinghouse: str, port: int) -> ServerConfig:
    root = load_public_key(folder / CLEARINGHOUSE_FOLDER / ROOT_PUBLIC_FILE, Role.ROOT)
    return ServerConfig(
        data_dir=folder,
        listen=f"127.0.0.1:{port}",
        name="LS1",
        clearinghouse=clearinghouse,
        roots=root.hex(),
    )


def _activate(server: LicenseServer) -> None:
    """The first activation; later ones the server does by itself, and one that was deactivated stays so."""
    if server.ledger.write(lambda book: book.document(KEYRING)) is not None:
        return
    with HttpClearinghouse(server.config.clearinghouse) as line:
        found = activate_online(server.ledger, line, server.signatures, server.entropy, by="dev run")
    if isinstance(found, NotAccepted):
        raise LicensingError(Problem.CONFLICT, found.detail)


def _to_try(config: ServerConfig, options: RunOptions) -> dict[str, str]:
    """Three commands that show something, as they can be pasted into another terminal."""
    own = Path(sys.executable).parent / "calward"
    program = os.path.relpath(own) if own.is_relative_to(Path.cwd()) else str(own)
    found = next((one for one in usual_sockets({}, Path.cwd()) if one.is_socket()), None)
    where = "" if found == config.socket_path else f" --server unix:{config.socket_path}"
    commands = TO_TRY_IN_DEMO if options.demo else TO_TRY
    return {word: f"{program} {command}{where}" for word, command in zip(("try", "then", "and"), commands, strict=True)}


def _remove_dead_sockets() -> None:
    """Of runs that were killed: commands would find them and ask in vain."""
    for path in DEV_FOLDER.glob("*/*.sock"):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)):
                path.unlink(missing_ok=True)
