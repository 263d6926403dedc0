"""Lists come in pages by keyset: an item that is added or removed meanwhile is never shown twice or skipped."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from attrs import frozen

from omniorder.domain.instants import from_iso
from omniorder.domain.quantities import quantity
from omniorder.errors import InvalidId, InvalidInstant

T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """Some items; pass `next` as `after=` for those that follow, None when there are no more."""

    items: tuple[T, ...]
    next: str | None


def limited(limit: int, most: int) -> int:
    """The page size, checked; raises `InvalidQuantity`."""
    return quantity(limit, "limit", most=most)


def cursor(*key: str | int) -> str:
    """An opaque text for a keyset position."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def position(after: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The keyset position in `after`, made of `int`, `str` and `datetime`.

    Raises `InvalidId` for a text that no page gave.
    """
    if after is None:
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4)))
        parts = cast("list[object]", _made_of(told, list))
        return tuple(_part(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, AttributeError, RecursionError, InvalidInstant):
        raise InvalidId("after", after, "the `next` of an earlier page") from None


def _part(part: object, kind: type) -> int | str | datetime:
    if kind is datetime:
        return from_iso(_made_of(part, str))
    if kind is int:
        number = _made_of(part, int)
        if not 0 <= number < 2**63:
            raise ValueError("no sequence number")
        return number
    text = _made_of(part, str)
    if not (text.isascii() and text.isprintable()):
        raise ValueError("no id")
    return text


def _made_of(part: object, kind: type[T]) -> T:
    if type(part) is not kind:
        raise TypeError("another type")
    return part


def page(items: Sequence[T], limit: int, last: str | None) -> Page[T]:
    """A page of at most `limit` of the items read (one more was asked for); `last` is the cursor of its end."""
    return Page(tuple(items[:limit]), last if len(items) > limit else None)
