"""Which store's rows hold something: every statement on a store's side names the store."""

from __future__ import annotations

from omniorder.domain.ids import store_of
from omniorder.errors import InvalidId


def home_of(id: str) -> str:
    """The store that an id names; for an id of no such form a store that doesn't exist, so nothing is found."""
    try:
        return store_of(id)
    except InvalidId:
        return ""
