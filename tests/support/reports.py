"""Snapshots for tests of reports: rows that state only what matters, and a report's rows as dictionaries."""

from typing import Any

from calward.insight.estate import Estate, EstateLicense, EstatePack, EstateServer, LicenseStatus, PackType, Source
from calward.insight.reports.report import Report
from tests.support.builders import ladder

DAY = 86_400
NOW = 20_000 * DAY


def pack(
    id_: str = "3", version: str | None = "2019", total: int | None = 10, issued: int = 0, **more: Any
) -> EstatePack:
    values = {"server": "ls1", "type": PackType.PER_DEVICE, "program": "volume"} | more
    return EstatePack(id=id_, version=version, total=total, issued=issued, **values)


def held(number: int = 1, version: str | None = "2019", **more: Any) -> EstateLicense:
    values: dict[str, Any] = {
        "server": "ls1",
        "pack": "3",
        "type": PackType.PER_DEVICE,
        "status": LicenseStatus.ACTIVE,
        "device": f"WS-{number}",
        "user": None,
        "hardware_id": f"{number:04X}",
        "issued_at": NOW - 10 * DAY,
        "expires_at": NOW + 50 * DAY,
    }
    return EstateLicense(id=str(number), version=version, **(values | more))


def snapshot(*rows: Any, source: Source = Source.IMPORT, **more: Any) -> Estate:
    """An estate of these packs and licenses."""
    packs = [one for one in rows if isinstance(one, EstatePack)]
    licenses = [one for one in rows if isinstance(one, EstateLicense)]
    values = {"servers": [EstateServer("ls1")], "packs": packs, "licenses": licenses} | more
    return Estate("berlin", source, NOW, ladder(), **values)


def table(report: Report) -> list[dict[str, Any]]:
    return [dict(zip((one.key for one in report.columns), row, strict=True)) for row in report.rows()]
