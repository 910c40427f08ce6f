"""How do bought CALs come onto this license server, and how are they changed? ``calward pack install``, ``downgrade`` and others."""

import sys
from pathlib import Path
from typing import Any

import rich_click as click

from calward.domain.statements import MAX_TOTAL, Program
from calward.entrypoints.cli.common.asking import ask, asking_options, show_results
from calward.entrypoints.cli.common.desk import Desk, admin_command, to
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.files import read_envelope
from calward.entrypoints.cli.common.output import Column, cell, print_json, reason_lines, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.view import view
from calward.entrypoints.cli.common.wiring import Document

__all__ = ["convert", "downgrade", "give_up_change", "install", "upgrade"]

_preview = click.option("--preview", is_flag=True, help="The same as --dry-run.")
_yes = click.option("--yes", is_flag=True, help="Do not ask first.")
_count = click.option(
    "--count", type=click.IntRange(1, MAX_TOTAL), help="So many CALs of the pack; they become a pack of their own."
)


@click.command()
@click.argument("what", metavar="FILE | NUMBER…", nargs=-1, required=True)
@click.option(
    "--program", type=click.Choice([one.value for one in Program]), help="What the numbers on the paper belong to."
)
@click.option("--quantity", type=click.IntRange(1, MAX_TOTAL), help="So many CALs; by itself all that is left.")
@_preview
@asking_options
@admin_command
@acts()
def install(desk: Desk, /, what: tuple[str, ...], program: str | None, **way: Any) -> None:  # noqa: ANN401 - click's options
    """Install CALs: by the numbers under which they were bought, or from a file that was signed for this server.

    \b
    Examples:
      calward pack install --program retail 3B6XQ-9QZ4T-R6V2A-V1GKC-W0NDE --preview
      calward pack install --program open 30581742 64210-85274-11096 --quantity 25
      calward pack install --program volume 2VQ7-ZK5D-Y81M-6TNE --request-file request.calward
      calward pack install pack.json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    if program is None:
        if len(what) != 1 or any(value not in {None, False} for value in way.values()):
            detail = "numbers need --program: what is written on the paper that has them; a file stands alone"
            raise click.UsageError(detail, desk.ctx)
        _install_file(desk, Path(what[0]))
        return
    preview = way["preview"] or view().dry_run
    body = {"kind": "install", "program": program, "numbers": list(what), "preview": preview}
    if way["quantity"] is not None:
        body["quantity"] = way["quantity"]
    said = ask(desk, body, way["request_file"], way["clearinghouse"])
    if said is None:
        return
    show_results(desk, said, told={} if desk.as_json else _installed(desk, said))


def _install_file(desk: Desk, file: Path) -> None:
    said = desk.admin.deliver("POST", "packs", read_envelope(file))
    new = said["pack"] if isinstance(said.get("pack"), dict) else said
    desk.done(said, [_pack_line(new)])


def _pack_line(new: Document) -> str:
    what = f"{cell(new.get('total'))} CALs {cell(new.get('version'))}/{cell(new.get('type'))}"
    return f"installed {cell(new.get('id'))}: {what}, until {cell(new.get('expires_at'))}"


def _installed(desk: Desk, said: Document) -> dict[str, str]:
    """A line for each pack that came, with what is in it."""
    came = [
        one for one in said.get("results", ()) if one.get("kind") == "key-pack" and one.get("outcome") == "installed"
    ]
    ids = [str(one["pack"]) for one in came if one.get("pack")]
    return {pack: _pack_line(desk.ask("GET", to("packs", pack))) for pack in ids}


@click.command()
@click.argument("pack_id", metavar="PACK")
@click.option("--to", "version", metavar="V", required=True, help="The lower version.")
@_count
@_preview
@_yes
@asking_options
@admin_command
@acts()
def downgrade(desk: Desk, /, pack_id: str, version: str, **way: Any) -> None:  # noqa: ANN401
    """Turn a key pack into one of a lower version, with all licenses that are issued from it; it can be raised again.

    Needed only where a license server is too old to hold the version that was bought: a CAL opens all lower hosts anyway.

    \b
    Examples:
      calward pack downgrade 7f3a… --to 2008R2 --preview
      calward pack downgrade 7f3a… --to 2008R2 --count 25
    """  # noqa: D301
    _change(desk, "downgrade", pack_id, version, **way)


@click.command()
@click.argument("pack_id", metavar="PACK")
@click.option("--to", "version", metavar="V", required=True, help="The higher version; at most what was bought.")
@_count
@_preview
@_yes
@asking_options
@admin_command
@acts()
def upgrade(desk: Desk, /, pack_id: str, version: str, **way: Any) -> None:  # noqa: ANN401
    """Raise a downgraded key pack again, at most to what was bought, with all licenses that are issued from it.

    \b
    Example:
      calward pack upgrade 7f3a… --to 2022
    """  # noqa: D301
    _change(desk, "upgrade", pack_id, version, **way)


@click.command()
@click.argument("pack_id", metavar="PACK")
@click.option(
    "--to", "cal_type", required=True, type=click.Choice(["per-device", "per-user"]), help="The type that they become."
)
@_count
@_preview
@_yes
@asking_options
@admin_command
@acts()
def convert(desk: Desk, /, pack_id: str, cal_type: str, **way: Any) -> None:  # noqa: ANN401
    """Convert free CALs between per device and per user, where the purchase allows it; those that are held stay what they are.

    \b
    Example:
      calward pack convert 7f3a… --to per-user --count 10
    """  # noqa: D301
    _change(desk, "convert", pack_id, cal_type, **way)


@click.command("give-up-change")
@click.argument("pack_id", metavar="PACK")
@admin_command
@acts("an answer that comes after all is refused")
def give_up_change(desk: Desk, pack_id: str) -> None:
    """Let CALs be issued again that were set aside for a conversion, where its answer will not come.

    \b
    Example:
      calward pack give-up-change 7f3a…
    """  # noqa: D301
    found = desk.ask("POST", to("packs", pack_id, "give-up-change"))
    desk.done(found, [f"the CALs of {safe(pack_id)} that were set aside can be issued again"])


def _change(
    desk: Desk,
    kind: str,
    pack_id: str,
    to_what: str,
    *,
    count: int | None,
    preview: bool,
    yes: bool,
    request_file: Path | None,
    clearinghouse: str | None,
) -> None:
    body: Document = {"kind": "change", "change": kind, "pack": pack_id, "to": to_what}
    if count is not None:
        body["count"] = count
    preview = preview or view().dry_run
    if (preview or not yes) and not view().curl:
        seen = ask(desk, body | {"preview": True}, None, None)
        if preview and desk.as_json:
            print_json(seen)
            return
        _show_preview(seen or {})
        if preview:
            return
        _confirm(desk, seen or {})
    said = ask(desk, body, request_file, clearinghouse)
    if said is not None:
        show_results(desk, said)


def _show_preview(seen: Document) -> None:
    """What it would do, on the terminal's other stream: the act's own result follows."""
    what = f"{cell(seen.get('count'))} CALs {cell(seen.get('version'))}/{cell(seen.get('type'))}"
    say(f"{what} of key pack {cell(seen.get('pack'))} would become {cell(seen.get('to'))}", err=True)
    held = seen.get("licenses") or []
    say(f"  {cell(seen.get('free'))} of them are free, {len(held)} are held", err=True)
    if seen.get("lost"):
        say(f"  they would no longer open hosts of {cell(seen['lost'])}", err=True)
        say(f"  hosts here of these versions: {cell(seen.get('hosts'))}", err=True)
        table((Column("license", "license"), Column("holder that would lose them", "holder")), held)
    for line in reason_lines(seen.get("reason") or ()):
        say(f"  in the way: {line}", err=True)


def _confirm(desk: Desk, seen: Document) -> None:
    """Ask on a terminal; elsewhere only --yes is a yes, where somebody would lose something."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("this changes licenses that people hold: say --yes, or --preview to see only", desk.ctx)
    click.confirm("do it?", abort=True, err=True, default=not seen.get("lost"))
