"""What is wrong in an estate, and can X log on to Y? ``calward diagnose``."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import rich_click as click

from calward.domain.answers import rfc3339
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import print_json, say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Where
from calward.entrypoints.cli.insight.estate import estates_where
from calward.entrypoints.cli.insight.findings_view import list_lines, marks, sum_line, told_lines, wrapped
from calward.insight.diagnoser import CHECKS, Diagnosis, Scope
from calward.insight.diagnoser import diagnose as run_checks
from calward.insight.diagnoser.logon import CANNOT_LOG_ON
from calward.insight.estate import Estate, Source
from calward.insight.findings import Finding, Severity
from calward.insight.snoozes import Snooze, Snoozed, snoozed, with_snooze
from calward.insight.thresholds import THRESHOLD_IDS

__all__ = ["KeepsSnoozes", "WiresDiagnoses", "diagnose"]

_IDS: Final = frozenset({*THRESHOLD_IDS, CANNOT_LOG_ON, *(check.id for check in CHECKS)})
_LONGEST: Final = 500
"""Letters of a reason."""


class KeepsSnoozes(Protocol):
    """The snoozes of one estate."""

    def read(self) -> tuple[Snooze, ...]:
        """All that are written; raises LicensingError."""

    def write(self, snoozes: Sequence[Snooze]) -> None:
        """Write all of them; raises LicensingError."""


class WiresDiagnoses(Protocol):
    """What the command needs of the context object."""

    def estate(self, name: str | None, where: Where, folder: Path | None) -> Estate:
        """The newest snapshot of an imported estate, or the running license server's; raises LicensingError."""

    def snoozes(self, estate: Estate, folder: Path | None) -> KeepsSnoozes:
        """What is accepted of an estate."""

    def now(self) -> int:
        """The time, in seconds since 1970."""


@click.command()
@click.argument("name", required=False)
@click.option("--host", metavar="HOST", help="Only what concerns this session host.")
@click.option("--user", metavar="USER", help="Only what concerns this user; with --host: can they log on there?")
@click.option("--device", metavar="DEVICE", help="The same for a device, by name or hardware id.")
@click.option("--snooze", metavar="ID", help="Accept a finding: the id of a check, or the key of one finding …")
@click.option("--reason", metavar="TEXT", help="… for this reason …")
@click.option("--until", metavar="DATE", help="… until this day (2027-01-31).")
@click.option("--unsnooze", metavar="ID", help="End a snooze.")
@estates_where
@json_option
@click.pass_context
def diagnose(
    ctx: click.Context,
    name: str | None,
    *,
    host: str | None,
    user: str | None,
    device: str | None,
    snooze: str | None,
    reason: str | None,
    until: str | None,
    unsnooze: str | None,
    folder: Path | None,
    server: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    fingerprint: str | None,
    as_json: bool,
) -> None:
    """Say what is wrong in an estate, why, and what helps; ends with 7 where it finds something that is not snoozed.

    Without NAME it is the running license server's, or the only imported estate where none runs. Changes nothing.

    \b
    Examples:
      calward diagnose
      calward diagnose berlin --host rdsh07 --device WS-4417
      calward diagnose --snooze single-server --reason "one site" --until 2027-01-01
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    if user is not None and device is not None:
        raise click.UsageError("give --user or --device: a host asks for one of both", ctx)
    wanted = _wanted(ctx, snooze, reason, until)
    wiring: WiresDiagnoses = ctx.obj
    estate = wiring.estate(name, Where(server, token_file, ca_file, fingerprint), folder)
    kept, now = wiring.snoozes(estate, folder), wiring.now()
    _change(ctx, kept, wanted, unsnooze, now)
    found = run_checks(estate, Scope(host, user, device))
    sorted_ = snoozed(found.findings, kept.read(), now)
    if as_json:
        print_json(_document(estate, found, sorted_))
    else:
        for line in _lines(estate, found, sorted_):
            say(line)
    ctx.exit(Exit.FINDINGS if sorted_.open else Exit.OK)


def _wanted(ctx: click.Context, id_: str | None, reason: str | None, until: str | None) -> Snooze | None:
    """The snooze that was asked for."""
    if id_ is None:
        if reason is not None or until is not None:
            raise click.UsageError("--reason and --until go with --snooze", ctx)
        return None
    if reason is None or not reason.strip() or until is None:
        raise click.UsageError("--snooze takes a --reason and a day --until which it holds", ctx)
    if id_.partition("@")[0] not in _IDS:
        raise click.UsageError(f"{id_!a} is no check: {', '.join(sorted(_IDS))}", ctx)
    return Snooze(id_, reason.strip()[:_LONGEST], _end(ctx, until))


def _end(ctx: click.Context, until: str) -> int:
    """The first second of a day in UTC."""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise click.UsageError(f"--until must be a day like 2027-01-31, not {until!a}", ctx) from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _change(ctx: click.Context, kept: KeepsSnoozes, wanted: Snooze | None, ended: str | None, now: int) -> None:
    if wanted is not None:
        if wanted.until <= now:
            raise click.UsageError("--until must be a day to come", ctx)
        kept.write(with_snooze(kept.read(), wanted, now))
    if ended is not None:
        before = kept.read()
        left = [one for one in before if one.id != ended]
        if len(left) == len(before):
            raise click.UsageError(
                f"{ended!a} is not snoozed: {', '.join(one.id for one in before) or 'nothing is'}", ctx
            )
        kept.write(left)


def _document(estate: Estate, found: Diagnosis, sorted_: Snoozed) -> dict[str, Any]:
    head = {"estate": estate.name, "source": estate.source.value, "taken_at": rfc3339(estate.taken_at)}
    accepted = [
        {**one.document(), "snoozed": {"id": by.id, "reason": by.reason, "until": rfc3339(by.until)}}
        for one, by in sorted_.accepted
    ]
    open_ = [one.document() for one in sorted_.open]
    return {**head, **found.document(), "findings": open_, "snoozed": accepted}


def _lines(estate: Estate, found: Diagnosis, sorted_: Snoozed) -> Iterator[str]:
    """The answer, all checks as a list, then every finding in full: what has to be done stands last, where the eye is."""
    shown = marks()
    mark = " (imported, another system's)" if estate.source is Source.IMPORT else ""
    yield f"{safe(estate.name)}{mark}, as of {rfc3339(estate.taken_at)}"
    yield from _answer(found)
    yield from list_lines(found.checked, shown)
    for finding, by in sorted_.accepted:
        until = rfc3339(by.until)[:10]
        yield from wrapped(
            f"{shown['not-checked']} snoozed until {until} ({safe(by.reason)}): ", f"{finding.key}: {finding.what}", 4
        )
    for finding in _by_severity(sorted_.open):
        yield ""
        yield from told_lines(finding, finding.page, shown["found"], seen="inferred" if finding.inferred else "seen")
    yield ""
    yield sum_line(found.checked, [one.severity for one in sorted_.open], Severity)


def _by_severity(findings: Sequence[Finding]) -> list[Finding]:
    """The worst stands last, where the eye is."""
    order = list(Severity)
    return sorted(findings, key=lambda one: -order.index(one.severity))


def _answer(found: Diagnosis) -> Iterator[str]:
    if found.answer is None:
        return
    yield from wrapped("", found.answer.sentence + (" (inferred)" if found.answer.inferred else ""), 2)
    for number, step in enumerate(found.answer.steps, 1):
        yield from wrapped(f"{number:>3}. ", step, 5)
