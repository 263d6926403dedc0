"""Placing: the promise becomes one order, paid once, whatever is pressed twice and whatever the provider does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from omniorder import (
    Article,
    CartState,
    IsActionRequired,
    IsAuthorised,
    IsDueInStore,
    IsSettled,
    IsUnanswered,
    Money,
    Order,
    OrderState,
    PayInStore,
    PaymentState,
    PickupState,
    Price,
    Settings,
    Stage,
    Tender,
)
from omniorder.errors import (
    CartChanged,
    NotFound,
    PaymentDeclined,
    PaymentInFlight,
    PromiseGone,
    TenderUnsupported,
)
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    DECLINED,
    INSTANT,
    MASTERCARD,
    NEEDS_3DS,
    REPLY_LOST,
    VISA,
    booked,
    filled,
    free_slot,
    level,
    names,
    placed,
    promised,
    refused,
)
from tests.services.unruly import unruly_shop


class Voucher(Tender):
    """A tender of the retailer's own, for which this shop has no gateway."""

    kind = "voucher"


def declined(shop: Shop) -> Order:
    """The order that a declined card left waiting."""
    error = refused(PaymentDeclined, shop.web.checkout.place, promised(shop).id, pay=DECLINED)
    assert isinstance(error.order, Order)
    return error.order


# --- the usual way ----------------------------------------------------------------------------------------


def test_a_card_is_authorised_and_not_charged(shop: Shop) -> None:
    order = placed(shop)
    assert order.payments[-1].outcome == IsAuthorised(Money(498, "EUR"))
    (held,) = shop.gateway.payments
    assert (held.authorised, held.captured) == (Money(498, "EUR"), Money(0, "EUR"))


def test_a_funded_order_is_confirmed_and_goes_to_the_store_at_once(shop: Shop) -> None:
    order = placed(shop)
    assert (order.state, order.stage, order.pickup.state) == (
        OrderState.CONFIRMED,
        Stage.PREPARING,
        PickupState.TO_PICK,
    )
    assert [one.id for one in shop.store.pickups.due().items] == [order.id]


def test_the_orders_id_is_a_reference_that_carries_its_home_store(shop: Shop) -> None:
    order = placed(shop)
    assert order.id.startswith("SOF01-")
    assert order.store == "SOF01"


def test_the_order_keeps_what_was_promised(shop: Shop) -> None:
    promise = promised(shop)
    order = shop.web.checkout.place(promise.id, pay=VISA)
    assert (order.total, order.promise_id, order.pickup.slot) == (promise.quote.total, promise.id, promise.slot)
    assert [(line.name, line.quantity, line.total.amount) for line in order.lines] == [("Oat milk 1 l", 2, 498)]


def test_confirmed_units_stay_held_without_a_time_limit(shop: Shop) -> None:
    order = placed(shop)
    shop.advance(hours=20)
    assert level(shop) == (40, 2)
    assert booked(shop, order.pickup.slot) == 1


def test_an_article_that_is_renamed_later_keeps_its_name_on_the_order(shop: Shop) -> None:
    order = placed(shop)
    shop.office.articles.put(Article(Shop.MILK, "Something else"))
    assert shop.app.orders.get(order.id).lines[0].name == "Oat milk 1 l"


def test_a_card_that_is_charged_at_once_pays_the_order(shop: Shop) -> None:
    order = placed(shop, pay=INSTANT)
    assert order.payments[-1].outcome == IsSettled(PaymentState.CAPTURED)
    assert order.state is OrderState.CONFIRMED


def test_paying_in_the_store_needs_no_provider(shop: Shop) -> None:
    order = placed(shop, pay=PayInStore())
    assert order.payments[-1].outcome == IsDueInStore(Money(498, "EUR"))
    assert order.state is OrderState.CONFIRMED
    assert order.due_in_store == Money(498, "EUR")
    assert shop.gateway.requests == []


def test_an_order_that_costs_nothing_needs_no_payment(shop: Shop) -> None:
    shop.office.articles.put(Article("SAMPLE", "A sample"))
    shop.office.prices.put(Price("SAMPLE", Money(0, "EUR"), tax="0"))
    shop.office.stock.receive("SOF01", "SAMPLE", 1)
    order = placed(shop, {"SAMPLE": 1})
    assert (order.payments, order.state) == ((), OrderState.CONFIRMED)
    assert shop.gateway.requests == []


# --- once -------------------------------------------------------------------------------------------------


def test_placing_twice_gives_the_same_order_and_one_authorisation(shop: Shop) -> None:
    promise = promised(shop)
    first = shop.app.checkout.place(promise.id, pay=VISA)
    assert shop.web.checkout.place(promise.id, pay=VISA) == first
    assert len(shop.gateway.payments) == 1
    assert [order.id for order in shop.app.orders.page().items] == [first.id]


def test_a_second_tender_while_the_first_holds_is_refused(shop: Shop) -> None:
    order = placed(shop)
    error = refused(PaymentInFlight, shop.web.checkout.place, order.promise_id, pay=MASTERCARD)
    assert error.facts["order"] == order.id
    assert len(shop.gateway.payments) == 1


def test_the_same_tender_gives_the_same_answer_after_the_goods_are_gone_too(shop: Shop) -> None:
    order = shop.web.orders.cancel(placed(shop).id)
    assert shop.web.checkout.place(order.promise_id, pay=VISA) == order


def test_an_order_number_that_is_taken_is_drawn_again(open_shop: OpenShop) -> None:
    class Stuck:
        """Draws the same order number until told otherwise; ids, which take more bytes, stay apart."""

        def __init__(self) -> None:
            self.draws = iter([7, 7, 8])
            self.others = 0

        def bytes(self, count: int) -> bytes:
            if count == 8 and self.numbering:
                return next(self.draws).to_bytes(count)
            self.others += 1
            return self.others.to_bytes(count)

        numbering = False

    chance = Stuck()
    shop = open_shop(entropy=chance)
    promises = [promised(shop), promised(shop, touch=shop.stranger)]
    chance.numbering = True
    first = shop.app.checkout.place(promises[0].id, pay=VISA)
    second = shop.stranger.checkout.place(promises[1].id, pay=VISA)
    assert [first.id, second.id] == ["SOF01-000007", "SOF01-000008"]
    assert first.state is second.state is OrderState.CONFIRMED


# --- refused ----------------------------------------------------------------------------------------------


def test_a_cart_that_was_changed_after_the_promise_is_not_placed(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    shop.app.carts.add(promise.cart_id, Shop.BREAD)
    before = stored()
    error = refused(CartChanged, shop.web.checkout.place, promise.id, pay=VISA)
    assert (error.facts["cart"], error.facts["promise"]) == (promise.cart_id, promise.id)
    assert stored() == before
    assert shop.gateway.requests == []


def test_a_new_note_is_a_change_too(shop: Shop) -> None:
    promise = promised(shop)
    cart = shop.app.carts.get(promise.cart_id)
    shop.app.carts.note(cart.id, cart.lines[0].id, "cold")
    refused(CartChanged, shop.web.checkout.place, promise.id, pay=VISA)


def test_a_tender_without_a_gateway_is_refused_before_anything_is_written(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    promise = promised(shop)
    before = stored()
    error = refused(TenderUnsupported, shop.web.checkout.place, promise.id, pay=Voucher("V-1"))
    assert error.facts["tender"] == "voucher"
    assert stored() == before


def test_a_hub_without_gateways_takes_payment_in_the_store_and_no_card(open_shop: OpenShop) -> None:
    shop = open_shop(gateways=None)
    promise = promised(shop)
    refused(TenderUnsupported, shop.web.checkout.place, promise.id, pay=VISA)
    assert shop.web.checkout.place(promise.id, pay=PayInStore()).state is OrderState.CONFIRMED


def test_a_missing_promise_is_not_found(shop: Shop) -> None:
    missing = "prm_SOF01_" + "0" * 26
    assert refused(NotFound, shop.web.checkout.place, missing, pay=VISA).facts["kind"] == "promise"


# --- declined ---------------------------------------------------------------------------------------------


def test_a_declined_card_leaves_the_order_waiting_for_another_tender(shop: Shop) -> None:
    order = declined(shop)
    assert (order.state, order.stage) == (OrderState.PLACED, Stage.AWAITING_PAYMENT)
    assert shop.app.orders.get(order.id) == order
    assert level(shop) == (40, 2)


def test_the_refusal_says_why_and_until_when_another_tender_is_taken(shop: Shop) -> None:
    error = refused(PaymentDeclined, shop.web.checkout.place, promised(shop).id, pay=DECLINED)
    assert error.facts["reason"] == "card_declined"
    assert error.facts["until"] == error.order.pay_by.isoformat() == "2026-11-23T08:15:00+00:00"


def test_another_card_after_a_decline_pays_the_same_order(shop: Shop) -> None:
    first = declined(shop)
    order = shop.app.checkout.place(first.promise_id, pay=VISA)
    assert (order.id, order.state) == (first.id, OrderState.CONFIRMED)
    assert [p.state for p in order.payments] == [PaymentState.DECLINED, PaymentState.AUTHORISED]


def test_paying_in_the_store_is_another_tender_too(shop: Shop) -> None:
    order = shop.app.checkout.place(declined(shop).promise_id, pay=PayInStore())
    assert order.payments[-1].outcome == IsDueInStore(Money(498, "EUR"))


def test_the_declined_card_again_gets_the_same_answer_and_is_not_asked_again(shop: Shop) -> None:
    order = declined(shop)
    asked = len(shop.gateway.requests)
    again = refused(PaymentDeclined, shop.app.checkout.place, order.promise_id, pay=DECLINED)
    assert again.order == order
    assert len(shop.gateway.requests) == asked


def test_whoever_places_late_still_has_ten_minutes_to_pay(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.advance(minutes=14)
    error = refused(PaymentDeclined, shop.web.checkout.place, promise.id, pay=DECLINED)
    assert error.order.pay_by == shop.clock.now() + timedelta(minutes=10)
    shop.advance(minutes=9)
    assert shop.web.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED


def test_after_the_deadline_no_tender_is_taken_even_before_a_sweep_comes(shop: Shop) -> None:
    order = declined(shop)
    shop.clock.set(order.pay_by)
    asked = len(shop.gateway.requests)
    refused(PromiseGone, shop.web.checkout.place, order.promise_id, pay=VISA)
    assert len(shop.gateway.requests) == asked


def test_an_order_that_nobody_paid_expires_and_its_cart_is_open_again(shop: Shop) -> None:
    order = declined(shop)
    shop.advance(minutes=16)
    assert shop.app.orders.get(order.id).stage is Stage.EXPIRED
    assert (level(shop), booked(shop, order.pickup.slot)) == ((40, 0), 0)
    cart = shop.app.carts.get(order.cart_id)
    assert (cart.state, cart.order_id, cart.promise_id) == (CartState.OPEN, None, None)
    assert [line.quantity for line in cart.lines] == [2]


def test_the_basket_of_an_expired_order_can_be_promised_and_placed_again(shop: Shop) -> None:
    first = declined(shop)
    shop.advance(minutes=16)
    slot = free_slot(shop, shop.app.carts.get(first.cart_id))
    promise = shop.app.checkout.promise(first.cart_id, slot=slot)
    second = shop.app.checkout.place(promise.id, pay=VISA)
    assert second.id != first.id
    assert second.state is OrderState.CONFIRMED


def test_the_promise_of_an_expired_order_is_gone(shop: Shop) -> None:
    order = declined(shop)
    shop.advance(minutes=16)
    error = refused(PromiseGone, shop.web.checkout.place, order.promise_id, pay=VISA)
    assert order.id in error.facts["state"]


# --- no answer --------------------------------------------------------------------------------------------


def test_a_provider_that_does_not_answer_leaves_the_payment_unanswered(shop: Shop) -> None:
    shop.gateway.drop_next_request()
    order = placed(shop)
    assert order.payments[-1].outcome == IsUnanswered()
    assert order.state is OrderState.PLACED


def test_a_lost_reply_is_found_by_the_sweep_and_charged_once(shop: Shop) -> None:
    order = placed(shop, pay=REPLY_LOST)
    assert order.payments[-1].outcome == IsUnanswered()
    shop.advance(seconds=40)
    order = shop.app.orders.get(order.id)
    assert (order.state, order.payments[-1].outcome) == (OrderState.CONFIRMED, IsAuthorised(Money(498, "EUR")))
    assert list(shop.gateway.effects.values()) == [1]


def test_a_request_that_never_arrived_is_sent_again_by_the_sweep_under_its_key(shop: Shop) -> None:
    shop.gateway.drop_next_request()
    order = placed(shop)
    shop.advance(seconds=40)
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED
    assert shop.gateway.effects == {order.payments[0].attempts[0].id: 1}


def test_no_sweep_asks_again_before_it_is_time(shop: Shop) -> None:
    order = placed(shop, pay=REPLY_LOST)
    asked = len(shop.gateway.requests)
    shop.advance(seconds=20)
    assert len(shop.gateway.requests) == asked
    assert shop.app.orders.get(order.id).state is OrderState.PLACED


def test_the_customer_can_ask_how_an_unanswered_payment_stands(shop: Shop) -> None:
    order = placed(shop, pay=REPLY_LOST)
    assert shop.web.checkout.resume(order.id).state is OrderState.CONFIRMED


def test_a_provider_that_fails_is_asked_by_our_own_reference_and_charged_once(shop: Shop) -> None:
    shop.gateway.fail_next(remembered=True)
    order = placed(shop)
    assert order.payments[-1].outcome == IsUnanswered()
    shop.advance(seconds=40)
    after = shop.app.orders.get(order.id)
    assert after.payments[-1].outcome == IsUnanswered()  # the same key gives the same failure
    assert sum(shop.gateway.effects.values()) == 0


def test_a_key_that_the_provider_has_forgotten_is_never_sent_again(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(promise_longest=timedelta(days=3)))
    shop.gateway.drop_next_request()
    order = placed(shop, lasts=timedelta(days=2))
    asked = len(shop.gateway.requests)
    shop.gateway.forget_keys()
    shop.advance(hours=25)
    after = shop.app.orders.get(order.id)
    assert [type(request).__name__ for request in shop.gateway.requests[asked:]] == ["LookUp"]
    assert (after.state, after.payments[-1].state) == (OrderState.PLACED, PaymentState.DECLINED)


# --- money that comes too late ----------------------------------------------------------------------------


def test_an_authorisation_that_comes_after_the_deadline_is_given_back_and_the_cart_is_open(shop: Shop) -> None:
    order = placed(shop, pay=REPLY_LOST)
    shop.clock.advance(minutes=16)  # nobody swept in between
    shop.hub.sweep()
    after = shop.app.orders.get(order.id)
    assert after.stage is Stage.EXPIRED
    assert after.payments[-1].state is PaymentState.VOIDED
    assert [(p.state.value, p.open.amount) for p in shop.gateway.payments] == [("voided", 0)]
    assert shop.app.carts.get(order.cart_id).state is CartState.OPEN
    assert level(shop) == (40, 0)


def test_a_charge_that_comes_after_the_deadline_is_refunded_and_the_cart_is_open(shop: Shop) -> None:
    shop.gateway.lose_next_reply()
    order = placed(shop, pay=INSTANT)
    shop.clock.advance(minutes=16)
    shop.hub.sweep()
    after = shop.app.orders.get(order.id)
    assert (after.stage, after.kept) == (Stage.EXPIRED, Money(0, "EUR"))
    (charged,) = shop.gateway.payments
    assert (charged.captured, charged.refunded) == (Money(498, "EUR"), Money(498, "EUR"))
    assert shop.app.carts.get(order.cart_id).state is CartState.OPEN


def test_goods_wait_for_money_in_flight_and_no_longer_than_the_hold(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    order = placed(shop, pay=REPLY_LOST)
    gateway.down = True
    shop.advance(minutes=16)
    assert shop.app.orders.get(order.id).state is OrderState.EXPIRING
    assert level(shop) == (40, 2)
    shop.advance(minutes=31)
    assert shop.app.orders.get(order.id).stage is Stage.EXPIRED
    assert level(shop) == (40, 0)


def test_money_that_was_in_flight_beyond_the_hold_is_still_undone_later(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    order = placed(shop, pay=REPLY_LOST)
    gateway.down = True
    shop.advance(minutes=16)
    shop.advance(minutes=31)
    gateway.down = False
    shop.advance(minutes=5)
    after = shop.app.orders.get(order.id)
    assert after.payments[-1].state is PaymentState.VOIDED
    assert [p.open.amount for p in gateway.payments] == [0]


def test_the_void_is_asked_for_in_the_step_that_ends_the_order(shop: Shop) -> None:
    order = placed(shop, pay=REPLY_LOST)
    shop.clock.advance(minutes=16)
    shop.hub.sweep()
    told = names(shop, order)
    assert told.index("VoidRequested") == told.index("ExpiryStarted") + 1


# --- the customer must act --------------------------------------------------------------------------------


def test_3d_secure_tells_the_channel_what_the_customer_must_do(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    outcome = order.payments[-1].outcome
    assert isinstance(outcome, IsActionRequired)
    assert outcome.client_secret
    assert outcome.redirect_url.startswith("https://")
    assert order.stage is Stage.AWAITING_PAYMENT


def test_what_the_customer_must_do_is_stored_nowhere(shop: Shop, stored: Callable[[], Rows]) -> None:
    outcome = placed(shop, pay=NEEDS_3DS).payments[-1].outcome
    assert isinstance(outcome, IsActionRequired)
    assert outcome.client_secret not in repr(stored())


def test_3d_secure_begun_in_the_app_is_shown_again_on_the_web(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    resumed = shop.web.checkout.resume(order.id)
    assert resumed.payments[-1].outcome == order.payments[-1].outcome


def test_placing_again_shows_it_again_too(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    again = shop.web.checkout.place(order.promise_id, pay=NEEDS_3DS)
    assert again.payments[-1].outcome == order.payments[-1].outcome
    assert len(shop.gateway.payments) == 1


def test_3d_secure_begun_in_the_app_is_finished_on_the_web(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[-1])
    done = shop.web.checkout.resume(order.id)
    assert done.state is OrderState.CONFIRMED
    entries = shop.office.orders.timeline(order.id).items
    assert {entry.stamp.channel.value for entry in entries} == {"app", "web"}


def test_3d_secure_that_nobody_comes_back_from_is_found_by_the_sweep(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.complete_action(order.payments[-1])
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).state is OrderState.CONFIRMED


def test_a_failed_3d_secure_is_a_decline_after_which_another_tender_works(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.gateway.fail_action(order.payments[-1])
    error = refused(PaymentDeclined, shop.web.checkout.resume, order.id)
    assert error.facts["reason"] == "authentication_failed"
    assert shop.web.checkout.place(order.promise_id, pay=VISA).state is OrderState.CONFIRMED


def test_3d_secure_that_is_never_done_ends_with_the_deadline(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.advance(minutes=16)
    assert shop.app.orders.get(order.id).stage is Stage.EXPIRED
    assert [p.state.value for p in shop.gateway.payments] == ["voided"]


def test_nobody_resumes_somebody_elses_payment(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    refused(NotFound, shop.stranger.checkout.resume, order.id)


@pytest.mark.parametrize("pay", [VISA, PayInStore()], ids=["card", "in store"])
def test_resuming_what_is_finished_changes_nothing(shop: Shop, stored: Callable[[], Rows], pay: Tender) -> None:
    order = placed(shop, pay=pay)
    before = stored()
    assert shop.web.checkout.resume(order.id) == order
    assert stored() == before


def test_an_agent_places_for_the_customer_who_calls(shop: Shop) -> None:
    order = placed(shop, touch=shop.phone)
    assert order.owner == "customer:anna"
    assert shop.app.orders.get(order.id) == order
    first = shop.app.orders.timeline(order.id).items[0]
    assert (first.stamp.channel.value, first.stamp.actor) == ("phone", "agent:petya")


def test_a_guest_places_by_token(shop: Shop) -> None:
    order = placed(shop, touch=shop.guest)
    assert shop.guest.orders.get(order.id) == order
    refused(NotFound, shop.app.orders.get, order.id)


def test_one_cart_is_one_order(shop: Shop) -> None:
    cart = filled(shop)
    promise = shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart))
    order = shop.app.checkout.place(promise.id, pay=VISA)
    after = shop.app.carts.get(cart.id)
    assert (after.state, after.order_id) == (CartState.ORDERED, order.id)
