"""Articles, prices and branches where they are kept already: three ports on a retailer's own tables.

The tables have the retailer's names and habits, such as prices per region, and per kilogram for what is weighed; what
leaves this file is omniorder's. Each call opens a connection of its own, since all threads share a hub's adapters.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any

from omniorder import Article, Channel, Money, Point, Price, Store, Unit


class OwnTables:
    """`Catalogue`, `PriceBook` and `StoreDirectory` on one SQLite file."""

    def __init__(self, file: str) -> None:
        self._file = file

    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        """What is on the list; the rest can't be put into a cart."""
        rows = self._rows(
            "SELECT ean, title, weighed FROM product WHERE listed AND ean IN (SELECT value FROM json_each(?))",
            json.dumps(list(skus)),
        )
        return {ean: Article(ean, title, Unit.GRAM if weighed else Unit.PIECE) for ean, title, weighed in rows}

    def prices(
        self, skus: Sequence[str], *, stores: Sequence[str], channel: Channel, at: datetime
    ) -> Mapping[tuple[str, str], Price]:
        """The newest price of the branch's region, the same in every channel."""
        # beside max(), SQLite takes the other columns from the very row that has it
        rows = self._rows(
            """
            SELECT branch.code, product.ean, cents, vat_percent, weighed, max(since)
            FROM branch JOIN price USING (region) JOIN product USING (ean)
            WHERE branch.code IN (SELECT value FROM json_each(?))
              AND product.ean IN (SELECT value FROM json_each(?))
              AND since <= ?
            GROUP BY branch.code, product.ean
            """,
            json.dumps(list(stores)),
            json.dumps(list(skus)),
            at.timestamp(),
        )
        return {
            (code, ean): Price(ean, Money(cents, "EUR"), tax=Decimal(vat) / 100, per=1000 if weighed else 1)
            for code, ean, cents, vat, weighed, _ in rows
        }

    def store(self, store_id: str) -> Store | None:
        """The branch, if it has a counter for orders."""
        return next((store for store in self.all() if store.id == store_id), None)

    def all(self) -> tuple[Store, ...]:
        """The branches that have a counter for orders."""
        rows = self._rows("SELECT code, street, hours, lat, lon FROM branch WHERE has_counter ORDER BY code")
        return tuple(
            Store(code, name=street, zone="Europe/Sofia", country="BG", hours=hours, place=Point(lat, lon))
            for code, street, hours, lat, lon in rows
        )

    def _rows(self, query: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self._file)) as connection:
            return connection.execute(query, values).fetchall()
