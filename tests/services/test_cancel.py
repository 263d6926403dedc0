"""Calling an order off, at each stage: goods, place and money go back, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omniorder import Card, CartState, Money, OrderState, PayInStore, PaymentState, Pick, Stage, Tender, events
from omniorder.errors import CardNumberRefused, IllegalTransition, InvalidText, NotFound, PaymentDeclined
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    DECLINED,
    INSTANT,
    NEEDS_3DS,
    REPLY_LOST,
    VISA,
    booked,
    handed_over,
    level,
    names,
    picked,
    placed,
    promised,
    ready,
    refused,
)
from tests.services.unruly import unruly_shop


def provider(shop: Shop) -> list[tuple[str, int, int]]:
    """(state, still set aside, kept) of each payment on the provider's books."""
    return [(p.state.value, p.open.amount, p.captured.amount - p.refunded.amount) for p in shop.gateway.payments]


@pytest.mark.parametrize("stage", ["to pick", "picking", "ready"])
def test_a_paid_order_is_called_off_until_it_is_collected(shop: Shop, stage: str) -> None:
    order = ready(shop) if stage == "ready" else placed(shop)
    if stage == "picking":
        picked(shop, order)
    after = shop.app.orders.cancel(order.id)
    assert (after.state, after.stage) == (OrderState.CANCELLED, Stage.CANCELLED)
    assert provider(shop) == [("voided", 0, 0)]
    assert (level(shop), booked(shop, order.pickup.slot)) == ((40, 0), 0)


def test_a_captured_payment_is_refunded(shop: Shop) -> None:
    after = shop.app.orders.cancel(placed(shop, pay=INSTANT).id)
    assert after.kept == Money(0, "EUR")
    assert provider(shop) == [("captured", 0, 0)]


def test_what_was_left_for_the_store_is_waived(shop: Shop) -> None:
    after = shop.app.orders.cancel(placed(shop, pay=PayInStore()).id)
    assert (after.stage, after.payments[-1].state) == (Stage.CANCELLED, PaymentState.VOIDED)


def test_an_order_after_a_declined_card_is_called_off_and_its_cart_is_open_again(shop: Shop) -> None:
    error = refused(PaymentDeclined, shop.web.checkout.place, promised(shop).id, pay=DECLINED)
    after = shop.app.orders.cancel(error.order.id)
    assert after.stage is Stage.CANCELLED
    assert shop.app.carts.get(after.cart_id).state is CartState.OPEN
    assert level(shop) == (40, 0)


@pytest.mark.parametrize("pay", [NEEDS_3DS, REPLY_LOST], ids=["3-D Secure", "no answer"])
def test_an_order_with_money_in_flight_is_called_off_at_the_provider_first(shop: Shop, pay: Tender) -> None:
    after = shop.app.orders.cancel(placed(shop, pay=pay).id)
    assert after.stage is Stage.CANCELLED
    assert provider(shop) == [("voided", 0, 0)]
    assert shop.app.carts.get(after.cart_id).state is CartState.OPEN
    assert level(shop) == (40, 0)


def test_goods_of_an_unpaid_order_wait_until_the_provider_has_answered(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    order = placed(shop, pay=NEEDS_3DS)
    gateway.down = True
    assert shop.app.orders.cancel(order.id).stage is Stage.BEING_CANCELLED
    assert level(shop) == (40, 2)
    gateway.down = False
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).stage is Stage.CANCELLED
    assert level(shop) == (40, 0)


def test_goods_of_a_confirmed_order_go_back_at_once_also_when_the_provider_is_silent(open_shop: OpenShop) -> None:
    shop, gateway = unruly_shop(open_shop)
    order = placed(shop)
    gateway.down = True
    assert shop.app.orders.cancel(order.id).stage is Stage.BEING_CANCELLED
    assert level(shop) == (40, 0)
    gateway.down = False
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).stage is Stage.CANCELLED
    assert provider(shop) == [("voided", 0, 0)]


def test_a_confirmed_orders_cart_stays_ordered(shop: Shop) -> None:
    after = shop.app.orders.cancel(placed(shop).id)
    assert shop.app.carts.get(after.cart_id).state is CartState.ORDERED


def test_calling_off_twice_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = shop.app.orders.cancel(placed(shop).id)
    before = stored()
    assert shop.web.orders.cancel(order.id) == order
    assert stored() == before


def test_what_is_collected_can_not_be_called_off(shop: Shop) -> None:
    order = handed_over(shop, ready(shop)).order
    error = refused(IllegalTransition, shop.app.orders.cancel, order.id)
    assert (error.facts["machine"], error.facts["state"]) == ("order", "completed")


def test_an_expired_order_can_not_be_called_off(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    shop.advance(minutes=16)
    refused(IllegalTransition, shop.app.orders.cancel, order.id)


@pytest.mark.parametrize("who", ["store", "phone", "office", "web"])
def test_store_agent_office_and_customer_may_call_it_off_and_the_journal_says_who(shop: Shop, who: str) -> None:
    touch = getattr(shop, who)
    order = touch.orders.cancel(placed(shop).id, reason="out of fridge space")
    entry = next(e for e in shop.office.orders.timeline(order.id).items if e.name == "CancelStarted")
    assert entry.stamp.channel.value in (who, "system")
    assert getattr(entry.event, "reason", None) == "out of fridge space"


def test_a_stranger_may_not_call_it_off(shop: Shop) -> None:
    order = placed(shop)
    refused(NotFound, shop.stranger.orders.cancel, order.id)
    refused(NotFound, shop.elsewhere.orders.cancel, order.id)


def test_a_reason_is_one_line_of_text(shop: Shop) -> None:
    order = placed(shop)
    for reason in ("two\nlines", "x" * 101):
        assert refused(InvalidText, shop.app.orders.cancel, order.id, reason=reason).facts["field"] == "reason"
    refused(CardNumberRefused, shop.app.orders.cancel, order.id, reason="my card 4111 1111 1111 1111")
    assert shop.app.orders.get(order.id) == order


def test_without_a_reason_the_journal_says_who_called_it_off(shop: Shop) -> None:
    order = placed(shop)
    shop.store.orders.cancel(order.id)
    told = [entry.event for entry in shop.app.orders.timeline(order.id).items]
    assert [event.reason for event in told if isinstance(event, events.CancelStarted)] == ["associate"]


def test_the_rest_of_a_partly_collected_order_can_always_be_called_off(shop: Shop) -> None:
    """It can't go back to picking, where nothing would watch it any more."""
    order = ready(shop)
    said = shop.app.orders.pickup_pass(order.id).code
    shop.store.pickups.hand_over(order.id, code=said, lines=[Pick(order.lines[0].id, 1)])
    refused(IllegalTransition, shop.store.pickups.unready, order.id, reason="it leaks")
    assert shop.app.orders.cancel(order.id).stage is Stage.COLLECTED


def test_a_refund_that_is_refused_is_asked_for_again_later_and_not_at_once(shop: Shop) -> None:
    order = ready(shop, pay=Card("pm_card_refund_declined"))
    shop.store.pickups.hand_over(
        order.id, code=shop.app.orders.pickup_pass(order.id).code, lines=[Pick(order.lines[0].id, 1)]
    )
    after = shop.app.orders.cancel(order.id)
    assert (after.stage, after.kept.amount) == (Stage.COLLECTED, 498)
    shop.advance(minutes=30)
    assert names(shop, order).count("RefundRequested") == 1
    shop.advance(minutes=31)
    assert names(shop, order).count("RefundRequested") == 2


def test_units_that_were_called_off_can_be_promised_to_the_next_customer(shop: Shop) -> None:
    order = placed(shop, {Shop.MILK: 40})
    shop.app.orders.cancel(order.id)
    assert placed(shop, {Shop.MILK: 40}, touch=shop.stranger, pay=VISA).state is OrderState.CONFIRMED
