"""Money that people bring: the order waits for it, people say what became of it, and none of it is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from omniorder import BankTransfer, IsActionRequired, Money, Order, OrderState, PaymentState, Settings, Stage
from omniorder.adapters.manual import ManualGateway
from omniorder.errors import (
    BadWebhook,
    CurrencyMismatch,
    GatewayTimeout,
    InvalidMoney,
    InvalidText,
    NotFound,
    PaymentDeclined,
    TenderUnsupported,
)
from omniorder.ports.payments import Absent, Capture, Denied, LookUp, NoAnswer, Operation, Refund, Void
from omniorder.services import payment_desk, payments
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import VISA, handed_over, level, names, picked, placed, refused

DUE = Money(498, "EUR")
WHERE = "Send it to BG80 BNBG 9661 1020 3456 78, reference {order}."


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """A shop that takes bank transfers, in which nothing lapses for a while."""
    clock = FakeClock()
    cards = FakeGateway(clock=clock)
    gateways = {"card": cards, "bank_transfer": ManualGateway(WHERE)}
    return open_shop(clock=clock, gateway=cards, gateways=gateways)


def transfer(shop: Shop) -> Order:
    """An order in the evening for which the money is to be sent."""
    return placed(shop, pay=BankTransfer(), nth=11)


def now(shop: Shop, order: Order) -> Order:
    return shop.office.orders.get(order.id)


def came(shop: Shop, order: Order, amount: Money = DUE, reference: str = "statement 7") -> Order:
    return shop.office.payments.received(order.payments[0].id, amount, reference=reference)


# --- what comes -------------------------------------------------------------------------------------------


def test_the_customer_is_told_where_to_send_it_now_and_later(shop: Shop) -> None:
    order = transfer(shop)
    told = IsActionRequired("", "", WHERE.format(order=order.id))
    assert (order.stage, order.payments[0].outcome) == (Stage.AWAITING_PAYMENT, told)
    assert shop.web.checkout.resume(order.id).payments[0].outcome == told


def test_money_that_came_confirms_the_order_and_the_goods_leave(shop: Shop) -> None:
    order = came(shop, transfer(shop))
    [paid] = order.payments
    assert (order.state, paid.state, paid.provider_id) == (OrderState.CONFIRMED, PaymentState.CAPTURED, "statement 7")
    shop.store.pickups.ready(picked(shop, order).id)
    assert handed_over(shop, order).total == DUE
    check_all(shop.hub)


def test_it_is_said_by_whom(shop: Shop) -> None:
    order = came(shop, transfer(shop))
    said = [entry for entry in shop.office.orders.timeline(order.id).items if entry.name == "Paid"]
    assert [entry.stamp.actor for entry in said] == ["system:office"]


def test_what_was_said_twice_counts_once(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = came(shop, transfer(shop))
    before = stored()
    assert came(shop, order) == order
    assert stored() == before
    shop.office.payments.received(order.payments[0].id, DUE, reference="statement 7", key="k")
    shop.office.payments.received(order.payments[0].id, DUE, reference="statement 7", key="k")
    assert now(shop, order) == order


def test_no_sweep_asks_every_half_minute(shop: Shop) -> None:
    order = transfer(shop)
    for _ in range(5):
        shop.advance(minutes=10)
    assert names(shop, order).count("AttemptUnanswered") == 1


def test_it_may_take_until_the_window_ends(shop: Shop) -> None:
    order = transfer(shop)
    assert order.pay_by == order.pickup.ends
    assert Settings().time_to_pay("bank_transfer") == timedelta(days=3)
    assert Settings(pay_within_by_kind={"bank_transfer": timedelta(hours=6)}).time_to_pay("bank_transfer") == timedelta(
        hours=6
    )


# --- another amount ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [Money(497, "EUR"), Money(499, "EUR"), Money(0, "EUR"), Money(-498, "EUR")])
def test_another_amount_than_what_was_asked_for_is_not_booked(
    shop: Shop, stored: Callable[[], Rows], amount: Money
) -> None:
    order = transfer(shop)
    before = stored()
    refusal = refused(InvalidMoney, came, shop, order, amount)
    assert "4.98 EUR" in refusal.facts["rule"]
    assert stored() == before


def test_another_currency_is_not_booked(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = transfer(shop)
    before = stored()
    refused(CurrencyMismatch, came, shop, order, Money(498, "USD"))
    assert stored() == before


@pytest.mark.parametrize("amount", [498, 4.98, "4.98", None])
def test_what_is_no_money_is_not_booked(shop: Shop, amount: Money) -> None:
    refused(InvalidMoney, came, shop, transfer(shop), amount)


def test_a_second_transfer_for_what_is_paid_is_to_be_sent_back(shop: Shop) -> None:
    order = came(shop, transfer(shop))
    assert "send it back" in refused(InvalidMoney, came, shop, order, DUE, "statement 8").facts["rule"]


# --- what does not come, or too late ----------------------------------------------------------------------


def test_what_never_came_lets_the_customer_pay_otherwise(shop: Shop) -> None:
    order = transfer(shop)
    after = shop.office.payments.not_received(order.payments[0].id)
    assert (after.state, after.payments[0].state) == (OrderState.PLACED, PaymentState.DECLINED)
    refused(PaymentDeclined, shop.web.checkout.resume, order.id)
    assert shop.app.checkout.place(order.promise_id, pay=VISA).state is OrderState.CONFIRMED
    check_all(shop.hub)


def test_an_order_that_nobody_paid_ends_with_its_window_and_gives_everything_back(shop: Shop) -> None:
    order = transfer(shop)
    shop.advance(days=3)
    after = now(shop, order)
    assert (after.stage, after.payments[0].state, level(shop)) == (Stage.EXPIRED, PaymentState.VOIDED, (40, 0))
    check_all(shop.hub)


@pytest.mark.parametrize("amount", [DUE, Money(100, "EUR")])
def test_money_that_comes_after_the_end_is_booked_and_to_be_sent_back(shop: Shop, amount: Money) -> None:
    order = transfer(shop)
    shop.advance(days=3)
    late = came(shop, order, amount)
    assert (late.stage, late.kept, late.payments[0].refund_pending) == (Stage.EXPIRED, amount, amount)
    check_all(shop.hub)
    done = shop.office.payments.sent_back(order.payments[0].id, amount, reference="SEPA 9")
    assert (done.kept.amount, done.payments[0].refunded) == (0, amount)
    check_all(shop.hub)


def test_money_that_comes_after_it_was_given_up_is_booked(shop: Shop) -> None:
    order = transfer(shop)
    shop.office.payments.not_received(order.payments[0].id)
    late = came(shop, order)
    assert (late.state, late.kept) == (OrderState.CONFIRMED, DUE)
    check_all(shop.hub)


def test_money_for_an_order_that_is_called_off_waits_for_somebody_to_send_it_back(shop: Shop) -> None:
    order = came(shop, transfer(shop))
    shop.app.orders.cancel(order.id)
    shop.advance(days=3)
    waiting = now(shop, order)
    assert (waiting.stage, waiting.payments[0].refund_pending) == (Stage.BEING_CANCELLED, DUE)
    check_all(shop.hub)
    done = shop.office.payments.sent_back(order.payments[0].id, DUE, reference="SEPA 9")
    assert (done.stage, done.kept.amount) == (Stage.CANCELLED, 0)
    assert shop.office.payments.sent_back(order.payments[0].id, DUE, reference="SEPA 9") == done
    refused(InvalidMoney, shop.office.payments.sent_back, order.payments[0].id, DUE, reference="SEPA 10")
    check_all(shop.hub)


def test_only_a_refund_that_is_due_is_sent_back(shop: Shop) -> None:
    order = came(shop, transfer(shop))
    refused(InvalidMoney, shop.office.payments.sent_back, order.payments[0].id, DUE)


# --- who says so ------------------------------------------------------------------------------------------


def test_a_provider_s_own_payments_are_not_for_people_to_tell(shop: Shop) -> None:
    order = placed(shop, pay=VISA)
    for say in (shop.office.payments.received, shop.office.payments.sent_back):
        refused(TenderUnsupported, say, order.payments[0].id, DUE)
    refused(TenderUnsupported, shop.office.payments.not_received, order.payments[0].id)


def test_an_associate_says_nothing_of_what_came_to_the_bank(shop: Shop) -> None:
    order = transfer(shop)
    refused(NotFound, shop.store.payments.received, order.payments[0].id, DUE)
    refused(NotFound, shop.elsewhere.payments.not_received, order.payments[0].id)


@pytest.mark.parametrize("payment", ["", "pay_SOF01_7K3F9Q_1", "pay_1", "SOF01-7K3F9Q", 7, None])
def test_a_payment_that_is_none_is_not_found(shop: Shop, payment: str) -> None:
    refused(NotFound, shop.office.payments.received, payment, DUE)


# --- the gateway ------------------------------------------------------------------------------------------


def test_the_gateway_claims_nothing_that_it_can_t_know() -> None:
    gateway = ManualGateway(WHERE)
    assert gateway.capture(Capture("pay_A_1_1", "k", "", DUE, final=True)) == Denied("not_authorised")
    assert gateway.void(Void("pay_A_1_1", "k", "")) == Absent()
    assert gateway.look_up(LookUp("pay_A_1_1", "k", Operation.REFUND, "")) == NoAnswer()
    with pytest.raises(GatewayTimeout):
        gateway.refund(Refund("pay_A_1_1", "k", "", DUE))
    with pytest.raises(BadWebhook):
        gateway.read_webhook({}, b"{}")


@pytest.mark.parametrize("text", ["", "{", "{payment}", "{}", "{order.nothing}", "x" * 501, 7])
def test_instructions_that_can_t_be_shown_are_refused(text: str) -> None:
    with pytest.raises(InvalidText):
        ManualGateway(text)


def test_without_late_news_money_that_came_too_late_would_be_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: what was called off is over."""
    monkeypatch.setattr(payment_desk, "may_turn_up", lambda attempt: False)
    with pytest.raises(InvalidMoney):
        test_money_that_comes_after_the_end_is_booked_and_to_be_sent_back(shop, DUE)


def test_without_its_patience_every_sweep_would_ask(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: the settings' half minute for everybody."""
    monkeypatch.setattr(payments, "_patience", lambda parts, payment: parts.settings.look_again)
    with pytest.raises(AssertionError):
        test_no_sweep_asks_every_half_minute(shop)
