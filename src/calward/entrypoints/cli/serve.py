"""How does the license server start? ``calward serve``, and ``devrun`` behind ``./dev run``."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import rich_click as click

from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.output import say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import RunOptions, ServeOptions, Wiring

__all__ = ["devrun", "serve"]

_file = click.Path(path_type=Path, dir_okay=False)
_dir = click.Path(path_type=Path, file_okay=False)
_WHAT: Final = {
    "url": "license server",
    "socket": "local socket",
    "fingerprint": "fingerprint",
    "setup": "first administrator (once)",
    "clearinghouse": "clearinghouse",
    "data": "data",
    "note": "note",
    "try": "try",
    "then": "then",
    "and": "and",
}


@click.command()
@click.option("--config", metavar="FILE", type=_file, help="The settings file; what stands here wins over it.")
@click.option("--data-dir", metavar="DIR", type=_dir, help="Folder of the ledger (SQLite), keys and trust.")
@click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME.")
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; not loopback needs TLS; port 0 is any free one.")
@click.option("--socket", metavar="FILE", help="The Unix socket for local administration; none: no socket.")
@click.option("--tls-certificate", metavar="FILE", help="PEM file with the certificate and its chain.")
@click.option("--tls-key", metavar="FILE", help="PEM file with the certificate's key.")
@click.option("--self-signed", is_flag=True, default=None, help="Make a certificate of its own; hosts pin it.")
@click.option("--new-key", is_flag=True, default=None, help="Make a new server.key for a ledger that has lost its own.")
@click.option("--name", help="The license server's name, given to a new ledger.")
@click.option("--server-version", metavar="VERSION", help="The version it runs as, given to a new ledger.")
@click.option("--server-id", metavar="ID", help="The id of a license server whose ledger is lost, for the new one.")
@click.option("--ladder", metavar="NAME|FILE", help="The version ladder, given to a new ledger.")
@click.option("--clearinghouse", metavar="URL", help="The clearinghouse, for activation online.")
@click.option("--roots", metavar="HEX,…", help="The root keys of the clearinghouses that are trusted.")
@click.option(
    "--findings-every-seconds", metavar="N", help="Count findings for /metrics so often; 0: never.  [default: 300]"
)
@json_option
@click.pass_obj
def serve(wiring: Wiring, /, config: Path | None, *, as_json: bool, **settings: object) -> None:
    """Run the license server until it is stopped.

    Settings come from the file, then the environment (CALWARD_ and the name in capitals), then from here.

    \b
    Examples:
      calward serve
      calward serve --listen 127.0.0.1:8460 --data-dir ./data
      calward serve --listen 0.0.0.0:8460 --tls-certificate ls.pem --tls-key ls.key
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    said = {key: value for key, value in settings.items() if value is not None}
    wiring.serve(ServeOptions(config, said), _ready(as_json=as_json))


@click.command(hidden=True)
@click.option("--demo", is_flag=True, help="Fill a mixed estate with a history of months.")
@click.option("--fresh", is_flag=True, help="Forget what the last run has kept.")
@click.option("--data-dir", metavar="DIR", type=_dir, help="Where both keep it.")
@click.option(
    "--port", default=0, type=click.IntRange(0, 65535), help="The license server's; 0: 8460, else a free one."
)
@click.option("--clearinghouse-port", default=0, type=click.IntRange(0, 65535), help="The other's; 0: 8470, or free.")
@json_option
@click.pass_obj
def devrun(wiring: Wiring, /, *, as_json: bool, **options: bool | int | Path | None) -> None:
    """Run license server and clearinghouse on loopback: what ./dev run starts.

    \b
    Examples:
      ./dev run
      ./dev run --demo
    """  # noqa: D301
    wiring.devrun(RunOptions(**options), _ready(as_json=as_json))  # type: ignore[arg-type]


def _ready(*, as_json: bool) -> Callable[[Mapping[str, str]], None]:
    """Tell where everything is, once it can be used."""

    def tell(places: Mapping[str, str]) -> None:
        if as_json:
            say(json.dumps(dict(places)))  # One line: whoever has started us waits for it.
            return
        for kind, place in places.items():
            say(f"{_WHAT.get(kind, kind)}: {safe(place)}")

    return tell
