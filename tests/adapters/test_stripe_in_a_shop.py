"""Stripe in a shop: orders placed, paid, handed over and called off, and the books of both agree in the end."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import stripe
from attrs import frozen

from omniorder import Card, IsActionRequired, Order, OrderState, PaymentState, Stage
from omniorder.adapters.stripe import Enabled, StripeGateway
from omniorder.errors import NotFound, OmniorderError, PaymentDeclined
from omniorder.testing.clock import FakeClock
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from omniorder.testing.stripe import FakeStripe
from tests.services.steps import handed_over, part, picked, placed, ready

VISA = Card("pm_card_visa")


@frozen
class Scene:
    """A shop whose cards are taken by Stripe."""

    shop: Shop
    stripe: FakeStripe

    def order(self, order: Order) -> Order:
        """The order as it is now."""
        return self.shop.app.orders.get(order.id)

    def deliver(self, seed: int = 0, times: int = 2) -> list[int]:
        """Bring all webhooks that are not sent yet, in any order and more than once; returns the statuses."""
        sent = list(self.stripe.webhooks()) * times
        random.Random(seed).shuffle(sent)
        return [self.shop.hub.webhook("card", headers=headers, body=body).status for headers, body in sent]

    def agree(self) -> None:
        """Everything holds, and Stripe's books say what ours do."""
        check_all(self.shop.hub, gateways={"card": self.stripe})


def scene(url: str = "memory://", **options: Any) -> Scene:
    clock = FakeClock()
    stripe = FakeStripe(clock=clock, **options)
    enabled = Enabled(multicapture=options.get("multicapture", False))
    gateway = StripeGateway(stripe.client, webhook_secret=stripe.webhook_secret, enabled=enabled, clock=clock)
    return Scene(Shop.example(url, clock=clock, gateways={"card": gateway}), stripe)


@pytest.fixture
def here(migrated_url: str) -> Iterator[Scene]:
    """On each kind of storage."""
    found = scene(migrated_url)
    with found.shop:
        yield found
        found.agree()


def test_an_order_is_paid_when_it_is_handed_over(here: Scene) -> None:
    order = ready(here.shop, pay=VISA)
    assert here.stripe.payments[0].captured.amount == 0
    done = handed_over(here.shop, order)
    assert here.stripe.payments[0].captured == order.total
    assert here.order(order).state is OrderState.COMPLETED
    assert done is not None


def test_the_end_of_the_authorisation_is_known(here: Scene) -> None:
    order = placed(here.shop, pay=VISA)
    assert order.payments[-1].until == here.shop.clock.now() + timedelta(days=7)


def test_3d_secure_begun_in_the_app_is_finished_on_the_web(here: Scene) -> None:
    order = placed(here.shop, pay=Card("pm_card_authenticationRequired"))
    outcome = order.payments[-1].outcome
    assert isinstance(outcome, IsActionRequired)
    assert outcome.client_secret
    here.stripe.complete_action(order.payments[-1].id)
    assert here.shop.web.checkout.resume(order.id).stage is Stage.PREPARING


def test_3d_secure_is_finished_by_a_webhook_alone(here: Scene) -> None:
    order = placed(here.shop, pay=Card("pm_card_authenticationRequired"))
    here.stripe.complete_action(order.payments[-1].id)
    assert set(here.deliver()) == {200}
    assert here.order(order).state is OrderState.CONFIRMED


def test_a_declined_card_leaves_room_for_another(here: Scene) -> None:
    promise = here.shop.promise()
    with pytest.raises(PaymentDeclined) as caught:
        here.shop.web.checkout.place(promise.id, pay=Card("pm_card_chargeDeclinedInsufficientFunds"))
    assert caught.value.facts["reason"] == "insufficient_funds"
    assert here.shop.web.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED


def test_a_cancelled_order_gives_everything_back(here: Scene) -> None:
    order = placed(here.shop, pay=VISA)
    here.shop.app.orders.cancel(order.id)
    assert here.stripe.payments[0].open.amount == 0
    assert here.order(order).payments[-1].state is PaymentState.VOIDED


def test_what_was_taken_is_refunded_when_the_rest_is_not_collected(here: Scene) -> None:
    """One authorisation, one capture: the first hand-over takes all, and what stays on the shelf goes back."""
    order = ready(here.shop, {Shop.MILK: 2, Shop.BREAD: 1}, pay=VISA)
    first = order.lines[0]
    handed_over(here.shop, order, lines=part(order, first.quantity))
    here.shop.app.orders.cancel(order.id)
    paid = here.stripe.payments[0]
    assert (paid.captured - paid.refunded) == first.total
    assert here.order(order).state is OrderState.COMPLETED


@pytest.mark.parametrize("after", [True, False], ids=["took effect", "did not"])
def test_a_500_is_resolved_by_the_sweep(here: Scene, after: bool) -> None:
    here.stripe.fail_next(after=after)
    order = placed(here.shop, pay=VISA)
    assert order.stage is Stage.AWAITING_PAYMENT
    here.shop.advance(minutes=1)
    known = here.order(order).state is OrderState.CONFIRMED
    assert known is after


def test_a_lost_reply_is_resolved_by_the_sweep(here: Scene) -> None:
    here.stripe.lose_next_reply()
    order = placed(here.shop, pay=VISA)
    assert order.stage is Stage.AWAITING_PAYMENT
    here.shop.advance(minutes=1)
    assert here.order(order).state is OrderState.CONFIRMED
    assert set(here.stripe.effects.values()) == {1}


def test_a_request_that_never_arrived_is_sent_again_under_its_key(here: Scene) -> None:
    here.stripe.drop_next_request()
    order = placed(here.shop, pay=VISA)
    here.shop.advance(minutes=1)
    assert here.order(order).state is OrderState.CONFIRMED
    assert set(here.stripe.effects.values()) == {1}


class Keyless(StripeGateway):
    """A control: every call under a key of its own."""

    def _keyed(self, key: str) -> stripe.RequestOptions:
        return {"idempotency_key": secrets.token_hex(8)}


@pytest.mark.parametrize(("kind", "payments"), [(StripeGateway, 1), (Keyless, 2)], ids=["key", "no key"])
def test_what_can_t_be_found_is_asked_for_once_as_its_key_is_repeated(kind: type[StripeGateway], payments: int) -> None:
    """Stripe's search is behind for hours, and nobody told the gateway: the look-up finds nothing."""
    clock = FakeClock()
    provider = FakeStripe(clock=clock, search_lag=timedelta(hours=9))
    gateway = kind(provider.client, webhook_secret="whsec", search_lag=timedelta(0), clock=clock)
    with Shop.example(clock=clock, gateways={"card": gateway}) as shop:
        provider.lose_next_reply()
        placed(shop, pay=VISA)
        shop.advance(minutes=5)
        assert len(provider.payments) == payments


def test_a_lost_capture_at_the_counter_takes_the_money_once(here: Scene) -> None:
    order = ready(here.shop, pay=VISA)
    here.stripe.lose_next_reply()
    handed_over_or_not(here, order)
    here.shop.advance(minutes=1)
    handed_over_or_not(here, order)
    assert here.stripe.payments[0].captured == order.total
    assert set(here.stripe.effects.values()) == {1}
    assert here.order(order).state is OrderState.COMPLETED


def test_webhooks_in_any_order_and_twice_change_nothing_that_was_done() -> None:
    for seed in range(5):
        found = scene()
        with found.shop:
            order = placed(found.shop, pay=Card("pm_card_authenticationRequired"))
            found.stripe.complete_action(order.payments[-1].id)
            found.shop.web.checkout.resume(order.id)
            picked(found.shop, order)
            found.shop.store.pickups.ready(order.id)
            handed_over(found.shop, order)
            before = found.order(order)
            assert set(found.deliver(seed)) == {200}
            assert found.order(order) == before
            found.agree()


def test_a_webhook_of_somebody_else_s_payment_is_not_ours(here: Scene) -> None:
    here.stripe.client.v1.payment_intents.create({"amount": 700, "currency": "eur"})
    assert set(here.deliver()) == {200}


def test_a_forged_webhook_is_answered_400(here: Scene) -> None:
    placed(here.shop, pay=VISA)
    headers, body = next(here.stripe.webhooks())
    assert here.shop.hub.webhook("card", headers=headers, body=body + b" ").status == 400


def test_parts_are_captured_as_they_leave_where_that_is_switched_on() -> None:
    found = scene(multicapture=True)
    with found.shop:
        order = ready(found.shop, {Shop.MILK: 2, Shop.BREAD: 1}, pay=VISA)
        first = order.lines[0]
        handed_over(found.shop, order, lines=part(order, first.quantity))
        assert found.stripe.payments[0].captured == first.total
        found.shop.app.orders.cancel(order.id)
        paid = found.stripe.payments[0]
        assert (paid.captured, paid.open.amount) == (first.total, 0)
        found.agree()


CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_chargeDeclined", "pm_card_authenticationRequired")


@pytest.mark.parametrize("seed", range(40))
def test_whatever_goes_wrong_the_books_agree_in_the_end(seed: int) -> None:
    """Orders by chance, with replies lost, requests dropped, errors remembered, and webhooks in any order."""
    chance, found = random.Random(seed), scene()
    stripe, shop = found.stripe, found.shop
    mishaps = (
        stripe.lose_next_reply, stripe.drop_next_request, stripe.throttle_next, stripe.lock_next, stripe.fail_next,
        lambda: stripe.fail_next(after=True), lambda: stripe.lose_next_reply("reading"), stripe.go_well_next,
    )  # fmt: skip
    with shop:
        for _ in range(8):
            for _ in range(chance.randrange(3)):
                chance.choice(mishaps)()
            with suppress(OmniorderError):
                order = placed(shop, pay=Card(chance.choice(CARDS)))
                live(found, order, chance)
            shop.advance(minutes=chance.choice((0, 1, 40)))
            found.deliver(chance.randrange(99), times=chance.randrange(3))
        for _ in range(4):
            shop.advance(days=2)
        found.agree()
    assert set(stripe.effects.values()) <= {1}


def live(found: Scene, order: Order, chance: random.Random) -> None:
    """What becomes of an order, by chance."""
    if chance.random() < 0.7:
        with suppress(NotFound):
            chance.choice((found.stripe.complete_action, found.stripe.fail_action))(order.payments[-1].id)
        found.shop.web.checkout.resume(order.id)
    if chance.random() < 0.3:
        found.shop.app.orders.cancel(order.id)
    picked(found.shop, order)
    found.shop.store.pickups.ready(order.id)
    handed_over(found.shop, order, lines=part(order, chance.choice((1, 2))))
    if chance.random() < 0.5:
        found.shop.app.orders.cancel(order.id)


def handed_over_or_not(here: Scene, order: Order) -> None:
    """At the counter, whatever comes of it."""
    with suppress(OmniorderError):
        handed_over(here.shop, order)
