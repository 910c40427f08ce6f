"""Does the sweep only write down what has happened already?"""

from calward.app.licensing import sweep as sweeping
from calward.domain.licenses import Ending
from tests.support.builders import USER, a_host
from tests.support.clocks import DAY, NOW
from tests.support.office import Office

USERS = a_host("2016", USER, number=2)


def test_licenses_that_have_ended_are_written_down_with_the_moment_of_their_end():
    office = Office()
    office.install()
    full = office.full()
    office.pass_days(75)
    assert office.sweep() == 1
    found = office.license(full["license"])
    assert (found.ended_at, found.ending) == (full["expires"], Ending.EXPIRED)
    assert office.events("expired") == [
        {"id": office.events()[-1]["id"], "at": NOW + 75 * DAY, "kind": "expired", "licenses": [full["license"]]}
    ]


def test_a_sweep_with_nothing_to_do_writes_nothing():
    office = Office()
    office.ask()
    before = office.events()
    assert office.sweep() == 0
    assert office.events() == before


def test_nobody_notices_whether_the_sweep_has_come():
    answers = []
    for swept in (False, True):
        office = Office()
        office.install(type_=USER, total=1)
        office.ask(USERS, "alice")
        office.pass_days(60)
        if swept:
            office.sweep()
        event = office.ask(USERS, "bob")
        answers.append((event["status"], event["seat"], event["pack"]))
    assert answers[0] == answers[1]


def test_many_are_written_down_a_batch_at_a_time(monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 2)
    office = Office()
    for n in range(5):
        office.ask(who=f"PC{n}")
    office.pass_days(90)
    assert [office.sweep() for _ in range(4)] == [2, 2, 1, 0]


def test_request_ids_are_kept_for_a_day():
    office = Office(per_user="enforce")
    office.ask(USERS, "bob", "r1")
    office.pass_days((DAY - 1) / DAY)
    office.sweep()
    assert office.book.remembered(2, "r1") is not None
    office.pass_days(1 / DAY)
    office.sweep()
    assert office.book.remembered(2, "r1") is None
