"""The first free slots of many stores: a chain shares its hours, so they are worked out once and shown everywhere.

Reading opening hours is the slow part of an offer. Two stores that differ only in what slots don't depend on have the
same windows under other ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import fields

from omniorder.domain import ids
from omniorder.domain.stores import Slot, Store, slots

__all__ = ["Windows"]

_OF_EACH: Final = frozenset({"id", "name", "place", "pickup_days", "transit"})
"""What makes no difference to the slots of a store: whatever else there is makes one."""
_SHAPE: Final = tuple(one.name for one in fields(Store) if one.name not in _OF_EACH)
_FIELDS: Final = tuple(one.name for one in fields(Slot))
_ID, _STORE, _CAPACITY, _BOOKED = map(_FIELDS.index, ("id", "store", "capacity", "booked"))
_AT_ONCE: Final = timedelta(0)


class Windows:
    """Free slots from `now` until `until`, `booked` places per slot id being taken; of each store at most `most`."""

    def __init__(self, booked: Mapping[str, int], *, now: datetime, until: datetime, most: int) -> None:
        self._booked: Final = booked
        self._now: Final = now
        self._until: Final = until
        self._most: Final = most
        self._known: Final[dict[tuple[Any, ...], _Shared]] = {}

    def free(self, store: Store, *, after: timedelta = _AT_ONCE) -> tuple[Slot, ...]:
        """The first slots of this store that have room, for what is there `after` so long, with what is taken."""
        shape = (after, *[getattr(store, name) for name in _SHAPE])
        shared = self._known.get(shape)
        if shared is None:
            shared = self._known[shape] = _Shared(slots(store, now=self._now + after, until=self._until))
        found: list[Slot] = []
        place = 0
        while len(found) < self._most and (values := shared.at(place)) is not None:
            place += 1
            id = ids.same_slot_at(store.id, values[_ID])
            booked = self._booked.get(id, 0)
            if booked < values[_CAPACITY]:
                own = values.copy()
                own[_ID], own[_STORE], own[_BOOKED] = id, store.id, booked
                found.append(Slot(*own))
        return tuple(found)


class _Shared:
    """Slots of one store, worked out as far as anybody has asked, as the values of their fields."""

    def __init__(self, every: Iterator[Slot]) -> None:
        self._every: Final = every
        self._known: Final[list[list[Any]]] = []

    def at(self, place: int) -> list[Any] | None:
        """The slot in this place; None behind the last. Places are asked for in order."""
        if place == len(self._known):
            following = next(self._every, None)
            if following is None:
                return None
            self._known.append([getattr(following, name) for name in _FIELDS])
        return self._known[place]
