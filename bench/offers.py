"""Offers of a chain for a large basket, beside the one SQL statement that answers the same question."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row

from bench.chain import CUSTOMER, HERE, Chain, opened
from bench.databases import Database
from omniorder import Channel, Customer, Offer
from omniorder.domain.slots import slots

OURS: Final = "omniorder"
YARDSTICK: Final = "by hand"
STATEMENT: Final = (Path(__file__).parent / "by_hand" / "offers.sql").read_text()


def measure(database: Database, *, stores: int, lines: int, rounds: int) -> dict[str, Any]:
    """Milliseconds per question of both sides, in turns, and their ratio; on PostgreSQL.

    `cpu_ms` is our own processor's part. Before that both must find the same stores, prices, distances and first slots.
    """
    with opened(database, stores=stores, lines=lines) as chain, closing(_connected(chain)) as connection:
        sides: dict[str, Callable[[], Any]] = {
            OURS: lambda: by_library(chain),
            YARDSTICK: lambda: by_hand(chain, connection),
        }
        compare(sides[OURS](), sides[YARDSTICK]())
        wall: dict[str, list[float]] = {name: [] for name in sides}
        busy: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(rounds + 1):
            for name, ask in sides.items():
                began, was_busy = time.perf_counter(), time.thread_time()
                ask()
                if turn:  # the first warms up
                    wall[name].append(time.perf_counter() - began)
                    busy[name].append(time.thread_time() - was_busy)
        offers = by_library(chain)
    ratios = [ours / theirs for ours, theirs in zip(wall[OURS], wall[YARDSTICK], strict=True)]
    return {
        "stores": stores,
        "lines": lines,
        "full": sum(offer.full for offer in offers),
        "with_transfer": sum(offer.with_transfer is not None for offer in offers),
        "sides": {
            name: {
                "ms": round(statistics.median(wall[name]) * 1000, 1),
                "cpu_ms": round(statistics.median(busy[name]) * 1000, 1),
            }
            for name in sides
        },
        "ratio": round(statistics.median(ratios), 2),
    }


def by_library(chain: Chain) -> Sequence[Offer]:
    """The library, as an application calls it."""
    return chain.hub.at(Channel.WEB, Customer(CUSTOMER)).checkout.offers(chain.cart.id, near=HERE)


def by_hand(chain: Chain, connection: Any) -> Sequence[Any]:
    """The statement, prepared."""
    params = {"cart": chain.cart.id, "lat": HERE.lat, "lon": HERE.lon}
    found: Sequence[Any] = connection.execute(STATEMENT, params, prepare=True).fetchall()
    return found


def compare(ours: Sequence[Offer], theirs: Sequence[Any]) -> None:
    """Both must say the same of every store; raises `AssertionError`."""
    found = {row.store_id: row for row in theirs}
    assert {offer.store.id for offer in ours} == set(found)
    for offer in ours:
        row = found[offer.store.id]
        assert offer.full == row.complete, offer.store.id
        assert offer.quote is not None
        assert offer.quote.total.amount == row.total, offer.store.id
        assert offer.distance_km is not None
        assert abs(offer.distance_km - row.distance) < 1e-6, offer.store.id
        assert offer.slots[0].starts == row.starts_at, offer.store.id
        short = {one.sku: one.available for one in offer.available if one.available < one.wanted}
        assert short == {one["sku"]: one["available"] for one in row.short or ()}, offer.store.id


def _connected(chain: Chain) -> Any:
    """A connection to a database that has a calendar of slots as well: the statement knows no opening hours."""
    connection = psycopg.connect(chain.database.dsn, autocommit=True, row_factory=namedtuple_row)
    connection.execute("CREATE TABLE slot_calendar (store_id text, slot text, starts_at timestamptz)")
    now = datetime.now(UTC)
    horizon = now + chain.hub.settings.slot_horizon
    with connection.cursor().copy("COPY slot_calendar FROM STDIN") as into:
        for store in chain.stores:
            for slot in slots(store, now=now - timedelta(hours=2), until=horizon):
                into.write_row((store.id, slot.id, slot.starts))
    connection.execute("CREATE INDEX ON slot_calendar (store_id, starts_at)")
    connection.execute("ANALYZE slot_calendar")
    return connection
