"""What a payment provider's answer means for an order.

A provider answers an attempt with one of five small types; `heard` turns the answer into events. It is total:
whatever state the payment has reached meanwhile, an answer leads to events that its table allows, or to none
when it was heard before. Late money is never lost: it leads to a void or refund in the same breath.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, assert_never

from attrs import field, frozen

from omniorder.domain import events as e
from omniorder.domain.authorisations import ended
from omniorder.domain.lifecycle import AttemptState, OrderState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import AUTHORISATION_EXPIRED as AUTHORISATION_EXPIRED
from omniorder.domain.payments import Action, Attempt, Operation, Payment


@frozen
class Approved:
    """Done, for `amount`. `captured`: the money was taken at once. `open`: the authorisation takes more captures.

    `until` is when what is set aside lapses, where it does.
    """

    amount: Money
    provider_id: str = ""
    captured: bool = False
    open: bool = False
    until: datetime | None = None


@frozen
class NeedsAction:
    """The customer must act first, 3-D Secure for example."""

    action: Action = field(repr=False)
    provider_id: str = ""


@frozen
class Denied:
    """Refused for good. `reason` is the provider's code; `captured` what a refused void found taken already."""

    reason: str
    captured: Money | None = None


@frozen
class NoAnswer:
    """Nobody knows: a time-out, a lost reply, or the provider is still working on it.

    `repeat`: the provider can't be asked what became of it, but would answer the same request under the same key as it
    did then, while it remembers that.
    """

    repeat: bool = False


@frozen
class Absent:
    """The provider was asked and has never heard of it."""


Answer = Approved | NeedsAction | Denied | NoAnswer | Absent


def heard(order: Order, attempt_id: str, answer: Answer, *, look_at: datetime) -> tuple[e.Event, ...]:
    """The events of this answer; `look_at` is when to ask again where it leaves the outcome open.

    An attempt whose outcome is known already gives no events, unless `may_change`: an answer has its effect once.
    """
    payment = order.payment_with(attempt_id)
    attempt = payment.attempt(attempt_id)
    if not may_change(payment, attempt):
        return ()
    if attempt.state is AttemptState.SUCCEEDED:
        return _undone(order, payment, attempt, answer)
    if not attempt.open and not isinstance(answer, Approved):
        return ()
    if isinstance(answer, NoAnswer):
        return (e.AttemptUnanswered(payment.id, attempt.id, look_at),)
    if isinstance(answer, Absent) and attempt.state is AttemptState.PLANNED:
        # the table knows absence only of what was asked before: note the missing answer first
        return (e.AttemptUnanswered(payment.id, attempt.id, look_at),)
    match attempt.operation:
        case Operation.AUTHORISE:
            return _authorise(order, payment, attempt, answer, look_at)
        case Operation.CAPTURE:
            return _capture(order, payment, attempt, answer, look_at)
        case Operation.VOID:
            return _void(payment, attempt, answer, look_at)
        case Operation.REFUND:
            return _refund(payment, attempt, answer, look_at)
        case Operation.COLLECT:
            return _collect(payment, attempt, answer, look_at)
        case Operation.INCREASE | Operation.EXTEND:
            return _adjust(payment, attempt, answer, look_at)
        case _:
            assert_never(attempt.operation)


def may_turn_up(attempt: Attempt) -> bool:
    """Whether money may still come of an attempt that was taken for absent."""
    return attempt.state is AttemptState.ABSENT and attempt.operation in (Operation.AUTHORISE, Operation.COLLECT)


def may_change(payment: Payment, attempt: Attempt) -> bool:
    """Whether the provider may have news of this attempt: its outcome is open, or it may not be the last word.

    An authorisation or a request to a card reader that was called off or thought lost may turn up; an authorisation
    that succeeded may lapse before it is captured, and a refund that succeeded may bounce. (A capture or refund that
    the provider had never heard of is not looked for again: whatever is asked of that payment next finds what became
    of it.)
    """
    match attempt.operation, attempt.state:
        case Operation.AUTHORISE, AttemptState.SUCCEEDED:
            return payment.state is PaymentState.AUTHORISED and not payment.captured.amount
        case Operation.REFUND, AttemptState.SUCCEEDED:
            return payment.state is PaymentState.CAPTURED and not attempt.reason
        case _:
            return attempt.open or may_turn_up(attempt)


_GONE: Final = frozenset({AUTHORISATION_EXPIRED, "voided"})
"""Reasons of a denial that end an authorisation. Any other may be an old answer that was overtaken by an approval."""


def _undone(order: Order, payment: Payment, attempt: Attempt, answer: Answer) -> tuple[e.Event, ...]:
    """A success that did not last."""
    match answer:
        case Denied(reason) if attempt.operation is Operation.REFUND:
            return (e.RefundBounced(payment.id, attempt.amount, reason or "bounced", attempt.id),)
        case Denied(reason) if reason in _GONE:
            return _lapsed(order, payment)
        case _:
            return ()


def _lapsed(order: Order, payment: Payment) -> tuple[e.Event, ...]:
    lost = (e.FundingLost(),) if order.state is OrderState.CONFIRMED else ()
    return (*ended(payment), *lost)


def disputed(payment: Payment, amount: Money) -> tuple[e.Event, ...]:
    """The events of what the customer's bank takes back, or threatens to, all in all.

    The most that was ever told counts, so that neither repetition nor order makes a difference.
    """
    known = payment.disputed
    if payment.state is not PaymentState.CAPTURED or amount.currency != known.currency or amount <= known:
        return ()
    return (e.Disputed(payment.id, amount),)


_ASKING = (PaymentState.AUTHORISING, PaymentState.ACTION_REQUIRED)
_GIVEN_UP = (PaymentState.DECLINED, PaymentState.VOIDED, PaymentState.LAPSED)
Settled = Approved | NeedsAction | Denied | Absent


def _authorise(
    order: Order, payment: Payment, attempt: Attempt, answer: Settled, look_at: datetime
) -> tuple[e.Event, ...]:
    match answer:
        case Approved(amount, provider_id, captured, until=until):
            known = _succeeded(payment, attempt, provider_id)
            match payment.state:
                case PaymentState.AUTHORISING | PaymentState.ACTION_REQUIRED if amount != attempt.amount:
                    # held: neither believed nor given up, it is undone when the time to pay is over
                    return (e.AttemptUnanswered(payment.id, attempt.id, look_at),)
                case PaymentState.AUTHORISING | PaymentState.ACTION_REQUIRED if captured:
                    return (known, e.Paid(payment.id, amount, provider_id))
                case PaymentState.VOIDING if captured:
                    return (known, e.FoundCaptured(payment.id, amount))
                case PaymentState.AUTHORISING | PaymentState.ACTION_REQUIRED | PaymentState.VOIDING:
                    return (known, e.Authorised(payment.id, amount, provider_id, until))
                case PaymentState.DECLINED | PaymentState.VOIDED | PaymentState.LAPSED if captured:
                    return (known, e.LateCaptured(payment.id, amount, provider_id))
                case PaymentState.DECLINED | PaymentState.VOIDED | PaymentState.LAPSED:
                    late = e.LateAuthorised(payment.id, payment.next_attempt_id(), amount, provider_id)
                    return (known, late)
                case _:
                    return (known,)
        case NeedsAction():
            waits = e.AttemptUnanswered(payment.id, attempt.id, look_at)
            asked = payment.state is PaymentState.AUTHORISING
            return (waits, e.ActionRequired(payment.id)) if asked else (waits,)
        case Denied(reason):
            return (e.AttemptRefused(payment.id, attempt.id, reason), *_declined(order, payment, reason))
        case Absent():
            return (e.ProvedAbsent(payment.id, attempt.id), *_declined(order, payment, "never_arrived"))


def _declined(order: Order, payment: Payment, reason: str) -> tuple[e.Event, ...]:
    if payment.state not in (*_ASKING, PaymentState.VOIDING):
        return ()
    declined = e.Declined(payment.id, reason)
    return (declined, e.TenderFailed(payment.id)) if order.state is OrderState.PLACED else (declined,)


def _capture(
    order: Order, payment: Payment, attempt: Attempt, answer: Settled, look_at: datetime
) -> tuple[e.Event, ...]:
    match answer:
        case Approved(amount, provider_id, open=stays_open):
            known = _succeeded(payment, attempt, provider_id)
            taken = e.PartCaptured(payment.id, amount) if stays_open else e.Captured(payment.id, amount)
            return (known, taken)
        case Denied(reason):
            refused = e.AttemptRefused(payment.id, attempt.id, reason)
            if reason != AUTHORISATION_EXPIRED:
                return (refused, e.CaptureRefused(payment.id, reason))
            still = (e.CaptureRefused(payment.id, reason),) if payment.captured.amount else ()
            return (refused, *still, *_lapsed(order, payment))
        case Absent():
            return (e.ProvedAbsent(payment.id, attempt.id), e.CaptureRefused(payment.id, "never_arrived"))
        case NeedsAction():
            return (e.AttemptUnanswered(payment.id, attempt.id, look_at),)


def _void(payment: Payment, attempt: Attempt, answer: Settled, look_at: datetime) -> tuple[e.Event, ...]:
    if isinstance(answer, NeedsAction) or (isinstance(answer, Denied) and answer.captured is None):
        return (e.AttemptUnanswered(payment.id, attempt.id, look_at),)
    known: e.Event
    match answer:
        case Approved(provider_id=provider_id):
            known = _succeeded(payment, attempt, provider_id)
        case Denied(reason):
            known = e.AttemptRefused(payment.id, attempt.id, reason)
        case Absent():
            known = e.ProvedAbsent(payment.id, attempt.id)
    taken = answer.captured if isinstance(answer, Denied) else payment.captured
    if payment.state in _GIVEN_UP and isinstance(answer, Denied) and taken is not None and taken.amount:
        # nobody expected this payment to have moved any money
        return (known, e.LateCaptured(payment.id, taken))
    if payment.state is not PaymentState.VOIDING:
        return (known,)
    unheard = [
        other.id
        for other in payment.attempts
        if other.operation in (Operation.AUTHORISE, Operation.COLLECT) and other.state is AttemptState.UNKNOWN
    ]
    if taken is not None and taken.amount:
        # a part was captured before, or the void came too late: what was taken is the payment now
        found = (e.AttemptSucceeded(payment.id, other) for other in unheard)
        return (known, *found, e.FoundCaptured(payment.id, taken))
    return (known, *(e.ProvedAbsent(payment.id, other) for other in unheard), e.Voided(payment.id))


def _refund(payment: Payment, attempt: Attempt, answer: Settled, look_at: datetime) -> tuple[e.Event, ...]:
    match answer:
        case Approved(amount, provider_id) if amount == attempt.amount:
            return (_succeeded(payment, attempt, provider_id), e.Refunded(payment.id, amount))
        case Denied(reason):
            failed = e.RefundFailed(payment.id, attempt.amount, reason)
            return (e.AttemptRefused(payment.id, attempt.id, reason), failed)
        case Absent():
            failed = e.RefundFailed(payment.id, attempt.amount, "never_arrived")
            return (e.ProvedAbsent(payment.id, attempt.id), failed)
        case NeedsAction() | Approved():  # of another amount: held, since what is pending must come out even
            return (e.AttemptUnanswered(payment.id, attempt.id, look_at),)


def _collect(payment: Payment, attempt: Attempt, answer: Settled, look_at: datetime) -> tuple[e.Event, ...]:
    """What a card reader took, or didn't. Once it is being stopped, only that it did counts: the void says the rest."""
    match answer:
        case Approved(amount, provider_id):
            return _collected(payment, attempt, amount, provider_id)
        case Denied(reason):
            failed = e.CounterFailed(payment.id, reason)
            known: e.Event = e.AttemptRefused(payment.id, attempt.id, reason)
        case Absent():
            failed = e.CounterFailed(payment.id, "never_arrived")
            known = e.ProvedAbsent(payment.id, attempt.id)
        case NeedsAction():
            return (e.AttemptUnanswered(payment.id, attempt.id, look_at),)
    return (known, failed) if payment.state is PaymentState.COLLECTING else (known,)


def _collected(payment: Payment, attempt: Attempt, amount: Money, provider_id: str) -> tuple[e.Event, ...]:
    known = _succeeded(payment, attempt, provider_id)
    late = e.LateCaptured(payment.id, amount, provider_id)
    match payment.state:
        case PaymentState.COLLECTING if attempt.open:
            return (known, e.Paid(payment.id, amount, provider_id))
        case PaymentState.VOIDING:
            return (known, e.FoundCaptured(payment.id, amount))
        case PaymentState.DUE_IN_STORE:
            return (known, e.Waived(payment.id), late)  # what was thought to be still due is paid
        case PaymentState.VOIDED:
            return (known, late)
        case _ if attempt.open:
            return (known,)
        case _:
            return ()


def _adjust(payment: Payment, attempt: Attempt, answer: Settled, look_at: datetime) -> tuple[e.Event, ...]:
    """More money or more time: of a payment that is no longer authorised it is only noted what was answered."""
    if isinstance(answer, NeedsAction):
        return (e.AttemptUnanswered(payment.id, attempt.id, look_at),)
    raises = attempt.operation is Operation.INCREASE
    known: e.Event
    what: e.Event
    match answer:
        case Approved(amount, provider_id, until=until):
            known = _succeeded(payment, attempt, provider_id)
            what = e.Increased(payment.id, amount) if raises else e.AuthorisationExtended(payment.id, until)
        case Denied(reason):
            known = e.AttemptRefused(payment.id, attempt.id, reason)
            what = e.IncreaseRefused(payment.id, reason) if raises else e.ExtensionRefused(payment.id, reason)
        case Absent():
            known = e.ProvedAbsent(payment.id, attempt.id)
            lost = "never_arrived"
            what = e.IncreaseRefused(payment.id, lost) if raises else e.ExtensionRefused(payment.id, lost)
    return (known, what) if payment.state is PaymentState.AUTHORISED else (known,)


def _succeeded(payment: Payment, attempt: Attempt, provider_id: str) -> e.Event:
    if attempt.state is AttemptState.ABSENT:
        return e.FoundLate(payment.id, attempt.id, provider_id)
    return e.AttemptSucceeded(payment.id, attempt.id, provider_id)
