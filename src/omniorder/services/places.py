"""Places in slots: what a promise takes, and what it or the pick-up that followed gives back."""

from __future__ import annotations

from datetime import UTC, datetime

from omniorder.domain.pickups import Pickup
from omniorder.domain.promises import Promise
from omniorder.domain.slots import Slot
from omniorder.domain.stores import Store
from omniorder.ports.writes import SlotChange


def taken(promise: Promise, slot: Slot) -> SlotChange:
    """One order with the promise's lines, as far as they fit into the slot."""
    lines = len(promise.quote.lines)
    return SlotChange(promise.store, promise.slot, promise.starts, 1, slot.capacity, lines, slot.lines_capacity)


def moved_to(pickup: Pickup, store: Store, slot: str, starts: datetime) -> SlotChange:
    """The same order and lines in another slot, of this or another store."""
    return SlotChange(store.id, slot, starts, 1, store.slot_capacity, pickup.places, store.slot_lines)


def moved_into(pickup: Pickup, slot: Slot) -> SlotChange:
    """The same order and lines in this slot."""
    starts = slot.starts.astimezone(UTC)
    return SlotChange(slot.store, slot.id, starts, 1, slot.capacity, pickup.places, slot.lines_capacity)


def given_back(held: Promise | Pickup) -> SlotChange:
    """The same order and lines; a pick-up has a line for each that was promised, whatever became of it."""
    lines = held.places if isinstance(held, Pickup) else len(held.quote.lines)
    return SlotChange(held.store, held.slot, held.starts, -1, 0, -lines)
