"""Does each report say what the snapshot holds, by hand count?"""

import pytest

from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.insight.estate import (
    EstateFailure,
    EstateHost,
    EstateServer,
    ImportProblem,
    LicenseStatus,
    PackType,
    Source,
)
from calward.insight.reports.catalog import REPORTS
from calward.insight.reports.compliance import compliance
from calward.insight.reports.failed import failed
from calward.insight.reports.history import history, look, look_back
from calward.insight.reports.narrow import Part, narrow
from calward.insight.reports.pools import availability, pools
from calward.insight.reports.purchases import hosts, packs
from calward.insight.reports.summary import summary
from calward.insight.reports.usage import devices, usage, users
from tests.support.reports import DAY, NOW, held, pack, snapshot, table

USER = PackType.PER_USER


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_can_be_made_of_nothing_and_says_what_it_is_about(name):
    report = REPORTS[name].make(snapshot(), "type per-user")
    assert list(report.rows()) == []
    facts = dict(report.facts)
    assert (report.name, facts["estate"], facts["filter"]) == (name, "berlin", "type per-user")
    assert facts["snapshot taken"] == "2024-10-04T00:00:00Z"
    assert "imported" in facts["source"]


def test_our_own_ledger_is_not_called_imported():
    assert "Calward" in dict(usage(snapshot(source=Source.CALWARD)).facts)["source"]


def test_a_report_can_be_read_twice():
    report = usage(snapshot(held(1), held(2)))
    assert list(report.rows()) == list(report.rows()) != []


def test_a_device_is_one_by_its_hardware_id_and_else_by_its_name_without_case():
    renamed = held(2, device="WS-NEW", hardware_id="0001", version="2016", expires_at=None)
    nameless = [held(number, device=name, hardware_id=None) for number, name in ((3, "Tab"), (4, "TAB"))]
    rows = table(devices(snapshot(held(1), renamed, *nameless)))
    assert [(row["device"], row["licenses"]) for row in rows] == [("Tab", 2), ("WS-1", 2)]
    assert rows[1]["versions"] == "2016, 2019"
    assert rows[1]["until"] is None


def test_users_are_those_with_per_user_licenses_and_are_compared_without_case():
    same = [held(number, type=USER, user=name, device=None) for number, name in ((1, "CORP\\anna"), (2, "corp\\Anna"))]
    rows = table(users(snapshot(*same, held(3, user="CORP\\ben"))))
    assert [(row["user"], row["licenses"]) for row in rows] == [("CORP\\anna", 2)]


def test_per_user_licenses_that_only_packs_count_are_named_as_missing():
    (note,) = usage(snapshot(pack(type=USER, issued=61))).notes
    assert note.startswith("61 per-user licenses")


def test_summary_adds_packs_of_one_family_and_leaves_out_those_that_have_ended():
    found = table(
        summary(
            snapshot(
                pack("1", "2008", 10, 9),
                pack("2", "2008R2", 5, 5),
                pack("3", "2008", 100, 0, expires_at=NOW - 1),
                pack("4", "2008", None, 7, program="temporary"),
            )
        )
    )
    assert [(row["version"], row["installed"], row["issued"], row["temporary"]) for row in found] == [
        ("2008/2008R2", 15, 14, 7)
    ]


def test_what_the_over_used_pool_has_issued_is_use_without_a_cal():
    bought, beyond = pack("1", total=10, issued=10), pack("9", total=0, issued=3, program="built-in over-used")
    (row,) = table(summary(snapshot(bought, beyond)))
    assert (row["installed"], row["issued"], row["over_used"]) == (10, 13, 3)


def test_our_own_over_used_licenses_take_no_seat_and_count_all_the_same():
    loose = held(1, pack=None, status=LicenseStatus.OVER_USED)
    (row,) = table(summary(snapshot(pack(total=2, issued=2), held(2), held(3), loose, source=Source.CALWARD)))
    assert (row["issued"], row["over_used"]) == (3, 1)


@pytest.mark.parametrize(
    ("total", "issued", "word"),
    [(100, 100, "None"), (100, 91, "Limited"), (100, 90, "Available"), (None, 5, "Available"), (1, 2, "None")],
)
def test_availability_is_said_in_the_other_system_s_words(total, issued, word):
    (pool,) = pools(snapshot(pack(total=total, issued=issued)))
    assert availability(pool) == word


def test_purchases_are_ordered_by_program_with_their_use():
    rows = table(packs(snapshot(pack("1", total=8, issued=2), pack("2", program="retail", total=None))))
    assert [(row["program"], row["used_percent"], row["available"]) for row in rows] == [
        ("retail", None, None),
        ("volume", 25, 6),
    ]


def test_what_was_bought_and_what_is_used_leave_out_what_nobody_buys():
    pools_of_its_own = [pack(name, total=None, issued=9, program=name) for name in ("temporary", "built-in")]
    beyond = pack("9", total=0, issued=3, over_used=3, program="built-in over-used")
    facts = dict(packs(snapshot(pack(total=8, issued=8), beyond, *pools_of_its_own)).facts)
    assert (facts["bought"], facts["in use"]) == (8, 11)


def test_free_newer_cals_cover_over_use_of_older_ones_once_and_of_their_type_only():
    found = snapshot(
        pack("1", "2022", 10, 4),
        pack("2", "2019", 5, 9),
        pack("3", "2016", 5, 9),
        pack("4", "2022", 10, 0, type=USER),
    )
    rows = {(row["version"], row["type"]): row for row in table(compliance(found))}
    assert [(rows[one, "per-device"]["covered"], rows[one, "per-device"]["missing"]) for one in ("2019", "2016")] == [
        (4, 0),
        (2, 2),
    ]
    assert rows["2016", "per-device"]["verdict"] == "over-used"
    assert rows["2019", "per-device"]["verdict"] == "covered by newer CALs"
    assert compliance(found).found
    assert not compliance(snapshot(pack(issued=10))).found


def test_older_cals_never_cover_newer_use():
    assert compliance(snapshot(pack("1", "2022", 1, 3), pack("2", "2019", 9, 0))).found


def test_compliance_at_a_day_counts_packs_and_licenses_of_that_day():
    found = snapshot(
        pack("1", total=1, installed_at=NOW - 30 * DAY, issued=2),
        pack("2", total=5, installed_at=NOW - 5 * DAY),
        held(1, issued_at=NOW - 20 * DAY),
        held(2, issued_at=NOW - 20 * DAY),
        held(3, issued_at=NOW - 2 * DAY),
        source=Source.CALWARD,
    )
    (row,) = table(compliance(found, at=NOW - 10 * DAY))
    assert (row["held"], row["in_use"], row["missing"]) == (1, 2, 1)
    (later,) = table(compliance(found, at=NOW - DAY))
    assert (later["held"], later["in_use"], later["missing"]) == (6, 3, 0)
    assert "may have been higher" in " ".join(compliance(found, at=NOW - DAY).notes)


def test_compliance_at_a_coming_day_knows_that_packs_end_and_licenses_go_on():
    found = snapshot(pack(total=5, issued=1, expires_at=NOW + DAY), held(1, expires_at=NOW + DAY))
    (row,) = table(compliance(found, at=NOW + 2 * DAY))
    assert (row["held"], row["missing"]) == (0, 1)


def test_compliance_at_a_day_takes_a_pack_s_count_where_no_holder_is_listed_and_says_so():
    report = compliance(snapshot(pack(type=USER, total=5, issued=8)), at=NOW - DAY)
    (row,) = table(report)
    assert (row["in_use"], row["missing"]) == (8, 3)
    assert any("no licenses are listed" in note for note in report.notes)
    assert dict(report.facts)["certainty"].startswith("partly inferred")


def test_refusals_that_are_alike_are_one_row():
    def refusal(at, host="sh1", reasons=("no-free-cal",), times=1):
        return EstateFailure(at, "ls1", host, "WS-1", PackType.PER_DEVICE, "2019", reasons, times)

    report = failed(
        snapshot(failures=[refusal(NOW), refusal(NOW - DAY, times=4), refusal(NOW, host="sh2", reasons=())])
    )
    assert [(row["host"], row["times"], row["first_at"]) for row in table(report)] == [
        ("sh1", 5, NOW - DAY),
        ("sh2", 1, NOW),
    ]
    assert "no reason for 1 of 3" in report.notes[0]
    assert [bar.parts[0].size for bar in report.charts[0].bars] == [5, 1]


def test_refusals_are_counted_by_what_is_asked_for():
    def refusal(host, holder, *reasons, times=1):
        return EstateFailure(NOW, "ls1", host, holder, PackType.PER_USER, "2019", reasons, times)

    failures = [
        refusal("sh1", "CORP\\anna", "a", "b", times=3),
        refusal("sh2", "ben@corp.example", "b"),
        refusal("sh2", "cleo"),
    ]

    def by(*names):
        report = failed(snapshot(failures=failures), "", names)
        return [tuple(row.values())[: len(names) + 2] for row in table(report)]

    assert by("host") == [("sh1", 3, 1), ("sh2", 2, 2)]
    assert by("reason") == [("b", 4, 2), ("a", 3, 1), (None, 1, 1)]
    assert by("domain") == [("CORP", 3, 1), ("", 1, 1), ("corp.example", 1, 1)]
    assert by("host", "holder")[0] == ("sh1", "CORP\\anna", 3, 1)
    assert any(
        "3 refusals had several reasons" in note for note in failed(snapshot(failures=failures), "", ["reason"]).notes
    )
    assert failed(snapshot(failures=failures), "", ["host"]).title == "failed issuances by host"


def test_what_a_summary_counts_and_what_of_the_files_was_not_read_stand_in_the_head():
    told = {"failed issuances in CORP": "23", "rows of a.csv": "1 key packs"}
    facts = dict(failed(snapshot(facts=told, problems=[ImportProblem("a.csv", 3, "is no date")])).facts)
    assert facts["failed issuances in CORP"] == "23"
    assert "rows of a.csv" not in facts
    assert facts["not read of its files"] == "1 places"


def test_hosts_count_what_came_through_them():
    host = EstateHost("SH1", "2019", CalType.PER_DEVICE, ("ls1", "ls2"))
    (row,) = table(hosts(snapshot(held(1, host="sh1"), held(2, host="other"), hosts=[host])))
    assert (row["licenses"], row["servers"], row["mode"]) == (1, "ls1, ls2", "per-device")


def test_history_looks_back_by_when_running_licenses_were_issued():
    found = snapshot(pack(issued=3), held(1, issued_at=NOW - 15 * DAY), held(2, issued_at=NOW - DAY), held(3))
    rows = table(history(found, [*look_back(found), look(found)]))
    assert [((NOW - row["at"]) // DAY, row["issued"], row["origin"]) for row in rows] == [
        (14, 1, "inferred"),
        (7, 2, "inferred"),
        (0, 3, "snapshot"),
    ]


def test_looking_back_gives_what_compliance_of_that_day_gives():
    found = snapshot(
        pack("1", total=1),
        pack("2", "2016", total=4, expires_at=NOW - 12 * DAY),
        *(held(number, "2016" if number % 3 else "2019", issued_at=NOW - number * 3 * DAY) for number in range(1, 30)),
        held(40, status=LicenseStatus.TEMPORARY, issued_at=NOW - 40 * DAY, expires_at=NOW - 9 * DAY),
    )
    looked = look_back(found)
    assert len(looked) > 9
    for at, _, there in looked:
        assert there == [one for one in pools(found, at) if one.used or one.temporary]


def test_temporary_licenses_of_an_earlier_day_are_those_that_are_listed_for_it():
    lent = [held(one, status=LicenseStatus.TEMPORARY, issued_at=NOW - one * 10 * DAY) for one in (1, 2, 3)]
    found = snapshot(pack("13", total=None, issued=3, program="temporary"), *lent)
    assert [one.temporary for one in pools(found)] == [3]
    assert [one.temporary for one in pools(found, NOW - 15 * DAY)] == [2]
    alone = snapshot(pack("13", total=None, issued=3, program="temporary"))
    assert [one.temporary for one in pools(alone, NOW - 15 * DAY)] == [3]


def test_a_part_is_one_type_family_and_server():
    found = snapshot(
        held(1, "2008R2"),
        held(2, "2019"),
        held(3, "2008", type=USER),
        held(4, "2008", server="ls2"),
        servers=[EstateServer("ls1"), EstateServer("ls2")],
    )
    part = Part(PackType.PER_DEVICE, "2008", "LS1")
    assert [one.id for one in narrow(found, part).licenses] == ["1"]
    assert [one.name for one in narrow(found, part).servers] == ["ls1"]
    assert part.words == "type per-device, version 2008, license server LS1"
    with pytest.raises(LicensingError):
        narrow(found, Part(version="1999"))
