"""A chain of stores and a large basket: what offers are measured in.

Every 100th store is a distribution centre that only sends goods to others. The stores lack some of the basket, most of
them none or little of it; some have prices of their own; and the next slots of some are full.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import frozen

from bench.databases import Database
from omniorder import Add, Article, Cart, Channel, Customer, Money, OrderHub, Point, Price, Service, Store, System
from omniorder.domain.slots import slots
from omniorder.testing import FakeGateway

HERE: Final = Point(42.6977, 23.3219)
WANTED: Final = 2
"""Units of each line."""
CUSTOMER: Final = "anna"
_HOURS: Final = ("Mo-Sa 08:00-21:00", "Mo-Su 07:00-23:00", "24/7", "Mo-Fr 09:00-19:00; Sa 10:00-15:00")
_CENTRE: Final = 100
"""Every so many stores there is a distribution centre."""


@frozen
class Chain:
    """A hub on a database with a chain in it, and Anna's basket."""

    database: Database
    hub: OrderHub
    cart: Cart
    stores: tuple[Store, ...]


@contextmanager
def opened(database: Database, *, stores: int, lines: int) -> Generator[Chain]:
    """A chain on this empty database, closed in the end."""
    with database.open(FakeGateway(), migrate=True) as hub:
        office = hub.at(Channel.SYSTEM, System("bench"))
        chain = tuple(map(_store, range(stores)))
        skus = [f"GOODS-{n:03}" for n in range(lines)]
        office.stores.put(*chain)
        office.articles.put(*(Article(sku, f"Article {sku}") for sku in skus))
        office.prices.put(*(Price(sku, Money(199 + n, "EUR"), tax="0.20") for n, sku in enumerate(skus)))
        own = [(store.id, sku) for n, store in enumerate(chain) for m, sku in enumerate(skus) if (n + m) % 97 == 0]
        for first in range(0, len(own), 500):
            office.prices.put(
                *(Price(sku, Money(189, "EUR"), tax="0.20", store=id) for id, sku in own[first : first + 500])
            )
        _fill(database, [(store.id, sku, _units(n, m)) for n, store in enumerate(chain) for m, sku in enumerate(skus)])
        _book(database, chain[::3])
        customer = hub.at(Channel.WEB, Customer(CUSTOMER))
        cart = customer.carts.edit(customer.carts.start().id, [Add(sku, WANTED) for sku in skus])
        database.settle()
        yield Chain(database, hub, cart, chain)


def _store(n: int) -> Store:
    centre = n % _CENTRE == 0
    return Store(
        f"S{n:04}",
        zone="Europe/Sofia",
        hours=_HOURS[n % len(_HOURS)],
        place=Point(41.5 + n * 37 % 250 / 100, 22.5 + n * 91 % 600 / 100),
        services={Service.SHIP_TO_STORE} if centre else {Service.PICKUP},
        transit=timedelta(hours=6 + n % 30),
        slot_capacity=20,
    )


def _units(n: int, m: int) -> int:
    """What store `n` has of article `m`: two in five stores have it all, the others lack one to seven of fifty."""
    if n % _CENTRE == 0:
        return 500
    return m % 2 if n % 5 > 1 and (n * 13 + m * 7) % 50 < 1 + n % 7 else WANTED + (n + m) % 40


def _fill(database: Database, levels: list[tuple[str, str, int]]) -> None:
    columns = "store_id, sku, on_hand, reserved, safety"
    put = f"INSERT INTO omniorder_stock ({columns}) VALUES ({', '.join([database.mark] * 3)}, 0, 0)"
    _insert(database, put, levels)


def _book(database: Database, chain: tuple[Store, ...]) -> None:
    """Fill the next slot of each of these, and half of the one after."""
    now = datetime.now(UTC)
    rows: list[tuple[Any, ...]] = []
    for store in chain:
        for slot, booked in zip(slots(store, now=now, until=now + timedelta(days=7)), (20, 10), strict=False):
            starts: Any = slot.starts.astimezone(UTC)
            if database.name != "postgresql":
                starts = f"{starts:%Y-%m-%dT%H:%M:%S.%fZ}"
            rows.append((store.id, slot.id, starts, booked))
    columns = "store_id, slot, starts_at, booked"
    _insert(database, f"INSERT INTO omniorder_slot ({columns}) VALUES ({', '.join([database.mark] * 4)})", rows)


def _insert(database: Database, statement: str, rows: list[Any]) -> None:
    with closing(database.connect()) as connection:
        connection.execute("BEGIN")
        connection.cursor().executemany(statement, rows)
        connection.execute("COMMIT")
