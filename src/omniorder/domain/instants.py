"""Points in time: aware UTC datetimes inside, one fixed-width text form outside.

A store's own time is the business of `stores`; everything that is compared or kept is an instant.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from omniorder.errors import InvalidInstant

__all__ = ["from_iso", "instant", "iso"]

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def instant(value: object, field: str) -> datetime:
    """`value` in UTC. A naive datetime means something else on every host, so it is refused.

    Raises InvalidInstant: not a datetime, without an offset, or outside the years 2000 to 2199 (UTC).
    """
    if not isinstance(value, datetime):
        raise InvalidInstant(field, value, "must be a datetime")
    if value.utcoffset() is None:
        raise InvalidInstant(field, value, "must have a time zone")
    try:
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError:  # the first and last hours of the calendar have no UTC form
        raise InvalidInstant(field, value, "must be in the years 2000 to 2199") from None
    if not 2000 <= moment.year <= 2199:
        raise InvalidInstant(field, value, "must be in the years 2000 to 2199")
    return moment


def iso(value: datetime) -> str:
    """An instant as text that sorts as the instants do: `2026-11-22T08:41:34.000000Z`.

    Raises InvalidInstant for what `instant` refuses.
    """
    return instant(value, "instant").isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """The instant that `iso` wrote; no other spelling is read.

    Raises InvalidInstant.
    """
    if not _FORM.fullmatch(text):
        raise InvalidInstant("instant", text, "must look like 2026-11-22T08:41:34.000000Z")
    try:
        return instant(datetime.fromisoformat(text), "instant")
    except ValueError:  # the form is right, but there is no 30 February
        raise InvalidInstant("instant", text, "must be a date and time that exist") from None
