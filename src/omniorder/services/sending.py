"""Who could send what to a store, and what an order awaits when they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from omniorder.domain import events as e
from omniorder.domain import ids, transfers
from omniorder.domain.articles import Article
from omniorder.domain.events import Units
from omniorder.domain.offers import distance
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise, Quote, holds
from omniorder.domain.ranking import SourcingPolicy
from omniorder.domain.slots import Slot
from omniorder.domain.sourcing import Donor, Shelves, Sourcing
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Store
from omniorder.domain.transfers import PromisedLeg
from omniorder.errors import NotFound, OutOfStock, SlotUnavailable
from omniorder.services.free_windows import free_windows
from omniorder.services.ledger import ledger_of
from omniorder.services.parts import Parts

# --- who sends, and what ----------------------------------------------------------------------------------


def senders(stores: Iterable[Store]) -> list[Store]:
    """Those of these stores that send goods to others."""
    return [store for store in stores if Service.SHIP_TO_STORE in store.services]


def donors(policy: SourcingPolicy, senders: Iterable[Store], store: Store) -> list[Donor]:
    """The others of these senders as seen from this store."""
    return [
        Donor(one.id, one.transit, distance(one.place, store), policy.cost(one, store) if policy.cost else None)
        for one in senders
        if one.id != store.id
    ]


def staying(articles: Mapping[str, Article]) -> frozenset[str]:
    """What is never sent: what is weighed when it is picked, since its weight is not known before."""
    return frozenset(sku for sku, article in articles.items() if article.tolerance)


def weighed(quote: Quote) -> frozenset[str]:
    """The same of what was priced: a promise keeps its tolerances."""
    return frozenset(line.sku for line in quote.lines if line.tolerance)


def held(live: Promise | None) -> Iterator[tuple[str, Mapping[str, int]]]:
    """What a live promise holds, store by store: it is not in the way of the cart that holds it."""
    if live is not None:
        yield live.store, rest(holds(live.quote), live.legs)
        yield from ((leg.store, dict(leg.units)) for leg in live.legs)


def with_held(atp: Mapping[tuple[str, str], int], live: Promise | None) -> dict[tuple[str, str], int]:
    """What may be promised per (store, SKU), and beside it what this promise holds."""
    found = dict(atp)
    for store, units in held(live):
        for sku, count in units.items():
            found[store, sku] = found.get((store, sku), 0) + count
    return found


# --- for a promise ----------------------------------------------------------------------------------------


def for_promise(parts: Parts, quote: Quote, slot: Slot, live: Promise | None, at: datetime) -> tuple[PromisedLeg, ...]:
    """What other stores are to send so that everything can be collected in this slot; nothing if it is all there.

    Raises `OutOfStock` when all of them together haven't enough, `SlotUnavailable` when it could not come in time.
    """
    ledger_of(parts)  # units elsewhere are held in our own books
    store = parts.stores.store(slot.store)
    if store is None:
        raise NotFound("slot", slot.id)
    demand = holds(quote)
    others = senders(parts.stores.all())
    names = sorted({store.id, *(one.id for one in others)})
    with parts.storage.reading() as tx:
        atp = with_held(parts.inventory.available(tx, sorted(demand), names), live)
    shelves = Shelves(demand, atp, stays=weighed(quote))
    if shelves.complete(store.id):
        return ()
    plan = shelves.plan(store.id, donors(parts.sourcing, others, store), parts.sourcing.strategy)
    if plan.missing:
        lacking = dict(plan.missing)
        short = [{"sku": sku, "wanted": demand[sku], "available": demand[sku] - lacking[sku]} for sku in lacking]
        raise OutOfStock(store=store.id, short=short)
    arrived = at + plan.arrives_in
    if plan.transfers and slot.starts.astimezone(UTC) < arrived + store.lead:
        free = free_windows(parts, store, lines=len(quote.lines), at=at, ready=arrived)
        earliest = {"earliest": free[0].starts.isoformat(timespec="minutes")} if free else {}
        raise SlotUnavailable(slot=slot.id, reason="before_arrival", **earliest)
    return promised(parts, plan, at)


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


# --- for an order -----------------------------------------------------------------------------------------


def from_others(parts: Parts, store: Store, demand: Mapping[str, int]) -> Sourcing:
    """How other stores could send all of this, which the store was found not to have; none of it is weighed."""
    others = [one for one in senders(parts.stores.all()) if one.id != store.id]
    with parts.storage.reading() as tx:
        names = [one.id for one in others]
        atp: Mapping[tuple[str, str], int] = parts.inventory.available(tx, sorted(demand), names) if names else {}
    return Shelves(demand, atp).plan(store.id, donors(parts.sourcing, others, store), parts.sourcing.strategy)


def arrivals(parts: Parts, order: Order, about: tuple[Units, ...], plan: Sourcing, at: datetime) -> tuple[e.Event, ...]:
    """The events of having these units of the order sent, store by store."""
    skus = {line.id: line.sku for line in order.every_line}
    legs, _ = transfers.assigned(about, skus, promised(parts, plan, at))
    return tuple(e.UnitsSent(leg.transfer, leg.store, leg.units, leg.expected_at) for leg in legs)
