"""Are matching and purchase the best there are? Against brute force on small cases, and against a solver of other authors on larger ones."""

import itertools
from decimal import Decimal

import highspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calward.domain.cals import CalType
from calward.insight.planner.matching import Cals, Need, Serving, match
from calward.insight.planner.purchase import Price, cheapest

USER, DEVICE = CalType.PER_USER, CalType.PER_DEVICE
SERVERS = ("A", "B", "C")


def needs_strategy(most: int, families: int = 3):
    one = st.builds(
        Need,
        st.sampled_from([USER, DEVICE]),
        st.integers(0, families - 1),
        st.sets(st.sampled_from(SERVERS), min_size=1).map(frozenset),
        st.integers(0, most),
    )
    return st.lists(one, max_size=5)


def supply_strategy(most: int, families: int = 3):
    one = st.tuples(
        st.sampled_from(SERVERS), st.sampled_from([USER, DEVICE]), st.integers(0, families - 1), st.integers(0, most)
    )
    return st.lists(one, max_size=5).map(
        lambda rows: [Cals(f"P{n}", s, t, str(f), f, total) for n, (s, t, f, total) in enumerate(rows)]
    )


def servers_strategy(families: int = 3):
    return st.fixed_dictionaries(
        {name: st.builds(Serving, st.integers(0, families - 1), st.booleans()) for name in SERVERS}
    )


def fits(need: Need, cals: Cals, servers) -> bool:
    """The rule in one sentence, written anew."""
    serving = servers[cals.server]
    return (
        cals.server in need.servers
        and cals.type is need.type
        and serving.family >= max(need.family, cals.family)
        and (cals.family >= need.family if serving.upgrades else cals.family == need.family)
    )


def served_by_brute_force(people, cals, servers, newest_first: int) -> int:
    """The most holders of this family or a newer one that can be served: every choice of a CAL for each is tried."""
    people = [one for one in people if one.family >= newest_first]
    best = 0
    for choice in itertools.product([None, *range(len(cals))], repeat=len(people)):
        taken = [one for one in choice if one is not None]
        if len(set(taken)) == len(taken) and all(
            place is None or fits(one, cals[place], servers) for one, place in zip(people, choice, strict=True)
        ):
            best = max(best, len(taken))
    return best


@settings(max_examples=60, deadline=None)
@given(needs_strategy(1), supply_strategy(1), servers_strategy())
def test_of_every_family_or_newer_as_many_are_served_as_brute_force_can_serve(needs, supply, servers):
    found = match(needs, supply, servers)
    people = [one for one in needs if one.number]
    cals = [one for one in supply if one.total]
    for family in range(3):
        wanted = sum(need.number for need in needs if need.family >= family)
        short = sum(n for need, n in zip(needs, found.short, strict=True) if need.family >= family)
        assert wanted - short == served_by_brute_force(people, cals, servers, family)


@settings(max_examples=150, deadline=None)
@given(needs_strategy(50), supply_strategy(60), servers_strategy())
def test_what_is_given_fits_and_is_there_and_adds_up(needs, supply, servers):
    found = match(needs, supply, servers)
    for (need, cals), number in found.given.items():
        assert number > 0
        assert fits(needs[need], supply[cals], servers)
    for place, one in enumerate(supply):
        assert sum(n for (_, cals), n in found.given.items() if cals == place) <= one.total
    for place, one in enumerate(needs):
        assert sum(n for (need, _), n in found.given.items() if need == place) + found.short[place] == one.number


@settings(max_examples=60, deadline=None)
@given(needs_strategy(400), supply_strategy(500), servers_strategy())
def test_another_solver_serves_no_more(needs, supply, servers):
    found = match(needs, supply, servers)
    edges = [(n, c) for n, need in enumerate(needs) for c, cals in enumerate(supply) if fits(need, cals, servers)]
    solver = silent_solver()
    flows = [solver.addVariable(lb=0, obj=1) for _ in edges]
    for place, need in enumerate(needs):
        bounded(solver, [flow for flow, (n, _) in zip(flows, edges, strict=True) if n == place], need.number)
    for place, cals in enumerate(supply):
        bounded(solver, [flow for flow, (_, c) in zip(flows, edges, strict=True) if c == place], cals.total)
    best = 0.0
    if edges:
        solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        solver.solve()
        best = solver.getObjectiveValue()
    assert sum(found.given.values()) == round(best)


def silent_solver():
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.0)
    return solver


def bounded(solver, variables, most: int) -> None:
    if variables:
        solver.addConstr(sum(variables) <= most)


SIZES = st.sampled_from([1, 1, 5, 20])


def offers_strategy(sizes=SIZES, families: int = 4):
    one = st.builds(
        lambda type_, family, cents, size: Price(type_, str(family), family, Decimal(cents) / 100, size),
        st.sampled_from([USER, DEVICE]),
        st.integers(0, families - 1),
        st.integers(0, 9_999),
        sizes,
    )
    return st.lists(one, max_size=7, unique_by=lambda offer: (offer.type, offer.family, offer.size))


def lacking_strategy(most: int, families: int = 4):
    def summed(rows):
        found = {}
        for type_ in CalType:
            total = 0
            for family in reversed(range(families)):
                total += rows.get((type_, family), 0)
                found[type_, family] = total
        return found

    keys = st.tuples(st.sampled_from([USER, DEVICE]), st.integers(0, families - 1))
    return st.dictionaries(keys, st.integers(0, most)).map(summed)


def possible(lacking, offers):
    """What is left to be served once those whom no offer serves are taken out."""
    newest = {t: max((one.family for one in offers if one.type is t), default=-1) for t in CalType}
    out = {t: max((n for (k, f), n in lacking.items() if k is t and f > newest[t]), default=0) for t in CalType}
    return {(t, f): n - out[t] for (t, f), n in lacking.items() if f <= newest[t]}, out


def is_enough(units, offers, lacking) -> bool:
    return all(
        sum(n * one.size for n, one in zip(units, offers, strict=True) if one.type is t and one.family >= f) >= number
        for (t, f), number in lacking.items()
    )


@settings(max_examples=80, deadline=None)
@given(
    lacking_strategy(2, families=2),
    offers_strategy(st.sampled_from([1, 2, 3]), families=2).filter(lambda x: len(x) <= 4),
)
def test_no_purchase_that_brute_force_finds_is_cheaper(lacking, offers):
    found = cheapest(lacking, offers)
    rest, _ = possible(lacking, offers)
    most = max(rest.values(), default=0)
    costs = (
        sum((n * one.price for n, one in zip(units, offers, strict=True)), Decimal(0))
        for units in itertools.product(range(most + 1), repeat=len(offers))
        if is_enough(units, offers, rest)
    )
    assert found.cost == min(costs)


@settings(max_examples=100, deadline=None)
@given(lacking_strategy(300), offers_strategy())
def test_no_purchase_that_another_solver_finds_is_cheaper(lacking, offers):
    found = cheapest(lacking, offers)
    rest, out = possible(lacking, offers)
    bought = [next((line.units for line in found.lines if line.offer == one), 0) for one in offers]
    assert is_enough(bought, offers, rest)
    for type_ in CalType:
        assert sum(n for (t, _), n in found.without_offer.items() if t is type_) == out[type_]
    if not offers:
        assert found.lines == ()
        return
    solver = silent_solver()
    units = [solver.addIntegral(lb=0, obj=int(one.price * 100)) for one in offers]
    for (type_, family), number in rest.items():
        terms = [x * o.size for x, o in zip(units, offers, strict=True) if o.type is type_ and o.family >= family]
        if terms and number:
            solver.addConstr(sum(terms) >= number)
    solver.solve()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    assert found.cost * 100 == round(solver.getObjectiveValue())


@settings(max_examples=80, deadline=None)
@given(lacking_strategy(40), offers_strategy(st.just(1)))
def test_selling_singly_costs_what_the_way_for_larger_units_finds(lacking, offers):
    dear = [one._replace(price=one.price * 1000 + 1000, size=2) for one in offers]
    assert cheapest(lacking, offers).cost == cheapest(lacking, [*offers, *dear]).cost


@pytest.mark.parametrize("size", [1, 5])
def test_a_hundred_thousand_are_bought_at_once(size):
    offers = [Price(USER, "2025", 9, Decimal("199.99") * size, size)]
    found = cheapest({(USER, 9): 100_000}, offers)
    assert found.cost == Decimal("199.99") * 100_000
