"""Lists come in pages by keyset: an item that is added or removed meanwhile is never shown twice or skipped."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Generic, TypeVar, cast

from attrs import frozen

from omniorder.domain.quantities import quantity
from omniorder.errors import InvalidId

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


def position(after: str | None, *kinds: type) -> tuple[str | int, ...] | None:
    """The keyset position in `after`; raises `InvalidId` for a text that no page gave."""
    if after is None:
        return None
    try:
        found: object = json.loads(base64.urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4)))
    except (ValueError, AttributeError, RecursionError):
        found = None
    parts = cast("list[str | int]", found) if isinstance(found, list) else []
    if not parts or [type(part) for part in parts] != list(kinds):
        raise InvalidId("after", after, "the `next` of an earlier page")
    return tuple(parts)


def page(items: Sequence[T], limit: int, last: str | None) -> Page[T]:
    """A page of at most `limit` of the items read (one more was asked for); `last` is the cursor of its end."""
    return Page(tuple(items[:limit]), last if len(items) > limit else None)
