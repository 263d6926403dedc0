"""Late news: what a provider tells of a payment that seemed to be over, and that the order of telling is the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniorder import Funding, Money, Order, OrderState, PaymentState, Pick, Stage
from omniorder.domain import events as e
from omniorder.domain import payments
from omniorder.ports.payments import Void
from omniorder.testing.shop import Shop
from tests.services.steps import INSTANT, NEEDS_3DS, charged, handed_over, level, names, part, placed, ready

Sent = tuple[Mapping[str, str], bytes]
EUR = partial(Money, currency="EUR")


def bring(shop: Shop, sent: Sent) -> None:
    headers, body = sent
    reply = shop.hub.webhook("card", headers=headers, body=body)
    assert (reply.status, reply.body) == (200, "ok")


def told(shop: Shop, order: Order, *, disputed: Money | None = None) -> Order:
    """The order after a webhook about its first payment."""
    bring(shop, shop.gateway.signed_webhook(order.payments[0], "payment.updated", disputed=disputed))
    return shop.app.orders.get(order.id)


def refunded(shop: Shop) -> Order:
    """An order that was paid at once, called off, and paid back."""
    order = shop.app.orders.cancel(placed(shop, pay=INSTANT).id)
    assert (order.stage, charged(shop)) == (Stage.CANCELLED, 0)
    return order


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


# --- an authorisation that ended --------------------------------------------------------------------------


def test_an_authorisation_that_lapsed_at_the_provider_leaves_the_order_to_be_paid_at_the_counter(shop: Shop) -> None:
    order = placed(shop)
    shop.gateway.expire(order.payments[0])
    after = told(shop, order)
    assert (after.payments[0].state, after.state, after.funding) == (
        PaymentState.LAPSED, OrderState.CONFIRMED, Funding.COVERED,
    )  # fmt: skip
    assert after.due_in_store == after.total
    assert names(shop, order)[-4:] == ["AuthorisationLapsed", "FundingLost", "TenderAdded", "LeftForStore"]
    assert level(shop) == (40, 2), "its goods are still its goods"


def test_an_authorisation_that_somebody_gave_back_by_hand_has_lapsed_too(shop: Shop) -> None:
    order = placed(shop)
    shop.gateway.void(Void(order.payments[0].id, "by hand", order.payments[0].provider_id))
    assert told(shop, order).payments[0].state is PaymentState.LAPSED


def test_an_authorisation_that_lapsed_is_told_once(shop: Shop) -> None:
    order = placed(shop)
    shop.gateway.expire(order.payments[0])
    told(shop, order)
    assert told(shop, order).version == told(shop, order).version
    assert names(shop, order).count("AuthorisationLapsed") == 1


def test_news_of_an_authorisation_that_stands_changes_nothing(shop: Shop) -> None:
    order = placed(shop)
    assert told(shop, order) == shop.app.orders.get(order.id) == order


# --- a refund that came back ------------------------------------------------------------------------------


def test_a_refund_that_bounced_is_seen_and_tried_again_an_hour_later(shop: Shop) -> None:
    order = refunded(shop)
    shop.gateway.bounce_refund(order.payments[0])
    back = told(shop, order)
    assert (back.payments[0].refunded, back.payments[0].reason) == (EUR(0), "account_closed")
    assert back.payments[0].returnable == order.total
    assert charged(shop) == order.total.amount
    shop.advance(minutes=59)
    assert charged(shop) == order.total.amount
    shop.advance(minutes=2)
    assert charged(shop) == 0
    after = shop.app.orders.get(order.id)
    assert (after.payments[0].refunded, after.funding) == (order.total, Funding.CLEAR)
    assert names(shop, order)[-4:] == ["RefundBounced", "RefundRequested", "AttemptSucceeded", "Refunded"]


def test_a_refund_bounces_once_however_often_it_is_told(shop: Shop) -> None:
    order = refunded(shop)
    shop.gateway.bounce_refund(order.payments[0])
    for _ in range(3):
        told(shop, order)
    assert names(shop, order).count("RefundBounced") == 1


def test_a_second_bounce_would_be_found(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: nobody remembers which refund came back."""
    monkeypatch.setattr(payments, "_bounced", lambda payment, _: payment)
    with pytest.raises((AssertionError, ValueError)):
        test_a_refund_bounces_once_however_often_it_is_told(shop)


# --- a dispute --------------------------------------------------------------------------------------------


def test_a_dispute_is_seen_on_the_payment_and_raises_the_alarm_and_moves_nothing(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    order = ready(shop, pay=INSTANT)
    handed_over(shop, order)
    before = shop.app.orders.get(order.id)
    after = told(shop, order, disputed=EUR(498))
    assert after.payments[0].disputed == EUR(498)
    assert (after.state, after.kept, charged(shop)) == (before.state, before.kept, 498)
    assert alarms(caplog) == ["the customer's bank disputes a payment"]
    assert told(shop, order, disputed=EUR(100)).payments[0].disputed == EUR(498)
    assert names(shop, order).count("Disputed") == 1


def test_a_dispute_that_comes_before_the_capture_waits_for_it(shop: Shop) -> None:
    order = ready(shop)
    assert told(shop, order, disputed=EUR(498)).payments[0].disputed == EUR(0)
    handed_over(shop, order)
    shop.advance(minutes=2)
    assert shop.app.orders.get(order.id).payments[0].disputed == EUR(498)


@pytest.mark.parametrize("disputed", [Money(498, "USD"), EUR(498)], ids=["in another currency", "of nothing"])
def test_a_dispute_that_can_not_be_booked_raises_the_alarm(
    shop: Shop, caplog: pytest.LogCaptureFixture, disputed: Money
) -> None:
    order = placed(shop, pay=INSTANT) if disputed.currency == "USD" else shop.app.orders.cancel(placed(shop).id)
    assert told(shop, order, disputed=disputed).payments[0].disputed == EUR(0)
    assert alarms(caplog) == ["the customer's bank disputes a payment"]


# --- in any order -----------------------------------------------------------------------------------------


class Life:
    """A payment's whole life at the provider: paid, half given back, that came back; disputed, then all of it.

    Each step leaves a webhook. Whoever delivers them may do so late, in any order, and more than once.
    """

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.order = placed(shop, pay=NEEDS_3DS)
        self.payment = self.order.payments[0]
        self.sent = [self._sign()]

    def steps(self) -> Iterable[Callable[[], None]]:
        yield self.authorise
        yield self.hand_over
        yield self.cancel_the_rest
        yield partial(self.shop.gateway.bounce_refund, self.payment)
        yield partial(self.dispute, 100)
        yield partial(self.dispute, 249)

    def run(self, deliver: Callable[[int, list[Sent]], Iterable[Sent]]) -> tuple[object, ...]:
        """Live it; after each step `deliver` (its number, and what was sent until then) says what comes now."""
        for number, step in enumerate(self.steps()):
            step()
            for sent in deliver(number, self.sent):
                bring(self.shop, sent)
        for minutes in (1, 1, 70, 1):
            self.shop.advance(minutes=minutes)
        return self.end()

    def authorise(self) -> None:
        self.shop.gateway.complete_action(self.payment)
        self.sent.append(self._sign())
        self.shop.web.checkout.resume(self.order.id)

    def hand_over(self) -> None:
        picks = [Pick(line.id, line.quantity) for line in self.order.lines]
        self.shop.store.pickups.pick(self.order.id, picks)
        self.order = self.shop.store.pickups.ready(self.order.id)
        handed_over(self.shop, self.order, lines=part(self.order, 1))
        self.sent.append(self._sign())

    def cancel_the_rest(self) -> None:
        self.shop.app.orders.cancel(self.order.id)
        self.sent.append(self._sign())

    def dispute(self, amount: int) -> None:
        self.sent.append(self._sign(EUR(amount)))

    def _sign(self, disputed: Money | None = None) -> Sent:
        return self.shop.gateway.signed_webhook(self.payment, "payment.updated", disputed=disputed)

    def end(self) -> tuple[object, ...]:
        """Where it ended, as far as that is not a matter of when."""
        order = self.shop.app.orders.get(self.order.id)
        found = order.payments[0]
        story = names(self.shop, order)
        counts = [
            story.count(name) for name in ("Authorised", "Captured", "RefundBounced", "Refunded", "OrderConfirmed")
        ]
        return (
            order.state, order.funding, order.pickup.state, order.kept, found.state, found.authorised, found.captured,
            found.refunded, found.refund_pending, found.disputed, *counts, charged(self.shop), level(self.shop),
        )  # fmt: skip


def in_order(number: int, sent: list[Sent]) -> list[Sent]:
    return sent[-1:]


def not_before_the_end(number: int, sent: list[Sent]) -> list[Sent]:
    """All of it at once, the newest first, and each twice."""
    return [one for one in reversed(sent) for _ in range(2)] if number == 5 else []


@pytest.mark.parametrize("deliver", [in_order, not_before_the_end])
def test_a_life_ends_the_same_in_whatever_order_its_webhooks_come(
    shop: Shop, deliver: Callable[[int, list[Sent]], list[Sent]]
) -> None:
    with Shop.example() as usual:
        expected = Life(usual).run(in_order)
    assert Life(shop).run(deliver) == expected
    order = shop.app.orders.page().items[0]
    assert (order.state, order.funding, order.kept) == (OrderState.COMPLETED, Funding.CLEAR, EUR(249))
    assert order.payments[0].disputed == EUR(249)


DELIVERIES = st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=6, max_size=6)


@given(DELIVERIES, st.permutations(range(6)))
@settings(max_examples=25, deadline=None)
def test_any_delivery_in_any_order_and_number_ends_the_same(now: list[list[int]], at_last: list[int]) -> None:
    """E3: some early, some late, some often; and all of them in the end, in any order."""

    def deliver(number: int, sent: list[Sent]) -> list[Sent]:
        chosen = now[number] + (at_last if number == 5 else [])
        return [sent[index] for index in chosen if index < len(sent)]

    with Shop.example() as shop, Shop.example() as usual:
        assert Life(shop).run(deliver) == Life(usual).run(in_order)


def test_news_that_has_its_effect_again_would_be_found(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: the newest dispute counts rather than the largest."""
    monkeypatch.setattr(
        "omniorder.services.webhooks.disputed", lambda payment, amount: (e.Disputed(payment.id, amount),)
    )
    with pytest.raises(AssertionError):
        test_a_life_ends_the_same_in_whatever_order_its_webhooks_come(shop, not_before_the_end)
