"""Placing: the promise becomes an order in one transaction, and is paid outside of it."""

from __future__ import annotations

import time
from functools import partial
from zoneinfo import ZoneInfo

from omniorder.domain import carts, coupling, ids, orders, planning, promises
from omniorder.domain import events as e
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.events import Stamp
from omniorder.domain.handoffs import Scope
from omniorder.domain.lifecycle import AttemptState, OrderState, PaymentState, PromiseState
from omniorder.domain.orders import Order
from omniorder.domain.payments import Operation, PayInStore, Payment, Tender
from omniorder.domain.promises import Promise
from omniorder.errors import (
    AlreadyThere,
    CartChanged,
    NotFound,
    PaymentDeclined,
    PaymentInFlight,
    PromiseGone,
    StillRunning,
)
from omniorder.services import payments
from omniorder.services.access import look, promise_for, shown_to, still_allowed
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on, spread
from omniorder.services.units import Unit, in_transaction, reading

MOST_DRAWS = 10
"""Order numbers drawn before giving up: a collision is one in a billion per order that the store ever had."""

_REFUSED = (PaymentState.DECLINED, PaymentState.LAPSED, PaymentState.VOIDED)


def place(parts: Parts, touch: Touch, promise_id: str, tender: Tender) -> Order:
    """See `Checkout.place`."""
    if not isinstance(tender, PayInStore):
        payments.own_transaction(parts, "checkout.place")
        parts.gateway_for(tender)
    stamp = touch.stamp(parts.clock)
    order, ours = _take(parts, touch, promise_id, tender, stamp)
    order = payments.drive(parts, order, stamp) if ours else _wait(parts, order.id, stamp)
    return shown_to(touch, _answer(parts, touch, order, tender, stamp))


def _take(parts: Parts, touch: Touch, promise_id: str, tender: Tender, stamp: Stamp) -> tuple[Order, bool]:
    """The order on this promise, and whether a payment of ours was just planned on it."""
    for _ in range(MOST_DRAWS):
        accept = partial(_accept, touch=touch, promise_id=promise_id, tender=tender, draw=parts.entropy.bytes(8))
        try:
            return in_transaction(parts, stamp, accept)
        except AlreadyThere as taken:
            if taken.facts["kind"] != "order":
                raise
    raise StillRunning(command="checkout.place", id=promise_id)


def _accept(unit: Unit, touch: Touch, promise_id: str, tender: Tender, draw: bytes) -> tuple[Order, bool]:
    promise = promise_for(touch, unit.tx, promise_id, Scope.PAY, unit.stamp.at)
    if promise.order_id is not None:
        return _again(unit, promise, tender, draw)
    at, settings = unit.stamp.at, unit.parts.settings
    if promise.state is not PromiseState.HELD or at >= promise.expires_at:
        state = "lapsed" if promise.state is PromiseState.HELD else promise.state.value
        raise PromiseGone(promise=promise.id, state=state)
    before = unit.tx.cart(promise.cart_id)
    if before is None:
        raise NotFound("cart", promise.cart_id)
    still_allowed(touch, unit.tx, promise, before, Scope.PAY, at)
    if before.lines_version != promise.lines_version or before.promise_id != promise.id:
        raise CartChanged(cart=before.id, promise=promise.id)
    pay_by = min(max(promise.expires_at, at + settings.time_to_pay(tender.kind)), promise.ends)
    blank = orders.place(
        ids.order_id(promise.store, draw), before, promise, at=at, channel=unit.stamp.channel, pay_by=pay_by
    )
    quote = promise.quote
    placed = e.OrderPlaced(before.id, promise.id, promise.owner, quote.total, quote.ceiling, pay_by)
    events: tuple[e.Event, ...] = (placed, *_tendered(unit, blank, tender))
    order, more = coupling.follow(orders.told(blank, events, at), at)
    unit.save_order(None, order, (*events, *more))
    accepted = e.PromiseAccepted(promise.id, order.id)
    told = (accepted, e.CartOrdered(order.id))
    after = before
    for event in told:
        after = carts.apply(after, event, at)
    unit.save_cart(before, after, told)
    unit.save_promise(promise, promises.apply(promise, accepted))
    if order.state is OrderState.CONFIRMED:
        spread(unit, order, order, more)
    elif pay_by > promise.expires_at:
        for reservation in promise.reservations:
            unit.parts.inventory.extend(unit.tx, reservation, pay_by)
    return order, True


def _tendered(unit: Unit, order: Order, tender: Tender) -> tuple[e.Event, ...]:
    """A payment for what is not covered yet; none for an order that costs nothing. Raises `PlanImpossible`."""
    events, at = _begun(unit, order, tender), unit.stamp.at
    planning.refuse(orders.told(order, events, at), unit.parts.terms, at)
    return events


def _begun(unit: Unit, order: Order, tender: Tender) -> tuple[e.Event, ...]:
    can = unit.parts.terms.capabilities.get(tender.kind, Capabilities())
    missing = planning.to_set_aside(order, can, raises=unit.parts.settings.raises_authorisations) - order.kept
    if missing.amount <= 0:
        return ()
    new = order.next_payment_id()
    added = e.TenderAdded(new, tender.kind, missing, tender.token, method=tender.method)
    if isinstance(tender, PayInStore):
        return (added, e.LeftForStore(new, missing))
    return (added, e.AuthoriseRequested(new, ids.attempt_id(new, 1), missing))


def _again(unit: Unit, promise: Promise, tender: Tender, draw: bytes) -> tuple[Order, bool]:
    """The same promise is placed again: the same answer, or another tender after a refusal."""
    order = unit.tx.order(promise.order_id or "")
    if order is None:
        raise NotFound("order", promise.order_id)
    if order.confirmed_at is None and order.state is not OrderState.PLACED:
        state = f"accepted, but order {order.id} is {order.state.value}"
        raise PromiseGone(promise=promise.id, state=state, order=order.id)
    last = order.payments[-1] if order.payments else None
    if last is None or (last.kind, last.token) == (tender.kind, tender.token):
        # under the number that we drew it is our own, and only the news of its commit was lost
        return order, order.id == ids.order_id(promise.store, draw)
    if order.state is not OrderState.PLACED or last.state not in _REFUSED:
        raise PaymentInFlight(order=order.id)
    if unit.stamp.at >= order.pay_by:
        raise PromiseGone(promise=promise.id, state="lapsed")
    # counted from placing on, so that no number of refusals holds the goods for longer than one tender may take
    pay_by = min(order.placed_at + unit.parts.settings.time_to_pay(tender.kind), promise.ends)
    longer = (e.PaymentDeadlineExtended(pay_by),) if pay_by > order.pay_by else ()
    return carry_on(unit, order, (*longer, *_tendered(unit, order, tender))), True


def _wait(parts: Parts, order_id: str, stamp: Stamp) -> Order:
    """Wait for the twin of this command that is at the provider; finish for it when it must have died."""
    give_up = time.monotonic() + parts.settings.wait_for_other.total_seconds()
    pause = 0.01
    while True:
        order = payments.load(parts, order_id)
        calls = [a for p in order.payments for a in p.attempts if a.state is AttemptState.PLANNED]
        if not calls:
            return order
        if all(stamp.at >= call.look_at for call in calls):
            return payments.drive(parts, order, stamp)
        if time.monotonic() >= give_up:
            raise StillRunning(command="checkout.place", id=order_id)
        time.sleep(pause)
        pause = min(pause * 2, 0.25)


def _answer(parts: Parts, touch: Touch, order: Order, tender: Tender, stamp: Stamp) -> Order:
    last = order.payments[-1] if order.payments else None
    if last is None:
        return order
    if last.state is PaymentState.ACTION_REQUIRED and last.action is None:
        return _look(parts, order, last, stamp)
    if last.state is PaymentState.DECLINED and (last.kind, last.token) == (tender.kind, tender.token):
        raise _declined(touch, order, last.reason)
    return order


def _declined(touch: Touch, order: Order, reason: str) -> PaymentDeclined:
    until = order.pay_by.astimezone(ZoneInfo(order.pickup.zone))
    return PaymentDeclined(shown_to(touch, order), reason=reason, until=until.isoformat())


def resume(parts: Parts, touch: Touch, order_id: str) -> Order:
    """See `Checkout.resume`."""
    payments.own_transaction(parts, "checkout.resume")
    stamp = touch.stamp(parts.clock)
    order = look(parts, touch, order_id)
    promise_id = order.promise_id
    reading(parts, lambda tx: promise_for(touch, tx, promise_id, Scope.PAY, stamp.at))
    if not order.payments:
        return order
    last = order.payments[-1]
    if last.state in (PaymentState.AUTHORISING, PaymentState.ACTION_REQUIRED):
        order = _look(parts, order, last, stamp)
        last = order.payments[-1]
    if last.state is PaymentState.DECLINED:
        raise _declined(touch, order, last.reason)
    return shown_to(touch, order)


def _look(parts: Parts, order: Order, payment: Payment, stamp: Stamp) -> Order:
    """Ask the provider about an authorisation that is not finished, and record what it says."""
    for attempt in payment.attempts:
        if attempt.operation is Operation.AUTHORISE and attempt.open:
            answer = payments.ask(parts, order, payment, attempt, stamp.at)
            return payments.record(parts, order, attempt.id, answer, stamp)
    return order
