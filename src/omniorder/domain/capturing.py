"""The capture planner: who pays for the goods that are about to leave.

Money is taken when goods leave, and no more of it than they cost. What a provider can do decides the rest: one
that captures several times takes each part as it leaves; one that captures once takes everything that is still
ready, and what is never collected is refunded later; one that can't capture partly takes the whole authorisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain.lifecycle import PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.text import line as valid_line
from omniorder.errors import NotPaid


@frozen
class Capabilities:
    """What a payment provider can do, as data.

    `remembers` is how long it knows an idempotency key: afterwards a request is only looked up, never resent.
    """

    partial_capture: bool = True
    several_captures: bool = False
    partial_refund: bool = True
    remembers: timedelta = timedelta(hours=24)


@frozen
class Taken:
    """Money that the counter took: `amount`, by `means` ("cash", "terminal"), with the till's `reference`."""

    amount: Money
    means: str = "cash"
    reference: str = ""

    def __attrs_post_init__(self) -> None:
        valid_line(self.means, "means", most=40)
        valid_line(self.reference, "reference", most=100, least=0)


def hand_over(
    order: Order,
    units: tuple[e.Units, ...],
    *,
    capabilities: Mapping[str, Capabilities],
    taken: Taken | None,
    look_at: datetime,
) -> tuple[e.Event, ...]:
    """Claim the pick-up for `units` and plan the captures that pay for them.

    `capabilities` are by tender kind. Raises `NotPaid` when the tenders don't cover what leaves, or when what
    the counter took is not what is due.
    """
    due = order.value_after(units) - order.kept
    rest = order.wanted_value - order.kept
    plan: list[e.Event] = [e.HandOverStarted(units, look_at)]
    for p in order.payments:
        if p.state is PaymentState.AUTHORISED and due.amount > 0:
            room = p.authorised - p.captured
            can = capabilities.get(p.kind, Capabilities())
            wanted = due if can.several_captures else max(due, rest)
            amount = min(wanted, room) if can.partial_capture else room
            plan.append(e.CaptureRequested(p.id, p.next_attempt_id(), amount))
            due, rest = due - amount, rest - amount
    for p in order.payments:
        if p.state is PaymentState.DUE_IN_STORE and due.amount > 0 and taken is not None:
            if taken.amount != due:
                raise NotPaid(order=order.id, due=str(due), reason=f"the counter took {taken.amount}")
            plan.append(e.CounterStarted(p.id, p.next_attempt_id(), due))
            due = due - taken.amount
            taken = None
    if due.amount > 0:
        raise NotPaid(order=order.id, due=str(due))
    if taken is not None:
        raise NotPaid(order=order.id, due=str(Money(0, order.total.currency)), reason="nothing is due at the counter")
    return tuple(plan)
