"""Corrections: what may be credited or kept, to the cent, and what becomes of the money of split tenders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import coupling, crediting
from omniorder.domain import events as e
from omniorder.domain.answers import Answer, Approved, Denied, heard
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.capturing import Taken, hand_over
from omniorder.domain.corrections import CorrectionKind, summed, units_credited
from omniorder.domain.lifecycle import Funding, OrderState, PaymentState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import Operation
from omniorder.domain.terms import PLAIN, RefundRule, Terms
from omniorder.errors import CorrectionRefused, CurrencyMismatch, IllegalTransition, InvalidMoney, OmniorderError
from omniorder.testing import samples
from omniorder.testing.samples import HOUR, NOW

COMPLETED = samples.every_order()["completed"]
MILK, BREAD, APPLES = (line.id for line in COMPLETED.lines)
CONFIRMED = samples.authorised(samples.order())


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def after(order: Order, events: tuple[e.Event, ...], terms: Terms = PLAIN) -> Order:
    """The order after these events and all that follows."""
    return coupling.follow(told(order, events, NOW), NOW, terms)[0]


def refunded(
    order: Order,
    terms: Terms = PLAIN,
    *,
    amount: Money | None = None,
    units: tuple[e.Units, ...] = (),
    fee: Money | None = None,
) -> Order:
    """The order after a refund was granted, and answered by the provider."""
    events = crediting.refund(order, at=NOW, terms=terms, reason="dented", amount=amount, units=units, fee=fee)
    return answered(after(order, events, terms), terms)


def answered(order: Order, terms: Terms = PLAIN, answer: Callable[[Money], Answer] = Approved) -> Order:
    """The order once every open attempt was answered so."""
    while waiting := [attempt for p in order.payments for attempt in p.attempts if attempt.open]:
        news = heard(order, waiting[0].id, answer(waiting[0].amount), look_at=NOW + HOUR)
        order = after(order, news, terms)
    return order


def reason(refused: pytest.ExceptionInfo[CorrectionRefused]) -> tuple[str, str]:
    return refused.value.facts["reason"], refused.value.facts["most"]


# --- goods ------------------------------------------------------------------------------------------------


def test_nothing_named_is_everything() -> None:
    order = refunded(COMPLETED)
    assert (order.kept, order.owed, order.funding) == (eur(0), eur(0), Funding.CLEAR)
    assert units_credited(order.corrections) == {MILK: 2, BREAD: 1, APPLES: 750}


def test_units_are_refunded_at_what_they_cost() -> None:
    order = refunded(COMPLETED, units=(e.Units(MILK, 1), e.Units(BREAD, 1)))
    assert order.credited == order.lines[0].value(1) + order.lines[1].total
    assert order.kept == order.total - order.credited


@given(parts=st.lists(st.integers(1, 300), min_size=1, max_size=8))
def test_parts_of_a_line_sum_up_to_what_it_cost_however_it_is_cut(parts: list[int]) -> None:
    """750 g at 3.99 a kilogram: rounded part by part it would not add up."""
    order, apples, gone = COMPLETED, COMPLETED.lines[2], 0
    for part in [*parts, 750]:
        units = min(part, apples.quantity - gone)
        if apples.value(gone + units) > apples.value(gone):  # a gram may cost nothing by itself
            order = refunded(order, units=(e.Units(APPLES, units),))
            gone += units
    assert order.credited == apples.value(gone) == apples.total


def test_units_are_refunded_once() -> None:
    order = refunded(COMPLETED, units=(e.Units(MILK, 1),))
    with pytest.raises(CorrectionRefused) as raised:
        refunded(order, units=(e.Units(MILK, 2),))
    assert reason(raised)[0] == "units"
    assert raised.value.facts["line"] == MILK


def test_the_same_line_twice_in_one_request_is_one_line() -> None:
    with pytest.raises(CorrectionRefused):
        refunded(COMPLETED, units=(e.Units(MILK, 1), e.Units(MILK, 2)))


def test_goods_are_not_refunded_beyond_what_they_cost_by_whatever_way() -> None:
    order = refunded(COMPLETED, amount=COMPLETED.total - eur(1))
    with pytest.raises(CorrectionRefused) as raised:
        refunded(order, units=(e.Units(MILK, 1),))
    assert reason(raised) == ("above_rest", "0.01 EUR")


def test_twice_everything_is_nothing_left() -> None:
    with pytest.raises(CorrectionRefused) as raised:
        refunded(refunded(COMPLETED))
    assert reason(raised) == ("nothing_left", "0.00 EUR")


def test_a_fee_that_was_kept_is_no_goods_and_not_refunded_with_them() -> None:
    order = refunded(COMPLETED, fee=eur(50))
    assert (order.kept, order.fees) == (eur(50), eur(50))
    with pytest.raises(CorrectionRefused, match="nothing_left"):
        refunded(order)


def test_a_fee_is_at_most_what_goes_back() -> None:
    with pytest.raises(InvalidMoney):
        refunded(COMPLETED, amount=eur(10), fee=eur(11))


# --- goodwill ---------------------------------------------------------------------------------------------


def good(order: Order, amount: Money) -> Order:
    return answered(after(order, crediting.goodwill(order, amount, at=NOW, terms=PLAIN, reason="late")))


def test_goodwill_takes_no_goods_off_and_may_give_a_fee_back() -> None:
    order = good(refunded(COMPLETED, fee=eur(50)), eur(50))
    assert (order.kept, order.funding) == (eur(0), Funding.CLEAR)


def test_goodwill_is_at_most_what_the_shop_may_keep() -> None:
    with pytest.raises(CorrectionRefused) as raised:
        good(COMPLETED, COMPLETED.total + eur(1))
    assert reason(raised) == ("above_rest", str(COMPLETED.total))


def test_after_goodwill_everything_is_what_is_left() -> None:
    order = refunded(good(COMPLETED, eur(100)))
    assert (order.kept, order.credited) == (eur(0), COMPLETED.total)


# --- what can't be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["placed", "asked", "cancelling", "cancelled", "expiring", "not collected"])
def test_an_order_that_was_not_paid_or_is_undone_takes_no_refund(name: str) -> None:
    order = samples.every_order()[name]
    with pytest.raises(IllegalTransition):
        crediting.refund(order, at=NOW, terms=PLAIN, reason="dented")
    with pytest.raises(IllegalTransition):
        crediting.goodwill(order, eur(1), at=NOW, terms=PLAIN, reason="dented")


def test_goods_that_nobody_has_are_not_refunded() -> None:
    with pytest.raises(CorrectionRefused, match="nothing_left"):
        crediting.refund(CONFIRMED, at=NOW, terms=PLAIN, reason="dented")


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_is_more_than_nothing(amount: int) -> None:
    with pytest.raises(InvalidMoney):
        refunded(COMPLETED, amount=eur(amount))
    with pytest.raises(InvalidMoney):
        refunded(COMPLETED, fee=eur(amount))


def test_and_in_the_orders_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        refunded(COMPLETED, amount=Money(1, "USD"))


def test_the_order_itself_takes_no_credit_above_what_the_shop_may_keep() -> None:
    """Whoever decides it."""
    for amount in (0, -1, COMPLETED.total.amount + 1):
        with pytest.raises(InvalidMoney):
            told(COMPLETED, [e.CreditGranted(eur(amount), "dented")], NOW)


def test_what_was_paid_in_cash_is_to_be_paid_out_at_the_counter() -> None:
    paid = samples.ready(samples.pay_in_store(samples.order()))
    taken = Taken(paid.due_in_store)
    done = answered(after(paid, hand_over(paid, paid.pickup.rest(), capabilities={}, taken=taken, look_at=NOW)))
    assert done.state is OrderState.COMPLETED
    credited = after(done, crediting.refund(done, at=NOW, terms=PLAIN, reason="sour"))
    assert credited.to_pay_out == done.kept


def test_a_part_is_refused_where_the_provider_gives_back_all_or_nothing() -> None:
    terms = Terms(capabilities={"card": Capabilities(partial_refund=False)})
    with pytest.raises(CorrectionRefused, match="all_or_nothing"):
        refunded(COMPLETED, terms, amount=eur(10))
    assert refunded(COMPLETED, terms).kept == eur(0)


# --- while goods are still to be collected ----------------------------------------------------------------


def test_a_refund_lowers_what_is_still_to_be_paid_before_it_goes_back() -> None:
    """The milk was captured by itself, and the rest is set aside: nothing need be sent back."""
    order = refunded(samples.every_order()["partly collected"], units=(e.Units(MILK, 1),))
    assert order.kept == order.lines[0].value(1)
    rest = hand_over(order, order.pickup.rest(), capabilities={"card": SEVERAL}, taken=None, look_at=NOW)
    done = answered(after(order, rest))
    assert done.state is OrderState.COMPLETED
    assert done.kept == done.owed == order.total - order.lines[0].value(1)


def test_and_goes_back_when_the_rest_is_never_collected() -> None:
    order = refunded(samples.every_order()["partly collected"], units=(e.Units(MILK, 1),))
    done = answered(after(order, coupling.cancel(order, "changed my mind", NOW)))
    assert (done.state, done.kept, done.funding) == (OrderState.COMPLETED, eur(0), Funding.CLEAR)


# --- fees -------------------------------------------------------------------------------------------------


SEVERAL = Capabilities(several_captures=True)


def called_off(order: Order, fee: int, terms: Terms = PLAIN) -> Order:
    """The order after it was called off for a fee; what the provider says is still to come."""
    events = crediting.cancel(order, at=NOW, terms=terms, reason="too late", hold_until=NOW + HOUR, fee=eur(fee))
    return after(order, events, terms)


def operations(order: Order) -> list[tuple[Operation, int]]:
    return [(attempt.operation, attempt.amount.amount) for p in order.payments for attempt in p.attempts]


def test_a_fee_is_captured_in_part_and_the_rest_given_back() -> None:
    order = answered(called_off(CONFIRMED, 50))
    assert operations(order)[1:] == [(Operation.CAPTURE, 50)]
    assert (order.state, order.kept) == (OrderState.CANCELLED, eur(50))


def test_where_a_part_cannot_be_captured_all_is_and_the_rest_refunded() -> None:
    terms = Terms(capabilities={"card": Capabilities(partial_capture=False)})
    order, total = answered(called_off(CONFIRMED, 50, terms), terms), CONFIRMED.total.amount
    assert operations(order)[1:] == [(Operation.CAPTURE, total), (Operation.REFUND, total - 50)]
    assert (order.state, order.kept) == (OrderState.CANCELLED, eur(50))


def test_of_what_was_captured_before_the_fee_is_kept() -> None:
    asked = samples.paying(samples.order())
    paid = samples.heard(asked, Approved(asked.total, "pi_1", captured=True))
    order = answered(called_off(paid, 50))
    assert (order.state, order.kept) == (OrderState.CANCELLED, eur(50))


def test_a_fee_that_no_tender_gives_is_forgone() -> None:
    order = called_off(CONFIRMED, 50)
    (waiting,) = [attempt for p in order.payments for attempt in p.attempts if attempt.open]
    order = after(order, heard(order, waiting.id, Denied("card_closed"), look_at=NOW))
    order = answered(order)
    assert (order.state, order.kept, order.owed) == (OrderState.CANCELLED, eur(0), eur(0))
    assert order.corrections[-1].reason == coupling.FEE_NOT_COLLECTED


@pytest.mark.parametrize("name", ["due in store", "half covered", "asked"])
def test_no_fee_without_money_to_keep_it_of(name: str) -> None:
    with pytest.raises((CorrectionRefused, IllegalTransition)):
        called_off(samples.every_order()[name], 50)


def test_a_fee_is_at_most_what_would_have_been_paid() -> None:
    with pytest.raises(CorrectionRefused) as raised:
        called_off(CONFIRMED, CONFIRMED.total.amount + 1)
    assert reason(raised) == ("fee_too_high", str(CONFIRMED.total))


def test_the_rest_of_an_order_is_called_off_for_a_fee_too() -> None:
    some = samples.every_order()["partly collected"]
    order = answered(called_off(some, 50))
    assert (order.state, order.kept) == (OrderState.COMPLETED, some.kept + eur(50))


# --- split tenders ----------------------------------------------------------------------------------------


KINDS = ("card", "voucher", "wallet")
CAPABILITIES = (Capabilities(), SEVERAL, Capabilities(partial_capture=False), Capabilities(partial_refund=False))


T = TypeVar("T")


class Draw(Protocol):
    """How an example is drawn, in a strategy or in a test."""

    def __call__(self, strategy: st.SearchStrategy[T], /) -> T: ...


@st.composite
def split_orders(draw: st.DrawFn) -> tuple[Order, Terms]:
    """An order that is ready, paid by up to three tenders, some of them taken at once."""
    order = samples.order()
    count, left = draw(st.integers(1, 3)), order.total.amount
    for number in range(1, count + 1):
        part = left if number == count else draw(st.integers(1, left - (count - number)))
        left -= part
        new, kind = order.next_payment_id(), draw(st.sampled_from(KINDS))
        asked = e.AuthoriseRequested(new, f"{new.replace('pay', 'att')}_1", eur(part))
        order = after(order, (e.TenderAdded(new, kind, eur(part), "tok"), asked))
        answer = Approved(eur(part), f"pi_{number}", captured=draw(st.booleans()))
        order = after(order, heard(order, asked.attempt, answer, look_at=NOW))
    can = {kind: draw(st.sampled_from(CAPABILITIES)) for kind in KINDS}
    return samples.ready(order), Terms(can, rule=draw(st.sampled_from(RefundRule)))


def stepped(draw: Draw, order: Order, terms: Terms) -> tuple[e.Event, ...]:
    """Something that may happen next; what the shop refuses it refuses with an error of its own."""
    few = eur(draw(st.integers(1, 300)))
    line = draw(st.sampled_from(order.pickup.lines))
    some = (e.Units(line.line, draw(st.integers(1, max(1, line.ordered)))),)
    waiting = [attempt for p in order.payments for attempt in p.attempts if attempt.open]
    named = evolve(terms, to=draw(st.sampled_from([p.id for p in order.payments])))
    match draw(st.integers(0, 9)):
        case 0 | 1 if order.pickup.state is PickupState.READY:
            units = draw(st.sampled_from([some, order.pickup.rest()]))
            return hand_over(order, units, capabilities=terms.capabilities, taken=None, look_at=NOW + HOUR)
        case 2:
            return crediting.goodwill(order, few, at=NOW, terms=terms, reason="late")
        case 3:
            return crediting.refund(order, at=NOW, terms=named, reason="dented", amount=few)
        case 4:
            return crediting.refund(order, at=NOW, terms=terms, reason="bad", units=some, fee=eur(1))
        case 5:
            return crediting.refund(order, at=NOW, terms=terms, reason="all")
        case 6 if draw(st.booleans()):
            return crediting.cancel(order, at=NOW, terms=terms, reason="late", hold_until=NOW + HOUR, fee=few)
        case 7:
            back = [p for p in order.payments if p.refunded.amount and p.state is PaymentState.CAPTURED]
            return tuple(e.RefundBounced(p.id, p.refunded, "account_closed") for p in back[:1])
        case _ if waiting:
            asked = draw(st.sampled_from(waiting))
            can = terms.of(order.payment_with(asked.id))
            part = can.several_captures and asked.operation is Operation.CAPTURE
            answer: Answer = Approved(asked.amount, "op", open=part and draw(st.booleans()))
            if draw(st.integers(0, 3)) == 0 and asked.operation is not Operation.VOID:
                answer = Denied("try_again_later")
            return heard(order, asked.id, answer, look_at=NOW + HOUR)
        case _:
            return ()


def adds_up(order: Order) -> None:
    """M2, M3 and M4 of one order, and that nothing that is to go back is forgotten."""
    for p in order.payments:
        steps = (0, p.refunded.amount + p.refund_pending.amount, p.captured.amount, p.authorised.amount)
        assert list(steps) == sorted(steps)
    credited = units_credited(order.corrections)
    assert all(credited[line.line] <= line.collected for line in order.pickup.lines)
    assert summed(order.corrections, CorrectionKind.REFUND) <= order.collected_value.amount
    assert order.owed >= eur(0)
    assert order.held >= order.owed - order.fees
    assert order.kept <= order.ceiling
    if coupling.surplus(order) > 0 and coupling.refundable(order):
        assert coupling.due(order) is not None


@given(data=st.data())
def test_whatever_is_corrected_of_whatever_tenders_adds_up_at_every_step_and_in_the_end(data: st.DataObject) -> None:
    order, terms = data.draw(split_orders())
    adds_up(order)
    for _ in range(data.draw(st.integers(0, 14))):
        try:
            order = after(order, stepped(data.draw, order, terms), terms)
        except OmniorderError:
            continue
        adds_up(order)
    order = answered(order, terms)
    if order.state is OrderState.CONFIRMED:
        order = after(order, coupling.cancel(order, "changed my mind", NOW + HOUR), terms)
    later = NOW + 2 * coupling.REFUND_AGAIN
    for _ in range(4):  # what was refused is asked for again
        order = answered(coupling.follow(order, later, terms)[0], terms)
    assert order.funding is Funding.CLEAR
    assert order.kept == order.owed
    adds_up(order)
