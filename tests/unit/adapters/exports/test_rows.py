"""What does a row mean, and what is told of one that cannot be read?"""

import json
from datetime import UTC, datetime

import pytest

from calward.adapters.exports.reading import ExportFiles
from calward.app.estates.found import DateOrder
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.insight.estate import LicenseStatus, PackType
from tests.support.builders import ladder
from tests.support.exports import a_pack, an_issued, complaints, read, table, without


def at(year, month, day, hour=0):
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def pack(folder, **changes):
    found = read(folder, table(a_pack(**changes)))
    (only,) = found.packs
    return only


def test_a_pack_says_what_it_is(tmp_path):
    found = pack(tmp_path)
    assert (found.id, found.version, found.type, found.program) == ("3", "2016", PackType.PER_DEVICE, "volume")
    assert (found.total, found.issued, found.expires_at, found.line) == (250, 200, None, 2)


PROGRAMS = [
    (1, "retail"),
    (2, "volume"),
    (3, "concurrent"),
    (4, "temporary"),
    (5, "open"),
    (6, "built-in"),
    (8, "built-in over-used"),
    (0, "unknown"),
]


@pytest.mark.parametrize(("number", "program"), PROGRAMS)
def test_pools_and_programs_are_told_apart(tmp_path, number, program):
    assert pack(tmp_path, KeyPackType=number).program == program


def test_a_program_that_nobody_knows_is_told(tmp_path):
    found = read(tmp_path, table(a_pack(KeyPackType=77)))
    assert found.packs[0].program == "unknown"
    assert complaints(found) == [(2, "KeyPackType 77 is none that is known: how the pack was bought is not known")]


@pytest.mark.parametrize(
    ("number", "type_"), [(0, PackType.PER_DEVICE), (1, PackType.PER_USER), (3, PackType.BUILT_IN)]
)
def test_types(tmp_path, number, type_):
    assert pack(tmp_path, ProductType=number).type is type_


@pytest.mark.parametrize("total", [-1, 4294967295])
def test_without_an_end(tmp_path, total):
    assert pack(tmp_path, TotalLicenses=total, AvailableLicenses=total).total is None


def test_columns_may_be_missing(tmp_path):
    least = {"KeyPackId": 3, "ProductType": 1, "ProductVersionID": 6, "IssuedLicenses": 10, "AvailableLicenses": 5}
    (found,) = read(tmp_path, table(least)).packs
    assert (found.total, found.issued, found.program, found.version) == (15, 10, "unknown", "2019")
    (found,) = read(tmp_path, table(without(least, "IssuedLicenses") | {"TotalLicenses": 15})).packs
    assert (found.total, found.issued) == (15, None)


def test_a_pack_without_a_number_of_cals_is_left_out_and_told(tmp_path):
    row = without(a_pack(AvailableLicenses="?"), "TotalLicenses")
    found = read(tmp_path, table(row))
    assert found.packs == []
    assert complaints(found) == [
        (2, "AvailableLicenses '?' is no whole number"),
        (2, "it does not say how many CALs there are: the row is left out"),
    ]


def test_a_pack_for_nobody_is_left_out_and_told(tmp_path):
    found = read(tmp_path, table(a_pack(ProductType=2)))
    assert found.packs == []
    assert complaints(found) == [(2, "ProductType '2' does not say whom the CALs are for: the row is left out")]


def test_a_version_that_the_ladder_lacks_is_told_and_the_pack_kept(tmp_path):
    found = read(tmp_path, table(a_pack(ProductVersionID=12, ProductVersion="Windows Server 2034")))
    assert found.packs[0].version is None
    assert complaints(found) == [
        (2, "names a version that the ladder windows-server lacks: '12', 'Windows Server 2034'")
    ]


ENDS = [
    ("20380101000000.000000-000", 2, None),
    ("20371231230000.000000+060", 2, None),
    ("20380119031407.000000-000", 4, None),
    ("20351231230000.000000-000", 2, at(2035, 12, 31, 23)),
    ("20270331000000.000000-000", 5, at(2027, 3, 31)),
]


@pytest.mark.parametrize(("written", "program", "wanted"), ENDS)
def test_dates_that_stand_for_never(tmp_path, written, program, wanted):
    assert pack(tmp_path, ExpirationDate=written, KeyPackType=program).expires_at == wanted


def test_the_built_in_pool_has_no_end(tmp_path):
    assert pack(tmp_path, ExpirationDate="20351231230000.000000-000", ProductType=3).expires_at is None


@pytest.mark.parametrize("column", ["PSComputerName", "__SERVER", "Node", "ServerName"])
def test_columns_that_name_the_license_server(tmp_path, column):
    assert pack(tmp_path, **{column: "LS1"}).server == "LS1"
    assert pack(tmp_path).server == ""


def test_an_issued_license_says_what_it_is(tmp_path):
    (found,) = read(tmp_path, table(an_issued())).licenses
    assert (found.id, found.pack, found.status) == ("7", "3", LicenseStatus.ACTIVE)
    assert (found.user, found.device, found.hardware_id) == ("CORP\\anna", "WS-1", "0A1B")
    assert (found.issued_at, found.expires_at) == (at(2026, 1, 1, 11), at(2026, 3, 1, 11))
    assert (found.type, found.version) == (None, None)  # Its pack knows.


STATUSES = [
    (0, LicenseStatus.UNKNOWN),
    (1, LicenseStatus.TEMPORARY),
    (2, LicenseStatus.ACTIVE),
    (3, LicenseStatus.UPGRADED),
    (4, LicenseStatus.REVOKED),
    (5, LicenseStatus.PENDING),
    (6, LicenseStatus.CONCURRENT),
    ("Temporary", LicenseStatus.TEMPORARY),
    ("", LicenseStatus.UNKNOWN),
]


@pytest.mark.parametrize(("written", "status"), STATUSES)
def test_statuses(tmp_path, written, status):
    assert read(tmp_path, table(an_issued(LicenseStatus=written))).licenses[0].status is status


def test_a_status_that_nobody_knows_is_told(tmp_path):
    found = read(tmp_path, table(an_issued(LicenseStatus="befristet")))
    assert found.licenses[0].status is LicenseStatus.UNKNOWN
    assert complaints(found) == [(2, "LicenseStatus 'befristet' is none that is known")]


def test_a_license_of_nobody_is_left_out_and_told(tmp_path):
    nobody = an_issued(LicenseId="", sIssuedToUser="", sIssuedToComputer="", sHardwareId="")
    found = read(tmp_path, table(an_issued(), nobody))
    assert len(found.licenses) == 1
    assert complaints(found) == [(3, "it names neither a license nor who holds it: the row is left out")]


def test_a_date_that_is_none_is_told_and_the_license_kept(tmp_path):
    found = read(tmp_path, table(an_issued(IssueDate="yesterday")))
    assert found.licenses[0].issued_at is None
    assert complaints(found)[0][1].startswith("IssueDate 'yesterday' is no date")


def test_a_day_above_twelve_decides_for_all_dates_of_a_file(tmp_path):
    rows = [
        an_issued(LicenseId=n, IssueDate=day, ExpirationDate="1.1.2030")
        for n, day in ((1, "3/4/2026"), (2, "31/1/2026"))
    ]
    found = read(tmp_path, table(*rows))
    assert [one.issued_at for one in found.licenses] == [at(2026, 4, 3), at(2026, 1, 31)]
    assert complaints(found) == []
    assert found.facts["dates of export.csv"] == "without an offset: read as UTC"


def test_a_file_with_both_orders_of_dates_is_told(tmp_path):
    days = ("3/4/2026", "31/1/2026", "1/31/2026")
    found = read(tmp_path, table(*(an_issued(LicenseId=n, IssueDate=day) for n, day in enumerate(days))))
    assert found.licenses[0].issued_at == at(2026, 3, 4)
    assert (found.dates, found.open_date) == (DateOrder.BOTH, "3/4/2026")


@pytest.mark.parametrize(
    ("days", "order"),
    [
        (("3/4/2026", "3/3/2026"), DateOrder.OPEN),
        (("3/3/2026",), DateOrder.NOTHING),
        (("3.4.2026",), DateOrder.NOTHING),
        (("3/4/2026", "31/1/2026"), DateOrder.DAY_FIRST),
        (("3/4/2026", "1/31/2026"), DateOrder.MONTH_FIRST),
    ],
)
@pytest.mark.parametrize("day_first", [False, True])
def test_a_file_says_in_which_order_its_dates_are(tmp_path, days, order, day_first):
    path = tmp_path / "issued.csv"
    path.write_text(table(*(an_issued(LicenseId=n, IssueDate=day) for n, day in enumerate(days))))
    found = ExportFiles().read(path, ladder(), lambda _file, _rows: None, day_first=day_first)
    assert found.dates is order
    if days[0] == "3/4/2026":
        is_april = order is DateOrder.DAY_FIRST or (order is DateOrder.OPEN and day_first)
        assert found.licenses[0].issued_at == (at(2026, 4, 3) if is_april else at(2026, 3, 4))


USER_REPORT = {
    "User": "CORP\\anna",
    "ExpirationDate": "2026-12-01T00:00:00Z",
    "CALType": "RDS Per User CAL",
    "ProductVersion": "Windows Server 2019",
    "ProductVersionID": 6,
}


def test_a_per_user_report_lists_licenses(tmp_path):
    (found,) = read(tmp_path, table(USER_REPORT)).licenses
    assert (found.user, found.type, found.version, found.status) == (
        "CORP\\anna",
        PackType.PER_USER,
        "2019",
        LicenseStatus.ACTIVE,
    )
    assert (found.pack, found.expires_at, found.reported) == (None, at(2026, 12, 1), True)


def test_a_per_device_report_lists_licenses(tmp_path):
    row = {
        "sIssuedToComputer": "WS-1",
        "sHardwareId": "0A",
        **without(USER_REPORT, "User"),
        "CALType": "TS or RDS Per Device CAL",
    }
    (found,) = read(tmp_path, table(row)).licenses
    assert (found.device, found.hardware_id, found.type, found.status) == (
        "WS-1",
        "0A",
        PackType.PER_DEVICE,
        LicenseStatus.UNKNOWN,
    )


def test_a_summary_sums_up(tmp_path):
    row = {
        "ProductVersion": "x",
        "ProductVersionID": 2,
        "TSCALType": "Per Device",
        "InstalledLicenses": 250,
        "IssuedLicenses": 243,
        "TSCALAvailability": "Limited",
    }
    (found,) = read(tmp_path, table(row)).summaries
    assert (found.version, found.type, found.installed, found.issued) == ("2008", PackType.PER_DEVICE, 250, 243)
    unknown = read(tmp_path, table(row | {"TSCALType": "Unknown"}))
    assert unknown.summaries == []
    assert len(unknown.problems) == 1


def test_failed_issuances_and_their_sum(tmp_path):
    row = without(USER_REPORT, "ExpirationDate") | {"TriedIssuanceOn": "2026-11-01T08:00:00Z"}
    (failure,) = read(tmp_path, table(row)).failures
    assert (failure.holder, failure.at, failure.type, failure.version, failure.host) == (
        "CORP\\anna",
        at(2026, 11, 1, 8),
        PackType.PER_USER,
        "2019",
        None,
    )
    found = read(tmp_path, table(row | {"TriedIssuanceOn": ""}))
    assert found.failures == []
    assert complaints(found) == [(2, "it does not say when: the row is left out")]
    summed = read(tmp_path, table({"DomainName": "CORP", "FailedIssuanceCount": 4}))
    assert summed.facts == {"failed issuances in CORP": "4"}


HOST = {
    "name": "RDSH1",
    "version": "Windows Server 2012 R2 Standard",
    "mode": "per-user",
    "license servers": "ls1; LS2,ls3",
}


def test_a_host_says_what_it_is(tmp_path):
    (found,) = read(tmp_path, table(HOST)).hosts
    assert (found.name, found.version, found.mode, found.servers) == (
        "RDSH1",
        "2012R2",
        CalType.PER_USER,
        ("ls1", "LS2", "ls3"),
    )


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ("Per Device", CalType.PER_DEVICE),
        ("2", CalType.PER_DEVICE),
        ("4", CalType.PER_USER),
        ("5", None),
        ("1", None),
        ("Pro Benutzer", CalType.PER_USER),
        ("Par périphérique", CalType.PER_DEVICE),
        ("not configured", None),
        ("", None),
    ],
)
def test_modes(tmp_path, written, mode):
    found = read(tmp_path, table(HOST | {"mode": written}))
    assert found.hosts[0].mode is mode
    assert found.problems == []


def test_modes_and_versions_that_are_none_are_told(tmp_path):
    found = read(tmp_path, table(HOST | {"mode": "both", "version": "2034"}, HOST | {"name": ""}, HOST | {"mode": 9}))
    assert complaints(found) == [
        (2, "version '2034' is none of the ladder windows-server"),
        (2, "mode 'both' is none: per-device and per-user are"),
        (3, "it names no host: the row is left out"),
        (4, "mode 9 is none that is known: 2 is per device, 4 per user"),
    ]


@pytest.mark.parametrize(
    ("changes", "unset"),
    [
        ({"mode": "5"}, ("mode",)),
        ({"mode": "not configured", "license servers": "none"}, ("mode", "servers")),
        ({"mode": "", "license servers": ""}, ()),
        ({"mode": "1"}, ()),
    ],
)
def test_what_a_host_says_is_not_set_is_told_from_what_it_does_not_say(tmp_path, changes, unset):
    (found,) = read(tmp_path, table(HOST | changes)).hosts
    assert found.unset == unset
    assert ("servers" in unset) <= (found.servers == ())


def test_a_host_says_the_state_of_its_connections_and_its_events(tmp_path):
    found = read(tmp_path, table(HOST | {"connectivity": "11; 6", "events": "1131;1133"}))
    assert (found.hosts[0].reach, found.hosts[0].events) == ((11, 6), (1131, 1133))
    quiet = read(tmp_path, table(HOST | {"connectivity": "", "events": "none"}))
    assert (quiet.hosts[0].reach, quiet.hosts[0].events) == ((), ())
    assert read(tmp_path, table(HOST)).hosts[0].events is None
    odd = read(tmp_path, table(HOST | {"connectivity": "11;x"}))
    assert complaints(odd) == [(2, "'x' among reach is no number")]
    assert odd.hosts[0].reach == (11, 0), "each state stays with its server"


@pytest.mark.parametrize(
    "header",
    [
        "Computername;Betriebssystem;Lizenzierungsmodus;Lizenzserver",
        "Nom;Système d'exploitation;Mode de licence;Serveurs de licences",
        "Computer Name;OS Version;Licensing Mode;License Server(s)",
        "Servidor;Versión;Modo de licencia;Servidores de licencias",
    ],
)
def test_a_table_of_hosts_may_have_names_in_other_languages(tmp_path, header):
    content = f"{header}\r\nRDSH1;2012R2;4;ls1,ls2\r\n"
    for encoding in ("cp1252", "utf-8-sig", "utf-16"):
        (found,) = read(tmp_path, content, encoding=encoding).hosts
        assert (found.name, found.version, found.mode) == ("RDSH1", "2012R2", CalType.PER_USER)
        assert found.servers == ("ls1", "ls2")


def test_where_two_columns_have_one_meaning_the_one_that_is_filled_counts(tmp_path):
    row = {"PSComputerName": "", "ServerName": "RDSH1", "LicensingType": 4}
    assert [host.name for host in read(tmp_path, table(row)).hosts] == ["RDSH1"]
    assert [host.name for host in read(tmp_path, json.dumps(row)).hosts] == ["RDSH1"]


def test_a_host_of_json_may_have_a_list_of_servers(tmp_path):
    row = {"ServerName": "RDSH1", "LicensingType": 4, "SpecifiedLicenseServerList": ["ls1", "ls2"]}
    (found,) = read(tmp_path, json.dumps(row)).hosts
    assert (found.mode, found.servers) == (CalType.PER_USER, ("ls1", "ls2"))


def test_the_license_server_itself(tmp_path):
    row = {
        "PSComputerName": "LS1",
        "ProductId": "00252-1",
        "Version": "Windows Server 2022",
        "ServerRole": 1,
        "DatabasePath": "",
    }
    (found,) = read(tmp_path, table(row)).servers
    assert (found.name, found.version, found.settings) == (
        "LS1",
        "2022",
        (("ProductId", "00252-1"), ("ServerRole", "1")),
    )
    assert read(tmp_path, table(without(row, "PSComputerName"))).servers[0].name == ""


@pytest.mark.parametrize(
    ("written", "activated", "told"),
    [("0", True, 0), ("1", False, 0), ("2", None, 0), ("", None, 0), ("7", None, 1), ("yes", None, 1)],
)
def test_a_license_server_says_whether_it_is_activated(tmp_path, written, activated, told):
    row = {"PSComputerName": "LS1", "Version": "Windows Server 2022", "ActivationStatus": written}
    found = read(tmp_path, table(row))
    assert found.servers[0].activated is activated
    assert len(complaints(found)) == told


def test_many_problems_are_cut_with_a_word(tmp_path):
    found = read(tmp_path, table(*(an_issued(LicenseId=n, IssueDate="x") for n in range(1500))))
    assert len(found.licenses) == 1500
    assert len(found.problems) == 1001
    assert found.problems[-1].reason == "500 more problems are not listed, the last of them in line 1501"


def test_how_far_a_long_file_is_is_told(tmp_path, monkeypatch):
    from calward.adapters.exports.reading import ExportFiles
    from tests.support.builders import ladder

    monkeypatch.setattr("calward.adapters.exports.reading._EVERY", 2)
    (tmp_path / "long.csv").write_text(table(*(an_issued(LicenseId=n) for n in range(5))))
    told = []
    ExportFiles().read(tmp_path / "long.csv", ladder(), lambda *word: told.append(word))
    assert told == [("long.csv", 2), ("long.csv", 4)]


def test_the_name_of_a_file_does_not_matter(tmp_path):
    assert read(tmp_path, table(a_pack()), name="issued.json").packs
    assert read(tmp_path, json.dumps(a_pack()), name="packs.csv").packs
    with pytest.raises(LicensingError):
        read(tmp_path, "hello,world\n", name="Win32_TSLicenseKeyPack.csv")
