"""Does verify pass on whatever the use cases write, and stay within its bounds?"""

import pytest

from calward.adapters.store.engines import open_writer
from calward.app.licensing.change_host import ChangeHost, RemoveHost, change_host, remove_host
from calward.app.licensing.enroll_host import AddHost, add_host, enroll_host
from calward.app.licensing.make_token import EndToken, MakeToken, end_token, make_token
from calward.app.licensing.requests import Request
from calward.app.licensing.set_policy import RemovePolicy, SetPolicy, remove_policy, set_policy
from calward.domain.cals import HolderKind
from calward.domain.events import Kind
from calward.domain.merkle import Frontier, leaf_hash
from calward.domain.replay_state import Check
from calward.domain.roles import Role
from tests.support.audits import DEVICES_HOST, USERS_HOST, a_long_history
from tests.support.builders import USER, a_question, ladder


@pytest.fixture
def lived(office):
    a_long_history(office)
    office.log.fold()
    return office


def test_an_empty_ledger_holds(office):
    found = office.verify()
    assert (found.holds, found.events, found.size) == (True, 0, 0)


def test_a_long_history_holds(lived):
    found = lived.verify()
    assert found.findings == []
    assert found.events == found.size > 50


def test_the_history_has_every_kind_of_ending(lived):
    with lived.reader.connect() as connection:
        endings = set(connection.exec_driver_sql("SELECT DISTINCT ending FROM license").scalars())
    assert endings == {None, "expired", "upgraded", "revoked", "released"}


@pytest.mark.parametrize("per_pass", [1, 7, 50])
def test_it_makes_no_difference_in_how_many_passes_it_is_verified(lived, per_pass):
    assert lived.verify(per_pass=per_pass).findings == []


def test_it_says_how_far_it_is(lived):
    told = []
    lived.verify(progress=lambda done, total: told.append((done, total)), per_pass=20)
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_the_root_is_that_of_the_events_in_order(lived):
    found = lived.verify()
    with lived.reader.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM event ORDER BY position").scalars()
        assert found.root == Frontier().extend(leaf_hash(body.encode()) for body in bodies).root()
    assert lived.log.frontier().root() == found.root


def test_an_erased_holder_still_verifies(lived):
    def erase(book):
        holder = book.find_holder(HolderKind.USER, "user1")
        book.erase(holder)
        event = {"id": book.new_id(), "at": book.now(), "kind": Kind.HOLDER_ERASED.value, "holder": holder.token}
        book.append(event)

    lived.ledger.write(erase)
    assert lived.verify().findings == []
    lived.ask("user1", "again")
    assert lived.verify().findings == []


def test_questions_that_are_recorded_nowhere_leave_nothing_to_find(lived):
    lived.ledger.write(Request(a_question(DEVICES_HOST, "never seen", "x", full_only=True), lived.entropy))
    lived.ask("user1", "again and again", USERS_HOST)
    assert lived.verify().findings == []


def test_hosts_policies_and_tokens_are_refolded_too(office):
    office.open_for_business()
    write_registry(office)
    assert office.verify().findings == []
    with office.reader.connect() as connection:
        counts = [connection.exec_driver_sql(f"SELECT count(*) FROM {x}").scalar() for x in ("host", "policy", "token")]
    assert counts == [3, 1, 2]


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        ("UPDATE host SET mode = 'd' WHERE name = 'SH1'", Check.HOST),
        ("UPDATE host SET version = '2025' WHERE name = 'SH1'", Check.HOST),
        ("UPDATE host SET family = 1 WHERE name = 'SH1'", Check.HOST),
        ("UPDATE host SET host_group = NULL WHERE name = 'SH1'", Check.HOST),
        ("UPDATE host SET enrolled_at = 5 WHERE name = 'SH2'", Check.HOST),
        ("UPDATE host SET removed_at = NULL WHERE name = 'SH3'", Check.HOST),
        ("UPDATE host SET name = 'SH9' WHERE name = 'SH1'", Check.HOST),
        ("UPDATE policy SET mode = 'd'", Check.POLICY),
        ("UPDATE policy SET servers = '[]'", Check.POLICY),
        ("DELETE FROM policy", Check.POLICY),
        ("UPDATE token SET role = 'license-administrator' WHERE role = 'viewer'", Check.TOKEN),
        ("UPDATE token SET expires_at = expires_at + 1", Check.TOKEN),
        ("UPDATE token SET ended_at = NULL", Check.TOKEN),
        ("DELETE FROM token", Check.TOKEN),
    ],
)
def test_an_edit_of_hosts_policies_or_tokens_is_named(office, edit, check):
    office.open_for_business()
    write_registry(office)
    engine = open_writer(office.url)
    with engine.begin() as connection:
        assert connection.exec_driver_sql(edit).rowcount
    engine.dispose()
    assert {finding.what for finding in office.verify().findings} == {check}


def write_registry(office):
    """Hosts added, enrolled, changed and removed; policies and tokens that come and go."""
    entropy = {"entropy": office.entropy}
    for name in ("SH1", "SH2", "SH3"):
        added = AddHost(name, "2016", USER, "admin")
        code = office.ledger.write(lambda book, it=added: add_host(it, book, ladder(), now=book.now(), **entropy)).code
        if name != "SH2":
            office.act(enroll_host, code.text(), **entropy)
    change = ChangeHost("SH1", "admin", version="2019", group="desks")
    office.ledger.write(lambda book: change_host(change, book, ladder(), now=book.now()))
    office.act(remove_host, RemoveHost("SH3", "admin"))
    for policy in (SetPolicy("desks", "admin", USER, ("https://ls1.example:8443",)), SetPolicy("gone", "admin")):
        office.act(set_policy, policy)
    office.act(remove_policy, RemovePolicy("gone", "admin"))
    made = [
        office.act(make_token, MakeToken(f"t{role}", role, "admin"), **entropy) for role in (Role.VIEWER, Role.AUDITOR)
    ]
    office.act(end_token, EndToken(made[1].record.id, "admin"))
