"""How much the shop can keep as a fee of an order that comes to nothing: what its tenders can give, exactly."""

from __future__ import annotations

from omniorder.domain.lifecycle import OrderState, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.refunding import room_to_capture, shares
from omniorder.domain.terms import Terms


def most(order: Order, terms: Terms) -> Money:
    """At most what the units that are not collected would have cost, and no more than was taken or set aside for them:
    what is only due at the counter gives nothing."""
    aside = sum(room_to_capture(p, terms) for p in order.payments if p.state is PaymentState.AUTHORISED)
    there = max(0, (order.held - order.owed).amount) + aside
    return Money(min(there, (order.wanted_value - order.collected_value).amount), order.total.currency)


def stranded(order: Order, terms: Terms) -> int:
    """What the shop would hold beyond its due, were nothing more collected, and no tender could give back exactly.

    While goods are still to be collected, nobody knows what is to go back in the end: a provider that gives back all
    or nothing is of no use then.
    """
    surplus = max(0, (order.held - order.owed).amount)
    known = order.state is not OrderState.CONFIRMED
    tenders = [p for p in order.payments if known or terms.of(p).partial_refund]
    return surplus - sum(shares(surplus, tenders, terms))
