"""Until when does a license run?"""

from calward.domain.cals import HolderKind
from calward.domain.licenses import Ending
from tests.support.builders import a_holder, a_license
from tests.support.clocks import NOW


def test_a_license_runs_to_the_last_second_before_its_end():
    held = a_license(expires_at=NOW)
    assert held.runs(NOW - 1)
    assert not held.runs(NOW)


def test_a_license_that_was_ended_does_not_run():
    assert not a_license(ended_at=NOW - 5, ending=Ending.REVOKED).runs(NOW)


def test_a_license_stopped_when_it_was_ended_or_else_at_its_end():
    assert a_license(expires_at=NOW + 1).stopped_at(NOW) is None
    assert a_license(expires_at=NOW).stopped_at(NOW) == NOW
    assert a_license(expires_at=NOW + 9, ended_at=NOW - 5).stopped_at(NOW) == NOW - 5


def test_a_holder_is_unproven_until_someone_writes_it_down():
    assert a_holder(HolderKind.DEVICE).proven_at is None
