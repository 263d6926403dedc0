"""Cash that goes back: nobody asks a provider for it, staff see that it is due and say that it was paid out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omniorder import Card, Money, Order, PayInStore, Payment, PaymentState, Stage, Taken, Terminal, events
from omniorder.domain import coupling
from omniorder.domain.lifecycle import AttemptState
from omniorder.errors import CurrencyMismatch, InvalidMoney, InvalidText, NotFound, NotPaid, StillRunning
from omniorder.ports.payments import Refund
from omniorder.services.payments import drive
from omniorder.services.ripples import carry_on
from omniorder.services.units import in_transaction
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import code, handed_over, names, ready, refused

DUE = Money(498, "EUR")
PART = Money(100, "EUR")
CASH = Taken(DUE)


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    clock = FakeClock()
    gateway = FakeGateway(clock=clock)
    return open_shop(clock=clock, gateway=gateway, gateways={"card": gateway, "terminal": gateway})


def corrected(shop: Shop, taken: Taken | Terminal = CASH) -> Order:
    """An order that was paid at the counter and collected, of which so much is to go back."""
    order = handed_over(shop, ready(shop, pay=PayInStore()), taken=taken).order
    parts, stamp = shop.hub._parts, shop.store.payments.touch.stamp(shop.clock)
    payment = order.payments[-1]
    due = events.RefundRequested(payment.id, payment.next_attempt_id(), PART)
    order = in_transaction(parts, stamp, lambda unit: carry_on(unit, order, [due]))
    return drive(parts, order, stamp)


def now(shop: Shop, order: Order) -> Order:
    return shop.store.orders.get(order.id)


def test_cash_that_is_to_go_back_is_shown_to_staff(shop: Shop) -> None:
    order = corrected(shop)
    assert now(shop, order).to_pay_out == PART
    assert now(shop, order).payments[0].refund_pending == PART


def test_no_provider_is_asked_for_it_and_no_sweep_looks_at_it(shop: Shop) -> None:
    order = corrected(shop)
    assert coupling.due(order) is None
    report = shop.advance(days=30)
    assert (report.looked, now(shop, order)) == (0, order)
    assert not [one for one in shop.gateway.requests if isinstance(one, Refund)]


def test_staff_say_that_it_was_paid_out(shop: Shop) -> None:
    order = corrected(shop)
    done = shop.store.payments.sent_back(order.payments[0].id, PART, reference="TILL-7")
    assert (done.to_pay_out.amount, done.payments[0].refunded, done.kept) == (0, PART, DUE - PART)
    [said] = [entry for entry in shop.office.orders.timeline(order.id).items if entry.name == "Refunded"]
    assert said.stamp.actor == "associate:ivan@SOF01"
    assert done.payments[0].attempts[-1].provider_id == "TILL-7"


def test_what_was_paid_out_is_said_twice_and_counts_once(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = corrected(shop)
    shop.store.payments.sent_back(order.payments[0].id, PART, reference="TILL-7")
    before = stored()
    shop.store.payments.sent_back(order.payments[0].id, PART, reference="TILL-7")
    assert stored() == before


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        (Money(99, "EUR"), InvalidMoney),
        (Money(101, "EUR"), InvalidMoney),
        (Money(0, "EUR"), InvalidMoney),
        (Money(-100, "EUR"), InvalidMoney),
        (Money(100, "USD"), CurrencyMismatch),
        (100, InvalidMoney),
        (None, InvalidMoney),
    ],
)
def test_another_amount_is_not_booked(
    shop: Shop, stored: Callable[[], Rows], amount: Money, error: type[InvalidMoney]
) -> None:
    order = corrected(shop)
    before = stored()
    refused(error, shop.store.payments.sent_back, order.payments[0].id, amount)
    assert stored() == before


@pytest.mark.parametrize("reference", ["x" * 101, "a\x00b", 7, None])
def test_a_reference_that_is_no_text_is_refused(shop: Shop, reference: str) -> None:
    order = corrected(shop)
    refused(InvalidText, shop.store.payments.sent_back, order.payments[0].id, PART, reference=reference)


def test_another_store_pays_nothing_out(shop: Shop) -> None:
    order = corrected(shop)
    refused(NotFound, shop.elsewhere.payments.sent_back, order.payments[0].id, PART)


def test_what_a_reader_took_goes_back_through_its_gateway(shop: Shop) -> None:
    order = corrected(shop, Terminal("tmr_visa"))
    assert (order.payments[0].refunded, order.to_pay_out.amount) == (PART, 0)
    assert [one.refunded for one in shop.gateway.payments] == [PART]


def test_what_a_card_can_give_back_no_customer_comes_for(shop: Shop) -> None:
    """The card was charged after all, when the counter had taken cash for what it had refused."""
    order = ready(shop, pay=Card("pm_card_capture_declined"))
    said = code(shop, order)
    refused(NotPaid, shop.store.pickups.hand_over, order.id, code=said)
    done = shop.store.pickups.hand_over(order.id, code=said, taken=Taken(DUE)).order
    parts, stamp = shop.hub._parts, shop.store.payments.touch.stamp(shop.clock)
    late = events.LateCaptured(done.payments[0].id, DUE)
    after = drive(parts, in_transaction(parts, stamp, lambda unit: carry_on(unit, done, [late])), stamp)
    card, cash = after.payments
    assert (card.attempts[-1].state is AttemptState.PLANNED, cash.refund_pending.amount) == (False, 0)
    assert "RefundRequested" in names(shop, order)


def test_a_silent_reader_s_payment_is_recorded_by_who_has_seen_the_slip(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    said = code(shop, order)
    refused(StillRunning, shop.store.pickups.hand_over, order.id, code=said, taken=Terminal("tmr_1"))
    payment = now(shop, order).payments[0]
    done = shop.store.payments.received(payment.id, DUE, reference="slip 0815")
    assert (done.stage, done.kept, done.payments[0].provider_id) == (Stage.COLLECTED, DUE, "slip 0815")
    assert shop.store.pickups.hand_over(order.id, code=said, taken=Terminal("tmr_1")).total == DUE


def test_a_silent_reader_that_took_nothing_is_given_up_by_who_has_seen_it(shop: Shop) -> None:
    order = ready(shop, pay=PayInStore())
    said = code(shop, order)
    refused(StillRunning, shop.store.pickups.hand_over, order.id, code=said, taken=Terminal("tmr_1"))
    done = shop.store.payments.not_received(now(shop, order).payments[0].id)
    assert (done.payments[0].state, done.due_in_store) == (PaymentState.DUE_IN_STORE, DUE)
    shop.gateway.present_card("tmr_1")  # and it did take it, later
    headers, body = shop.gateway.signed_webhook(done.payments[0], "payment.captured")
    assert shop.hub.webhook("terminal", headers=headers, body=body).status == 200
    late = now(shop, order)
    assert (late.kept, late.due_in_store.amount) == (DUE, 0)
    assert shop.store.pickups.hand_over(order.id, code=said).total == DUE


def test_without_the_guard_it_would_be_booked_before_anybody_came(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control: cash that goes back is like any other refund."""
    monkeypatch.setattr(Payment, "left_to_people", lambda payment, attempt: False)
    with pytest.raises(AssertionError):
        test_cash_that_is_to_go_back_is_shown_to_staff(shop)
