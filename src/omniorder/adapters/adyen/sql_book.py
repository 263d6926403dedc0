"""The book as a table of its own, in any database that a DB-API driver reaches: SQLite and PostgreSQL are tested."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, Protocol

from omniorder.adapters.adyen.entries import Entry
from omniorder.errors import InvalidInput

__all__ = ["SqlBook"]


class Cursor(Protocol):
    """What is used of a DB-API cursor."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement wrote."""
        ...

    def execute(self, statement: Any, values: Any = ..., /) -> Any:
        """Run a statement."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that it found."""
        ...

    def close(self) -> Any:
        """Be done with it."""
        ...


class Connection(Protocol):
    """What is used of a DB-API connection."""

    def cursor(self) -> Any:
        """A cursor of it."""
        ...

    def commit(self) -> Any:
        """End the transaction."""
        ...

    def close(self) -> Any:
        """Close it, or give it back to its pool."""
        ...


class SqlBook:
    """A `Book` in the table `table`, which `create` makes.

    `connect` opens a DB-API connection, or takes one from a pool; it is closed after each use. `mark` is how the driver
    writes a parameter: `?` for sqlite3, `%s` for psycopg.

        book = SqlBook(lambda: psycopg.connect(url), mark="%s")

    Raises `InvalidInput` for a table's name that is none.
    """

    def __init__(
        self, connect: Callable[[], Connection], *, mark: str = "?", table: str = "omniorder_adyen_book"
    ) -> None:
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,47}(\.[a-z_][a-z0-9_]{0,47})?", table):
            raise InvalidInput("table", table, "must be the plain name of a table")
        index = table.replace(".", "_")
        self._connect = connect
        self._create = (
            f"CREATE TABLE IF NOT EXISTS {table} (payment VARCHAR(80) NOT NULL, number INTEGER NOT NULL,"
            " psp VARCHAR(80) NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (payment, number))",
            f"CREATE INDEX IF NOT EXISTS {index}_psp ON {table} (psp)",
        )
        self._read = f"SELECT entry FROM {table} WHERE payment = {mark} ORDER BY number"
        self._append = (
            f"INSERT INTO {table} (payment, number, psp, entry) VALUES ({mark}, {mark}, {mark}, {mark})"
            " ON CONFLICT (payment, number) DO NOTHING"
        )
        self._payment_of = f"SELECT payment FROM {table} WHERE psp = {mark} ORDER BY number LIMIT 1"

    def create(self) -> None:
        """Make the table, where it isn't there yet."""
        with closing(self._connect()) as link, closing(link.cursor()) as cursor:
            for statement in self._create:
                cursor.execute(statement)
            link.commit()

    def read(self, payment: str) -> tuple[Entry, ...]:
        """The page of this payment."""
        return tuple(Entry.from_json(payment, text) for (text,) in self._ask(self._read, (payment,)))

    def append(self, entry: Entry, after: int) -> bool:
        """Add an entry where the page has `after` of them: the primary key decides between several who do."""
        values = (entry.payment, after + 1, entry.psp, entry.to_json())
        with closing(self._connect()) as link, closing(link.cursor()) as cursor:
            cursor.execute(self._append, values)
            written: int = cursor.rowcount
            link.commit()
        return written == 1

    def payment_of(self, psp: str) -> str:
        """The payment on whose page this reference stands."""
        found = self._ask(self._payment_of, (psp,))
        return str(found[0][0]) if found else ""

    def _ask(self, statement: str, values: Sequence[str]) -> list[Any]:
        with closing(self._connect()) as link, closing(link.cursor()) as cursor:
            cursor.execute(statement, values)
            rows: list[Any] = cursor.fetchall()
        return rows
