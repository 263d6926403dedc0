"""The measures of a store's days: its journal, read order by order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from omniorder.domain import measures
from omniorder.domain.events import Recorded
from omniorder.domain.hours import day_of
from omniorder.domain.measures import Fact, Measures
from omniorder.domain.stores import Store
from omniorder.errors import InvalidInstant, NotFound, TooMany
from omniorder.ports.storage import Transaction
from omniorder.services.parts import Parts, Touch
from omniorder.services.units import reading

MOST_DAYS: Final = 92
"""Days measured in one call."""
_BATCH: Final = 1000
_ORDERS: Final = 50


def measure(parts: Parts, touch: Touch, store_id: str, first: date, last: date | None) -> Measures:
    """The measures of this store from its local day `first` to `last`, that day included.

    Raises `NotFound` (a store), `InvalidInstant` (no such days), `TooMany`.
    """
    store = parts.stores.store(store_id) if touch.works_at(store_id) else None
    if store is None:
        raise NotFound("store", store_id)
    days = [day_of(store, day) for day in _days(store, first, last)]
    starts, end = [start for start, _ in days], days[-1][1]
    found: list[list[Measures]] = [[] for _ in days]
    streams = sorted(_told(parts, store.id, starts[0], end))
    for place in range(0, len(streams), _ORDERS):
        for fact in _facts(parts, store.id, streams[place : place + _ORDERS]):
            if starts[0] <= fact.at < end and fact.store == store.id:
                found[bisect_right(starts, fact.at) - 1].append(fact.measures)
    return measures.total(map(measures.total, found))


def _days(store: Store, first: date, last: date | None) -> Iterator[date]:
    end = first if last is None else last
    for field, day in (("day", first), ("last", end)):
        day_of(store, day, field)
    count = (end - first).days + 1
    if count < 1:
        raise InvalidInstant("last", end, "must not be before the first day")
    if count > MOST_DAYS:
        raise TooMany("last", count, f"at most {MOST_DAYS} days in one call")
    return (first + timedelta(days=n) for n in range(count))


def _told(parts: Parts, home: str, start: datetime, end: datetime) -> set[str]:
    """The orders to which something happened that counts; some of it may have been told later."""
    streams: set[str] = set()
    after: tuple[datetime, str, int] | None = None
    while True:
        found = _page(parts, home, start, end + measures.LATEST, after)
        streams.update(one.stream for one in found if one.name in measures.TELLING and measures.happened(one) < end)
        if len(found) < _BATCH:
            return streams
        last = found[-1]
        after = last.stamp.at, last.stream, last.seq


def _page(
    parts: Parts, home: str, start: datetime, end: datetime, after: tuple[datetime, str, int] | None
) -> tuple[Recorded, ...]:
    return reading(parts, lambda tx: tx.journal_of_store(home, start, end, after=after, limit=_BATCH))


def _facts(parts: Parts, home: str, order_ids: Sequence[str]) -> list[Fact]:
    """What these orders add, to whichever days; read in one transaction."""

    def read(tx: Transaction) -> list[Fact]:
        orders = [order for id in order_ids if (order := tx.order(id)) is not None]
        told = ((tx.journal(home, order.id, after=0, limit=order.version), order.lines) for order in orders)
        return [fact for journal, lines in told for fact in measures.facts(journal, lines)]

    return reading(parts, read)
