"""The stock desk: what came in, what was miscounted, what is kept back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omniorder import Article, Level, Store
from omniorder.errors import InvalidText, Misconfigured, NotFound, OutOfStock, TooMany
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    VISA,
    filled,
    free_slot,
    handed_over,
    level,
    placed,
    promised,
    ready,
    refused,
)


def test_what_comes_in_can_be_promised_at_once(shop: Shop) -> None:
    found = shop.store.stock.receive("SOF01", Shop.BREAD, 7, reason="delivery", reference="DN-7")
    assert found == Level("SOF01", Shop.BREAD, on_hand=12)
    assert found.available == 12


def test_the_movements_of_a_level_add_up_to_it(shop: Shop) -> None:
    shop.clock.advance(minutes=1)
    shop.store.stock.receive("SOF01", Shop.MILK, 12)
    shop.clock.advance(minutes=1)
    shop.store.stock.adjust("SOF01", Shop.MILK, -3, reason="broken")
    shop.clock.advance(minutes=1)
    handed_over(shop, ready(shop))
    moves = shop.store.stock.movements("SOF01", Shop.MILK).items
    assert [(move.kind.value, move.quantity) for move in moves] == [
        ("receive", 40),
        ("receive", 12),
        ("adjust", -3),
        ("collect", -2),
    ]
    assert sum(move.quantity for move in moves) == level(shop)[0]


def test_movements_come_in_pages_that_lose_and_repeat_nothing(shop: Shop) -> None:
    for _ in range(4):
        shop.store.stock.receive("SOF01", Shop.BREAD, 1)
    seen: list[str] = []
    after = None
    while True:
        page = shop.store.stock.movements("SOF01", Shop.BREAD, limit=2, after=after)
        seen += [move.id for move in page.items]
        if page.next is None:
            break
        after = page.next
    assert (len(seen), len(set(seen))) == (5, 5)


def test_a_count_below_what_is_promised_opens_a_shortage_that_staff_can_see(shop: Shop) -> None:
    placed(shop, {Shop.BREAD: 4})
    found = shop.store.stock.adjust("SOF01", Shop.BREAD, -3, reason="mouse")
    assert (found.on_hand, found.reserved, found.shortage, found.available) == (2, 4, 2, 0)


def test_nothing_is_promised_out_of_a_shortage(shop: Shop) -> None:
    placed(shop, {Shop.BREAD: 4})
    shop.store.stock.adjust("SOF01", Shop.BREAD, -3, reason="mouse")
    cart = filled(shop, {Shop.BREAD: 1}, touch=shop.stranger)
    slot = free_slot(shop, cart, touch=shop.stranger)
    error = refused(OutOfStock, shop.stranger.checkout.promise, cart.id, slot=slot)
    assert error.facts["short"] == [{"sku": Shop.BREAD, "wanted": 1, "available": 0}]


def test_goods_that_the_books_did_not_know_are_found_when_they_are_handed_over(shop: Shop) -> None:
    order = ready(shop, {Shop.BREAD: 4})
    shop.store.stock.adjust("SOF01", Shop.BREAD, -3, reason="mouse")
    handed_over(shop, order)
    assert level(shop, Shop.BREAD) == (0, 0)
    kinds = {move.kind.value for move in shop.store.stock.movements("SOF01", Shop.BREAD).items}
    assert "found" in kinds


def test_the_books_never_go_below_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    before = stored()
    refused(OutOfStock, shop.store.stock.adjust, "SOF01", Shop.BREAD, -6, reason="count")
    assert stored() == before


def test_an_adjustment_says_why(shop: Shop) -> None:
    refused(InvalidText, shop.store.stock.adjust, "SOF01", Shop.BREAD, -1, reason="")


def test_what_is_kept_back_is_never_promised(shop: Shop) -> None:
    assert shop.store.stock.keep_back("SOF01", Shop.BREAD, 3).available == 2
    cart = filled(shop, {Shop.BREAD: 3})
    refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=free_slot(shop, cart))


def test_keeping_nothing_back_gives_it_free_again(shop: Shop) -> None:
    shop.store.stock.keep_back("SOF01", Shop.BREAD, 3)
    assert shop.store.stock.keep_back("SOF01", Shop.BREAD, 0).available == 5


def test_units_can_be_kept_back_before_the_first_delivery(shop: Shop) -> None:
    shop.office.articles.put(Article("TEA", "Mountain tea"))
    shop.office.stock.keep_back("SOF01", "TEA", 2)
    assert shop.office.stock.receive("SOF01", "TEA", 3).available == 1


def test_keeping_more_back_takes_nothing_from_who_was_promised(shop: Shop) -> None:
    promise = promised(shop, {Shop.BREAD: 5})
    found = shop.store.stock.keep_back("SOF01", Shop.BREAD, 5)
    assert (found.reserved, found.available) == (5, 0)
    assert shop.app.checkout.place(promise.id, pay=VISA).confirmed_at is not None


def test_levels_come_in_the_order_asked_for_with_zeros_for_the_unknown(shop: Shop) -> None:
    found = shop.office.stock.levels("VAR01", [Shop.APPLES, Shop.MILK, "NEVER-SEEN", Shop.MILK])
    assert [(one.sku, one.on_hand) for one in found] == [
        (Shop.APPLES, 0),
        (Shop.MILK, 10),
        ("NEVER-SEEN", 0),
        (Shop.MILK, 10),
    ]


def test_too_many_levels_at_once_are_refused(shop: Shop) -> None:
    refused(TooMany, shop.office.stock.levels, "SOF01", [Shop.MILK] * 10_001)


@pytest.mark.parametrize(("store", "sku", "kind"), [("GONE", Shop.MILK, "store"), ("SOF01", "GONE", "article")])
def test_an_unknown_store_or_article_is_not_found(shop: Shop, store: str, sku: str, kind: str) -> None:
    assert refused(NotFound, shop.office.stock.receive, store, sku, 1).facts["kind"] == kind


def test_a_retailers_own_inventory_has_no_ledger_to_receive_into(open_shop: OpenShop) -> None:
    class Warehouse:
        """Somebody else's stock system; only its presence matters here."""

        def __getattr__(self, name: str) -> Callable[..., dict[str, int]]:
            return lambda *_, **__: {}

    shop = open_shop(inventory=Warehouse(), stocked=False)
    shop.office.stores.put(Store("SOF01", zone="Europe/Sofia", hours="24/7"))
    refused(Misconfigured, shop.office.stock.receive, "SOF01", Shop.MILK, 1)
