"""What follows from what: the events that one machine's step causes in the others, in the same transaction.

`follow` is called after every command, provider answer and timer, and goes on until nothing more follows: a funded
order is confirmed, money that arrives for an order being undone is sent back, a captured hand-over is completed.
It is pure and decides the same when it is asked again, so a retried transaction repeats itself exactly.

`overdue` says what time alone does to an order, and `due` when to look next: the one timer that an order has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from omniorder.domain import authorisations, pickups, substitutes, waiting
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
from omniorder.domain.payments import Operation, PayInStore, Payment
from omniorder.domain.pickups import Pickup
from omniorder.domain.questions import Alternative, Option, Question
from omniorder.domain.refunding import room_to_capture, shares
from omniorder.domain.terms import PLAIN, Terms

CLOSING: Final = frozenset({OrderState.CANCELLING, OrderState.EXPIRING})
UNDONE: Final = frozenset({OrderState.CANCELLED, OrderState.EXPIRED})
_DECIDES: Final = frozenset({PickupState.TO_PICK, PickupState.PICKING, PickupState.AWAITING_STOCK})
UNPREPARED: Final = _DECIDES | {PickupState.AWAITING_CUSTOMER}
"""Where goods are not ready yet, nor will be without more ado."""
_ASKED: Final = (PaymentState.AUTHORISING, PaymentState.ACTION_REQUIRED)
_GIVE_BACK: Final = (PaymentState.CAPTURED, PaymentState.LAPSED)
"""Payments that will take no more, and may hold something: a part may have been taken before the rest lapsed."""
REFUND_AGAIN: Final = timedelta(hours=1)
"""How long a refund that the provider refused waits for its next try."""
FEE_NOT_COLLECTED: Final = "fee_not_collected"
"""Why a fee is forgone: no tender gave it after all."""


def follow(order: Order, at: datetime, terms: Terms = PLAIN) -> tuple[Order, tuple[e.Event, ...]]:
    """Apply all that follows, until nothing does; returns the order and what happened to it.

    `terms` say what may be counted on where money is missing, and by which tenders it goes back.
    """
    happened: list[e.Event] = []
    while events := _next(order, at, terms):
        order = told(order, events, at)
        happened += events
    return order, tuple(happened)


def _next(order: Order, at: datetime, terms: Terms) -> tuple[e.Event, ...]:
    match order.state:
        case OrderState.CONFIRMED if replaced := authorisations.replace(order):
            return replaced
        case OrderState.PLACED if order.funding in (Funding.COVERED, Funding.PAID):
            return (e.OrderConfirmed(), e.StockAwaited() if order.pickup.awaited else e.PickReleased())
        case OrderState.CONFIRMED if order.pickup.state is PickupState.HANDING_OVER:
            return _finish_hand_over(order)
        case OrderState.CONFIRMED if order.pickup.state is PickupState.AWAITING_STOCK and _all_here(order):
            return (e.StockArrived(),)
        case OrderState.CONFIRMED if order.pickup.question is not None and _came_right(order, order.pickup.question):
            return (e.QuestionWithdrawn(), e.StockAwaited() if order.pickup.awaited else e.Requeued())
        case OrderState.PLACED | OrderState.CONFIRMED:
            return _send_back_excess(order, at, terms) or authorisations.refill(order, terms)
        case OrderState.CANCELLING | OrderState.EXPIRING:
            return _undo_money(order, at, terms) or _close(order, at)
        case OrderState.CANCELLED | OrderState.EXPIRED | OrderState.COMPLETED | OrderState.RETURNED:
            return _undo_money(order, at, terms)


def _all_here(order: Order) -> bool:
    return not order.pickup.awaited and not order.pickup.short


def _came_right(order: Order, question: Question) -> bool:
    """Whether none of what was asked about is missing or still to come any more."""
    pickup = order.pickup
    return not any(
        pickup.line(part.line).short or any(leg.of(part.line) for leg in pickup.awaited) for part in question.about
    )


def _finish_hand_over(order: Order) -> tuple[e.Event, ...]:
    if any(_being_taken(p) for p in order.payments):
        return ()
    if not order.joint.paid:
        reasons = [p.reason for p in order.payments if p.reason]
        missing = order.owed_in_all - order.held
        return (e.HandOverFailed(reasons[-1] if reasons else "not_paid"), *_ask_for_rest(order, missing))
    units = order.pickup.claim
    claim = {part.line: part.quantity for part in units}
    if all(line.open == claim.get(line.line, 0) for line in order.pickup.lines):
        return (e.Collected(units), e.OrderCompleted())
    missing = order.owed_in_all - order.held
    return (e.PartCollected(units), *_ask_for_rest(order, missing))


def _being_taken(payment: Payment) -> bool:
    """Whether money for the goods that are claimed is being taken; by a reader that is to stop it may yet have been."""
    if payment.state is PaymentState.VOIDING:
        return payment.kind == PayInStore.kind
    return payment.state in (PaymentState.CAPTURING, PaymentState.COLLECTING)


def _ask_for_rest(order: Order, missing: Money) -> tuple[e.Event, ...]:
    """What was left for the counter and not taken there, or only a part of it, stays due there, as a payment of its
    own."""
    counter = any(p.kind == PayInStore.kind for p in order.payments)
    for p in order.payments:
        if p.state is PaymentState.AUTHORISED:
            missing -= p.authorised - p.captured
        if p.state is PaymentState.DUE_IN_STORE:
            missing -= p.amount
    if not counter or missing.amount <= 0:
        return ()
    new = order.next_payment_id()
    return (e.TenderAdded(new, PayInStore.kind, missing), e.LeftForStore(new, missing))


def _send_back_excess(order: Order, at: datetime, terms: Terms) -> tuple[e.Event, ...]:
    """Never hold more than the customer agreed to: a tender that was thought lost may turn up after another paid."""
    excess = surplus(order)
    for p in reversed(order.payments):
        if p.state is PaymentState.AUTHORISED and 0 < _set_aside(p) <= excess:
            return (e.VoidRequested(p.id, p.next_attempt_id()),)
    return _refund(order, at, terms)


def _undo_money(order: Order, at: datetime, terms: Terms) -> tuple[e.Event, ...]:
    """Take what the shop may keep, and send back what it may not: the last tender first, refunds by their rule."""
    if any(p.state is PaymentState.CAPTURING for p in order.payments):
        return ()  # a fee: should this tender refuse, another one pays it
    if fee := _take_fee(order, terms):
        return fee
    for p in reversed(order.payments):
        match p.state:
            case PaymentState.CREATED:
                return (e.PaymentWithdrawn(p.id),)
            case PaymentState.DUE_IN_STORE:
                return (e.Waived(p.id),)
            case PaymentState.AUTHORISED:
                return (e.VoidRequested(p.id, p.next_attempt_id()),)
            case PaymentState.AUTHORISING | PaymentState.ACTION_REQUIRED:
                return (*p.call_off(), e.VoidRequested(p.id, p.next_attempt_id()))
            case _:
                pass
    return _refund(order, at, terms)


def _take_fee(order: Order, terms: Terms) -> tuple[e.Event, ...]:
    """Take the part of a fee that the shop doesn't hold yet from what is set aside, by the first tender that gives it.

    Where the provider takes all or nothing, all is taken and the rest refunded. What no tender gives is forgone.
    """
    missing = min((order.owed - order.held).amount, order.fees.amount)
    if missing <= 0:
        return ()
    currency = order.total.currency
    for p in order.payments:
        if p.state is PaymentState.AUTHORISED and not p.refused_capture and (room := room_to_capture(p, terms)):
            amount = min(missing, room) if terms.of(p).partial_capture else room
            return (e.CaptureRequested(p.id, p.next_attempt_id(), Money(amount, currency)),)
    return (e.CreditGranted(Money(missing, currency), FEE_NOT_COLLECTED, goodwill=True),)


def surplus(order: Order) -> int:
    """What the shop holds beyond its due and has not begun to send back, in minor units.

    Of an order that lives on that is what exceeds the ceiling, and what was taken for units that were called off since
    (of what is only set aside for those, less is captured later); otherwise all that it may not keep.
    """
    held = order.held.amount
    if order.state in (OrderState.PLACED, OrderState.CONFIRMED):
        open_money = sum(_set_aside(p) for p in order.payments if p.state is PaymentState.AUTHORISED)
        ceiling = (order.ceiling + order.fees - order.credited).amount
        return max(held + open_money - ceiling, held - order.most.amount)
    return held - order.owed.amount


def _set_aside(payment: Payment) -> int:
    return (payment.authorised - payment.captured).amount


def _refund(order: Order, at: datetime, terms: Terms) -> tuple[e.Event, ...]:
    """Refund the surplus, or what the payments can give of it that did not refuse just now.

    Where it can't be given back exactly, as one tender gives back all or nothing, it is asked for all the same: the
    provider's refusal is what makes it visible.
    """
    payments = [p for p in refundable(order, terms) if (again := _refund_again(p)) is None or at >= again]
    left = surplus(order)
    asked: list[e.Event] = []
    for p, share in zip(payments, shares(left, payments, terms), strict=True):
        if share:
            asked.append(_sent_back(p, share))
    if payments and not asked:
        p = payments[-1]
        asked.append(_sent_back(p, min(left, p.returnable.amount)))
    return tuple(asked)


def _sent_back(payment: Payment, amount: int) -> e.RefundRequested:
    return e.RefundRequested(payment.id, payment.next_attempt_id(), Money(amount, payment.amount.currency))


def refundable(order: Order, terms: Terms = PLAIN) -> list[Payment]:
    """Where a surplus can go back to, in the order in which the tenders were used; to cash only where the providers
    together can't give back just so much, as its customer must come for it."""
    left = surplus(order)
    if left <= 0:
        return []
    taken = [p for p in order.payments if p.state in _GIVE_BACK and p.returnable.amount > 0]
    sent = [p for p in taken if p.gateway]
    return sent if sum(shares(left, sent, terms)) == left else taken


def _refund_again(payment: Payment) -> datetime | None:
    """When to repeat a refund that came to nothing: not at once, or a stubborn provider would be asked for ever."""
    last = payment.attempts[-1] if payment.attempts else None
    if last is None or last.operation is not Operation.REFUND:
        return None
    if last.state is AttemptState.SUCCEEDED and not last.reason:
        return None
    return last.asked_at + REFUND_AGAIN


def _close(order: Order, at: datetime) -> tuple[e.Event, ...]:
    held = order.pickup.state is PickupState.PLANNED
    waited = held and order.hold_until is not None and at >= order.hold_until
    if order.funding is not Funding.CLEAR and not waited:
        return ()
    ended = e.OrderCancelled() if order.state is OrderState.CANCELLING else e.OrderExpired()
    if order.pickup.state in ENDED_PICKUPS:
        return (ended,)
    return (e.PickupCancelled("order_ended"), ended)


def cancel(order: Order, reason: str, hold_until: datetime, fee: Money | None = None) -> tuple[e.Event, ...]:
    """The events of calling an order off: all of it, or the rest of what was partly collected."""
    charged = () if fee is None else (e.FeeCharged(fee, reason),)
    if order.pickup.collected and order.state is OrderState.CONFIRMED:
        return (*charged, e.RestCancelled(order.pickup.rest()), e.OrderCompleted())
    started = e.CancelStarted(reason, hold_until)
    if order.state is OrderState.CONFIRMED:
        return (*charged, started, e.PickupCancelled(reason))
    return (*charged, started)


def undecided(pickup: Pickup) -> bool:
    """Whether it is to be decided what becomes of units that the store can't give, and nobody was asked yet."""
    return pickup.state in _DECIDES and bool(pickup.short)


def too_late(order: Order, at: datetime) -> bool:
    """Whether nothing is in the way of preparing these goods any more, but their window is over."""
    pickup = order.pickup
    return pickup.state in (PickupState.TO_PICK, PickupState.PICKING) and not pickup.short and at >= pickup.ends


def _questionable(order: Order) -> list[datetime]:
    """When something about these goods must be decided: at once, when awaited ones don't come, or without an answer."""
    pickup = order.pickup
    if pickup.question is not None:
        return [pickup.question.until]
    if undecided(pickup):
        return [order.placed_at]  # whoever should have decided it has died: any sweep may
    return [leg.expected_at for leg in pickup.awaited if pickup.state is PickupState.AWAITING_STOCK]


def go_on(
    order: Order,
    option: Option,
    about: tuple[e.Units, ...],
    reason: str,
    hold_until: datetime,
    found: tuple[e.Event, ...] = (),
) -> tuple[e.Event, ...]:
    """The events of doing with these units what this option says, whether the customer was asked or not.

    `found` is what only a look at other stores could tell: who sends the units (`UnitsSent`), where everything is
    collected instead (`OrderRerouted`), or when what is overdue is expected now (`ArrivalMoved`).
    """
    pickup = order.pickup
    match option.alternative:
        case Alternative.NOTHING:
            return cancel(order, reason, hold_until)
        case Alternative.LESS if sorted(about, key=repr) == sorted(pickup.rest(), key=repr):
            return cancel(order, reason, hold_until)
        case Alternative.LESS:
            dropped = e.LinesCancelled(about, reason)
            if pickup.state is not PickupState.AWAITING_CUSTOMER:
                return (dropped,)
            if pickups.call_off(pickup, about).awaited:
                return (dropped, e.StockAwaited())
            return (dropped, e.PickResumed() if any(line.picked for line in pickup.lines) else e.Requeued())
        case Alternative.LATER:
            return (*found, *_queued(pickup), _moved(option))
        case Alternative.SENT:
            reset = (e.PickReset(),) if pickup.state is PickupState.PICKING else ()
            wait = () if pickup.state is PickupState.AWAITING_STOCK else (e.StockAwaited(),)
            return (*reset, *found, *wait, *((_moved(option),) if option.slot else ()))
        case Alternative.OTHER_STORE:
            return (e.PickRerouted(), *found, e.PickReleased())


def _queued(pickup: Pickup) -> tuple[e.Event, ...]:
    """Back to where the work on this pick-up begins anew."""
    match pickup.state:
        case PickupState.PICKING:
            return (e.PickReset(),)
        case PickupState.AWAITING_CUSTOMER:
            return (e.StockAwaited() if pickup.awaited else e.Requeued(),)
        case _:
            return ()


def _moved(option: Option) -> e.SlotMoved:
    if option.slot is None or option.starts is None or option.ends is None:
        raise ValueError(f"option {option.id} names no window")
    return e.SlotMoved(option.slot, option.starts, option.ends)


def overdue(order: Order, at: datetime, hold_until: datetime, terms: Terms = PLAIN) -> tuple[e.Event, ...]:
    """What time has done to this order: its payment deadline, its pick-up deadline, the time for an answer or what is
    set aside for it has come to its end.

    `hold_until` is how long the goods of an unpaid order may wait for money that is in flight.
    """
    if order.state is OrderState.PLACED and at >= order.pay_by:
        return (e.ExpiryStarted(hold_until),)
    passed = waiting.passed(order, at, terms)
    order = told(order, passed, at)
    pickup, question = order.pickup, order.pickup.question
    ended = (*passed, *_given_up(order, at), *authorisations.begin(order, at, terms))
    if order.state is OrderState.CONFIRMED and (unanswered := [one for one in pickup.proposals if at >= one.until]):
        # one after the other, as each changes what may be charged for the rest
        taken = unanswered[0].silence_takes
        return (*ended, *substitutes.answered(order, unanswered[0], accepted=taken, silent=True))
    if order.state is OrderState.CONFIRMED and question is not None and at >= question.until:
        option = question.option(question.silence)
        silence = e.QuestionLapsed(option.id)
        return (*ended, silence, *go_on(order, option, question.about, question.reason, hold_until))
    return ended


def _undecided(order: Order) -> tuple[Payment, ...]:
    """Payments that were brought for a change of a confirmed order, and that nobody has decided yet."""
    if order.state is not OrderState.CONFIRMED:
        return ()
    return tuple(p for p in order.payments if p.state in _ASKED and not p.replaces)


def _given_up(order: Order, at: datetime) -> tuple[e.Event, ...]:
    """Nobody waits for these any longer than until `pay_by`: what is missing then is had from elsewhere."""
    if at < order.pay_by:
        return ()
    return tuple(event for p in _undecided(order) for event in
                 (*p.call_off(), e.VoidRequested(p.id, p.next_attempt_id())))  # fmt: skip


def due(order: Order, terms: Terms = PLAIN) -> datetime | None:
    """When to look at this order next, if at all: its earliest deadline, open question or end of an authorisation."""
    dates = [a.look_at for p in order.payments for a in p.attempts if a.open and not p.left_to_people(a)]
    if order.state is OrderState.PLACED or _undecided(order):
        dates.append(order.pay_by)
    if order.state in CLOSING and order.pickup.state is PickupState.PLANNED and order.hold_until:
        dates.append(order.hold_until)
    dates += waiting.due(order)
    if order.state is OrderState.CONFIRMED:
        dates += _questionable(order)
        dates += [proposal.until for proposal in order.pickup.proposals]
    if ends := authorisations.due(order, terms):
        dates.append(ends)
    dates += [again for p in refundable(order, terms) if (again := _refund_again(p))]
    return min(dates, default=None)
