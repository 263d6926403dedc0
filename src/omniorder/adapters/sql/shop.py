"""The shop itself: stores, articles and prices, for retailers who keep them here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import select

from omniorder import wire
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import as_text, exactly, share
from omniorder.adapters.sql.documents import among, labels
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import upsert
from omniorder.adapters.sql.schema import ARTICLE, PRICE, STORE
from omniorder.domain.articles import Article, Price
from omniorder.domain.bins import Bin
from omniorder.domain.channels import Channel
from omniorder.domain.handling import Temperature
from omniorder.domain.money import Money
from omniorder.domain.quantities import Unit
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Closure, Point, Store

_KEPT: Final = 10_000
"""Stores and prices that are kept as they were made of their rows: they change seldom, and are checked each time."""
_PUT_STORE: Final = upsert(STORE)
_PUT_ARTICLE: Final = upsert(ARTICLE)
_PUT_PRICE: Final = upsert(PRICE)
_ALL_STORES: Final = select(STORE)
_STORES: Final = _ALL_STORES.where(among(STORE.c.store_id, "stores"))
_ARTICLES: Final = select(ARTICLE).where(among(ARTICLE.c.sku, "skus"))
_PRICES: Final = (
    select(PRICE)
    .where(among(PRICE.c.sku, "skus"))
    .order_by(PRICE.c.sku, PRICE.c.store_id, PRICE.c.channel, PRICE.c.valid_from)
)


def stores(link: Link, ids: Sequence[str] | None) -> tuple[Store, ...]:
    """Stores by id, or all of them."""
    rows = link.rows(_ALL_STORES) if ids is None else link.rows(_STORES, {"stores": ids})
    return tuple(sorted(map(store_from, rows), key=lambda store: store.id))


def articles(link: Link, skus: Sequence[str]) -> Mapping[str, Article]:
    """Articles by SKU."""
    rows = link.rows(_ARTICLES, {"skus": skus})
    return {row.sku: article_from(row) for row in rows}


def prices(link: Link, skus: Sequence[str]) -> tuple[Price, ...]:
    """All prices of these SKUs, by SKU, store, channel and beginning."""
    return tuple(map(price_from, link.rows(_PRICES, {"skus": skus})))


def put_stores(batch: Batch, stores: Sequence[Store]) -> None:
    """Insert or replace stores."""
    batch.change(_PUT_STORE, [_store_row(store) for store in stores])


def put_articles(batch: Batch, articles: Sequence[Article]) -> None:
    """Insert or replace articles."""
    batch.change(_PUT_ARTICLE, [_article_row(article) for article in articles])


def put_prices(batch: Batch, prices: Sequence[Price]) -> None:
    """Insert prices; one for the same SKU, store, channel and beginning is replaced."""
    batch.change(_PUT_PRICE, [_price_row(price) for price in prices])


def _store_row(store: Store) -> dict[str, Any]:
    return {
        "store_id": store.id,
        "zone": store.zone,
        "hours": store.hours,
        "name": store.name,
        "lat": None if store.place is None else store.place.lat,
        "lon": None if store.place is None else store.place.lon,
        "country": store.country,
        "lead": _seconds(store.lead),
        "slot_length": _seconds(store.slot_length),
        "slot_capacity": store.slot_capacity,
        "pickup_days": store.pickup_days,
        "services": _words(store.services),
        "transit": _seconds(store.transit),
        "cutoff": None if store.cutoff is None else f"{store.cutoff:%H:%M}",
        "slot_lines": store.slot_lines,
        "closed": as_text(wire.dump(store.closed)),
        "walk": as_text(list(store.walk)),
        "bins": as_text(wire.dump(store.bins)),
    }


def _words(services: Iterable[Service]) -> str:
    """Text, as closures are, because rows that are kept must be hashable."""
    return " ".join(sorted(service.value for service in services))


def _services(words: str) -> frozenset[Service]:
    return frozenset(map(Service, words.split()))


def _seconds(duration: timedelta) -> int:
    return duration // timedelta(seconds=1)


@lru_cache(_KEPT)
def store_from(row: Any) -> Store:
    """The store of a row."""
    return Store(
        row.store_id,
        zone=row.zone,
        hours=row.hours,
        name=row.name,
        place=None if row.lat is None else Point(row.lat, row.lon),
        country=row.country,
        lead=timedelta(seconds=row.lead),
        slot_length=timedelta(seconds=row.slot_length),
        slot_capacity=row.slot_capacity,
        pickup_days=row.pickup_days,
        services=_services(row.services),
        transit=timedelta(seconds=row.transit),
        cutoff=None if row.cutoff is None else time.fromisoformat(row.cutoff),
        slot_lines=row.slot_lines,
        closed=wire.load(tuple[Closure, ...], json.loads(row.closed)),
        walk=json.loads(row.walk),
        bins=wire.load(tuple[Bin, ...], json.loads(row.bins)),
    )


def _article_row(article: Article) -> dict[str, Any]:
    return {
        "sku": article.sku,
        "name": article.name,
        "unit": article.unit.value,
        "metadata": dict(article.metadata),
        "needs": _words(article.needs),
        "tolerance": share(article.tolerance),
        "temperature": article.temperature.value,
        "perishable": int(article.perishable),
        "brand": article.brand,
        "allergens": list(article.allergens),
        "aisle": article.aisle,
        "gtins": list(article.gtins),
        "scale_item": article.scale_item,
    }


def article_from(row: Any) -> Article:
    """The article of a row."""
    return Article(
        row.sku, row.name, Unit(row.unit), labels(row.metadata),
        needs=_services(row.needs), tolerance=exactly(row.tolerance),
        temperature=Temperature(row.temperature), perishable=bool(row.perishable), brand=row.brand,
        allergens=row.allergens, aisle=row.aisle, gtins=row.gtins, scale_item=row.scale_item,
    )  # fmt: skip


def _price_row(price: Price) -> dict[str, Any]:
    return {
        "sku": price.sku,
        "store_id": price.store or "",
        "channel": "" if price.channel is None else price.channel.value,
        "valid_from": price.valid_from,
        "valid_to": price.valid_to,
        "amount": price.amount.amount,
        "currency": price.amount.currency,
        "tax": f"{price.tax:f}",
        "per": price.per,
    }


@lru_cache(_KEPT)
def price_from(row: Any) -> Price:
    """The price of a row."""
    return Price(
        row.sku,
        Money(row.amount, row.currency),
        tax=Decimal(row.tax),
        per=row.per,
        store=row.store_id or None,
        channel=Channel(row.channel) if row.channel else None,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
