"""Where it is collected. Built in: a table of stores."""

from __future__ import annotations

from typing import Protocol

from omniorder.domain.stores import Store


class StoreDirectory(Protocol):
    """The stores that take part."""

    def store(self, store_id: str) -> Store | None:
        """The store with this id, or None when it does not take part."""
        ...

    def all(self) -> tuple[Store, ...]:
        """Every store, ordered by id."""
        ...
