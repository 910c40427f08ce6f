"""Which findings are accepted, and until when?"""

from calward.insight.findings import Finding, Kind, Severity, Subject
from calward.insight.snoozes import Snooze, in_force, snoozed, with_snooze
from tests.support.clocks import NOW


def a_finding(name="LS1"):
    words = ("what", "evidence", "cause", "fix")
    return Finding("headroom", Severity.INFO, *words, None, "page", Subject(Kind.PACK, name))


def test_a_snooze_of_a_check_covers_all_its_findings_and_one_of_a_key_only_this():
    both = [a_finding(), a_finding("LS2")]
    assert snoozed(both, [Snooze("headroom", "r", NOW + 1)], NOW).open == ()
    assert snoozed(both, [Snooze("headroom@LS1", "r", NOW + 1)], NOW).open == (both[1],)
    assert snoozed(both, [Snooze("over-used", "r", NOW + 1)], NOW).open == tuple(both)


def test_a_snooze_ends_at_its_second():
    assert in_force([Snooze("headroom", "r", NOW)], NOW) == ()
    assert snoozed([a_finding()], [Snooze("headroom", "r", NOW)], NOW).open == (a_finding(),)


def test_a_new_snooze_takes_the_place_of_the_old_one_and_what_is_over_is_dropped():
    before = [Snooze("headroom", "old", NOW + 5), Snooze("over-used", "over", NOW)]
    new = Snooze("headroom", "new", NOW + 9)
    assert with_snooze(before, new, NOW) == (new,)
