"""The promise: units, place, price and time limit in one transaction, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from omniorder import Article, Channel, Money, Price, PromiseState, Store
from omniorder.errors import (
    CartEmpty,
    InvalidInput,
    NoPrice,
    NotFound,
    OutOfStock,
    PaymentInFlight,
    PromiseGone,
    QuoteChanged,
    SlotUnavailable,
)
from omniorder.services.tables import PriceTable
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    VISA,
    booked,
    filled,
    free_slot,
    level,
    placed,
    promised,
    refused,
)


def _state(shop: Shop, promise_id: str) -> PromiseState:
    with shop.hub._parts.storage.reading() as tx:
        found = tx.promise(promise_id)
    assert found is not None
    return found.state


# --- what it holds ----------------------------------------------------------------------------------------


def test_a_promise_holds_units_place_and_price_for_a_quarter_of_an_hour(shop: Shop) -> None:
    promise = promised(shop)
    assert level(shop) == (40, 2)
    assert booked(shop, promise.slot) == 1
    assert promise.quote.total == Money(498, "EUR")
    assert promise.expires_at - promise.made_at == timedelta(minutes=15)
    assert shop.web.carts.get(promise.cart_id).promise_id == promise.id


def test_its_window_is_shown_in_the_stores_zone(shop: Shop) -> None:
    starts, ends = promised(shop).window
    assert (starts.isoformat(), ends.isoformat()) == ("2026-11-23T11:00:00+02:00", "2026-11-23T12:00:00+02:00")


def test_what_is_promised_to_one_is_not_promised_to_another(shop: Shop) -> None:
    promised(shop, {Shop.BREAD: 4})
    cart = filled(shop, {Shop.BREAD: 2}, touch=shop.stranger)
    slot = free_slot(shop, cart, touch=shop.stranger)
    error = refused(OutOfStock, shop.stranger.checkout.promise, cart.id, slot=slot)
    assert error.facts["store"] == "SOF01"
    assert error.facts["short"] == [{"sku": Shop.BREAD, "wanted": 2, "available": 1}]


def test_the_same_slot_again_gives_the_same_promise(shop: Shop) -> None:
    promise = promised(shop)
    assert shop.web.checkout.promise(promise.cart_id, slot=promise.slot) == promise
    assert level(shop) == (40, 2)


def test_a_live_promise_is_returned_also_when_its_slot_is_too_soon_for_a_new_one(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.advance(minutes=10)
    assert shop.web.checkout.promise(promise.cart_id, slot=promise.slot) == promise


def test_how_long_it_lasts_can_be_chosen_within_bounds(shop: Shop) -> None:
    promise = promised(shop, lasts=timedelta(hours=3), nth=11)
    assert promise.expires_at - promise.made_at == timedelta(hours=3)


def test_no_promise_outlives_its_pick_up_window(shop: Shop) -> None:
    promise = promised(shop, lasts=timedelta(hours=30))
    assert promise.expires_at == promise.ends
    shop.clock.set(promise.ends)
    refused(PromiseGone, shop.app.checkout.place, promise.id, pay=VISA)


def test_a_promise_that_ends_too_soon_is_renewed_at_its_own_price(shop: Shop) -> None:
    """A pay link needs hours, and the customer has seen the price."""
    first = promised(shop, nth=11)
    shop.office.prices.put(Price(Shop.MILK, Money(999, "EUR"), tax="0.20"))
    longer = shop.app.checkout.promise(first.cart_id, slot=first.slot, lasts=timedelta(hours=6))
    assert longer.expires_at - shop.clock.now() == timedelta(hours=6)
    assert longer.quote == first.quote
    assert level(shop) == (40, 2)


def test_what_a_cart_holds_is_not_in_its_own_way(shop: Shop) -> None:
    """The market has one carton, and one place in each slot: whoever holds both may still choose another time."""
    mine = promised(shop, {Shop.MILK: 1}, store=Shop.MARKET)
    offers = {offer.store.id: offer for offer in shop.app.checkout.offers(mine.cart_id)}
    assert offers[Shop.MARKET].full
    assert mine.slot in [slot.id for slot in offers[Shop.MARKET].slots]


def test_an_offer_says_how_much_of_a_slot_is_taken(shop: Shop) -> None:
    mine = promised(shop)
    cart = filled(shop, touch=shop.stranger)
    offers = {offer.store.id: offer for offer in shop.stranger.checkout.offers(cart.id)}
    assert next(slot.booked for slot in offers[Shop.SOFIA].slots if slot.id == mine.slot) == 1


def test_a_foreign_price_at_one_store_is_that_store_s_reason(shop: Shop) -> None:
    shop.office.prices.put(Price(Shop.BREAD, Money(300, "USD"), tax="0.09", store=Shop.VARNA))
    cart = filled(shop, {Shop.MILK: 1, Shop.BREAD: 1})
    offers = {offer.store.id: offer for offer in shop.app.checkout.offers(cart.id)}
    assert offers[Shop.SOFIA].full
    assert [reason.code for reason in offers[Shop.VARNA].reasons] == ["money.currency_mismatch"]


@pytest.mark.parametrize("lasts", [timedelta(seconds=59), timedelta(hours=48, seconds=1), timedelta(0), 900])
def test_outside_the_bounds_nothing_is_promised(shop: Shop, stored: Callable[[], Rows], lasts: timedelta) -> None:
    cart = filled(shop)
    slot, before = free_slot(shop, cart), stored()
    assert refused(InvalidInput, shop.app.checkout.promise, cart.id, slot=slot, lasts=lasts).facts["field"] == "lasts"
    assert stored() == before


# --- nothing is held after a refusal ----------------------------------------------------------------------


def test_one_short_article_of_three_leaves_nothing_held(shop: Shop, stored: Callable[[], Rows]) -> None:
    cart = filled(shop, {Shop.APPLES: 500, Shop.BREAD: 6, Shop.MILK: 41})
    slot, before = free_slot(shop, cart), stored()
    error = refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=slot)
    assert [(one["sku"], one["available"]) for one in error.facts["short"]] == [(Shop.MILK, 40), (Shop.BREAD, 5)]
    assert stored() == before


def test_a_full_slot_leaves_no_units_held(shop: Shop, stored: Callable[[], Rows]) -> None:
    shop.office.stock.receive("SOF02", Shop.MILK, 9)
    taken = promised(shop, {Shop.MILK: 1}, store="SOF02").slot
    cart = filled(shop, {Shop.MILK: 1}, touch=shop.stranger)
    before = stored()
    error = refused(SlotUnavailable, shop.stranger.checkout.promise, cart.id, slot=taken)
    assert (error.facts["slot"], error.facts["reason"]) == (taken, "full")
    assert stored() == before


def test_a_changed_price_leaves_nothing_held_and_says_the_new_quote(shop: Shop, stored: Callable[[], Rows]) -> None:
    cart = filled(shop)
    slot = free_slot(shop, cart)
    shop.office.prices.put(Price(Shop.MILK, Money(260, "EUR"), tax="0.20"))
    before = stored()
    error = refused(QuoteChanged, shop.app.checkout.promise, cart.id, slot=slot, expect=Money(498, "EUR"))
    assert error.quote.total == Money(520, "EUR")
    assert (error.facts["expected"], error.facts["total"]) == ("4.98 EUR", "5.20 EUR")
    assert stored() == before


def test_an_article_without_a_price_at_the_store_leaves_nothing_held(shop: Shop, stored: Callable[[], Rows]) -> None:
    shop.office.articles.put(Article("TEA", "Mountain tea"))
    shop.office.stock.receive("SOF01", "TEA", 1)
    cart = filled(shop, {"TEA": 1, Shop.MILK: 1})
    before = stored()
    slot = free_slot(shop, cart)
    error = refused(NoPrice, shop.app.checkout.promise, cart.id, slot=slot)
    assert (error.facts["store"], error.facts["skus"]) == ("SOF01", ["TEA"])
    assert stored() == before


def test_an_empty_cart_is_not_promised(shop: Shop) -> None:
    refused(CartEmpty, shop.app.checkout.promise, shop.app.carts.start().id, slot="slt_SOF01_20261123T0900Z")


def test_somebody_elses_cart_is_not_promised(shop: Shop) -> None:
    cart = filled(shop)
    refused(NotFound, shop.stranger.checkout.promise, cart.id, slot=free_slot(shop, cart))


@pytest.mark.parametrize(
    ("slot", "reason"),
    [
        ("slt_SOF01_20261123T0700Z", "past"),
        ("slt_SOF01_20261123T0830Z", "too_soon"),
        ("slt_SOF01_20261201T0900Z", "beyond_horizon"),
        ("slt_SOF01_20261123T2000Z", "closed"),
        ("slt_SOF01_20261123T0930Z", "closed"),
        ("slt_SOF01_20261129T0900Z", "closed"),
    ],
)
def test_a_slot_that_is_not_offered_is_refused_with_its_reason(
    shop: Shop, stored: Callable[[], Rows], slot: str, reason: str
) -> None:
    cart = filled(shop)
    before = stored()
    assert refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot=slot).facts["reason"] == reason
    assert stored() == before


def test_a_public_holiday_is_closed(shop: Shop) -> None:
    shop.clock.advance(days=25)  # the slots of the week before Christmas
    cart = filled(shop)
    christmas = "slt_SOF01_20261225T0900Z"
    error = refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot=christmas)
    assert error.facts["reason"] in ("closed", "beyond_horizon")
    shop.clock.advance(days=3)
    assert refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot=christmas).facts["reason"] == "closed"


# --- replacing --------------------------------------------------------------------------------------------


def test_another_slot_replaces_the_promise_and_holds_the_units_once(shop: Shop) -> None:
    first = promised(shop)
    slot = free_slot(shop, shop.app.carts.get(first.cart_id), nth=1)
    second = shop.app.checkout.promise(first.cart_id, slot=slot)
    assert (booked(shop, first.slot), booked(shop, second.slot)) == (0, 1)
    assert level(shop) == (40, 2)
    assert _state(shop, first.id) is PromiseState.REPLACED


def test_another_store_replaces_the_promise_and_frees_the_first_stores_units(shop: Shop) -> None:
    first = promised(shop)
    slot = free_slot(shop, shop.app.carts.get(first.cart_id), "VAR01")
    second = shop.app.checkout.promise(first.cart_id, slot=slot)
    assert (level(shop), level(shop, store="VAR01")) == ((40, 0), (10, 2))
    assert (booked(shop, first.slot), booked(shop, second.slot)) == (0, 1)


def test_the_last_unit_that_the_cart_holds_itself_does_not_stand_in_its_way(shop: Shop) -> None:
    shop.office.stock.receive("SOF02", Shop.BREAD, 1)
    first = promised(shop, {Shop.MILK: 1}, store="SOF02")
    cart = shop.app.carts.add(first.cart_id, Shop.BREAD)
    second = shop.app.checkout.promise(cart.id, slot=first.slot)
    assert second.id != first.id
    assert (level(shop, store="SOF02"), level(shop, Shop.BREAD, "SOF02")) == ((1, 1), (1, 1))
    assert booked(shop, first.slot) == 1


def test_a_smaller_basket_gives_the_difference_back(shop: Shop) -> None:
    first = promised(shop, {Shop.MILK: 40})
    cart = shop.app.carts.get(first.cart_id)
    shop.app.carts.change(cart.id, cart.lines[0].id, 3)
    shop.app.checkout.promise(cart.id, slot=first.slot)
    assert level(shop) == (40, 3)


def test_a_replacement_that_is_refused_leaves_the_first_promise_alive(shop: Shop, stored: Callable[[], Rows]) -> None:
    first = promised(shop)
    cart = shop.app.carts.get(first.cart_id)
    cart = shop.app.carts.change(cart.id, cart.lines[0].id, 11)
    slot, before = free_slot(shop, cart, "VAR01"), stored()
    refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=slot)
    assert stored() == before
    assert _state(shop, first.id) is PromiseState.HELD


def test_a_replaced_promise_can_not_be_placed(shop: Shop) -> None:
    first = promised(shop)
    slot = free_slot(shop, shop.app.carts.get(first.cart_id), nth=1)
    shop.app.checkout.promise(first.cart_id, slot=slot)
    assert refused(PromiseGone, shop.app.checkout.place, first.id, pay=VISA).facts["state"] == "replaced"


def test_an_ordered_cart_gets_no_other_promise(shop: Shop) -> None:
    order = placed(shop)
    error = refused(PaymentInFlight, shop.app.checkout.promise, order.cart_id, slot=order.pickup.slot)
    assert error.facts["order"] == order.id


# --- its price --------------------------------------------------------------------------------------------


def test_a_live_promises_price_is_honoured_whatever_the_store_reprices(shop: Shop) -> None:
    promise = promised(shop)
    shop.office.prices.put(Price(Shop.MILK, Money(999, "EUR"), tax="0.20"))
    again = shop.web.checkout.promise(promise.cart_id, slot=promise.slot, expect=Money(498, "EUR"))
    assert again == promise
    assert shop.web.checkout.place(promise.id, pay=VISA).total == Money(498, "EUR")


def test_the_expected_total_may_be_left_out(shop: Shop) -> None:
    assert promised(shop, expect=None).quote.total == Money(498, "EUR")


def test_the_right_total_in_the_wrong_currency_is_another_total(shop: Shop) -> None:
    cart = filled(shop)
    slot = free_slot(shop, cart)
    refused(QuoteChanged, shop.app.checkout.promise, cart.id, slot=slot, expect=Money(498, "USD"))


# --- its end ----------------------------------------------------------------------------------------------


def test_a_promise_lapses_after_a_quarter_of_an_hour_and_gives_everything_back(shop: Shop) -> None:
    promise = promised(shop)
    assert shop.advance(minutes=15).happened == {}
    assert shop.advance(minutes=1).happened == {"PromiseLapsed": 1}
    assert level(shop) == (40, 0)
    assert booked(shop, promise.slot) == 0
    assert shop.app.carts.get(promise.cart_id).promise_id is None


def test_it_can_not_be_placed_from_its_very_end_on_even_before_a_sweep_comes(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.set(promise.expires_at)
    assert refused(PromiseGone, shop.app.checkout.place, promise.id, pay=VISA).facts["state"] == "lapsed"
    assert shop.gateway.requests == []


def test_it_can_be_placed_until_just_before(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.set(promise.expires_at - timedelta(microseconds=1))
    assert shop.app.checkout.place(promise.id, pay=VISA).confirmed_at is not None


def test_the_same_slot_after_the_lapse_is_a_new_promise_also_before_a_sweep_comes(shop: Shop) -> None:
    first = promised(shop, nth=1)
    shop.clock.advance(minutes=16)
    second = shop.app.checkout.promise(first.cart_id, slot=first.slot)
    assert second.id != first.id
    assert (level(shop), booked(shop, first.slot)) == ((40, 2), 1)
    assert _state(shop, first.id) is PromiseState.LAPSED


def test_withdrawing_gives_everything_back_at_once(shop: Shop) -> None:
    promise = promised(shop)
    assert shop.web.checkout.withdraw(promise.id).state is PromiseState.WITHDRAWN
    assert (level(shop), booked(shop, promise.slot)) == ((40, 0), 0)
    assert shop.app.carts.get(promise.cart_id).promise_id is None


def test_withdrawing_twice_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    shop.web.checkout.withdraw(promise.id)
    before = stored()
    assert shop.web.checkout.withdraw(promise.id).state is PromiseState.WITHDRAWN
    assert stored() == before


def test_a_placed_promise_is_not_withdrawn(shop: Shop) -> None:
    order = placed(shop)
    assert refused(PaymentInFlight, shop.app.checkout.withdraw, order.promise_id).facts["order"] == order.id


def test_somebody_elses_promise_is_neither_withdrawn_nor_placed(shop: Shop) -> None:
    promise = promised(shop)
    refused(NotFound, shop.stranger.checkout.withdraw, promise.id)
    refused(NotFound, shop.stranger.checkout.place, promise.id, pay=VISA)
    assert level(shop) == (40, 2)


def test_a_slot_whose_capacity_was_lowered_takes_nobody_else(shop: Shop) -> None:
    promise = promised(shop, store="VAR01")
    shop.office.stores.put(Store("VAR01", zone="Europe/Sofia", hours="24/7", slot_capacity=1))
    cart = filled(shop, touch=shop.stranger)
    error = refused(SlotUnavailable, shop.stranger.checkout.promise, cart.id, slot=promise.slot)
    assert error.facts["reason"] == "full"


# --- while somebody else edits ----------------------------------------------------------------------------


class Interrupted:
    """The shop's own prices; whoever asks for them is interrupted once, between pricing and holding."""

    def __init__(self) -> None:
        self.prices_of: PriceTable | None = None
        self.interruptions: list[Callable[[], object]] = []

    def prices(
        self, skus: Sequence[str], *, stores: Sequence[str], channel: Channel, at: datetime
    ) -> Mapping[tuple[str, str], Price]:
        assert self.prices_of is not None
        while self.interruptions:
            self.interruptions.pop()()
        return self.prices_of.prices(skus, stores=stores, channel=channel, at=at)


@pytest.fixture
def interrupted(open_shop: OpenShop) -> tuple[Shop, Interrupted]:
    prices = Interrupted()
    shop = open_shop(prices=prices)
    prices.prices_of = PriceTable(shop.hub._parts.storage)
    return shop, prices


def test_a_cart_that_is_edited_while_it_is_priced_is_promised_as_it_is_then(
    interrupted: tuple[Shop, Interrupted],
) -> None:
    shop, prices = interrupted
    cart = filled(shop)
    slot = free_slot(shop, cart)
    prices.interruptions = [lambda: shop.web.carts.add(cart.id, Shop.BREAD)]
    promise = shop.app.checkout.promise(cart.id, slot=slot)
    assert promise.quote.total == Money(808, "EUR")
    assert promise.lines_version == shop.app.carts.get(cart.id).lines_version
    assert (level(shop), level(shop, Shop.BREAD)) == ((40, 2), (5, 1))


def test_a_cart_that_is_ordered_while_it_is_priced_again_keeps_its_order(
    interrupted: tuple[Shop, Interrupted],
) -> None:
    shop, prices = interrupted
    first = promised(shop)
    slot = free_slot(shop, shop.app.carts.get(first.cart_id), nth=1)
    prices.interruptions = [lambda: shop.web.checkout.place(first.id, pay=VISA)]
    refused(PaymentInFlight, shop.app.checkout.promise, first.cart_id, slot=slot)
    assert (level(shop), booked(shop, first.slot), booked(shop, slot)) == ((40, 2), 1, 0)
