"""Bills: what a customer at the counter is to pay, before they pay it, by the rules by which it is then taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from omniorder.domain import capturing
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.counter import Wish, split
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.receipts import ReceiptLine, line_of


@frozen
class Share:
    """What the provider will be asked to take of what one tender has set aside."""

    payment: str
    kind: str
    amount: Money


@frozen
class Bill:
    """What leaves, what it costs, and who pays for it: the counter takes `due`, which is nothing more often than not.

    `total` is the value of these lines. `before` is what was paid already and not used up (less than nothing: what was
    left open), and `shares` are what is taken of what is set aside: more than is missing, where a provider can take
    money only once, and the rest is still to come.
    """

    order: str
    lines: tuple[ReceiptLine, ...]
    total: Money
    before: Money
    shares: tuple[Share, ...]
    due: Money


def bill(order: Order, wish: Wish, capabilities: Mapping[str, Capabilities], at: datetime) -> Bill:
    """The bill of this wish. A tender that refused its capture pays nothing here, unless the others do without the
    counter.

    Raises as `counter.split`, and `StillRunning` while it is not known how much is set aside.
    """
    parts = split(order, wish, at)
    after, units = parts.after, parts.leaving
    none = Money(0, order.total.currency)
    pays = capturing.Due({}, none)
    if units:
        pays = capturing.due(after, units, capabilities, at_counter=True)
        if pays.rest <= none:
            pays = capturing.due(after, units, capabilities, at_counter=False)
    lines = tuple(line_of(after, part, after.pickup.line(part.line).collected) for part in units)
    return Bill(
        order=order.id,
        lines=lines,
        total=Money(sum(line.total.amount for line in lines), none.currency),
        before=order.held - order.owed,
        shares=tuple(Share(p.id, p.kind, pays.shares[p.id]) for p in after.payments if p.id in pays.shares),
        due=max(pays.rest, none),
    )
