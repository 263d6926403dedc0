"""Authorisations end: what is done about each of them before it does, and about what is missing once it has.

`way` is the rule for one authorisation, `due` when the next of an order's is to be looked at, `begin` what is done
about those whose time has come. `cure` is the rule for money that a confirmed order counted on and can't have any more,
for whatever reason: an authorisation ended, an increase was refused, a piece weighs more than is set aside for it.

A way that was tried and refused is not tried again before the same end, so every order comes to one that works. The
last one is the counter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.lifecycle import AttemptState, Funding, OrderState, PaymentState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import AUTHORISATION_EXPIRED, Operation, PayInStore, Payment
from omniorder.domain.steps import CaptureEarly, Extend, Increase, Lapse, PayAtCounter, Reauthorise
from omniorder.domain.terms import Terms

__all__ = [
    "LARGEST_SHARE",
    "begin",
    "cure",
    "due",
    "ended",
    "ends_before",
    "most_charged",
    "raisable",
    "refill",
    "replace",
    "shares",
    "way",
]

LARGEST_SHARE: Final = 4
"""The margin before an authorisation ends is at most one part in so many of its lifetime."""

_ASKING: Final = frozenset({PaymentState.AUTHORISING, PaymentState.ACTION_REQUIRED, PaymentState.VOIDING})
_NO: Final = frozenset({AttemptState.REFUSED, AttemptState.ABSENT})


Way = CaptureEarly | Extend | Reauthorise | Lapse
Cure = Increase | Reauthorise | PayAtCounter


# --- before it ends ---------------------------------------------------------------------------------------


def way(order: Order, payment: Payment, terms: Terms) -> Way | None:
    """What is to be done about the end of this authorisation; None where it has none, where the goods are gone by then,
    or where the answer to something that was begun says how it goes on.

    Before it ends, if something of it is still needed: capture it, where the goods are ready and a part can be
    refunded; have it extended; authorise anew. Each as long as the provider can and has not refused. When it ends: note
    that it did.
    """
    ends = payment.until
    alive = order.state in (OrderState.PLACED, OrderState.CONFIRMED)
    if ends is None or payment.state is not PaymentState.AUTHORISED or not alive or _handing_over(order):
        return None
    if _asked(order, payment) or _in_time(order, ends):
        return None
    early = ends_before(payment, terms.margin)
    share = shares(order)[payment.id]
    if order.state is not OrderState.CONFIRMED or not share.amount:
        return Lapse(ends, AUTHORISATION_EXPIRED, payment.id)
    can = terms.of(payment)
    if order.pickup.state is PickupState.READY and can.partial_refund and not _no(payment, Operation.CAPTURE, early):
        amount = share if can.partial_capture else payment.aside
        return CaptureEarly(early, "ready", payment.id, amount)
    if can.extension and not _no(payment, Operation.EXTEND, early):
        return Extend(early, "ends_early", payment.id)
    if _may_be_had_anew(order, payment, terms):
        return Reauthorise(early, "ends_early", payment.id, share)
    return Lapse(ends, AUTHORISATION_EXPIRED, payment.id)


def ends_before(payment: Payment, margin: timedelta) -> datetime | None:
    """When to act on the end of this authorisation: the margin before, but late in its life however short that is."""
    if payment.until is None:
        return None
    given = [
        attempt.asked_at
        for attempt in payment.attempts
        if attempt.operation in (Operation.AUTHORISE, Operation.EXTEND) and attempt.state is AttemptState.SUCCEEDED
    ]
    lasts = payment.until - max(given, default=payment.created_at)
    return payment.until - max(timedelta(0), min(margin, lasts / LARGEST_SHARE))


def due(order: Order, terms: Terms) -> datetime | None:
    """When the next end of an authorisation is to be acted on, if there is one."""
    if all(payment.until is None for payment in order.payments):
        return None
    ways = (way(order, payment, terms) for payment in order.payments)
    return min((one.at for one in ways if one is not None and one.at is not None), default=None)


def begin(order: Order, at: datetime, terms: Terms) -> tuple[e.Event, ...]:
    """The events of all that is to be done by `at`."""
    begun: list[e.Event] = []
    for place in range(len(order.payments)):
        step = way(order, order.payments[place], terms)
        if isinstance(step, CaptureEarly) and order.payments[place].being_raised:
            continue  # what could be captured is not known just now
        if step is not None and step.at is not None and step.at <= at:
            events = _begun(order, order.payments[place], step)
            order = told(order, events, at)
            begun += events
    return tuple(begun)


def _begun(order: Order, payment: Payment, step: Way) -> tuple[e.Event, ...]:
    match step:
        case CaptureEarly(amount=amount):
            return (e.CaptureRequested(payment.id, payment.next_attempt_id(), amount),)
        case Extend():
            return (e.ExtensionRequested(payment.id, payment.next_attempt_id()),)
        case Reauthorise(amount=amount):
            return _anew(order, payment, amount)
        case Lapse():
            needed = order.state is OrderState.CONFIRMED and shares(order)[payment.id].amount > 0
            return (*ended(payment), *((e.FundingLost(),) if needed else ()))


def ended(payment: Payment) -> tuple[e.Event, ...]:
    """The events of an authorisation that has ended: what was captured of it before is the whole payment then, and the
    provider is told that no more of it is wanted."""
    if payment.captured.amount:
        return (e.VoidRequested(payment.id, payment.next_attempt_id()),)
    return (e.AuthorisationLapsed(payment.id),)


def _anew(order: Order, payment: Payment, amount: Money) -> tuple[e.Event, ...]:
    new = order.next_payment_id()
    added = e.TenderAdded(new, payment.kind, amount, payment.token, method=payment.method, replaces=payment.id)
    return (added, e.AuthoriseRequested(new, ids.attempt_id(new, 1), amount))


def shares(order: Order) -> Mapping[str, Money]:
    """What of each authorisation will be needed, at the most: those that come first, first. What is set aside beyond
    it may end without harm."""
    open_value = most_charged(order) - order.held
    for payment in order.payments:
        open_value -= payment.being_taken
    found: dict[str, Money] = {}
    for payment in order.payments:
        needed = max(Money(0, open_value.currency), min(open_value, payment.aside))
        found[payment.id] = needed
        open_value -= needed
    return found


def most_charged(order: Order) -> Money:
    """The most that will be charged: by the actual weights, once those are settled; with what was corrected since."""
    return order.owed_in_all if order.pickup.state is PickupState.READY else max(order.most, order.owed_in_all)


def _in_time(order: Order, ends: datetime) -> bool:
    """Whether the goods are collected, or given up, before the authorisation ends: nothing need be done then."""
    pickup = order.pickup
    return pickup.state is PickupState.READY and pickup.until is not None and pickup.until < ends


def _handing_over(order: Order) -> bool:
    return order.pickup.state is PickupState.HANDING_OVER


def _asked(order: Order, payment: Payment) -> bool:
    """Whether something of the kind is under way already."""
    changing = (Operation.EXTEND, Operation.INCREASE)
    return any(attempt.open and attempt.operation in changing for attempt in payment.attempts) or any(
        p.replaces == payment.id and p.state in _ASKING for p in order.payments
    )


def _no(payment: Payment, operation: Operation, since: datetime | None) -> bool:
    """Whether the provider refused this operation since it was time for it."""
    return any(
        attempt.operation is operation and attempt.state in _NO and (since is None or attempt.asked_at >= since)
        for attempt in payment.attempts
    )


def _may_be_had_anew(order: Order, payment: Payment, terms: Terms) -> bool:
    tried = any(p.replaces == payment.id for p in order.payments)
    return terms.of(payment).reuse and payment.token != "" and not tried


def _is_second(order: Order, payment: Payment) -> bool:
    """Whether it took the place of one that had ended: two in a row that end unforeseen are enough."""
    return bool(payment.replaces) and order.payment(payment.replaces).state is PaymentState.LAPSED


# --- when another takes its place -------------------------------------------------------------------------


def replace(order: Order) -> tuple[e.Event, ...]:
    """What follows from an authorisation that was asked for in place of another.

    Once it is there, the other is given back in the same breath. Nobody is there to act for it. And whoever is at the
    counter meanwhile pays there, by what is set aside already.
    """
    for payment in order.payments:
        if not payment.replaces:
            continue
        waits = payment.state is PaymentState.ACTION_REQUIRED
        if waits or (_handing_over(order) and payment.state is PaymentState.AUTHORISING):
            return (*payment.call_off(), e.VoidRequested(payment.id, payment.next_attempt_id()))
        old = order.payment(payment.replaces)
        there = payment.state in (PaymentState.AUTHORISED, PaymentState.CAPTURED)
        if there and old.state is PaymentState.AUTHORISED:
            return (e.VoidRequested(old.id, old.next_attempt_id()),)
    return ()


# --- once money is missing --------------------------------------------------------------------------------


def cure(order: Order, terms: Terms, at: datetime | None = None) -> Cure | None:
    """Where a confirmed order that is short of money gets it from; None: from nowhere, or it is asked for already."""
    if order.state is not OrderState.CONFIRMED or order.funding is not Funding.SHORT or _handing_over(order):
        return None
    if any(attempt.open for p in order.payments for attempt in p.attempts if attempt.operation is Operation.INCREASE):
        return None
    expected = order.held
    for p in order.payments:
        expected += p.amount if p.state is PaymentState.DUE_IN_STORE else p.aside
    lapsed = any(p.state is PaymentState.LAPSED or _came_too_late(p) for p in order.payments)
    if not lapsed and (last := raisable(order, terms)) is not None:
        return Increase(at, "heavier", last.id, last.authorised + (order.owed_in_all - expected))
    for p in order.payments:
        if p.state is PaymentState.LAPSED and _may_be_had_anew(order, p, terms) and not _is_second(order, p):
            amount = min(p.authorised - p.captured, most_charged(order) - expected)
            if amount.amount > 0:
                return Reauthorise(at, AUTHORISATION_EXPIRED, p.id, amount)
    if not terms.counter:
        return None
    return PayAtCounter(at, AUTHORISATION_EXPIRED if lapsed else "heavier", most_charged(order) - expected)


def raisable(order: Order, terms: Terms) -> Payment | None:
    """The authorisation that its provider can raise, and has not refused to: of several, the one tendered last."""
    for p in reversed(order.payments):
        raises = p.state is PaymentState.AUTHORISED and terms.of(p).incremental
        if raises and not _no(p, Operation.INCREASE, None):
            return p
    return None


def _came_too_late(payment: Payment) -> bool:
    return any(a.operation is Operation.CAPTURE and a.reason == AUTHORISATION_EXPIRED for a in payment.attempts)


def refill(order: Order, terms: Terms) -> tuple[e.Event, ...]:
    """The events by which a confirmed order that is short of money gets it from elsewhere."""
    match cure(order, terms):
        case Increase(payment=payment, to=to):
            return (e.IncreaseRequested(payment, order.payment(payment).next_attempt_id(), to),)
        case Reauthorise(payment=payment, amount=amount):
            return _anew(order, order.payment(payment), amount)
        case PayAtCounter(reason=reason, amount=amount):
            new = order.next_payment_id()
            return (e.TenderAdded(new, PayInStore.kind, amount), e.LeftForStore(new, amount, reason))
        case None:
            return ()
