"""Stripe's card readers at the hand-over, and links that customers pay by: in a shop, with the books compared."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress

import pytest
from attrs import frozen
from stripe import StripeError

from omniorder import Order, OrderState, PayInStore, PayLink, Receipt, Terminal
from omniorder.adapters.stripe import Enabled, StripeGateway
from omniorder.errors import OmniorderError, StillRunning
from omniorder.testing.clock import FakeClock
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from omniorder.testing.stripe import FakeStripe
from omniorder.testing.stripe.refusals import Refusal
from tests.services.steps import code, placed, ready

READER = "tmr_counter"


@frozen
class Counter:
    """A shop whose cards and card readers are Stripe's."""

    shop: Shop
    stripe: FakeStripe

    def give(self, order: Order) -> Receipt:
        """The hand-over at the reader."""
        pass_code = code(self.shop, order)
        return self.shop.store.pickups.hand_over(order.id, code=pass_code, taken=Terminal(READER))

    def agree(self) -> None:
        """Everything holds, and Stripe's books say what ours do."""
        check_all(self.shop.hub, gateways={"card": self.stripe, "terminal": self.stripe})


@pytest.fixture
def counter() -> Iterator[Counter]:
    clock = FakeClock()
    stripe = FakeStripe(clock=clock)
    gateway = StripeGateway(
        stripe.client, webhook_secret=stripe.webhook_secret, enabled=Enabled(readers=True), clock=clock
    )
    with Shop.example(clock=clock, gateways={"card": gateway, "terminal": gateway}) as shop:
        found = Counter(shop, stripe)
        yield found
        found.agree()


def test_goods_leave_once_the_reader_has_the_money(counter: Counter) -> None:
    order = ready(counter.shop, pay=PayInStore())
    with pytest.raises(StillRunning):
        counter.give(order)
    counter.stripe.present_card(READER)
    counter.give(order)
    assert counter.shop.app.orders.get(order.id).state is OrderState.COMPLETED
    assert counter.stripe.payments[-1].captured == order.total


def test_after_a_declined_card_another_may_follow(counter: Counter) -> None:
    order = ready(counter.shop, pay=PayInStore())
    for hold in (counter.stripe.decline_card, counter.stripe.present_card):
        with suppress(OmniorderError):
            counter.give(order)
        with suppress(StillRunning):
            counter.give(order)
        hold(READER)
    counter.give(order)
    assert sum(one.captured.amount for one in counter.stripe.payments) == order.total.amount


def test_a_customer_pays_by_a_link(counter: Counter) -> None:
    order = placed(counter.shop, pay=PayLink())
    counter.stripe.pay_by_link(order.payments[-1].id, wallet="apple_pay")
    assert counter.shop.web.checkout.resume(order.id).state is OrderState.CONFIRMED


@pytest.mark.parametrize("seed", range(20))
def test_whatever_goes_wrong_at_the_reader_the_books_agree_in_the_end(counter: Counter, seed: int) -> None:
    chance, stripe = random.Random(seed), counter.stripe
    mishaps = (
        stripe.lose_next_reply, stripe.drop_next_request, stripe.fail_next, stripe.time_out_reader_next,
        lambda: stripe.fail_next(after=True), lambda: stripe.lose_next_reply("preparing"),
        lambda: stripe.drop_next_request("preparing"), lambda: stripe.lose_next_reply("reading"),
    )  # fmt: skip
    for _ in range(5):
        with suppress(OmniorderError):
            order = ready(counter.shop, pay=PayInStore())
            for _ in range(chance.randrange(1, 5)):
                chance.choice(mishaps)()
                with suppress(OmniorderError):
                    counter.give(order)
                with suppress(Refusal, StripeError):
                    chance.choice((stripe.present_card, stripe.decline_card, stripe.cancel_at_reader))(READER)
                counter.shop.advance(minutes=chance.choice((0, 1, 5)))
    for _ in range(6):
        counter.shop.advance(days=2)
