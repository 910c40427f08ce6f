"""How does whoever sells CALs make a clearinghouse, run it, and answer requests that came as files?"""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import rich_click as click
from starlette.types import ASGIApp

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.publish_keyring import KEYRING_DAYS
from calward.app.clearinghouse.sign_key_pack import SignKeyPack
from calward.domain.acceptance import NotAccepted
from calward.domain.cals import CalType
from calward.domain.envelope import MAX_ENVELOPE_SIZE, keyid_of
from calward.domain.statements import MAX_TOTAL, NO_END, Channel, Program
from calward.entrypoints.clearinghouse.app import clearinghouse_app
from calward.entrypoints.cli.clearinghouse.desk import answer, cancel, confirm_key, register, transfers
from calward.entrypoints.cli.clearinghouse.keys import encrypt_keys, rotate
from calward.entrypoints.cli.clearinghouse.options import Moment, dir_option, json_option, out_option
from calward.entrypoints.cli.clearinghouse.output import (
    hand_out,
    overview_document,
    overview_lines,
    refuse,
    say,
    say_aside,
)
from calward.entrypoints.cli.clearinghouse.sales import organization, purchase
from calward.entrypoints.cli.clearinghouse.staff import audit, operator, operators
from calward.ladders import DEFAULT_LADDER

__all__ = ["ClearinghouseWiring", "clearinghouse"]

DEFAULT_PORT = 8470


class ClearinghouseWiring(Protocol):
    """What these commands need of the context object; ``calward.bootstrap.clearinghouse`` has the functions for it."""

    def open_clearinghouse(self, data_dir: Path) -> Clearinghouse:
        """Open the clearinghouse in a folder; raises LicensingError."""

    def init_clearinghouse(self, data_dir: Path, name: str, days: int) -> tuple[Clearinghouse, bytes]:
        """Make one; also the root's public key."""

    def publish_keyring(self, data_dir: Path, name: str | None, days: int, root_key: Path | None) -> bytes:
        """Sign a new keyring with the root key; the envelope."""

    def open_clearinghouse_keys(self, data_dir: Path) -> list[str]:
        """Files of private keys that are not encrypted."""

    def serve_asgi(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        certificate: Path | None,
        key: Path | None,
        ready: Callable[[str], None],
    ) -> None:
        """Serve until a signal ends it; raises LicensingError."""


_STAFF = (operator, operators, audit, rotate, encrypt_keys)


@click.group()
def clearinghouse() -> None:
    """Activate license servers and sell them CALs: for whoever runs a clearinghouse.

    \b
    Examples:
      calward clearinghouse init ./ch --name "Example CALs"
      calward clearinghouse serve --dir ./ch
      calward clearinghouse answer request.calward --dir ./ch -o answer.calward
      calward clearinghouse purchase add --dir ./ch --program open --version 2022 --type per-user --quantity 50
      calward clearinghouse sign --dir ./ch --server ID --version 2022 --type per-user --total 50 -o pack.json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


for _command in (organization, purchase, answer, register, transfers, cancel, confirm_key, *_STAFF):
    clearinghouse.add_command(_command)


@clearinghouse.command()
@click.argument("data_dir", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", default="Calward clearinghouse", show_default=True, help="Shown to license servers.")
@click.option(
    "--days", default=KEYRING_DAYS, show_default=True, type=click.IntRange(1, 36500), help="Life of the keyring."
)
@json_option
@click.pass_obj
def init(wiring: ClearinghouseWiring, data_dir: Path, name: str, days: int, *, as_json: bool) -> None:
    """Make a clearinghouse: its root, pack and activation keys and the signed keyring.

    \b
    Example:
      calward clearinghouse init ./ch --name "Example CALs"
    """  # noqa: D301
    _, root = wiring.init_clearinghouse(data_dir, name, days)
    lines = [
        f"clearinghouse {name} made in {data_dir}",
        f"root key {root.hex()}",
        "give it to the license servers that shall trust this clearinghouse",
        f"take {data_dir / 'root.key'} away and keep it offline: it is needed again for the next keyring only",
        "encrypt the keys: calward clearinghouse encrypt-keys",
    ]
    say(as_json, {"dir": str(data_dir), "name": name, "root_key": root.hex(), "root_keyid": keyid_of(root)}, lines)


@clearinghouse.command()
@dir_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; not loopback needs TLS.")
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one."
)
@click.option("--tls-certificate", type=click.Path(path_type=Path), help="PEM file with the certificate and its chain.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM file with its private key.")
@json_option
@click.pass_obj
def serve(
    wiring: ClearinghouseWiring,
    data_dir: Path,
    host: str,
    port: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
    *,
    as_json: bool,
) -> None:
    """Answer license servers and operators over HTTP until stopped.

    \b
    Examples:
      calward clearinghouse serve --dir ./ch
      calward clearinghouse serve --dir ./ch --host 0.0.0.0 --tls-certificate ch.pem --tls-key ch.key
    """  # noqa: D301
    app = clearinghouse_app(wiring.open_clearinghouse(data_dir))

    for name in () if as_json else wiring.open_clearinghouse_keys(data_dir):
        say_aside(f"warning: {name} is not encrypted: calward clearinghouse encrypt-keys")

    def ready(url: str) -> None:
        # One line: whoever has started us waits for it.
        click.echo(json.dumps({"url": url}) if as_json else f"clearinghouse serves {url}")

    wiring.serve_asgi(app, host, port, certificate=tls_certificate, key=tls_key, ready=ready)


@clearinghouse.command()
@click.argument("request_file", metavar="REQUEST_FILE", type=click.File("rb"))
@dir_option
@click.option(
    "--until", metavar="DATE", type=Moment(), help="Last day of the right to issue; 180 days from now by itself."
)
@click.option("--perpetual", is_flag=True, help="A right to issue without end.")
@out_option
@json_option
@click.pass_context
def activate(
    ctx: click.Context,
    request_file: BinaryIO,
    data_dir: Path,
    until: datetime | None,
    output: Path,
    *,
    perpetual: bool,
    as_json: bool,
) -> None:
    """Answer the activation request of a license server that came as a file.

    \b
    Examples:
      calward clearinghouse activate request.json --dir ./ch -o activation.json
      calward clearinghouse activate request.json --dir ./ch --until 2027-01-31 -o activation.json
    """  # noqa: D301
    command = ActivateLicenseServer(request_file.read(MAX_ENVELOPE_SIZE + 2), Channel.FILE, until, perpetual)
    answer = ctx.obj.open_clearinghouse(data_dir).activate(command)
    if isinstance(answer, NotAccepted):
        refuse(ctx, answer, as_json=as_json)
    hand_out(answer, output, "activation", as_json=as_json)


@clearinghouse.command()
@dir_option
@click.option("--server", "server_id", metavar="ID", required=True, help="The license server that the pack is for.")
@click.option("--version", required=True, help="The version of the CALs, as 2008R2.")
@click.option(
    "--type",
    "cal_type",
    required=True,
    type=click.Choice([one.value for one in CalType]),
    help="Per device or per user.",
)
@click.option("--total", required=True, type=click.IntRange(1, MAX_TOTAL), help="How many CALs.")
@click.option(
    "--expires", metavar="DATE", type=Moment(), default=NO_END, help="Last day of the pack; by itself it has no end."
)
@click.option(
    "--program",
    type=click.Choice([one.value for one in Program]),
    default=Program.RETAIL.value,
    show_default=True,
    help="How they were bought.",
)
@click.option("--ladder", metavar="NAME", default=DEFAULT_LADDER, show_default=True, help="The version ladder.")
@click.option("--order", help="The number of the sale: the same order gets the same pack, never a second one.")
@out_option
@json_option
@click.pass_obj
def sign(
    wiring: ClearinghouseWiring,
    *,
    data_dir: Path,
    server_id: str,
    version: str,
    cal_type: str,
    total: int,
    expires: datetime,
    program: str,
    ladder: str,
    order: str | None,
    output: Path,
    as_json: bool,
) -> None:
    """Sign a key pack for one license server.

    \b
    Example:
      calward clearinghouse sign --dir ./ch --server ID --version 2022 --type per-user --total 50 -o pack.json
    """  # noqa: D301
    desk = wiring.open_clearinghouse(data_dir)
    command = SignKeyPack(
        order=order or desk.new_order(),
        server_id=server_id,
        ladder=ladder,
        version=version,
        cal_type=CalType(cal_type),
        total=total,
        program=Program(program),
        expires_at=expires,
    )
    hand_out(desk.sign_pack(command), output, "key pack", as_json=as_json, order=command.order)


@clearinghouse.command()
@dir_option
@click.option("--root-key", type=click.Path(path_type=Path), help="The root key's file, if it is not in the folder.")
@click.option("--name", help="A new name of the clearinghouse; by itself it keeps its name.")
@click.option(
    "--days", default=KEYRING_DAYS, show_default=True, type=click.IntRange(1, 36500), help="Life of the keyring."
)
@out_option
@json_option
@click.pass_obj
def publish(
    wiring: ClearinghouseWiring,
    data_dir: Path,
    root_key: Path | None,
    name: str | None,
    days: int,
    output: Path,
    *,
    as_json: bool,
) -> None:
    """Let the root key sign the next keyring, before the current one ends.

    \b
    Example:
      calward clearinghouse publish --dir ./ch --root-key /media/safe/root.key -o keyring.json
    """  # noqa: D301
    hand_out(wiring.publish_keyring(data_dir, name, days, root_key), output, "keyring", as_json=as_json)


@clearinghouse.command()
@dir_option
@json_option
@click.pass_obj
def show(wiring: ClearinghouseWiring, data_dir: Path, *, as_json: bool) -> None:
    """Show keys, license servers and packs.

    \b
    Example:
      calward clearinghouse show --dir ./ch --json
    """  # noqa: D301
    found = wiring.open_clearinghouse(data_dir).overview()
    say(as_json, overview_document(found), overview_lines(found))
