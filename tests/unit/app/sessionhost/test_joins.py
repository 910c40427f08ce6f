"""Which device did a user come with, and when is that certain enough to prove it?"""

from dataclasses import replace

from calward.app.sessionhost.check_device import DeviceVerdict
from calward.app.sessionhost.joins import Callers, Joined, Joins
from calward.domain.grace import Admission, GraceState, HostOutcome
from tests.support.session_host import NOW

ADMITTED = Admission(HostOutcome.GRANTED, None, (), None, GraceState())
ONE, OTHER = (Joined(DeviceVerdict(ADMITTED, None, device), device, NOW) for device in ("aa", "bb"))


def joins(**connections: Joined) -> Joins:
    made = Joins()
    for address, joined in connections.items():
        made.connected(address, joined)
    return made


def at(*addresses: str, once: bool = False) -> Callers:
    return Callers(frozenset(addresses), once)


def test_a_user_who_can_only_have_come_by_one_connection_has_its_device():
    made = joins(a=ONE, b=OTHER)
    assert made.logged_on("alice", at("a")) == ONE
    assert made.opened("alice", Callers()) == ONE


def test_of_several_that_were_all_let_in_the_user_is_let_in_and_none_is_proven():
    made = joins(a=ONE, b=OTHER)
    found = made.logged_on("alice", at("a", "b"))
    assert found in (replace(ONE, certain=False), replace(OTHER, certain=False))
    assert made.opened("alice", at("a", "b")) is None


def test_one_of_several_that_came_around_the_relay_lets_nobody_in():
    made = joins(a=ONE)
    for once in (False, True):
        assert made.logged_on("alice", at("a", "127.0.0.1", once=once)) is None


def test_nobody_comes_from_nowhere():
    assert joins(a=ONE).logged_on("alice", Callers()) is None
    assert joins(a=ONE).logged_on("alice", at("")) is None


def test_where_each_connection_logs_on_once_those_that_have_are_somebody_elses():
    one, other = replace(ONE, user="alice"), replace(OTHER, user="alice")
    made = joins(a=one, b=other)
    assert made.logged_on("alice", at("a", once=True)) == one
    assert made.logged_on("alice", at("a", "b", once=True)) == other
    assert made.logged_on("alice", at("a", "b", once=True)) is None


def test_a_logon_of_another_than_the_client_had_named_proves_nothing():
    found = joins(a=replace(ONE, user="alice")).logged_on("bob", at("a", once=True))
    assert found is not None
    assert not found.certain


def test_where_a_connection_may_log_on_twice_it_is_not_taken_for_the_others():
    made = joins(a=ONE, b=OTHER)
    assert made.logged_on("alice", at("a")) == ONE
    found = made.logged_on("alice", at("a", "b"))
    assert found is not None
    assert not found.certain


def test_a_connection_on_which_the_host_has_accepted_a_logon_has_logged_on():
    bobs = replace(OTHER, user="bob")
    made = joins(a=replace(ONE, user="bob"), b=bobs)
    assert made.host_accepted("a") == replace(ONE, user="bob")
    assert made.host_accepted("nobody's") is None
    assert made.logged_on("bob", at("a", "b", once=True)) == bobs


def test_what_a_connection_has_done_is_forgotten_with_it():
    bobs = replace(OTHER, user="bob")
    made = joins(a=replace(ONE, user="alice"))
    made.logged_on("alice", at("a", once=True))
    made.ended("a")
    made.connected("a", bobs)
    assert made.logged_on("bob", at("a", once=True)) == bobs


def test_a_program_that_asks_for_each_connection_once_asks_for_the_user_whom_it_named():
    made = joins(a=replace(ONE, user="alice"), b=replace(OTHER, user="bob"))
    assert made.logged_on("bob", at("a", "b", once=True)).name == "bb"
    assert made.logged_on("alice", at("a", "b", once=True)).name == "aa"


def test_a_name_tells_nothing_where_a_login_window_may_have_changed_it_or_somebody_came_around_the_relay():
    made = joins(a=replace(ONE, user="alice"), b=replace(OTHER, user="bob"))
    assert not made.logged_on("bob", at("a", "b")).certain
    assert made.logged_on("bob", at("a", "b", "127.0.0.1", once=True)) is None


def test_two_that_name_the_same_user_are_not_told_apart():
    made = joins(a=replace(ONE, user="alice"), b=replace(OTHER, user="alice"), c=replace(OTHER, user="bob"))
    assert not made.logged_on("alice", at("a", "b", "c", once=True)).certain
