"""Writing rows: statements by primary key, and children of which only those that changed are written."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final, final

from sqlalchemy import Table, and_, bindparam, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.link import PerDialect

Values = dict[str, Any]


def upsert(table: Table) -> PerDialect:
    """Insert a row, or replace all of the row with the same primary key."""
    keys = [column.name for column in table.primary_key]
    rest = [column.name for column in table.columns if column.name not in keys]
    for_postgres, for_sqlite = postgresql.insert(table), sqlite.insert(table)
    return PerDialect(
        for_postgres.on_conflict_do_update(
            index_elements=keys, set_={name: for_postgres.excluded[name] for name in rest}
        ),
        for_sqlite.on_conflict_do_update(index_elements=keys, set_={name: for_sqlite.excluded[name] for name in rest}),
    )


def changes(before: Values, after: Values, fixed: Container[str] = ()) -> Values:
    """What is to be set to turn one row into the other."""
    return {name: value for name, value in after.items() if value != before[name] and name not in fixed}


@final
class Rows:
    """The rows of one table, addressed by its primary key.

    Columns in `fixed` are written when a row comes and never again.
    """

    def __init__(self, table: Table, *, fixed: Iterable[str] = ()) -> None:
        self._keys: Final = tuple(column.name for column in table.primary_key)
        self._fixed: Final = frozenset(fixed) | frozenset(self._keys)
        at_key = and_(*(column == bindparam(f"at_{column.name}") for column in table.primary_key))
        self._insert: Final = insert(table)
        self._update: Final = update(table).where(at_key)
        self._delete: Final = delete(table).where(at_key)

    def add(self, batch: Batch, rows: Sequence[Values], kind: str, id: str) -> None:
        """Insert them all; raises `AlreadyThere` for the aggregate of this kind and id."""
        batch.insert(self._insert, rows, kind, id)

    def sync(self, batch: Batch, before: Sequence[Values], after: Sequence[Values], kind: str, id: str) -> None:
        """Turn the rows of `before` into those of `after`: delete, update, insert, and nothing unchanged."""
        if not before:
            self.add(batch, after, kind, id)
            return
        was = {self._key(row): row for row in before}
        now = {self._key(row): row for row in after}
        batch.change(self._delete, [self._at(row) for key, row in was.items() if key not in now])
        for key, row in now.items():
            if key in was and (new := changes(was[key], row, self._fixed)):
                batch.change(self._update, new | self._at(row))
        self.add(batch, [row for key, row in now.items() if key not in was], kind, id)

    def _key(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in self._keys)

    def _at(self, row: Mapping[str, Any]) -> Values:
        return {f"at_{name}": row[name] for name in self._keys}
