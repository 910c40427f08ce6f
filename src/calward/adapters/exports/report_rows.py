"""What does a row of a report mean that is about no single license: sums and failed issuances?"""

from calward.adapters.exports.reader import Cells, Reader
from calward.adapters.exports.values import ENDLESS, text
from calward.adapters.exports.versions import type_of
from calward.app.estates.found import FoundSummary
from calward.insight.estate import EstateFailure, PackType

__all__ = ["read_failed_sum", "read_failure", "read_summary"]


def read_summary(reader: Reader, line: int, cells: Cells) -> None:
    """What is installed and issued of one version and type."""
    type_ = type_of(None, None, text(cells.get("TSCALType")) or text(cells.get("CALType")))
    installed, issued = reader.count(line, cells, "InstalledLicenses"), reader.count(line, cells, "IssuedLicenses")
    if type_ is None or installed is None:
        reader.leave_out(line, "it does not say of which type CALs are installed, and how many")
        return
    version = reader.version(line, cells)
    total = None if installed == ENDLESS else installed
    reader.found.summaries.append(FoundSummary(line, reader.server(cells), version, type_, total, max(0, issued or 0)))


def read_failure(reader: Reader, line: int, cells: Cells) -> None:
    """A user who got no license."""
    at = reader.moment(line, cells, "TriedIssuanceOn")
    if at is None:
        reader.leave_out(line, "it does not say when")
        return
    said = type_of(None, None, text(cells.get("CALType")))
    holder = text(cells.get("User")) or "?"
    version = reader.version(line, cells)
    reader.found.failures.append(
        EstateFailure(at, reader.server(cells), None, holder, said or PackType.PER_USER, version, ())
    )


def read_failed_sum(reader: Reader, line: int, cells: Cells) -> None:
    """How often users of a domain got none."""
    times = reader.count(line, cells, "FailedIssuanceCount")
    if times is not None:
        reader.found.facts[f"failed issuances in {text(cells.get('DomainName')) or '?'}"] = str(times)
