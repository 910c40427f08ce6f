"""What is issued, written and remembered when a host asks?"""

import pytest

from calward.domain.cals import HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import encode_event
from tests.support.builders import USER, a_host, a_server
from tests.support.clocks import DAY, NOW
from tests.support.office import Office

HOST_2003, HOST_2008, HOST_2016, HOST_2022 = (
    a_host(version, number=n) for n, version in enumerate(["2003", "2008", "2016", "2022"], start=1)
)
USERS_2016 = a_host("2016", USER, number=9)


def test_a_new_device_gets_a_temporary_license_and_after_its_logon_a_full_one():
    office = Office()
    pack = office.install()
    first = office.log_on()
    assert (first["status"], first["expires"], first["reasons"]) == ("temporary", NOW + 90 * DAY, ["first-contact"])
    assert office.held(pack) == 0
    second = office.ask()
    assert (second["status"], second["pack"], second["change"]) == ("active", pack.id, "upgraded")
    assert second["ends"] == [[first["license"], "upgraded"]]
    assert office.held(pack) == 1


def test_a_stranger_never_takes_a_cal_however_often_it_asks():
    office = Office()
    pack = office.install()
    assert {office.ask()["status"] for _ in range(5)} == {"temporary"}
    assert office.held(pack) == 0


def test_a_proven_device_gets_a_full_license_of_another_family_at_once():
    office = Office()
    office.install("2003")
    office.install("2022")
    office.full(HOST_2003)
    event = office.ask(HOST_2022)
    assert (event["status"], event["version"], event["change"]) == ("active", "2022", "upgraded")


def test_the_older_cal_is_free_again_when_a_newer_one_replaces_it():
    office = Office()
    old = office.install("2003", total=1)
    office.install("2022")
    office.full(HOST_2003)
    assert office.held(old) == 1
    office.ask(HOST_2022)
    assert office.held(old) == 0
    assert office.full(HOST_2003, "PC2")["version"] == "2003"


def test_where_no_newer_cal_is_free_the_temporary_comes_beside_the_older_license():
    office = Office()
    old = office.install("2003", total=1)
    office.full(HOST_2003)
    event = office.ask(HOST_2022)
    assert (event["status"], event["version"]) == ("temporary", "2022")
    assert event["reasons"] == ["no-cal-free", "cal-version-too-low"]
    assert office.held(old) == 1
    assert office.ask(HOST_2003)["change"] == "kept"


def test_the_life_of_a_full_license_is_drawn_once_between_both_limits():
    office = Office()
    office.install()
    office.entropy.days = 71
    event = office.full()
    assert set(office.entropy.drawn) == {(52, 89)}
    assert event["expires"] == NOW + 71 * DAY


def test_nothing_is_drawn_for_a_user():
    office = Office()
    office.install(type_=USER)
    assert office.ask(USERS_2016, "alice")["status"] == "active"
    assert office.entropy.drawn == []


def test_a_license_is_renewed_on_the_same_cal_and_keeps_its_number():
    office = Office()
    office.install()
    first = office.full()
    office.pass_days(53)
    again = office.ask()
    assert (again["change"], again["license"], again["seat"]) == ("renewed", first["license"], first["seat"])
    assert again["id"] != first["id"]
    assert again["expires"] == office.now + 60 * DAY
    assert office.license(first["license"]).decision == again["id"]


def test_a_users_license_moves_with_each_logon_and_lapses_without():
    office = Office()
    pack = office.install(type_=USER, total=1)
    first = office.ask(USERS_2016, "alice")
    office.pass_days(59)
    assert office.ask(USERS_2016, "alice")["license"] == first["license"]
    office.pass_days(60)
    assert office.held(pack) == 0
    assert office.ask(USERS_2016, "bob")["status"] == "active"


def test_a_cal_is_taken_from_a_license_that_ended_before_the_sweep_came():
    office = Office()
    office.install(total=1)
    old = office.full()
    office.log_on(who="PC2")
    office.pass_days(60)
    event = office.ask(who="PC2")
    assert event["status"] == "active"
    assert [old["license"], "expired"] in event["ends"]
    assert office.license(old["license"]).ended_at == old["expires"]


def test_over_use_becomes_a_cal_at_the_next_logon_and_not_by_the_sweep():
    office = Office()
    over = office.ask(USERS_2016, "alice")
    assert (over["status"], over["version"]) == ("over-used", "2016")
    office.install("2022", USER)
    office.sweep()
    assert office.license(over["license"]).status == "over-used"
    event = office.ask(USERS_2016, "alice")
    assert (event["status"], event["version"], event["number"]) == ("active", "2022", 4144)


def test_a_server_that_enforces_refuses_the_user_who_is_one_too_many():
    office = Office(per_user="enforce")
    office.install(type_=USER, total=1)
    office.ask(USERS_2016, "alice")
    event = office.ask(USERS_2016, "bob")
    assert (event["kind"], event["reasons"]) == ("refusal", ["no-cal-free"])


def test_a_revoked_device_may_be_served_again_at_once():
    office = Office()
    office.install()
    office.revoke(office.full()["license"])
    assert office.ask()["status"] == "active"


# --- hosts that are refused before their client counts ---


def test_a_host_newer_than_the_license_server_is_refused():
    office = Office(a_server("2008"))
    event = office.ask(HOST_2016)
    assert (event["kind"], event["reasons"]) == ("refusal", ["server-version-too-low"])
    assert office.ask(a_host("2008R2"))["kind"] == "license"


def test_a_host_that_is_not_enrolled_is_refused():
    event = Office().ask(a_host(enrolled=False))
    assert event["reasons"] == ["host-not-authorized"]


@pytest.mark.parametrize(("host", "kind"), [(HOST_2016, HolderKind.USER), (USERS_2016, HolderKind.DEVICE)])
def test_a_host_asks_only_for_holders_of_its_own_mode(host, kind):
    with pytest.raises(LicensingError, match="is set to per-") as caught:
        Office().ask(host, kind=kind)
    assert caught.value.problem is Problem.MALFORMED


# --- what changes nothing writes nothing ---


def test_an_answer_that_changes_nothing_writes_nothing_and_names_the_decision_it_stands_on():
    office = Office()
    office.install()
    full = office.full()
    before = office.events()
    kept = office.ask()
    assert office.events() == before
    assert (kept["id"], kept["license"], kept["change"]) == (full["id"], full["license"], "kept")
    assert kept["trace"] == ((1, 2),)


def test_a_temporary_license_that_serves_writes_nothing_either():
    office = Office()
    first = office.ask()
    before = office.events()
    assert office.ask()["id"] == first["id"]
    assert office.events() == before


def test_equal_refusals_are_one_event_an_hour():
    office = Office(per_user="enforce")
    first = office.ask(USERS_2016, "bob")
    office.pass_days(3599 / DAY)
    assert office.ask(USERS_2016, "bob") == first
    assert office.ask(USERS_2016, "eve")["id"] != first["id"]
    assert office.ask(a_host("2016", USER, number=8), "bob")["id"] != first["id"]
    office.pass_days(1 / DAY)
    assert office.ask(USERS_2016, "bob")["id"] != first["id"]


# --- request ids ---


def test_the_same_request_id_gets_the_same_answer_and_no_second_cal():
    office = Office()
    pack = office.install()
    office.log_on()
    first = office.ask(request_id="r1")
    office.pass_days(0.9)
    again = office.ask(request_id="r1")
    assert encode_event(again) == encode_event(first)
    assert office.held(pack) == 1


def test_a_repeated_refusal_is_the_same_refusal_though_a_cal_has_come():
    office = Office(per_user="enforce")
    first = office.ask(USERS_2016, "bob", "r1")
    office.install(type_=USER)
    assert encode_event(office.ask(USERS_2016, "bob", "r1")) == encode_event(first)
    assert office.ask(USERS_2016, "bob")["status"] == "active"


@pytest.mark.parametrize("changes", [{"who": "PC2"}, {"full_only": True}])
def test_the_same_request_id_with_another_question_is_a_conflict(changes):
    office = Office()
    office.ask(request_id="r1")
    with pytest.raises(LicensingError, match="was used by this host for another question") as caught:
        office.ask(request_id="r1", **changes)
    assert (caught.value.problem, caught.value.field) == (Problem.CONFLICT, "request_id")


def test_a_devices_label_is_no_part_of_the_question():
    office = Office()
    first = office.ask(request_id="r1", label="Anna's laptop")
    assert encode_event(office.ask(request_id="r1", label="Laptop 7")) == encode_event(first)


def test_request_ids_belong_to_their_host():
    office = Office()
    assert office.ask(HOST_2016, "PC1", "r1")["holder"] != office.ask(HOST_2022, "PC2", "r1")["holder"]


# --- a host with several license servers ---


def test_a_server_without_a_free_cal_is_passed_over_without_a_trace_in_its_ledger():
    office = Office()
    office.install(type_=USER, total=1)
    office.ask(USERS_2016, "alice")
    before = office.events()
    event = office.ask(USERS_2016, "bob", full_only=True)
    assert (event["kind"], event["id"], event["reasons"]) == ("refusal", 0, ["no-cal-free"])
    assert office.events() == before


def test_a_full_license_is_given_to_who_asks_for_nothing_less():
    office = Office()
    office.install(type_=USER)
    assert office.ask(USERS_2016, "bob", full_only=True)["status"] == "active"


# --- a server that may not issue ---


@pytest.mark.parametrize("until", [None, NOW])
def test_a_server_that_may_not_issue_keeps_what_runs_and_gives_temporary_licenses(until):
    office = Office()
    office.install(type_=USER)
    running = office.ask(USERS_2016, "alice")
    office.book.set_server(a_server(issue_until=until))
    office.pass_days(1)
    kept = office.ask(USERS_2016, "alice")
    assert (kept["license"], kept["expires"]) == (running["license"], running["expires"])
    assert office.ask(USERS_2016, "bob")["status"] == "temporary"


def test_the_policy_keeps_newer_cals_for_newer_hosts():
    office = Office(prevent_license_upgrade=True)
    office.install("2022")
    office.log_on(HOST_2003)
    event = office.ask(HOST_2016)
    assert (event["status"], event["reasons"]) == ("temporary", ["no-cal-free", "license-upgrade-prevented"])
    assert [3, 8, 1] in [list(line) for line in event["trace"]]
    assert office.ask(HOST_2022)["status"] == "active"
