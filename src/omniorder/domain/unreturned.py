"""Refunds that have not arrived: on their way, or refused and waiting for their next try."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen

from omniorder.domain import coupling
from omniorder.domain.lifecycle import AttemptState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import Attempt, Operation, Payment


class RefundState(Enum):
    """Why a refund has not arrived."""

    PENDING = "pending"
    """The provider was asked, or is about to be, and has not answered."""
    FAILED = "failed"
    """The provider refused, or the money came back."""


@frozen
class OpenRefund:
    """Money that is to go back by one payment (of the tender kind `tender`) and hasn't.

    `since` is when it was asked for first, `tries` how often in vain since then, `reason` why the last try came to
    nothing (the provider's code), and `again` when it is asked for or asked after next.
    """

    order: str
    payment: str
    tender: str
    amount: Money
    state: RefundState
    since: datetime
    tries: int
    again: datetime
    reason: str = ""


def open_refunds(order: Order) -> tuple[OpenRefund, ...]:
    """All of an order, in the order in which its tenders were used."""
    waiting = {p.id for p in coupling.refundable(order)}
    found = (_of(order, p, waits=p.id in waiting) for p in order.payments)
    return tuple(one for one in found if one is not None)


def _of(order: Order, payment: Payment, *, waits: bool) -> OpenRefund | None:
    run = _since_the_last_that_worked(payment)
    if not run or not (run[-1].open or waits):
        return None
    last, pending = run[-1], run[-1].open
    amount = payment.refund_pending if pending else min(last.amount, payment.returnable)
    return OpenRefund(
        order=order.id,
        payment=payment.id,
        tender=payment.kind,
        amount=amount,
        state=RefundState.PENDING if pending else RefundState.FAILED,
        since=run[0].asked_at,
        tries=sum(not attempt.open for attempt in run),
        again=last.look_at if pending else last.asked_at + coupling.REFUND_AGAIN,
        reason=payment.reason if len(run) > pending or payment.reason else "",
    )


def _since_the_last_that_worked(payment: Payment) -> list[Attempt]:
    run: list[Attempt] = []
    for attempt in reversed(payment.attempts):
        if attempt.operation is not Operation.REFUND or attempt.state is AttemptState.SUCCEEDED:
            break
        run.insert(0, attempt)
    return run
