"""Does a diagnosis take every snapshot, however little it says, and stay the same whatever the order of its lists?"""

from hypothesis import given
from hypothesis import strategies as st

from calward.domain.cals import CalType
from calward.insight.diagnoser import CHECKS, Result, Scope, diagnose
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)
from calward.insight.explain import explain
from tests.support.builders import ladder
from tests.support.clocks import DAY, NOW

NAMES = st.sampled_from(["LS1", "ls1.corp.example", "LS2", "10.0.0.1:8443", "https://ls2/", "", "x y"])
VERSIONS = st.none() | st.sampled_from([*ladder().versions, "NT 3.51"])
TIMES = st.none() | st.integers(-100, 100).map(lambda days: NOW + days * DAY)
WORDS = st.none() | st.sampled_from(["a", "A", "b"])
SETTINGS = st.sampled_from(
    [(), (("low_share", "?"), ("user_days", "x")), (("prevent_license_upgrade", "True"), ("per_user", "enforce"))]
)
SERVERS = st.builds(EstateServer, NAMES, VERSIONS, st.none() | st.booleans(), TIMES, SETTINGS)
HOSTS = st.builds(
    EstateHost,
    st.sampled_from(["SH1", "SH2.corp.example"]),
    VERSIONS,
    st.none() | st.sampled_from(CalType),
    st.lists(NAMES, max_size=3).map(tuple),
    TIMES,
    TIMES,
)
PACKS = st.builds(
    EstatePack,
    st.sampled_from(["1", "2"]),
    NAMES,
    VERSIONS,
    st.sampled_from(PackType),
    st.sampled_from(["volume", "temporary", "built-in over-used"]),
    st.none() | st.integers(0, 20),
    st.integers(0, 30),
    st.integers(0, 5),
    TIMES,
    TIMES,
    st.booleans(),
)
WHY = st.sampled_from([(), ("no-cal-free",), ("first-contact", "of-a-newer-release")])
LICENSES = st.builds(
    EstateLicense,
    st.sampled_from("12"),
    NAMES,
    WORDS,
    st.sampled_from(PackType),
    st.sampled_from(LicenseStatus),
    VERSIONS,
    WORDS,
    WORDS,
    WORDS,
    TIMES,
    TIMES,
    st.none() | st.just("SH1"),
    WHY,
)
FAILURES = st.builds(
    EstateFailure,
    st.just(NOW),
    NAMES,
    st.none() | st.just("SH1"),
    st.just("a"),
    st.sampled_from(PackType),
    VERSIONS,
    WHY,
)
ESTATES = st.builds(
    Estate,
    st.just("berlin"),
    st.sampled_from(Source),
    st.just(NOW),
    st.just(ladder()),
    st.lists(SERVERS, max_size=3, unique_by=lambda one: one.name),
    st.lists(HOSTS, max_size=3, unique_by=lambda one: one.name),
    st.lists(PACKS, max_size=4),
    st.lists(LICENSES, max_size=5),
    st.lists(FAILURES, max_size=2),
)


@given(ESTATES)
def test_every_snapshot_gets_a_verdict_of_every_check(found):
    diagnosis = diagnose(found)
    assert [one.check.id for one in diagnosis.checked] == [check.id for check in CHECKS]
    assert all(one.detail for one in diagnosis.checked)
    assert all(bool(one.findings) == (one.result is Result.FOUND) for one in diagnosis.checked)
    keys = [one.key for one in diagnosis.findings]
    assert len(keys) == len(set(keys))
    assert all((one.what, one.evidence, one.cause, one.fix, one.subject.name) for one in diagnosis.findings)


@given(ESTATES, st.sampled_from([None, "a", "zz"]), st.booleans())
def test_every_part_of_a_snapshot_can_be_asked_about(found, holder, by_device):
    host = found.hosts[0].name if found.hosts else None
    scope = Scope(host, device=holder) if by_device else Scope(host, user=holder)
    diagnosis = diagnose(found, scope)
    assert (diagnosis.answer is not None) == (host is not None and holder is not None)
    assert diagnosis.answer is None or diagnosis.answer.steps
    assert all(one.headline and one.steps for one in explain(found, holder or "1"))


@given(ESTATES)
def test_the_order_of_licenses_and_packs_changes_no_verdict(found):
    turned = Estate(
        found.name,
        found.source,
        NOW,
        found.ladder,
        found.servers,
        found.hosts,
        found.packs[::-1],
        found.licenses[::-1],
        found.failures,
    )
    assert [one.result for one in diagnose(found).checked] == [one.result for one in diagnose(turned).checked]
