"""The first free slots of many stores: a chain shares its hours, so they are worked out once and shown everywhere.

Reading opening hours is the slow part of an offer. Two stores that differ only in what slots don't depend on have the
same windows under other ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from typing import Any, Final, Protocol

from attrs import fields

from omniorder.domain import ids
from omniorder.domain.slots import Slot, slots
from omniorder.domain.stores import Store

__all__ = ["Windows"]

_OF_EACH: Final = frozenset({"id", "name", "place", "pickup_days", "transit"})
"""What makes no difference to the slots of a store: whatever else there is makes one."""
_SHAPE: Final = tuple(one.name for one in fields(Store) if one.name not in _OF_EACH)
_FIELDS: Final = tuple(one.name for one in fields(Slot))
_ID, _STORE, _BOOKED, _LINES = map(_FIELDS.index, ("id", "store", "booked", "lines_booked"))
_AT_ONCE: Final = timedelta(0)


class Use(Protocol):
    """What is taken of a slot: so many orders, with so many order lines."""

    @property
    def orders(self) -> int:
        """The orders."""
        ...

    @property
    def lines(self) -> int:
        """Their lines."""
        ...


class Windows:
    """Free slots for a basket of `lines` order lines that is wanted `now`, starting before `until`; at most `most`.

    `booked` is what is taken per slot id.
    """

    def __init__(self, booked: Mapping[str, Use], *, lines: int, now: datetime, until: datetime, most: int) -> None:
        self._booked: Final = booked
        self._lines: Final = lines
        self._now: Final = now
        self._until: Final = until
        self._most: Final = most
        self._known: Final[dict[tuple[Any, ...], _Shared]] = {}

    def free(self, store: Store, *, after: timedelta = _AT_ONCE) -> tuple[Slot, ...]:
        """The first slots of this store that have room, with what is taken of them.

        Goods that arrive only `after` so long must be prepared as well before a slot begins.
        """
        shape = (after, *[getattr(store, name) for name in _SHAPE])
        shared = self._known.get(shape)
        if shared is None:
            shared = self._known[shape] = _Shared(self._offered(store, after))
        found: list[Slot] = []
        place = 0
        while len(found) < self._most and (values := shared.at(place)) is not None:
            place += 1
            own = values.copy()
            id = ids.same_slot_at(store.id, values[_ID])
            own[_ID], own[_STORE] = id, store.id
            if (use := self._booked.get(id)) is not None:
                own[_BOOKED], own[_LINES] = use.orders, use.lines
            slot = Slot(*own)
            if slot.fits(self._lines):
                found.append(slot)
        return tuple(found)

    def _offered(self, store: Store, after: timedelta) -> Iterator[Slot]:
        every = slots(store, now=self._now, until=self._until)
        ready = self._now + after + store.lead
        return dropwhile(lambda slot: slot.starts.astimezone(UTC) < ready, every) if after else every


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
