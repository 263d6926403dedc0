"""Who could send what to a store, and what an order awaits when they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from omniorder.domain import events as e
from omniorder.domain import ids, sourcing, transfers
from omniorder.domain.events import Units
from omniorder.domain.offers import distance
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise, Quote, holds
from omniorder.domain.slots import Slot
from omniorder.domain.sourcing import Donor, Sourcing
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Store
from omniorder.domain.transfers import PromisedLeg
from omniorder.errors import NotFound, OutOfStock, SlotUnavailable
from omniorder.services.ledger import ledger_of
from omniorder.services.parts import Parts


def donors(parts: Parts, store: Store, skus: Sequence[str]) -> tuple[Mapping[tuple[str, str], int], tuple[Donor, ...]]:
    """What stores that send goods could give, per (store, SKU), and those stores as seen from this one."""
    senders = [one for one in parts.stores.all() if Service.SHIP_TO_STORE in one.services and one.id != store.id]
    found = tuple(Donor(one.id, one.transit, distance(store.place, one)) for one in senders)
    if not found:
        return {}, ()
    with parts.storage.reading() as tx:
        return parts.inventory.available(tx, skus, [one.id for one in senders]), found


def for_promise(parts: Parts, quote: Quote, slot: Slot, live: Promise | None, at: datetime) -> tuple[PromisedLeg, ...]:
    """What other stores are to send so that everything can be collected in this slot; nothing if it is all there.

    What is weighed when it is picked is never sent: its weight is not known before.

    Raises `OutOfStock` when all of them together haven't enough, `SlotUnavailable` when it could not come in time.
    """
    ledger_of(parts)  # units elsewhere are held in our own books
    store = parts.stores.store(slot.store)
    if store is None:
        raise NotFound("slot", slot.id)
    demand = holds(quote)
    skus = sorted(demand)
    elsewhere, known = donors(parts, store, sorted({line.sku for line in quote.lines if not line.tolerance}))
    with parts.storage.reading() as tx:
        atp = {**elsewhere, **parts.inventory.available(tx, skus, [store.id])}
    for held_at, held in _held(live):  # what this cart holds already is not in its own way
        for sku, count in held.items():
            atp[held_at, sku] = atp.get((held_at, sku), 0) + count
    plan = sourcing.plan(demand, store.id, atp, known)
    if plan.missing:
        lacking = dict(plan.missing)
        short = [{"sku": sku, "wanted": demand[sku], "available": demand[sku] - lacking[sku]} for sku in lacking]
        raise OutOfStock(store=store.id, short=short)
    arrived = at + plan.arrives_in
    if plan.transfers and slot.starts.astimezone(UTC) < arrived + store.lead:
        earliest = (arrived + store.lead).astimezone(store.tz).isoformat(timespec="minutes")
        raise SlotUnavailable(slot=slot.id, reason="before_arrival", earliest=earliest)
    return promised(parts, plan, at)


def _held(live: Promise | None) -> Iterator[tuple[str, Mapping[str, int]]]:
    """What a live promise holds, store by store."""
    if live is not None:
        yield live.store, rest(holds(live.quote), live.legs)
        yield from ((leg.store, dict(leg.units)) for leg in live.legs)


def rest(demand: Mapping[str, int], legs: Sequence[PromisedLeg]) -> dict[str, int]:
    """What of the demand is in the store itself."""
    left = Counter(demand)
    for leg in legs:
        left.subtract(dict(leg.units))
    return {sku: count for sku, count in left.items() if count > 0}


def promised(parts: Parts, plan: Sourcing, at: datetime) -> tuple[PromisedLeg, ...]:
    """What the plan's other stores are to hold and to send."""
    return tuple(
        PromisedLeg(ids.transfer_id(leg.store, parts.time_ordered()), leg.store, leg.units, at + leg.transit)
        for leg in plan.transfers
    )


def arrivals(parts: Parts, order: Order, about: tuple[Units, ...], plan: Sourcing, at: datetime) -> tuple[e.Event, ...]:
    """The events of having these units of the order sent, store by store."""
    skus = {line.id: line.sku for line in order.lines}
    legs, _ = transfers.assigned(about, skus, promised(parts, plan, at))
    return tuple(e.UnitsSent(leg.transfer, leg.store, leg.units, leg.expected_at) for leg in legs)
