"""How do commands get an estate: one that was imported, or the running license server's?"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from calward.adapters.estates.estate_folder import EstateFolder, estates_folder
from calward.adapters.estates.snooze_file import SnoozeFile, own_snoozes
from calward.adapters.exports.reading import ExportFiles
from calward.adapters.exports.writing.html_page import html_text
from calward.adapters.exports.writing.lsreport import lsreport_text
from calward.adapters.exports.writing.tables_text import csv_text, json_text
from calward.adapters.exports.writing.wmi_rows import WMI_KINDS, Sums, history_text, summary_text, wmi_text
from calward.adapters.ladders import load_ladder
from calward.adapters.network.admin_client import HttpAdminClient
from calward.adapters.system import SystemClock
from calward.app.estates.document import from_json
from calward.app.estates.import_estate import ImportEstate, ImportFile
from calward.app.estates.import_estate import import_estate as run_import
from calward.domain.errors import LicensingError, Problem
from calward.insight.estate import Estate, Source
from calward.insight.reports.report import Report

__all__ = ["find_estate", "foreign_text", "import_estate", "open_estates", "open_snoozes", "served_estate", "sums_text"]


def open_estates(folder: Path | None, environment: Mapping[str, str]) -> EstateFolder:
    """The estates in a folder, None: in the usual one."""
    return EstateFolder(folder or estates_folder(environment))


def import_estate(
    store: EstateFolder,
    name: str,
    files: Sequence[ImportFile],
    ladder: str,
    taken_at: int | None,
    progress: Callable[[str, int], None],
) -> Estate:
    """Read files of another system and keep them as a snapshot; raises LicensingError."""
    command = ImportEstate(name, files, SystemClock().now() if taken_at is None else taken_at)
    return run_import(command, reader=ExportFiles(), store=store, ladder=load_ladder(ladder), progress=progress)


def find_estate(name: str | None, store: EstateFolder, ask_server: Callable[[], Estate], *, asked: bool) -> Estate:
    """An imported estate by its name; without a name the running server's, else the only imported one.

    ``asked``: somebody has named a server, so that nothing else will do. Raises: LicensingError.
    """
    if name is not None:
        return store.newest(name)
    try:
        return ask_server()
    except LicensingError as error:
        names = store.names()
        if asked or error.problem is not Problem.UNREACHABLE:
            raise
        if len(names) != 1:
            raise LicensingError(error.problem, _which(error.detail, names)) from error
    print(f"no license server is running here: this is the imported estate {names[0]}", file=sys.stderr)  # noqa: T201
    return store.newest(names[0])


def open_snoozes(estate: Estate, store: EstateFolder, environment: Mapping[str, str]) -> SnoozeFile:
    """What is accepted of an estate: in its folder, or of a license server's ledger in the user's own state folder."""
    if estate.source is Source.IMPORT:
        return SnoozeFile(store.folder / estate.name / "snoozes.json")
    return SnoozeFile(own_snoozes(environment, estate.facts.get("server_id", estate.name)))


def served_estate(client: HttpAdminClient) -> Estate:
    """The snapshot of a license server's own ledger; raises LicensingError."""
    try:
        return from_json("".join(client.lines("estate")).encode(), load_ladder)
    finally:
        client.close()


def _which(detail: str, names: Sequence[str]) -> str:
    if names:
        return f"{detail}; of the imported estates name one: {', '.join(names)}"
    return f"{detail}; and no estate has been imported: calward estate import FILE makes one"


def report_text(found: Report, form: str, *, bare: bool) -> Iterator[str]:
    """A report as csv, json or html, in pieces."""
    if form == "csv":
        return csv_text(found, bare=bare)
    return json_text(found) if form == "json" else html_text(found)


def sums_text(estate: Estate, name: str, sums: Iterable[Sums]) -> Iterator[str]:
    """Sums of moments with the property names of WMI: compliance as summary entries, history as a report a moment."""
    return summary_text(sums, estate) if name == "compliance" else history_text(sums)


def foreign_text(estate: Estate, name: str, *, lsreport: bool, hardware_ids: bool) -> Iterator[str]:
    """A report in the words of other systems' tools, in pieces; raises LicensingError where they have none for it."""
    if lsreport:
        if name != "usage":
            raise LicensingError(Problem.MALFORMED, "lsreport lists licenses: report usage has its columns")
        return lsreport_text(estate, hardware_ids=hardware_ids)
    if name not in WMI_KINDS:
        raise LicensingError(Problem.MALFORMED, f"WMI has no class for {name}: it has some for {', '.join(WMI_KINDS)}")
    return wmi_text(estate, WMI_KINDS[name])
