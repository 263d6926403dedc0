"""Shortages: what is missing, whom it endangers, and how it ends."""

from __future__ import annotations

from collections.abc import Callable

from omniorder import Article, Endangered, Level, Money, Order, Page, Price, Shortage
from omniorder.errors import NotFound
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.steps import handed_over, placed, promised, ready, refused

BREAD = Shop.BREAD
"""Of which Sofia has five."""


def shortages(shop: Shop) -> tuple[Shortage, ...]:
    return shop.store.stock.shortages(Shop.SOFIA).items


def endangered(shop: Shop) -> list[tuple[str, int]]:
    """The orders that hold the bread that is missing, and how much of it."""
    (found,) = shortages(shop)
    return [(one.order, one.quantity) for one in found.orders]


def held(order: Order, units: int) -> Endangered:
    return Endangered(order.id, units, order.pickup.starts)


def test_where_nothing_is_missing_there_is_no_shortage(shop: Shop) -> None:
    placed(shop, {BREAD: 5})
    assert shop.store.stock.shortages(Shop.SOFIA) == Page((), None)


def test_a_count_below_what_is_reserved_shows_whom_it_endangers_the_latest_pickup_first(shop: Shop) -> None:
    """There is most time left to ask them; and what somebody else ordered is nobody's concern."""
    first = placed(shop, {BREAD: 2}, nth=0)
    last = placed(shop, {BREAD: 1, Shop.MILK: 1}, nth=3)
    middle = placed(shop, {BREAD: 2}, nth=1)
    placed(shop, {Shop.MILK: 3}, nth=2)
    shop.store.stock.count(Shop.SOFIA, BREAD, 3)
    orders = (held(last, 1), held(middle, 2), held(first, 2))
    assert shortages(shop) == (Shortage(Level(Shop.SOFIA, BREAD, 3, 5), orders),)


def test_units_that_are_only_promised_are_missing_too_and_no_order_holds_them(shop: Shop) -> None:
    promised(shop, {BREAD: 4})
    shop.store.stock.count(Shop.SOFIA, BREAD, 3)
    assert shortages(shop) == (Shortage(Level(Shop.SOFIA, BREAD, 3, 4), ()),)
    shop.advance(minutes=20)
    assert shortages(shop) == ()


def test_a_shortage_ends_when_the_units_turn_up(shop: Shop) -> None:
    ends: list[Callable[[], object]] = [
        lambda: shop.store.stock.count(Shop.SOFIA, BREAD, 4),
        lambda: shop.store.stock.receive(Shop.SOFIA, BREAD, 1),
        lambda: shop.store.stock.adjust(Shop.SOFIA, BREAD, 1, reason="behind the oven"),
        lambda: shop.store.stock.take_back(Shop.SOFIA, BREAD, 1, reference="SOF01-7K3F9Q"),
    ]
    for end in ends:
        order = placed(shop, {BREAD: 4})
        shop.store.stock.count(Shop.SOFIA, BREAD, 3)
        assert endangered(shop) == [(order.id, 4)]
        end()
        assert shortages(shop) == ()
        shop.app.orders.cancel(order.id)
        shop.store.stock.count(Shop.SOFIA, BREAD, 5)
    check_all(shop.hub)


def test_a_shortage_ends_when_the_order_is_called_off(shop: Shop) -> None:
    order = placed(shop, {BREAD: 4})
    shop.store.stock.write_off(Shop.SOFIA, BREAD, 2, reason="mould")
    shop.app.orders.cancel(order.id)
    assert shortages(shop) == ()


def test_a_shortage_ends_when_the_goods_are_handed_over_after_all(shop: Shop) -> None:
    order = ready(shop, {BREAD: 4})
    shop.store.stock.count(Shop.SOFIA, BREAD, 0)
    assert endangered(shop) == [(order.id, 4)]
    handed_over(shop, order)
    assert shortages(shop) == ()
    check_all(shop.hub)


def test_what_was_handed_over_is_not_missing(shop: Shop) -> None:
    handed_over(shop, ready(shop, {BREAD: 1}))
    order = placed(shop, {BREAD: 2})
    shop.store.stock.count(Shop.SOFIA, BREAD, 1)
    assert endangered(shop) == [(order.id, 2)]


def test_shortages_come_in_pages_that_lose_and_repeat_nothing(shop: Shop) -> None:
    skus = [f"TEA-{number}" for number in range(5)]
    for sku in skus:
        shop.office.articles.put(Article(sku, "Mountain tea"))
        shop.office.stock.receive(Shop.SOFIA, sku, 1)
        shop.office.prices.put(Price(sku, Money(100, "EUR"), tax="0.20"))
    order = placed(shop, dict.fromkeys(skus, 1))
    for sku in skus:
        shop.store.stock.count(Shop.SOFIA, sku, 0)
    seen: list[str] = []
    after = None
    while True:
        page = shop.store.stock.shortages(Shop.SOFIA, limit=2, after=after)
        seen += [one.level.sku for one in page.items]
        assert {one.order for item in page.items for one in item.orders} == {order.id}
        if page.next is None:
            break
        after = page.next
    assert seen == skus


def test_an_associate_sees_the_shortages_of_their_own_store(shop: Shop) -> None:
    refused(NotFound, shop.store.stock.shortages, "VAR01")
