"""Does the relay's table say what follows from what, and is everything else our own mistake that changes nothing?"""

from itertools import product

import pytest

from calward.wire.errors import LocalProtocolError
from calward.wire.relay import Phase
from calward.wire.relay.course import Course
from calward.wire.relay.phases import TRANSITIONS, Event
from tests.support.relay_in_memory import GRANTED, a_relay, connected, released
from tests.support.relayed import CR, terms

WAYS = {
    Phase.REQUEST: (),
    Phase.CONFIRM: (Event.OFFERED,),
    Phase.SECURING: (Event.OFFERED, Event.AGREED),
    Phase.LOGON: (Event.OFFERED, Event.AGREED, Event.SECURED_BEFORE_LOGON),
    Phase.JOINING: (Event.OFFERED, Event.AGREED, Event.SECURED),
    Phase.LICENSING: (Event.OFFERED, Event.AGREED, Event.SECURED, Event.HELD),
    Phase.DECIDING: (Event.OFFERED, Event.AGREED, Event.SECURED, Event.HELD_UNASKED),
    Phase.RELEASED: (Event.OFFERED, Event.AGREED, Event.SECURED, Event.HELD_UNASKED, Event.LET_THROUGH),
    Phase.SPLICED: (
        *(Event.OFFERED, Event.AGREED, Event.SECURED, Event.HELD_UNASKED, Event.LET_THROUGH),
        Event.HOST_LICENSED,
    ),
    Phase.CLOSED: (Event.ENDED,),
}
"""How each phase is reached: not all of this is in the table itself."""
_BACK = {Phase.LICENSING: {Phase.DECIDING, Phase.RELEASED}, Phase.DECIDING: {Phase.LICENSING, Phase.RELEASED}}


def in_phase(phase: Phase) -> Course:
    course = Course(terms())
    for event in WAYS[phase]:
        course.move(event)
    assert course.phase is phase
    return course


@pytest.mark.parametrize(("phase", "event"), list(product(Phase, Event)))
def test_each_event_leads_where_the_table_says_or_is_refused_and_changes_nothing(phase, event):
    course = in_phase(phase)
    expected = TRANSITIONS[phase].get(event)
    if expected is None:
        with pytest.raises(LocalProtocolError, match="out of turn"):
            course.move(event)
    else:
        course.move(event)
    assert course.phase is (expected or phase)


def test_no_way_leads_back_except_between_licensing_and_deciding():
    order = list(Phase)
    for phase, rows in TRANSITIONS.items():
        backwards = {there for there in rows.values() if order.index(there) < order.index(phase)}
        assert backwards <= _BACK.get(phase, set())


def test_no_client_is_copied_that_was_not_let_through():
    into = {
        there: {(phase, event) for phase, rows in TRANSITIONS.items() for event, to in rows.items() if to is there}
        for there in (Phase.RELEASED, Phase.SPLICED)
    }
    assert into[Phase.SPLICED] == {(Phase.RELEASED, Event.HOST_LICENSED)}
    assert {event for _, event in into[Phase.RELEASED]} == {Event.LET_THROUGH}


def test_an_answer_that_was_not_asked_for_is_our_own_mistake():
    opened, licensing, through = a_relay(), connected()[0], released()
    opened.from_client(CR)
    for relay in (a_relay(), opened, licensing, through):
        with pytest.raises(LocalProtocolError):
            relay.secured()
        with pytest.raises(LocalProtocolError):
            relay.decided(GRANTED)
