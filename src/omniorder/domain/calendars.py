"""Opening hours as the calendar has them: OpenStreetMap's `opening_hours` syntax, read in a zone of its own.

An opening of more than 24 hours (a store that never closes) is cut at each local midnight, so that what follows from
it doesn't depend on the day for which it is asked. Openings are worked out week by week and kept, since a chain asks
for the same hours store after store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import opening_hours
from attrs import frozen
from opening_hours import OpeningHours, State

from omniorder.errors import InvalidStore

__all__ = ["Opening", "calendar", "midnight", "openings", "zone_of"]

# The library raises these, but its type stubs leave them out.
_ParserError: type[Exception] = vars(opening_hours)["ParserError"]
_UnknownCountryError: type[Exception] = vars(opening_hours)["UnknownCountryError"]

_DAY = timedelta(days=1)
_WEEK = 7
_QUOTED = re.compile(r'"[^"]*"')
_PUBLIC_HOLIDAY = re.compile(r"\bPH\b")
_UNKNOWABLE = re.compile(r"\b(?:(?P<sun>(?i:sunrise|sunset|dawn|dusk))|SH)\b")
_WHERE = re.compile(r"--> [0-9]+:([0-9]+)")


@frozen
class Opening:
    """A stretch in which the doors are open, in UTC: from `starts` (included) to `ends` (excluded)."""

    starts: datetime
    ends: datetime


@lru_cache(maxsize=4096)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name. Raises InvalidStore."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder of the database
        raise InvalidStore("zone", name, "must be a time zone of the IANA database") from None


@lru_cache(maxsize=4096)
def calendar(hours: str, zone: str, country: str | None) -> OpeningHours:
    """The parsed opening hours; parsing is slow, and chains share their hours.

    Raises InvalidStore; for hours that don't parse, or that hang on the sun or on school holidays, the fact `column` is
    the character (counted from 1) from which on they can't be read.
    """
    try:
        found = OpeningHours(hours, timezone=zone_of(zone), country=country)
    except _ParserError as error:
        raise _unreadable(hours, str(error)) from None
    except _UnknownCountryError:
        raise InvalidStore("country", country, "must be a country of ISO 3166-1, in two capitals") from None
    except TypeError:  # zoneinfo knows it (`localtime`, say), but it names no zone of the database
        raise InvalidStore("zone", zone, "must be a time zone of the IANA database") from None
    if unknowable := _UNKNOWABLE.search(_QUOTED.sub(_blank, hours)):
        raise _not_known(hours, unknowable)
    if country is None and _PUBLIC_HOLIDAY.search(_QUOTED.sub("", str(found))):
        raise InvalidStore("country", country, "must be given, since the hours speak of public holidays (PH)")
    return found


def _unreadable(hours: str, message: str) -> InvalidStore:
    """The parser draws several lines, the hours in any script among them: a log has one, of ASCII."""
    where, expected = _WHERE.search(message), message.rpartition("= ")[2]
    if where is None:
        return InvalidStore("hours", hours, "must be in opening_hours syntax")
    column = int(where.group(1))
    rule = f"must be in opening_hours syntax: in column {column}, {' '.join(expected.split())}"
    return InvalidStore("hours", hours, rule, column=column)


def _blank(comment: re.Match[str]) -> str:
    """As many spaces, so that columns stay what they are."""
    return " " * len(comment[0])


def _not_known(hours: str, found: re.Match[str]) -> InvalidStore:
    """The parser takes these words, and then guesses: the sun rises at seven, and no school ever has holidays."""
    column = found.start() + 1
    if found["sun"]:
        rule = f"must have a time of day in column {column}: the sun's are not known here"
    else:
        rule = f"must not speak of school holidays (SH) in column {column}: none are known here"
    return InvalidStore("hours", hours, rule, column=column)


def openings(hours: str, zone: str, country: str | None, since: datetime, until: datetime) -> Iterator[Opening]:
    """The openings that end after `since` and start before `until`, in order, cut as the essay above says."""
    tz = zone_of(zone)
    first, last = (at.astimezone(tz).date().toordinal() // _WEEK for at in (since - 2 * _DAY, until))
    for week in range(first, last + 1):
        for opening in _week(hours, zone, country, week):
            if opening.starts >= until:
                return
            if opening.ends > since:
                yield opening


@lru_cache(maxsize=4096)
def _week(hours: str, zone: str, country: str | None, week: int) -> tuple[Opening, ...]:
    """The openings that begin on one of seven days; which weekday is the first is all the same."""
    tz = zone_of(zone)
    days = range(week * _WEEK, (week + 1) * _WEEK)
    return tuple(
        piece
        for opening in _unbroken(calendar(hours, zone, country), days, tz)
        for piece in _by_day(opening, tz)
        if piece.starts.astimezone(tz).date().toordinal() in days
    )


def _unbroken(known: OpeningHours, days: range, tz: ZoneInfo) -> Iterator[Opening]:
    """The openings around these days, joined where one begins as the other ends.

    (The parser joins what meets on the wall clock; clocks that skip the break between two openings join them
    as well.)

    The calendar is read from noon two days before to noon two days after. So an opening that the edge cuts
    off lasts longer than a day, and is then cut at midnight anyway: the edge never shows in the result. And
    no clock is ever changed at noon.
    """
    first, last = (datetime.combine(date.fromordinal(day), time(12), tz) for day in (days[0] - 2, days[-1] + 2))
    current: Opening | None = None
    for begin, end, state, _ in known.intervals(first, last):
        starts, ends = begin.astimezone(UTC), (end or last).astimezone(UTC)
        if state != State.OPEN or ends <= starts:  # an opening inside the hour that clocks skip is empty
            continue
        if current is not None and starts <= current.ends:
            current = Opening(current.starts, ends)
            continue
        if current is not None:
            yield current
        current = Opening(starts, ends)
    if current is not None:
        yield current


def _by_day(opening: Opening, tz: ZoneInfo) -> Iterator[Opening]:
    starts = opening.starts
    if opening.ends - starts > _DAY:
        end_of_day = midnight(starts.astimezone(tz).date() + _DAY, tz)
        while end_of_day < opening.ends:
            yield Opening(starts, end_of_day)
            starts, end_of_day = end_of_day, midnight(end_of_day.astimezone(tz).date() + _DAY, tz)
    yield Opening(starts, opening.ends)


def midnight(day: date, tz: ZoneInfo) -> datetime:
    """The instant at which a local day begins; where clocks skip midnight, the moment they do."""
    return datetime.combine(day, time(), tz).astimezone(UTC)
