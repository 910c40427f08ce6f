"""Why this answer, and what would it be? ``calward explain``."""

from collections.abc import Iterator
from typing import Any

import rich_click as click

from calward.entrypoints.cli.desk import Desk, admin_command, to
from calward.entrypoints.cli.output import cell, print_json, reason_lines, say
from calward.entrypoints.cli.safe_text import safe
from calward.entrypoints.cli.wiring import Document

__all__ = ["explain"]


@click.command()
@click.argument("decision", metavar="[DECISION]", required=False)
@click.option("--host", metavar="NAME", help="Ask beforehand: at this session host …")
@click.option("--device", metavar="ID", help="… for the device with this hardware id or name,")
@click.option("--user", metavar="NAME", help="… or for this user.")
@admin_command
def explain(desk: Desk, decision: str | None, host: str | None, device: str | None, user: str | None) -> None:
    """Tell the story of a decision, or what would be decided now; asking beforehand records nothing.

    \b
    Examples:
      calward explain D12
      calward explain --host SH1 --user alice
      calward explain --host SH1 --device 5f3a --json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    said = _ask(desk, decision, host, {"device": device, "user": user})
    if desk.as_json:
        print_json(said)
        return
    for line in _story(said):
        say(line)


def _ask(desk: Desk, decision: str | None, host: str | None, holder: dict[str, str | None]) -> Document:
    named = {key: value for key, value in holder.items() if value is not None}
    if decision is not None and host is None and not named:
        return desk.ask("GET", to("decisions", decision))
    if decision is None and host is not None and len(named) == 1:
        return desk.ask("POST", "explain", body={"host": host, **named})
    raise click.UsageError("give either a DECISION, or --host with one of --device and --user", desk.ctx)


def _story(said: Document) -> Iterator[str]:
    yield _headline(said)
    if said.get("host") and said.get("decision"):
        often = f", {said['times']} times" if said.get("times", 1) > 1 else ""
        yield f"asked by host {safe(said['host'])} at {cell(said.get('at'))}{often}"
    for number, line in enumerate(said.get("trace") or (), 1):
        yield f"{number:>3}. {cell(line.get('rule'))}: {cell(line.get('detail'))}"
    reasons = reason_lines(said.get("reason") or ())
    if reasons:
        yield "what stood in the way of a full license:"
        yield from (f"  {line}" for line in reasons)


def _headline(said: Document) -> str:
    name = f"decision {safe(said['decision'])}" if said.get("decision") else "now it would be"
    given: dict[str, Any] | None = said.get("license")
    if not given:
        return f"{name}: {cell(said.get('outcome'))}"
    what = f"{cell(given.get('version'))}/{cell(given.get('type'))} {cell(given.get('status'))}"
    pack = f", pack {cell(given['pack'])}" if given.get("pack") else ""
    until = f"{cell(given.get('change'))}, until {cell(given.get('expires_at'))}{pack}"
    return f"{name}: {cell(said.get('outcome'))}, {what} ({until})"
