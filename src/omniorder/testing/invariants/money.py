"""Money: what was bought is what is charged, and whatever is not kept goes back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Final

from omniorder.domain import bookkeeping, coupling, ids
from omniorder.domain.bookkeeping import Entry
from omniorder.domain.corrections import CorrectionKind, summed, units_credited
from omniorder.domain.lifecycle import BUSY_PAYMENTS, AttemptState, Funding, OrderState, PaymentState
from omniorder.domain.money import extend
from omniorder.domain.orders import Order
from omniorder.domain.payments import SERVED_BY, Attempt, Operation, Payment
from omniorder.domain.promises import Quote
from omniorder.domain.reconciling import waiting_since
from omniorder.errors import OmniorderError
from omniorder.ports.payments import Approved
from omniorder.testing.invariants.checking import ProviderBooks, View, invariant, whole
from omniorder.testing.provider import ProviderPayment

_BOUGHT: Final = attrgetter("sku", "name", "unit", "quantity", "price", "per", "tax", "total", "tolerance")
"""What a line of an order has in common with the line of the quote that it was bought by."""


@invariant
def totals_are_the_sum_of_their_lines(view: View) -> Iterator[str]:
    """M1: a line costs its quantity times its price, rounded once; the total is their sum, and in one currency; the
    ceiling is the same for the most that each line may weigh, or its substitutes may cost by its consent."""
    for promise in view.rows.promises():
        if why := _miscounted(promise.quote):
            yield f"{promise.id}: {why}"
    for order in view.rows.orders():
        bought = [(line.id, *_BOUGHT(line)) for line in order.lines]
        stood_on = view.rows.promise(order.promise_id)
        quoted = stood_on and [(line.line, *_BOUGHT(line)) for line in stood_on.quote.lines]
        if stood_on is None or bought != quoted or order.total != stood_on.quote.total:
            yield f"{order.id}: {order.total} for {bought}, but promised was {quoted}"
        foreign = {p.amount.currency for p in order.payments} - {order.total.currency}
        if foreign:
            yield f"{order.id}: {order.total}, paid in {sorted(foreign)}"


def _miscounted(quote: Quote) -> str:
    for line in quote.lines:
        if line.total != extend(line.price, line.quantity, line.per):
            return f"{line.line} is {line.total}"
    total = sum(line.total.amount for line in quote.lines)
    ceiling = sum(extend(line.cap or line.price, line.most, line.per).amount for line in quote.lines)
    if (quote.total.amount, quote.ceiling.amount) != (total, ceiling) or not 0 <= total <= ceiling:
        return f"total {quote.total}, ceiling {quote.ceiling}, lines {total}, at most {ceiling}"
    return ""


@invariant
def no_tender_gives_more_than_it_has(view: View) -> Iterator[str]:
    """M2: of each tender, 0 <= refunded + on its way back <= captured <= authorised <= what was asked for."""
    for order in view.rows.orders():
        for p in order.payments:
            refunds = p.refunded.amount + p.refund_pending.amount
            steps = (0, refunds, p.captured.amount, p.authorised.amount)
            if list(steps) != sorted(steps) or p.authorised > p.amount:
                yield f"{_told(order)}: {_books(p)}"


@invariant
def nobody_is_charged_above_the_ceiling(view: View) -> Iterator[str]:
    """M2: what an order keeps, and what is set aside for it, is at most what the customer accepted to be charged."""
    for order in view.rows.orders():
        aside = sum(
            p.authorised.amount - p.captured.amount
            for p in order.payments
            if p.state in (PaymentState.AUTHORISED, PaymentState.CAPTURING)
        )
        going_back = sum(p.refund_pending.amount for p in order.payments)
        if order.kept.amount - going_back + aside > order.ceiling.amount:
            yield f"{_told(order)}: keeps {order.kept}, {aside} more set aside, at most {order.ceiling}"


@invariant
def what_left_is_paid(view: View) -> Iterator[str]:
    """M3: goods leave only when paid; once nothing more is to come, the shop keeps their value, with fees and less what
    was credited, and no more."""
    for order in view.rows.orders():
        if order.kept < order.owed - order.fees:
            yield f"{_told(order)}: goods left, {order.owed} is the shop's, kept is {order.kept}"
        if order.state is OrderState.COMPLETED and order.kept != order.owed and not _at_work(order):
            yield f"{_told(order)}: {order.owed} is the shop's, kept is {order.kept}, and nobody is at it"


@invariant
def no_more_is_credited_than_was_charged(view: View) -> Iterator[str]:
    """M2: goods are refunded once, and no more than they cost; refunds and goodwill never exceed goods and fees."""
    for order in view.rows.orders():
        collected = {line.line: line.collected for line in order.pickup.lines}
        twice = {line for line, units in units_credited(order.corrections).items() if units > collected.get(line, 0)}
        refunded = summed(order.corrections, CorrectionKind.REFUND)
        if twice or refunded > order.collected_value.amount or order.owed.amount < 0:
            yield f"{_told(order)}: goods of {order.collected_value} left, corrected by {order.corrections}"


@invariant
def what_was_called_off_costs_nothing(view: View) -> Iterator[str]:
    """M4: of a cancelled or expired order the shop keeps a fee at most, and nothing stays set aside for it."""
    for order in view.rows.orders():
        if order.state not in coupling.UNDONE or _at_work(order):
            continue
        if order.kept != order.owed or any(p.state not in _ENDS for p in order.payments):
            yield f"{_told(order)}: keeps {order.kept}; {[_books(p) for p in order.payments]}"


_ENDS = (PaymentState.DECLINED, PaymentState.VOIDED, PaymentState.LAPSED, PaymentState.CAPTURED)


def _at_work(order: Order) -> bool:
    """Whether money is still on its way, or a refused refund waits for its next try: then a timer is set for it; or
    cash waits for its customer."""
    return bool(order.to_pay_out.amount) or (
        coupling.due(order) is not None
        and (order.funding is Funding.BUSY or any(p.returnable.amount for p in order.payments))
    )


@invariant
def money_in_flight_is_asked_after(view: View) -> Iterator[str]:
    """M5: while a payment's outcome is open, there is an attempt that will be asked after."""
    for order in view.rows.orders():
        for p in order.payments:
            pending = p.state in BUSY_PAYMENTS or p.refund_pending.amount
            if pending and not any(attempt.open for attempt in p.attempts):
                attempts = [(attempt.operation.value, attempt.state.value) for attempt in p.attempts]
                yield f"{_told(order)}: {_books(p)}, attempts {attempts}"


@invariant
def nothing_stays_unknown(view: View) -> Iterator[str]:
    """M5: what became of a call to a provider is known within the limit (`Settings.unknown_longest`), unless it waits
    for the customer: as long as sweeps come and the provider answers."""
    before = view.now - view.settings.unknown_longest
    for order in view.rows.orders():
        for p in order.payments:
            for attempt in waiting_since(p, before):
                asked = f"{attempt.operation.value} of {attempt.asked_at:%Y-%m-%d %H:%M}"
                yield f"{_told(order)}: {attempt.id}, {asked}, is without an answer"


@invariant
def a_key_is_of_one_call(view: View) -> Iterator[str]:
    """M6: the key of a call is its attempt's id, which names its payment, its order and its place among their calls: so
    no two calls share one, and it never asks for another currency than its payment's."""
    for order in view.rows.orders():
        for place, p in enumerate(order.payments, 1):
            if p.id != ids.payment_id(order.id, place):
                yield f"{_told(order)}: {p.id} is its payment number {place}"
            for number, attempt in enumerate(p.attempts, 1):
                if attempt.id != ids.attempt_id(p.id, number):
                    yield f"{_told(order)}: {attempt.id} is attempt number {number} at {p.id}"
                if attempt.amount.currency != p.amount.currency:
                    yield f"{_told(order)}: {attempt.id} asks for {attempt.amount} of {p.amount}"


@invariant
def entries_agree_with_the_sums(view: View) -> Iterator[str]:
    """M2, M3: an order's journal, booked as balanced entries, gives what its payments and its pick-up say: what was
    taken, what is going back, what was sold with how much tax, and what the customer has on account."""
    for stream in view.rows.streams():
        order = view.rows.order(stream.name)
        if order is None:
            continue
        try:
            found = bookkeeping.entries(order, stream.events)
        except OmniorderError as refused:
            yield f"{_told(order)}: {refused}"
            continue
        yield from (f"{_told(order)}: {why}" for why in bookkeeping.unlike(order, found))
        yield from (f"{entry.id}: its debits are not its credits" for entry in found if not _balanced(entry))


def _balanced(entry: Entry) -> bool:
    return not sum(amount.amount for amount in bookkeeping.balances([entry]).values())


# --- against the provider's books -------------------------------------------------------------------------


@whole
def the_provider_agrees(view: View) -> Iterator[str]:
    """M5: whatever the provider has on file is ours, and whatever we know to have happened is on its file."""
    for books in {id(one): one for one in view.books.values()}.values():
        own = {kind for kind, one in view.books.items() if one is books}
        yield from _disagreements(view, own | {kind for kind, other in SERVED_BY.items() if other in own}, books)


def _disagreements(view: View, kinds: set[str], books: ProviderBooks) -> Iterator[str]:
    """What one provider, who serves these kinds, sees otherwise than we do."""
    on_file: dict[str, list[ProviderPayment]] = {}
    for one in books.payments:
        on_file.setdefault(one.payment, []).append(one)
    for order in view.rows.orders():
        for p in order.payments:
            if p.gateway not in kinds:
                continue
            found = _one_by_one(on_file.pop(p.id, []))
            yield from (f"{_told(order)}: {why}" for why in _compared(order, p, found))
    for strays in on_file.values():
        yield from (f"the provider has {one.id} for {one.payment}, which nobody knows" for one in strays)


def _one_by_one(found: list[ProviderPayment]) -> list[ProviderPayment]:
    """What is on file, without requests to card readers that came to nothing when another followed."""
    return [one for one in found[:-1] if not (one.reader and _came_to_nothing(one))] + found[-1:]


def _compared(order: Order, payment: Payment, found: list[ProviderPayment]) -> Iterator[str]:
    if len(found) > 1:
        yield f"{payment.id} is {[one.id for one in found]} at the provider"
    filed = {done.key: (one, done) for one in found for done in one.operations}
    ours = {attempt.id: attempt for attempt in payment.attempts}
    for key, (one, done) in filed.items():
        attempt = ours.get(key)
        if attempt is None or attempt.operation is not done.operation:
            yield f"the provider did {done.operation.value} as {key}, which we never asked for"
        elif isinstance(done.answer, Approved) and not (attempt.open or _settled(attempt, one)):
            yield f"the provider did {key}, for us it is {attempt.state.value}"
    for attempt in ours.values():
        if attempt.state is AttemptState.SUCCEEDED and attempt.id not in filed:
            yield f"{attempt.id} succeeded, but the provider never heard of it"
    if found and not any(attempt.open for attempt in ours.values()):
        yield from _sums_differ(order, payment, found[-1])


def _settled(attempt: Attempt, found: ProviderPayment) -> bool:
    """Whether its outcome is known. An authorisation that ended before we heard of it counts as if it never was."""
    ended = attempt.operation in (Operation.AUTHORISE, Operation.COLLECT) and _came_to_nothing(found)
    return attempt.state is AttemptState.SUCCEEDED or ended


def _came_to_nothing(found: ProviderPayment) -> bool:
    return not found.open.amount and not found.captured.amount


def _sums_differ(order: Order, payment: Payment, found: ProviderPayment) -> Iterator[str]:
    unheard = _came_to_nothing(found) and not payment.authorised.amount
    authorised = found.authorised if unheard else payment.authorised
    begun = (Operation.AUTHORISE, Operation.COLLECT)
    asked = [attempt.amount for attempt in payment.attempts if attempt.operation in begun][-1:] or [payment.amount]
    theirs = (found.order, found.amount, found.authorised, found.captured, found.refunded)
    known = (order.id, asked[0], authorised, payment.captured, payment.refunded)
    if theirs != known:
        yield f"the provider says {theirs}, we say {known}"
    if found.open.amount and payment.state is not PaymentState.AUTHORISED:
        yield f"{found.open} is still set aside at the provider, for us it is {payment.state.value}"


@whole
def one_key_has_one_effect(view: View) -> Iterator[str]:
    """M6: no idempotency key ever moved money twice, and none answers for two requests."""
    for books in view.books.values():
        yield from (f"{key} moved money {times} times" for key, times in books.effects.items() if times > 1)
    for key, answers in groupby(view.rows.answers(), key=lambda one: (one.home, one.scope, one.key)):
        count = sum(1 for _ in answers)
        if count > 1:
            yield f"{key} has {count} answers"


def _told(order: Order) -> str:
    return f"{order.id} ({order.state.value}, {order.pickup.state.value})"


def _books(p: Payment) -> str:
    parts = (("authorised", p.authorised), ("captured", p.captured), ("refunded", p.refunded))
    told = ", ".join(f"{name} {amount}" for name, amount in parts)
    return f"{p.id} {p.state.value} of {p.amount}: {told}, {p.refund_pending} on its way back"
