"""The capture planner: who pays for the goods that are about to leave.

Money is taken when goods leave, and no more of it than they cost. What a provider can do decides the rest: one
that captures several times takes each part as it leaves; one that captures once takes everything that is still
ready, and what is never collected is refunded later, provided that it can refund a part: if not, it takes what leaves
and the rest is paid at the counter. One that can't capture partly takes the whole authorisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain import ids, pickups
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.lifecycle import PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import PayInStore
from omniorder.domain.text import line as valid_line
from omniorder.errors import InvalidMoney, NotPaid


@frozen
class Taken:
    """Money that the counter took: `amount`, by `means` ("cash", "terminal"), with the till's `reference`."""

    amount: Money
    means: str = "cash"
    reference: str = ""

    def __attrs_post_init__(self) -> None:
        amount = cast("object", self.amount)
        if not isinstance(amount, Money):
            raise InvalidMoney("amount", amount, "must be Money")
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
    claim = e.HandOverStarted(units, look_at)
    pickups.apply(order.pickup, claim, look_at)  # refuses units that aren't there, before any money is counted
    due = order.owed_after(units) - order.held
    rest = order.owed_in_all - order.held
    plan: list[e.Event] = [claim]
    for p in order.payments:
        if taken is not None and p.refused_capture:
            # the counter takes what this tender would not give; what it still holds is given back
            plan.append(e.VoidRequested(p.id, p.next_attempt_id()))
        elif p.state is PaymentState.AUTHORISED and due.amount > 0:
            room = p.authorised - p.captured
            can = capabilities.get(p.kind, Capabilities())
            wanted = max(due, rest) if can.partial_refund and not can.several_captures else due
            amount = min(wanted, room) if can.partial_capture else room
            plan.append(e.CaptureRequested(p.id, p.next_attempt_id(), amount))
            due, rest = due - amount, rest - amount
    return (*plan, *_at_the_counter(order, due, taken))


def _at_the_counter(order: Order, due: Money, taken: Taken | None) -> tuple[e.Event, ...]:
    """What is still `due` is paid here: what was left for the store, or what an authorisation that ended left open."""
    if taken is None:
        if due.amount > 0:
            raise NotPaid(order=order.id, due=str(due))
        return ()
    if taken.amount != due or due.amount <= 0:
        raise NotPaid(order=order.id, due=str(due), reason=f"the counter took {taken.amount}")
    for p in order.payments:
        if p.state is PaymentState.DUE_IN_STORE:
            return (e.CounterStarted(p.id, p.next_attempt_id(), due, taken.means, taken.reference),)
    new = order.next_payment_id()
    added = e.TenderAdded(new, PayInStore.kind, due)
    started = e.CounterStarted(new, ids.attempt_id(new, 1), due, taken.means, taken.reference)
    return (added, e.LeftForStore(new, due), started)
