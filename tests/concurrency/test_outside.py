"""Many customers and several sweeps over a stock system outside, all at once: what is there is promised once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from omniorder import Card, Channel, Customer, Order
from omniorder.errors import OutOfStock
from omniorder.testing import FakeClock, FakeInventory
from omniorder.testing.shop import Shop
from tests.concurrency.threads import MANY, at_once, refused, won
from tests.services.outside import assert_it_followed

THERE = 5


def buy(shop: Shop, number: int, slots: list[str]) -> Order:
    """A customer's whole way from a basket with one carton to an order."""
    touch = shop.hub.at(Channel.APP, Customer(f"customer-{number}"))
    cart = touch.carts.add(touch.carts.start().id, Shop.MILK, 1)
    promise = touch.checkout.promise(cart.id, slot=slots[number % len(slots)])
    return touch.checkout.place(promise.id, pay=Card("pm_card_visa"))


def everybody_buys(shop: Shop, inventory: FakeInventory) -> list[Any]:
    """What became of many who want the few cartons that there are, while sweeps go over the shop."""
    inventory.sell(Shop.SOFIA, Shop.MILK, 40 - THERE)
    cart = shop.app.carts.add(shop.app.carts.start().id, Shop.MILK, 1)
    offer = next(one for one in shop.app.checkout.offers(cart.id) if one.store.id == Shop.SOFIA)
    slots = [slot.id for slot in offer.slots[:4]]
    works: list[Callable[[], object]] = [partial(buy, shop, number, slots) for number in range(MANY)]
    return at_once([*works, *[shop.hub.sweep] * 4])


class ForgetsWhatItHolds(FakeInventory):
    """The control: it promises everybody what lies on its shelf."""

    def _free(self, store: str, sku: str, but: str = "") -> int:
        return self.on_hand(store, sku)


def test_customers_and_sweeps_at_once_leave_both_sides_alike(database_url: str) -> None:
    clock = FakeClock()
    inventory = FakeInventory(clock=clock)
    with Shop.example(database_url, clock=clock, outside=inventory) as shop:
        sweeps: list[Callable[[], object]] = [shop.hub.sweep] * 4
        results = everybody_buys(shop, inventory)
        bought = [one for one in won(results) if isinstance(one, Order)]
        assert (len(bought), set(refused(results))) == (THERE, {OutOfStock.code})
        shop.hub.sweep()
        assert_it_followed(shop, inventory)
        assert {inventory.limit(order.reservation_id) for order in bought} == {None}
        cancelled = bought[0]
        touch = shop.hub.at(Channel.APP, Customer(cancelled.owner.partition(":")[2]))
        calls: list[Callable[[], object]] = [partial(touch.orders.cancel, cancelled.id)] * 2
        at_once([*calls, *sweeps])
        shop.hub.sweep()
        assert_it_followed(shop, inventory)
        assert inventory.available([Shop.SOFIA], [Shop.MILK]) == {(Shop.SOFIA, Shop.MILK): 1}


def test_without_the_guard_more_is_bought_than_there_is(database_url: str) -> None:
    clock = FakeClock()
    inventory = ForgetsWhatItHolds(clock=clock)
    with Shop.example(database_url, clock=clock, outside=inventory) as shop:
        assert sum(isinstance(one, Order) for one in everybody_buys(shop, inventory)) > THERE


def test_without_a_sweep_the_other_side_is_not_told(database_url: str) -> None:
    """The control of what is asserted of both sides: they do differ in between."""
    clock = FakeClock()
    inventory = FakeInventory(clock=clock)
    with Shop.example(database_url, clock=clock, outside=inventory) as shop:
        cart = shop.app.carts.add(shop.app.carts.start().id, Shop.MILK, 1)
        offer = next(one for one in shop.app.checkout.offers(cart.id) if one.store.id == Shop.SOFIA)
        buy(shop, 1, [slot.id for slot in offer.slots[:4]])
        with pytest.raises(AssertionError):
            assert_it_followed(shop, inventory)
