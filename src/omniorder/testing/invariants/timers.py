"""Timers: every deadline is a row, and no deadline is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from omniorder.domain import coupling, ids, transfers
from omniorder.domain import events as e
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.lifecycle import PromiseState
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.terms import Terms
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook, WebhookState
from omniorder.testing.invariants.checking import View, invariant, whole

_NONE: Final = timedelta(0)
"""How long a source may be late is a setting, which may have changed since a timer was set."""


@invariant
def every_deadline_has_its_timer(view: View) -> Iterator[str]:
    """S7, T1: each held promise and each order that waits for something has one timer, due when it is, and no other;
    and goods for a shelf that are not sent yet have one for giving up on them, not before they are expected; and each
    parked webhook has one, not before it came.

    Timers of reservations say that a stock system outside is still to be told; an intent has nothing else yet.
    """
    for promise in view.rows.promises():
        if promise.state is PromiseState.HELD:
            due = _due(view, promise.store, promise.id)
            if due != promise.expires_at:
                yield f"{promise.id} ends at {promise.expires_at}, its timer is set to {due}"
    for order in view.rows.orders():
        due = _due(view, order.store, order.id)
        early, late = coupling.due(order, _whatever_helps(order)), coupling.due(order)
        if due != late and not (due and early and late and early <= due <= late):
            state = f"{order.state.value}, {order.pickup.state.value}"
            yield f"{order.id} ({state}) is to be looked at at {late}, its timer is set to {due}"
    for transfer in view.rows.transfers():
        if transfers.due(transfer, _NONE) is not None:
            due = _due(view, transfer.source, transfer.id)
            if due is None or due < transfer.expected_at:
                yield f"{transfer.id} is expected at {transfer.expected_at} and not sent, its timer is set to {due}"
    for webhook in view.rows.webhooks():
        if webhook.state is WebhookState.PARKED:
            due = _due(view, webhook.store, webhook.id)
            if due is None or due < webhook.received_at:
                yield f"{webhook.id} came at {webhook.received_at} and is parked, its timer is set to {due}"
    for timer in view.rows.timers():
        if timer.subject.startswith("rsv_"):
            if ids.store_of(timer.subject) != timer.store:
                yield f"{timer.subject}: a timer at {timer.store}"
        elif not _waits(_subject(view, timer.subject), timer.store):
            yield f"{timer.subject}: a timer at {timer.due_at} that nothing waits for"


@invariant
def nobody_is_reminded_twice(view: View) -> Iterator[str]:
    """T1: of the reminders that were planned for goods that wait each is told at most once, in turn, and the customer
    has had their deadline moved at most once."""
    for stream in view.rows.streams():
        planned = reminded = asked = 0
        for entry in stream.events:
            match entry.event:
                case e.MadeReady(reminders=reminders):
                    planned, reminded = len(reminders), 0
                case e.DeadlineExtended(reminders=reminders, asked=wanted):
                    planned, reminded, asked = len(reminders), 0, asked + wanted
                case e.Reminded(number):
                    if not reminded < number <= planned:
                        yield f"{entry.id}: number {number} of {planned}, after number {reminded}"
                    reminded = number
                case _:
                    pass
        if asked > 1:
            yield f"{stream.name}: extended {asked} times by its customer"


Subject = Promise | Order | Transfer | Webhook


def _whatever_helps(order: Order) -> Terms:
    """By what a gateway could do, and however long before: what it really can do may have changed since."""
    can = Capabilities(extension=True, reuse=True)
    return Terms({payment.kind: can for payment in order.payments}, timedelta.max)


def _subject(view: View, name: str) -> Subject | None:
    rows = view.rows
    return rows.promise(name) or rows.order(name) or rows.transfer(name) or rows.webhook(name)


def _waits(subject: Subject | None, store: str) -> bool:
    """Whether it may need a timer there; whether that is the right one is asked from the other side."""
    if isinstance(subject, Webhook):
        return subject.store == store and subject.state is WebhookState.PARKED
    if isinstance(subject, Transfer):
        return subject.source == store and transfers.due(subject, _NONE) is not None
    if subject is None or subject.store != store:
        return False
    return isinstance(subject, Order) or subject.state is PromiseState.HELD


def _due(view: View, store: str, subject: str) -> datetime | None:
    timer = view.rows.timer(store, subject)
    return timer.due_at if timer else None


@whole
def nothing_is_overdue(view: View) -> Iterator[str]:
    """T1: right after a sweep, nothing is left that was due: no held promise, order or goods that were never sent."""
    for timer in view.rows.timers():
        if timer.due_at <= view.now - view.settings.grace:
            yield f"{timer.subject} was due at {timer.due_at}, it is {view.now}"


@whole
def nothing_is_held_past_its_grace(view: View) -> Iterator[str]:
    """S7: right after a sweep, no units are held for longer than their time limit and the grace after it; but those of
    an order that is being undone while its money is still in flight, until that hold is over. Goods for another shelf
    are held no longer than the settings let them be late."""
    late = view.now - view.settings.grace
    waiting = {
        reservation
        for order in view.rows.orders()
        if order.state in coupling.CLOSING and order.hold_until and order.hold_until > late
        for reservation in (order.reservation_id, *(leg.reservation for leg in order.pickup.awaited))
    }
    for reservation in view.rows.reservations():
        if reservation.until is not None and reservation.until <= late and reservation.id not in waiting:
            yield f"{reservation.id} was to be held until {reservation.until}, it is {view.now}"
    for transfer in view.rows.transfers():
        until = transfers.due(transfer, view.settings.transfer_waits)
        if until is not None and until <= late:
            yield f"{transfer.id} was to be sent until {until}, it is {view.now}"
