"""Where is the license server, when nobody has said it?

In order: what was asked for, the environment's CALWARD_SERVER, then the first of the usual Unix sockets that is there. A socket that
is there but does not answer is not passed over: another server's answer would be taken for this one's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["DEV_FOLDER", "find_server", "usual_sockets"]

DEV_FOLDER: Final = Path(".run")
"""Where ``./dev run`` keeps its servers, below the folder of the checkout."""
_NAME: Final = "calward.sock"


def usual_sockets(environment: Mapping[str, str], folder: Path) -> list[Path]:
    """Where a license server of this machine may listen; ``folder`` is the working directory, or the checkout."""
    folders = ["/run/calward", environment.get("CALWARD_DATA_DIR") or "/var/lib/calward"]
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        folders.append(runtime)
    # CALWARD_SOCKET is the server's own setting; "none" means that it has no socket.
    own = [Path(one)] if (one := environment.get("CALWARD_SOCKET")) and one != "none" else []
    run = folder / DEV_FOLDER
    return [*own, *(Path(one) / _NAME for one in folders), run / _NAME, *sorted(run.glob(f"*/{_NAME}"))]


def find_server(asked: str | None, environment: Mapping[str, str], folder: Path) -> str:
    """Give the address: ``https://…``, ``http://…`` or ``unix:/…``; raises LicensingError(UNREACHABLE) if there is none."""
    if asked is not None:  # Also an empty one: whoever has named a server must not reach another.
        return asked
    if named := environment.get("CALWARD_SERVER"):
        return named
    sockets = usual_sockets(environment, folder)
    for socket in sockets:
        if socket.is_socket():
            return f"unix:{socket.absolute()}"
    places = ", ".join(map(str, sockets))
    raise LicensingError(Problem.UNREACHABLE, f"no license server is running on this machine: no socket at {places}")
