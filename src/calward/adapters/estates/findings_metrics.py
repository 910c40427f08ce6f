"""How many findings are open, as Prometheus' node exporter reads it from a text file?"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from calward.adapters.whole_file import write_whole
from calward.insight.findings import Finding, Severity

__all__ = ["write_metrics"]


def write_metrics(path: Path, estate: str, taken_at: int, looked_at: int, findings: Iterable[Finding]) -> None:
    """Write the file whole, readable by all; times in seconds since 1970; raises LicensingError."""
    counts = Counter(one.severity for one in findings)
    label = estate.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    lines = [
        "# HELP calward_findings Findings of the diagnosis that are not snoozed.",
        "# TYPE calward_findings gauge",
        *(f'calward_findings{{estate="{label}",severity="{one.value}"}} {counts[one]}' for one in Severity),
        "# HELP calward_snapshot_timestamp_seconds When the snapshot was taken that was looked at.",
        "# TYPE calward_snapshot_timestamp_seconds gauge",
        f'calward_snapshot_timestamp_seconds{{estate="{label}"}} {taken_at}',
        "# HELP calward_watch_timestamp_seconds When it was last looked.",
        "# TYPE calward_watch_timestamp_seconds gauge",
        f'calward_watch_timestamp_seconds{{estate="{label}"}} {looked_at}',
    ]
    write_whole(path, ("\n".join(lines) + "\n").encode(), 0o644)
