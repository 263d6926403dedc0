"""Picking with a handheld: whose order it is, one walk for several, scans, and what comes of mistakes."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from omniorder import Add, Article, Associate, Channel, Order, PickupState, Risk, Settings, StoreTouchpoint, Unit
from omniorder.domain.barcodes import check_digit
from omniorder.errors import (
    AlreadyClaimed,
    IllegalTransition,
    InvalidBarcode,
    InvalidInput,
    InvalidQuantity,
    NotFound,
    NotToPick,
    WeightOutOfTolerance,
)
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import placed, ready, refused

MILK, BREAD = "9506000134352", "4006381333931"


def associate(shop: Shop, name: str) -> StoreTouchpoint:
    return shop.hub.at(Channel.STORE, Associate(name, store=shop.SOFIA))


def labelled(shop: Shop) -> None:
    """Barcodes on everything, and places in the store."""
    shop.office.articles.put(
        Article(shop.MILK, "Oat milk 1 l", gtins=(MILK,), aisle="A2"),
        Article(shop.BREAD, "Rye bread", gtins=(BREAD,), aisle="A1"),
        Article(shop.CHEESE, "Gouda", Unit.GRAM, tolerance="0.10", scale_item="42", aisle="A3"),
    )


def weighed(grams: int) -> str:
    digits = f"2100042{grams:05}"
    return digits + check_digit(digits)


def of(shop: Shop, order: Order) -> Order:
    return shop.office.orders.get(order.id)


# --- whose it is ------------------------------------------------------------------------------------------


def test_the_work_list_shows_what_is_wanted_first_and_whose_it_is(shop: Shop) -> None:
    later, sooner = placed(shop, nth=3), placed(shop, nth=0)
    shop.store.picking.claim(sooner.id)
    first, second = shop.store.picking.work().items
    assert [first.order, second.order] == [sooner.id, later.id]
    assert (first.pickers, second.pickers) == (("associate:ivan@SOF01",), ())
    assert (first.risk, second.lines) == (Risk.ON_TIME, 1)
    ready(shop)
    assert len(shop.store.picking.work().items) == 2


def test_two_never_pick_the_same_order_unless_they_join(shop: Shop) -> None:
    order = placed(shop)
    shop.store.picking.claim(order.id)
    petar, line = associate(shop, "petar"), order.lines[0].id
    for call in (partial(petar.picking.claim, order.id), partial(petar.pickups.pick, order.id, line, 1)):
        assert refused(AlreadyClaimed, call).facts["pickers"] == "associate:ivan@SOF01"
    petar.picking.join(order.id)
    petar.pickups.pick(order.id, line, 1)
    shop.store.pickups.pick(order.id, line, 1)
    assert shop.store.pickups.ready(order.id).pickup.pickers == ()
    check_all(shop.hub)


def test_who_picks_what_nobody_has_claimed_claims_it(shop: Shop) -> None:
    order = placed(shop)
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    assert of(shop, order).pickup.pickers == ("associate:ivan@SOF01",)
    refused(AlreadyClaimed, associate(shop, "petar").picking.claim, order.id)
    shop.store.picking.leave(order.id)
    associate(shop, "petar").picking.claim(order.id)
    assert of(shop, order).pickup.lines[0].picked == 1


def test_the_next_one_is_whatever_nobody_has(shop: Shop) -> None:
    first, second = placed(shop), placed(shop, nth=1)
    assert shop.store.picking.claim(first.id).id == first.id
    found = associate(shop, "petar").picking.claim_next()
    assert found is not None
    assert found.id == second.id
    assert associate(shop, "maria").picking.claim_next() is None


def test_what_is_not_to_be_picked_is_nobodys(shop: Shop) -> None:
    refused(IllegalTransition, shop.store.picking.claim, ready(shop).id)
    refused(NotFound, shop.elsewhere.picking.claim, placed(shop).id)


# --- a wave -----------------------------------------------------------------------------------------------


def test_a_wave_is_one_walk_for_several_orders(shop: Shop) -> None:
    labelled(shop)
    orders = [placed(shop, {shop.MILK: 1, shop.BREAD: 1}, nth=n) for n in range(2)]
    walk = shop.store.picking.wave(most=5)
    assert set(walk.orders) == {order.id for order in orders}
    assert [(step.sku, step.tote) for step in walk.steps] == [
        (shop.BREAD, 1), (shop.BREAD, 2), (shop.MILK, 1), (shop.MILK, 2)
    ]  # fmt: skip
    assert shop.store.picking.walk() == walk
    assert associate(shop, "petar").picking.wave().steps == ()


def test_a_wave_of_named_orders_is_all_or_none(shop: Shop) -> None:
    mine, taken = placed(shop), placed(shop, nth=1)
    associate(shop, "petar").picking.claim(taken.id)
    refused(AlreadyClaimed, shop.store.picking.wave, [mine.id, taken.id])
    assert of(shop, mine).pickup.pickers == ()


def test_a_handheld_that_crashed_goes_on_where_it_was(shop: Shop) -> None:
    labelled(shop)
    placed(shop, {shop.MILK: 2, shop.BREAD: 1})
    shop.store.picking.wave()
    shop.store.picking.scan(MILK)
    left = [(step.sku, step.least) for step in associate(shop, "ivan").picking.walk().steps]
    assert left == [(shop.BREAD, 1), (shop.MILK, 1)]


# --- scans ------------------------------------------------------------------------------------------------


def test_each_scan_is_a_unit_for_the_first_order_that_wants_it(shop: Shop) -> None:
    labelled(shop)
    orders = [placed(shop, {shop.MILK: 1}, nth=n) for n in range(2)]
    walk = shop.store.picking.wave()
    totes = [shop.store.picking.scan(MILK).tote for _ in orders]
    assert totes == [1, 2]
    assert [shop.store.pickups.ready(order_id).pickup.state for order_id in walk.orders] == [PickupState.READY] * 2


def test_a_scan_that_is_sent_twice_counts_once(shop: Shop) -> None:
    labelled(shop)
    orders = [placed(shop, {shop.MILK: 1}, nth=n) for n in range(2)]
    shop.store.picking.wave()
    scan = partial(shop.store.picking.scan, MILK, key="scan-1")
    first, again = scan(), scan()
    assert (first.units, again.units, again.order.id) == (1, 0, first.order.id)
    assert sum(of(shop, order).pickup.lines[0].picked for order in orders) == 1


def test_the_label_of_the_scales_says_what_was_weighed(shop: Shop) -> None:
    labelled(shop)
    order = placed(shop, {shop.CHEESE: 500})
    shop.store.picking.claim(order.id)
    assert refused(WeightOutOfTolerance, shop.store.picking.scan, weighed(600)).facts["most"] == 550
    assert shop.store.picking.scan(weighed(517)).units == 517
    assert shop.store.pickups.ready(order.id).pickup.lines[0].quantity == 517


def test_of_two_lines_of_one_article_the_one_that_it_fits_is_picked(shop: Shop) -> None:
    labelled(shop)
    order = shop.app.orders.change(placed(shop, {shop.CHEESE: 300}).id, edits=[Add(shop.CHEESE, 900)])
    shop.store.picking.claim(order.id)
    small, large = (line.id for line in order.every_line)
    assert shop.store.picking.scan(weighed(910)).line == large
    assert shop.store.picking.scan(weighed(310)).line == small
    assert shop.store.pickups.ready(order.id).pickup.state is PickupState.READY


def test_what_nobody_ordered_is_not_picked(shop: Shop) -> None:
    labelled(shop)
    order = placed(shop, {shop.MILK: 1})
    scan = shop.store.picking.scan
    assert refused(NotToPick, scan, MILK).facts["reason"] == "no_orders"
    shop.store.picking.claim(order.id)
    assert refused(NotToPick, scan, BREAD).facts["reason"] == "not_ordered"
    refused(InvalidBarcode, scan, MILK[:-1] + "0")
    scan(MILK)
    assert refused(NotToPick, scan, MILK).facts["reason"] == "all_picked"
    assert of(shop, order).pickup.lines[0].picked == 1


def test_loose_goods_need_the_scales(shop: Shop) -> None:
    shop.office.articles.put(Article(shop.APPLES, "Apples", Unit.GRAM, gtins=(MILK,)))
    order = placed(shop, {shop.APPLES: 800})
    shop.store.picking.claim(order.id)
    refused(InvalidInput, shop.store.picking.scan, MILK)
    assert shop.store.picking.scan(MILK, quantity=800).left == 0


def test_a_shop_says_how_its_scales_write(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(scale_labels=()))
    labelled(shop)
    shop.store.picking.claim(placed(shop, {shop.CHEESE: 500}).id)
    assert refused(NotToPick, shop.store.picking.scan, weighed(500)).facts["reason"] == "not_ordered"


# --- mistakes ---------------------------------------------------------------------------------------------


def test_what_was_picked_by_mistake_is_put_back(shop: Shop) -> None:
    order = placed(shop)
    line = order.lines[0].id
    shop.store.pickups.pick(order.id, line, 2)
    put_back = partial(shop.store.picking.put_back, order.id, line, 1, key="undo-1")
    put_back()
    assert put_back().pickup.lines[0].picked == 1
    refused(InvalidQuantity, shop.store.picking.put_back, order.id, line, 2)
    refused(AlreadyClaimed, associate(shop, "petar").picking.put_back, order.id, line, 1)
    check_all(shop.hub)


def test_ready_goods_may_lie_somewhere_else(shop: Shop) -> None:
    order = ready(shop)
    assert shop.store.pickups.restage(order.id, "Fridge 2").pickup.staged_at == "Fridge 2"
    refused(IllegalTransition, shop.store.pickups.restage, placed(shop).id, "C4")


@pytest.mark.parametrize("orders", [[], "SOF01-7K3F9Q", ["a"] * 51, ["a", "a"]])
def test_a_wave_names_each_of_its_orders_once(shop: Shop, orders: list[str]) -> None:
    refused(InvalidInput, shop.store.picking.wave, orders)


# --- asked twice, or wrongly --------------------------------------------------------------------------------


def test_a_wave_and_a_claim_that_are_sent_twice_claim_once(shop: Shop) -> None:
    orders = [placed(shop, nth=n % 2) for n in range(4)]
    wave = partial(shop.store.picking.wave, most=2, key="wave-1")
    assert wave() == wave()
    claim = partial(shop.store.picking.claim_next, key="next-1")
    first, again = claim(), claim()
    assert first is not None
    assert again is not None
    assert first.id == again.id
    assert sum(bool(of(shop, order).pickup.pickers) for order in orders) == 3


def test_no_two_orders_on_a_walk_share_a_tote_and_named_ones_keep_their_sequence(shop: Shop) -> None:
    orders = [placed(shop, nth=n % 2) for n in range(4)]
    named = sorted((order.id for order in orders[:2]), reverse=True)
    assert shop.store.picking.wave(named).orders == tuple(named)
    shop.store.picking.wave()
    assert sorted(of(shop, order).pickup.tote for order in orders) == [1, 2, 3, 4]


def test_only_the_orders_of_a_day_are_taken(shop: Shop) -> None:
    order = placed(shop)
    day = order.pickup.window[0].date()
    assert shop.store.picking.claim_next(day=day - timedelta(days=1)) is None
    assert shop.store.picking.wave(day=day - timedelta(days=1)).orders == ()
    assert shop.store.picking.wave(day=day).orders == (order.id,)


def test_a_label_with_a_weight_is_one_piece_of_what_is_sold_by_the_piece(shop: Shop) -> None:
    labelled(shop)
    shop.store.picking.claim(placed(shop, {shop.MILK: 3}).id)
    assert shop.store.picking.scan(f"(01)0{MILK}(3103)000002").units == 1


def test_a_scan_for_one_order_claims_it_unless_it_is_a_colleagues(shop: Shop) -> None:
    labelled(shop)
    free, taken = placed(shop, {shop.MILK: 1}), placed(shop, {shop.MILK: 1}, nth=1)
    associate(shop, "petar").picking.claim(taken.id)
    scan = shop.store.picking.scan
    error = refused(AlreadyClaimed, partial(scan, MILK, order_id=taken.id))
    assert str(error).endswith("picked by petar")
    refused(NotFound, partial(shop.elsewhere.picking.scan, MILK, order_id=free.id))
    assert scan(MILK, order_id=free.id).order.pickup.pickers == ("associate:ivan@SOF01",)


@pytest.mark.parametrize("orders", [5, [5], [[]], {"a": 1}])
def test_a_wave_of_what_are_no_orders_is_refused(shop: Shop, orders: list[str]) -> None:
    refused(InvalidInput, shop.store.picking.wave, orders)
