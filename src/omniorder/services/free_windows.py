"""Free windows of a store for goods that have yet to arrive, or whose own window has passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeVar

from attrs import evolve

from omniorder.domain import coupling, ids
from omniorder.domain import events as e
from omniorder.domain.events import Stamp
from omniorder.domain.orders import Order, told
from omniorder.domain.slots import Slot, slot_at
from omniorder.domain.stores import Store
from omniorder.domain.windows import Windows
from omniorder.errors import NotFound, SlotUnavailable
from omniorder.ports.writes import Writes
from omniorder.services.parts import Parts
from omniorder.services.places import moved_into
from omniorder.services.units import Unit, in_transaction

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_TRIED: Final = 3
"""Windows that are tried one after the other, when others are faster."""


def store_of(parts: Parts, slot_id: str) -> Store:
    """The store that a slot's id names. Raises `NotFound`, `InvalidId`."""
    store = parts.stores.store(ids.parse_slot_id(ids.check("slot", slot_id))[0])
    if store is None:
        raise NotFound("slot", slot_id)
    return store


def slot_of(parts: Parts, store: Store, slot_id: str) -> Slot:
    """The slot, where it may be chosen now. Raises `SlotUnavailable`."""
    _, starts = ids.parse_slot_id(slot_id)
    now = parts.clock.now()
    return slot_at(store, starts, now=now, until=now + parts.settings.slot_horizon)


class Work(Protocol[T_co]):
    """What is done in a transaction, with another window or without."""

    def __call__(self, unit: Unit, window: Slot | None) -> T_co:
        """Do it."""
        ...


def free_windows(
    parts: Parts, store: Store, *, lines: int, at: datetime, ready: datetime, most: int = 1
) -> tuple[Slot, ...]:
    """The first windows with room for so many lines, asked for at `at`, of goods that are `ready` to be picked then."""
    until = at + parts.settings.slot_horizon
    with parts.storage.reading() as tx:
        booked = tx.booked([store.id], at, until)
    windows = Windows(booked, lines=lines, now=at, until=until, most=most)
    return windows.free(store, after=max(ready - at, timedelta(0)))


def still_in_time(parts: Parts, store: Store, starts: datetime, at: datetime, wait: timedelta) -> None:
    """Refuse a window of this store for which goods that are `wait` away can't be prepared any more, or that is closed.

    What was offered before the store's cut-off may be chosen after it. Raises `SlotUnavailable`.
    """
    slot = slot_at(evolve(store, cutoff=None), starts, now=at, until=at + parts.settings.slot_horizon)
    if starts < at + wait + store.lead:
        raise SlotUnavailable(slot=slot.id, reason="before_arrival")


def with_a_window(parts: Parts, order: Order | None, stamp: Stamp, work: Work[T]) -> T:
    """Do it in a transaction, with a free window for this order if its own is over, or None.

    When somebody is faster the next is tried, and in the end it is done without any: a store that is full keeps no
    customer from what they are owed.
    """
    for slot in _windows(parts, order, stamp.at):
        try:
            return in_transaction(parts, stamp, partial(work, window=slot))
        except SlotUnavailable:
            continue
    return in_transaction(parts, stamp, partial(work, window=None))


def _windows(parts: Parts, order: Order | None, at: datetime) -> tuple[Slot, ...]:
    if order is None or order.pickup.state not in coupling.UNPREPARED or at < order.pickup.ends:
        return ()
    store = parts.stores.store(order.pickup.store)
    return free_windows(parts, store, lines=order.pickup.places, at=at, ready=at, most=_TRIED) if store else ()


def moved_if_over(unit: Unit, before: Order, events: tuple[e.Event, ...], window: Slot | None) -> tuple[e.Event, ...]:
    """Have what these events release to be picked collected in this window, if its own is over by now."""
    at = unit.stamp.at
    if window is None or window.store != before.pickup.store or not coupling.too_late(told(before, events, at), at):
        return ()
    unit.tx.write(Writes(slots=(moved_into(before.pickup, window),)))
    return (e.SlotMoved(window.id, window.starts.astimezone(UTC), window.ends.astimezone(UTC)),)
