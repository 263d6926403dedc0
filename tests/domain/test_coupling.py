"""What follows from what, one consequence at a time; `test_joint_states` looks at all of them together."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import coupling, orders
from omniorder.domain import events as e
from omniorder.domain.answers import AUTHORISATION_EXPIRED, Absent, Approved, Denied, NoAnswer
from omniorder.domain.answers import heard as heard_by
from omniorder.domain.coupling import REFUND_AGAIN, cancel, due, follow, overdue
from omniorder.domain.lifecycle import (
    AttemptState,
    Funding,
    Joint,
    OrderState,
    PaymentState,
    PickupState,
    ReservationState,
    is_legal,
)
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import CALL_TAKES, Operation
from omniorder.errors import IllegalTransition
from omniorder.testing import samples, strategies
from omniorder.testing.samples import MINUTE, NOW, after, every_order, heard, paying
from omniorder.testing.walks import Turn

HOLD = NOW + 30 * MINUTE

# --- the table --------------------------------------------------------------------------------------------

# order | funding | pick-up | reservation: any combination of one word from each column is legal, no other

COUPLINGS = """
PLACED               | BUSY SHORT PAID COVERED       | PLANNED                                               | HELD
CONFIRMED            | BUSY SHORT PAID COVERED       | AWAITING_STOCK TO_PICK PICKING AWAITING_CUSTOMER READY | FIRM
CONFIRMED            | BUSY PAID                     | HANDING_OVER                                          | FIRM
CANCELLING EXPIRING  | BUSY CLEAR PAID COVERED SHORT | PLANNED                                               | HELD
CANCELLING EXPIRING  | BUSY CLEAR PAID COVERED SHORT | CANCELLED LAPSED                   | SETTLED RELEASED EXPIRED
CANCELLED EXPIRED    | CLEAR BUSY PAID               | CANCELLED LAPSED                   | SETTLED RELEASED EXPIRED
COMPLETED RETURNED   | BUSY CLEAR PAID               | COLLECTED                                          | SETTLED
"""


def test_exactly_the_agreed_joint_states_are_legal() -> None:
    rows = [[set(cell.split()) for cell in line.split("|")] for line in COUPLINGS.strip().split("\n")]
    for order, funding, pickup, held in product(OrderState, Funding, PickupState, ReservationState):
        joint = Joint(order, funding, pickup, (), paid=True, collected=False)
        names = (order.name, funding.name, pickup.name, held.name)
        agreed = any(all(name in cell for name, cell in zip(names, row, strict=True)) for row in rows)
        assert is_legal(joint, held) == agreed, names


# --- paying -----------------------------------------------------------------------------------------------


def names(events: tuple[e.Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


def answered(order: Order, answer: Approved | Denied | NoAnswer | Absent, at: datetime = NOW) -> tuple[e.Event, ...]:
    """All that happens when the provider answers the last attempt."""
    attempt = order.payments[-1].attempts[-1].id
    events = heard_by(order, attempt, answer, look_at=at + MINUTE)
    return (*events, *follow(orders.told(order, events, at), at)[1])


def test_money_that_is_set_aside_confirms_the_order_and_starts_the_picking() -> None:
    asked = paying(samples.order())
    assert names(answered(asked, Approved(asked.total))) == [
        "AttemptSucceeded", "Authorised", "OrderConfirmed", "PickReleased",
    ]  # fmt: skip


def test_money_to_be_paid_in_the_store_does_too() -> None:
    assert samples.pay_in_store(samples.order()).state is OrderState.CONFIRMED


def test_a_declined_card_leaves_the_order_waiting_for_another() -> None:
    declined = every_order()["declined"]
    assert (declined.state, declined.pickup.state) == (OrderState.PLACED, PickupState.PLANNED)
    assert due(declined) == declined.pay_by
    again = paying(declined)
    assert heard(again, Approved(again.total)).state is OrderState.CONFIRMED


def test_half_of_the_money_confirms_nothing() -> None:
    assert every_order()["half covered"].state is OrderState.PLACED


def test_an_order_that_costs_nothing_is_confirmed_without_a_tender() -> None:
    free = samples.order()
    nothing = Money(0, free.total.currency)
    lines = tuple(evolve(line, price=nothing, total=nothing) for line in free.lines)
    assert after(evolve(free, lines=lines, total=nothing, ceiling=nothing)).state is OrderState.CONFIRMED


def test_an_authorisation_that_was_voided_is_no_open_question_any_more() -> None:
    asked = heard(every_order()["asked"], NoAnswer())
    cancelled = heard(after(asked, *cancel(asked, "changed my mind", HOLD)), Approved(asked.total))
    assert cancelled.state is OrderState.CANCELLED
    assert not any(attempt.open for p in cancelled.payments for attempt in p.attempts)
    assert due(cancelled) is None


@pytest.mark.parametrize("name", ["handing over", "refunding"])
def test_what_a_provider_never_did_is_not_found_later(name: str) -> None:
    """Only an authorisation may have been under way all the time; a capture or a refund is asked for anew."""
    before = every_order()[name]
    attempt = before.payments[-1].attempts[-1].id
    absent = heard(heard(before, NoAnswer()), Absent())
    assert absent.payments[-1].attempt(attempt).state is AttemptState.ABSENT
    assert heard_by(absent, attempt, Approved(absent.total), look_at=NOW) == ()


# --- more than was agreed ---------------------------------------------------------------------------------


def twice(*, late: Approved) -> Order:
    """Paid by a second card; then the first, which nobody had heard of, turns up after all."""
    asked = heard(paying(samples.order()), NoAnswer())
    lost = heard(asked, Absent())
    confirmed = heard(paying(lost), Approved(lost.total, "pi_2"))
    assert confirmed.state is OrderState.CONFIRMED
    first = confirmed.payments[0].attempts[0].id
    return after(confirmed, *heard_by(confirmed, first, late, look_at=NOW + MINUTE))


def test_a_lost_authorisation_that_turns_up_is_voided() -> None:
    order = twice(late=Approved(samples.order().total, "pi_1"))
    assert [p.state for p in order.payments] == [PaymentState.VOIDING, PaymentState.AUTHORISED]


def test_a_lost_payment_that_turns_up_frees_the_card_that_came_later() -> None:
    """The shop never holds more than the customer agreed to (M2), not even until the goods are collected."""
    order = twice(late=Approved(samples.order().total, "pi_1", captured=True))
    assert order.state is OrderState.CONFIRMED
    assert [p.state for p in order.payments] == [PaymentState.CAPTURED, PaymentState.VOIDING]


def test_a_second_payment_is_refunded_while_the_order_goes_on() -> None:
    lost = heard(heard(paying(samples.order()), NoAnswer()), Absent())
    paid = heard(paying(lost), Approved(lost.total, "pi_2", captured=True))
    first = paid.payments[0].attempts[0].id
    late = Approved(lost.total, "pi_1", captured=True)
    order = after(paid, *heard_by(paid, first, late, look_at=NOW + MINUTE))
    assert order.state is OrderState.CONFIRMED
    assert order.payments[-1].refund_pending == order.total
    assert heard(order, Approved(order.total)).kept == order.total


def test_a_refund_that_was_refused_is_tried_again_while_the_order_goes_on() -> None:
    lost = heard(heard(paying(samples.order()), NoAnswer()), Absent())
    paid = heard(paying(lost), Approved(lost.total, "pi_2", captured=True))
    first = paid.payments[0].attempts[0].id
    late = Approved(lost.total, "pi_1", captured=True)
    order = after(paid, *heard_by(paid, first, late, look_at=NOW + MINUTE))
    while order.payments[-1].refund_pending.amount or order.payments[0].refund_pending.amount:
        waits = next(a for p in order.payments for a in p.attempts if a.open)
        order = after(order, *heard_by(order, waits.id, Denied("no"), look_at=NOW))
    again = due(order)
    assert again == NOW + MINUTE + REFUND_AGAIN
    assert names(follow(order, NOW + MINUTE + REFUND_AGAIN)[1]) == ["RefundRequested"]


# --- the hand-over ----------------------------------------------------------------------------------------


def test_captured_goods_leave_and_complete_the_order() -> None:
    claimed = every_order()["handing over"]
    assert names(answered(claimed, Approved(claimed.total))) == [
        "AttemptSucceeded", "Captured", "Collected", "OrderCompleted",
    ]  # fmt: skip


def test_goods_stay_while_nobody_knows_of_the_money() -> None:
    claimed = heard(every_order()["handing over"], NoAnswer())
    assert claimed.pickup.state is PickupState.HANDING_OVER


@pytest.mark.parametrize("reason", ["declined", AUTHORISATION_EXPIRED])
def test_goods_stay_when_the_money_is_refused(reason: str) -> None:
    failed = heard(every_order()["handing over"], Denied(reason))
    assert (failed.state, failed.pickup.state) == (OrderState.CONFIRMED, PickupState.READY)
    assert not failed.pickup.collected


def test_goods_that_are_paid_leave_whatever_else_of_the_money_is_moving() -> None:
    """Another tender that is being voided holds nobody up at the counter."""
    order = twice(late=Approved(samples.order().total, "pi_1"))
    assert order.payments[0].state is PaymentState.VOIDING
    claimed = samples.handing_over(samples.ready(order))
    done = heard(claimed, Approved(claimed.total, "ch_1"))
    assert done.state is OrderState.COMPLETED
    assert done.funding is Funding.BUSY


def test_goods_whose_money_is_on_its_way_back_do_not_leave() -> None:
    ready = every_order()["ready"]
    payment = evolve(
        ready.payments[0],
        state=PaymentState.CAPTURED,
        captured=ready.total,
        refund_pending=Money(1, "EUR"),
    )
    claim = ready.pickup.rest()
    claimed = orders.apply(evolve(ready, payments=(payment,)), e.HandOverStarted(claim, NOW), NOW)
    with pytest.raises(IllegalTransition, match="not paid"):
        orders.apply(claimed, e.Collected(claim), NOW)


def test_what_the_counter_took_for_a_part_leaves_the_rest_due_there() -> None:
    ready = samples.ready(samples.pay_in_store(samples.order()))
    part = (e.Units(ready.lines[0].id, 1),)
    price = ready.value_after(part)
    started = e.CounterStarted(ready.payments[0].id, ready.payments[0].next_attempt_id(), price)
    some = heard(after(ready, e.HandOverStarted(part, NOW), started), Approved(price, captured=True))
    assert some.pickup.state is PickupState.READY
    assert some.due_in_store == some.total - price
    assert some.funding is Funding.COVERED


# --- calling off ------------------------------------------------------------------------------------------


def test_an_unpaid_order_keeps_its_goods_until_its_money_is_settled() -> None:
    asked = every_order()["asked"]
    cancelling = after(asked, *cancel(asked, "changed my mind", HOLD))
    assert (cancelling.state, cancelling.pickup.state) == (OrderState.CANCELLING, PickupState.PLANNED)
    assert cancelling.payments[0].state is PaymentState.VOIDING
    voided = heard(cancelling, Approved(asked.total))
    assert (voided.state, voided.pickup.state) == (OrderState.CANCELLED, PickupState.CANCELLED)


def test_money_that_only_the_void_tells_of_is_sent_back() -> None:
    """Nobody had heard of the authorisation, so the order was over; then the void comes too late for its money."""
    asked = heard(every_order()["asked"], NoAnswer())
    cancelling = after(asked, *cancel(asked, "changed my mind", HOLD))
    authorise, void = (attempt.id for attempt in cancelling.payments[0].attempts)
    over = after(cancelling, *heard_by(cancelling, authorise, Absent(), look_at=HOLD))
    assert (over.state, over.payments[0].state) == (OrderState.CANCELLED, PaymentState.DECLINED)
    found = after(over, *heard_by(over, void, Denied("captured", asked.total), look_at=HOLD))
    assert (found.payments[0].state, found.kept) == (PaymentState.CAPTURED, asked.total)
    assert found.payments[0].refund_pending == asked.total


def test_a_call_that_nobody_made_yet_is_called_off() -> None:
    asked = every_order()["asked"]
    cancelling = after(asked, *cancel(asked, "changed my mind", HOLD))
    assert [a.state for a in cancelling.payments[0].attempts] == [AttemptState.ABSENT, AttemptState.PLANNED]


def test_after_the_hold_the_goods_are_free_though_the_money_is_not() -> None:
    asked = heard(every_order()["asked"], NoAnswer())
    cancelling = after(asked, *cancel(asked, "changed my mind", HOLD))
    assert due(cancelling) is not None
    over = after(cancelling, at=HOLD)
    assert (over.state, over.pickup.state, over.funding) == (
        OrderState.CANCELLED,
        PickupState.CANCELLED,
        Funding.BUSY,
    )


def test_after_the_hold_the_goods_are_free_though_the_provider_refuses_the_refund() -> None:
    asked = every_order()["asked"]
    cancelling = after(asked, *cancel(asked, "changed my mind", HOLD))
    paid = after(
        cancelling,
        *heard_by(
            cancelling,
            cancelling.payments[0].attempts[0].id,
            Approved(asked.total, "pi_1", captured=True),
            look_at=NOW,
        ),
    )
    assert paid.payments[0].refund_pending == asked.total
    refused = heard(paid, Denied("no"))
    assert refused.state is OrderState.CANCELLING
    over = after(refused, at=HOLD)
    assert (over.state, over.funding) == (OrderState.CANCELLED, Funding.PAID)
    assert names(follow(over, NOW + MINUTE + REFUND_AGAIN)[1]) == ["RefundRequested"]


def test_a_confirmed_order_frees_its_goods_at_once_and_waits_for_its_money() -> None:
    cancelling = every_order()["cancelling"]
    assert (cancelling.state, cancelling.pickup.state) == (OrderState.CANCELLING, PickupState.CANCELLED)
    assert after(cancelling, at=NOW + timedelta(days=9)).state is OrderState.CANCELLING


def test_the_rest_of_what_was_partly_collected_is_called_off() -> None:
    some = every_order()["partly collected"]
    done = after(some, *cancel(some, "enough", HOLD))
    assert (done.state, done.pickup.state) == (OrderState.COMPLETED, PickupState.COLLECTED)
    assert done.payments[0].state is PaymentState.VOIDING


@pytest.mark.parametrize("name", ["handing over", "completed", "cancelled"])
def test_what_is_leaving_or_over_is_not_called_off(name: str) -> None:
    order = every_order()[name]
    with pytest.raises(IllegalTransition):
        orders.told(order, cancel(order, "too late", HOLD), NOW)


def test_what_is_due_at_the_counter_is_waived() -> None:
    order = every_order()["due in store"]
    cancelled = after(order, *cancel(order, "changed my mind", HOLD))
    assert cancelled.state is OrderState.CANCELLED
    assert cancelled.payments[0].state is PaymentState.VOIDED


def test_a_refused_refund_is_not_asked_for_again_at_once() -> None:
    """Nor twice, when the hour is over."""
    refused = heard(every_order()["refunding"], Denied("closed account"))
    assert follow(refused, NOW + MINUTE) == (refused, ())
    assert due(refused) == NOW + MINUTE + REFUND_AGAIN
    again, events = follow(refused, NOW + MINUTE + REFUND_AGAIN)
    assert names(events) == ["RefundRequested"]
    assert follow(again, NOW + MINUTE + REFUND_AGAIN) == (again, ())


def test_a_refund_that_nobody_answers_does_not_call_the_sweep_all_the_time() -> None:
    at = NOW + 3 * REFUND_AGAIN
    refunding = every_order()["refunding"]
    attempt = refunding.payments[-1].attempts[-1].id
    silent = after(refunding, *heard_by(refunding, attempt, NoAnswer(), look_at=at + MINUTE), at=at)
    assert due(silent) == at + MINUTE


# --- time -------------------------------------------------------------------------------------------------


def test_an_order_that_nobody_pays_expires_at_its_deadline() -> None:
    declined = every_order()["declined"]
    assert overdue(declined, declined.pay_by - timedelta(microseconds=1), HOLD) == ()
    expired = after(declined, *overdue(declined, declined.pay_by, HOLD), at=declined.pay_by)
    assert (expired.state, expired.pickup.state) == (OrderState.EXPIRED, PickupState.CANCELLED)


def test_one_whose_money_is_in_flight_is_called_off_at_the_provider_first() -> None:
    asked = heard(every_order()["asked"], NoAnswer())
    expiring = after(asked, *overdue(asked, asked.pay_by, HOLD), at=asked.pay_by)
    assert (expiring.state, expiring.pickup.state) == (OrderState.EXPIRING, PickupState.PLANNED)
    assert expiring.payments[0].attempts[-1].operation is Operation.VOID


def until(order: Order) -> datetime:
    assert order.pickup.until is not None
    return order.pickup.until


def test_goods_that_nobody_collects_go_back() -> None:
    ready = every_order()["ready"]
    assert overdue(ready, until(ready) - timedelta(microseconds=1), HOLD) == ()
    missed = after(ready, *overdue(ready, until(ready), HOLD), at=until(ready))
    assert (missed.state, missed.pickup.state) == (OrderState.EXPIRING, PickupState.LAPSED)


def test_the_rest_that_nobody_collects_goes_back_and_completes_the_order() -> None:
    some = every_order()["partly collected"]
    done = after(some, *overdue(some, until(some), HOLD), at=until(some))
    assert (done.state, done.pickup.state) == (OrderState.COMPLETED, PickupState.COLLECTED)


@pytest.mark.parametrize("name", ["confirmed", "picking", "handing over", "completed", "cancelled"])
def test_time_alone_does_nothing_to_the_others(name: str) -> None:
    """What the store never made ready is no no-show, and nobody is interrupted at the counter."""
    assert overdue(every_order()[name], NOW + timedelta(days=99), HOLD) == ()


@pytest.mark.parametrize(
    ("name", "next_look"),
    [
        ("placed", every_order()["placed"].pay_by),
        ("asked", NOW + MINUTE + CALL_TAKES),
        ("declined", every_order()["declined"].pay_by),
        ("confirmed", None),
        ("ready", until(every_order()["ready"])),
        ("handing over", NOW + MINUTE + CALL_TAKES),
        ("completed", None),
        ("cancelled", None),
    ],
)
def test_when_to_look_next(name: str, next_look: datetime | None) -> None:
    assert due(every_order()[name]) == next_look


# --- always -----------------------------------------------------------------------------------------------


@given(steps=strategies.lives(), later=st.integers(0, 10**6))
def test_following_again_at_the_same_instant_does_nothing(steps: tuple[Turn, ...], later: int) -> None:
    """So a transaction that is run again repeats itself, and ends."""
    at = steps[-1].at + timedelta(seconds=later)
    order, _ = follow(steps[-1].after, at)
    assert follow(order, at) == (order, ())


@given(steps=strategies.lives(), later=st.integers(0, 10**6))
def test_what_follows_is_a_story_that_can_be_told_again(steps: tuple[Turn, ...], later: int) -> None:
    before, at = steps[-1].after, steps[-1].at + timedelta(seconds=later)
    order, events = follow(before, at)
    assert orders.told(before, events, at) == order


@given(steps=strategies.lives(), later=st.integers(0, 10**6))
def test_time_does_its_work_once(steps: tuple[Turn, ...], later: int) -> None:
    """T1."""
    at = steps[-1].at + timedelta(seconds=later)
    order, _ = follow(orders.told(steps[-1].after, overdue(steps[-1].after, at, at + 30 * MINUTE), at), at)
    assert overdue(order, at, at + 30 * MINUTE) == ()


def test_the_names_of_the_closing_states_are_those_of_the_table() -> None:
    assert {OrderState.CANCELLING, OrderState.EXPIRING} == coupling.CLOSING
    assert {OrderState.CANCELLED, OrderState.EXPIRED} == coupling.UNDONE
