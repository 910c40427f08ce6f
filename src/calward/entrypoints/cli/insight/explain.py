"""Why this answer, and what would it be? ``calward explain``."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.desk import Desk, json_option, to
from calward.entrypoints.cli.common.output import cell, print_json, reason_lines, say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document, Where
from calward.entrypoints.cli.insight.estate import estates_where
from calward.insight.explain import Explanation, would_change
from calward.insight.explain import explain as explain_in_estate

__all__ = ["explain"]

_DECISION: Final = re.compile(r"[Dd]\d+")


@click.command()
@click.argument("decision", metavar="[DECISION|NAME]", required=False)
@click.option("--host", metavar="NAME", help="Ask beforehand: at this session host …")
@click.option("--device", metavar="ID", help="… for the device with this hardware id or name,")
@click.option("--user", metavar="NAME", help="… or for this user.")
@click.option(
    "--estate", metavar="ESTATE", help="The imported estate that is meant, where a server runs or there are several."
)
@estates_where
@json_option
@click.pass_context
def explain(
    ctx: click.Context,
    decision: str | None,
    *,
    host: str | None,
    device: str | None,
    user: str | None,
    estate: str | None,
    folder: Path | None,
    server: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    fingerprint: str | None,
    as_json: bool,
) -> None:
    """Tell the story of a decision, or what would be decided now; asking beforehand records nothing.

    NAME is a device, user, license or pack: why its license is temporary, why it was refused, why it is over-used. An imported estate
    keeps no reasons: what is concluded from its counts is marked as inferred.

    \b
    Examples:
      calward explain D12
      calward explain --host SH1 --user alice
      calward explain --host SH1 --device 5f3a --json
      calward explain WS-4417
      calward explain WS-4417 --estate berlin
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    where = Where(server, token_file, ca_file, fingerprint)
    asked = any(one is not None for one in (host, device, user))
    if estate is not None and (decision is None or asked):
        raise click.UsageError(
            f"--estate takes the name of a device, user, license or pack, and nothing else; {_LOG_ON}", ctx
        )
    if decision is not None and not asked and (estate is not None or not _DECISION.fullmatch(decision)):
        _show(_in_estate(ctx, estate, decision, where, folder), as_json=as_json)
        return
    admin = ctx.obj.admin(where)
    ctx.call_on_close(admin.close)
    desk = Desk(ctx, admin, as_json)
    said = _ask(desk, decision, host, {"device": device, "user": user})
    said = {**said, "would_change": would_change(said.get("reason") or ())}
    if as_json:
        print_json(said)
        return
    for line in _story(said):
        say(line)


_LOG_ON: Final = "whether somebody can log on to a host there: calward diagnose ESTATE --host HOST --user USER"


def _in_estate(
    ctx: click.Context, estate: str | None, name: str, where: Where, folder: Path | None
) -> Sequence[Explanation]:
    meant = ctx.obj.estate(estate, where, folder)
    found = explain_in_estate(meant, name)
    if not found:
        detail = f"the estate {meant.name!a} has no license, device, user or pack {name!a}"
        raise LicensingError(Problem.NOT_FOUND, detail)
    return found


def _show(explained: Sequence[Explanation], *, as_json: bool) -> None:
    if as_json:
        print_json({"items": [one.document() for one in explained], "next": None})
        return
    for one in explained:
        say(f"{safe(one.subject)}: {safe(one.headline)}{' (inferred)' if one.inferred else ''}")
        for number, step in enumerate(one.steps, 1):
            say(f"{number:>3}. {safe(step)}")
        if one.changes:
            say("what would change it:")
            for change in one.changes:
                say(f"  {safe(change)}")


def _ask(desk: Desk, decision: str | None, host: str | None, holder: dict[str, str | None]) -> Document:
    named = {key: value for key, value in holder.items() if value is not None}
    if decision is not None and host is None and not named:
        return desk.ask("GET", to("decisions", decision))
    if decision is None and host is not None and len(named) == 1:
        return desk.ask("POST", "explain", body={"host": host, **named})
    raise click.UsageError("give either a DECISION or NAME, or --host with one of --device and --user", desk.ctx)


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
    if said.get("would_change"):
        yield "what would change it:"
        yield from (f"  {safe(line)}" for line in said["would_change"])


def _headline(said: Document) -> str:
    name = f"decision {safe(said['decision'])}" if said.get("decision") else "now it would be"
    given: dict[str, Any] | None = said.get("license")
    if not given:
        return f"{name}: {cell(said.get('outcome'))}"
    what = f"{cell(given.get('version'))}/{cell(given.get('type'))} {cell(given.get('status'))}"
    pack = f", pack {cell(given['pack'])}" if given.get("pack") else ""
    until = f"{cell(given.get('change'))}, until {cell(given.get('expires_at'))}{pack}"
    return f"{name}: {cell(said.get('outcome'))}, {what} ({until})"
