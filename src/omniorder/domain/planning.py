"""The capture planner's overview: what will be done about an order's money, step by step, if nothing else happens.

`plan` is made of the same rules that act: `capturing` for the hand-over, `authorisations` for what ends or is missing.
So it says what will be done, rather than what somebody once meant to do. It refuses what a provider can't carry out
before anything is asked of that provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

from omniorder.domain.authorisations import LARGEST_SHARE, cure, most_charged, shares, way
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.lifecycle import OrderState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import AUTHORISATION_EXPIRED, Payment
from omniorder.domain.steps import (
    AuthoriseNow,
    CaptureAtHandOver,
    GiveBack,
    Lapse,
    PayAtCounter,
    Reauthorise,
    Step,
    TakeNow,
)
from omniorder.domain.terms import Terms
from omniorder.errors import PlanImpossible

__all__ = ["Plan", "plan", "refuse", "refuse_to_wait", "to_set_aside"]

_ALIVE = (OrderState.PLACED, OrderState.CONFIRMED)
_ASKED = (PaymentState.CREATED, PaymentState.AUTHORISING, PaymentState.ACTION_REQUIRED)


@frozen
class Plan:
    """The steps for the money of one order, as they follow from how it stands now.

    Those with an instant are taken then unless the customer comes before; those without, when the customer comes.
    """

    order: str
    steps: tuple[Step, ...]


def plan(order: Order, terms: Terms, at: datetime, *, most: Money | None = None) -> Plan:
    """The plan for an order as it stands at `at`.

    `most` is the most that may be charged; by default what the order says: the ceiling of what was not called off, or
    what it really weighs once that is settled. Raises `PlanImpossible` where a provider can't carry it out.
    """
    refuse(order, terms, at)
    if order.state not in _ALIVE:
        return Plan(order.id, tuple(_back(order, at)))
    steps = [*_begun(order, at), *_taken(order, terms, most or most_charged(order)), *_ends(order, terms)]
    missing = cure(order, terms, at)
    return Plan(order.id, (*steps, missing) if missing else tuple(steps))


def to_set_aside(order: Order, can: Capabilities, *, raises: bool) -> Money:
    """How much is to be set aside for an order: the most that it may cost; but where a provider can raise it later, and
    is to (`raises`), only the price of what was ordered. The ceiling stays what the customer accepted."""
    return order.wanted_value if raises and can.incremental else order.most


def refuse(order: Order, terms: Terms, at: datetime) -> None:
    """Raise `PlanImpossible` where a tender that was not decided yet is beyond what its provider can do."""
    for p in order.payments:
        can = terms.of(p)
        if p.state not in _ASKED:
            continue
        if p.now and not can.immediate:
            raise PlanImpossible(tender=p.kind, reason="deposit")
        if p.method and p.method not in can.wallets:
            raise PlanImpossible(tender=p.kind, reason="wallet", method=p.method)
        if not p.now and can.shortest is not None and not terms.counter:
            _refuse_too_short(order, p, terms, at + can.shortest)


def refuse_to_wait(order: Order, terms: Terms) -> None:
    """Raise `PlanImpossible` where what is set aside ends before goods that are collected later, and nothing helps."""
    if terms.counter:
        return
    needed = shares(order)
    for p in order.payments:
        if p.state is PaymentState.AUTHORISED and p.until is not None and needed[p.id].amount:
            _refuse_too_short(order, p, terms, p.until)


def _refuse_too_short(order: Order, payment: Payment, terms: Terms, until: datetime) -> None:
    """What is set aside must last until the goods are collected, or something must help: to extend it, to have it anew,
    to capture it early. Where customers can pay at the counter, that always helps."""
    pickup, can = order.pickup, terms.of(payment)
    needed = pickup.until or pickup.ends
    early = until - min(terms.margin, (until - payment.created_at) / LARGEST_SHARE)
    ready_by_then = can.partial_refund and early >= pickup.starts
    if until < needed and not (can.extension or (can.reuse and payment.token) or ready_by_then):
        raise PlanImpossible(
            tender=payment.kind, reason="too_short", until=until.isoformat(), needed=needed.isoformat()
        )


# --- an order that lives on -------------------------------------------------------------------------------


def _begun(order: Order, at: datetime) -> Iterator[Step]:
    for p in order.payments:
        if p.state in _ASKED:
            yield TakeNow(at, "deposit", p.id, p.amount) if p.now else AuthoriseNow(at, "tendered", p.id, p.amount)


def _taken(order: Order, terms: Terms, most: Money) -> Iterator[Step]:
    """What the hand-over takes: of what is set aside in the order in which it was tendered, and then at the counter."""
    left = most - order.held
    for p in order.payments:
        left -= p.being_taken
        if p.state in _ASKED and p.now:
            left -= p.amount
    for p in order.payments:
        room = p.amount if p.state in _ASKED and not p.now else p.aside
        if not room.amount:
            continue
        can, wanted = terms.of(p), min(left, room)
        if wanted.amount <= 0:
            yield GiveBack(None, "not_wanted", p.id, room)
            continue
        yield CaptureAtHandOver(None, _why(can), p.id, wanted if can.partial_capture else room)
        left -= wanted
    for p in order.payments:
        if p.state is PaymentState.DUE_IN_STORE and left.amount > 0:
            yield PayAtCounter(None, "tendered", min(left, p.amount))
            left -= min(left, p.amount)


def _why(can: Capabilities) -> str:
    if can.several_captures:
        return "leaves" if can.partial_capture else "captures_whole"
    if not can.partial_capture:
        return "captures_whole"
    return "leaves_whole" if can.partial_refund else "leaves_only"


def _ends(order: Order, terms: Terms) -> Iterator[Step]:
    needed = shares(order)
    for p in order.payments:
        step = way(order, p, terms)
        if step is None:
            continue
        yield step
        if isinstance(step, Lapse) and needed[p.id].amount > 0 and order.state is OrderState.CONFIRMED:
            yield from _afterwards(order, p, step, needed[p.id], terms)


def _afterwards(order: Order, payment: Payment, lapse: Lapse, missing: Money, terms: Terms) -> Iterator[Step]:
    """What takes the place of an authorisation that is to end, as things stand."""
    if not any(p.replaces == payment.id for p in order.payments) and terms.of(payment).reuse and payment.token:
        yield Reauthorise(lapse.at, AUTHORISATION_EXPIRED, payment.id, missing)
    elif terms.counter:
        yield PayAtCounter(lapse.at, AUTHORISATION_EXPIRED, missing)


# --- one that is over -------------------------------------------------------------------------------------


def _back(order: Order, at: datetime) -> Iterator[Step]:
    """Everything that is set aside, and what was taken beyond what left; the last tender first."""
    surplus = order.kept - order.owed
    for p in reversed(order.payments):
        if p.aside.amount:
            yield GiveBack(at, "undone", p.id, p.aside)
        surplus -= p.refund_pending
    for p in reversed(order.payments):
        back = min(surplus, p.returnable)
        if p.state is PaymentState.CAPTURED and back.amount > 0:
            yield GiveBack(at, "excess", p.id, back)
            surplus -= back
