"""Tables that can take back what was written: dictionaries that note, in one log, what stood there before."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_NONE: Mapping[Any, Any] = MappingProxyType({})


class Undo:
    """What stood where, before it was written over; the newest last."""

    def __init__(self) -> None:
        self._steps: list[tuple[Table[Any, Any], Any, Any]] = []

    def note(self, table: Table[K, V], key: K, before: V | None) -> None:
        """Remember that `table` held `before` (None: nothing) under `key`."""
        self._steps.append((table, key, before))

    def mark(self) -> int:
        """A point to which `back_to` can return."""
        return len(self._steps)

    def back_to(self, mark: int) -> None:
        """Put back everything that was written since `mark`, the newest first."""
        while len(self._steps) > mark:
            table, key, before = self._steps.pop()
            table.place(key, before)

    def forget(self) -> None:
        """Nothing can be taken back any more: it is committed."""
        self._steps.clear()


class Table(Generic[K, V]):
    """Rows by key, and by group where there is a `group` function: an index that is never out of date.

    Rows are frozen, and a row that was undone comes back last: whoever needs an order sorts.
    """

    def __init__(self, undo: Undo, group: Callable[[K, V], Hashable] | None = None) -> None:
        self._undo = undo
        self._group = group
        self._rows: dict[K, V] = {}
        self._groups: dict[Hashable, dict[K, V]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def get(self, key: K) -> V | None:
        """The row under `key`, or None."""
        return self._rows.get(key)

    def rows(self) -> Iterator[V]:
        """All rows, in no promised order."""
        return iter(self._rows.values())

    def items(self) -> Iterator[tuple[K, V]]:
        """All keys and rows, in no promised order."""
        return iter(self._rows.items())

    def groups(self) -> Iterator[tuple[Hashable, Mapping[K, V]]]:
        """Every group that has rows, with them."""
        return iter(self._groups.items())

    def of(self, group: Hashable) -> Mapping[K, V]:
        """The rows of one group by key."""
        return self._groups.get(group, _NONE)

    def put(self, key: K, row: V) -> None:
        """Insert or replace a row; can be taken back."""
        self._undo.note(self, key, self._rows.get(key))
        self.place(key, row)

    def drop(self, key: K) -> None:
        """Delete a row, if it is there; can be taken back."""
        before = self._rows.get(key)
        if before is not None:
            self._undo.note(self, key, before)
            self.place(key, None)

    def place(self, key: K, row: V | None) -> None:
        """Make `row` (None: nothing) what stands under `key`, without a note: for `Undo` and this class."""
        before = self._rows.pop(key, None)
        if self._group is not None and before is not None:
            name = self._group(key, before)
            rows = self._groups[name]
            del rows[key]
            if not rows:
                del self._groups[name]
        if row is None:
            return
        self._rows[key] = row
        if self._group is not None:
            self._groups.setdefault(self._group(key, row), {})[key] = row
