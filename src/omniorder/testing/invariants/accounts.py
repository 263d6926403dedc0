"""Gift cards and store credit: every balance is what was posted, what is held is a payment's, and orders agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from omniorder.domain.accounts import REDEEMED, Hold, HoldState, Posting
from omniorder.domain.lifecycle import PaymentState
from omniorder.domain.orders import Order
from omniorder.domain.payments import Operation, Payment
from omniorder.testing.invariants.checking import View, invariant, whole
from omniorder.testing.invariants.rows import beside


@whole
def balances_are_what_was_posted(view: View) -> Iterator[str]:
    """M7: a balance is what was credited to it less what was debited, and never less than what is held of it."""
    accounts = ((one.id, one) for one in view.rows.accounts())
    posted = ((id, list(several)) for id, several in groupby(view.rows.postings(), key=lambda one: one.account))
    for id, account, postings in beside(accounts, posted):
        if account is None:
            yield f"{id}: there are postings, and no account"
            continue
        total, currency = sum(one.change for one in postings or ()), account.balance.currency
        if account.balance.amount != total:
            yield f"{id}: there are {account.balance}, and its postings give {total}"
        if not 0 <= account.held.amount <= account.balance.amount:
            yield f"{id}: {account.held} of {account.balance} are held"
        for one in postings or ():
            if one.amount.currency != currency:
                yield f"{id}: {one.id} is in {one.amount.currency}, the account in {currency}"


@invariant
def postings_have_two_sides(view: View) -> Iterator[str]:
    """M7: what one account is debited another is credited, so all of them together are nothing."""
    for one in view.rows.postings():
        if one.amount.amount <= 0 or one.debit == one.credit or one.account not in (one.debit, one.credit):
            yield f"{one.id} of {one.account}: {one.amount} from {one.debit} to {one.credit}"


@whole
def what_is_held_is_held_by_payments(view: View) -> Iterator[str]:
    """M7: what is held of a balance is what payments have set aside on it and neither taken nor let go."""
    accounts = ((one.id, one.held.amount) for one in view.rows.accounts())
    holds = groupby(view.rows.holds(), key=lambda one: one.account)
    held = ((id, sum(one.open.amount for one in several)) for id, several in holds)
    for id, noted, live in beside(accounts, held):
        if noted is None:
            yield f"{id}: payments hold {live}, and there is no account"
        elif noted != (live or 0):
            yield f"{id}: {noted} held, payments hold {live or 0}"


@whole
def what_payments_took_is_posted(view: View) -> Iterator[str]:
    """M7: what a payment took from an account was debited there for it, and what it gave back was credited."""
    holds = groupby(view.rows.holds(), key=lambda one: one.account)
    postings = groupby(view.rows.postings(), key=lambda one: one.account)
    each = ((id, list(several)) for id, several in holds)
    made = ((id, _redeemed(several)) for id, several in postings)
    for id, several, moved in beside(each, made):
        left = dict(moved or {})
        for hold in several or ():
            taken, given = left.pop(hold.payment, (0, 0))
            if (hold.captured.amount, hold.refunded.amount) != (taken, given):
                yield f"{hold.id}: took {hold.captured} and gave {hold.refunded}; posted are {taken} and {given}"
            yield from _badly_folded(hold)
        yield from (f"{id}: {payment} was posted, and holds nothing there" for payment in left)


def _redeemed(postings: Iterable[Posting]) -> dict[str, tuple[int, int]]:
    """What was taken and given back by payment."""
    sums: dict[str, tuple[int, int]] = {}
    for one in postings:
        taken, given = sums.get(one.reference, (0, 0))
        if one.credit == REDEEMED:
            sums[one.reference] = (taken + one.amount.amount, given)
        elif one.debit == REDEEMED:
            sums[one.reference] = (taken, given + one.amount.amount)
    return sums


def _badly_folded(hold: Hold) -> Iterator[str]:
    """Steps that don't give what is stored; each key stands for one of them."""
    captured = refunded = 0
    for step in hold.steps:
        if not step.reason and (step.operation is Operation.CAPTURE or _at_once(step.operation, step.final)):
            captured += step.given.amount
        if not step.reason and step.operation is Operation.REFUND:
            refunded += step.given.amount
    if (captured, refunded) != (hold.captured.amount, hold.refunded.amount):
        yield f"{hold.id}: its steps took {captured} and gave {refunded}"
    if len({step.key for step in hold.steps}) != len(hold.steps):
        yield f"{hold.id}: a key did two things"


def _at_once(operation: Operation, final: bool) -> bool:
    return operation is Operation.AUTHORISE and final


@invariant
def accounts_and_orders_agree(view: View) -> Iterator[str]:
    """M5, M7: what is held on an account is a payment of an order, and where no call is under way both say the same."""
    for hold in view.rows.holds():
        order = view.rows.order(hold.order)
        payment = next((one for one in order.payments if one.id == hold.payment), None) if order else None
        if payment is None or payment.token != hold.account:
            yield f"{hold.id}: order {hold.order} knows of no such payment"
        else:
            yield from _differ(hold, payment)
    for order in view.rows.orders():
        for payment in _on_accounts(order):
            moved = payment.authorised.amount or payment.captured.amount
            if moved and view.rows.hold(payment.token, payment.id) is None:
                yield f"{order.id}: {payment.id} is {payment.state.value}, and {payment.token} knows nothing of it"


def _on_accounts(order: Order) -> Iterator[Payment]:
    return (one for one in order.payments if one.token.startswith(("gft_", "crd_")))


def _differ(hold: Hold, payment: Payment) -> Iterator[str]:
    if any(attempt.open for attempt in payment.attempts):
        return
    theirs = (payment.captured.amount, payment.refunded.amount)
    if theirs != (hold.captured.amount, hold.refunded.amount):
        yield f"{hold.id}: took {hold.captured} and gave {hold.refunded}, for the order {theirs}"
    if payment.state is PaymentState.AUTHORISED and hold.state is not HoldState.OPEN:
        yield f"{hold.id} is {hold.state.value}, for the order it is authorised"
    if hold.state is HoldState.OPEN and payment.state is not PaymentState.AUTHORISED:
        yield f"{hold.id} is open, for the order it is {payment.state.value}"
