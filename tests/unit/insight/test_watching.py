"""Is each change of an estate's findings told, exactly once, and nothing else?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.app.estates.watch import Look, tell_changes
from calward.domain.errors import LicensingError, Problem
from calward.insight.findings import Finding, Kind, Severity, Subject
from calward.insight.watching import ChangeKind, Told, compare, notice, severe_enough

AS_OF = "2026-11-24T12:00:00Z"


def a_finding(name="LS1", severity=Severity.WARNING, check="headroom"):
    words = ("few are left", "evidence", "cause", "buy some")
    return Finding(check, severity, *words, "calward status", "page", Subject(Kind.PACK, name))


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
        look = Look("berlin", AS_OF, findings, frozenset())
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
    store, listener, look = InMemory(), Listener(), Look("berlin", AS_OF, [a_finding()], frozenset())
    tell_changes(look, {"one": listener}, store)
    store.told.clear()
    listener.open.clear()
    tell_changes(look, {"one": listener}, store)
    assert listener.ids[0] == listener.ids[1]


def test_what_a_check_had_found_is_not_gone_where_the_check_cannot_be_made():
    told = notice("berlin", AS_OF, Told({}), compare({}, [a_finding()], frozenset())).told
    assert compare(told.findings, [], frozenset({"headroom"})) == ()
    assert [one.kind for one in compare(told.findings, [], frozenset({"over-used"}))] == [ChangeKind.GONE]


@pytest.mark.parametrize(
    ("now", "kind"), [(Severity.ERROR, ChangeKind.WORSE), (Severity.INFO, ChangeKind.BETTER), (Severity.WARNING, None)]
)
def test_another_severity_is_a_change(now, kind):
    told = notice("berlin", AS_OF, Told({}), compare({}, [a_finding()], frozenset())).told
    assert [one.kind for one in compare(told.findings, [a_finding(severity=now)], frozenset())] == [kind] * bool(kind)


def test_people_read_the_sum_in_the_subject_and_what_helps_in_the_text():
    found = notice("berlin", AS_OF, Told({}), compare({}, [a_finding()], frozenset()))
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
    found = notice("berlin\r\nBcc: x@example.org", AS_OF, Told({}), compare({}, [bad], frozenset()))
    assert found.subject.isprintable()
    assert all(line.isprintable() for line in found.text.split("\n"))


def test_what_matters_less_is_left_out():
    all_ = [a_finding(severity=one) for one in Severity]
    assert [one.severity for one in severe_enough(all_, Severity.WARNING)] == [Severity.ERROR, Severity.WARNING]
