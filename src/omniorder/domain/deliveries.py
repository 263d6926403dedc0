"""What is on its way to a shelf, and what may be promised when it has come.

An expected delivery is a line of a purchase order, a delivery note or a transfer between stores: so many units of one
SKU under one `reference`, at an instant. It is a plan and no stock: nothing of it is promised now. What arrives is
received under the same reference and is expected no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from attrs import frozen

from omniorder.domain.availability import available_by
from omniorder.domain.stock import Level

__all__ = ["Availability", "Coming", "ExpectedDelivery", "availability", "next_deliveries"]


@frozen
class ExpectedDelivery:
    """Units of one SKU on their way to a store, in the article's unit, and when they are expected there.

    `reference` is the purchase order, delivery note or transfer: with store and SKU it is the delivery's key. A
    `quantity` of 0 is a delivery that was called off, or has come as a whole.
    """

    store: str
    sku: str
    reference: str
    quantity: int
    at: datetime


@frozen
class Availability:
    """What may be promised of one SKU at one store: `now`, and to somebody who comes at the instant `by` (`then`).

    `next_at` is when the next delivery is expected, None without any, and `next_units` how many units come then.
    """

    store: str
    sku: str
    now: int
    by: datetime
    then: int
    next_at: datetime | None = None
    next_units: int = 0


def availability(level: Level, expected: Iterable[ExpectedDelivery], by: datetime) -> Availability:
    """What may be promised out of this level, with these deliveries of its SKU to its store."""
    coming = sorted((one.at, one.quantity) for one in expected if one.quantity)
    first = coming[0][0] if coming else None
    return Availability(
        store=level.store,
        sku=level.sku,
        now=level.available,
        by=by,
        then=available_by(level.on_hand, level.reserved, level.safety, coming, by),
        next_at=first,
        next_units=sum(units for at, units in coming if at == first),
    )


@frozen
class Coming:
    """What comes next of one SKU to one store: the instant, and all `units` that are expected then."""

    at: datetime
    units: int


def next_deliveries(expected: Iterable[ExpectedDelivery], after: datetime) -> Mapping[tuple[str, str], Coming]:
    """What comes next after this instant, by (store, SKU). What is overdue is nothing that anybody can wait for."""
    found: dict[tuple[str, str], Coming] = {}
    for one in sorted((one for one in expected if one.quantity and one.at > after), key=lambda one: one.at):
        first = found.setdefault((one.store, one.sku), Coming(one.at, 0))
        if one.at == first.at:
            found[one.store, one.sku] = Coming(one.at, first.units + one.quantity)
    return found
