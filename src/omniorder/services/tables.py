"""The built-in catalogue, store directory and price book: tables in omniorder's own database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from attrs import frozen

from omniorder.domain.articles import Article, Price, pick_prices
from omniorder.domain.channels import Channel
from omniorder.domain.stores import Store
from omniorder.ports.storage import Storage
from omniorder.services.looking import look_in


@frozen
class ArticleTable:
    """`Catalogue` over the storage."""

    storage: Storage

    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return look_in(self.storage, lambda tx: tx.articles(skus))


@frozen
class StoreTable:
    """`StoreDirectory` over the storage."""

    storage: Storage

    def store(self, store_id: str) -> Store | None:
        return next(iter(look_in(self.storage, lambda tx: tx.stores([store_id]))), None)

    def all(self) -> tuple[Store, ...]:
        return look_in(self.storage, lambda tx: tx.stores())


@frozen
class PriceTable:
    """`PriceBook` over the storage."""

    storage: Storage

    def prices(
        self, skus: Sequence[str], *, stores: Sequence[str], channel: Channel, at: datetime
    ) -> Mapping[tuple[str, str], Price]:
        rows = look_in(self.storage, lambda tx: tx.prices(skus))
        found: dict[tuple[str, str], Price] = {}
        for sku, group in groupby(rows, key=lambda price: price.sku):
            picked = pick_prices(group, stores=stores, channel=channel, at=at)
            found.update(((store, sku), price) for store, price in picked.items())
        return found
