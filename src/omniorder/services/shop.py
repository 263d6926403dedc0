"""The back office: stores, articles and prices of the built-in tables."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from omniorder.domain import ids
from omniorder.domain.articles import Article, Price
from omniorder.domain.stores import Store
from omniorder.errors import InvalidId, NotFound, TooMany
from omniorder.ports.writes import Writes
from omniorder.services.logs import command
from omniorder.services.parts import Parts, Touch
from omniorder.services.surface import given
from omniorder.services.units import in_transaction

MOST_ROWS = 10_000
"""Rows that one `put` may carry."""


@frozen
class Stores:
    """The built-in store directory."""

    parts: Parts
    touch: Touch

    @command("stores.put")
    def put(self, *stores: Store) -> None:
        """Add stores or replace those with the same id. Raises `InvalidInput` for anything that is no `Store`."""
        _all(stores, Store, "store")
        _write(self.parts, self.touch, Writes(stores=stores))

    def get(self, store_id: str) -> Store:
        """The store; raises `NotFound`."""
        try:
            found = self.parts.stores.store(ids.store_id(store_id))
        except InvalidId:
            found = None
        if found is None:
            raise NotFound("store", store_id)
        return found

    def all(self) -> tuple[Store, ...]:
        """Every store, ordered by id."""
        return self.parts.stores.all()


@frozen
class Articles:
    """The built-in catalogue."""

    parts: Parts
    touch: Touch

    @command("articles.put")
    def put(self, *articles: Article) -> None:
        """Add articles or replace those with the same SKU. Lines of placed orders keep the name they had.

        A SKU's unit must stay what it is: levels, reservations and prices are bare numbers of it, and nothing converts
        them. What is sold in another unit from now on is another article, with a SKU of its own.
        """
        _all(articles, Article, "article")
        _write(self.parts, self.touch, Writes(articles=articles))

    def get(self, sku: str) -> Article:
        """The article; raises `NotFound`."""
        checked = ids.sku(sku)
        found = self.parts.catalogue.articles([checked]).get(checked)
        if found is None:
            raise NotFound("article", sku)
        return found


@frozen
class Prices:
    """The built-in price book."""

    parts: Parts
    touch: Touch

    @command("prices.put")
    def put(self, *prices: Price) -> None:
        """Add prices, or replace those of the same article, store, channel and beginning.

        Promises that live keep their price.
        """
        _all(prices, Price, "price")
        _write(self.parts, self.touch, Writes(prices=prices))


def _all(rows: Sequence[object], kind: type, name: str) -> None:
    if len(rows) > MOST_ROWS:
        raise TooMany(name, len(rows), f"at most {MOST_ROWS} in one call")
    for row in rows:
        given(row, kind, name, f"a {kind.__name__}")


def _write(parts: Parts, touch: Touch, writes: Writes) -> None:
    in_transaction(parts, touch.stamp(parts.clock), lambda unit: unit.tx.write(writes))
