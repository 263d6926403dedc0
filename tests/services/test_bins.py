"""Bins and lockers: how many orders lie in each, where there is room, and when they are free again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from omniorder import Article, Bin, BinUse, Order, PickupState, Service, Temperature
from omniorder.errors import BinFull, InvalidInput, NotFound
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import handed_over, part, picked, placed, ready, refused

SHELF, FRIDGE, LOCKER = Bin("C4", holds=2), Bin("F2", Temperature.CHILLED), Bin("L1", locker=True)


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """A store with a shelf, a fridge and a locker."""
    return equipped(open_shop())


def equipped(shop: Shop) -> Shop:
    shop.office.stores.put(evolve(shop.office.stores.get(shop.SOFIA), bins=[SHELF, FRIDGE, LOCKER]))
    return shop


def lying(shop: Shop) -> dict[str, tuple[str, ...]]:
    """The orders in each bin; the storage counts as many."""
    check_all(shop.hub)
    return {one.bin.code: one.orders for one in shop.store.picking.bins() if one.orders}


# --- taken ------------------------------------------------------------------------------------------------


def test_an_order_may_lie_in_several_places_of_which_the_declared_ones_count(shop: Shop) -> None:
    order = picked(shop, placed(shop))
    after = shop.store.pickups.ready(order.id, staged_at=["C4", "F2", "by the door"])
    assert (after.pickup.staged_at, after.pickup.bins) == ("C4, F2, by the door", ("C4", "F2"))
    assert shop.store.pickups.ready(order.id, staged_at="C4, F2, by the door") == after
    assert lying(shop) == {"C4": (order.id,), "F2": (order.id,)}


def test_a_bin_holds_no_more_than_was_declared(shop: Shop) -> None:
    first, second = ready(shop), ready(shop, nth=1)
    third = picked(shop, placed(shop, nth=2))
    error = refused(BinFull, shop.store.pickups.ready, third.id, staged_at=["F2", "C4"])
    assert error.facts == {"store": shop.SOFIA, "bin": "C4", "holds": 2}
    assert shop.office.orders.get(third.id) == third
    assert lying(shop) == {"C4": tuple(sorted((first.id, second.id)))}
    shop.store.pickups.ready(third.id, staged_at="F2")
    refused(BinFull, shop.store.pickups.restage, first.id, "F2")
    assert shop.store.pickups.restage(first.id, ["L1"]).pickup.bins == ("L1",)
    assert lying(shop) == {"C4": (second.id,), "F2": (third.id,), "L1": (first.id,)}


def test_what_lay_in_a_bin_before_it_was_made_smaller_stays_there(shop: Shop) -> None:
    first, second = ready(shop), ready(shop, nth=1)
    shop.office.stores.put(evolve(shop.office.stores.get(shop.SOFIA), bins=[Bin("C4")]))
    assert shop.store.pickups.restage(first.id, ["C4", "on top"]).pickup.bins == ("C4",)
    handed_over(shop, first)
    assert lying(shop) == {"C4": (second.id,)}


def test_where_no_bins_are_declared_nothing_is_counted(open_shop: OpenShop) -> None:
    shop = open_shop()
    orders = [ready(shop, nth=n) for n in range(2)]
    assert [order.pickup.bins for order in orders] == [(), ()]
    assert (lying(shop), shop.store.picking.bins()) == ({}, ())
    with shop.hub._parts.storage.reading() as tx:
        assert dict(tx.in_bins(shop.SOFIA)) == {}


# --- free again -------------------------------------------------------------------------------------------


def no_show(shop: Shop, order: Order) -> None:
    shop.advance(days=14)
    shop.hub.sweep()


WAYS: dict[str, tuple[Callable[[Shop, Order], object], PickupState]] = {
    "collected": (handed_over, PickupState.COLLECTED),
    "cancelled": (lambda shop, order: shop.app.orders.cancel(order.id), PickupState.CANCELLED),
    "not collected": (no_show, PickupState.LAPSED),
    "unreadied": (lambda shop, order: shop.store.pickups.unready(order.id, reason="leaks"), PickupState.PICKING),
    "restaged": (lambda shop, order: shop.store.pickups.restage(order.id, "by the door"), PickupState.READY),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_bin_is_free_as_soon_as_the_goods_are_gone(shop: Shop, way: str) -> None:
    order = ready(shop)
    assert lying(shop) == {"C4": (order.id,)}
    gone, state = WAYS[way]
    gone(shop, order)
    after = shop.office.orders.get(order.id).pickup
    assert (after.state, after.bins) == (state, ())
    assert lying(shop) == {}
    assert shop.store.picking.bins()[0].free


@pytest.mark.parametrize("end", ["collected", "lapsed", "cancelled"])
def test_the_rest_keeps_its_bins_until_it_is_gone_too(shop: Shop, end: str) -> None:
    order = ready(shop)
    handed_over(shop, order, lines=part(order, 1))
    assert lying(shop) == {"C4": (order.id,)}
    match end:
        case "collected":
            handed_over(shop, order)
        case "lapsed":
            no_show(shop, order)
        case _:
            shop.office.orders.cancel(order.id)
    assert lying(shop) == {}


# --- which to take ----------------------------------------------------------------------------------------


def test_each_temperature_of_the_goods_gets_a_bin_with_room(shop: Shop) -> None:
    shop.office.articles.put(Article(shop.BREAD, "Rye bread", temperature=Temperature.CHILLED))
    order, other = placed(shop, {shop.MILK: 1, shop.BREAD: 1}), picked(shop, placed(shop))
    assert shop.store.picking.suggest(order.id) == {Temperature.AMBIENT: SHELF, Temperature.CHILLED: FRIDGE}
    shop.store.pickups.ready(other.id, staged_at="F2")
    assert shop.store.picking.suggest(order.id) == {Temperature.AMBIENT: SHELF, Temperature.CHILLED: None}
    shop.store.pickups.restage(other.id, "C4")
    picked(shop, order)
    shop.store.pickups.ready(order.id, staged_at=["C4", "F2"])
    own = {Temperature.AMBIENT: SHELF, Temperature.CHILLED: FRIDGE}
    assert shop.store.picking.suggest(order.id) == own, "where it lies there is room for it"
    refused(NotFound, shop.elsewhere.picking.suggest, order.id)


def test_lockers_are_for_those_who_collect_from_lockers(open_shop: OpenShop) -> None:
    shop = equipped(open_shop())
    store = shop.office.stores.get(shop.SOFIA)
    shop.office.stores.put(evolve(store, services=[*store.services, Service.LOCKERS]))
    order = placed(shop, collect=Service.LOCKERS)
    assert shop.store.picking.suggest(order.id) == {Temperature.AMBIENT: LOCKER}


def test_bins_are_listed_by_their_temperature(shop: Shop) -> None:
    assert shop.store.picking.bins(Temperature.CHILLED) == (BinUse(FRIDGE, ()),)
    assert shop.store.picking.bins(Temperature.FROZEN) == ()
    refused(InvalidInput, shop.store.picking.bins, "chilled")
