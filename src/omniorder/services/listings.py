"""A provider's list, put down: a hundred thousand payments in bounded memory, to be asked for by our reference.

It is kept in a private temporary database, of which SQLite holds a few megabytes in memory and the rest in a file of
its own, which is gone when it is closed. So the provider is listed once, page by page, and no transaction of ours is
open meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Any, Final

from omniorder.domain.instants import from_iso, iso
from omniorder.domain.money import Money
from omniorder.domain.reconciling import Listed

BATCH: Final = 500
_CACHE_KIB: Final = 8_192
_TABLE: Final = """
CREATE TABLE listed (
    provider_id TEXT PRIMARY KEY, payment TEXT NOT NULL, created_at TEXT NOT NULL, currency TEXT NOT NULL,
    authorised INTEGER NOT NULL, captured INTEGER NOT NULL, refunded INTEGER NOT NULL, open INTEGER NOT NULL,
    met INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX listed_by_payment ON listed (payment);
"""
_COLUMNS: Final = "provider_id, payment, created_at, currency, authorised, captured, refunded, open"
_PUT: Final = f"INSERT OR REPLACE INTO listed ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_AMONG: Final = "payment IN (SELECT value FROM json_each(?)) AND payment <> ''"
_FIND: Final = f"SELECT {_COLUMNS} FROM listed WHERE {_AMONG} ORDER BY created_at, provider_id"
_MEET: Final = f"UPDATE listed SET met = 1 WHERE {_AMONG}"
_REST: Final = f"""
SELECT {_COLUMNS} FROM listed
WHERE NOT met AND created_at >= ? AND created_at < ? AND provider_id > ? ORDER BY provider_id LIMIT ?
"""


class ProviderList:
    """What a provider listed; a context manager. A payment that it lists twice counts as it was listed last."""

    def __init__(self) -> None:
        self._db: Final = sqlite3.connect("", isolation_level=None)
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.executescript(_TABLE)

    def put(self, found: Iterable[Listed]) -> None:
        """Note all of these, however many."""
        rest = iter(found)
        while batch := [_row(one) for one in islice(rest, BATCH)]:
            self._db.execute("BEGIN")
            self._db.executemany(_PUT, batch)
            self._db.execute("COMMIT")

    def meet(self, payments: Sequence[str]) -> Mapping[str, tuple[Listed, ...]]:
        """What is listed under these references of ours, by reference; none of it is left over any more."""
        asked = json.dumps(payments)
        found: dict[str, tuple[Listed, ...]] = {}
        for row in self._db.execute(_FIND, (asked,)):
            one = _listed(row)
            found[one.payment] = (*found.get(one.payment, ()), one)
        self._db.execute(_MEET, (asked,))
        return found

    def left_over(self, since: datetime, until: datetime) -> Iterator[tuple[Listed, ...]]:
        """What was created within [since, until) and not met, in batches."""
        after = ""
        while rows := self._db.execute(_REST, (iso(since), iso(until), after, BATCH)).fetchall():
            yield tuple(map(_listed, rows))
            after = rows[-1][0]

    def __enter__(self) -> ProviderList:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()


def _row(one: Listed) -> tuple[object, ...]:
    amounts = (one.authorised.amount, one.captured.amount, one.refunded.amount, one.open.amount)
    return (one.provider_id, one.payment, iso(one.created_at), one.authorised.currency, *amounts)


def _listed(row: tuple[Any, ...]) -> Listed:
    provider_id, payment, created_at, currency, *amounts = row
    return Listed(provider_id, payment, from_iso(created_at), *(Money(amount, currency) for amount in amounts))
