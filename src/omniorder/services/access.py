"""Who may see and touch an order. A stranger's order answers exactly as a missing one."""

from __future__ import annotations

from omniorder.domain import ids
from omniorder.domain.orders import Order
from omniorder.errors import NotFound
from omniorder.ports.storage import Transaction
from omniorder.services.parts import Parts, Touch
from omniorder.services.units import reading


def order_for(touch: Touch, tx: Transaction, order_id: str) -> Order:
    """The order, if this actor may see it; raises `NotFound`."""
    order = tx.order(ids.check("order", order_id))
    if order is None or not touch.may_see(order):
        raise NotFound("order", order_id)
    return order


def look(parts: Parts, touch: Touch, order_id: str) -> Order:
    """The same, in a reading transaction of its own."""
    return reading(parts, lambda tx: order_for(touch, tx, order_id))
