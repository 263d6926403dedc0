"""What was stored by an earlier version means the same after the migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, Table, create_engine, inspect
from sqlalchemy.pool import NullPool

from omniorder.adapters.sql import SqlStorage, connect, pickups, promises, shop
from omniorder.adapters.sql.schema import ARTICLE, PICKUP, PICKUP_LINE, PROMISE, SLOT, STORE
from omniorder.domain.articles import Article
from omniorder.domain.promises import Promise
from omniorder.domain.stores import Store
from omniorder.ports.writes import SlotUse
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import read
from omniorder.testing.samples import MILK, SOFIA, VARNA

Put = Callable[[Table, dict[str, Any]], None]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


def migrate(url: str) -> SqlStorage:
    storage = connect(url)
    storage.migrate()
    return storage


@contextmanager
def at_revision(url: str, revision: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """The tables as they were then; what is put into them has the columns that they had."""
    with monkeypatch.context() as earlier:
        upgrade = command.upgrade
        earlier.setattr(command, "upgrade", lambda config, _: upgrade(config, revision))
        migrate(url).close()
    engine = create_engine(url, poolclass=NullPool)
    yield lambda table, row: _put(engine, table, row)
    engine.dispose()


def _put(engine: Engine, table: Table, row: dict[str, Any]) -> None:
    there = {column["name"] for column in inspect(engine).get_columns(table.name)}
    with engine.begin() as connection:
        connection.execute(table.insert(), {name: value for name, value in row.items() if name in there})


def test_stores_and_articles_of_the_second_version_are_what_they_were(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, article = Store(SOFIA, zone="Europe/Sofia", hours="24/7"), Article(MILK, "Oat milk 1 l")
    with at_revision(url, "0002", monkeypatch) as put:
        put(STORE, shop._store_row(store))
        put(ARTICLE, shop._article_row(article))
    storage = migrate(url)
    assert read(storage, lambda tx: tx.stores()) == (store,)
    assert dict(read(storage, lambda tx: tx.articles([MILK]))) == {MILK: article}
    storage.close()


def test_lines_of_whatever_has_a_place_in_a_slot_are_counted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of held promises, and of pick-ups that are not called off and did not lapse."""
    held, other = samples.promise(1), samples.promise(2, basket=samples.cart(2, wishes={MILK: 1}))
    placed, called_off = samples.order(3), samples.every_order(4)["cancelled"]
    elsewhere = samples.promise(5, store=VARNA)
    assert held.slot == other.slot == placed.pickup.slot == called_off.pickup.slot
    with at_revision(url, "0002", monkeypatch) as put:
        for promise in (held, other, samples.every_promise(6)["lapsed"], samples.every_promise(7)["accepted"]):
            put(PROMISE, _promise_row(promise))
        put(PROMISE, _promise_row(elsewhere))
        for order in (placed, called_off):
            put(PICKUP, pickups._row(order, order.pickup))
            for line in pickups._line_rows(order.pickup):
                put(PICKUP_LINE, line)
        slot = {"store_id": SOFIA, "slot": held.slot, "starts_at": held.starts, "booked": 3}
        put(SLOT, slot)
        put(SLOT, slot | {"slot": f"{held.slot}-empty", "booked": 0})
        put(SLOT, slot | {"store_id": VARNA, "slot": elsewhere.slot, "booked": 1})
    storage = migrate(url)
    found = read(storage, lambda tx: tx.booked([SOFIA, VARNA], held.starts, held.ends))
    assert dict(found) == {
        held.slot: SlotUse(3, 3 + 1 + 3),
        f"{held.slot}-empty": SlotUse(0, 0),
        elsewhere.slot: SlotUse(1, 3),
    }
    storage.close()


def _promise_row(promise: Promise) -> dict[str, Any]:
    return {"store_id": promise.store, "id": promise.id} | promises._values(promise) | promises._quote(promise)
