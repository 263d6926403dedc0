"""What an order weighs in the memory adapter: with its basket, promise, reservation, payment, pick-up and journal."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

from bench.shop import GOODS, QUANTITY, build, chosen, windows
from omniorder import Add, Card, Channel, Customer, OrderHub, System
from omniorder.domain.quantities import MAX_QUANTITY
from omniorder.ports.payments import Approved, Authorise
from omniorder.testing import FakeGateway


class Approving(FakeGateway):
    """A provider that keeps no books, which would weigh too."""

    def authorise(self, request: Authorise) -> Approved:
        """Say yes."""
        return Approved(request.amount, f"pi_{request.key}")


def measure(*, orders: int) -> dict[str, Any]:
    """Bytes that so many confirmed orders of three lines take, counted by `tracemalloc`."""
    with OrderHub.open("memory://", gateways={"card": Approving()}) as hub:
        build(hub, ["SOF01"])
        office = hub.at(Channel.SYSTEM, System("bench"))
        for sku in GOODS:
            office.stock.receive("SOF01", sku, MAX_QUANTITY)
        slots = [window.slot for window in windows(hub, "SOF01")]
        for n in range(10):
            _order(hub, n, slots)
        gc.collect()
        tracemalloc.start()
        try:
            for n in range(10, 10 + orders):
                _order(hub, n, slots)
            gc.collect()
            weight, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return {
        "orders": orders,
        "bytes_per_order": round(weight / orders),
        "megabytes_per_10000_orders": round(weight / orders / 100, 1),
    }


def _order(hub: OrderHub, n: int, slots: list[str]) -> None:
    customer = hub.at(Channel.WEB, Customer(f"customer-{n:07}"))
    cart = customer.carts.start()
    customer.carts.edit(cart.id, [Add(sku, QUANTITY) for sku in chosen(n)])
    promise = customer.checkout.promise(cart.id, slot=slots[n % len(slots)])
    customer.checkout.place(promise.id, pay=Card("pm_card_visa"))
