"""Who hears that CALs run short, and of what?"""

from tests.support.builders import USER, a_host, a_server
from tests.support.clocks import NOW
from tests.support.office import Office

HOST_2003 = a_host("2003", number=1)
USERS = a_host("2016", USER, number=2)


def warnings(office: Office, number: int) -> list[dict]:
    return [event for event in office.events() if event.get("number") == number]


def test_the_first_warning_comes_with_the_cal_that_leaves_a_tenth():
    office = Office()
    office.install(type_=USER, total=20)
    for n in range(17):
        office.ask(USERS, f"user{n}")
    assert not warnings(office, 20)
    last = office.ask(USERS, "user17")
    [written] = warnings(office, 20)
    assert written == {
        "id": last["id"] + 1,
        "at": NOW,
        "kind": "shortage",
        "number": 20,
        "decision": last["id"],
        "server": "LS1",
        "host": "SH2",
        "cal": "2016/per-user",
        "left": 2,
        "total": 20,
        "given": "2016/per-user",
    }


def test_the_share_is_a_setting():
    office = Office(low_share="0.5")
    office.install(type_=USER, total=4)
    office.ask(USERS, "ann")
    assert not warnings(office, 20)
    office.ask(USERS, "bob")
    assert warnings(office, 20)[0]["left"] == 2


def test_that_none_is_left_is_said_with_the_newer_cal_that_was_given_instead():
    office = Office()
    office.install("2003", total=1)
    office.install("2008", total=5)
    office.full(HOST_2003, "PC1")
    event = office.full(HOST_2003, "PC2")
    [written] = warnings(office, 21)
    assert (written["cal"], written["host"], written["server"]) == ("2003/per-device", "SH1", "LS1")
    assert (written["left"], written["total"], written["given"]) == (0, 1, "2008/per-device")
    assert written["decision"] == event["id"]


def test_that_none_is_left_is_said_when_a_temporary_one_was_given_or_over_use_recorded_or_nothing():
    for rules, host, given in [
        ({}, HOST_2003, "temporary"),
        ({}, USERS, "over-used"),
        ({"per_user": "enforce"}, USERS, "nothing"),
    ]:
        office = Office(**rules)
        office.install("2016" if host is USERS else "2003", host.mode, total=1)
        if host is USERS:
            office.ask(host, "ann")
            office.ask(host, "bob")
        else:
            office.full(host, "PC1")
            office.log_on(a_host("2000", number=3), "PC2")
            office.ask(host, "PC2")
        assert [event["given"] for event in warnings(office, 21)] == [given]


def test_a_version_that_was_never_bought_is_missed_only_where_nothing_newer_serves():
    office = Office()
    office.install("2022", USER, total=100)
    office.ask(USERS, "ann")
    assert not warnings(office, 21)
    bare = Office()
    bare.ask(USERS, "ann")
    assert warnings(bare, 21)[0]["cal"] == "2016/per-user"


def test_a_stranger_gives_no_cause_for_a_warning():
    office = Office()
    office.ask(HOST_2003)
    assert not office.events("shortage")


def test_who_only_goes_on_with_what_it_has_is_short_of_nothing():
    office = Office()
    office.ask(USERS, "ann")
    office.pass_days(2)
    office.ask(USERS, "ann")
    assert len(warnings(office, 21)) == 1


def test_a_warning_about_one_cal_comes_once_a_day():
    office = Office(per_user="enforce")
    for who in ("ann", "bob", "cid"):
        office.ask(USERS, who)
    office.ask(a_host("2019", USER, number=3), "ann")
    assert [event["cal"] for event in warnings(office, 21)] == ["2016/per-user", "2019/per-user"]
    office.pass_days(1)
    office.ask(USERS, "ann")
    assert len(warnings(office, 21)) == 3


def test_a_server_that_may_not_issue_says_so_once_a_day():
    office = Office(a_server(activated=False))
    office.ask(HOST_2003, "PC1")
    office.ask(USERS, "ann")
    [written] = warnings(office, 18)
    assert (written["kind"], written["server"], written["host"]) == ("not-activated", "LS1", "SH1")
    assert not office.events("shortage")


def test_a_warning_never_bears_an_older_time_than_the_events_before_it():
    office = Office(per_user="enforce")
    office.ask(USERS, "ann")
    office.pass_days(0.99)
    office.ask(USERS, "ann")
    office.pass_days(0.02)
    office.ask(USERS, "ann")
    times = [event["at"] for event in office.events()]
    assert times == sorted(times)
    assert len(warnings(office, 21)) == 2
