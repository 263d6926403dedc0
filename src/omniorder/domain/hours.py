"""When a store is open: its opening hours less its closures, and what waits for an opening.

All arithmetic is on UTC instants, so that no clock change makes a time limit shorter or longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from omniorder.domain import calendars
from omniorder.domain.calendars import Opening, midnight
from omniorder.domain.instants import instant
from omniorder.domain.quantities import quantity
from omniorder.domain.stores import Store
from omniorder.errors import InvalidInstant

__all__ = [
    "closing_on",
    "counts_from",
    "day_of",
    "is_open",
    "keep_longer",
    "keep_until",
    "open_time_before",
    "openings",
    "same_time_later",
]

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


def is_open(store: Store, at: datetime) -> bool:
    """Whether the store is open at the instant `at`. Raises InvalidInstant."""
    moment = instant(at, "at")
    return any(
        piece.starts <= moment < piece.ends
        for opening in openings(store, moment, moment + _MINUTE)
        for piece in _left_open(store, opening)
    )


def day_of(store: Store, day: object, field: str = "day") -> tuple[datetime, datetime]:
    """When a day begins and ends by the store's clocks: 23 or 25 hours apart where they are changed.

    Raises InvalidInstant for what is no date, or outside the years 2001 to 2198.
    """
    if not isinstance(day, date) or isinstance(day, datetime):
        raise InvalidInstant(field, day, "must be a date")
    if not 2000 < day.year < 2199:
        raise InvalidInstant(field, day, "must be in the years 2001 to 2198")
    return midnight(day, store.tz), midnight(day + _DAY, store.tz)


def openings(store: Store, since: datetime, until: datetime) -> Iterator[Opening]:
    """The store's regular openings that end after `since` and start before `until`, in order, closures or not."""
    return calendars.openings(store.hours, store.zone, store.country, since, until)


def keep_until(store: Store, after: datetime, days: int) -> datetime:
    """Until when (UTC) goods that were ready at `after` wait: closing time of the `days`-th opening day.

    The day of `after` doesn't count, nor does any day on which the store stays closed, public holidays and closures
    included. An opening past midnight belongs to the day on which it began. Where the store has fewer opening
    days ahead of it (it closes for the winter, or for good), its last closing time is taken; where it has
    none, midnight at the end of the `days`-th day.

    Raises InvalidInstant, and InvalidQuantity unless `days` is 1 to 365.
    """
    moment, wanted = instant(after, "after"), quantity(days, "days", most=365)
    today = moment.astimezone(store.tz).date()
    return _closing(store, today, moment, wanted) or midnight(today + (wanted + 1) * _DAY, store.tz)


def keep_longer(store: Store, until: datetime, days: int) -> datetime | None:
    """Closing time (UTC) of the `days`-th opening day after the one that ended at `until`; None: it never opens again.

    Where the store has fewer opening days ahead of it, its last closing time. Raises InvalidInstant, and
    InvalidQuantity unless `days` is 1 to 365.
    """
    moment, wanted = instant(until, "until"), quantity(days, "days", most=365)
    return _closing(store, _day_ended(store, moment), moment, wanted)


def closing_on(store: Store, day: date) -> datetime | None:
    """When (UTC) the store closes on this day of its own calendar, past midnight or not; None where it stays closed."""
    yesterday = day - _DAY
    for found, pieces in _open_days(store, yesterday, midnight(day, store.tz), 2 * _DAY):
        return pieces[-1].ends if found == day else None
    return None


def open_time_before(store: Store, at: datetime, lasts: timedelta, since: datetime) -> datetime | None:
    """From when on (UTC) the store is open for as long as `lasts` until `at`; None where that is before `since`."""
    left = lasts
    pieces = [piece for opening in openings(store, since, at) for piece in _left_open(store, opening)]
    for piece in reversed(pieces):
        starts, ends = max(piece.starts, since), min(piece.ends, at)
        if ends - starts >= left:
            return ends - left
        left -= max(timedelta(0), ends - starts)
    return None


def same_time_later(store: Store, after: datetime, days: int) -> datetime | None:
    """The time of day of `after` on the `days`-th opening day after it (UTC); None where it has no such day ahead.

    Where the store opens later that day, its first opening; where it has closed by then, its last closing time.
    """
    local = after.astimezone(store.tz)
    for day, pieces in islice(_open_days(store, local.date(), after, _far(days)), days - 1, None):
        shown = _first_shown(local.time().replace(fold=0), day, store.tz)
        return max(pieces[0].starts, min(shown, pieces[-1].ends))
    return None


def _closing(store: Store, today: date, moment: datetime, days: int) -> datetime | None:
    """The last closing time of the `days`-th opening day after `today`, or of the last one that there is."""
    closings = [pieces[-1].ends for _, pieces in islice(_open_days(store, today, moment, _far(days)), days)]
    return closings[-1] if closings else None


def _open_days(store: Store, today: date, since: datetime, span: timedelta) -> Iterator[tuple[date, list[Opening]]]:
    """The days after `today` on which the store opens, each with when it is open then."""
    day, pieces = today, list[Opening]()
    for opening in openings(store, since, since + span):
        began = _began(opening, store.tz)
        if began <= today:
            continue
        if began != day and pieces:
            yield day, pieces
            pieces = []
        day = began
        pieces += _left_open(store, opening)
    if pieces:
        yield day, pieces


def _far(days: int) -> timedelta:
    """Ten times the days, and half a year: longer than anybody's holidays, short of an endless search."""
    return (10 * days + 180) * _DAY


def _day_ended(store: Store, until: datetime) -> date:
    """The opening day that ends at `until`: an evening past midnight belongs to the day on which it began."""
    days = [_began(opening, store.tz) for opening in openings(store, until - _SECOND, until)]
    return days[-1] if days else (until - _SECOND).astimezone(store.tz).date()


def counts_from(store: Store, now: datetime, until: datetime) -> datetime | None:
    """From when on the store works on what is ordered at `now`; None when that is not before `until`.

    At once, unless the store has a cut-off. What is ordered from the cut-off on counts as ordered when the store
    first opens on a later day. The cut-off of a day is the instant at which its clocks first show `Store.cutoff` or
    more: in spring that may be the end of the hour they skip, and in autumn it is the first of the two. A cut-off
    within an opening belongs to the day on which that opening began, also after midnight.

    So whoever orders later is never served from an earlier instant.
    """
    if store.cutoff is None:
        return now
    tz = store.tz
    day = now.astimezone(tz).date()
    if _first_shown(store.cutoff, day, tz) > now:
        day -= _DAY
    cut_off = _first_shown(store.cutoff, day, tz)
    for opening in openings(store, cut_off, until):
        began = _began(opening, tz)
        if opening.starts <= cut_off:
            day = began
        elif began > day:
            for piece in _left_open(store, opening):
                return max(now, piece.starts)
    return None


def _began(opening: Opening, tz: ZoneInfo) -> date:
    return opening.starts.astimezone(tz).date()


def _left_open(store: Store, opening: Opening) -> Iterator[Opening]:
    """What the store's closures leave of an opening."""
    starts = opening.starts
    for closure in store.closed:
        if closure.ends > starts and closure.starts < opening.ends:
            if closure.starts > starts:
                yield Opening(starts, closure.starts)
            starts = closure.ends
    if starts < opening.ends:
        yield Opening(starts, opening.ends)


def _first_shown(clock: time, day: date, tz: ZoneInfo) -> datetime:
    """The first instant of a local day at which clocks show this time, or a later one because they skip it."""
    wall = datetime.combine(day, clock, tz)
    shown = wall.astimezone(UTC)
    if shown.astimezone(tz).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return shown
    before = wall.replace(fold=1).astimezone(UTC)
    winter = before.astimezone(tz).utcoffset()
    while shown - before > _SECOND:  # the clocks are changed between these two
        middle = before + (shown - before) // 2 // _SECOND * _SECOND
        if middle.astimezone(tz).utcoffset() == winter:
            before = middle
        else:
            shown = middle
    return shown
