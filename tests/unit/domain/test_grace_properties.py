"""What holds for the grace period in any order of connections, outages and clocks."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from calward.domain.cals import CalType
from calward.domain.grace import GraceState, HostOutcome, admit, observe, outage_left
from calward.domain.heard import Heard, HeldLicense

START = datetime(2026, 1, 1, tzinfo=UTC)
FULL = Heard(HeldLicense("L1", "2022", CalType.PER_USER, "active", datetime(2099, 1, 1, tzinfo=UTC), change="new"))
ANSWERS = st.sampled_from([None, Heard(None, ("no-cal-free",)), FULL])
STEPS = st.lists(st.tuples(st.integers(0, 200 * 86_400), ANSWERS), max_size=20)
GRACE_DAYS = st.sampled_from([0, 1, 90, 120])


@given(STEPS, GRACE_DAYS)
def test_an_unlicensed_client_never_gets_more_than_the_days_of_grace_at_a_time(steps, grace_days):
    now, state = START, GraceState()
    for seconds, answer in steps:
        now += timedelta(seconds=seconds)
        admission = admit(answer, None, state, grace_days, now)
        state = admission.state
        assert (admission.outcome is HostOutcome.GRACE) == (admission.grace_left is not None)
        assert timedelta() <= (admission.grace_left or timedelta()) <= timedelta(days=grace_days)
        assert timedelta() <= state.spent <= timedelta(days=grace_days)
        assert state.first_connection is not None


@given(STEPS, GRACE_DAYS)
def test_after_the_first_full_license_an_answer_without_one_is_a_refusal(steps, grace_days):
    now, state = START, admit(FULL, None, GraceState(), grace_days, START).state
    for seconds, answer in steps:
        now += timedelta(seconds=seconds)
        admission = admit(answer, None, state, grace_days, now)
        state = admission.state
        if answer is not None:
            assert admission.outcome is (HostOutcome.GRANTED if answer.license else HostOutcome.REFUSED)


@given(st.integers(0, 200), st.lists(st.integers(0, 100), max_size=10))
def test_looking_more_often_changes_no_budget(whole, looks):
    used = GraceState(START, START, timedelta(days=3), START, answering=False)
    end = START + timedelta(days=whole)
    looked = used
    for days in sorted(looks):
        moment = min(end, START + timedelta(days=days))
        looked = observe(looked, moment, answering=False, grace_days=120)
    assert outage_left(looked, 120, end) == outage_left(used, 120, end)
