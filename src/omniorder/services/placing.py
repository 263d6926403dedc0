"""Placing: the promise becomes an order in one transaction, and is paid outside of it."""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from functools import partial
from zoneinfo import ZoneInfo

from omniorder.domain import carts, coupling, ids, orders, planning, promises
from omniorder.domain import events as e
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.events import Stamp
from omniorder.domain.handoffs import Scope
from omniorder.domain.lifecycle import BUSY_PAYMENTS, AttemptState, OrderState, PaymentState, PromiseState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import Operation, Payment, Tender
from omniorder.domain.promises import Promise
from omniorder.domain.tenders import Brought, shares
from omniorder.errors import (
    AlreadyThere,
    CartChanged,
    NotFound,
    PaymentDeclined,
    PaymentInFlight,
    PromiseGone,
    StillRunning,
)
from omniorder.services import payments, tendering
from omniorder.services.access import look, promise_for, shown_to, still_allowed
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on, spread
from omniorder.services.units import Unit, in_transaction, reading

MOST_DRAWS = 10
"""Order numbers drawn before giving up: a collision is one in a billion per order that the store ever had."""

_REFUSED = (PaymentState.DECLINED, PaymentState.LAPSED, PaymentState.VOIDED)


def place(parts: Parts, touch: Touch, promise_id: str, tenders: Sequence[Tender]) -> Order:
    """See `Checkout.place`."""
    tendering.taken_here(parts, tenders)
    brought = tendering.presented(parts, touch, promise_id, tenders)
    stamp = touch.stamp(parts.clock)
    order, ours = _take(parts, touch, promise_id, brought, stamp)
    order = payments.drive(parts, order, stamp) if ours else _wait(parts, order.id, stamp)
    return _answer(parts, touch, order, stamp, {one.name for one in brought})


def _take(parts: Parts, touch: Touch, promise_id: str, brought: Sequence[Brought], stamp: Stamp) -> tuple[Order, bool]:
    """The order on this promise, and whether payments of ours were just planned on it."""
    for _ in range(MOST_DRAWS):
        accept = partial(_accept, touch=touch, promise_id=promise_id, brought=brought, draw=parts.entropy.bytes(8))
        try:
            return in_transaction(parts, stamp, accept)
        except AlreadyThere as taken:
            if taken.facts["kind"] != "order":
                raise
    raise StillRunning(command="checkout.place", id=promise_id)


def _accept(unit: Unit, touch: Touch, promise_id: str, brought: Sequence[Brought], draw: bytes) -> tuple[Order, bool]:
    promise = promise_for(touch, unit.tx, promise_id, Scope.PAY, unit.stamp.at)
    if promise.order_id is not None:
        return _again(unit, promise, brought, draw)
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
    longest = max(settings.time_to_pay(one.tender.kind) for one in brought)
    pay_by = min(max(promise.expires_at, at + longest), promise.ends)
    blank = orders.place(
        ids.order_id(promise.store, draw), before, promise, at=at, channel=unit.stamp.channel, pay_by=pay_by
    )
    quote = promise.quote
    placed = e.OrderPlaced(before.id, promise.id, promise.owner, quote.total, quote.ceiling, pay_by)
    events: tuple[e.Event, ...] = (placed, *_tendered(unit, blank, brought))
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


def _tendered(unit: Unit, order: Order, brought: Sequence[Brought]) -> tuple[e.Event, ...]:
    """Payments for what is not covered yet; none for an order that costs nothing. Raises `PlanImpossible`."""
    at = unit.stamp.at
    events = tendering.asked(order, shares(_uncovered(unit, order, brought), brought))
    planning.refuse(orders.told(order, events, at), unit.parts.terms, at)
    return events


def _uncovered(unit: Unit, order: Order, brought: Sequence[Brought]) -> Money:
    """What the tenders must give: less than the most that it may cost, where the last one can be raised later."""
    if not brought:
        return order.uncovered
    can = unit.parts.terms.capabilities.get(brought[-1].tender.kind, Capabilities())
    later = order.most - planning.to_set_aside(order, can, raises=unit.parts.settings.raises_authorisations)
    return max(order.uncovered - later, Money(0, order.total.currency))


def _again(unit: Unit, promise: Promise, brought: Sequence[Brought], draw: bytes) -> tuple[Order, bool]:
    """The same promise is placed again: the same answer, or other tenders after a refusal."""
    order = unit.tx.order(promise.order_id or "")
    if order is None:
        raise NotFound("order", promise.order_id)
    if order.confirmed_at is None and order.state is not OrderState.PLACED:
        state = f"accepted, but order {order.id} is {order.state.value}"
        raise PromiseGone(promise=promise.id, state=state, order=order.id)
    if _is_repeated(order, brought):
        # under the number that we drew it is our own, and only the news of its commit was lost
        return order, order.id == ids.order_id(promise.store, draw)
    if order.state is not OrderState.PLACED or any(p.state in BUSY_PAYMENTS for p in order.payments):
        raise PaymentInFlight(order=order.id)
    if unit.stamp.at >= order.pay_by:
        raise PromiseGone(promise=promise.id, state="lapsed")
    more = [one for one in brought if not _stands(order, one)]
    # counted from placing on, so that no number of refusals holds the goods for longer than one tender may take
    longest = max(unit.parts.settings.time_to_pay(one.tender.kind) for one in brought)
    pay_by = min(order.placed_at + longest, promise.ends)
    longer = (e.PaymentDeadlineExtended(pay_by),) if pay_by > order.pay_by else ()
    return carry_on(unit, order, (*longer, *_tendered(unit, order, more))), True


def _is_repeated(order: Order, brought: Sequence[Brought]) -> bool:
    """Whether these are the tenders that were brought before: a double click.

    Of several, those that come last may not have been needed, and some may have had nothing to give.
    """
    if not order.payments:
        return True  # it costs nothing
    had = [(p.kind, p.token, p.method) for p in order.payments]
    asked = [one.name for one in brought if one.name in had or not one.is_empty]
    used = [name for name in asked if name in had]
    if order.state is not OrderState.PLACED or not order.uncovered.amount:
        return bool(used)
    return bool(used) and used == asked and used[-1] == had[-1]


def _stands(order: Order, one: Brought) -> bool:
    """Whether this tender already gives what it may, so that it is not asked for more."""
    return any((p.kind, p.token, p.method) == one.name and p.state not in _REFUSED for p in order.payments)


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


def _answer(parts: Parts, touch: Touch, order: Order, stamp: Stamp, asked: Set[tuple[str, str, str]]) -> Order:
    """What to tell of these tenders: the first that the customer must act on, with how; else the one declined last.

    Of an authorisation that the customer must act on, only the provider knows how.
    """
    acting = next((p for p in order.payments if p.state is PaymentState.ACTION_REQUIRED), None)
    if acting is not None:
        return shown_to(touch, order if acting.action else _look(parts, order, acting, stamp))
    for p in reversed(order.payments) if order.confirmed_at is None else ():
        if p.state is PaymentState.DECLINED and (p.kind, p.token, p.method) in asked and order.uncovered.amount:
            until = order.pay_by.astimezone(ZoneInfo(order.pickup.zone))
            raise PaymentDeclined(shown_to(touch, order), reason=p.reason, until=until.isoformat())
    return shown_to(touch, order)


def resume(parts: Parts, touch: Touch, order_id: str) -> Order:
    """See `Checkout.resume`."""
    payments.own_transaction(parts, "checkout.resume")
    stamp = touch.stamp(parts.clock)
    order = look(parts, touch, order_id)
    promise_id = order.promise_id
    reading(parts, lambda tx: promise_for(touch, tx, promise_id, Scope.PAY, stamp.at))
    for p in order.payments:
        if p.state in (PaymentState.AUTHORISING, PaymentState.ACTION_REQUIRED):
            order = _look(parts, order, p, stamp)
    return _answer(parts, touch, order, stamp, {(p.kind, p.token, p.method) for p in order.payments})


def _look(parts: Parts, order: Order, payment: Payment, stamp: Stamp) -> Order:
    """Ask the provider about an authorisation that is not finished, and record what it says."""
    for attempt in payment.attempts:
        if attempt.operation is Operation.AUTHORISE and attempt.open:
            answer = payments.ask(parts, order, payment, attempt, stamp.at)
            return payments.record(parts, order, attempt.id, answer, stamp)
    return order
