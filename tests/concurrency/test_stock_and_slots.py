"""The last unit, the last place, and baskets that overlap: many customers at once, and never one too many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pytest
from attrs import evolve

from omniorder import Add, Channel, Customer, Promise
from omniorder.errors import OmniorderError
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import MANY, at_once, refused, won


def all_promise(shop: Shop, store: str, baskets: Sequence[Mapping[str, int]]) -> list[Promise | OmniorderError]:
    """Each basket is another customer's; all of them want the store's first slot, at the same moment."""
    touches = [shop.hub.at(Channel.WEB, Customer(f"customer-{n}")) for n in range(len(baskets))]
    carts = [touch.carts.start() for touch in touches]
    for touch, cart, basket in zip(touches, carts, baskets, strict=True):
        touch.carts.edit(cart.id, [Add(sku, count) for sku, count in basket.items()])
    offers = touches[0].checkout.offers(carts[0].id)
    slot = next(offer.slots[0].id for offer in offers if offer.store.id == store)
    return at_once(
        [partial(touch.checkout.promise, cart.id, slot=slot) for touch, cart in zip(touches, carts, strict=True)]
    )


def one_carton_is_left(shop: Shop) -> list[Promise | OmniorderError]:
    shop.office.stock.adjust(Shop.VARNA, Shop.MILK, -9, reason="counted")
    return all_promise(shop, Shop.VARNA, [{Shop.MILK: 1}] * MANY)


def test_the_last_unit_is_promised_once(shop: Shop) -> None:
    results = one_carton_is_left(shop)
    assert len(won(results)) == 1
    assert refused(results) == ["stock.short"] * (MANY - 1)
    assert shop.office.stock.level(Shop.VARNA, Shop.MILK).reserved == 1
    check_all(shop.hub)


def test_without_the_guard_the_last_unit_is_promised_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.take_stock_unasked(monkeypatch)
    assert len(won(one_carton_is_left(shop))) > 1


def one_place_is_left(shop: Shop) -> list[Promise | OmniorderError]:
    shop.office.stock.receive(Shop.MARKET, Shop.MILK, MANY)
    return all_promise(shop, Shop.MARKET, [{Shop.MILK: 1}] * MANY)


def test_the_last_place_is_given_once(shop: Shop) -> None:
    results = one_place_is_left(shop)
    assert len(won(results)) == 1
    assert refused(results) == ["slot.unavailable"] * (MANY - 1)
    assert shop.office.stock.level(Shop.MARKET, Shop.MILK).reserved == 1, "who got no place keeps no unit"
    check_all(shop.hub)


def test_without_the_guard_the_last_place_is_given_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.take_places_unasked(monkeypatch)
    assert len(won(one_place_is_left(shop))) > 1


def room_for_three_lines_is_left(shop: Shop) -> list[Promise | OmniorderError]:
    shop.office.stores.put(evolve(shop.office.stores.get(Shop.VARNA), slot_lines=3))
    shop.office.stock.receive(Shop.VARNA, Shop.BREAD, MANY)
    shop.office.stock.receive(Shop.VARNA, Shop.MILK, MANY)
    return all_promise(shop, Shop.VARNA, [{Shop.MILK: 1, Shop.BREAD: 1}] * MANY)


def test_the_last_lines_are_given_once(shop: Shop) -> None:
    results = room_for_three_lines_is_left(shop)
    assert len(won(results)) == 1
    assert refused(results) == ["slot.unavailable"] * (MANY - 1)
    assert shop.office.stock.level(Shop.VARNA, Shop.MILK).reserved == 1, "who got no place keeps no unit"
    check_all(shop.hub)


def test_without_the_guard_the_last_lines_are_given_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.take_places_unasked(monkeypatch)
    assert len(won(room_for_three_lines_is_left(shop))) > 1


SKUS = (Shop.APPLES, Shop.BREAD, Shop.MILK)


def overlapping_baskets(shop: Shop, customers: int) -> list[Promise | OmniorderError]:
    """Half of the customers put the same articles in their carts in the opposite order."""
    for sku in SKUS:
        shop.office.stock.receive(Shop.VARNA, sku, customers)
    orders = [SKUS if n % 2 else tuple(reversed(SKUS)) for n in range(customers)]
    return all_promise(shop, Shop.VARNA, [dict.fromkeys(order, 1) for order in orders])


def test_overlapping_baskets_never_deadlock(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    deadlocks = unguarded.deadlocks(monkeypatch)
    for _ in range(3):
        assert refused(overlapping_baskets(shop, MANY)) == []
        shop.advance(minutes=20)
    assert deadlocks == []
    check_all(shop.hub)


def test_overlapping_baskets_are_counted_exactly(shop: Shop) -> None:
    results = overlapping_baskets(shop, MANY)
    levels = shop.office.stock.levels(Shop.VARNA, SKUS)
    assert [level.reserved for level in levels] == [len(won(results))] * len(SKUS) == [MANY] * len(SKUS)


def test_without_the_lock_order_overlapping_baskets_deadlock(
    shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite there is one writer at a time, and nothing to deadlock with."""
    unguarded.lock_in_any_order(monkeypatch)
    deadlocks = unguarded.deadlocks(monkeypatch)
    overlapping_baskets(shop_on_postgres, 2)
    assert deadlocks
