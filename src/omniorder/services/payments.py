"""Carrying out what was decided about money: the one place that calls payment providers.

Every operation was committed as an attempt before. `drive` takes the open ones in turn: call the provider outside of
any transaction under the attempt's own key, then record the answer and all that follows in one transaction. Whoever
dies in between is succeeded by the sweep, which drives the same attempts under the same keys.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from attrs import evolve

from omniorder.domain.answers import Absent, Answer, Approved, NeedsAction, NoAnswer, heard, may_change
from omniorder.domain.events import Event, Stamp
from omniorder.domain.lifecycle import AttemptState, PaymentState
from omniorder.domain.orders import Order
from omniorder.domain.payments import Attempt, Operation, Payment
from omniorder.errors import GatewayFault, NeedsOwnTransaction, NotFound
from omniorder.ports.payments import (
    Authorise,
    Capture,
    Collect,
    Extend,
    ExtendingGateway,
    Increase,
    IncrementalGateway,
    InPersonGateway,
    LookUp,
    PaymentGateway,
    Refund,
    Void,
)
from omniorder.services.logs import log
from omniorder.services.parts import Parts
from omniorder.services.ripples import carry_on
from omniorder.services.units import Seen, Unit, in_transaction, reading

MOST_CALLS = 50
"""Calls for one order in one go: far more than any order needs, so that a fault can't spin for ever."""


def load(parts: Parts, order_id: str) -> Order:
    """The order, whoever asks; raises `NotFound`."""
    order = reading(parts, lambda tx: tx.order(order_id))
    if order is None:
        raise NotFound("order", order_id)
    return order


def hear_news(parts: Parts, order: Order, payment_id: str, stamp: Stamp) -> tuple[Order, bool]:
    """Ask the provider about everything of this payment that may have changed, and record what it says.

    The order as it is then, and whether something of it stayed without an answer.
    """
    unanswered = False
    for attempt in order.payment(payment_id).attempts:
        payment = order.payment(payment_id)
        if may_change(payment, attempt):
            answer = look_up(parts, payment, attempt)
            if isinstance(answer, Absent) and attempt.operation is Operation.VOID:
                # the void has not arrived, whereas what it was to give back may well be there: it is sent again
                answer = NoAnswer()
            unanswered |= isinstance(answer, NoAnswer)
            order = record(parts, order, attempt.id, answer, stamp)
    return order, unanswered


def look_again(parts: Parts, order: Order, payment_id: str, stamp: Stamp) -> Order:
    """Ask about everything of this payment that may have changed, and carry on from there. The order as it is then."""
    order, _ = hear_news(parts, order, payment_id, stamp)
    return drive(parts, order, stamp, due=stamp.at)


def own_transaction(parts: Parts, command: str) -> None:
    """Raise `NeedsOwnTransaction` inside a caller's transaction: a provider must not be called there."""
    if parts.storage.is_joined:
        raise NeedsOwnTransaction(command=command)


def drive(parts: Parts, order: Order, stamp: Stamp, *, due: datetime | None = None) -> Order:
    """Make every planned call of this order, and (with `due`) ask again about those whose answer is overdue.

    Returns the order as it is afterwards; `action` is filled in where the customer must act.
    """
    asked: set[str] = set()
    for _ in range(MOST_CALLS):
        step = _next_call(order, due, asked)
        if step is None:
            break
        payment, attempt = step
        asked.add(attempt.id)
        answer = ask(parts, order, payment, attempt, stamp.at)
        order = record(parts, order, attempt.id, answer, stamp)
    return order


def settle_increases(parts: Parts, order: Order, stamp: Stamp) -> Order:
    """Have the provider asked about every increase of which the outcome is open, whenever that would be due."""
    raised = [a.look_at for p in order.payments if p.being_raised for a in p.attempts if a.open]
    return drive(parts, order, stamp, due=max(raised)) if raised else order


def _next_call(order: Order, due: datetime | None, asked: set[str]) -> tuple[Payment, Attempt] | None:
    for payment in order.payments:
        for attempt in payment.attempts:
            waiting = attempt.state is AttemptState.PLANNED or (due is not None and attempt.look_at <= due)
            if attempt.open and waiting and attempt.id not in asked and not payment.left_to_people(attempt):
                return payment, attempt
    return None


def record(parts: Parts, order: Order, attempt_id: str, answer: Answer, stamp: Stamp) -> Order:
    """Commit a provider's answer with all that follows from it. Hearing it twice changes nothing."""
    about = order.payment_with(attempt_id)
    look_at = stamp.at + _patience(parts, about)
    answer = _with_an_end(parts, about, about.attempt(attempt_id), answer)
    order = tell(parts, order, stamp, lambda now: heard(now, attempt_id, answer, look_at=look_at))
    if isinstance(answer, NeedsAction):
        shown = order.payment_with(attempt_id)
        payments = tuple(evolve(p, action=answer.action) if p.id == shown.id else p for p in order.payments)
        order = evolve(order, payments=payments)
    return order


def tell(parts: Parts, order: Order, stamp: Stamp, news: Callable[[Order], tuple[Event, ...]]) -> Order:
    """Commit what `news` makes of the order as it is now, with all that follows from it.

    News of nothing stays that, however the order has gone on since it was read.
    """
    if not news(order):
        return order
    order_id, seen = order.id, Seen(order)

    def work(unit: Unit) -> Order:
        before = seen.once() or unit.tx.order(order_id)
        if before is None:
            raise NotFound("order", order_id)
        return carry_on(unit, before, news(before))

    return in_transaction(parts, stamp, work)


def _patience(parts: Parts, payment: Payment) -> timedelta:
    """How long after an answer that leaves the outcome open to ask again."""
    own = parts.gateway(payment.gateway).capabilities.asks_after if payment.gateway else None
    return parts.settings.look_again if own is None else own


def ask(parts: Parts, order: Order, payment: Payment, attempt: Attempt, now: datetime) -> Answer:
    """Call the provider about one attempt: make the call, or find out what became of it.

    An attempt that was made before is looked up first. Only when the provider has never heard of it (or only a
    repetition would tell), still remembers keys that old, and the payment still wants it, is it sent again. A void may
    always be sent again: it has no effect twice, and one that is not on file says nothing about the money that it was
    to give back.
    """
    if not payment.gateway:
        # the counter took the money before it was recorded: a fact, not a request
        return Approved(attempt.amount, attempt.provider_id, captured=True)
    gateway = parts.gateway(payment.gateway)
    if gateway.capabilities.by_hand and attempt.operation is not Operation.AUTHORISE:
        # as far as anybody has said nothing came, so nothing is to be given back; of refunds people will say so
        return Approved(attempt.amount) if attempt.operation is Operation.VOID else NoAnswer()
    if attempt.state is AttemptState.PLANNED:
        return _call(lambda: _make(gateway, order, payment, attempt), attempt)
    found = look_up(parts, payment, attempt)
    safe = attempt.operation is Operation.VOID or now < attempt.asked_at + gateway.capabilities.remembers
    unheard = isinstance(found, Absent) or (isinstance(found, NoAnswer) and found.repeat)
    if unheard and safe and _still_wanted(payment, attempt):
        return _call(lambda: _make(gateway, order, payment, attempt), attempt)
    return found


def _with_an_end(parts: Parts, payment: Payment, attempt: Attempt, answer: Answer) -> Answer:
    """Where the provider names no end, what is set aside ends as is declared for cards that aren't named, if it is."""
    if attempt.operation not in (Operation.AUTHORISE, Operation.EXTEND) or not isinstance(answer, Approved):
        return answer
    lasts = parts.gateway(payment.gateway).capabilities.lifetimes.get("")
    if answer.captured or answer.until is not None or lasts is None:
        return answer
    return evolve(answer, until=attempt.asked_at + lasts)


def look_up(parts: Parts, payment: Payment, attempt: Attempt) -> Answer:
    """What became of an attempt, by our own reference."""
    gateway = parts.gateway(payment.gateway)
    request = LookUp(payment.id, attempt.id, attempt.operation, payment.provider_id)
    return _call(lambda: gateway.look_up(request), attempt)


def _still_wanted(payment: Payment, attempt: Attempt) -> bool:
    if attempt.operation is Operation.AUTHORISE:
        return payment.state in (PaymentState.AUTHORISING, PaymentState.ACTION_REQUIRED)
    return attempt.operation is not Operation.COLLECT or payment.state is PaymentState.COLLECTING


def _make(gateway: PaymentGateway, order: Order, payment: Payment, attempt: Attempt) -> Answer:
    match attempt.operation:
        case Operation.AUTHORISE:
            return gateway.authorise(
                Authorise(
                    payment.id, attempt.id, order.id, payment.token, attempt.amount,
                    now=payment.now, method=payment.method,
                )
            )  # fmt: skip
        case Operation.CAPTURE:
            rest = order.owed_in_all - order.held - attempt.amount
            final = rest.amount <= 0 or not gateway.capabilities.several_captures
            return gateway.capture(Capture(payment.id, attempt.id, payment.provider_id, attempt.amount, final))
        case Operation.VOID:
            return gateway.void(Void(payment.id, attempt.id, payment.provider_id))
        case Operation.REFUND:
            return gateway.refund(Refund(payment.id, attempt.id, payment.provider_id, attempt.amount))
        case Operation.INCREASE:
            raising = cast(IncrementalGateway, gateway)  # planned only for those that have the capability
            return raising.increase(Increase(payment.id, attempt.id, payment.provider_id, attempt.amount))
        case Operation.EXTEND:
            extending = cast(ExtendingGateway, gateway)
            return extending.extend(Extend(payment.id, attempt.id, payment.provider_id, attempt.amount))
        case Operation.COLLECT:
            reading_cards = cast(InPersonGateway, gateway)
            return reading_cards.collect(Collect(payment.id, attempt.id, order.id, payment.token, attempt.amount))


def _call(call: Callable[[], Answer], attempt: Attempt) -> Answer:
    """The answer, or `NoAnswer`: whatever went wrong on the way, the outcome is simply not known."""
    try:
        return _checked(call(), attempt)
    except GatewayFault as fault:
        log().warning("no answer from the payment provider", attempt=attempt.id, fault=fault.code)
    except Exception:
        log().exception("the payment gateway failed", attempt=attempt.id)
    return NoAnswer()


def _checked(answer: Answer, attempt: Attempt) -> Answer:
    """Raise the alarm about money that nobody asked for; in another currency it can't even be booked."""
    told_before = attempt.operation is Operation.VOID or attempt.state is AttemptState.SUCCEEDED
    if isinstance(answer, Approved) and not told_before and answer.amount != attempt.amount:
        log().error("the provider's amount is not what was asked for", attempt=attempt.id)
        if answer.amount.currency != attempt.amount.currency:
            return NoAnswer()
    return answer
