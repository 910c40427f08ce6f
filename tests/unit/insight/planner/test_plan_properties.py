"""Whatever the estate: who buys what the planner says has no one left without a CAL, and could not have bought less."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from calward.domain.cals import CalType
from calward.insight.planner import Price, Timed, plan
from calward.insight.planner.edits import AddHolders, Buy, UpgradeHosts
from calward.insight.planner.matching import Cals
from tests.support.ladders import windows_server
from tests.support.plans import DAY, NOW, a_host, a_pack, an_estate, licenses

LADDER = windows_server()
VERSIONS = ("2016", "2019", "2022", "2025")
TYPES = ("per-user", "per-device")


@st.composite
def estates(draw):
    """Hosts of every version and type on one license server; packs, some of which end; holders with and without a CAL."""
    version, type_, some = st.sampled_from(VERSIONS), st.sampled_from(TYPES), st.integers(0, 6)
    hosts = [a_host(f"{one}-{kind}", one, kind) for one in VERSIONS for kind in TYPES]
    packs, held = [], []
    for n in range(draw(st.integers(0, 4))):
        of, kind, total, taken = draw(version), draw(type_), draw(st.integers(1, 6)), draw(some)
        ends = draw(st.sampled_from([None, NOW + 20 * DAY]))
        on = draw(st.sampled_from([one for one in VERSIONS if one <= of]))
        taken = min(taken, total)
        packs.append(a_pack(f"P{n}", of, total, type_=kind, issued=taken, expires_at=ends))
        held.append(licenses(taken, of, type_=kind, first=100 * n, pack=f"P{n}", host=f"{on}-{kind}"))
    for n in range(draw(st.integers(0, 3))):
        of, kind = draw(version), draw(type_)
        held.append(licenses(draw(some), of, type_=kind, first=1000 + 100 * n, status="temporary", host=f"{of}-{kind}"))
    return an_estate(*hosts, *packs, *held)


@st.composite
def edits(draw):
    made = []
    for n in range(draw(st.integers(0, 3))):
        of, kind = draw(st.sampled_from(VERSIONS)), CalType(draw(st.sampled_from(TYPES)))
        more = AddHolders(draw(st.integers(1, 5)), kind, None, of)
        newer = UpgradeHosts((f"2016-{kind}",), None, of)
        made.append(Timed(NOW + (n + 1) * 10 * DAY, draw(st.sampled_from([more, newer])), "an edit"))
    return made


@st.composite
def offers(draw):
    """A price for every version and type, so that nobody is left without an offer."""
    amount = st.integers(1, 500)
    single = [
        Price(CalType(kind), one, LADDER.family_of(one), Decimal(draw(amount))) for one in VERSIONS for kind in TYPES
    ]
    dozens = [replace_size(one, draw(st.sampled_from([2, 5])), Decimal(draw(amount))) for one in single[:3]]
    return [*single, *(dozens if draw(st.booleans()) else [])]


def replace_size(offer: Price, size: int, price: Decimal) -> Price:
    return offer._replace(size=size, price=price)


def with_bought(estate, purchase, leave_out=0):
    """The estate with what is to be bought, from the beginning on; ``leave_out``: so many CALs less of the first line."""
    new = [
        Buy(
            Cals(
                f"new{n}",
                "LS1",
                line.offer.type,
                line.offer.version,
                line.offer.family,
                line.cals - leave_out * (n == 0),
            )
        )
        for n, line in enumerate(purchase.lines)
    ]
    return [Timed(NOW, one, "bought") for one in new]


def shortest(result):
    return [row.short for standing, _ in result.standings for row in standing.rows] if result.standings else []


@settings(max_examples=120, deadline=None)
@given(estates(), edits(), offers())
def test_what_is_bought_is_enough_for_everybody_and_one_cal_less_is_not(estate, changes, prices):
    purchase = plan(estate, changes, prices).purchase
    assert not any(shortest(plan(estate, [*with_bought(estate, purchase), *changes], prices)))
    singly = all(line.offer.size == 1 for line in purchase.lines)
    if purchase.lines and singly:
        assert any(shortest(plan(estate, [*with_bought(estate, purchase, leave_out=1), *changes], prices)))


@settings(max_examples=120, deadline=None)
@given(estates(), edits(), offers())
def test_what_is_bought_for_those_who_wait_too_leaves_nobody_waiting(estate, changes, prices):
    found = plan(estate, changes, prices)
    assert found.purchase_now.cost >= found.purchase.cost
    bought = plan(estate, [*with_bought(estate, found.purchase_now), *changes], prices)
    # What was wrong before the purchase is told as well: it is made a moment after.
    assert all(row.short == row.waiting == 0 for standing, _ in bought.standings for row in standing.rows)


@settings(max_examples=60, deadline=None)
@given(estates(), edits())
def test_the_order_of_packs_and_licenses_changes_nothing(estate, changes):
    turned = replace(estate, packs=estate.packs[::-1], licenses=estate.licenses[::-1], hosts=estate.hosts[::-1])
    one, other = plan(estate, changes), plan(turned, changes)
    assert (one.failing, one.purchase, one.purchase_now) == (other.failing, other.purchase, other.purchase_now)
