"""What could become of units that can't be had as promised: every way there is, and by when it must be chosen.

Looked up outside of any transaction, and nothing is held for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from omniorder.domain.events import Units
from omniorder.domain.offers import distance
from omniorder.domain.orders import Order
from omniorder.domain.questions import TRANSFER_LATE, Alternative, MissingUnits, Option
from omniorder.domain.rerouting import Rerouting
from omniorder.domain.stores import Store
from omniorder.services.free_windows import free_windows
from omniorder.services.ledger import Ledger
from omniorder.services.parts import Parts
from omniorder.services.sending import from_others

SHORTEST: Final = timedelta(minutes=30)
"""No window is offered that must be chosen sooner than this, or than the policy's patience if that is less."""
_MINUTE: Final = timedelta(minutes=1)


@frozen
class Trouble:
    """Units that can't be had as promised, why, and which articles these are."""

    about: tuple[Units, ...]
    reason: str
    missing: tuple[MissingUnits, ...]


@frozen
class Way:
    """Something that could be done, and (where it has a window) by when at the latest it must be chosen."""

    option: Option
    by: datetime | None = None


def possible_ways(parts: Parts, order: Order, store: Store, trouble: Trouble, at: datetime) -> tuple[Way, ...]:
    """Everything that the policy lists and that could be done now, and what always can."""
    wanted = set(parts.settings.rerouting.alternatives)
    found: list[Way] = []
    own_stock = isinstance(parts.inventory, Ledger)
    sendable = own_stock and trouble.reason != TRANSFER_LATE and not _weighed(order, trouble.about)
    if Alternative.LATER in wanted and (ready := _ready_here(parts, order, store, trouble, at)) is not None:
        later = max(ready, order.pickup.starts + _MINUTE - store.lead)  # than the window that was promised
        option, wait = Option("later", Alternative.LATER), wait_anew(parts, order, trouble.reason, at)
        found += _in_a_window(parts, order, store, option, at, ready=later, wait=wait)
    if sendable and Alternative.SENT in wanted:
        found += _sent(parts, order, store, trouble, at)
    if own_stock and Alternative.OTHER_STORE in wanted and not order.pickup.collected:
        found += elsewhere(parts, order, store, parts.settings.rerouting, at)
    if sorted(trouble.about, key=repr) != sorted(order.pickup.rest(), key=repr):
        found.append(Way(Option("less", Alternative.LESS)))
    found.append(Way(Option("nothing", Alternative.NOTHING)))
    return tuple(found)


def _weighed(order: Order, about: tuple[Units, ...]) -> bool:
    """Whether any of it is weighed when it is picked: that is never sent, since its weight is not known before."""
    return any(order.line(part.line).tolerance for part in about)


def _ready_here(parts: Parts, order: Order, store: Store, trouble: Trouble, at: datetime) -> datetime | None:
    """From when on everything can be had at the pick-up's own store; None when nobody knows."""
    dates = [at, *(leg.expected_at for leg in order.pickup.awaited)]
    if trouble.reason == TRANSFER_LATE:
        return max(dates)
    skus = sorted(order.units_by_sku(trouble.about))
    if not isinstance(parts.inventory, Ledger):
        return None
    with parts.storage.reading() as tx:
        there = {level.sku: level for level in tx.levels(skus, [store.id])}
        coming = tx.expected(skus, [store.id])
    for sku in skus:
        lacking = there[sku].shortage if sku in there else order.units_by_sku(trouble.about)[sku]
        for delivery in sorted((one for one in coming if one.sku == sku and one.at > at), key=lambda one: one.at):
            if lacking > 0:
                lacking -= delivery.quantity
                dates.append(delivery.at)
        if lacking > 0:
            return None
    return max(dates)


def wait_anew(parts: Parts, order: Order, reason: str, at: datetime) -> timedelta:
    """How long goods that should have come already may take from whenever they are waited for anew."""
    overdue = reason == TRANSFER_LATE and any(leg.expected_at <= at for leg in order.pickup.awaited)
    return longest_transit(parts, order) if overdue else timedelta(0)


def longest_transit(parts: Parts, order: Order) -> timedelta:
    """Of the stores that send what is awaited."""
    found = (parts.stores.store(leg.store) for leg in order.pickup.awaited)
    return max((store.transit for store in found if store is not None), default=timedelta(0))


def _in_a_window(
    parts: Parts, order: Order, store: Store, option: Option, at: datetime, *, ready: datetime, wait: timedelta
) -> list[Way]:
    """The option in the first free window of this store for goods that are ready, or `wait` after it is chosen."""
    ready = max(ready, at + _to_think(parts) + wait)
    return [
        Way(
            evolve(
                option,
                store=store.id,
                slot=slot.id,
                starts=slot.starts.astimezone(UTC),
                ends=slot.ends.astimezone(UTC),
            ),
            slot.starts.astimezone(UTC) - store.lead - wait,
        )
        for slot in free_windows(parts, store, lines=len(order.pickup.lines), at=at, ready=ready)
    ]


def _to_think(parts: Parts) -> timedelta:
    """How long every window that is offered can be chosen at least."""
    policy = parts.settings.rerouting
    return min(policy.patience, SHORTEST) if policy.ask else timedelta(0)


def _sent(parts: Parts, order: Order, store: Store, trouble: Trouble, at: datetime) -> list[Way]:
    plan = from_others(parts, store, order.units_by_sku(trouble.about))
    if not plan.full:
        return []
    option, wait = Option("sent", Alternative.SENT, store.id), plan.arrives_in
    others = max([at, *(leg.expected_at for leg in order.pickup.awaited)])
    if max(others, at + _to_think(parts) + wait) + store.lead <= order.pickup.starts:
        return [Way(option, order.pickup.starts - store.lead - wait)]  # in time for the window that was promised
    return _in_a_window(parts, order, store, option, at, ready=others, wait=wait)


def elsewhere(parts: Parts, order: Order, store: Store, policy: Rerouting, at: datetime) -> list[Way]:
    """The nearest stores that have everything that is still open, may hand it over likewise, and a free window."""
    demand = order.units_by_sku(order.pickup.held())
    articles = parts.catalogue.articles(sorted(demand)).values()
    needed = {order.pickup.collect}.union(*(article.needs for article in articles))
    near: list[tuple[float, Store]] = []
    for other in parts.stores.all():
        far = distance(store.place, other)
        if other.id != store.id and needed <= other.services and far is not None and far <= policy.within_km:
            near.append((far, other))
    near.sort(key=lambda one: (one[0], one[1].id))
    names = [other.id for _, other in near]
    with parts.storage.reading() as tx:
        there: Mapping[tuple[str, str], int] = parts.inventory.available(tx, sorted(demand), names) if names else {}
    found: list[Way] = []
    for _, other in near:
        if len(found) < policy.stores and all(there.get((other.id, sku), 0) >= n for sku, n in demand.items()):
            option = Option(f"at {other.id}", Alternative.OTHER_STORE)
            found += _in_a_window(parts, order, other, option, at, ready=at, wait=timedelta(0))
    return found
