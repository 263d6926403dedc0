"""What follows from what: the events that one machine's step causes in the others, in the same transaction.

`follow` is called after every command, provider answer and timer, and goes on until nothing more follows: a funded
order is confirmed, money that arrives for an order being undone is sent back, a captured hand-over is completed.
It is pure and decides the same when it is asked again, so a retried transaction repeats itself exactly.

`overdue` says what time alone does to an order, and `due` when to look next: the one timer that an order has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from omniorder.domain import events as e
from omniorder.domain.lifecycle import (
    ENDED_PICKUPS,
    AttemptState,
    Funding,
    OrderState,
    PaymentState,
    PickupState,
)
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import Operation, Payment

CLOSING: Final = frozenset({OrderState.CANCELLING, OrderState.EXPIRING})
UNDONE: Final = frozenset({OrderState.CANCELLED, OrderState.EXPIRED})
REFUND_AGAIN: Final = timedelta(hours=1)
"""How long a refund that the provider refused waits for its next try."""


def follow(order: Order, at: datetime) -> tuple[Order, tuple[e.Event, ...]]:
    """Apply all that follows, until nothing does; returns the order and what happened to it."""
    happened: list[e.Event] = []
    while events := _next(order, at):
        order = told(order, events, at)
        happened += events
    return order, tuple(happened)


def _next(order: Order, at: datetime) -> tuple[e.Event, ...]:
    match order.state:
        case OrderState.PLACED if order.funding in (Funding.COVERED, Funding.PAID):
            return (e.OrderConfirmed(), e.PickReleased())
        case OrderState.CONFIRMED if order.pickup.state is PickupState.HANDING_OVER:
            return _finish_hand_over(order)
        case OrderState.CANCELLING | OrderState.EXPIRING:
            return _undo_money(order, at) or _close(order, at)
        case OrderState.CANCELLED | OrderState.EXPIRED | OrderState.COMPLETED:
            return _undo_money(order, at)
        case _:
            return ()


def _finish_hand_over(order: Order) -> tuple[e.Event, ...]:
    claimed = (PaymentState.CAPTURING, PaymentState.COLLECTING)
    if any(p.state in claimed for p in order.payments):
        return ()
    if order.funding is not Funding.PAID:
        reasons = [p.reason for p in order.payments if p.reason]
        return (e.HandOverFailed(reasons[-1] if reasons else "not_paid"),)
    units = order.pickup.claim
    claim = {part.line: part.quantity for part in units}
    if all(line.open == claim.get(line.line, 0) for line in order.pickup.lines):
        return (e.Collected(units), e.OrderCompleted())
    rest = order.wanted_value - order.value_after(units)
    return (e.PartCollected(units), *_ask_for_rest(order, rest))


def _ask_for_rest(order: Order, rest: Money) -> tuple[e.Event, ...]:
    """What was left for the counter and only partly taken there stays due there, as a payment of its own."""
    counter = [p for p in order.payments if p.kind == "in_store"]
    open_money = order.kept - order.value_after(order.pickup.claim)
    for p in order.payments:
        if p.state is PaymentState.AUTHORISED:
            open_money += p.authorised - p.captured
        if p.state is PaymentState.DUE_IN_STORE:
            open_money += p.amount
    missing = rest - open_money
    if not counter or missing.amount <= 0:
        return ()
    new = f"{counter[0].id.rpartition('_')[0]}_{len(order.payments) + 1}"
    return (e.TenderAdded(new, "in_store", missing), e.LeftForStore(new, missing))


def _undo_money(order: Order, at: datetime) -> tuple[e.Event, ...]:
    """Send back what the shop may not keep: one payment at a time, the last tender first."""
    surplus = order.kept.amount - order.collected_value.amount
    pending = sum(p.refund_pending.amount for p in order.payments)
    for p in reversed(order.payments):
        match p.state:
            case PaymentState.CREATED:
                return (e.PaymentWithdrawn(p.id),)
            case PaymentState.DUE_IN_STORE:
                return (e.Waived(p.id),)
            case PaymentState.AUTHORISED:
                return (e.VoidRequested(p.id, p.next_attempt_id()),)
            case PaymentState.AUTHORISING | PaymentState.ACTION_REQUIRED:
                return (*_call_off(p), e.VoidRequested(p.id, p.next_attempt_id()))
            case PaymentState.CAPTURED if surplus > pending and p.returnable.amount and _may_refund(p, at):
                back = Money(min(surplus - pending, p.returnable.amount), p.amount.currency)
                return (e.RefundRequested(p.id, p.next_attempt_id(), back),)
            case _:
                pass
    return ()


def _call_off(payment: Payment) -> tuple[e.Event, ...]:
    """Attempts that nobody made yet need not be made any more."""
    return tuple(
        e.AttemptWithdrawn(payment.id, attempt.id)
        for attempt in payment.attempts
        if attempt.state is AttemptState.PLANNED
    )


def _may_refund(payment: Payment, at: datetime) -> bool:
    """Not at once after a refused refund, or a stubborn provider would be asked for ever."""
    last = payment.attempts[-1] if payment.attempts else None
    refused = last is not None and last.operation is Operation.REFUND and last.state is not AttemptState.SUCCEEDED
    return not refused or last is None or at >= last.asked_at + REFUND_AGAIN


def _close(order: Order, at: datetime) -> tuple[e.Event, ...]:
    held = order.pickup.state is PickupState.PLANNED
    waited = held and order.hold_until is not None and at >= order.hold_until
    if order.funding is not Funding.CLEAR and not (order.funding is Funding.BUSY and waited):
        return ()
    ended = e.OrderCancelled() if order.state is OrderState.CANCELLING else e.OrderExpired()
    if order.pickup.state in ENDED_PICKUPS:
        return (ended,)
    return (e.PickupCancelled("order_ended"), ended)


def cancel(order: Order, reason: str, hold_until: datetime) -> tuple[e.Event, ...]:
    """The events of calling an order off: all of it, or the rest of what was partly collected."""
    if order.pickup.collected and order.state is OrderState.CONFIRMED:
        return (e.RestCancelled(order.pickup.rest()), e.OrderCompleted())
    started = e.CancelStarted(reason, hold_until)
    if order.state is OrderState.CONFIRMED:
        return (started, e.PickupCancelled(reason))
    return (started,)


def overdue(order: Order, at: datetime, hold_until: datetime) -> tuple[e.Event, ...]:
    """What time has done to this order: the payment deadline or the pick-up deadline has passed.

    `hold_until` is how long the goods of an unpaid order may wait for money that is in flight.
    """
    if order.state is OrderState.PLACED and at >= order.pay_by:
        return (e.ExpiryStarted(hold_until),)
    pickup = order.pickup
    late = pickup.until is not None and at >= pickup.until
    if order.state is OrderState.CONFIRMED and pickup.state is PickupState.READY and late:
        if pickup.collected:
            return (e.RestLapsed(pickup.rest()), e.OrderCompleted())
        return (e.NoShowStarted(), e.NoShow())
    return ()


def due(order: Order) -> datetime | None:
    """When to look at this order next, if at all: its earliest deadline or open question."""
    dates = [a.look_at for p in order.payments for a in p.attempts if a.open]
    if order.state is OrderState.PLACED:
        dates.append(order.pay_by)
    if order.state in CLOSING and order.pickup.state is PickupState.PLANNED and order.hold_until:
        dates.append(order.hold_until)
    if order.state is OrderState.CONFIRMED and order.pickup.state is PickupState.READY and order.pickup.until:
        dates.append(order.pickup.until)
    if order.pickup.state is PickupState.HANDING_OVER and order.pickup.look_at:
        dates.append(order.pickup.look_at)
    dates += [_refund_again(p) for p in order.payments if _owes(order, p)]
    return min(dates, default=None)


def _owes(order: Order, payment: Payment) -> bool:
    over = order.state in CLOSING | UNDONE | {OrderState.COMPLETED}
    failed = bool(payment.attempts) and payment.attempts[-1].operation is Operation.REFUND
    owed = order.kept.amount > order.collected_value.amount
    return over and failed and owed and payment.returnable.amount > 0


def _refund_again(payment: Payment) -> datetime:
    return payment.attempts[-1].asked_at + REFUND_AGAIN
