"""What an order's events do to its neighbours - stock, slot, cart - in the same transaction.

The only place where that is decided: an order that changes by whatever way (a command, a provider's answer, a
timer) has the same consequences.
"""

from __future__ import annotations

from collections.abc import Sequence

from omniorder.domain import carts, coupling
from omniorder.domain import events as e
from omniorder.domain.lifecycle import OrderState
from omniorder.domain.orders import Order, told
from omniorder.errors import StaleWrite
from omniorder.ports.storage import SlotChange, Writes
from omniorder.services.units import Unit


def carry_on(unit: Unit, before: Order, events: Sequence[e.Event]) -> Order:
    """Apply `events` and all that follows from them to a stored order, save it, and tell its neighbours."""
    at = unit.stamp.at
    after, more = coupling.follow(told(before, events, at), at)
    happened = (*events, *more)
    if happened:
        unit.save_order(before, after, happened)
        spread(unit, after, happened)
    return after


def spread(unit: Unit, order: Order, events: Sequence[e.Event]) -> None:
    """The consequences of these events of `order` (as it is after them) for stock, slot and cart."""
    stock, tx = unit.parts.inventory, unit.tx
    for event in events:
        match event:
            case e.PaymentDeadlineExtended(pay_by) if order.state is OrderState.PLACED:
                stock.extend(tx, order.reservation_id, pay_by)
            case e.OrderConfirmed():
                stock.confirm(tx, order.reservation_id)
            case e.Collected(units) | e.PartCollected(units):
                gone = order.units_by_sku(units)
                stock.consume(tx, order.reservation_id, gone, order.id, unit.stamp)
                unit.goods_left = True
                if spared := order.spared_by(units):
                    tx.flush()  # the reservation is changed once more
                    stock.release(tx, order.reservation_id, order.units_by_sku(spared))
            case e.RestLapsed(units) | e.RestCancelled(units):
                stock.release(tx, order.reservation_id, order.units_by_sku((*units, *order.spared_by(units))))
            case e.PickupCancelled() | e.NoShow():
                expired = order.state in (OrderState.EXPIRING, OrderState.EXPIRED)
                stock.release(tx, order.reservation_id, expired=expired)
                free = SlotChange(order.pickup.store, order.pickup.slot, order.pickup.starts, -1, 0)
                tx.write(Writes(slots=(free,)))
            case e.OrderCancelled() | e.OrderExpired() if order.confirmed_at is None:
                _reopen_cart(unit, order)
            case _:
                pass


def _reopen_cart(unit: Unit, order: Order) -> None:
    """An order that ends before it was confirmed destroys no basket."""
    before = unit.tx.cart(order.cart_id)
    if before is None:
        raise StaleWrite(kind="cart", id=order.cart_id)
    event = e.CartReopened(order.id)
    unit.save_cart(before, carts.apply(before, event, unit.stamp.at), [event])
