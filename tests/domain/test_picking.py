"""The walk through the store, and which orders will be late."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from omniorder.domain.answers import Approved
from omniorder.domain.articles import Article
from omniorder.domain.handling import Handling, Temperature
from omniorder.domain.orders import Order
from omniorder.domain.picking import Pace, Risk, risk, task, walk
from omniorder.domain.stores import Store
from omniorder.errors import InvalidInput
from omniorder.testing import samples

PACE = Pace(order=timedelta(minutes=2), line=timedelta(minutes=1), spare=timedelta(minutes=10))
STORE = Store("SOF01", zone="Europe/Sofia", hours="24/7", walk=("Fruit", "Bread"))
AISLES = ["", "A2", "A10", "Bread", "Fruit"]


def confirmed(number: int = 1) -> Order:
    return samples.heard(samples.paying(samples.order(number)), Approved(samples.order(number).total, "pi_1"))


@pytest.mark.parametrize(
    ("minutes", "seen"), [(15, Risk.ON_TIME), (14, Risk.AT_RISK), (5, Risk.AT_RISK), (4, Risk.LATE), (-60, Risk.LATE)]
)
def test_an_order_is_late_when_it_can_not_be_picked_before_its_window(minutes: int, seen: Risk) -> None:
    order = confirmed()
    assert len(order.lines) == 3
    assert risk(order, order.pickup.starts - timedelta(minutes=minutes), PACE) is seen


def test_the_work_list_says_what_to_look_out_for() -> None:
    order = confirmed()
    cold = Handling(Temperature.FROZEN, age_restricted=True)
    order = evolve(order, lines=(evolve(order.lines[0], handling=cold), *order.lines[1:]))
    found = task(order, order.placed_at, PACE)
    assert (found.lines, found.age_check) == (3, True)
    assert Temperature.FROZEN in found.temperatures
    assert found.ready_by == order.pickup.starts
    assert str(found.ready_by.tzinfo) == order.pickup.zone


@given(st.lists(st.sampled_from(AISLES), min_size=3, max_size=3), st.permutations([1, 2, 3]))
@settings(max_examples=50)
def test_a_walk_passes_each_shelf_once_whatever_the_order_of_the_orders(aisles: list[str], numbers: list[int]) -> None:
    orders = [confirmed(number) for number in numbers]
    skus = [line.sku for line in orders[0].lines]
    articles = {sku: Article(sku, sku, aisle=aisle) for sku, aisle in zip(skus, aisles, strict=True)}
    found = walk(orders, articles, STORE)
    assert found == walk(orders[::-1], articles, STORE)
    passed = [step.sku for step in found.steps]
    assert len(passed) == 9
    assert all(len({i for i, sku in enumerate(passed) if sku == one}) == 3 for one in skus)
    assert passed[:3].count(passed[0]) == 3


def test_aisles_come_as_the_store_has_them_then_by_number_and_cold_goods_last() -> None:
    order = confirmed()
    line = order.lines[0]
    skus = {"F": "Fruit", "B": "Bread", "A2": "A2", "A10": "A10", "NOWHERE": ""}
    lines = [evolve(line, id=f"ln_{sku}", sku=sku) for sku in skus]
    cold = [
        evolve(line, id="ln_ICE", sku="ICE", handling=Handling(Temperature.FROZEN)),
        evolve(line, id="ln_MILK", sku="MILK", handling=Handling(Temperature.CHILLED)),
    ]
    every = (*cold, *lines)
    parts = tuple(evolve(order.pickup.lines[0], line=one.id) for one in every)
    order = evolve(order, lines=every, pickup=evolve(order.pickup, lines=parts))
    articles = {sku: Article(sku, sku, aisle=aisle) for sku, aisle in skus.items()}
    assert [step.sku for step in walk([order], articles, STORE).steps] == [
        "F", "B", "A2", "A10", "NOWHERE", "MILK", "ICE"
    ]  # fmt: skip


@pytest.mark.parametrize("parts", [{"order": "x"}, {"line": timedelta(seconds=-1)}, {"spare": 5}])
def test_a_pace_is_made_of_durations(parts: dict[str, timedelta]) -> None:
    with pytest.raises(InvalidInput):
        Pace(**parts)
