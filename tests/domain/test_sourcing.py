"""Sourcing: who gives what, never more than there is, and the same amount under every strategy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.sourcing import (
    DEFAULT,
    Candidate,
    Comparable,
    Criterion,
    Donor,
    Leg,
    Sourcing,
    Strategy,
    by,
    cheapest_transfer,
    fewest_splits,
    here_first,
    highest_stock,
    nearest,
    plan,
    quickest,
    spare_the_weak,
)
from omniorder.errors import InvalidId, InvalidInput, InvalidQuantity

HERE = "SOF01"
HOUR = timedelta(hours=1)
STORES = ("DC", "PLV01", "SOF02", "VAR01", "VAR02")
SKUS = ("bread", "eggs", "milk")

SINGLE = (here_first, fewest_splits, nearest, quickest, cheapest_transfer, highest_stock, spare_the_weak)


@frozen
class Case:
    """A question to the planner."""

    demand: Mapping[str, int]
    atp: Mapping[tuple[str, str], int]
    donors: tuple[Donor, ...]

    def plan(self, strategy: Strategy = DEFAULT) -> Sourcing:
        return plan(self.demand, HERE, self.atp, self.donors, strategy)

    def there(self, sku: str) -> int:
        """What the store and all donors have."""
        return sum(max(0, self.atp.get((name, sku), 0)) for name in {HERE, *(donor.store for donor in self.donors)})


donors = st.lists(
    st.builds(
        Donor,
        st.sampled_from(STORES),
        st.integers(0, 3).map(lambda hours: hours * HOUR),
        st.none() | st.integers(0, 3).map(float),
        st.none() | st.integers(0, 3),
    ),
    max_size=5,
).map(tuple)
cases = st.builds(
    Case,
    st.dictionaries(st.sampled_from(SKUS), st.integers(1, 6), min_size=1),
    st.fixed_dictionaries(
        {(store, sku): st.sampled_from([0, 0, 1, 2, 4, 6, -1]) for store in (HERE, *STORES) for sku in SKUS}
    ),
    donors,
)
strategies = st.lists(st.sampled_from(SINGLE), max_size=4).map(lambda some: by(*some))


def given_by(sourcing: Sourcing) -> Counter[tuple[str, str]]:
    """Units per (store, SKU) of all legs."""
    return Counter({(leg.store, sku): units for leg in sourcing.legs for sku, units in leg.units})


def in_all(sourcing: Sourcing) -> Counter[str]:
    """Units per SKU of all legs."""
    units: Counter[str] = Counter()
    for (_, sku), count in given_by(sourcing).items():
        units[sku] += count
    return units


def order(sourcing: Sourcing) -> list[str]:
    return [leg.store for leg in sourcing.legs]


# --- what holds under every strategy ----------------------------------------------------------------------


@given(cases, strategies)
def test_nobody_gives_more_than_may_be_promised_there(case: Case, strategy: Strategy) -> None:
    for place, units in given_by(case.plan(strategy)).items():
        assert 0 < units <= case.atp.get(place, 0)


@given(cases, strategies)
def test_legs_and_what_is_missing_add_up_to_what_was_wanted(case: Case, strategy: Strategy) -> None:
    sourcing = case.plan(strategy)
    assert in_all(sourcing) + Counter(dict(sourcing.missing)) == Counter(case.demand)


@given(cases, strategies)
def test_all_is_found_that_there_is(case: Case, strategy: Strategy) -> None:
    """So a plan is full whenever the stores have it all between them, whatever the strategy."""
    sourcing = case.plan(strategy)
    assert in_all(sourcing) == Counter({sku: min(want, case.there(sku)) for sku, want in case.demand.items()})
    assert sourcing.full == all(case.there(sku) >= want for sku, want in case.demand.items())


@given(cases, strategies, st.randoms(use_true_random=False))
def test_the_order_in_which_anything_is_given_never_matters(case: Case, strategy: Strategy, random: Random) -> None:
    demand, atp, others = list(case.demand.items()), list(case.atp.items()), list(case.donors)
    for listed in (demand, atp, others):
        random.shuffle(listed)
    assert Case(dict(demand), dict(atp), tuple(others)).plan(strategy) == case.plan(strategy)


@given(cases, strategies)
def test_every_store_gives_once_and_only_stores_that_may(case: Case, strategy: Strategy) -> None:
    sourcing = case.plan(strategy)
    assert len(set(order(sourcing))) == len(sourcing.legs)
    assert set(order(sourcing)) <= {HERE, *(donor.store for donor in case.donors)}
    for leg in sourcing.legs:
        ways = [donor.transit for donor in case.donors if donor.store == leg.store]
        assert leg.transit == (timedelta(0) if leg.store == HERE else min(ways))
        assert leg.units == tuple(sorted(leg.units))


# --- what each strategy is for ----------------------------------------------------------------------------


def fewest_legs(case: Case) -> int:
    """The fewest stores that have between them all that there is, by trying every set."""
    names = sorted({HERE, *(donor.store for donor in case.donors)})
    goal = {sku: min(want, case.there(sku)) for sku, want in case.demand.items()}
    for size in range(len(names) + 1):
        for chosen in combinations(names, size):
            if all(sum(max(0, case.atp.get((name, sku), 0)) for name in chosen) >= goal[sku] for sku in goal):
                return size
    raise AssertionError("all of them have what all of them have")


@given(cases, st.sampled_from(SINGLE))
def test_fewest_splits_is_as_few_as_trying_every_set_finds_whatever_decides_ties(case: Case, tie: Criterion) -> None:
    assert len(case.plan(by(fewest_splits, tie)).legs) == fewest_legs(case)


@given(cases)
def test_here_first_takes_all_that_the_store_has(case: Case) -> None:
    used = given_by(case.plan(by(here_first)))
    for sku, want in case.demand.items():
        assert used[HERE, sku] == min(want, max(0, case.atp.get((HERE, sku), 0)))


@given(cases)
def test_the_default_asks_as_few_others_as_it_can_once_its_own_stock_is_used(case: Case) -> None:
    own = given_by(case.plan())
    left = {sku: want - own[HERE, sku] for sku, want in case.demand.items() if want > own[HERE, sku]}
    elsewhere = {place: units for place, units in case.atp.items() if place[0] != HERE}
    assert len(case.plan().transfers) == fewest_legs(Case(left, elsewhere, case.donors))


def asked(
    *criteria: Criterion, demand: Mapping[str, int], atp: Mapping[tuple[str, str], int], **donor: Donor
) -> list[str]:
    return order(plan(demand, HERE, atp, donor.values(), by(*criteria)))


TWO = {("VAR01", "milk"): 4, ("DC", "milk"): 9}


@pytest.mark.parametrize(
    ("criterion", "one", "other"),
    [
        (nearest, Donor("DC", HOUR, 80.0, 500), Donor("VAR01", HOUR, 7.5, 500)),
        (nearest, Donor("DC", HOUR, None, 500), Donor("VAR01", HOUR, 7.5, 500)),
        (quickest, Donor("DC", 3 * HOUR, 7.5, 500), Donor("VAR01", HOUR, 7.5, 500)),
        (cheapest_transfer, Donor("DC", HOUR, 7.5, 501), Donor("VAR01", HOUR, 7.5, 500)),
        (cheapest_transfer, Donor("DC", HOUR, 7.5, None), Donor("VAR01", HOUR, 7.5, 0)),
    ],
)
def test_distance_time_and_cost_each_bring_varna_forward(criterion: Criterion, one: Donor, other: Donor) -> None:
    """Without them the alphabet decides, for the distribution centre."""
    assert asked(demand={"milk": 2}, atp=TWO, one=one, other=other) == ["DC"]
    assert asked(criterion, demand={"milk": 2}, atp=TWO, one=one, other=other) == ["VAR01"]


def test_highest_stock_asks_who_could_give_the_largest_multiple() -> None:
    """Nine cartons of two are more than 900 grams of 500."""
    atp = {("DC", "flour"): 900, ("VAR01", "milk"): 9, ("VAR01", "flour"): 500, ("DC", "milk"): 2}
    found = asked(highest_stock, demand={"milk": 2, "flour": 500}, atp=atp, a=Donor("DC", HOUR), b=Donor("VAR01", HOUR))
    assert found == ["VAR01"]


def test_spare_the_weak_leaves_nobody_without_when_somebody_can_give_and_keep_some() -> None:
    atp = {("DC", "milk"): 2, ("VAR01", "milk"): 3}
    found = asked(spare_the_weak, demand={"milk": 2}, atp=atp, a=Donor("DC", HOUR), b=Donor("VAR01", HOUR))
    assert found == ["VAR01"]


def test_spare_the_weak_then_takes_where_the_smallest_share_goes() -> None:
    atp = {("DC", "milk"): 4, ("VAR01", "milk"): 20}
    found = asked(spare_the_weak, demand={"milk": 2}, atp=atp, a=Donor("DC", HOUR), b=Donor("VAR01", HOUR))
    assert found == ["VAR01"]


def test_a_strategy_that_does_not_begin_here_may_leave_what_is_here() -> None:
    """One lorry with all of it, rather than one with the rest."""
    atp = {(HERE, "milk"): 1, ("DC", "milk"): 9}
    for criteria, chosen in (((fewest_splits,), ["DC"]), ((here_first, fewest_splits), [HERE, "DC"])):
        assert asked(*criteria, demand={"milk": 2}, atp=atp, one=Donor("DC", HOUR)) == chosen


def test_a_later_criterion_only_decides_where_the_earlier_ones_tie() -> None:
    near, cheap = Donor("DC", HOUR, 1.0, 900), Donor("VAR01", HOUR, 2.0, 100)
    for criteria, first in (((nearest, cheapest_transfer), "DC"), ((cheapest_transfer, nearest), "VAR01")):
        assert asked(*criteria, demand={"milk": 1}, atp=TWO, near=near, cheap=cheap) == [first]


def test_strategies_may_be_parts_of_others() -> None:
    assert by(here_first, by(fewest_splits, nearest)) == by(here_first, fewest_splits, nearest)


def test_a_criterion_of_ones_own_is_a_function_of_a_candidate() -> None:
    def not_the_centre(candidate: Candidate) -> Comparable:
        return candidate.store == "DC"

    assert asked(not_the_centre, demand={"milk": 1}, atp=TWO, a=Donor("DC", HOUR), b=Donor("VAR01", HOUR)) == ["VAR01"]


# --- what a plan says --------------------------------------------------------------------------------------


def test_a_plan_says_what_comes_from_where_and_when_all_of_it_is_there() -> None:
    atp = {(HERE, "milk"): 1, (HERE, "bread"): 5, ("DC", "milk"): 8, ("VAR01", "eggs"): 6}
    found = plan({"milk": 3, "bread": 1, "eggs": 12}, HERE, atp, [Donor("DC", 4 * HOUR), Donor("VAR01", 9 * HOUR)])
    assert found == Sourcing(
        HERE,
        (
            Leg(HERE, (("bread", 1), ("milk", 1)), timedelta(0)),
            Leg("DC", (("milk", 2),), 4 * HOUR),
            Leg("VAR01", (("eggs", 6),), 9 * HOUR),
        ),
        (("eggs", 6),),
    )
    assert (found.full, found.local, found.splits, found.arrives_in) == (False, False, 2, 9 * HOUR)
    assert [leg.store for leg in found.transfers] == ["DC", "VAR01"]


def test_what_the_store_has_itself_needs_no_time() -> None:
    found = plan({"milk": 3}, HERE, {(HERE, "milk"): 3, ("DC", "milk"): 3}, [Donor("DC", HOUR)])
    assert (found.full, found.local, found.splits, found.arrives_in) == (True, True, 0, timedelta(0))


def test_nothing_anywhere_is_a_plan_without_legs() -> None:
    found = plan({"milk": 3}, HERE, {}, [Donor("DC", HOUR)])
    assert (found.legs, found.missing, found.local, found.arrives_in) == ((), (("milk", 3),), True, timedelta(0))


def test_a_store_is_no_donor_to_itself() -> None:
    found = plan({"milk": 3}, HERE, {(HERE, "milk"): 3}, [Donor(HERE, HOUR)])
    assert found.legs == (Leg(HERE, (("milk", 3),), timedelta(0)),)


# --- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [0, -1, True, 1.5, "2", None])
def test_a_demand_that_is_no_quantity_is_refused(units: Any) -> None:
    with pytest.raises(InvalidQuantity):
        plan({"milk": units}, HERE, {}, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"transit": -HOUR}, {"transit": 3600}, {"transit": None}, {"distance_km": -1.0}, {"distance_km": "far"},
        {"distance_km": float("nan")}, {"distance_km": float("inf")}, {"distance_km": True},
        {"cost": -1}, {"cost": 1.5}, {"cost": True},
    ],
)  # fmt: skip
def test_a_way_that_no_lorry_can_take_is_refused(wrong: Mapping[str, object]) -> None:
    given: dict[str, Any] = {"store": "DC", "transit": HOUR, **wrong}
    with pytest.raises(InvalidInput) as refusal:
        Donor(**given)
    assert refusal.value.facts["field"] == next(iter(wrong))


def test_a_donor_has_a_stores_id() -> None:
    with pytest.raises(InvalidId):
        Donor("the centre", HOUR)


def test_a_strategy_is_made_of_functions() -> None:
    words: Any = "nearest"
    with pytest.raises(InvalidInput):
        by(words)
