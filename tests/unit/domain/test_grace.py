"""The host's grace period: (a) a new host's, (b) the budget for outages, and the one decision about a connection."""

from datetime import UTC, datetime, timedelta

import pytest

from calward.domain.cals import CalType
from calward.domain.grace import (
    USED_UP,
    Admission,
    GraceState,
    HostOutcome,
    admit,
    grace_left,
    new_host_left,
    observe,
    outage_left,
)
from calward.domain.heard import Heard, HeldLicense

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAYS = 120
NONE_FREE = Heard(None, ("no-cal-free",))


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def a_license(status: str = "active", *, ends: float = 60) -> HeldLicense:
    return HeldLicense("L1", "2022", CalType.PER_USER, status, day(ends), change="new")


def gives(status: str = "active") -> Heard:
    return Heard(a_license(status))


def a_used_host(*, since: float = 0, full: float | None = None, spent: float = 0) -> GraceState:
    """A host with its first connection on day ``since``, its first full license on day ``full``."""
    first_full = None if full is None else day(full)
    return GraceState(day(since), first_full, timedelta(days=spent), day(full or since), answering=True)


def connect(state: GraceState, at: float, answer: Heard | None, *, grace_days: int = DAYS) -> Admission:
    return admit(answer, None, state, grace_days, day(at))


# --- (a) a new host --------------------------------------------------------------------------------------------------


def test_a_new_host_lets_in_whom_its_server_has_no_cal_for():
    admission = connect(GraceState(), 0, NONE_FREE)
    assert admission.outcome is HostOutcome.GRACE
    assert admission.reasons == ("no-cal-free",)
    assert admission.days_left_in_grace == DAYS
    assert admission.license is None


def test_a_new_host_lets_in_without_any_server():
    admission = connect(GraceState(), 0, None)
    assert admission.outcome is HostOutcome.GRACE
    assert admission.reasons == ("no-license-server",)


@pytest.mark.parametrize(("at", "outcome"), [(0, "grace"), (119.99, "grace"), (120, "refused"), (300, "refused")])
def test_a_new_host_has_its_days_from_the_first_connection(at, outcome):
    assert connect(a_used_host(), at, NONE_FREE).outcome == outcome


def test_days_left_count_from_the_first_connection():
    assert connect(a_used_host(), 100, NONE_FREE).days_left_in_grace == 20


def test_a_temporary_license_does_not_end_the_new_hosts_period():
    state = connect(GraceState(), 0, gives("temporary")).state
    assert state.first_full is None
    assert connect(state, 1, NONE_FREE).outcome is HostOutcome.GRACE


def test_the_first_full_license_ends_the_new_hosts_period():
    state = connect(GraceState(), 0, gives()).state
    assert state.first_full == day(0)
    admission = connect(state, 1, NONE_FREE)
    assert admission.outcome is HostOutcome.REFUSED
    assert admission.reasons == ("no-cal-free", "grace-expired")
    assert admission.days_left_in_grace is None


def test_a_full_license_that_was_issued_elsewhere_leaves_a_new_host_its_period():
    kept = Heard(HeldLicense("L1", "2022", CalType.PER_USER, "active", day(60), change="kept"))
    assert connect(GraceState(), 0, kept).state.first_full is None


def test_the_first_full_license_stays_the_first():
    state = connect(GraceState(), 0, gives()).state
    assert connect(state, 5, gives()).state.first_full == day(0)


def test_a_host_nobody_has_used_has_all_its_days_whenever_it_is_looked_at():
    assert new_host_left(GraceState(), DAYS, day(1000)) == timedelta(days=DAYS)


def test_an_administrative_session_needs_no_license_and_does_not_start_the_period():
    admission = admit(None, None, GraceState(), DAYS, day(0), admin=True)
    assert admission.outcome is HostOutcome.GRANTED
    assert admission.reasons == ()
    assert admission.state == GraceState()


def test_without_grace_days_nobody_is_let_in_and_no_period_is_said_to_have_ended():
    assert connect(GraceState(), 0, NONE_FREE, grace_days=0).reasons == ("no-cal-free",)
    admission = connect(GraceState(), 0, None, grace_days=0)
    assert admission.outcome is HostOutcome.REFUSED
    assert admission.reasons == ("no-license-server",)


def test_a_first_connection_noted_by_a_clock_in_the_future_is_moved_to_now():
    state = connect(a_used_host(since=3650), 0, NONE_FREE).state
    assert state.first_connection == day(0)
    assert connect(state, DAYS, NONE_FREE).outcome is HostOutcome.REFUSED


# --- (b) later: a budget for outages ---------------------------------------------------------------------------------


def test_later_an_outage_is_bridged_and_the_days_run_down():
    state = observe(a_used_host(full=0), day(200), answering=False, grace_days=DAYS)
    admission = connect(state, 230, None)
    assert admission.outcome is HostOutcome.GRACE
    assert admission.days_left_in_grace == DAYS - 30


def test_an_outage_begins_when_it_is_first_noticed():
    assert connect(a_used_host(full=0), 200, None).days_left_in_grace == DAYS


def test_when_the_budget_is_used_up_everybody_is_refused():
    state = observe(a_used_host(full=0), day(200), answering=False, grace_days=DAYS)
    admission = connect(state, 200 + DAYS, None)
    assert admission.outcome is HostOutcome.REFUSED
    assert admission.reasons == ("no-license-server", "grace-expired")


def test_a_server_that_answers_again_fills_the_budget_at_the_same_rate():
    state = observe(a_used_host(full=0, spent=100), day(10), answering=True, grace_days=DAYS)
    assert outage_left(state, DAYS, day(10)) == timedelta(days=30)
    assert outage_left(state, DAYS, day(15)) == timedelta(days=35)


def test_the_budget_is_never_fuller_than_full_nor_emptier_than_empty():
    up = observe(a_used_host(full=0, spent=5), day(50), answering=False, grace_days=DAYS)
    assert up.spent == timedelta()
    down = observe(up, day(1000), answering=True, grace_days=DAYS)
    assert down.spent == timedelta(days=DAYS)
    assert outage_left(down, DAYS, day(1001)) == timedelta(days=1)


def test_a_host_that_never_had_a_server_is_not_given_both_periods():
    state = connect(GraceState(), 0, None).state
    assert connect(state, 119, None).outcome is HostOutcome.GRACE
    assert connect(state, 120, None).outcome is HostOutcome.REFUSED


def test_an_outage_after_the_new_hosts_days_is_bridged_even_if_there_was_never_a_full_license():
    state = connect(GraceState(), 0, gives("temporary")).state
    admission = connect(state, 150, None)
    assert admission.outcome is HostOutcome.GRACE
    assert admission.days_left_in_grace == DAYS


def test_nothing_is_booked_before_the_first_connection():
    state = observe(GraceState(), day(0), answering=False, grace_days=DAYS)
    state = observe(state, day(90), answering=False, grace_days=DAYS)
    assert state.spent == timedelta()
    assert connect(state, 90, None).days_left_in_grace == DAYS


def test_a_clock_that_is_set_back_books_nothing():
    state = observe(a_used_host(full=0), day(100), answering=False, grace_days=DAYS)
    state = observe(state, day(50), answering=False, grace_days=DAYS)
    assert state.spent == timedelta()
    assert outage_left(state, DAYS, day(60)) == timedelta(days=DAYS - 10)


def test_more_grace_days_take_effect_at_once():
    state = observe(a_used_host(full=0, spent=DAYS), day(0), answering=False, grace_days=DAYS)
    assert outage_left(state, 150, day(0)) == timedelta(days=30)


def test_there_is_no_grace_from_a_server_that_answers():
    assert grace_left(a_used_host(full=0), DAYS, day(1)) == timedelta()
    assert grace_left(a_used_host(), DAYS, day(1)) == timedelta(days=DAYS - 1)


def test_a_host_without_any_grace_left_earns_it_again_while_a_server_answers():
    assert connect(USED_UP, 0, None).reasons == ("no-license-server", "grace-expired")
    assert connect(USED_UP, 0, NONE_FREE).outcome is HostOutcome.REFUSED
    state = connect(USED_UP, 0, gives()).state
    assert connect(state, 30, None).days_left_in_grace == 30


# --- the license in hand ---------------------------------------------------------------------------------------------


def test_the_license_in_hand_opens_while_no_server_answers_even_without_grace():
    admission = admit(None, a_license(), a_used_host(full=0), 0, day(59))
    assert admission.outcome is HostOutcome.GRANTED
    assert admission.license is not None
    assert admission.license.change == "kept"
    assert admission.reasons == ("no-license-server",)


def test_a_license_in_hand_that_has_ended_opens_nothing():
    assert admit(None, a_license(ends=60), a_used_host(full=0), 0, day(60)).outcome is HostOutcome.REFUSED


def test_a_full_license_in_hand_is_not_the_hosts_first_full_license():
    assert admit(None, a_license(), GraceState(), DAYS, day(0)).state.first_full is None


def test_the_license_in_hand_does_not_count_against_an_answer():
    admission = admit(NONE_FREE, a_license(), a_used_host(full=0), DAYS, day(1))
    assert admission.outcome is HostOutcome.REFUSED


def test_a_license_with_reasons_is_granted_with_its_reasons():
    answer = Heard(a_license("over-used"), ("no-cal-free",))
    admission = connect(a_used_host(full=0), 1, answer)
    assert admission.outcome is HostOutcome.GRANTED
    assert admission.license == answer.license
    assert admission.reasons == ("no-cal-free",)


# --- several license servers -----------------------------------------------------------------------------------------


def test_what_another_server_cannot_give_does_not_take_away_the_license_of_a_silent_one():
    used = a_used_host(full=1)
    kept = admit(NONE_FREE, a_license(), used, DAYS, day(2), issuer_silent=True)
    assert (kept.outcome, kept.license and kept.license.change) == (HostOutcome.GRANTED, "kept")
    assert kept.reasons == NONE_FREE.reasons
    ended = admit(NONE_FREE, a_license(ends=1), used, DAYS, day(2), issuer_silent=True)
    assert ended.outcome is HostOutcome.REFUSED
    heard = admit(NONE_FREE, a_license(), used, DAYS, day(2))
    assert heard.outcome is HostOutcome.REFUSED
