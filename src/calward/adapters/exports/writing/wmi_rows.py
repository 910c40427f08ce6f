"""How is a report written with the property names of the WMI classes, so that scripts and ``calward estate import`` read it?

Source: rd-licensing 7.2-7.4 (classes and properties), 1.1 (how "never" and "unlimited" look in real rows).
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from types import MappingProxyType
from typing import Final

from calward.adapters.exports.wmi import CLASSES, SERVER_COLUMNS, UNLIMITED, Kind
from calward.adapters.exports.writing.agreeing import Packs
from calward.adapters.exports.writing.names import PRODUCT_TYPE, Names, cal_type, dmtf, license_status, program
from calward.insight.estate import Estate, EstateLicense, EstatePack, PackType
from calward.insight.reports.failed import domain_of
from calward.insight.reports.narrow import Part, narrow
from calward.insight.reports.pools import Pool, availability, pools

__all__ = ["WMI_KINDS", "Sums", "history_text", "summary_text", "wmi_text"]

Row = dict[str, str]
Sums = tuple[int, str, Sequence[Pool]]
"""At a second since 1970, of a license server, the pools there."""

WMI_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "usage": Kind.ISSUED,
        "devices": Kind.DEVICE_REPORT,
        "users": Kind.USER_REPORT,
        "packs": Kind.PACKS,
        "summary": Kind.SUMMARY,
        "failed": Kind.FAILED,
        "failed by domain": Kind.FAILED_SUMMARY,
        "hosts": Kind.HOSTS,
    }
)
"""What a report is in the other system's words; ``compliance`` and ``history`` are sums, for which there are two texts more."""
_REPORT: Final = (
    *("FileName", "GenerationDateTime", "Version"),
    *("InstalledLicenses", "LicenseUsageCount", "ScopeType", "ScopeValue"),
)
"""Of Win32_TSLicenseReport; the counts are in it up to 2008 R2."""

_SERVER: Final = SERVER_COLUMNS[0]
_HOST_COLUMNS: Final = ("name", "version", "mode", "license servers", "last seen", "grace until")
_ENDLESS: Final = str(max(UNLIMITED))
_NEVER: Final = dmtf(int(datetime(2038, 1, 1, tzinfo=UTC).timestamp()))
_NEVER_BUILT_IN: Final = dmtf(int(datetime(2035, 12, 31, 23, tzinfo=UTC).timestamp()))
_AT_ONCE: Final = 1 << 16
"""Characters of a piece."""


def wmi_text(estate: Estate, kind: Kind) -> Iterator[str]:
    """CSV as Export-Csv writes it: every cell quoted, one header, the license server in ``PSComputerName``."""
    rows = _ROWS[kind](estate)
    columns = (
        _host_columns(estate) if kind is Kind.HOSTS else (*CLASSES[kind].properties, *_more(estate, kind), _SERVER)
    )
    return csv_pieces(chain([columns], ([row.get(name, "") for name in columns] for row in rows)))


def summary_text(sums: Iterable[Sums], estate: Estate) -> Iterator[str]:
    """Win32_TSLicenseReportSummaryEntry of some moment, for each license server."""
    names = Names(estate.ladder)
    rows = (_sum(pool, server, estate, names) for _, server, found in sums for pool in found if _told_of(pool))
    return _text(CLASSES[Kind.SUMMARY].properties, rows)


def history_text(sums: Iterable[Sums]) -> Iterator[str]:
    """Win32_TSLicenseReport, a report a moment: what all CALs together are, and how many are used."""
    return _text(_REPORT, (_report(at, server, found) for at, server, found in sums))


def _report(at: int, server: str, found: Sequence[Pool]) -> Row:
    held = [pool.held for pool in found if _told_of(pool)]
    endless = any(number is None for number in held)
    return {
        "GenerationDateTime": dmtf(at),
        "InstalledLicenses": _ENDLESS if endless else str(sum(number or 0 for number in held)),
        "LicenseUsageCount": str(sum(pool.used for pool in found if _told_of(pool))),
        _SERVER: server,
    }


def _told_of(pool: Pool) -> bool:
    return pool.type is not PackType.BUILT_IN


def _text(properties: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    columns = (*properties, _SERVER)
    return csv_pieces(chain([columns], ([row.get(name, "") for name in columns] for row in rows)))


def csv_pieces(rows: Iterable[Iterable[str]], *, separator: str = ",", quoting: int = csv.QUOTE_ALL) -> Iterator[str]:
    """Rows as lines that end with CR LF, some at a time."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\r\n")  # type: ignore[arg-type]
    for row in rows:
        writer.writerow(list(row))
        if out.tell() >= _AT_ONCE:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _more(estate: Estate, kind: Kind) -> tuple[str, ...]:
    """Columns beside the class's: what a license's pack does not say of it, where there is any such license."""
    if kind is not Kind.ISSUED:
        return ()
    packs = Packs(estate.packs)
    return () if all(map(packs.tell, estate.licenses)) else ("Description", "ProductVersion", "ProductVersionID")


def _packs(estate: Estate) -> Iterator[Row]:
    names = Names(estate.ladder)
    return (_pack(one, names) for one in estate.packs)


def _pack(one: EstatePack, names: Names) -> Row:
    title, number = names.version(one.version)
    never = _NEVER_BUILT_IN if one.type is PackType.BUILT_IN else _NEVER
    return {
        "KeyPackId": one.id,
        "Description": names.code(one.version, one.type),
        "KeyPackType": program(one.program),
        "ProductType": str(PRODUCT_TYPE[one.type]),
        "ProductVersion": title,
        "ProductVersionID": number,
        "TotalLicenses": _ENDLESS if one.total is None else str(one.total),
        "IssuedLicenses": str(one.issued),
        "AvailableLicenses": _ENDLESS if one.available is None else str(one.available),
        "ExpirationDate": dmtf(one.expires_at) or never,
        "AccessRights": "0",
        "TypeAndModel": names.cal(one.version, one.type),
        _SERVER: one.server,
    }


def _issued(estate: Estate) -> Iterator[Row]:
    names, packs = Names(estate.ladder), Packs(estate.packs)
    for one in estate.licenses:
        row = {
            "LicenseId": one.id,
            "KeyPackId": one.pack or "",
            "sIssuedToUser": one.user or "",
            "sIssuedToComputer": one.device or "",
            "LicenseStatus": license_status(one.status),
            "IssueDate": dmtf(one.issued_at),
            "ExpirationDate": dmtf(one.expires_at),
            "sHardwareId": one.hardware_id or "",
            _SERVER: one.server,
        }
        yield row if packs.tell(one) else row | _told(one, names)


def _told(one: EstateLicense, names: Names) -> Row:
    title, number = names.version(one.version)
    return {"Description": names.cal(None, one.type), "ProductVersion": title, "ProductVersionID": number}


def _version(names: Names, version: str | None, type_: PackType) -> Row:
    title, number = names.version(version)
    return {"CALType": names.cal(version, type_), "ProductVersion": title, "ProductVersionID": number}


def _devices(estate: Estate) -> Iterator[Row]:
    names = Names(estate.ladder)
    for one in estate.licenses:
        if one.type is not PackType.PER_USER:
            yield {
                "sIssuedToComputer": one.device or "",
                "sHardwareId": one.hardware_id or "",
                "ExpirationDate": dmtf(one.expires_at),
                _SERVER: one.server,
            } | _version(names, one.version, one.type)


def _users(estate: Estate) -> Iterator[Row]:
    names = Names(estate.ladder)
    for one in estate.licenses:
        if one.type is PackType.PER_USER:
            row = {"User": one.user or one.device or "", "ExpirationDate": dmtf(one.expires_at), _SERVER: one.server}
            yield row | _version(names, one.version, one.type)


def _summary(estate: Estate) -> Iterator[Row]:
    """The sums of each license server, as it would give them."""
    names = Names(estate.ladder)
    for server in estate.servers:
        for pool in pools(narrow(estate, Part(server=server.name))):
            if _told_of(pool):
                yield _sum(pool, server.name, estate, names)


def _sum(pool: Pool, server: str, estate: Estate, names: Names) -> Row:
    version = None if pool.rank < 0 else estate.ladder.family_versions(pool.rank)[0]
    title, number = names.version(version)
    return {
        "ProductVersion": title,
        "ProductVersionID": number,
        "TSCALType": cal_type(pool.type),
        "InstalledLicenses": _ENDLESS if pool.held is None else str(pool.held),
        "IssuedLicenses": str(pool.used),
        "TSCALAvailability": availability(pool),
        _SERVER: server,
    }


def _failures(estate: Estate) -> Iterator[Row]:
    """One row a refusal: one that came again is as many rows."""
    names = Names(estate.ladder)
    for one in estate.failures:
        row = {"User": one.holder, "TriedIssuanceOn": dmtf(one.at), _SERVER: one.server}
        yield from [row | _version(names, one.version, one.type)] * one.times


def _host_columns(estate: Estate) -> tuple[str, ...]:
    """What hosts say of their connections, and their events, only where any says it."""
    reach = ("connectivity",) if any(one.reach for one in estate.hosts) else ()
    events = ("events",) if any(one.events is not None for one in estate.hosts) else ()
    return (*_HOST_COLUMNS, *reach, *events)


def _failures_by_domain(estate: Estate) -> Iterator[Row]:
    counts: Counter[tuple[str, str]] = Counter()
    for one in estate.failures:
        counts[one.server, domain_of(one.holder)] += one.times
    for (server, domain), number in sorted(counts.items()):
        yield {"DomainName": domain, "FailedIssuanceCount": str(number), _SERVER: server}


def _hosts(estate: Estate) -> Iterator[Row]:
    for one in estate.hosts:
        mode = one.mode.value if one.mode else "not configured" if "mode" in one.unset else ""
        servers = "none" if "servers" in one.unset else ";".join(one.servers)
        values = (one.name, one.version or "", mode, servers, dmtf(one.seen_at), dmtf(one.grace_until))
        lists = {"connectivity": one.reach, "events": one.events or ()}
        told = {name: ";".join(map(str, numbers)) for name, numbers in lists.items()}
        yield {**dict(zip(_HOST_COLUMNS, values, strict=True)), **told}


_ROWS: Final[Mapping[Kind, Callable[[Estate], Iterator[Row]]]] = MappingProxyType(
    {
        Kind.PACKS: _packs,
        Kind.ISSUED: _issued,
        Kind.DEVICE_REPORT: _devices,
        Kind.USER_REPORT: _users,
        Kind.SUMMARY: _summary,
        Kind.FAILED: _failures,
        Kind.FAILED_SUMMARY: _failures_by_domain,
        Kind.HOSTS: _hosts,
    }
)
