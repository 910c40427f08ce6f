"""What is used, what was bought, who was refused: as tables to read, file, send and print. ``calward report``."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import rich_click as click

from calward.app.estates.own_history import history_from
from calward.app.estates.ports import EstateStore
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import parse_moment
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import AdminClient, Where
from calward.entrypoints.cli.insight.estate import estates_where
from calward.entrypoints.cli.insight.report_view import print_report
from calward.insight.estate import Estate, PackType, Source
from calward.insight.own_history import OwnHistory, pools_then
from calward.insight.reports.catalog import REPORTS
from calward.insight.reports.compliance import compliance
from calward.insight.reports.failed import BY, failed
from calward.insight.reports.history import Moment, history, look, look_back, recall
from calward.insight.reports.narrow import Part, narrow, narrow_pools
from calward.insight.reports.pools import Pool, pools
from calward.insight.reports.report import Report

__all__ = ["WiresReports", "report"]

_FORMS: Final = ("table", "csv", "json", "xlsx", "html")
_SUMS: Final = frozenset({"compliance", "history"})
"""Reports that are sums of pools: other systems have them without holders."""
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

    def sums_text(self, estate: Estate, name: str, sums: Iterable[tuple[int, str, Sequence[Pool]]]) -> Iterator[str]:
        """Compliance or history with the property names of WMI."""

    def admin(self, where: Where) -> AdminClient:
        """A client of the license server; raises LicensingError."""

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
      calward report failed --by reason
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
    made = click.command(name, help=text, short_help=answers)(run)
    if name == "failed":
        made = _BY_OPTION(made)
    return made


_BY_OPTION: Final = click.option(
    "--by", "by", multiple=True, type=click.Choice(tuple(BY)), help="Count refusals by this; several may be named."
)

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
    by: tuple[str, ...] = (),
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
    past = None if store else _past(wiring, _where(**where), whole, moment, report_name)
    estate = narrow(whole if moment is None else _then(whole, moment, store, report_name), part)
    asked = _Asked(report_name, estate, part, moment, store, past, by)
    if lsreport or (wmi and report_name not in _SUMS):
        words = "failed by domain" if by == ("domain",) else report_name
        _write(wiring, output, wiring.foreign_text(estate, words, lsreport=lsreport, hardware_ids=hardware_ids))
        return
    if wmi:
        _write(wiring, output, wiring.sums_text(estate, report_name, _sums(asked)))
        return
    found = _made(asked)
    _deliver(wiring, found, chosen, output, bare=bare)
    if found.found:
        ctx.exit(Exit.FINDINGS)


class _Asked(NamedTuple):
    """What a report is made of. ``store``: of an imported estate; ``past``: of our own ledger, where it is needed."""

    name: str
    estate: Estate
    part: Part
    moment: int | None
    store: EstateStore | None
    past: OwnHistory | None
    by: tuple[str, ...]


def _past(wiring: WiresReports, where: Where, whole: Estate, moment: int | None, name: str) -> OwnHistory | None:
    """What our own ledger knows of its past; None where the snapshot is enough."""
    if name == "history":
        until = whole.taken_at if moment is None else min(moment, whole.taken_at)
    elif name == "compliance" and moment is not None and moment < whole.taken_at:
        until = moment
    else:
        return None
    with closing(wiring.admin(where)) as client:
        return history_from(client.ask("GET", "estate/use", query={"until": rfc3339(until)}))


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
    raise LicensingError(Problem.NOT_FOUND, f"{what}: only compliance and history can be told from a later one")


def _made(asked: _Asked) -> Report:
    words = asked.part.words
    if asked.name == "compliance":
        return compliance(asked.estate, words, asked.moment, _sums_then(asked))
    if asked.name == "history":
        return history(asked.estate, _all_moments(asked), words)
    if asked.name == "failed":
        return failed(asked.estate, words, asked.by)
    return REPORTS[asked.name].make(asked.estate, words)


def _sums_then(asked: _Asked) -> Sequence[Pool] | None:
    """The sums at the moment that is asked for, where our own ledger knows them."""
    if asked.past is None:
        return None
    ((_, found),) = pools_then(asked.past, asked.estate.ladder, [asked.past.until])
    return narrow_pools(found, asked.part, asked.estate.ladder) if asked.estate.servers else ()


def _all_moments(asked: _Asked) -> Sequence[Moment]:
    if asked.past is not None:
        return recall(asked.past, asked.estate.ladder, asked.part) if asked.estate.servers else ()
    if asked.store is not None:
        return _moments(asked.estate, asked.part, asked.moment, asked.store)
    return [*look_back(asked.estate), look(asked.estate)]


def _sums(asked: _Asked) -> Iterator[tuple[int, str, Sequence[Pool]]]:
    """For WMI: compliance of each license server, history of all together."""
    servers = [one.name for one in asked.estate.servers]
    if asked.name == "history":
        name = servers[0] if len(servers) == 1 else asked.estate.name
        yield from ((at, name, found) for at, _, found in sorted(_all_moments(asked), key=itemgetter(0)))
        return
    at = asked.estate.taken_at if asked.moment is None else asked.moment
    for server in servers:
        then = _sums_then(asked)
        yield at, server, pools(narrow(asked.estate, Part(server=server)), asked.moment) if then is None else then


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
