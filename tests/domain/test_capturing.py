"""Who pays for the goods that leave: by what the provider can do, to the cent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import coupling
from omniorder.domain import events as e
from omniorder.domain.answers import AUTHORISATION_EXPIRED, Absent, Approved, Denied, NeedsAction, NoAnswer, heard
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.capturing import Taken, Terminal, hand_over, stop
from omniorder.domain.lifecycle import OrderState, PaymentState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import Action
from omniorder.errors import InvalidQuantity, InvalidText, NotFound, NotPaid, StillRunning
from omniorder.testing import samples
from omniorder.testing.samples import HOUR, NOW

ONCE = Capabilities()
EACH = Capabilities(several_captures=True)
WHOLE = Capabilities(partial_capture=False)

OF_CARD = samples.ready(samples.authorised(samples.order()))
OF_COUNTER = samples.ready(samples.pay_in_store(samples.order()))
MILK, BREAD, APPLES = (line.id for line in OF_CARD.lines)
ONE_MILK = (e.Units(MILK, 1),)


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def plan(
    order: Order, units: tuple[e.Units, ...], can: Capabilities = ONCE, taken: Taken | Terminal | None = None
) -> list[e.Event]:
    """What the planner decides, without the claim that always comes first."""
    claim, *rest = hand_over(order, units, capabilities={"card": can}, taken=taken, look_at=NOW + HOUR)
    assert claim == e.HandOverStarted(units, NOW + HOUR)
    return rest


def captured(events: list[e.Event]) -> int:
    return sum(event.amount.amount for event in events if isinstance(event, e.CaptureRequested))


def collected(order: Order, units: tuple[e.Units, ...], can: Capabilities, *, stays_open: bool = False) -> Order:
    """The order once the provider captured what was planned."""
    claimed = samples.after(order, *hand_over(order, units, capabilities={"card": can}, taken=None, look_at=NOW))
    attempts = [a for p in claimed.payments for a in p.attempts if a.open]
    return samples.heard(claimed, Approved(attempts[-1].amount, open=stays_open)) if attempts else claimed


# --- by capability ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("can", [ONCE, EACH, WHOLE])
def test_everything_that_leaves_at_once_is_captured_at_once(can: Capabilities) -> None:
    assert captured(plan(OF_CARD, OF_CARD.pickup.rest(), can)) == OF_CARD.total.amount


def test_a_provider_that_captures_several_times_takes_each_part_as_it_leaves() -> None:
    assert captured(plan(OF_CARD, ONE_MILK, EACH)) == OF_CARD.value_after(ONE_MILK).amount


def test_one_that_captures_once_takes_everything_that_is_still_ready() -> None:
    assert captured(plan(OF_CARD, ONE_MILK, ONCE)) == OF_CARD.wanted_value.amount


def test_one_that_captures_no_parts_takes_the_whole_authorisation() -> None:
    bigger = evolve(OF_CARD.payments[0], authorised=OF_CARD.total + eur(500))
    assert captured(plan(evolve(OF_CARD, payments=(bigger,)), ONE_MILK, WHOLE)) == OF_CARD.total.amount + 500


@pytest.mark.parametrize("can", [ONCE, WHOLE])
def test_what_was_captured_with_the_first_part_pays_for_the_rest(can: Capabilities) -> None:
    some = collected(OF_CARD, ONE_MILK, can)
    assert some.pickup.state is PickupState.READY
    assert plan(some, some.pickup.rest(), can) == []


def test_a_second_part_is_captured_on_its_own() -> None:
    some = collected(OF_CARD, ONE_MILK, EACH, stays_open=True)
    rest = some.pickup.rest()
    assert captured(plan(some, rest, EACH)) == (some.total - some.kept).amount


def test_an_unknown_provider_is_taken_to_capture_once() -> None:
    _, *rest = hand_over(OF_CARD, ONE_MILK, capabilities={}, taken=None, look_at=NOW)
    assert captured(rest) == OF_CARD.total.amount


def test_what_is_paid_already_needs_no_capture() -> None:
    asked = samples.paying(samples.order())
    paid = samples.ready(samples.heard(asked, Approved(asked.total, captured=True)))
    assert plan(paid, paid.pickup.rest()) == []


shares = st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 750)).filter(any)
"""How many of each line leave."""
providers = st.builds(Capabilities, partial_capture=st.booleans(), several_captures=st.booleans())


@given(counts=shares, can=providers)
def test_what_leaves_is_paid_for_and_no_more_is_taken_than_was_set_aside(
    counts: tuple[int, ...], can: Capabilities
) -> None:
    units = tuple(e.Units(line.id, n) for line, n in zip(OF_CARD.lines, counts, strict=True) if n)
    taken = captured(plan(OF_CARD, units, can))
    assert OF_CARD.value_after(units).amount <= taken <= OF_CARD.payments[0].authorised.amount


@given(counts=st.lists(shares, min_size=1, max_size=4))
def test_parts_captured_each_add_up_to_the_total_to_the_cent(counts: list[tuple[int, ...]]) -> None:
    """However 750 g are divided, no rounding is left over."""
    order = OF_CARD
    for count in counts:
        wanted = zip(order.pickup.lines, count, strict=True)
        units = tuple(e.Units(line.line, min(n, line.open)) for line, n in wanted if min(n, line.open))
        if units and order.state is OrderState.CONFIRMED:
            order = collected(order, units, EACH, stays_open=True)
            assert order.kept == order.collected_value
    if order.state is OrderState.CONFIRMED:
        order = collected(order, order.pickup.rest(), EACH)
    assert order.state is OrderState.COMPLETED
    assert order.kept == order.total


# --- at the counter ---------------------------------------------------------------------------------------


def test_the_counter_takes_what_is_due() -> None:
    due = OF_COUNTER.total
    events = plan(OF_COUNTER, OF_COUNTER.pickup.rest(), taken=Taken(due))
    payment = OF_COUNTER.payments[0]
    assert events == [e.CounterStarted(payment.id, payment.next_attempt_id(), due, "cash")]


def test_the_counter_takes_only_what_leaves() -> None:
    due = OF_COUNTER.value_after(ONE_MILK)
    events = plan(OF_COUNTER, ONE_MILK, taken=Taken(due))
    assert [event.amount for event in events if isinstance(event, e.CounterStarted)] == [due]


@pytest.mark.parametrize("wrong", [-1, 1, -OF_COUNTER.total.amount])
def test_another_amount_than_is_due_is_refused(wrong: int) -> None:
    taken = Taken(OF_COUNTER.total + eur(wrong))
    with pytest.raises(NotPaid):
        plan(OF_COUNTER, OF_COUNTER.pickup.rest(), taken=taken)


def test_without_money_nothing_leaves() -> None:
    with pytest.raises(NotPaid) as refused:
        plan(OF_COUNTER, ONE_MILK)
    assert refused.value.facts["due"] == str(OF_COUNTER.value_after(ONE_MILK))


def test_money_at_the_counter_for_what_the_card_pays_is_refused() -> None:
    with pytest.raises(NotPaid):
        plan(OF_CARD, OF_CARD.pickup.rest(), taken=Taken(OF_CARD.total))


def lapsed() -> Order:
    """Ready, but the authorisation ended before anybody came."""
    claimed = samples.handing_over(OF_CARD)
    return samples.heard(claimed, Denied(AUTHORISATION_EXPIRED))


def test_nothing_leaves_on_an_authorisation_that_ended() -> None:
    assert lapsed().payments[0].state is PaymentState.LAPSED
    with pytest.raises(NotPaid):
        plan(lapsed(), lapsed().pickup.rest())


def test_the_counter_can_take_the_money_instead() -> None:
    order = lapsed()
    events = hand_over(order, order.pickup.rest(), capabilities={}, taken=Taken(order.total), look_at=NOW)
    claimed = coupling.follow(told(order, events, NOW), NOW)[0]
    done = samples.heard(claimed, Approved(order.total, captured=True))
    assert done.state is OrderState.COMPLETED
    assert done.kept == order.total


# --- what can't be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "error"),
    [
        ((e.Units(MILK, 3),), InvalidQuantity),
        ((e.Units(MILK, 0),), InvalidQuantity),
        ((e.Units(MILK, -1),), InvalidQuantity),
        ((e.Units(BREAD, 1), e.Units(BREAD, 1)), InvalidQuantity),
        ((e.Units("ln_x", 1),), NotFound),
    ],
)
def test_units_that_are_not_there_are_refused_before_any_money(
    units: tuple[e.Units, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        plan(OF_CARD, units)


@frozen
class Till:
    """What a till may send with the money."""

    means: Any = "cash"
    reference: Any = ""


@pytest.mark.parametrize("till", [Till(means=""), Till(means="x" * 41), Till(reference="x" * 101), Till(means="a\nb")])
def test_what_the_till_says_is_one_short_line(till: Till) -> None:
    make: Callable[..., Taken] = Taken
    with pytest.raises(InvalidText):
        make(eur(100), till.means, till.reference)


def test_what_could_not_be_refunded_in_part_is_not_taken_ahead() -> None:
    """One that captures once takes what leaves, if it could not give back what is never collected."""
    line = OF_CARD.pickup.lines[0]
    units = (e.Units(line.line, 1),)
    stubborn = Capabilities(several_captures=False, partial_refund=False)
    (_, capture) = hand_over(OF_CARD, units, capabilities={"card": stubborn}, taken=None, look_at=OF_CARD.pay_by)
    assert isinstance(capture, e.CaptureRequested)
    assert capture.amount == OF_CARD.value_after(units)


# --- a balance at the counter, and card readers -----------------------------------------------------------

READER = Terminal("tmr_1")


def with_balance(at_counter: int) -> Order:
    """An order that is paid by card but for so much, which was left for the counter."""
    [card], [counter] = OF_CARD.payments, OF_COUNTER.payments
    by_card = OF_CARD.total - eur(at_counter)
    payments = (
        evolve(card, amount=by_card, authorised=by_card),
        evolve(counter, id=OF_CARD.next_payment_id(), amount=eur(at_counter)),
    )
    return evolve(OF_CARD, payments=payments)


@pytest.mark.parametrize(("taken", "means", "reader"), [(Taken(eur(100)), "cash", ""), (READER, "terminal", "tmr_1")])
def test_the_counter_takes_the_balance_and_the_card_the_rest(taken: Taken | Terminal, means: str, reader: str) -> None:
    order = with_balance(100)
    card, counter = order.payments
    assert plan(order, order.pickup.rest(), taken=taken) == [
        e.CaptureRequested(card.id, card.next_attempt_id(), order.total - eur(100)),
        e.CounterStarted(counter.id, counter.next_attempt_id(), eur(100), means, reader=reader),
    ]


def test_a_balance_that_nobody_takes_keeps_the_goods_in_the_store() -> None:
    order = with_balance(100)
    with pytest.raises(NotPaid) as refusal:
        plan(order, order.pickup.rest())
    assert refusal.value.facts["due"] == "1.00 EUR"


def test_what_the_card_covers_is_not_asked_for_at_the_reader() -> None:
    events = plan(with_balance(100), ONE_MILK, EACH, READER)
    assert [type(event) for event in events] == [e.CaptureRequested]


def test_a_balance_too_small_for_what_the_card_refused_gives_way_to_one_for_everything() -> None:
    order = with_balance(100)
    card, counter = order.payments
    refused = samples.after(order, e.CaptureRequested(card.id, card.next_attempt_id(), card.amount))
    refused = told(
        refused,
        (
            e.AttemptRefused(card.id, refused.payments[0].attempts[-1].id, "declined"),
            e.CaptureRefused(card.id, "declined"),
        ),
        NOW,
    )
    new = refused.next_payment_id()
    events = plan(refused, refused.pickup.rest(), taken=READER)
    assert [type(event) for event in events] == [
        e.VoidRequested, e.Waived, e.TenderAdded, e.LeftForStore, e.CounterStarted,
    ]  # fmt: skip
    assert events[1] == e.Waived(counter.id)
    assert events[2] == e.TenderAdded(new, "in_store", order.total)


def at_reader() -> Order:
    """An order for which a reader was just asked."""
    return samples.after(
        OF_COUNTER, *hand_over(OF_COUNTER, OF_COUNTER.pickup.rest(), capabilities={}, taken=READER, look_at=NOW + HOUR)
    )


def said(order: Order, *answers: Absent | Approved | Denied | NeedsAction | NoAnswer) -> Order:
    """What a reader says to its last request, one after the other, and what follows."""
    for answer in answers:
        attempt = order.payments[-1].attempts[-1]
        order, _ = coupling.follow(told(order, heard(order, attempt.id, answer, look_at=NOW + HOUR), NOW), NOW)
    return order


WAITS = NeedsAction(Action())


def test_while_the_reader_waits_the_claim_stands() -> None:
    order = said(at_reader(), WAITS, NoAnswer(), WAITS)
    assert (order.pickup.state, order.payments[0].state) == (PickupState.HANDING_OVER, PaymentState.COLLECTING)


def test_a_reader_is_not_stopped_while_it_is_being_asked() -> None:
    with pytest.raises(StillRunning):
        stop(at_reader(), NOW)


def test_whoever_asked_the_reader_and_died_is_no_obstacle_to_stopping_it() -> None:
    order = at_reader()
    assert [type(event) for event in stop(order, NOW + HOUR)] == [e.AttemptUnanswered, e.VoidRequested]


def test_a_stopped_reader_leaves_everything_due_as_a_payment_of_its_own() -> None:
    order = said(at_reader(), WAITS)
    order = samples.after(order, *stop(order, NOW))
    order = said(order, Approved(eur(0)))
    stopped, due = order.payments
    assert (stopped.state, stopped.reason, due.state) == (PaymentState.VOIDED, "stopped", PaymentState.DUE_IN_STORE)
    assert (order.pickup.state, order.due_in_store) == (PickupState.READY, OF_COUNTER.total)


def test_a_reader_that_is_not_stopped_in_time_has_paid() -> None:
    order = said(at_reader(), WAITS)
    order = samples.after(order, *stop(order, NOW))
    order = said(order, Denied("captured", OF_COUNTER.total))
    assert (order.state, order.kept) == (OrderState.COMPLETED, OF_COUNTER.total)


def test_cash_that_was_taken_is_stopped_by_nobody() -> None:
    taken = Taken(OF_COUNTER.total)
    order = samples.after(
        OF_COUNTER, *hand_over(OF_COUNTER, OF_COUNTER.pickup.rest(), capabilities={}, taken=taken, look_at=NOW)
    )
    assert stop(order, NOW + HOUR) == ()
