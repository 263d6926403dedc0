"""The shop that everything is measured in: stores, a thousand articles with plenty of each, and what is in a basket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import frozen

from omniorder import Article, Channel, Money, OrderHub, Price, Store, System
from omniorder.domain.slots import slots

PRICE: Final = 249
"""Cents that a unit of anything costs."""
TAX: Final = "0.20"
QUANTITY: Final = 2
"""Units of a line."""
LINES: Final = 3
"""Lines of an order."""
ZONE: Final = "Europe/Sofia"
CAPACITY: Final = 100_000
"""Orders that fit in a slot."""
PLENTY: Final = 1_000_000_000
"""Units on the shelf."""

GOODS: Final = tuple(f"GOODS-{n:03}" for n in range(1_000))
MODELS: Final = tuple(f"MODEL-{n:03}" for n in range(LINES))
"""What is in the one basket of which all others are copies."""
SKUS: Final = (*MODELS, *GOODS)


@frozen
class Line:
    """A line of a basket."""

    id: str
    sku: str

    @property
    def name(self) -> str:
        """What the article is called."""
        return _name(self.sku)


@frozen
class Window:
    """A slot in which orders are collected, in UTC."""

    store: str
    slot: str
    starts: datetime
    ends: datetime


@frozen
class Basket:
    """A cart as it is in the database, whose it is, and when it will be collected."""

    cart: str
    version: int
    lines_version: int
    customer: str
    lines: tuple[Line, ...]
    window: Window

    @property
    def owner(self) -> str:
        """The customer, as tables have it."""
        return f"customer:{self.customer}"

    @property
    def total(self) -> int:
        """In cents."""
        return len(self.lines) * QUANTITY * PRICE


def build(hub: OrderHub, stores: Sequence[str]) -> None:
    """Stores, articles and prices; the shelves stay empty."""
    office = hub.at(Channel.SYSTEM, System("bench"))
    hours = "Mo-Sa 08:00-21:00"
    office.stores.put(*(Store(store, zone=ZONE, hours=hours, slot_capacity=CAPACITY) for store in stores))
    office.articles.put(*(Article(sku, _name(sku)) for sku in SKUS))
    office.prices.put(*(Price(sku, Money(PRICE, "EUR"), tax=TAX) for sku in SKUS))


def windows(hub: OrderHub, store_id: str) -> list[Window]:
    """The store's slots of the days ahead, but for those that may pass while we measure."""
    store = hub.at(Channel.SYSTEM, System("bench")).stores.get(store_id)
    now = datetime.now(UTC)
    found = slots(store, now=now + timedelta(hours=4), until=now + hub.settings.slot_horizon)
    return [Window(store_id, slot.id, slot.starts.astimezone(UTC), slot.ends.astimezone(UTC)) for slot in found]


def chosen(n: int, assortment: int = len(GOODS)) -> tuple[str, ...]:
    """Different articles for basket `n`, out of the first `assortment` and in no order."""
    return tuple(GOODS[(n * 7919 + place * 331) % assortment] for place in range(LINES))


def _name(sku: str) -> str:
    return f"Article {sku}"
