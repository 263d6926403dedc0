"""Stores: where they are, when they are open, and the pick-up slots that follow from that.

Slots are computed, never stored: the opening hours (OpenStreetMap's `opening_hours` syntax) are read in the
store's own zone, each opening is cut into slots of the store's length from its first minute on, and whatever
doesn't make a whole slot before closing is left out. An opening of more than 24 hours (a store that never
closes) is cut at each local midnight first, so that its slots don't depend on the day they are asked for.

All arithmetic is on UTC instants, so a slot always lasts its full length. On the night when clocks go forward
the missing hour has no slot; when they go back, the hour that comes twice has two, with different ids.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import cast
from zoneinfo import ZoneInfo

import opening_hours
from attrs import field, frozen
from opening_hours import OpeningHours, State

from omniorder.domain import ids, text
from omniorder.domain.instants import instant
from omniorder.domain.quantities import quantity
from omniorder.domain.store_services import Service
from omniorder.domain.store_services import services as services_of
from omniorder.errors import InvalidStore, InvalidText, SlotUnavailable

__all__ = ["Point", "Slot", "Store", "distance_km", "is_open", "keep_until", "slot_at", "slots"]

# The library raises these, but its type stubs leave them out.
_ParserError: type[Exception] = vars(opening_hours)["ParserError"]
_UnknownCountryError: type[Exception] = vars(opening_hours)["UnknownCountryError"]

_EARTH_RADIUS_KM = 6371.0088  # the mean radius of the IUGG
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_QUOTED = re.compile(r'"[^"]*"')
_PUBLIC_HOLIDAY = re.compile(r"\bPH\b")


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


# --- stores -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder of the database
        raise InvalidStore("zone", name, "must be a time zone of the IANA database") from None


@lru_cache(maxsize=4096)
def _calendar(hours: str, zone: str, country: str | None) -> OpeningHours:
    """The parsed opening hours. Parsing is slow and chains share their hours, hence the cache."""
    try:
        calendar = OpeningHours(hours, timezone=_zone(zone), country=country)
    except _ParserError as error:
        reason = " ".join(str(error).split())  # the parser draws several lines; a log has one
        raise InvalidStore("hours", hours, f"must be in opening_hours syntax: {reason}") from None
    except _UnknownCountryError:
        raise InvalidStore("country", country, "must be a country of ISO 3166-1, in two capitals") from None
    except TypeError:  # zoneinfo knows it (`localtime`, say), but it names no zone of the database
        raise InvalidStore("zone", zone, "must be a time zone of the IANA database") from None
    if country is None and _PUBLIC_HOLIDAY.search(_QUOTED.sub("", str(calendar))):
        raise InvalidStore("country", country, "must be given, since the hours speak of public holidays (PH)")
    return calendar


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


def _pickup_days(value: int) -> int:
    return _number(value, "pickup_days", 1, 365)


@frozen
class Store:
    """A store that customers collect from.

    `zone` is an IANA time zone; `hours` is in OpenStreetMap's `opening_hours` syntax; `country` (ISO 3166-1,
    two letters) is needed when the hours speak of public holidays, as in "Mo-Sa 08:00-21:00; PH off".
    `lead` is how long the store needs from order to pick-up, so the first slot begins no earlier; each slot
    lasts `slot_length` and takes `slot_capacity` orders; what is ready waits for `pickup_days` opening days.

    `services` is what the store does. One that only sends goods to other stores (SHIP_TO_STORE), or does nothing, has
    no slots; `transit` is how long it takes from a request until what it sends arrives in another store.

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

    def __attrs_post_init__(self) -> None:
        _calendar(self.hours, self.zone, self.country)

    @property
    def collects(self) -> bool:
        """Whether customers can collect here at all, in whichever way."""
        return any(service.collects for service in self.services)

    @property
    def tz(self) -> ZoneInfo:
        """The store's zone, to show instants in."""
        return _zone(self.zone)


@frozen
class Slot:
    """A window in which orders are collected at a store: `capacity` orders, of which `booked` are taken.

    `starts` and `ends` are in the store's zone. Python subtracts and compares datetimes of one zone by their
    wall clock, which is wrong across a clock change: convert them to UTC first.
    """

    id: str
    store: str
    starts: datetime
    ends: datetime
    capacity: int
    booked: int = 0

    @property
    def free(self) -> int:
        """How many more orders fit in: never negative, also when the capacity was lowered since."""
        return max(0, self.capacity - self.booked)


# --- opening hours ----------------------------------------------------------------------------------------


@frozen
class _Opening:
    """A stretch in which the doors are open, in UTC: from `starts` (included) to `ends` (excluded)."""

    starts: datetime
    ends: datetime


def is_open(store: Store, at: datetime) -> bool:
    """Whether the store is open at the instant `at`. Raises InvalidInstant."""
    moment = instant(at, "at")
    return any(opening.starts <= moment for opening in _openings(store, moment, moment + _MINUTE))


def slots(store: Store, *, now: datetime, until: datetime, limit: int | None = None) -> Iterator[Slot]:
    """The slots that may be chosen at `now`, in order: from `now` + lead on, and starting before `until`.

    At most `limit` of them. Nothing is booked in them; the bookings are counted elsewhere.

    Raises InvalidInstant, and InvalidQuantity for a negative limit.
    """
    earliest, horizon = instant(now, "now") + store.lead, instant(until, "until")
    most = None if limit is None else quantity(limit, "limit", least=0)
    return islice(_slots(store, earliest, horizon), most)


def slot_at(store: Store, starts: datetime, *, now: datetime, until: datetime) -> Slot:
    """The slot that starts at `starts`, as `slots` would yield it.

    Raises SlotUnavailable with the reason "no_pickup" (nobody can collect there), "past", "too_soon" (within the
    store's lead), "beyond_horizon" (at or after `until`) or "closed" (no slot of this store starts then);
    InvalidInstant for a naive datetime and InvalidId for one that is not on a whole minute.
    """
    slot, start = ids.slot_id(store.id, starts), instant(starts, "starts")
    moment, horizon = instant(now, "now"), instant(until, "until")
    if not store.collects:
        raise SlotUnavailable(slot=slot, reason="no_pickup")
    if start < moment:
        raise SlotUnavailable(slot=slot, reason="past")
    if start < moment + store.lead:
        raise SlotUnavailable(slot=slot, reason="too_soon")
    if start >= horizon:
        raise SlotUnavailable(slot=slot, reason="beyond_horizon")
    for found in _slots(store, start, start + _MINUTE):
        return found
    raise SlotUnavailable(slot=slot, reason="closed")


def keep_until(store: Store, after: datetime, days: int) -> datetime:
    """Until when (UTC) goods that were ready at `after` wait: closing time of the `days`-th opening day.

    The day of `after` doesn't count, nor does any day on which the store stays closed, public holidays
    included. An opening past midnight belongs to the day on which it began. Where the store has fewer opening
    days ahead of it (it closes for the winter, or for good), its last closing time is taken; where it has
    none, midnight at the end of the `days`-th day.

    Raises InvalidInstant, and InvalidQuantity unless `days` is 1 to 365.
    """
    moment, wanted = instant(after, "after"), quantity(days, "days", most=365)
    today = moment.astimezone(store.tz).date()
    # Ten times the days, and half a year: longer than anybody's holidays, short of an endless search.
    closings: dict[date, datetime] = {}
    for opening in _openings(store, moment, moment + (10 * wanted + 180) * _DAY):
        day = opening.starts.astimezone(store.tz).date()
        if day <= today:
            continue
        if day not in closings and len(closings) == wanted:
            break
        closings[day] = opening.ends
    if closings:
        return max(closings.values())
    return _midnight(today + (wanted + 1) * _DAY, store.tz)


def _slots(store: Store, earliest: datetime, horizon: datetime) -> Iterator[Slot]:
    """The slots that start from `earliest` (included) to `horizon` (excluded)."""
    if not store.collects:
        return
    for opening in _openings(store, earliest, horizon):
        skipped = max(0, -((opening.starts - earliest) // store.slot_length))
        starts = opening.starts + skipped * store.slot_length
        while starts < horizon and starts + store.slot_length <= opening.ends:
            yield Slot(
                id=ids.slot_id(store.id, starts),
                store=store.id,
                starts=starts.astimezone(store.tz),
                ends=(starts + store.slot_length).astimezone(store.tz),
                capacity=store.slot_capacity,
            )
            starts += store.slot_length


def _openings(store: Store, since: datetime, until: datetime) -> Iterator[_Opening]:
    """The openings that end after `since` and start before `until`, in order, cut as the essay above says."""
    for opening in _unbroken(store, since, until):
        for piece in _by_day(opening, store.tz):
            if piece.starts >= until:
                return
            if piece.ends > since:
                yield piece


def _unbroken(store: Store, since: datetime, until: datetime) -> Iterator[_Opening]:
    """The openings around `since` to `until`, joined where one begins as the other ends.

    (The parser joins what meets on the wall clock; clocks that skip the break between two openings join them
    as well.)

    The calendar is read from noon two days before to noon two days after. So an opening that the edge cuts
    off lasts longer than a day, and is then cut at midnight anyway: the edge never shows in the result. And
    no clock is ever changed at noon.
    """
    tz = store.tz
    first = _noon(since.astimezone(tz).date() - 2 * _DAY, tz)
    last = _noon(until.astimezone(tz).date() + 2 * _DAY, tz)
    current: _Opening | None = None
    for begin, end, state, _ in _calendar(store.hours, store.zone, store.country).intervals(first, last):
        starts, ends = begin.astimezone(UTC), (end or last).astimezone(UTC)
        if state != State.OPEN or ends <= starts:  # an opening inside the hour that clocks skip is empty
            continue
        if current is not None and starts <= current.ends:
            current = _Opening(current.starts, ends)
            continue
        if current is not None:
            yield current
        current = _Opening(starts, ends)
    if current is not None:
        yield current


def _by_day(opening: _Opening, tz: ZoneInfo) -> Iterator[_Opening]:
    starts = opening.starts
    if opening.ends - starts > _DAY:
        midnight = _midnight(starts.astimezone(tz).date() + _DAY, tz)
        while midnight < opening.ends:
            yield _Opening(starts, midnight)
            starts, midnight = midnight, _midnight(midnight.astimezone(tz).date() + _DAY, tz)
    yield _Opening(starts, opening.ends)


def _midnight(day: date, tz: ZoneInfo) -> datetime:
    """The instant at which a local day begins; where clocks skip midnight, the moment they do."""
    return datetime.combine(day, time(), tz).astimezone(UTC)


def _noon(day: date, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, time(12), tz)
