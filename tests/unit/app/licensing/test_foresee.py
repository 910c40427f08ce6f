"""Does the answer asked beforehand come true, and leave nothing behind?"""

from calward.domain.answers import answer_from
from tests.support.builders import USER, a_host, a_server
from tests.support.office import Office

USERS = a_host("2016", USER, number=2)


def test_what_is_foreseen_is_what_the_request_then_gets():
    office = Office()
    office.install("2022")
    for _ in range(3):
        seen = office.foresee()
        got = office.log_on()
        assert [seen.get(key) for key in ("status", "version", "pack", "reasons", "change")] == [
            got.get(key) for key in ("status", "version", "pack", "reasons", "change")
        ]
        assert tuple(map(tuple, seen["trace"])) == tuple(map(tuple, got["trace"]))


def test_to_ask_beforehand_writes_nothing_takes_nothing_and_makes_nobody_known():
    office = Office()
    pack = office.install(type_=USER)
    before = office.events()
    seen = office.foresee(USERS, "alice")
    assert (seen["id"], seen["status"]) == (0, "active")
    assert office.events() == before
    assert office.held(pack) == 0
    assert office.book.find_holder(USERS.mode.holder_kind, "alice") is None


def test_a_refusal_can_be_foreseen_too():
    assert Office(a_server("2003")).foresee()["reasons"] == ["server-version-too-low"]
    assert Office(per_user="enforce").foresee(USERS, "alice")["reasons"] == ["no-cal-free"]


def test_what_the_policy_prevents_is_foreseen_with_its_count():
    office = Office(prevent_license_upgrade=True)
    office.install("2022", USER)
    answer = answer_from(office.foresee(USERS, "alice"))
    assert answer.decision is None
    assert "license-upgrade-prevented" in answer.reason
    assert answer.trace[2].verdict == "prevented"


def test_a_pack_that_is_all_held_is_passed_over_and_a_held_license_is_kept():
    office = Office()
    office.install("2016", USER, total=1)
    office.install("2022", USER)
    office.ask(USERS, "alice")
    assert office.foresee(USERS, "bob")["version"] == "2022"
    assert office.foresee(USERS, "alice")["change"] == "kept"
