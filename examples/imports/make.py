"""Which files do license servers of other systems export? Makes an example of each form; the same ones each time.

``python examples/imports/make.py`` writes them anew beside itself, a folder a form, each an estate of its own (an invented company).
``python examples/imports/make.py --issued 100000 FILE`` writes one long list of issued licenses, which is not kept here.
"""

import argparse
import csv
import io
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

Row = Mapping[str, object]

HERE = Path(__file__).resolve().parent
TAKEN = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
"""When all these files were made."""
NEVER = datetime(2038, 1, 1, tzinfo=UTC)
POOL = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
BUILT_IN = datetime(2035, 12, 31, 23, 0, tzinfo=UTC)
SITES = ("HAM", "BER", "MUC", "CGN")
FIRST = [
    "anna",
    "ben",
    "clara",
    "david",
    "emma",
    "finn",
    "greta",
    "henri",
    "ida",
    "jonas",
    "klara",
    "leon",
    "mia",
    "noah",
    "ole",
    "paula",
    "ronja",
    "sven",
    "tilda",
    "uwe",
]
LAST = [
    "albers",
    "brandt",
    "conrad",
    "dietz",
    "engel",
    "fuchs",
    "graf",
    "hahn",
    "jansen",
    "keller",
    "lorenz",
    "maurer",
    "nolte",
    "peters",
    "richter",
    "sauer",
]

PACK = [
    "KeyPackId",
    "Description",
    "KeyPackType",
    "ProductType",
    "ProductVersion",
    "ProductVersionID",
    "TotalLicenses",
    "IssuedLicenses",
    "AvailableLicenses",
    "ExpirationDate",
    "AccessRights",
    "TypeAndModel",
]
ISSUED = [
    "LicenseId",
    "KeyPackId",
    "sIssuedToUser",
    "sIssuedToComputer",
    "LicenseStatus",
    "IssueDate",
    "ExpirationDate",
    "sHardwareId",
]
LSREPORT = ["licenseID", "keypackID", "client", "user", "start", "issueType", "licenseType", "end"]

OLD, NEW = "Windows Server 2008 or 2008 R2", "Windows Server 2019"
IN_GERMAN = {OLD: "Windows Server 2008 oder 2008 R2 (für Geräte)", NEW: "Windows Server 2019 (für Benutzer)"}


def us(moment: datetime) -> str:
    """As an American PowerShell writes it."""
    return f"{moment.month}/{moment.day}/{moment.year} {moment:%I:%M:%S %p}".replace(" 0", " ")


def german(moment: datetime) -> str:
    """As a German PowerShell writes it."""
    return f"{moment:%d.%m.%Y %H:%M:%S}"


def dmtf(moment: datetime) -> str:
    """As WMI itself writes it."""
    return f"{moment:%Y%m%d%H%M%S}.000000-000"


def ticks(moment: datetime) -> str:
    """As the JSON of older PowerShells has it."""
    return f"/Date({int(moment.timestamp() * 1000)})/"


def wrapped(moment: datetime) -> dict[str, object]:
    """As the JSON of older PowerShells has dates of CIM instances."""
    return {"value": ticks(moment), "DisplayHint": 2, "DateTime": f"{moment:%A, %B %d, %Y %I:%M:%S %p}"}


def iso(moment: datetime) -> str:
    """As the JSON of PowerShell 7 has it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def pack(
    number: int, code: str, program: int, type_: int, version: tuple[str, int], total: int, issued: int, end: datetime
) -> Row:
    """A row of Win32_TSLicenseKeyPack; ``total`` -1: unlimited."""
    words = {0: "RDS Per Device CAL", 1: "RDS Per User CAL", 3: "Built-in TS Per Device CAL"}[type_]
    left = -1 if total < 0 else max(0, total - issued)
    values = (number, code, program, type_, *version, total, issued, left, end, 0, words)
    return dict(zip(PACK, values, strict=True))


def old_server() -> list[Row]:
    """A server of 2008 R2: device CALs that are nearly used up, temporary licenses beside them, a built-in pool."""
    return [
        pack(2, "A02-5.00-EX", 6, 3, ("Windows 2000 Server", 0), -1, 0, BUILT_IN),
        pack(3, "A02-6.00-S", 2, 0, (OLD, 2), 250, 243, NEVER),
        pack(4, "C50-6.00-S", 5, 1, (OLD, 2), 200, 61, NEVER),
        pack(13, "A02-6.00-S", 4, 0, (OLD, 2), -1, 31, POOL),
    ]


def new_server() -> list[Row]:
    """A server of 2022: user CALs of 2019 over-used while those of 2022 lie idle; the same agreement installed twice."""
    return [
        pack(3, "A02-10.00-S", 2, 0, ("Windows Server 2016", 5), 150, 97, NEVER),
        pack(5, "C50-10.01-S", 5, 1, (NEW, 6), 300, 300, NEVER),
        pack(6, "C50-10.02-S", 1, 1, ("Windows Server 2022", 7), 50, 0, datetime(2027, 3, 31, tzinfo=UTC)),
        pack(9, "C50-10.01-S", 8, 1, (NEW, 6), 0, 18, NEVER),
        pack(9, "C50-10.01-S", 2, 1, (NEW, 6), 20, 0, NEVER),
    ]


def issued(draw: random.Random, counts: Mapping[int, int]) -> list[Row]:
    """Rows of Win32_TSIssuedLicense: so many of each pack; some devices are stale, some came back under a new name."""
    return list(each_issued(draw, counts))


def each_issued(draw: random.Random, counts: Mapping[int, int], temporary: int = 13) -> Iterator[Row]:
    """The same, one after the other."""
    seen: list[str] = []
    for number, many in counts.items():
        for _ in range(many):
            renamed = bool(seen) and draw.random() < 0.02  # noqa: PLR2004 - one in fifty.
            hardware = draw.choice(seen) if renamed else f"{draw.getrandbits(128):032X}"
            seen.append(hardware)
            start = TAKEN - timedelta(seconds=draw.randrange(86_400, 80 * 86_400))
            days = 90 if number == temporary else draw.randrange(52, 90)
            status = 1 if number == temporary else 2
            names = (person(draw), f"WS-{draw.choice(SITES)}-{draw.randrange(1000, 9999)}")
            values = (len(seen), number, *names, status, start, start + timedelta(days=days), hardware)
            yield dict(zip(ISSUED, values, strict=True))


def person(draw: random.Random) -> str:
    """A user of the invented company's domain."""
    return f"NORDLICHT\\{draw.choice(FIRST)}.{draw.choice(LAST)}"


def reports(draw: random.Random) -> dict[str, list[Row]]:
    """The entries of a server's CAL usage report, by class."""
    users = sorted({person(draw) for _ in range(180)})
    end = [TAKEN + timedelta(days=draw.randrange(-5, 60)) for _ in users]
    version = {"ProductVersion": NEW, "ProductVersionID": 6}
    cal = {"CALType": "RDS Per User CAL", **version}
    devices = issued(draw, {3: 40})
    return {
        "per-user": [{"User": user, "ExpirationDate": at, **cal} for user, at in zip(users, end, strict=True)],
        "per-device": [
            {
                **{name: row[name] for name in ("sIssuedToComputer", "sHardwareId", "ExpirationDate")},
                "CALType": "RDS Per Device CAL",
                "ProductVersion": "Windows Server 2016",
                "ProductVersionID": 5,
            }
            for row in devices
        ],
        "summary": [
            {**version, "TSCALType": "Per User", **_sum(300, len(users), "Available")},
            {"ProductVersion": OLD, "ProductVersionID": 2, "TSCALType": "Per Device", **_sum(250, 250, "None")},
        ],
        "failed": [
            {"User": person(draw), "TriedIssuanceOn": TAKEN - timedelta(hours=draw.randrange(1, 200)), **cal}
            for _ in range(23)
        ],
        "failed-summary": [{"DomainName": "NORDLICHT", "FailedIssuanceCount": 23}],
    }


def _sum(installed: int, number: int, left: str) -> Row:
    return {"InstalledLicenses": installed, "IssuedLicenses": number, "TSCALAvailability": left}


def hosts(draw: random.Random) -> list[Row]:
    """Session hosts with the mistakes that people make: a server twice, one that nobody knows, no mode."""
    rows = []
    versions = ("Windows Server 2008 R2", "Windows Server 2016", "Windows Server 2019", "Windows Server 2022")
    for number in range(1, 41):
        servers = draw.choice(["rdl01;rdl02", "rdl02.nordlicht.example;rdl01", "rdl02", "rdl01;RDL01", "rdl9"])
        mode = draw.choice(["per-device", "Per User", "2", "4", "not configured"])
        name = f"RDSH-{draw.choice(SITES)}-{number:02}"
        rows.append({"name": name, "version": draw.choice(versions), "mode": mode, "license servers": servers})
    return rows


def text(rows: Sequence[Row], date: Callable[[datetime], object], **dialect: str) -> str:
    """Rows as CSV; ``dialect``: ``separator``, and ``unlimited``: what -1 becomes."""
    out = io.StringIO()
    lines = csv.writer(out, delimiter=dialect.get("separator", ","), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    lines.writerow(rows[0])
    for row in rows:
        lines.writerow([_plain(value, date, dialect.get("unlimited", "-1")) for value in row.values()])
    return out.getvalue()


def _plain(value: object, date: Callable[[datetime], object], unlimited: str) -> object:
    if isinstance(value, datetime):
        return date(value)
    return unlimited if value == -1 else value


def export_csv(rows: Sequence[Row], name: str, server: str = "") -> str:
    """As Export-Csv of Windows PowerShell 5.1 writes CIM instances: the type first, an unsigned -1, the machine last."""
    named = [{**dict(sorted(row.items())), "PSComputerName": server} for row in rows]
    kind = f"#TYPE Microsoft.Management.Infrastructure.CimInstance#root/cimv2/{name}\r\n"
    return kind + text(named, us, unlimited="4294967295")


def wmic(rows: Sequence[Row], server: str) -> str:
    """As ``wmic … /format:csv`` writes it: a blank line, the machine first, nothing quoted, strange line ends."""
    named = [{"Node": server, **dict(sorted(row.items()))} for row in rows]
    lines = [",".join(named[0]), *(",".join(str(_plain(x, dmtf, "-1")) for x in row.values()) for row in named)]
    return "\r\r\n" + "".join(f"{line}\r\r\n" for line in lines)


def lsreport(rows: Iterable[Row], *, header: bool) -> str:
    """As lsreport.exe writes it: tabs, words instead of numbers."""
    lines = ["\t".join(LSREPORT)] if header else []
    for row in rows:
        kind = "Temporary" if row["LicenseStatus"] == 1 else "Active"
        dates = [us(row[name]) for name in ("IssueDate", "ExpirationDate")]  # type: ignore[arg-type]
        who = (row["LicenseId"], row["KeyPackId"], row["sIssuedToComputer"], row["sIssuedToUser"])
        lines.append("\t".join(map(str, (*who, dates[0], kind, "A02-6.00-S", dates[1]))))
    return "".join(f"{line}\r\n" for line in lines)


def as_json(rows: Sequence[Row], date: Callable[[datetime], object], server: str) -> str:
    """As ConvertTo-Json writes it; an array, for one row an object, as it does."""
    named = [
        {
            **{name: _plain(value, date, "4294967295") for name, value in row.items()},
            "PSComputerName": server,
            "CimClass": {"CimSuperClassName": None, "CimSystemProperties": {"Namespace": "ROOT/cimv2"}},
        }
        for row in rows
    ]
    return json.dumps(named[0] if len(named) == 1 else named, indent=4) + "\n"


def section(rows: Sequence[Row]) -> str:
    """As a monitoring agent prints it among its other sections."""
    table = [",".join(PACK[:10]), *(",".join(str(_plain(row[x], dmtf, "-1")) for x in PACK[:10]) for row in rows)]
    lines = ["<<<check_mk>>>", "Version: 2.3.0", "<<<rds_licenses:sep(44)>>>", *table, "<<<uptime>>>", "86400"]
    return "".join(f"{line}\n" for line in lines)


def german_rows(rows: Iterable[Row]) -> list[Row]:
    """The same rows as a German server names its products."""
    return [{**row, "ProductVersion": IN_GERMAN.get(str(row["ProductVersion"]), row["ProductVersion"])} for row in rows]


def all_files() -> dict[str, bytes]:
    """Every file by its path."""
    draw = random.Random(20261120)
    old, new = old_server(), new_server()
    old_issued, new_issued = issued(draw, {3: 243, 13: 31}), issued(draw, {3: 97})
    report = reports(draw)
    few = old_issued[:200]
    files = {
        "powershell/packs.csv": export_csv(old, "Win32_TSLicenseKeyPack").encode("ascii"),
        "powershell/issued.csv": export_csv(old_issued, "Win32_TSIssuedLicense").encode("ascii"),
        "two-servers/packs.csv": (
            export_csv(old, "Win32_TSLicenseKeyPack", "RDL01")
            + export_csv(new, "Win32_TSLicenseKeyPack", "rdl02.nordlicht.example")
        ).encode(),
        "two-servers/issued-rdl01.csv": export_csv(old_issued, "Win32_TSIssuedLicense", "RDL01").encode("utf-8-sig"),
        "two-servers/issued-rdl02.csv": export_csv(new_issued, "Win32_TSIssuedLicense", "RDL02").encode("utf-16"),
        "two-servers/hosts.csv": text(hosts(draw), us).encode(),
        "wmic/packs.csv": wmic(old, "RDL01").encode("utf-16"),
        "wmic/issued.csv": wmic(few, "RDL01").encode("utf-16"),
        "german/pakete.csv": text(german_rows(old), german, separator=";").encode("cp1252"),
        "german/lizenzen.csv": text(old_issued, german, separator="\t").encode("cp1252"),
        "json/packs.json": as_json(new, ticks, "RDL02").encode(),
        "json/one-pack.json": as_json(old[1:2], iso, "RDL01").encode("utf-16"),
        "json/issued.json": as_json(new_issued, iso, "RDL02").encode(),
        "json/per-user.json": as_json(report["per-user"], wrapped, "RDL02").encode("utf-8-sig"),
        "lsreport/lsreport.txt": lsreport(old_issued, header=True).encode("cp1252"),
        "lsreport/packs.csv": text(old, iso).encode(),
        "lsreport-bare/lsreport.txt": lsreport(few, header=False).encode("ascii"),
        "agent/output.txt": section(old).encode(),
    }
    for name, rows in report.items():
        files[f"reports/{name}.csv"] = text(rows, iso).encode()
    return files


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--issued", type=int, help="write one list of so many issued licenses to FILE instead")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
    asked = parser.parse_args()
    if asked.issued and asked.file:
        write_long_list(asked.file, asked.issued)
        return
    for name, content in all_files().items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def write_long_list(path: Path, number: int) -> None:
    """Issued licenses of packs 3 and 13, as Export-Csv writes them."""
    rows = each_issued(random.Random(number), {3: number - number // 9, 13: number // 9})
    with path.open("w", encoding="ascii", newline="") as file:
        lines = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        lines.writerow(sorted(ISSUED))
        lines.writerows([_plain(row[name], us, "-1") for name in sorted(ISSUED)] for row in rows)


if __name__ == "__main__":
    main()
