"""Does a text become rows, whatever its writer puts around them, and is every line that is none told?"""

import pytest

from calward.adapters.exports.tables import read_table
from calward.adapters.exports.wmi import Kind
from calward.domain.errors import LicensingError, Problem
from tests.support.exports import a_pack, an_issued, table


def rows(content):
    return [one for one in read_table(content.splitlines(keepends=True), "x.csv") if len(one) == 3]


def troubles(content):
    return [one for one in read_table(content.splitlines(keepends=True), "x.csv") if len(one) == 2]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\r\n"])
def test_every_separator_and_line_end(separator, end):
    content = table(a_pack(), a_pack(KeyPackId=4), separator=separator, end=end)
    assert [cells["KeyPackId"] for _, _, cells in rows(content)] == ["3", "4"]
    assert troubles(content) == []


@pytest.mark.parametrize(
    "above",
    [
        "",
        "\r\n\r\n",
        "\r\r\n",
        "#TYPE Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_TSLicenseKeyPack\r\n",
        '"#TYPE System.Management.ManagementObject"\r\n'.replace('"', ""),
        "sep=,\r\n",
        "<<<rds_licenses:sep(44)>>>\n",
    ],
)
def test_what_writers_put_above_a_table_is_no_row(above):
    content = above + table(a_pack())
    assert [(shape.kind, cells["TotalLicenses"]) for _, shape, cells in rows(content)] == [(Kind.PACKS, "250")]
    assert troubles(content) == []


def test_a_row_knows_its_line():
    content = "\r\n#TYPE x\r\n" + table(a_pack(), a_pack(ProductVersion="two\nlines"), a_pack(KeyPackId=9))
    assert [line for line, _, _ in rows(content)] == [4, 5, 7]


def test_names_of_columns_are_compared_without_case_and_blanks():
    content = 'keypackid,"Total Licenses",ISSUED_LICENSES\r\n3,250,200\r\n'
    ((_, shape, cells),) = rows(content)
    assert (shape.kind, dict(cells)) == (
        Kind.PACKS,
        {"KeyPackId": "3", "TotalLicenses": "250", "IssuedLicenses": "200"},
    )


def test_two_files_joined_are_two_tables():
    content = table(a_pack()) + "#TYPE x\r\n" + table(an_issued()) + table(a_pack(KeyPackId=8), separator=";")
    assert [shape.kind for _, shape, _ in rows(content)] == [Kind.PACKS, Kind.ISSUED, Kind.PACKS]
    assert troubles(content) == []


def test_the_same_header_again_is_no_row():
    content = table(a_pack()) + table(a_pack(KeyPackId=8))
    assert [cells["KeyPackId"] for _, _, cells in rows(content)] == ["3", "8"]


def test_an_agents_other_sections_are_told_once_each():
    content = f"<<<a>>>\n1\n2\n<<<b:sep(44)>>>\n{table(a_pack(), end=chr(10))}<<<c>>>\nup 4\n"
    assert len(rows(content)) == 1
    assert troubles(content) == [
        (2, "lines 2 to 3 are no part of a table that is known here, beginning with '1'"),
        (8, "is no part of a table that is known here, beginning with 'up 4'"),
    ]


def test_an_agents_section_may_come_late():
    content = "<<<a>>>\n" + "noise\n" * 500 + "<<<b>>>\n" + table(a_pack())
    assert len(rows(content)) == 1


def test_rows_that_do_not_fit_are_told_with_their_line():
    content = (
        table(a_pack(), a_pack(ProductVersion="a")) + "7,2,0\r\n" + "8" + "," * 8 + ",x\r\n" + "9" + "," * 8 + ",,\r\n"
    )
    assert [line for line, _, _ in rows(content)] == [2, 3, 6]
    assert troubles(content) == [
        (4, "has 3 columns where the header has 9: it is cut off"),
        (5, "has 10 columns where the header has 9: a value holds the separator"),
    ]


def test_a_quote_that_never_ends_costs_what_it_swallows_and_is_told():
    broken = '"3","x\r\n' + '"4","y","z"\r\n'
    content = 'KeyPackId,TotalLicenses,IssuedLicenses\r\n"1","2","3"\r\n' + broken + '"5","6","7"\r\n"8","9","'
    assert [cells["KeyPackId"] for _, _, cells in rows(content)] == ["1", "5"]
    assert [line for line, _ in troubles(content)] == [3, 6]
    assert troubles(content)[0][1].startswith("lines 3 to 4 are no row")


def test_a_table_without_rows_is_told():
    assert troubles("\r\n" + table(a_pack()).splitlines()[0] + "\r\n\r\n") == [
        (2, "the table has a header and no rows")
    ]


def test_blank_rows_are_nothing():
    assert troubles(table(a_pack()) + "\r\n  \r\n,,,,,,,,\r\n") == []


def test_lsreport_needs_no_header():
    content = "1\t3\tWS-1\tCORP\\anna\t1/2/2026\tActive\tA02-6.00-S\t3/3/2026\r\n" * 2
    assert [(line, shape.kind, cells["sIssuedToComputer"]) for line, shape, cells in rows(content)] == [
        (1, Kind.ISSUED, "WS-1"),
        (2, Kind.ISSUED, "WS-1"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        '"Name","Caption","Status","Version"\n"spooler","x","OK","1"\n',
        "Name,Total,Available\nC,10,5\n",
        "ID,Description,LicenseStatus,ProductKeyID\n1,Windows,1,x\n",
        "a,b,c\n1,2,3\n",
        "hello\n",
        "User,Department\nanna,IT\n",
        "root:x:0:0\n",
        '"\n',
        "x\n" * 1000 + table(a_pack()),
    ],
)
def test_what_is_no_export_is_refused_with_what_was_seen(content):
    with pytest.raises(LicensingError, match=r"'x.csv' begins with .*key packs, issued licenses") as error:
        rows(content)
    assert error.value.problem is Problem.MALFORMED
    assert len(error.value.detail) < 400


@pytest.mark.parametrize(
    "content",
    ["\nKeyPackId      : 3\nProductType    : 0\n", "KeyPackId ProductType Total\n--------- ----------- -----\n3 0 9\n"],
)
def test_what_powershell_shows_on_the_screen_is_refused_with_what_helps(content):
    with pytest.raises(LicensingError, match="Export-Csv"):
        rows(content)
