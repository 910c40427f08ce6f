"""How do files come together: whose is a row, and which license belongs to which pack?"""

from calward.app.estates.found import Found, FoundLicense, FoundPack, FoundSummary
from calward.app.estates.join import UNNAMED, join
from calward.insight.estate import EstateFailure, EstateHost, EstateServer, LicenseStatus, PackType, Source
from tests.support.builders import ladder

NOW = 1_700_000_000


def a_found_pack(id_="3", server="", **changes):
    values = {
        "line": 2,
        "server": server,
        "id": id_,
        "version": "2016",
        "type": PackType.PER_DEVICE,
        "program": "volume",
    }
    values |= {"total": 10, "issued": 4, "expires_at": None} | changes
    return FoundPack(**values)


def a_found_license(id_="1", pack="3", server="", **changes):
    values = {
        "line": 2,
        "server": server,
        "id": id_,
        "pack": pack,
        "type": None,
        "status": LicenseStatus.ACTIVE,
        "version": None,
    }
    values |= {"device": "WS-1", "user": None, "hardware_id": "0A", "issued_at": NOW, "expires_at": NOW + 9} | changes
    return FoundLicense(**values)


def a_file(name="a.csv", **lists):
    return Found(name, **lists)


def joined(*files):
    return join([one if isinstance(one, tuple) else (one, None) for one in files], "berlin", NOW, ladder())


def test_a_license_gets_type_and_version_of_its_pack():
    found = joined(a_file(packs=[a_found_pack(type=PackType.PER_USER)]), a_file("b.csv", licenses=[a_found_license()]))
    assert (found.name, found.source, found.taken_at) == ("berlin", Source.IMPORT, NOW)
    (license_,) = found.licenses
    assert (license_.server, license_.pack, license_.version, license_.type) == (
        UNNAMED,
        "3",
        "2016",
        PackType.PER_USER,
    )
    assert found.problems == []


def test_pack_ids_count_anew_on_every_server():
    packs = [a_found_pack(server="ls1", version="2008"), a_found_pack(server="ls2", version="2019")]
    licenses = [a_found_license("1", server="LS1"), a_found_license("2", server="ls2")]
    found = joined(a_file(packs=packs), a_file(licenses=licenses))
    assert [(one.server, one.version) for one in found.licenses] == [("ls1", "2008"), ("ls2", "2019")]
    assert [server.name for server in found.servers] == ["ls1", "ls2"]


def test_a_short_name_is_the_only_whole_one_that_begins_with_it():
    packs = [
        a_found_pack(server="LS1.corp.example"),
        a_found_pack(server="ls2.a.example"),
        a_found_pack(server="ls2.b.example"),
    ]
    licenses = [a_found_license(server="ls1"), a_found_license("2", server="ls2")]
    found = joined(a_file(packs=packs), a_file(licenses=licenses))
    assert [one.server for one in found.licenses] == ["LS1.corp.example", "ls2"]


def test_a_file_without_a_server_is_the_only_servers():
    found = joined(a_file(packs=[a_found_pack(server="ls1")]), a_file(licenses=[a_found_license()]))
    assert found.licenses[0].server == "ls1"
    assert [server.name for server in found.servers] == ["ls1"]


def test_a_file_without_a_server_among_several_is_told():
    packs = [a_found_pack(server="ls1"), a_found_pack(server="ls2")]
    found = joined(a_file(packs=packs), a_file("b.csv", licenses=[a_found_license(pack=None)]))
    assert found.licenses[0].server == UNNAMED
    assert [(one.file, one.line) for one in found.problems] == [("b.csv", 0)]
    assert "name it as SERVER=FILE" in found.problems[0].reason


def test_the_server_that_is_named_for_a_file_is_its_rows_own():
    first, second = a_file(packs=[a_found_pack()]), a_file("b.csv", packs=[a_found_pack(version="2019")])
    found = joined((first, "ls1"), (second, "ls2"), (a_file(licenses=[a_found_license()]), "ls2"))
    assert [(pack.server, pack.version) for pack in found.packs] == [("ls1", "2016"), ("ls2", "2019")]
    assert found.licenses[0].version == "2019"
    assert found.problems == []


def test_the_same_pack_id_twice_in_one_file_is_two_packs():
    found = joined(
        a_file(packs=[a_found_pack(), a_found_pack(line=3)]),
        a_file(packs=[a_found_pack("4", version="2019"), a_found_pack("4", line=3)]),
    )
    assert [pack.id for pack in found.packs] == ["3", "3", "4", "4"]
    assert found.problems == []


def test_a_license_of_a_pack_that_is_there_twice_has_a_version_where_both_agree():
    licenses = [a_found_license("1", "3"), a_found_license("2", "4")]
    packs = [a_found_pack("3"), a_found_pack("3"), a_found_pack("4"), a_found_pack("4", version="2022")]
    found = joined(a_file(packs=packs), a_file(licenses=licenses))
    assert [one.version for one in found.licenses] == ["2016", None]


def test_the_same_file_given_twice_counts_once_and_is_told():
    packs = [a_found_pack(), a_found_pack(line=3, version="2019")]
    found = joined(a_file(packs=packs), a_file("again.csv", packs=list(packs)))
    assert len(found.packs) == 2
    assert [(one.file, one.line) for one in found.problems] == [("again.csv", 2), ("again.csv", 3)]


def test_the_same_pack_with_other_content_in_two_files_counts_twice_and_is_told():
    found = joined(a_file(packs=[a_found_pack()]), a_file("b.csv", packs=[a_found_pack(issued=9)]))
    assert len(found.packs) == 2
    assert "stands in a.csv with other content" in found.problems[0].reason


def test_a_license_in_two_files_counts_once_and_is_told():
    same = [a_found_license("1"), a_found_license("2", device="WS-2")]
    other = [
        a_found_license("1", hardware_id=None, issued_at=None),
        a_found_license("2", device="WS-9"),
        a_found_license("3"),
    ]
    found = joined(
        a_file(packs=[a_found_pack()]), a_file("b.csv", licenses=same), a_file("lsreport.txt", licenses=other)
    )
    assert [(one.id, one.device) for one in found.licenses] == [
        ("1", "WS-1"),
        ("2", "WS-2"),
        ("2", "WS-9"),
        ("3", "WS-1"),
    ]
    assert [(one.file, one.line, one.reason) for one in found.problems] == [
        ("lsreport.txt", 0, "1 of its licenses stand in b.csv as well: they count once")
    ]


def test_the_same_license_id_twice_in_one_file_is_two_licenses():
    found = joined(
        a_file(licenses=[a_found_license(), a_found_license()]), a_file("b.csv", licenses=[a_found_license("9")])
    )
    assert len(found.licenses) == 3


def test_licenses_of_a_pack_that_no_file_lists_are_told_once():
    licenses = [a_found_license(str(n), "77", line=n) for n in (5, 6)]
    found = joined(a_file(packs=[a_found_pack()]), a_file("b.csv", licenses=licenses))
    assert [(one.file, one.line, one.reason) for one in found.problems] == [
        ("b.csv", 5, f"2 licenses are of pack 77 of {UNNAMED}, which no file lists")
    ]
    assert len(found.licenses) == 2


def test_without_any_list_of_packs_nothing_is_missed():
    assert joined(a_file(licenses=[a_found_license(pack="77")])).problems == []


def test_a_pack_that_does_not_say_how_many_are_issued_counts_its_licenses():
    ended = a_found_license("2", status=LicenseStatus.REVOKED)
    found = joined(a_file(packs=[a_found_pack(issued=None)]), a_file(licenses=[a_found_license(), ended]))
    assert found.packs[0].issued == 1


def test_more_than_there_are_is_over_use():
    packs = [
        a_found_pack("1", issued=12),
        a_found_pack("2", total=None, issued=99),
        a_found_pack("3", total=0, issued=7, program="built-in over-used"),
    ]
    assert [(pack.over_used, pack.available) for pack in joined(a_file(packs=packs)).packs] == [
        (2, 0),
        (0, None),
        (7, 0),
    ]


def test_a_report_about_licenses_that_are_listed_adds_none():
    listed = a_found_license(hardware_id="0A", type=PackType.PER_DEVICE)
    same = a_found_license("0a/2016", None, hardware_id="0a", type=PackType.PER_DEVICE, version="2016", reported=True)
    other = a_found_license("0B/2016", None, hardware_id="0B", type=PackType.PER_DEVICE, version="2016", reported=True)
    found = joined(a_file(packs=[a_found_pack()]), a_file(licenses=[listed]), a_file(licenses=[same, other]))
    assert [(one.id, one.pack) for one in found.licenses] == [("1", "3"), ("0B/2016", None)]


def test_a_holder_that_is_only_a_user_is_per_user():
    found = joined(a_file(licenses=[a_found_license(device=None, hardware_id=None, user="anna"), a_found_license("2")]))
    assert [one.type for one in found.licenses] == [PackType.PER_USER, PackType.PER_DEVICE]


def test_a_summary_is_a_pack_only_where_no_list_has_it():
    sums = [
        FoundSummary(2, "", "2016", PackType.PER_DEVICE, 10, 4),
        FoundSummary(3, "", "2019", PackType.PER_USER, 100, 130),
    ]
    found = joined(a_file(packs=[a_found_pack()]), a_file("sums.csv", summaries=sums))
    assert [(pack.id, pack.program, pack.total, pack.over_used) for pack in found.packs] == [
        ("3", "volume", 10, 0),
        ("summary-2019-per-user", "summary", 100, 30),
    ]
    assert found.facts[f"summary of {UNNAMED}, 2016/per-device"] == "10 installed, 4 issued"


def test_failures_servers_and_what_was_counted_are_kept():
    failure = EstateFailure(NOW, "", None, "anna", PackType.PER_USER, "2019", ())
    file = a_file(servers=[EstateServer("LS1", "2022")], failures=[failure], kinds={"license servers": 1})
    found = joined(file)
    assert [(one.name, one.version) for one in found.servers] == [("LS1", "2022")]
    assert found.failures[0].server == "LS1"
    assert found.facts["rows of a.csv"] == "1 license servers"


def test_a_host_that_is_listed_twice_counts_once_and_is_told():
    first, same = EstateHost("RDSH1", "2019", None, ("ls1",)), EstateHost("rdsh1", "2019", None, ("ls1",))
    other = EstateHost("RDSH1", "2016", None)
    found = joined(a_file("a.csv", hosts=[first, same]), a_file("b.csv", hosts=[other]))
    assert found.hosts == [first]
    assert [(one.file, one.reason) for one in found.problems] == [
        ("a.csv", "host rdsh1 is listed twice: the first counts"),
        ("b.csv", "host RDSH1 is listed twice, with other content: the first counts"),
    ]


def test_what_a_server_says_of_itself_is_kept_under_its_whole_name_and_without_any():
    said = EstateServer("ls1", "2022", activated=False)
    found = joined(a_file(servers=[said]), a_file("b.csv", packs=[a_found_pack(server="LS1.corp.example")]))
    assert [(one.name, one.version, one.activated) for one in found.servers] == [("LS1.corp.example", "2022", False)]
    local = joined(a_file(servers=[EstateServer("", "2022")]), a_file("b.csv", packs=[a_found_pack()]))
    assert [(one.name, one.version) for one in local.servers] == [(UNNAMED, "2022")]
    named = joined(
        (a_file(servers=[EstateServer("", "2019")]), "LS2"), (a_file("b.csv", packs=[a_found_pack()]), "LS1")
    )
    assert {one.name: one.version for one in named.servers} == {"LS2": "2019", "LS1": None}
