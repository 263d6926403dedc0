"""A small grocery chain, read from the CSV files in `grocery/`: what a retailer's import looks like."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from omniorder import (
    Article,
    Channel,
    Money,
    OrderHub,
    Point,
    Price,
    Store,
    System,
    Unit,
)

FILES = Path(__file__).parent / "grocery"


def stock_the_shelves(hub: OrderHub) -> None:
    """Put stores, articles, prices and opening stock into the hub. Doing it again within a week changes nothing.

    (For so long the hub remembers the keys under which stock was received: `Settings.idempotency_retention`.)
    """
    office = hub.at(Channel.SYSTEM, System("import"))
    office.stores.put(*map(_store, _rows("stores.csv")))
    office.articles.put(*(Article(row["sku"], row["name"], Unit(row["unit"])) for row in _rows("articles.csv")))
    office.prices.put(*map(_price, _rows("prices.csv")))
    for row in _rows("stock.csv"):
        store, sku, on_hand, safety = row["store"], row["sku"], int(row["on_hand"]), int(row["safety"])
        if on_hand:
            office.stock.receive(store, sku, on_hand, reason="opening stock", key="opening-stock")
        office.stock.keep_back(store, sku, safety, key="opening-stock")


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FILES / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _store(row: dict[str, str]) -> Store:
    return Store(
        row["id"],
        zone=row["zone"],
        hours=row["hours"],
        name=f"{row['name']}, {row['city']}",
        place=Point(lat=float(row["lat"]), lon=float(row["lon"])),
        country=row["country"],
        lead=timedelta(minutes=int(row["lead_minutes"])),
        slot_length=timedelta(minutes=int(row["slot_minutes"])),
        slot_capacity=int(row["slot_capacity"]),
    )


def _price(row: dict[str, str]) -> Price:
    return Price(
        row["sku"],
        Money.of(row["price"], row["currency"]),
        tax=row["tax"],
        per=int(row["per"]),
        store=row["store"] or None,
        channel=Channel(row["channel"]) if row["channel"] else None,
        valid_from=_instant(row["valid_from"]),
        valid_to=_instant(row["valid_to"]),
    )


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
