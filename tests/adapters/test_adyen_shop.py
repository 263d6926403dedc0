"""A shop that takes its cards by Adyen: orders from basket to refund, through the hub, with the fake behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import frozen

from omniorder import Card, IsActionRequired, IsUnanswered, Money, Order, OrderState, PaymentState, Pick, Stage
from omniorder.adapters.adyen import AdyenGateway, MemoryBook
from omniorder.errors import PaymentDeclined, StillRunning
from omniorder.testing.adyen import FakeAdyen
from omniorder.testing.clock import FakeClock
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.steps import code, handed_over, picked, placed, promised

VISA = Card("anna:VISA")
REDIRECT = Card("anna:REDIRECT")


@frozen
class AdyenShop:
    """A shop, the fake that it is paid through, and its gateway. Notifications wait until they are delivered."""

    shop: Shop
    adyen: FakeAdyen
    gateway: AdyenGateway

    def order(self, order: Order) -> Order:
        """The order as it is now."""
        return self.shop.app.orders.get(order.id)

    @property
    def held(self) -> int:
        """What Adyen holds of its customers' money, in cents."""
        return sum(payment.captured - payment.refunded for payment in self.adyen.payments)

    @property
    def open(self) -> int:
        """What is set aside, in cents."""
        return sum(payment.open for payment in self.adyen.payments)


def open_shop(**options: Any) -> AdyenShop:
    clock = FakeClock()
    adyen = FakeAdyen(clock=clock, prompt=False)
    gateway = AdyenGateway(
        adyen.client(), book=MemoryBook(), merchant_account=adyen.merchant_account, hmac_keys=[adyen.hmac_key],
        return_url="https://shop.example/paid", clock=clock, **options,
    )  # fmt: skip
    shop = Shop.example(clock=clock, gateways={"card": gateway})
    adyen.listen(lambda headers, body: shop.hub.webhook("card", headers=headers, body=body))
    return AdyenShop(shop, adyen, gateway)


@pytest.fixture
def at() -> Iterator[AdyenShop]:
    """A shop with Adyen's default: captured once, on request."""
    opened = open_shop()
    yield opened
    check_all(opened.shop.hub)
    opened.shop.close()


def test_an_order_from_basket_to_hand_over(at: AdyenShop) -> None:
    order = placed(at.shop, pay=VISA)
    assert (order.stage, at.open, at.held) == (Stage.PREPARING, 498, 0)
    at.shop.store.pickups.ready(picked(at.shop, order).id)
    receipt = handed_over(at.shop, order)
    assert receipt.total == Money(498, "EUR")
    assert (at.open, at.held) == (0, 498)
    assert at.order(order).state is OrderState.COMPLETED


def test_3d_secure_begun_in_the_app_comes_back_on_the_web(at: AdyenShop) -> None:
    order = placed(at.shop, pay=REDIRECT)
    shown = at.shop.web.checkout.resume(order.id).payments[-1].outcome
    assert isinstance(shown, IsActionRequired)
    assert shown.redirect_url.startswith("https://checkoutshopper-test.adyen.com/")
    at.gateway.complete(order.payments[-1].id, at.adyen.act(order.payments[-1]))
    done = at.shop.web.checkout.resume(order.id)
    assert (done.stage, at.open) == (Stage.PREPARING, 498)


def test_3d_secure_that_is_not_passed_leaves_the_order_to_another_card(at: AdyenShop) -> None:
    promise = promised(at.shop)
    order = at.shop.app.checkout.place(promise.id, pay=REDIRECT)
    at.gateway.complete(order.payments[-1].id, at.adyen.act(order.payments[-1], success=False))
    at.shop.advance(minutes=1)
    assert at.order(order).payments[-1].state is PaymentState.DECLINED
    rescued = at.shop.web.checkout.place(promise.id, pay=VISA)
    assert (rescued.id, rescued.stage) == (order.id, Stage.PREPARING)


def test_a_customer_who_never_comes_back_is_found_by_the_notification(at: AdyenShop) -> None:
    """The shop's page was never opened, but the bank's app told Adyen."""
    order = placed(at.shop, pay=Card("anna:LATER"))
    assert isinstance(order.payments[-1].outcome, IsUnanswered)
    at.adyen.decide(order.payments[-1])
    at.adyen.deliver()
    assert at.order(order).stage is Stage.PREPARING


def test_a_declined_card_has_adyen_s_reason(at: AdyenShop) -> None:
    with pytest.raises(PaymentDeclined) as declined:
        placed(at.shop, pay=Card("anna:NOBALANCE"))
    assert declined.value.facts["reason"] == "insufficient_funds"


def test_a_cancelled_order_gives_the_money_back(at: AdyenShop) -> None:
    order = placed(at.shop, pay=VISA)
    at.shop.app.orders.cancel(order.id)
    assert (at.order(order).state, at.open, at.held) == (OrderState.CANCELLED, 0, 0)


def test_a_reply_that_was_lost_is_had_again_by_the_sweep(at: AdyenShop) -> None:
    """No notification comes either: only the same request under the same key can tell."""
    at.adyen.lose_next_reply(told=False)
    order = placed(at.shop, pay=VISA)
    at.adyen.drop_notifications()
    at.shop.advance(minutes=1)
    assert at.order(order).stage is Stage.PREPARING
    assert len(at.adyen.payments) == 1
    assert len({request.key for request in at.adyen.requests}) == 1


def test_a_request_that_never_arrived_is_sent_again_by_the_sweep(at: AdyenShop) -> None:
    at.adyen.drop_next_request()
    order = placed(at.shop, pay=VISA)
    assert isinstance(order.payments[-1].outcome, IsUnanswered)
    at.shop.advance(minutes=1)
    assert at.order(order).stage is Stage.PREPARING


def test_a_request_that_never_arrived_is_not_sent_for_an_order_that_is_over(at: AdyenShop) -> None:
    at.adyen.drop_next_request()
    order = placed(at.shop, pay=VISA)
    at.shop.app.orders.cancel(order.id)
    at.adyen.deliver()
    at.shop.advance(minutes=1)
    assert at.order(order).state is OrderState.CANCELLED
    assert at.adyen.payments == ()


def test_an_authorisation_that_took_effect_after_all_is_given_back(at: AdyenShop) -> None:
    """Its reply was lost, and the order was cancelled before anybody knew."""
    at.adyen.lose_next_reply(told=False)
    order = placed(at.shop, pay=VISA)
    at.adyen.drop_notifications()
    at.shop.app.orders.cancel(order.id)
    at.adyen.deliver()
    at.shop.advance(minutes=1)
    assert (at.order(order).state, at.open, at.held) == (OrderState.CANCELLED, 0, 0)


def test_a_capture_is_waited_for_where_only_notifications_are_believed() -> None:
    """Goods leave when Adyen says that they are paid, and not before."""
    at = open_shop(captures="on_notice")
    order = placed(at.shop, pay=VISA)
    at.shop.store.pickups.ready(picked(at.shop, order).id)
    with pytest.raises(StillRunning):
        handed_over(at.shop, order)
    assert at.order(order).state is OrderState.CONFIRMED
    at.adyen.deliver()
    assert at.order(order).state is OrderState.COMPLETED
    assert at.held == 498
    check_all(at.shop.hub)
    at.shop.close()


def test_a_capture_that_adyen_refuses_keeps_the_goods_in_the_store() -> None:
    at = open_shop(captures="on_notice")
    order = placed(at.shop, pay=VISA)
    at.shop.store.pickups.ready(picked(at.shop, order).id)
    at.adyen.payment(order.payments[-1]).expired = True
    with pytest.raises(StillRunning):
        handed_over(at.shop, order)
    at.adyen.deliver()
    after = at.order(order)
    assert (after.payments[0].state, at.held) == (PaymentState.LAPSED, 0)
    assert (after.state, after.due_in_store) == (OrderState.CONFIRMED, after.total)
    at.shop.close()


def test_what_was_captured_and_not_collected_goes_back_when_adyen_says_so(at: AdyenShop) -> None:
    """Adyen captures once: the first hand-over takes everything, and what the customer leaves is refunded."""
    order = placed(at.shop, {Shop.MILK: 2, Shop.BREAD: 1}, pay=VISA)
    at.shop.store.pickups.ready(picked(at.shop, order).id)
    first = next(line for line in order.lines if line.sku == Shop.MILK)
    at.shop.store.pickups.hand_over(order.id, code=code(at.shop, order), lines=[Pick(first.id, 2)])
    assert at.held == 808
    at.shop.advance(days=8)
    before = at.order(order).payments[-1]
    assert (before.refund_pending, before.refunded) == (Money(310, "EUR"), Money(0, "EUR"))
    at.adyen.deliver(times=2, backwards=True)
    after = at.order(order).payments[-1]
    assert (after.refund_pending, after.refunded, at.held) == (Money(0, "EUR"), Money(310, "EUR"), 498)


def test_notifications_twice_and_backwards_end_the_same(at: AdyenShop) -> None:
    order = placed(at.shop, pay=VISA)
    at.shop.store.pickups.ready(picked(at.shop, order).id)
    handed_over(at.shop, order)
    before = at.order(order)
    at.adyen.deliver(times=2, backwards=True)
    assert at.order(order) == before


def test_a_forged_notification_is_answered_with_400(at: AdyenShop) -> None:
    order = placed(at.shop, pay=REDIRECT)
    headers, body = at.adyen.signed_webhook(order.payments[-1], "AUTHORISATION")
    forged = body.replace(b'"success": "true"', b'"success": "false"')
    assert at.shop.hub.webhook("card", headers=headers, body=forged).status == 400
    assert at.order(order).stage is Stage.AWAITING_PAYMENT
