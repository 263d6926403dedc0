"""Storage joined to the caller's transaction uses the connection and leaves it as it was."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.string import TextLoader
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from omniorder.adapters.sql import SqlStorage, connect
from omniorder.domain import events as e
from omniorder.domain.imports import Import, ImportKind
from omniorder.domain.stock import Level
from omniorder.errors import AlreadyThere, Misconfigured, NeedsOwnTransaction, OutOfStock, SchemaOutdated
from omniorder.ports.storage import Storage
from omniorder.ports.writes import (
    CartWrite,
    CountWrite,
    ImportWrite,
    JournalEntry,
    OrderWrite,
    StockChange,
    StockCount,
    TimerWrite,
    Writes,
)
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import put, read, refuses
from omniorder.testing.samples import MILK, NOW, SOFIA

CART, ORDER = samples.cart(), samples.order()
BEGUN = Import("x", ImportKind.LEVELS, 1, 9, 1, "0" * 64, 1, 0, False, NOW, NOW)
CREATE = "CREATE TABLE mine (id INTEGER PRIMARY KEY)"
Connect = Callable[[], Any]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """A database of each kind, with our tables and one of the caller's."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    with opened(found) as storage:
        storage.migrate()
    engine = create_engine(found, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(CREATE))
    return found


@contextmanager
def opened(url: str) -> Generator[SqlStorage]:
    storage = connect(url)
    try:
        yield storage
    finally:
        storage.close()


@pytest.fixture
def storage(url: str) -> Generator[SqlStorage]:
    with opened(url) as made:
        yield made


def raw(url: str, **options: Any) -> Any:
    """A connection of the driver, without SQLAlchemy."""
    if url.startswith("sqlite"):
        return closing(sqlite3.connect(url.removeprefix("sqlite:///"), **options))
    return psycopg.connect(url.replace("+psycopg", ""), **options)


def mine(connection: Any) -> list[Any]:
    return list(connection.execute("SELECT id FROM mine"))


# --- the caller's transaction -----------------------------------------------------------------------------


def test_a_stock_take_is_part_of_the_callers_transaction(storage: SqlStorage, url: str) -> None:
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=5),))
    counts = (
        StockCount(SOFIA, MILK, 3, samples.movement(1).id, safety=1),
        StockCount(SOFIA, samples.BREAD, 2, samples.movement(2).id),
    )
    with raw(url) as connection:
        joined = storage.joined(connection)
        put(joined, counts=(CountWrite(counts, samples.stamp(), "import", "x"),), imports=(ImportWrite(None, BEGUN),))
        assert read(joined, lambda tx: tx.imported(BEGUN.id)) == BEGUN
        assert read(storage, lambda tx: tx.levels([MILK])) == (Level(SOFIA, MILK, 5),)
        connection.commit()
    found = read(storage, lambda tx: tx.levels([MILK, samples.BREAD]))
    assert found == (Level(SOFIA, samples.BREAD, 2), Level(SOFIA, MILK, 3, 0, 1))
    (moved,) = read(storage, lambda tx: tx.movements(SOFIA, MILK, after=None, limit=9))
    assert (moved.quantity, moved.stamp, moved.reference) == (-2, samples.stamp(), "x")


def test_the_callers_rows_survive_a_refusal_and_are_committed_by_the_caller(storage: SqlStorage, url: str) -> None:
    with raw(url) as connection:
        connection.execute("INSERT INTO mine VALUES (1)")
        joined = storage.joined(connection)
        put(joined, carts=(CartWrite(None, CART),))
        refuses(joined, AlreadyThere, carts=(CartWrite(None, CART),))
        refuses(joined, OutOfStock, stock=(StockChange(SOFIA, MILK, reserved=1, promise=True),))
        connection.execute("INSERT INTO mine VALUES (2)")
        assert read(storage, lambda tx: tx.cart(CART.id)) is None
        connection.commit()
        assert len(mine(connection)) == 2
    assert read(storage, lambda tx: tx.cart(CART.id)) == CART


def test_nothing_is_committed_on_the_callers_behalf(storage: SqlStorage, url: str) -> None:
    """Also when nothing was begun: the driver of SQLite would commit with our savepoint."""
    with raw(url) as connection:
        put(storage.joined(connection), carts=(CartWrite(None, CART),))
        connection.rollback()
    assert read(storage, lambda tx: tx.cart(CART.id)) is None


def test_an_error_of_the_callers_block_undoes_only_the_block(storage: SqlStorage, url: str) -> None:
    with raw(url) as connection:
        connection.execute("INSERT INTO mine VALUES (1)")
        with suppress(ZeroDivisionError), storage.joined(connection).transaction() as tx:
            tx.write(Writes(carts=(CartWrite(None, CART),)))
            tx.flush()
            raise ZeroDivisionError
        connection.commit()
        assert len(mine(connection)) == 1
    assert read(storage, lambda tx: tx.cart(CART.id)) is None


def test_a_handler_works_in_the_joined_transaction_too(storage: SqlStorage, url: str) -> None:
    with raw(url) as connection:
        with storage.joined(connection).transaction() as tx:
            tx.connection.execute(text("INSERT INTO mine VALUES (7)"))
        connection.commit()
        assert len(mine(connection)) == 1


def test_a_missing_table_does_not_spoil_the_callers_transaction(request: pytest.FixtureRequest) -> None:
    for name in ("sqlite_url", "postgres_url"):
        empty = request.getfixturevalue(name)
        with opened(empty) as storage, raw(empty) as connection:
            connection.execute(CREATE)
            connection.execute("INSERT INTO mine VALUES (1)")
            with pytest.raises(SchemaOutdated):
                put(storage.joined(connection), carts=(CartWrite(None, CART),))
            assert len(mine(connection)) == 1


def test_migrating_is_not_done_inside(storage: SqlStorage, url: str) -> None:
    with raw(url) as connection, pytest.raises(NeedsOwnTransaction):
        storage.joined(connection).migrate()


# --- how the caller likes to read -------------------------------------------------------------------------


def everything(storage: Storage) -> list[object]:
    """Something of every type that a column has."""
    put(
        storage,
        orders=(OrderWrite(None, ORDER),),
        prices=samples.prices(),
        stores=samples.stores(),
        timers=(TimerWrite(SOFIA, ORDER.id, NOW),),
        movements=(samples.movement(),),
        journal=(JournalEntry(CART.id, CART.id, 1, samples.stamp(), (e.CartAbandoned(),)),),
    )
    with storage.transaction() as tx:
        return [
            tx.order(ORDER.id),
            tx.prices([MILK]),
            tx.stores(),
            tx.claim_timers(SOFIA, NOW, until=NOW, limit=1, now=NOW),
            tx.movements(SOFIA, MILK, after=None, limit=1),
            tx.journal(CART.id, CART.id, after=0, limit=1),
        ]


def test_it_reads_the_same_whatever_the_callers_settings_are(url: str) -> None:
    """Row factories, text factories, loaders of Django's, time zones: all are the caller's, and stay."""
    with opened(url) as storage, raw(url) as connection:
        expected = everything(storage.joined(connection))
        connection.rollback()
        if isinstance(connection, sqlite3.Connection):
            connection.row_factory = sqlite3.Row
        else:
            connection.row_factory = dict_row
            connection.execute("SET TIME ZONE 'Asia/Kathmandu'")
            connection.commit()
            connection.adapters.register_loader("jsonb", TextLoader)
            connection.adapters.register_loader("json", TextLoader)
            connection.adapters.register_loader("timestamptz", _Naive)
        assert everything(storage.joined(connection)) == expected
        connection.execute("INSERT INTO mine VALUES (5)")
        assert [row["id"] for row in mine(connection)] == [5]


class _Naive(TimestamptzLoader):
    """As Django's, when time zones are switched off there."""

    def load(self, data: Any) -> Any:
        return super().load(data).replace(tzinfo=None)


def test_the_callers_own_functions_stay(sqlite_url: str) -> None:
    """SQLAlchemy would put its own REGEXP in place of Django's."""
    with opened(sqlite_url) as storage, closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        connection.create_function("regexp", 2, lambda pattern, value: "theirs")
        storage.migrate()
        read(storage.joined(connection), lambda tx: tx.stores())
        assert connection.execute("SELECT 'a' REGEXP 'b'").fetchone() == ("theirs",)


# --- connections that can't be joined ---------------------------------------------------------------------


@pytest.mark.parametrize("connection", [None, object(), "sqlite://"])
def test_other_things_are_no_connections(storage: SqlStorage, connection: object) -> None:
    with pytest.raises(Misconfigured, match="SQLAlchemy, sqlite3 or psycopg"):
        storage.joined(connection)


def test_a_connection_that_commits_by_itself_is_refused(storage: SqlStorage, url: str) -> None:
    options: dict[str, Any] = {"isolation_level": None} if url.startswith("sqlite") else {"autocommit": True}
    with raw(url, **options) as connection:
        joined = storage.joined(connection)
        with pytest.raises(Misconfigured, match="autocommit"):
            put(joined, carts=(CartWrite(None, CART),))
        connection.execute("BEGIN")
        put(joined, carts=(CartWrite(None, CART),))
        connection.execute("COMMIT")
    assert read(storage, lambda tx: tx.cart(CART.id)) == CART


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has no autocommit here")
def test_a_connection_of_sqlite3_whose_commit_does_nothing_is_refused(sqlite_url: str) -> None:
    """Its owner's `commit()` would leave our transaction open, and closing it would undo the command."""
    storage = connect(sqlite_url)
    storage.migrate()
    options: dict[str, Any] = {"autocommit": True}
    file = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, **options)) as its, pytest.raises(Misconfigured, match="autocommit"):
        put(storage.joined(its), carts=(CartWrite(None, CART),))
    storage.close()


def test_a_connection_of_sqlalchemy_that_has_not_begun_is_begun_for_its_owner(storage: SqlStorage, url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        put(storage.joined(connection), carts=(CartWrite(None, CART),))
        assert connection.in_transaction()
        connection.rollback()
        assert read(storage, lambda tx: tx.cart(CART.id)) is None
        put(storage.joined(connection), carts=(CartWrite(None, CART),))
        connection.commit()
    assert read(storage, lambda tx: tx.cart(CART.id)) == CART
