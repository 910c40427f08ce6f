"""Which options say where imported estates are, and which license server is asked?"""

from collections.abc import Callable
from pathlib import Path

import rich_click as click

from calward.entrypoints.cli.common.desk import ca_option, fingerprint_option, server_option, token_option

__all__ = ["estates_option", "estates_where"]

estates_option = click.option(
    "--estates",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of imported estates.  [default: CALWARD_ESTATES, else calward/estates in XDG_DATA_HOME]",
)


def estates_where(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command what it takes to ask an imported estate or a running license server: ``folder`` and the parts of Where."""
    for option in (fingerprint_option, ca_option, token_option, server_option, estates_option):
        function = option(function)
    return function
