"""Pick-up slots: what the opening hours, closures, lead and cut-off of a store leave to be chosen from.

Slots are computed, never stored. Each opening is cut into slots of the store's length from its first minute on, and
whatever doesn't make a whole slot before closing is left out. A closure takes away every slot that it touches and
moves none, so that a slot's id means the same before and after.

All arithmetic is on UTC instants, so a slot always lasts its full length. On the night when clocks go forward
the missing hour has no slot; when they go back, the hour that comes twice has two, with different ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from attrs import frozen

from omniorder.domain import ids
from omniorder.domain.hours import counts_from, openings
from omniorder.domain.instants import instant
from omniorder.domain.quantities import quantity
from omniorder.domain.stores import Store
from omniorder.errors import SlotUnavailable

__all__ = ["Slot", "slot_at", "slots"]

_MINUTE = timedelta(minutes=1)


@frozen
class Slot:
    """A window in which orders are collected at a store: `capacity` orders, of which `booked` are taken.

    Where the store counts order lines too, `lines_capacity` is how many of them it prepares for this slot, and
    `lines_booked` how many are taken; otherwise `lines_capacity` is None.

    `starts` and `ends` are in the store's zone. Python subtracts and compares datetimes of one zone by their
    wall clock, which is wrong across a clock change: convert them to UTC first.
    """

    id: str
    store: str
    starts: datetime
    ends: datetime
    capacity: int
    booked: int = 0
    lines_capacity: int | None = None
    lines_booked: int = 0

    @property
    def free(self) -> int:
        """How many more orders fit in: never negative, also when the capacity was lowered since."""
        return max(0, self.capacity - self.booked)

    @property
    def free_lines(self) -> int | None:
        """How many more order lines fit in, likewise; None where lines aren't counted."""
        return None if self.lines_capacity is None else max(0, self.lines_capacity - self.lines_booked)

    def fits(self, lines: int) -> bool:
        """Whether there is room for one more order, of so many lines."""
        return self.free > 0 and (self.free_lines is None or lines <= self.free_lines)


def slots(store: Store, *, now: datetime, until: datetime, limit: int | None = None) -> Iterator[Slot]:
    """The slots that may be chosen at `now`, in order, and starting before `until`.

    The first begins no earlier than the store's lead after `now`, or after the opening at which an order made past
    the cut-off counts. At most `limit` of them. Nothing is booked in them; the bookings are counted elsewhere.

    Raises InvalidInstant, and InvalidQuantity for a negative limit.
    """
    moment, horizon = instant(now, "now"), instant(until, "until")
    most = None if limit is None else quantity(limit, "limit", least=0)
    return islice(_offered(store, moment, horizon), most)


def _offered(store: Store, moment: datetime, horizon: datetime) -> Iterator[Slot]:
    begins = counts_from(store, moment, horizon) if store.ways else None
    if begins is not None:
        for starts in _starts(store, begins + store.lead, horizon):
            if not _is_closed(store, starts):
                yield _slot(store, starts)


def slot_at(store: Store, starts: datetime, *, now: datetime, until: datetime) -> Slot:
    """The slot that starts at `starts`, as `slots` would yield it.

    Raises SlotUnavailable with one of these reasons, the first that holds:

    - "no_pickup": nobody can collect there
    - "past"
    - "too_soon": within the store's lead
    - "cut_off": within the lead, counted from the opening at which an order made past the cut-off counts
    - "beyond_horizon": at or after `until`
    - "closed": no slot of this store starts then
    - "closure": one would, but the store is closed then as an exception

    and InvalidInstant for a naive datetime, InvalidId for one that is not on a whole minute.
    """
    slot, start = ids.slot_id(store.id, starts), instant(starts, "starts")
    moment, horizon = instant(now, "now"), instant(until, "until")
    reason = _why_not(store, start, moment, horizon)
    if reason is not None:
        raise SlotUnavailable(slot=slot, reason=reason)
    return _slot(store, start)


def _why_not(store: Store, start: datetime, moment: datetime, horizon: datetime) -> str | None:
    if not store.ways:
        return "no_pickup"
    if start < moment:
        return "past"
    if start < moment + store.lead:
        return "too_soon"
    if start >= horizon:
        return "beyond_horizon"
    begins = counts_from(store, moment, horizon)
    if begins is None or start < begins + store.lead:
        return "cut_off"
    if next(_starts(store, start, start + _MINUTE), None) is None:
        return "closed"
    return "closure" if _is_closed(store, start) else None


def _starts(store: Store, earliest: datetime, horizon: datetime) -> Iterator[datetime]:
    """The starts (UTC) from `earliest` (included) to `horizon` (excluded) of all slots, those in a closure too."""
    for opening in openings(store, earliest, horizon):
        skipped = max(0, -((opening.starts - earliest) // store.slot_length))
        starts = opening.starts + skipped * store.slot_length
        while starts < horizon and starts + store.slot_length <= opening.ends:
            yield starts
            starts += store.slot_length


def _is_closed(store: Store, starts: datetime) -> bool:
    ends = starts + store.slot_length
    return any(closure.starts < ends and starts < closure.ends for closure in store.closed)


def _slot(store: Store, starts: datetime) -> Slot:
    local_start, local_end = _window(starts, store.slot_length, store.tz)
    return Slot(
        id=ids.slot_id(store.id, starts),
        store=store.id,
        starts=local_start,
        ends=local_end,
        capacity=store.slot_capacity,
        lines_capacity=store.slot_lines,
    )


@lru_cache(maxsize=4096)
def _window(starts: datetime, length: timedelta, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Kept: a whole chain has the same few windows."""
    return starts.astimezone(tz), (starts + length).astimezone(tz)
