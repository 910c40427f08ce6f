"""What holds of every decision, whatever the holder has and the server keeps?"""

from hypothesis import given
from hypothesis import strategies as st

from calward.domain.issuing import Asking
from calward.domain.key_packs import KeyPack
from calward.domain.licenses import NEVER, Change, License, Seat, Status
from calward.domain.reasons import Reason
from calward.domain.trace import Rule
from tests.support.builders import DEVICE, USER, a_key_pack, a_license, an_asking, decide
from tests.support.clocks import DAY, NOW

VERSIONS = st.sampled_from(["2000", "2003", "2008", "2008R2", "2012R2", "2022"])
TYPES = st.sampled_from([DEVICE, USER])
BLOCKED = st.sampled_from([None, None, None, Reason.SERVER_NOT_ACTIVATED, Reason.ISSUING_RIGHT_ENDED])
RULES = st.fixed_dictionaries(
    {"prevent_license_upgrade": st.booleans(), "per_user": st.sampled_from(["track", "enforce"])}
)
STATUSES = {DEVICE: [Status.ACTIVE, Status.TEMPORARY], USER: [Status.ACTIVE, Status.TEMPORARY, Status.OVER_USED]}


@st.composite
def packs(draw: st.DrawFn) -> list[KeyPack]:
    ends = st.sampled_from([NEVER, NOW + 5 * DAY, NOW + 400 * DAY, NOW, NOW - DAY])
    rows = range(1, 1 + draw(st.integers(0, 6)))
    return [a_key_pack(draw(VERSIONS), draw(TYPES), row=row, expires_at=draw(ends)) for row in rows]


@st.composite
def holdings(draw: st.DrawFn, installed: list[KeyPack]) -> list[License]:
    """Licenses that can be: a full one stands on an installed pack and ends with it at the latest."""
    held: list[License] = []
    for number in range(1, 1 + draw(st.integers(0, 4))):
        type_, days = draw(TYPES), draw(st.integers(-40, 80))
        status = draw(st.sampled_from(STATUSES[type_]))
        if status is not Status.ACTIVE:
            held.append(a_license(draw(VERSIONS), status, type_, days=days, id=number))
            continue
        fitting = [pack for pack in installed if pack.type is type_]
        if fitting:
            pack = draw(st.sampled_from(fitting))
            seat = Seat(pack.id, number)
            end = min(NOW + days * DAY, pack.expires_at)
            held.append(a_license(pack.version, status, type_, id=number, seat=seat, expires_at=end))
    return held


@st.composite
def cases(draw: st.DrawFn) -> tuple[Asking, list[KeyPack]]:
    installed = draw(packs())
    mode = draw(TYPES)
    proven_at = draw(st.sampled_from([None, NOW - 30 * DAY, NOW])) if mode is DEVICE else None
    asking = an_asking(
        draw(VERSIONS),
        mode,
        installed,
        licenses=draw(holdings(installed)),
        proven_at=proven_at,
        blocked=draw(BLOCKED),
        rules=draw(RULES),
        full_days=draw(st.integers(52, 89)),
    )
    free = [pack for pack in installed if draw(st.booleans())]
    return asking, free


def expected(asking: Asking, free: list[KeyPack]) -> tuple[str, str | None]:
    """The five steps as the design tells them, once more in other words: status and version of what is given."""
    mine = [x for x in asking.licenses if x.type is asking.mode]
    opens = sorted(
        (x for x in mine if x.expires_at > NOW and x.family >= asking.host_family),
        key=lambda x: (x.family, -x.expires_at),
    )
    active = [x for x in opens if x.status is Status.ACTIVE]
    if active:
        return "active", active[0].version
    if (asking.proven_at is not None or asking.mode is USER) and not asking.blocked:
        may = [p for p in free if p.type is asking.mode and p.expires_at > NOW and p.family >= asking.host_family]
        if asking.settings.prevent_license_upgrade:
            may = [p for p in may if p.family == asking.host_family]
        if may:
            return "active", min(may, key=lambda p: (p.family, p.expires_at, p.row)).version
    return without_cal(asking, mine, opens)


def without_cal(asking: Asking, mine: list[License], opens: list[License]) -> tuple[str, str | None]:
    if asking.mode is USER and not asking.blocked:
        over = [x for x in opens if x.status is Status.OVER_USED]
        if asking.settings.per_user == "enforce":
            return "refused", None
        return "over-used", over[0].version if over else asking.host_version
    temporary = [x for x in opens if x.status is Status.TEMPORARY]
    if temporary:
        return "temporary", temporary[0].version
    over = [x for x in opens if x.status is Status.OVER_USED]
    if over:
        return "over-used", over[0].version
    had = [x for x in mine if x.status is Status.TEMPORARY and x.family == asking.host_family]
    if asking.mode is DEVICE:
        had = [x for x in had if asking.proven_at is not None and x.expires_at > asking.proven_at]
    return ("refused", None) if had else ("temporary", asking.host_version)


@given(cases())
def test_the_decision_is_the_one_that_the_five_steps_lead_to(case):
    decision = decide(*case)
    assert (decision.status or "refused", decision.version) == expected(*case)


@given(cases())
def test_what_is_given_opens_the_host_and_has_not_ended(case):
    asking, free = case
    decision = decide(asking, free)
    if decision.granted:
        assert decision.family >= asking.host_family
        assert decision.expires_at > NOW


@given(cases())
def test_a_full_license_has_a_cal_never_outlives_its_pack_and_no_other_license_has_one(case):
    asking, free = case
    decision = decide(asking, free)
    if decision.status is Status.ACTIVE:
        pack = asking.shelf.by_id[decision.seat.pack]
        assert decision.version == pack.version
        assert decision.expires_at <= pack.expires_at
    else:
        assert decision.seat is None


@given(cases())
def test_a_new_full_license_is_only_for_the_proven_at_a_server_that_may_issue(case):
    asking, free = case
    decision = decide(asking, free)
    if decision.status is Status.ACTIVE and decision.license is None:
        assert asking.proven
        assert not asking.blocked


@given(cases())
def test_anything_less_than_a_full_license_says_why(case):
    decision = decide(*case)
    assert bool(decision.reasons) is (decision.status is not Status.ACTIVE)
    assert len(set(decision.reasons)) == len(decision.reasons)


@given(cases())
def test_every_decision_has_a_trace_whose_rules_come_in_order(case):
    rules = [line[0] for line in decide(*case).trace]
    assert rules == sorted(set(rules))
    assert rules[0] is Rule.KEEP


@given(cases())
def test_a_server_that_may_not_issue_moves_no_end(case):
    asking, free = case
    decision = decide(asking, free)
    assert not asking.blocked or decision.license is None or not decision.writes


@given(cases())
def test_only_what_is_older_or_lesser_ends(case):
    asking, free = case
    decision = decide(asking, free)
    for old in decision.ends:
        assert old.type is asking.mode
        assert old.runs(NOW)
        assert old.family <= decision.family
    assert (decision.change is Change.UPGRADED) == bool(decision.ends)
