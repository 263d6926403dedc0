"""Stores: where they are, what they can do, when they are open, and how many orders they take.

What follows from that at some instant is told by `hours` and `slots`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import cast
from zoneinfo import ZoneInfo

from attrs import field, frozen

from omniorder.domain import ids, text
from omniorder.domain.bins import Bin
from omniorder.domain.calendars import calendar, zone_of
from omniorder.domain.instants import instant
from omniorder.domain.store_services import Service
from omniorder.domain.store_services import services as services_of
from omniorder.errors import InvalidInstant, InvalidStore, InvalidText

__all__ = ["Closure", "Point", "Store", "distance_km"]

_EARTH_RADIUS_KM = 6371.0088  # the mean radius of the IUGG
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MOST_CLOSURES = 1000
_MOST_BINS = 1000


# --- places -----------------------------------------------------------------------------------------------


def _degrees(value: object, name: str, most: int) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not -most <= value <= most:
        raise InvalidStore(name, value, f"must be degrees from -{most} to {most}")
    return float(value)


def _latitude(value: float) -> float:
    return _degrees(value, "lat", 90)


def _longitude(value: float) -> float:
    return _degrees(value, "lon", 180)


@frozen
class Point:
    """A place on the globe, in degrees of WGS 84; north and east are positive. Raises InvalidStore."""

    lat: float = field(converter=_latitude)
    lon: float = field(converter=_longitude)


def distance_km(a: Point, b: Point) -> float:
    """The distance as the crow flies, in kilometres, by the haversine formula: right within 0.6 %."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = (lat_b - lat_a) / 2
    half_lon = math.radians(b.lon - a.lon) / 2
    haversine = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, haversine)))


# --- exceptions -------------------------------------------------------------------------------------------


def _starts(value: datetime) -> datetime:
    return instant(value, "starts")


def _ends(value: datetime) -> datetime:
    return instant(value, "ends")


def _reason(value: str) -> str:
    return text.reason(value) if value else text.line(value, "reason", least=0)


@frozen
class Closure:
    """A stretch in which a store is closed as an exception: from `starts` (included) to `ends` (excluded).

    For stock-taking, a strike, a broken pipe: what is known in advance or every year belongs into the opening hours.
    `reason` is for staff, up to 100 characters. The instants are kept in UTC.

    Raises InvalidInstant, InvalidText or CardNumberRefused.
    """

    starts: datetime = field(converter=_starts)
    ends: datetime = field(converter=_ends)
    reason: str = field(default="", converter=_reason)

    def __attrs_post_init__(self) -> None:
        if self.ends <= self.starts:
            raise InvalidInstant("ends", self.ends, "must be after starts")


def _closed(value: Iterable[Closure]) -> tuple[Closure, ...]:
    given = cast("object", value)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidStore("closed", given, "must be closures")
    found: list[Closure] = []
    for closure in cast("Iterable[object]", given):
        if not isinstance(closure, Closure):
            raise InvalidStore("closed", closure, "must be a Closure")
        found.append(closure)
    if len(found) > _MOST_CLOSURES:
        raise InvalidStore("closed", len(found), f"must be at most {_MOST_CLOSURES} closures")
    found.sort(key=lambda closure: closure.starts)
    for one, other in pairwise(found):
        if other.starts < one.ends:
            raise InvalidStore("closed", other.starts, "must not begin before the closure before it has ended")
    return tuple(found)


# --- stores -----------------------------------------------------------------------------------------------


def _text(value: object, name: str, least: int, most: int) -> str:
    try:
        return text.line(value, name, least=least, most=most)
    except InvalidText as error:
        raise InvalidStore(name, value, str(error.facts["rule"])) from None


def _length(value: object, name: str, least: timedelta, most: timedelta) -> timedelta:
    if not isinstance(value, timedelta) or not least <= value <= most or value % _MINUTE:
        raise InvalidStore(name, value, f"must be whole minutes from {least} to {most}")
    return value


def _number(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidStore(name, value, f"must be a whole number from {least} to {most}")
    return value


def _store_id(value: str) -> str:
    return ids.store_id(value)


def _zone_name(value: str) -> str:
    return _text(value, "zone", 1, 64)


def _hours(value: str) -> str:
    return _text(value, "hours", 1, 1000)


def _name(value: str) -> str:
    return _text(value, "name", 0, 200)


def _place(value: Point | None) -> Point | None:
    given = cast("object", value)
    if given is not None and not isinstance(given, Point):
        raise InvalidStore("place", given, "must be a Point")
    return given


def _country(value: str | None) -> str | None:
    return None if value is None else _text(value, "country", 2, 2)


def _services(value: Iterable[Service]) -> frozenset[Service]:
    found = services_of(value)
    if found is None:
        raise InvalidStore("services", value, "must be a set of Service")
    return found


def _transit(value: timedelta) -> timedelta:
    return _length(value, "transit", timedelta(0), timedelta(days=90))


def _lead(value: timedelta) -> timedelta:
    return _length(value, "lead", timedelta(0), timedelta(days=30))


def _slot_length(value: timedelta) -> timedelta:
    return _length(value, "slot_length", timedelta(minutes=5), _DAY)


def _slot_capacity(value: int) -> int:
    return _number(value, "slot_capacity", 0, 100_000)


def _slot_lines(value: int | None) -> int | None:
    return None if value is None else _number(value, "slot_lines", 0, 10_000_000)


def _cutoff(value: time | None) -> time | None:
    given = cast("object", value)
    if given is None:
        return None
    if not isinstance(given, time) or given.tzinfo is not None or given.second or given.microsecond or given.fold:
        raise InvalidStore("cutoff", given, "must be a time of day in whole minutes, on the store's own clocks")
    return given


def _pickup_days(value: int) -> int:
    return _number(value, "pickup_days", 1, 365)


def _walk(value: Iterable[str]) -> tuple[str, ...]:
    given = cast("object", value)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidStore("walk", given, "must be a list of aisles")
    aisles = tuple(text.line(one, "walk", most=40) for one in cast("Iterable[str]", given))
    if len(set(aisles)) < len(aisles) or any("," in aisle for aisle in aisles):
        raise InvalidStore("walk", aisles, "must name no aisle twice, and no comma in one")
    return aisles


def _bins(value: Iterable[Bin]) -> tuple[Bin, ...]:
    given = cast("object", value)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidStore("bins", given, "must be bins")
    found: dict[str, Bin] = {}
    for one in cast("Iterable[object]", given):
        if not isinstance(one, Bin):
            raise InvalidStore("bins", one, "must be a Bin")
        if one.code in found:
            raise InvalidStore("bins", one.code, "must have each code once")
        found[one.code] = one
    if len(found) > _MOST_BINS:
        raise InvalidStore("bins", len(found), f"must be at most {_MOST_BINS} bins")
    return tuple(found.values())


@frozen
class Store:
    """A store: where customers collect, where goods for other stores come from, or both.

    `zone` is an IANA time zone; `hours` is in OpenStreetMap's `opening_hours` syntax, in which seasons, holidays and
    dates have their place; `country` (ISO 3166-1, two letters) is needed when the hours speak of public holidays, as
    in "Mo-Sa 08:00-21:00; PH off". During a closure in `closed` the store is closed whatever its hours say.

    `lead` is how long the store needs from order to pick-up, by the clock and not in opening hours, so the first slot
    begins no earlier. What is ordered from `cutoff` on, a time of the store's day, counts as ordered when the store
    first opens on a later day (`hours.counts_from` says it exactly).

    Each slot lasts `slot_length` and takes `slot_capacity` orders, and no more than `slot_lines` order lines in all,
    unless that is None; what is ready waits for `pickup_days` opening days.

    `services` is what the store does. One that only sends goods to other stores (SHIP_TO_STORE), or does nothing, has
    no slots; `transit` is how long it takes from a request until what it sends arrives in another store.

    `walk` are the aisles (`Article.aisle`) in the order in which pickers walk them here; others come after, by name.
    `bins` are its places for ready goods, in the order in which they are to be filled.

    Raises InvalidStore, and InvalidId for the id. Times of "unknown" state count as closed.
    """

    id: str = field(converter=_store_id)
    zone: str = field(converter=_zone_name, kw_only=True)
    hours: str = field(converter=_hours, kw_only=True)
    name: str = field(default="", converter=_name, kw_only=True)
    place: Point | None = field(default=None, converter=_place, kw_only=True)
    country: str | None = field(default=None, converter=_country, kw_only=True)
    lead: timedelta = field(default=timedelta(hours=1), converter=_lead, kw_only=True)
    slot_length: timedelta = field(default=timedelta(hours=1), converter=_slot_length, kw_only=True)
    slot_capacity: int = field(default=20, converter=_slot_capacity, kw_only=True)
    pickup_days: int = field(default=3, converter=_pickup_days, kw_only=True)
    services: frozenset[Service] = field(default=frozenset({Service.PICKUP}), converter=_services, kw_only=True)
    transit: timedelta = field(default=_DAY, converter=_transit, kw_only=True)
    cutoff: time | None = field(default=None, converter=_cutoff, kw_only=True)
    slot_lines: int | None = field(default=None, converter=_slot_lines, kw_only=True)
    closed: tuple[Closure, ...] = field(default=(), converter=_closed, kw_only=True)
    walk: tuple[str, ...] = field(default=(), converter=_walk, kw_only=True)
    bins: tuple[Bin, ...] = field(default=(), converter=_bins, kw_only=True)

    def __attrs_post_init__(self) -> None:
        calendar(self.hours, self.zone, self.country)

    @property
    def ways(self) -> tuple[Service, ...]:
        """The ways in which customers can collect here, the usual one first; none where they can't."""
        return tuple(service for service in Service if service.collects and service in self.services)

    @property
    def tz(self) -> ZoneInfo:
        """The store's zone, to show instants in."""
        return zone_of(self.zone)
