"""Stores with all kinds of hours, and instants around them: what tests of hours and slots have in common."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from omniorder.domain.slots import slots
from omniorder.domain.stores import Closure, Store

SOFIA = ZoneInfo("Europe/Sofia")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 22, 8, 41, 34, tzinfo=UTC)  # a Sunday, 10:41 in Sofia

ZONES = ["Europe/Sofia", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]
HOURS = [
    "Mo-Sa 08:00-21:00",
    "Mo-Su 08:00-12:00,13:30-20:15",
    "Mo-Su 22:00-02:30",
    "Mo-Su 00:00-24:00",
    "Fr 18:00-24:00; Sa 00:00-05:00",
    "24/7",
    "Mo-Su 00:30-03:15",
    "24/7; We off",
    "off",
]


def shop(hours: str = "Mo-Sa 08:00-21:00", zone: str = "Europe/Sofia", **how: Any) -> Store:
    return Store("SOF01", zone=zone, hours=hours, **how)


def local(*parts: int, fold: int = 0, zone: ZoneInfo = SOFIA) -> datetime:
    year, month, day, hour, minute = parts
    return datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold)


def starts_on(store: Store, day: datetime) -> list[str]:
    """The local starts of a day's slots, with the offset that tells the two 03:00 of autumn apart."""
    midnight = day.replace(hour=0, minute=0)
    found = slots(store, now=midnight.astimezone(UTC) - store.lead, until=(midnight + DAY).astimezone(UTC))
    return [f"{slot.starts:%H:%M%z}" for slot in found]


moments = st.integers(0, 3 * 365 * 24 * 12).map(lambda n: datetime(2025, 1, 1, tzinfo=UTC) + n * timedelta(minutes=5))


@lru_cache(maxsize=200)
def closed_again_and_again(every: int, length: int, offset: int) -> tuple[Closure, ...]:
    """Closures of so many hours, every few days of the years that `moments` are of."""
    first = datetime(2024, 12, 30, tzinfo=UTC) + offset * timedelta(minutes=20)
    starts = (first + n * every * DAY for n in range(1120 // every))
    return tuple(Closure(begin, begin + length * HOUR) for begin in starts)


closures = st.just(()) | st.builds(
    closed_again_and_again, st.integers(2, 10), st.sampled_from([1, 5, 30, 48]), st.integers(0, 100)
)
cut_offs = st.none() | st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
shops = st.builds(
    shop,
    st.sampled_from(HOURS),
    st.sampled_from(ZONES),
    lead=st.integers(0, 600).map(lambda n: timedelta(minutes=n)),
    slot_length=st.sampled_from([15, 30, 45, 60, 90, 240]).map(lambda n: timedelta(minutes=n)),
    cutoff=cut_offs,
    closed=closures,
)
