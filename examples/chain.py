"""A small grocery chain, imported from the CSV files in `grocery/`."""

from __future__ import annotations

import csv
from pathlib import Path

from omniorder import Channel, OrderHub, System
from omniorder.exchange import import_file

FILES = Path(__file__).parent / "grocery"


def stock_the_shelves(hub: OrderHub) -> None:
    """Put stores, articles, prices and opening stock into the hub. Doing it again changes nothing.

    (`resume` takes each file once: what is sold since stays sold, although the file still says what was there.)
    """
    office = hub.at(Channel.SYSTEM, System("import"))
    for kind, name in (
        ("stores", "stores.csv"), ("articles", "articles.csv"), ("prices", "prices.csv"), ("levels", "stock.csv")
    ):  # fmt: skip
        report = import_file(office, kind, FILES / name, resume=True)
        if report.refused:
            raise report.first[0].error


def sold_at(store: str) -> list[str]:
    """The articles of which the file of opening stock says something at this store."""
    with (FILES / "stock.csv").open(encoding="utf-8", newline="") as file:
        return [row["sku"] for row in csv.DictReader(file) if row["store"] == store]
