"""Carrying out what was decided about money: the one place that calls payment providers.

Every operation was committed as an attempt before. `drive` takes the open ones in turn: call the provider outside of
any transaction under the attempt's own key, then record the answer and all that follows in one transaction. Whoever
dies in between is succeeded by the sweep, which drives the same attempts under the same keys.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast

from attrs import evolve

from omniorder.domain.answers import Absent, Answer, Approved, NeedsAction, NoAnswer, heard
from omniorder.domain.events import Stamp
from omniorder.domain.lifecycle import AttemptState, PaymentState
from omniorder.domain.orders import Order
from omniorder.domain.payments import Attempt, Operation, Payment
from omniorder.errors import GatewayFault, NeedsOwnTransaction, NotFound
from omniorder.ports.payments import (
    Authorise,
    Capture,
    Extend,
    ExtendingGateway,
    Increase,
    IncrementalGateway,
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


def _next_call(order: Order, due: datetime | None, asked: set[str]) -> tuple[Payment, Attempt] | None:
    for payment in order.payments:
        for attempt in payment.attempts:
            waiting = attempt.state is AttemptState.PLANNED or (due is not None and attempt.look_at <= due)
            if attempt.open and waiting and attempt.id not in asked:
                return payment, attempt
    return None


def record(parts: Parts, order: Order, attempt_id: str, answer: Answer, stamp: Stamp) -> Order:
    """Commit a provider's answer with all that follows from it. Hearing it twice changes nothing."""
    look_at = stamp.at + parts.settings.look_again
    order_id, seen = order.id, Seen(order)

    def work(unit: Unit) -> Order:
        before = seen.once() or unit.tx.order(order_id)
        if before is None:
            raise NotFound("order", order_id)
        return carry_on(unit, before, heard(before, attempt_id, answer, look_at=look_at))

    order = in_transaction(parts, stamp, work)
    if isinstance(answer, NeedsAction):
        shown = order.payment_with(attempt_id)
        payments = tuple(evolve(p, action=answer.action) if p.id == shown.id else p for p in order.payments)
        order = evolve(order, payments=payments)
    return order


def ask(parts: Parts, order: Order, payment: Payment, attempt: Attempt, now: datetime) -> Answer:
    """Call the provider about one attempt: make the call, or find out what became of it.

    An attempt that was made before is looked up first. Only when the provider has never heard of it, still
    remembers keys that old, and the payment still wants it, is it sent again. A void may always be sent again: it
    has no effect twice, and one that is not on file says nothing about the money that it was to give back.
    """
    if attempt.operation is Operation.COLLECT:
        # the counter took the money before it was recorded: a fact, not a request
        return _collected(attempt)
    gateway = parts.gateway(payment.kind)
    if attempt.state is AttemptState.PLANNED:
        return _call(lambda: _make(gateway, order, payment, attempt), attempt)
    found = look_up(parts, payment, attempt)
    safe = attempt.operation is Operation.VOID or now < attempt.asked_at + gateway.capabilities.remembers
    if isinstance(found, Absent) and safe and _still_wanted(payment, attempt):
        return _call(lambda: _make(gateway, order, payment, attempt), attempt)
    return found


def look_up(parts: Parts, payment: Payment, attempt: Attempt) -> Answer:
    """What became of an attempt, by our own reference."""
    gateway = parts.gateway(payment.kind)
    request = LookUp(payment.id, attempt.id, attempt.operation, payment.provider_id)
    return _call(lambda: gateway.look_up(request), attempt)


def _collected(attempt: Attempt) -> Answer:
    return Approved(attempt.amount, attempt.provider_id, captured=True)


def _still_wanted(payment: Payment, attempt: Attempt) -> bool:
    if attempt.operation is Operation.AUTHORISE:
        return payment.state in (PaymentState.AUTHORISING, PaymentState.ACTION_REQUIRED)
    return True


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
            return _collected(attempt)


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
    if isinstance(answer, Approved) and attempt.operation is not Operation.VOID and answer.amount != attempt.amount:
        log().error("the provider's amount is not what was asked for", attempt=attempt.id)
        if answer.amount.currency != attempt.amount.currency:
            return NoAnswer()
    return answer
