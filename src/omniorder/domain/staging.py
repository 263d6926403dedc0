"""Staging: which ready orders lie in which bin, and where there is room for another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from omniorder.domain.bins import Bin
from omniorder.domain.handling import Temperature
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.orders import Order
from omniorder.domain.store_services import Service

__all__ = ["WAITING", "BinUse", "suggestion", "use"]

WAITING: Final = (PickupState.READY, PickupState.HANDING_OVER)
"""Where goods lie in bins."""


@frozen
class BinUse:
    """A bin, and the ids of the orders that lie in it."""

    bin: Bin
    orders: tuple[str, ...]

    @property
    def free(self) -> bool:
        """Whether there is room for one more order."""
        return len(self.orders) < self.bin.holds


def use(bins: Iterable[Bin], orders: Iterable[Order]) -> tuple[BinUse, ...]:
    """Each of these bins, with those of the orders that lie in it, by id."""
    lying: dict[str, list[str]] = {}
    for order in orders:
        for code in order.pickup.bins:
            lying.setdefault(code, []).append(order.id)
    return tuple(BinUse(one, tuple(sorted(lying.get(one.code, ())))) for one in bins)


def suggestion(order: Order, bins: Iterable[Bin], counted: Mapping[str, int]) -> dict[Temperature, Bin | None]:
    """For each temperature zone of the goods that are still the customer's, the first bin with room for the order.

    Lockers are for who collects from lockers, and nothing else is. `counted` is how many orders lie in each bin; the
    order's own bins have room for it.
    """
    in_lockers = order.pickup.collect is Service.LOCKERS
    cold = {order.line(line.line).handling.temperature for line in order.pickup.lines if line.open}
    free = [
        one
        for one in bins
        if one.locker is in_lockers and (one.code in order.pickup.bins or counted.get(one.code, 0) < one.holds)
    ]
    return {zone: next((one for one in free if one.temperature is zone), None) for zone in Temperature if zone in cold}
