"""Does every class say the same in every encoding, with every separator, as CSV and as JSON?"""

import codecs
import json
from dataclasses import replace

import pytest

from calward.adapters.exports.wmi import CLASSES, Kind
from tests.support.exports import a_pack, an_issued, read, table

END = {"ExpirationDate": "20260301120000.000000+060"}
VERSION = {"CALType": "RDS Per User CAL", "ProductVersion": "Windows Server 2019", "ProductVersionID": 6}
ROWS = {
    Kind.PACKS: a_pack(ProductVersion="Fenêtre Größe 2016", TotalLicenses=-1, PSComputerName="LS-MÜNCHEN"),
    Kind.ISSUED: an_issued(sIssuedToUser="CORP\\jürgen", sIssuedToComputer='PC "2", ; x'),
    Kind.USER_REPORT: {"User": "CORP\\jürgen", **END, **VERSION},
    Kind.DEVICE_REPORT: {"sIssuedToComputer": "Gerät", "sHardwareId": "0A", **END, **VERSION},
    Kind.SUMMARY: {**VERSION, "TSCALType": "Per User", "InstalledLicenses": 4294967295, "IssuedLicenses": 3},
    Kind.FAILED: {"User": "CORP\\jürgen", "TriedIssuanceOn": "20260301120000.000000+060", **VERSION},
    Kind.FAILED_SUMMARY: {"DomainName": "KÖLN", "FailedIssuanceCount": 3},
    Kind.SERVER: {"PSComputerName": "LS-MÜNCHEN", "Version": "Windows Server 2019", "ProductId": "1"},
    Kind.HOSTS: {"name": "RDSH-MÜNCHEN", "version": "2019", "mode": 4, "license servers": "none"},
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16-le with its mark", "utf-16-be with its mark", "utf-16-le", "cp1252"]


def as_bytes(content: str, encoding: str) -> bytes:
    codec, _, mark = encoding.partition(" ")
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    return (marks[codec] if mark else b"") + content.encode(codec)


def said(folder, content):
    """What a file says; JSON counts lines in its own way."""
    found = read(folder, content)
    assert found.problems == []
    lists = (found.packs, found.summaries, found.licenses)
    for rows in lists:
        for number, row in enumerate(rows):
            rows[number] = replace(row, line=0)
    return found


def test_there_is_a_row_of_every_kind():
    assert {*CLASSES, Kind.HOSTS} == set(ROWS)


@pytest.mark.parametrize("kind", ROWS, ids=str)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_class_is_read_the_same_in_every_form(tmp_path, kind, encoding):
    row = ROWS[kind]
    plain = said(tmp_path, table(row))
    assert plain.kinds == {kind: 1}
    for separator in ",;\t":
        for above in ("", "#TYPE System.Management.ManagementObject\r\n", "\r\r\n"):
            content = above + table(row, separator=separator, end="\r\r\n" if above == "\r\r\n" else "\r\n")
            assert said(tmp_path, as_bytes(content, encoding)) == plain
    for content in (json.dumps(row, ensure_ascii=False), json.dumps([row], indent=4, ensure_ascii=False)):
        assert said(tmp_path, as_bytes(content, encoding)) == plain
