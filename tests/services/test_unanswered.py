"""A provider that does not answer, or too late: nothing is charged twice, and nothing is kept for nothing."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from omniorder import (
    CartState,
    IsAuthorised,
    IsUnanswered,
    Money,
    Order,
    OrderState,
    PaymentState,
    Stage,
)
from omniorder.domain import answers
from omniorder.domain.events import Event
from omniorder.ports.payments import Absent, Answer, Approved, Authorise, Denied, LookUp, NeedsAction, NoAnswer
from omniorder.services import payments
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import (
    INSTANT,
    REPLY_LOST,
    level,
    names,
    placed,
)
from tests.services.unruly import unruly_shop

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
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, remembers=timedelta(hours=2)))
    shop.gateway.drop_next_request()
    order = placed(shop, lasts=timedelta(hours=5), nth=11)
    asked = len(shop.gateway.requests)
    shop.gateway.forget_keys()
    shop.advance(hours=3)
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


# --- another amount than was asked for --------------------------------------------------------------------


class Generous(FakeGateway):
    """A provider that sets aside whatever it likes."""

    gives = Money(400, "EUR")

    def authorise(self, request: Authorise) -> Approved | NeedsAction | Denied:
        found = super().authorise(request)
        return evolve(found, amount=self.gives) if isinstance(found, Approved) else found

    def look_up(self, request: LookUp) -> Approved | NeedsAction | Denied | NoAnswer | Absent:
        found = super().look_up(request)
        return evolve(found, amount=self.gives) if isinstance(found, Approved) else found


OTHERS = [Money(400, "EUR"), Money(600, "EUR"), Money(498, "USD")]


@pytest.mark.parametrize("gives", OTHERS, ids=["too little", "too much", "another currency"])
def test_another_amount_or_currency_holds_the_order_and_raises_the_alarm(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture, gives: Money
) -> None:
    clock = FakeClock()
    gateway = Generous(clock=clock)
    gateway.gives = gives
    shop = open_shop(clock=clock, gateway=gateway)
    with caplog.at_level(logging.ERROR, logger="omniorder"):
        order = placed(shop)
    assert (order.state, level(shop)) == (OrderState.PLACED, (40, 2))
    assert [vars(record)["attempt"] for record in caplog.records] == [order.payments[0].attempts[0].id]

    with caplog.at_level(logging.CRITICAL, logger="omniorder"):
        shop.advance(minutes=16)
    assert shop.app.orders.get(order.id).stage is Stage.EXPIRED
    assert [p.open.amount for p in gateway.payments] == [0]


def test_an_order_that_is_confirmed_by_another_amount_would_be_found(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control: what the provider says is believed, whatever was asked for."""
    heard = answers.heard

    def believed(order: Order, attempt_id: str, answer: Answer, *, look_at: datetime) -> tuple[Event, ...]:
        amount = order.payment_with(attempt_id).amount
        asked = evolve(answer, amount=amount) if isinstance(answer, Approved) else answer
        return heard(order, attempt_id, asked, look_at=look_at)

    monkeypatch.setattr(payments, "heard", believed)
    with pytest.raises(AssertionError):
        test_another_amount_or_currency_holds_the_order_and_raises_the_alarm(open_shop, caplog, Money(600, "EUR"))
