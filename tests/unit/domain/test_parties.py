"""What may a license server do at a moment?"""

from calward.domain.reasons import Reason
from tests.support.builders import a_host, a_server
from tests.support.clocks import NOW


def test_a_server_that_is_not_activated_may_issue_temporary_licenses_only():
    assert a_server(activated=False).blocked(NOW) is Reason.SERVER_NOT_ACTIVATED


def test_the_right_to_issue_lasts_to_the_last_second_before_its_end():
    server = a_server(issue_until=NOW)
    assert server.blocked(NOW - 1) is None
    assert server.blocked(NOW) is Reason.ISSUING_RIGHT_ENDED


def test_a_host_is_enrolled_unless_said_otherwise():
    assert a_host().enrolled


def test_a_server_in_quarantine_issues_temporary_licenses_only_whatever_its_right():
    assert a_server(quarantined_at=NOW).blocked(NOW) is Reason.LEDGER_ROLLED_BACK
