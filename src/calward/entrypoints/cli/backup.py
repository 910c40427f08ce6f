"""How is a license server or a clearinghouse backed up and restored? ``calward backup``; needs no running server, and disturbs none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import rich_click as click

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import Column, Fit, cell, facts, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document, ServeOptions

__all__ = ["backup"]


class Backups(Protocol):
    """What these commands need of the context object; all raise LicensingError."""

    def read_passphrase(self, path: Path) -> str:
        """The first line of a file that only its owner can read."""

    def create_backup(self, options: ServeOptions, house: Path | None, target: Path, passphrase: str) -> Document:
        """Back up a license server, or the clearinghouse in a folder."""

    def verify_backup(self, archive: Path, passphrase: str | None) -> Document:
        """Look through a backup."""

    def restore_backup(
        self, archive: Path, options: ServeOptions, house: Path | None, passphrase: str, *, replace: bool
    ) -> Document:
        """Put a backup in its place."""


_NAMES: Final = {
    "kind": "backup of a",
    "name": "name",
    "server_id": "server id",
    "made_at": "made at",
    "release": "by Calward",
    "server_version": "runs as version",
    "events": "events",
    "last_event": "last event",
    "hosts": "session hosts",
    "licenses": "running licenses",
    "servers": "license servers",
    "purchases": "purchases",
    "keys": "keys",
    "ledger": "ledger",
}
_PACKS: Final = (
    Column("pack", "id", Fit.CUT),
    Column("CAL", lambda pack: f"{pack.get('version')}/{pack.get('type')}"),
    Column("total", "total"),
    Column("issued", "issued"),
)
_file = click.Path(path_type=Path, dir_okay=False)
_dir = click.Path(path_type=Path, file_okay=False)


def _where(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say whose backup it is."""
    for option in (
        click.option(
            "--clearinghouse",
            "house",
            metavar="DIR",
            type=_dir,
            help="A clearinghouse's folder, instead of a server's.",
        ),
        click.option("--database", metavar="URL", help="The ledger, where it is not in the data folder."),
        click.option("--data-dir", metavar="DIR", type=_dir, help="The license server's data folder."),
        click.option("--config", metavar="FILE", type=_file, help="The license server's settings file."),
    ):
        function = option(function)
    return function


_passphrase = click.option(
    "--passphrase-file",
    metavar="FILE",
    envvar="CALWARD_PASSPHRASE_FILE",
    type=_file,
    help="File with the passphrase of the keys, its owner's alone; else it is asked for.  [env: CALWARD_PASSPHRASE_FILE]",
)


@click.group()
def backup() -> None:
    """Back up and restore a license server or a clearinghouse, and look into a backup.

    \b
    Examples:
      calward backup create /backups/
      calward backup verify ls1.tar
      calward backup restore ls1.tar --data-dir /var/lib/calward
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@backup.command()
@click.argument("target", metavar="FILE|DIR", type=click.Path(path_type=Path))
@_where
@_passphrase
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    /,
    target: Path,
    house: Path | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
    **places: Any,  # noqa: ANN401
) -> None:
    """Back up a running or stopped license server into a new file: ledger, keys (encrypted), settings, a signed checkpoint.

    \b
    Examples:
      calward backup create /backups/
      calward backup create ls1.tar --passphrase-file /etc/calward/backup.pass
      calward backup create ch.tar --clearinghouse /srv/clearinghouse
    """  # noqa: D301
    passphrase = _passphrase_for(ctx, passphrase_file, new=True)
    said = ctx.obj.create_backup(_options(places), house, target, passphrase)
    if as_json:
        print_json(said)
    else:
        _show(said)
        say(f"\nwritten to {safe(said['file'])}; keep it and its passphrase in different places")


@backup.command()
@click.argument("file", type=_file)
@_passphrase
@json_option
@click.pass_context
def verify(ctx: click.Context, /, file: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Check every part of a backup, refold its ledger, and say what is in it; without a passphrase its keys are not looked into.

    \b
    Examples:
      calward backup verify ls1.tar
      calward backup verify ls1.tar --passphrase-file /etc/calward/backup.pass --json
    """  # noqa: D301
    passphrase = None if passphrase_file is None else ctx.obj.read_passphrase(passphrase_file)
    said = ctx.obj.verify_backup(file, passphrase)
    if as_json:
        print_json(said)
    else:
        _show(said)
        for finding in said.get("findings", ()):
            say(f"finding: {cell(finding)}")
        say("the backup holds" if said["holds"] else "the backup does not hold")
    if not said["holds"]:
        ctx.exit(Exit.FINDINGS)


@backup.command()
@click.argument("file", type=_file)
@_where
@click.option("--replace", is_flag=True, help="Also over a ledger that is newer or another one; old files are kept.")
@_passphrase
@json_option
@click.pass_context
def restore(
    ctx: click.Context,
    /,
    file: Path,
    house: Path | None,
    passphrase_file: Path | None,
    *,
    replace: bool,
    as_json: bool,
    **places: Any,  # noqa: ANN401
) -> None:
    """Put a backup in the place of a stopped license server; it starts with temporary licenses only until its ledger is confirmed.

    Cut off, the same command finishes the work.

    \b
    Examples:
      calward backup restore ls1.tar
      calward backup restore ls1.tar --data-dir /var/lib/calward --passphrase-file /etc/calward/backup.pass
      calward backup restore ch.tar --clearinghouse /srv/clearinghouse
    """  # noqa: D301
    passphrase = _passphrase_for(ctx, passphrase_file, new=False)
    said = ctx.obj.restore_backup(file, _options(places), house, passphrase, replace=replace)
    if as_json:
        print_json(said)
        return
    _show(said)
    say(f"\nrestored into {safe(said['data_dir'])}")
    if said.get("before"):
        say(f"what was there before is in {safe(said['before'])}")
    if house is None:
        say(
            "it starts with temporary licenses only, until every host has confirmed it: calward server recover explains it"
        )


def _options(places: dict[str, Any]) -> ServeOptions:
    config = places.pop("config")
    return ServeOptions(config, {name: value for name, value in places.items() if value is not None})


def _passphrase_for(ctx: click.Context, path: Path | None, *, new: bool) -> str:
    if path is not None:
        found: str = ctx.obj.read_passphrase(path)
        return found
    try:
        return str(click.prompt("passphrase of the keys", hide_input=True, confirmation_prompt=new, err=True))
    except click.Abort:
        detail = "no passphrase was given: name a file by --passphrase-file"
        raise LicensingError(Problem.MALFORMED, detail, field="passphrase") from None


def _show(said: Document) -> None:
    facts({key: said[key] for key in _NAMES if said.get(key) not in (None, {})}, _NAMES)
    if isinstance(said.get("packs"), list) and said["packs"]:
        say("\nkey packs:")
        table(_PACKS, said["packs"])
    elif said.get("packs") is not None:
        say(f"key packs: {cell(said['packs'])}")
