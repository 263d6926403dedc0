"""Reconciling: a payment as its provider lists it beside ours, and what to do where the two differ.

Money moves at two places that can't share a transaction, so now and then somebody must lay both lists side by side, in
both directions. Every difference has a kind, and every kind an advice that ends in a person's hands or in another look
at the provider: nothing here moves money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Final

from attrs import frozen

from omniorder.domain.lifecycle import AttemptState, OrderState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import CALL_TAKES, Attempt, Operation, Payment

__all__ = [
    "Advice",
    "Difference",
    "DifferenceKind",
    "Listed",
    "compared",
    "in_motion",
    "second",
    "set_aside",
    "stray",
    "unanswered",
    "waiting_since",
]

OVER: Final = frozenset({OrderState.COMPLETED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.RETURNED})


@frozen
class Listed:
    """A payment as the provider lists it. `payment` is our reference on it, or empty when it has none.

    `authorised`, `captured` and `refunded` are totals, `open` is what is still set aside.
    """

    provider_id: str
    payment: str
    created_at: datetime
    authorised: Money
    captured: Money
    refunded: Money
    open: Money

    @property
    def held(self) -> bool:
        """Whether any of the customer's money is in it: set aside, or taken and not given back."""
        return bool(self.open.amount or self.captured != self.refunded)


class DifferenceKind(Enum):
    """In what the provider's list and ours differ."""

    UNTAGGED = "untagged"
    """The provider holds money in a payment that bears no reference of ours."""
    UNKNOWN_PAYMENT = "unknown_payment"
    """The provider holds money in a payment that bears a reference which this database does not know."""
    DUPLICATE = "duplicate"
    """The provider holds money in a second payment for one of ours."""
    NOT_LISTED = "not_listed"
    """We know of money in a payment that is not on the provider's list."""
    STILL_SET_ASIDE = "still_set_aside"
    """The provider keeps money set aside that nobody needs any more: for us the payment or its order has ended."""
    AUTHORISED_DIFFERS = "authorised_differs"
    """Another amount was set aside than we know."""
    OPEN_DIFFERS = "open_differs"
    """Another amount is still set aside than we know."""
    CAPTURED_DIFFERS = "captured_differs"
    """Another amount was taken than we know."""
    REFUNDED_DIFFERS = "refunded_differs"
    """Another amount was given back than we know."""
    UNANSWERED = "unanswered"
    """What became of a call to the provider has been unknown for longer than it may be."""


class Advice(Enum):
    """What to do about a difference; `sentence` tells a person."""

    LOOK_AGAIN = "look_again"
    """The provider is to be asked again: reconciling with `look_again` does, and sweeps and webhooks do."""
    VOID_THERE = "void_there"
    """What is set aside at the provider is to be given back there."""
    GIVE_BACK_THERE = "give_back_there"
    """What was taken or set aside twice is to be given back at the provider."""
    FIND_ITS_OWNER = "find_its_owner"
    """Whose it is must be found out: it may be of another system."""
    FIND_ITS_ORDER = "find_its_order"
    """It is of ours, but of another database, or of a newer copy of this one."""
    FIND_IT_THERE = "find_it_there"
    """It must be looked for at the provider by its reference."""
    BOOK_BY_HAND = "book_by_hand"
    """Somebody moved money at the provider without us: that is to be undone, or booked."""
    ASK_FOR_PAYMENT = "ask_for_payment"
    """Less is set aside than the order counts on: another tender will be needed."""

    @property
    def safe(self) -> bool:
        """Whether it can be carried out without a person."""
        return self is Advice.LOOK_AGAIN

    @property
    def sentence(self) -> str:
        """What to do, in English."""
        return _SENTENCES[self]


_SENTENCES: Final[Mapping[Advice, str]] = {
    Advice.LOOK_AGAIN: "Ask the provider again what became of it: reconciling with look_again does, as sweeps do.",
    Advice.VOID_THERE: "Void it at the provider: nothing of ours needs what it keeps set aside.",
    Advice.GIVE_BACK_THERE: "Make sure that the customer paid twice, then void or refund this payment at the provider.",
    Advice.FIND_ITS_OWNER: (
        "Find out which system made it: if none did, void or refund it at the provider; if others use this account "
        "too, leave it to them."
    ),
    Advice.FIND_ITS_ORDER: (
        "Find the database that knows it: another installation uses this account, or this database was brought back "
        "from an older copy."
    ),
    Advice.FIND_IT_THERE: "Look for it at the provider by its reference, in the account and mode of this gateway.",
    Advice.BOOK_BY_HAND: (
        "Find out who moved this money at the provider without us; undo it there, or correct the books by the "
        "difference."
    ),
    Advice.ASK_FOR_PAYMENT: (
        "Count on less: at hand-over the capture will be refused, and the counter asks for another tender."
    ),
}


@frozen
class Difference:
    """One thing that does not agree, and what to do about it.

    `order` and `payment` are ours, `provider_id` and `theirs` the provider's; each is empty where there is none.
    `ours` and `theirs` are the amounts that differ. `attempt` is the call that is without an answer. `at` is when the
    payment was created, at the provider where it lists it.
    """

    kind: DifferenceKind
    advice: Advice
    at: datetime
    order: str = ""
    payment: str = ""
    provider_id: str = ""
    attempt: str = ""
    ours: Money | None = None
    theirs: Money | None = None


def stray(found: Listed) -> Difference | None:
    """What the provider lists and we don't know; None when no money is in it."""
    if not found.held:
        return None
    untagged = not found.payment
    kind = DifferenceKind.UNTAGGED if untagged else DifferenceKind.UNKNOWN_PAYMENT
    advice = Advice.FIND_ITS_OWNER if untagged else Advice.FIND_ITS_ORDER
    return Difference(kind, advice, found.created_at, "", found.payment, found.provider_id, theirs=_in_it(found))


def in_motion(payment: Payment, since: datetime) -> bool:
    """Whether it may have changed after the provider's list was begun (`since`), so that the two can't be compared."""
    return any(one.open or one.asked_at >= since - CALL_TAKES for one in payment.attempts)


def waiting_since(payment: Payment, before: datetime) -> tuple[Attempt, ...]:
    """Its calls that were made before this instant and whose outcome is still unknown.

    What waits for the customer is no such call: it ends with the time to pay.
    """
    waits = payment.state in (PaymentState.ACTION_REQUIRED, PaymentState.COLLECTING)
    asking = (Operation.AUTHORISE, Operation.COLLECT)
    return tuple(
        one
        for one in payment.attempts
        if one.state is AttemptState.UNKNOWN and one.asked_at < before and not (waits and one.operation in asking)
    )


def unanswered(order: Order, payment: Payment, before: datetime) -> Iterator[Difference]:
    """Its calls that were made before this instant and whose outcome is still unknown."""
    for attempt in waiting_since(payment, before):
        yield Difference(
            DifferenceKind.UNANSWERED, Advice.LOOK_AGAIN, attempt.asked_at, order.id, payment.id, payment.provider_id,
            attempt.id, ours=attempt.amount,
        )  # fmt: skip


def compared(order: Order, payment: Payment, listed: Sequence[Listed]) -> Iterator[Difference]:
    """In what a payment that is not `in_motion` differs from all that the provider lists under its reference."""
    if payment.means and not payment.token:
        return  # the counter took it by itself: no provider knows of it
    found = _same_one(payment, listed)
    for other in listed:
        if other is not found and (more := second(order, payment, other)):
            yield more
    if found is not None:
        yield from _amounts(order, payment, found)
    elif payment.captured.amount or set_aside(payment).amount:
        known = payment.captured if payment.captured.amount else payment.authorised
        kind, advice = DifferenceKind.NOT_LISTED, Advice.FIND_IT_THERE
        at, id = payment.created_at, payment.provider_id
        yield Difference(kind, advice, at, order.id, payment.id, id, ours=known)


def second(order: Order, payment: Payment, found: Listed) -> Difference | None:
    """What the provider holds for our payment under another id than the one that we know, if it holds anything."""
    if found.provider_id == payment.provider_id or not found.held:
        return None
    kind, advice = DifferenceKind.DUPLICATE, Advice.GIVE_BACK_THERE
    return _difference(kind, advice, order, payment, found, None, _in_it(found))


def _amounts(order: Order, payment: Payment, found: Listed) -> Iterator[Difference]:
    by_hand = Advice.LOOK_AGAIN if _given_up(payment) else Advice.BOOK_BY_HAND
    aside = set_aside(payment)
    if found.open.amount and (not aside.amount or order.state in OVER):
        advice = Advice.LOOK_AGAIN if _given_up(payment) else Advice.VOID_THERE
        yield _difference(DifferenceKind.STILL_SET_ASIDE, advice, order, payment, found, aside, found.open)
    elif not _same(aside, found.open):
        advice = Advice.ASK_FOR_PAYMENT if found.open.amount < aside.amount else Advice.BOOK_BY_HAND
        yield _difference(DifferenceKind.OPEN_DIFFERS, advice, order, payment, found, aside, found.open)
    elif aside.amount and not _same(payment.authorised, found.authorised):
        what = DifferenceKind.AUTHORISED_DIFFERS
        yield _difference(what, by_hand, order, payment, found, payment.authorised, found.authorised)
    if not _same(payment.captured, found.captured):
        what = DifferenceKind.CAPTURED_DIFFERS
        yield _difference(what, by_hand, order, payment, found, payment.captured, found.captured)
    if not _same(payment.refunded, found.refunded):
        what = DifferenceKind.REFUNDED_DIFFERS
        yield _difference(what, Advice.BOOK_BY_HAND, order, payment, found, payment.refunded, found.refunded)


def _difference(
    kind: DifferenceKind,
    advice: Advice,
    order: Order,
    payment: Payment,
    found: Listed,
    ours: Money | None,
    theirs: Money,
) -> Difference:
    return Difference(
        kind, advice, found.created_at, order.id, payment.id, found.provider_id, ours=ours, theirs=theirs
    )  # fmt: skip


def _same_one(payment: Payment, listed: Sequence[Listed]) -> Listed | None:
    """Which of these is the payment that we know: by the provider's id, else the one with money in it."""
    by_id = (one for one in listed if one.provider_id == payment.provider_id)
    return next(by_id, next((one for one in listed if one.held), listed[0] if listed else None))


def set_aside(payment: Payment) -> Money:
    """What is still set aside, as far as we know."""
    if payment.state in (PaymentState.AUTHORISED, PaymentState.CAPTURING):
        return payment.authorised - payment.captured
    return Money(0, payment.amount.currency)


def _given_up(payment: Payment) -> bool:
    """Whether its authorisation was taken for absent: should it turn up, looking again gives it back."""
    return any(one.operation is Operation.AUTHORISE and one.state is AttemptState.ABSENT for one in payment.attempts)


def _in_it(found: Listed) -> Money:
    """The customer's money that is in it."""
    return found.open + found.captured - found.refunded


def _same(ours: Money, theirs: Money) -> bool:
    return ours == theirs or not (ours.amount or theirs.amount)
