"""What a store is like decides what can be promised there: services, closures, the cut-off, and lines per slot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from omniorder import Article, Card, Closure, Money, Price, PromiseState, Service, Store
from omniorder.errors import ServiceMissing, SlotUnavailable
from omniorder.ports.writes import SlotUse
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.contents import Rows
from tests.services.steps import filled, free_slot, handed_over, placed, promised, ready, refused, slot_use

TWO_LINES = {Shop.MILK: 1, Shop.BREAD: 1}
WINE = "WINE-RED"


def like(shop: Shop, **how: Any) -> Store:
    """Sofia's first store as it is from now on."""
    store = evolve(shop.office.stores.get(Shop.SOFIA), **how)
    shop.office.stores.put(store)
    return store


def noon(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=ZoneInfo("Europe/Sofia"))


# --- lines per slot ---------------------------------------------------------------------------------------


def test_a_promise_takes_one_place_and_a_place_for_each_line(shop: Shop) -> None:
    promise = promised(shop, TWO_LINES)
    assert slot_use(shop, promise.slot) == SlotUse(1, 2)


def test_a_slot_without_room_for_the_lines_is_not_offered(shop: Shop) -> None:
    like(shop, slot_lines=3)
    first = promised(shop, TWO_LINES)
    small, large = filled(shop, touch=shop.stranger), filled(shop, TWO_LINES, touch=shop.stranger)
    assert free_slot(shop, small, touch=shop.stranger) == first.slot
    assert free_slot(shop, large, touch=shop.stranger) != first.slot
    slot = shop.stranger.checkout.offers(small.id)[0].slots[0]
    assert (slot.free_lines, slot.lines_booked, slot.lines_capacity) == (1, 2, 3)


def test_the_refusal_says_how_many_lines_are_free(shop: Shop, stored: Callable[[], Rows]) -> None:
    like(shop, slot_lines=3)
    taken = promised(shop, TWO_LINES).slot
    cart = filled(shop, TWO_LINES, touch=shop.stranger)
    before = stored()
    error = refused(SlotUnavailable, shop.stranger.checkout.promise, cart.id, slot=taken)
    lines = {"of": "lines", "wanted": 2, "free": 1}
    assert error.facts == {"slot": taken, "reason": "full", **lines, "earliest": "2026-11-23T12:00+02:00"}
    assert stored() == before


def test_what_a_cart_holds_itself_leaves_it_room(shop: Shop) -> None:
    like(shop, slot_lines=2)
    mine = promised(shop, TWO_LINES)
    offers = {offer.store.id: offer for offer in shop.app.checkout.offers(mine.cart_id)}
    assert offers[Shop.SOFIA].slots[0].id == mine.slot


def test_another_basket_in_the_same_slot_takes_the_lines_it_has(shop: Shop) -> None:
    like(shop, slot_lines=2)
    first = promised(shop)
    cart = shop.app.carts.add(first.cart_id, Shop.BREAD)
    assert shop.app.checkout.promise(cart.id, slot=first.slot).id != first.id
    assert slot_use(shop, first.slot) == SlotUse(1, 2)
    cart = shop.app.carts.add(cart.id, Shop.APPLES, 500)
    error = refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot=first.slot)
    assert (error.facts["of"], error.facts["wanted"], error.facts["free"]) == ("lines", 1, 0)
    cart = shop.app.carts.remove(cart.id, cart.lines[0].id)
    cart = shop.app.carts.remove(cart.id, cart.lines[0].id)
    shop.app.checkout.promise(cart.id, slot=first.slot)
    assert slot_use(shop, first.slot) == SlotUse(1, 1)


def _withdrawn(shop: Shop) -> str:
    promise = promised(shop, TWO_LINES)
    shop.app.checkout.withdraw(promise.id)
    return promise.slot


def _lapsed(shop: Shop) -> str:
    promise = promised(shop, TWO_LINES)
    shop.advance(minutes=16)
    return promise.slot


def _moved(shop: Shop) -> str:
    promise = promised(shop, TWO_LINES)
    later = free_slot(shop, shop.app.carts.get(promise.cart_id), nth=1)
    shop.app.checkout.promise(promise.cart_id, slot=later)
    return promise.slot


def _cancelled(shop: Shop) -> str:
    order = placed(shop, TWO_LINES)
    shop.app.orders.cancel(order.id)
    return order.pickup.slot


def _not_collected(shop: Shop) -> str:
    order = ready(shop, TWO_LINES)
    assert order.pickup.until is not None
    shop.clock.set(order.pickup.until + timedelta(minutes=1))
    shop.hub.sweep()
    return order.pickup.slot


@pytest.mark.parametrize("ended", [_withdrawn, _lapsed, _moved, _cancelled, _not_collected])
def test_whatever_gives_the_place_back_gives_the_lines_back(shop: Shop, ended: Callable[[Shop], str]) -> None:
    assert slot_use(shop, ended(shop)) == SlotUse(0, 0)
    check_all(shop.hub)


def test_an_order_that_was_collected_keeps_both(shop: Shop) -> None:
    order = ready(shop, TWO_LINES)
    handed_over(shop, order)
    assert slot_use(shop, order.pickup.slot) == SlotUse(1, 2)


# --- services ---------------------------------------------------------------------------------------------


def sell_wine(shop: Shop) -> None:
    shop.office.articles.put(Article(WINE, "Red wine", needs={Service.AGE_RESTRICTED}))
    shop.office.prices.put(Price(WINE, Money(899, "EUR"), tax="0.20"))
    shop.office.stock.receive(Shop.SOFIA, WINE, 6)


def test_an_article_that_needs_a_service_is_not_promised_by_a_store_without_it(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    sell_wine(shop)
    cart = filled(shop, {Shop.MILK: 1, WINE: 1})
    slot, before = free_slot(shop, cart), stored()
    error = refused(ServiceMissing, shop.app.checkout.promise, cart.id, slot=slot)
    assert error.facts == {"store": "SOF01", "missing": [{"sku": WINE, "service": "age_restricted"}]}
    assert stored() == before


def test_an_offer_gives_it_as_a_reason(shop: Shop) -> None:
    sell_wine(shop)
    offers = {offer.store.id: offer for offer in shop.app.checkout.offers(filled(shop, {WINE: 1}).id)}
    (reason,) = offers[Shop.SOFIA].reasons
    assert (reason.code, dict(reason.facts)) == (
        "service.missing",
        {"store": "SOF01", "sku": WINE, "service": "age_restricted"},
    )


def test_with_the_service_it_is_promised(shop: Shop) -> None:
    sell_wine(shop)
    like(shop, services={Service.PICKUP, Service.AGE_RESTRICTED})
    assert promised(shop, {WINE: 1}).state is PromiseState.HELD


def test_a_distribution_centre_is_not_offered_and_says_that_nobody_collects_there(shop: Shop) -> None:
    shop.office.stores.put(Store("DC01", zone="Europe/Sofia", hours="24/7", services={Service.SHIP_TO_STORE}))
    shop.office.stock.receive("DC01", Shop.MILK, 1000)
    cart = filled(shop)
    assert "DC01" not in [offer.store.id for offer in shop.app.checkout.offers(cart.id)]
    error = refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot="slt_DC01_20261124T0900Z")
    assert error.facts["reason"] == "no_pickup"


# --- how the customer collects ----------------------------------------------------------------------------


def test_an_order_keeps_the_way_to_collect_that_was_promised(shop: Shop) -> None:
    like(shop, services={Service.PICKUP, Service.CURBSIDE})
    promise = promised(shop, collect=Service.CURBSIDE)
    order = shop.app.checkout.place(promise.id, pay=Card("pm_card_visa"))
    assert promise.collect is order.pickup.collect is Service.CURBSIDE
    assert shop.web.orders.get(order.id).pickup.collect is Service.CURBSIDE
    check_all(shop.hub)


@pytest.mark.parametrize(
    ("services", "usual"),
    [
        ({Service.LOCKERS, Service.CURBSIDE, Service.PICKUP}, Service.PICKUP),
        ({Service.LOCKERS, Service.CURBSIDE}, Service.CURBSIDE),
        ({Service.LOCKERS, Service.FITTING}, Service.LOCKERS),
    ],
)
def test_without_a_choice_it_is_the_usual_way_of_the_store(shop: Shop, services: set[Service], usual: Service) -> None:
    like(shop, services=services)
    assert promised(shop).collect is usual


def test_a_way_that_the_store_does_not_have_is_refused(shop: Shop, stored: Callable[[], Rows]) -> None:
    cart = filled(shop)
    slot, before = free_slot(shop, cart), stored()
    error = refused(ServiceMissing, shop.app.checkout.promise, cart.id, slot=slot, collect=Service.LOCKERS)
    assert error.facts == {"store": "SOF01", "missing": [{"service": "lockers"}]}
    assert stored() == before


def test_another_way_for_the_same_slot_keeps_price_place_and_time(shop: Shop) -> None:
    """Also when the slot is too soon for a new promise by now, and full."""
    like(shop, services={Service.PICKUP, Service.LOCKERS}, slot_capacity=1)
    first = promised(shop, lasts=timedelta(minutes=50))
    shop.office.prices.put(Price(Shop.MILK, Money(999, "EUR"), tax="0.20"))
    shop.clock.advance(minutes=10)
    second = shop.web.checkout.promise(first.cart_id, slot=first.slot, collect=Service.LOCKERS)
    assert (second.collect, second.quote, second.expires_at) == (Service.LOCKERS, first.quote, first.expires_at)
    assert second.id != first.id
    assert slot_use(shop, first.slot) == SlotUse(1, 1)
    check_all(shop.hub)


def test_asking_again_without_a_choice_keeps_the_way(shop: Shop) -> None:
    like(shop, services={Service.PICKUP, Service.LOCKERS})
    first = promised(shop, collect=Service.LOCKERS)
    assert shop.web.checkout.promise(first.cart_id, slot=first.slot) == first
    assert shop.web.checkout.promise(first.cart_id, slot=first.slot, collect=Service.LOCKERS) == first


# --- closures and the cut-off -----------------------------------------------------------------------------


def test_a_slot_in_a_closure_is_neither_offered_nor_promised(shop: Shop, stored: Callable[[], Rows]) -> None:
    like(shop, closed=[Closure(noon(23), noon(24), "stock-taking")])
    cart = filled(shop)
    offered = {offer.store.id: offer for offer in shop.app.checkout.offers(cart.id)}[Shop.SOFIA].slots
    assert [f"{slot.starts:%d %H:%M}" for slot in offered[:2]] == ["23 11:00", "24 12:00"]
    before = stored()
    error = refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot="slt_SOF01_20261124T0900Z")
    assert error.facts["reason"] == "closure"
    assert stored() == before


def test_what_was_promised_before_a_closure_came_is_honoured(shop: Shop) -> None:
    """Staff sees it in its list; to move it is up to them."""
    promise, order = promised(shop, nth=3), ready(shop, nth=3)
    like(shop, closed=[Closure(noon(23), noon(24))])
    assert shop.web.checkout.place(promise.id, pay=Card("pm_card_visa")).pickup.slot == promise.slot
    assert handed_over(shop, order).order.pickup.slot == order.pickup.slot
    check_all(shop.hub)


def test_what_is_ordered_after_the_cut_off_is_ready_tomorrow(shop: Shop) -> None:
    like(shop, cutoff=time(10))
    cart = filled(shop)
    assert free_slot(shop, cart) == "slt_SOF01_20261124T0700Z"
    error = refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot="slt_SOF01_20261123T0900Z")
    assert error.facts["reason"] == "cut_off"


@pytest.mark.parametrize(
    ("now", "first"),
    [
        # Sunday 29 March: clocks go from 03:00 (+02:00) to 04:00 (+03:00)
        ("2026-03-28T17:59:00+02:00", "2026-03-28T19:00:00+02:00"),
        ("2026-03-28T18:00:00+02:00", "2026-03-29T09:00:00+03:00"),
        ("2026-03-29T18:00:00+03:00", "2026-03-30T09:00:00+03:00"),
        # Sunday 25 October: from 04:00 (+03:00) to 03:00 (+02:00)
        ("2026-10-24T18:00:00+03:00", "2026-10-25T09:00:00+02:00"),
        ("2026-10-25T17:59:00+02:00", "2026-10-25T19:00:00+02:00"),
        ("2026-10-25T18:00:00+02:00", "2026-10-26T09:00:00+02:00"),
    ],
)
def test_the_cut_off_stays_where_the_clock_on_the_wall_has_it(now: str, first: str) -> None:
    with Shop.example() as shop:
        like(shop, hours="Mo-Su 08:00-21:00", country=None, cutoff=time(18))
        shop.clock.set(datetime.fromisoformat(now))
        offers = {offer.store.id: offer for offer in shop.app.checkout.offers(filled(shop).id)}
        assert offers[Shop.SOFIA].slots[0].starts == datetime.fromisoformat(first)


@pytest.mark.parametrize("hours", ["Mo-Su 22:00-05:30", "24/7", "Mo-Su 02:00-03:30,04:15-09:00"])
@pytest.mark.parametrize("night", ["2026-03-28T12:00:00+02:00", "2026-10-24T12:00:00+03:00"])
@pytest.mark.parametrize("cutoff", [None, time(3, 30), time(23)])
def test_hour_by_hour_through_both_clock_changes_what_is_offered_first_can_be_promised(
    night: str, hours: str, cutoff: time | None
) -> None:
    """And it is never earlier than what was offered an hour before, nor within the lead."""
    with Shop.example() as shop:
        store = like(shop, hours=hours, country=None, cutoff=cutoff, closed=())
        shop.clock.set(datetime.fromisoformat(night))
        cart, before = filled(shop), ""
        for _ in range(36):
            slot = free_slot(shop, cart)
            promise = shop.app.checkout.promise(cart.id, slot=slot)
            assert (promise.slot, promise.ends - promise.starts) == (slot, store.slot_length)
            assert promise.starts >= shop.clock.now() + store.lead
            assert slot >= before
            before = slot
            shop.app.checkout.withdraw(promise.id)
            shop.clock.advance(hours=1)


def test_all_that_a_store_is_comes_back_as_it_was_put(shop: Shop) -> None:
    store = like(
        shop, services=set(Service), transit=timedelta(days=2), cutoff=time(17, 30), slot_lines=80,
        closed=[Closure(noon(23), noon(24), "инвентаризация")],
    )  # fmt: skip
    assert shop.office.stores.get(Shop.SOFIA) == store
