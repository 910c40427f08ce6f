"""What is used, what was bought, who was refused: as tables to read, file, send and print. ``calward report``."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import rich_click as click

from calward.app.estates.ports import EstateStore
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import parse_moment
from calward.entrypoints.cli.desk import json_option
from calward.entrypoints.cli.estate import estates_where
from calward.entrypoints.cli.exit_codes import Exit
from calward.entrypoints.cli.output import say
from calward.entrypoints.cli.report_view import print_report
from calward.entrypoints.cli.safe_text import safe
from calward.entrypoints.cli.wiring import Where
from calward.insight.estate import Estate, PackType, Source
from calward.insight.reports.catalog import REPORTS
from calward.insight.reports.compliance import compliance
from calward.insight.reports.history import Moment, history, look, look_back
from calward.insight.reports.narrow import Part, narrow
from calward.insight.reports.report import Report

__all__ = ["WiresReports", "report"]

_FORMS: Final = ("table", "csv", "json", "xlsx", "html")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class WiresReports(Protocol):
    """What the commands need of the context object. Texts come in pieces."""

    def estate(self, name: str | None, where: Where, folder: Path | None) -> Estate:
        """The newest snapshot of an imported estate, or the running license server's; raises LicensingError."""

    def estates(self, folder: Path | None) -> EstateStore:
        """The estates in a folder, None: in the usual one."""

    def report_text(self, found: Report, form: str, *, bare: bool) -> Iterator[str]:
        """A report as csv, json or html."""

    def foreign_text(self, estate: Estate, name: str, *, lsreport: bool, hardware_ids: bool) -> Iterator[str]:
        """A report in the words of other systems' tools; raises LicensingError where they have none for it."""

    def save_text(self, path: Path, pieces: Iterator[str]) -> None:
        """Write a file whole or not at all; raises LicensingError."""

    def save_workbook(self, path: Path, found: Report) -> None:
        """Write a report as a workbook; raises LicensingError."""


@click.group()
def report() -> None:
    """Make reports of a license server or of an imported estate: tables, CSV, JSON, workbooks, pages to print.

    \b
    Examples:
      calward report summary
      calward report compliance --at 2026-10-31 -o compliance.html
      calward report usage --wmi -o issued.csv
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


def _options(function: Callable[..., None]) -> Callable[..., None]:
    """What every report takes."""
    for option in (
        click.option("--hardware-ids", is_flag=True, help="With --lsreport: a column of hardware ids, as its /W has."),
        click.option("--lsreport", is_flag=True, help="Write the columns of lsreport.exe, between tabs."),
        click.option("--wmi", is_flag=True, help="Write CSV with the property names of the WMI class."),
        click.option("--bare", is_flag=True, help="CSV without the lines of its head: names of columns come first."),
        click.option(
            "-o", "output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file."
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(_FORMS),
            help="How it is written.  [default: as the name of FILE ends, else table]",
        ),
        click.option("--license-server", metavar="NAME", help="Only what this license server holds."),
        click.option("--version", "version", metavar="VERSION", help="Only CALs of this version."),
        click.option("--type", "type_", type=click.Choice([one.value for one in PackType]), help="Only this type."),
        click.option("--at", metavar="DATE", help="At this day (its end) or time: from the newest snapshot before it."),
    ):
        function = option(function)
    return estates_where(json_option(function))


def _command(name: str) -> click.Command:
    @_options
    @click.argument("name", required=False)
    @click.pass_context
    def run(ctx: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - click's, each with its type below
        _run(ctx, report_name, **options)

    report_name = name
    answers = REPORTS[name].answers
    text = (
        f"{answers}\n\nWithout NAME it is about the running license server, or the only imported estate where none runs."
        f"\n\n\b\nExamples:\n  calward report {name}\n  calward report {name} imported -o {name}.html"
    )
    return click.command(name, help=text, short_help=answers)(run)


for _name in REPORTS:
    report.add_command(_command(_name))


def _run(
    ctx: click.Context,
    report_name: str,
    *,
    name: str | None,
    at: str | None,
    type_: str | None,
    version: str | None,
    license_server: str | None,
    form: str | None,
    as_json: bool,
    output: Path | None,
    bare: bool,
    wmi: bool,
    lsreport: bool,
    hardware_ids: bool,
    folder: Path | None,
    **where: Any,  # noqa: ANN401
) -> None:
    wiring: WiresReports = ctx.obj
    if (wmi, lsreport, as_json, form is not None).count(True) > 1:
        raise click.UsageError("--format, --json, --wmi and --lsreport name a form each: choose one")
    chosen = "csv" if wmi or lsreport else _form("json" if as_json else form, output)
    moment = None if at is None else _moment(at)
    whole = wiring.estate(name, _where(**where), folder)
    part = Part(None if type_ is None else PackType(type_), version, license_server)
    store = wiring.estates(folder) if whole.source is Source.IMPORT else None
    estate = narrow(whole if moment is None else _then(whole, moment, store, report_name), part)
    if wmi or lsreport:
        _write(wiring, output, wiring.foreign_text(estate, report_name, lsreport=lsreport, hardware_ids=hardware_ids))
        return
    found = _made(report_name, estate, part, moment, store)
    _deliver(wiring, found, chosen, output, bare=bare)
    if found.found:
        ctx.exit(Exit.FINDINGS)


def _where(server: str | None, token_file: Path | None, ca_file: Path | None, fingerprint: str | None) -> Where:
    return Where(server, token_file, ca_file, fingerprint)


def _form(form: str | None, output: Path | None) -> str:
    """The form that was asked for, by name or by the end of the file's name."""
    ending = output.suffix[1:].lower() if output else ""
    chosen = form or (ending if ending in _FORMS else "csv" if ending else "table")
    if chosen == "xlsx" and (output is None or str(output) == "-"):
        raise click.UsageError("a workbook is no text: name its file with -o")
    if chosen == "table" and output is not None and str(output) != "-":
        raise click.UsageError("a table is for reading here: a file is csv, json, xlsx or html")
    return chosen


def _moment(text: str) -> int:
    """A day means its last second, as what happened on it is asked for."""
    if _DAY.fullmatch(text):
        try:
            following = date.fromisoformat(text) + timedelta(days=1)
        except (ValueError, OverflowError):
            raise LicensingError(Problem.MALFORMED, f"--at {text!a}: there is no such day") from None
        return int(datetime.combine(following, datetime.min.time(), UTC).timestamp()) - 1
    return int(parse_moment(text, "--at").timestamp())


def _then(whole: Estate, moment: int, store: EstateStore | None, report_name: str) -> Estate:
    """The newest snapshot that is not later; compliance can also be told from a later one."""
    earlier = [path for at, path in store.history(whole.name) if at <= moment] if store else []
    if store and earlier:
        return store.read(earlier[-1])
    if report_name in ("compliance", "history") or whole.taken_at <= moment:
        return whole
    what = f"{whole.name} has no snapshot from {rfc3339(moment)} or before"
    raise LicensingError(Problem.NOT_FOUND, f"{what}: only compliance can be told from a later one")


def _made(report_name: str, estate: Estate, part: Part, moment: int | None, store: EstateStore | None) -> Report:
    if report_name == "compliance":
        return compliance(estate, part.words, moment)
    if report_name == "history" and store is not None:
        return history(estate, _moments(estate, part, moment, store), part.words)
    return REPORTS[report_name].make(estate, part.words)


def _moments(estate: Estate, part: Part, until: int | None, store: EstateStore) -> Sequence[Moment]:
    """Every snapshot, one in memory at a time, and what the first one tells of the weeks before it."""
    found: list[Moment] = []
    for at, path in store.history(estate.name):
        if until is not None and at > until:
            break
        try:
            snapshot = narrow(store.read(path), part)
        except LicensingError as error:
            if error.problem is not Problem.CORRUPT:
                raise
            say(f"left out: {safe(error.detail)}", err=True)
            continue
        found += [look(snapshot)] if found else [*look_back(snapshot), look(snapshot)]
    return found


def _deliver(wiring: WiresReports, found: Report, form: str, output: Path | None, *, bare: bool) -> None:
    if form == "table":
        print_report(found)
    elif form == "xlsx" and output is not None:
        wiring.save_workbook(output, found)
        say(f"written: {safe(output)}", err=True)
    else:
        _write(wiring, output, wiring.report_text(found, form, bare=bare))


def _write(wiring: WiresReports, output: Path | None, pieces: Iterator[str]) -> None:
    if output is None or str(output) == "-":
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    wiring.save_text(output, pieces)
    say(f"written: {safe(output)}", err=True)
