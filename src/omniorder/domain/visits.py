"""The receipts of an order, told by its journal: what happened each time when its customer stood at the counter.

The order is lived through again, event by event, so a receipt that is printed anew is what it was the first time. One
visit begins when goods were made ready or the last ones left, and ends when goods leave, or when nothing is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from attrs import evolve, field, frozen

from omniorder.domain import events as e
from omniorder.domain import ids, orders
from omniorder.domain.counter import ALL_REFUSED
from omniorder.domain.lifecycle import OrderState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.pickups import Pickup, PickupLine
from omniorder.domain.promises import tax_parts
from omniorder.domain.quantities import Units
from omniorder.domain.receipts import NotTaken, Receipt, Tendered, line_of


@frozen
class _Visit:
    """What is known of a visit so far: what was refused, and the claim with the order as it was just before it."""

    refused: tuple[e.UnitsRefused, ...] = ()
    claim: e.HandOverStarted | None = None
    by: str = ""
    at: datetime | None = None
    begun: Order | None = field(default=None, repr=False)


def receipts(order: Order, journal: Iterable[e.Recorded], store_name: Callable[[str], str]) -> tuple[Receipt, ...]:
    """The receipts of all hand-overs of the order, the oldest first. `journal` is all of the order's, in its order."""
    was, visit, found = _as_placed(order), _Visit(), list[Receipt]()
    left: e.LeftOffline | None = None
    for entry in journal:
        event, stamp = entry.event, entry.stamp
        now = orders.apply(was, event, stamp.at)
        match event:
            case e.UnitsRefused():
                visit = evolve(visit, refused=(*visit.refused, event))
            case e.LeftOffline():
                left = event
            case e.HandOverStarted():
                visit = evolve(visit, claim=event, by=stamp.actor, begun=was)
                if event.offline and left is not None:
                    visit = evolve(visit, by=left.by, at=left.at)
            case e.Collected(units) | e.PartCollected(units):
                found.append(_receipt(order, visit, was, now, units, entry, len(found) + 1))
                visit = _Visit()
            case e.PickupCancelled(reason) if reason == ALL_REFUSED:
                found.append(_receipt(order, visit, was, now, (), entry, len(found) + 1))
            case e.RestCancelled(()):
                found.append(_receipt(order, visit, was, now, (), entry, len(found) + 1))
            case e.MadeReady():
                visit = _Visit()
            case _:
                pass
        was = now
    return tuple(evolve(one, store_name=store_name(one.store)) for one in found)


def _as_placed(order: Order) -> Order:
    """The order before anything happened to it; what a receipt doesn't tell is left as it is."""
    lines = tuple(PickupLine(line.id, line.quantity, tolerance=line.tolerance) for line in order.lines)
    was = order.pickup
    pickup = Pickup(
        ids.pickup_id(order.id), order.store, PickupState.PLANNED, was.slot, was.starts, was.ends, lines,
        zone=was.zone, collect=was.collect,
    )  # fmt: skip
    return evolve(
        order, version=0, state=OrderState.PLACED, pickup=pickup, payments=(), added=(), corrections=(),
        confirmed_at=None, hold_until=None,
    )  # fmt: skip


def _receipt(
    order: Order, visit: _Visit, was: Order, now: Order, units: tuple[Units, ...], entry: e.Recorded, nth: int
) -> Receipt:
    begun = visit.begun if visit.begun is not None and units else was
    lines = tuple(line_of(now, part, now.pickup.line(part.line).collected - part.quantity) for part in units)
    total = Money(sum(line.total.amount for line in lines), order.total.currency)
    return Receipt(
        order=order,
        lines=lines,
        total=total,
        taxes=tax_parts((line.tax, line.total) for line in lines),
        at=visit.at or entry.stamp.at,
        by=visit.by if units else entry.stamp.actor,
        number=f"{order.id}-{nth}",
        store=was.pickup.store,
        store_name="",
        tendered=_tendered(begun, now),
        before=begun.held - begun.owed,
        refused=tuple(_stayed(now, part, event.reason) for event in visit.refused for part in event.units),
        later=tuple(_stayed(now, part) for part in now.pickup.rest()),
        zone=was.pickup.zone,
        proof=visit.claim.proof if visit.claim and units else None,
        signature=visit.claim.signature if visit.claim and units else "",
    )


def _stayed(order: Order, part: Units, reason: str = "") -> NotTaken:
    bought = order.line(part.line)
    return NotTaken(bought.id, bought.sku, bought.name, part.quantity, bought.unit, reason)


def _tendered(begun: Order, now: Order) -> tuple[Tendered, ...]:
    before = {p.id: p.captured for p in begun.payments}
    none = Money(0, now.total.currency)
    gave = ((p, p.captured - before.get(p.id, none)) for p in now.payments)
    return tuple(Tendered(p.kind, amount, p.means) for p, amount in gave if amount > none)
