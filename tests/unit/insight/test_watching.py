"""Is each change of an estate's findings told, exactly once, and nothing else?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.app.estates.watch import Look, tell_changes
from calward.domain.errors import LicensingError, Problem
from calward.insight.findings import Finding, Kind, Severity, Subject
from calward.insight.notices import Told, notice
from calward.insight.watching import ChangeKind, Known, Seen, compare, severe_enough

AS_OF = "2026-11-24T12:00:00Z"
AT = 1_800_000_000
HOUR = 3600


def a_finding(name="LS1", severity=Severity.WARNING, check="headroom"):
    words = ("few are left", "evidence", "cause", "buy some")
    return Finding(check, severity, *words, "calward status", "page", Subject(Kind.PACK, name))


def kinds(known, findings, settle=0, at=AT, **seen):
    return [one.kind for one in compare(known, Seen(findings, at, **seen), settle).changes]


class InMemory:
    def __init__(self):
        self.told = {}

    def read(self):
        return self.told

    def write(self, told):
        self.told = dict(told)


class Listener:
    """Knows of an estate only what it is told; ``deaf`` as often as it takes nothing."""

    def __init__(self):
        self.open = {}
        self.ids = []
        self.deaf = False

    def send(self, told):
        if self.deaf:
            raise LicensingError(Problem.UNREACHABLE, "the listener is deaf")
        self.ids.append(told.id)
        for row in told.document["changes"]:
            before = self.open.pop(row["key"], None)
            assert (before is None) == (row["change"] == ChangeKind.NEW)
            assert before != row["severity"] or row["change"] == ChangeKind.GONE
            if row["change"] != ChangeKind.GONE:
                self.open[row["key"]] = row["severity"]


estates = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sampled_from(list(Severity)))


@given(st.lists(st.tuples(estates, st.booleans()), max_size=12))
def test_who_hears_every_notice_knows_what_is_open_and_hears_nothing_twice(looks):
    store, listener, other = InMemory(), Listener(), Listener()
    for estate, deaf in looks:
        findings = [a_finding(name, severity) for name, severity in estate.items()]
        look = Look("berlin", AS_OF, Seen(findings, AT), 0)
        listener.deaf = deaf
        before = len(other.ids)
        changed = other.open != {one.key: one.severity.value for one in findings}
        tell_changes(look, {"one": listener, "other": other}, store)
        assert len(other.ids) == before + changed
        for told in (other,) if deaf else (listener, other):
            assert told.open == {one.key: one.severity.value for one in findings}
        told_again = tell_changes(look, {"one": listener, "other": other}, store).told
        assert told_again == ()
    assert len(set(listener.ids)) == len(listener.ids)
    assert len(set(other.ids)) == len(other.ids)


def test_a_notice_that_could_not_be_written_down_is_told_again_with_the_same_id():
    store, listener, look = InMemory(), Listener(), Look("berlin", AS_OF, Seen([a_finding()], AT), 0)
    tell_changes(look, {"one": listener}, store)
    store.told.clear()
    listener.open.clear()
    tell_changes(look, {"one": listener}, store)
    assert listener.ids[0] == listener.ids[1]


def test_what_a_check_had_found_is_not_gone_where_the_check_cannot_be_made():
    known = {a_finding().key: Known(Severity.WARNING, "few are left")}
    assert kinds(known, [], unseen={"headroom"}) == kinds(known, [], unseen={a_finding().key}) == []
    assert kinds(known, [], unseen={"over-used"}) == [ChangeKind.GONE]


@pytest.mark.parametrize(
    ("now", "kind"), [(Severity.ERROR, ChangeKind.WORSE), (Severity.INFO, ChangeKind.BETTER), (Severity.WARNING, None)]
)
def test_another_severity_is_a_change(now, kind):
    known = {a_finding().key: Known(Severity.WARNING, "few are left")}
    assert kinds(known, [a_finding(severity=now)]) == [kind] * bool(kind)


def test_people_read_the_sum_in_the_subject_and_what_helps_in_the_text():
    found = notice("berlin", AS_OF, Told({}), compare({}, Seen([a_finding()], AT), 0).changes)
    assert found.subject == "Calward: berlin: 1 new"
    assert found.text.splitlines() == [
        "berlin, as of 2026-11-24T12:00:00Z",
        "",
        "new:",
        "- [warning] few are left (headroom@LS1)",
        "  what helps: buy some",
        "  calward status",
    ]


def test_no_name_from_outside_gets_into_a_mail_s_header_or_a_terminal():
    bad = replace(a_finding("LS1\nBcc: x@example.org"), what="few\x1b[2J")
    found = notice("berlin\r\nBcc: x@example.org", AS_OF, Told({}), compare({}, Seen([bad], AT), 0).changes)
    assert found.subject.isprintable()
    assert all(line.isprintable() for line in found.text.split("\n"))


def test_what_matters_less_is_left_out():
    all_ = [a_finding(severity=one) for one in Severity]
    assert [one.severity for one in severe_enough(all_, Severity.WARNING)] == [Severity.ERROR, Severity.WARNING]


def told_in(looks, settle=HOUR):
    """What a listener hears of looks a quarter of an hour apart; each is the one finding's severity, or None."""
    store, heard = InMemory(), []

    class Hears:
        def send(self, told):
            heard.extend(row["change"] for row in told.document["changes"])

    for number, severity in enumerate(looks):
        findings = [] if severity is None else [a_finding(severity=severity)]
        look = Look("berlin", AS_OF, Seen(findings, AT + number * HOUR // 4), settle)
        tell_changes(look, {"one": Hears()}, store)
    return heard


def test_what_goes_to_and_fro_around_a_line_is_told_once():
    warning, error = Severity.WARNING, Severity.ERROR
    assert told_in([warning, None] * 10) == ["new"]
    assert told_in([error, warning] * 10) == ["new"]
    assert told_in([warning, error] * 10) == ["new", "worse"]


def test_what_is_over_or_milder_is_told_once_it_has_lasted():
    warning, error = Severity.WARNING, Severity.ERROR
    assert told_in([warning, *[None] * 4]) == ["new"]
    assert told_in([warning, *[None] * 9]) == ["new", "gone"]
    assert told_in([error, *[warning] * 9]) == ["new", "better"]
    assert told_in([error, warning, warning, *[None] * 9]) == ["new", "gone"], "it has been milder all the while"


def test_one_look_is_never_enough_for_what_is_over_however_long_nobody_looked():
    known = {a_finding().key: Known(Severity.WARNING, "few are left")}
    late = AT + 365 * 24 * HOUR
    changes, eased = compare(known, Seen([], late), HOUR)
    assert changes == ()
    assert kinds(eased, [], HOUR, late + HOUR) == [ChangeKind.GONE]


def test_what_is_snoozed_is_told_as_gone_at_once():
    known = {a_finding().key: Known(Severity.WARNING, "few are left")}
    assert kinds(known, [], HOUR, snoozed={a_finding().key}) == [ChangeKind.GONE]


def test_what_cannot_be_looked_for_is_not_on_its_way_to_be_over():
    known = {a_finding().key: Known(Severity.WARNING, "few are left", easing_since=AT)}
    changes, eased = compare(known, Seen([], AT + 2 * HOUR, unseen={"headroom"}), HOUR)
    assert (changes, eased[a_finding().key].easing_since) == ((), None)
