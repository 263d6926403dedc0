"""Storage on PostgreSQL keeps every promise of the port, also when many write at once and when the server hangs up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from itertools import pairwise
from threading import Event
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from omniorder.adapters.sql import SqlStorage, connect
from omniorder.domain import events as e
from omniorder.errors import OutOfStock, StaleWrite, StorageFault, StorageUnavailable
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite, OrderWrite, StockChange, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage import StorageContract
from omniorder.testing.contracts.storage.bench import put, read
from omniorder.testing.contracts.storage.consumers import ConsumerContract
from omniorder.testing.contracts.storage.stock import SlotContract, StockContract
from omniorder.testing.contracts.storage.timers import TryContract
from omniorder.testing.contracts.storage.transactions import JoinedContract
from omniorder.testing.samples import MILK, SOFIA
from tests import postgres

CART = samples.cart()


@contextmanager
def migrated(url: str, **options: Any) -> Generator[SqlStorage]:
    storage = connect(url, **options)
    try:
        storage.migrate()
        yield storage
    finally:
        storage.close()


@contextmanager
def callers_own(url: str) -> Generator[Connection]:
    """A transaction on an engine of the caller's."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@pytest.fixture
def storage(postgres_url: str) -> Generator[SqlStorage]:
    with migrated(postgres_url) as opened:
        yield opened


SCHEMA = "click & collect"


@pytest.fixture(scope="module")
def empty(postgres_server: str) -> Generator[Callable[[], AbstractContextManager[str]]]:
    """Lends empty databases with the tables, here and in `SCHEMA`. They are emptied rather than made anew."""
    with postgres.databases(postgres_server) as create:
        spare: list[str] = []

        @contextmanager
        def lent() -> Generator[str]:
            if not spare:
                spare.append(create())
                for schema in (None, SCHEMA):
                    with migrated(spare[-1], schema=schema):
                        pass
            url = spare.pop()
            yield url
            _wipe(url)
            spare.append(url)

        yield lent


def _wipe(url: str) -> None:
    with psycopg.connect(libpq(url)) as db:
        db.execute("SET session_replication_role = replica")  # foreign keys sleep: any order will do
        ours = "tablename LIKE 'omniorder%' AND tablename <> 'omniorder_version'"
        wiping = f"SELECT format('DELETE FROM %I.%I', schemaname, tablename) FROM pg_tables WHERE {ours}"
        db.execute("; ".join(command for (command,) in db.execute(wiping)))


class PostgresDatabases:
    """Opens each storage in a database of its own and remembers which."""

    schema: str | None = None

    @pytest.fixture(autouse=True)
    def _databases(self, empty: Callable[[], AbstractContextManager[str]]) -> Generator[None]:
        self.lend, self.urls = empty, dict[int, str]()
        with ExitStack() as self.stack:
            yield

    def open(self) -> SqlStorage:
        url = self.stack.enter_context(self.lend())
        storage = self.stack.enter_context(closing(connect(url, schema=self.schema)))
        self.urls[id(storage)] = url
        return storage


class TestPostgres(PostgresDatabases, StorageContract):
    """Joined on a connection of psycopg, as Django has one."""

    @contextmanager
    def joins(self, storage: Storage) -> Generator[psycopg.Connection[Any]]:
        with psycopg.connect(libpq(self.urls[id(storage)])) as connection:
            yield connection


class TestPostgresInASchema(
    PostgresDatabases, JoinedContract, StockContract, SlotContract, TryContract, ConsumerContract
):
    """In a schema of its own, joined on a connection of the caller's engine that doesn't look there.

    The parts of the contract are those with statements that name tables by hand.
    """

    schema = SCHEMA

    def joins(self, storage: Storage) -> AbstractContextManager[Any]:
        return callers_own(self.urls[id(storage)])


# --- many at once -----------------------------------------------------------------------------------------


def test_commands_that_share_skus_in_any_order_never_wait_in_a_circle(storage: SqlStorage) -> None:
    """No error at all, not even one that a repetition would cure, and not one unit too many."""
    skus = [f"SKU-{number}" for number in range(6)]
    put(storage, stock=tuple(StockChange(SOFIA, sku, on_hand=100) for sku in skus))

    def promise(seed: int) -> None:
        shuffled = random.Random(seed).sample(skus, 4)
        put(storage, stock=tuple(StockChange(SOFIA, sku, reserved=1, promise=True) for sku in shuffled))

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(promise, seed) for seed in range(120)]
    assert [one.exception() for one in done] == [None] * 120
    assert sum(level.reserved for level in read(storage, lambda tx: tx.levels(skus))) == 480


def test_a_refused_command_is_judged_by_what_it_waited_for(storage: SqlStorage) -> None:
    """Whoever waits for a row decides on what the other one left there, not on what was there before."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=5, reserved=5),))
    with ThreadPoolExecutor(1) as other:
        with storage.transaction() as tx:
            tx.write(Writes(stock=(StockChange(SOFIA, MILK, reserved=-3),)))
            tx.flush()
            waiting = other.submit(put, storage, stock=(StockChange(SOFIA, MILK, reserved=3, promise=True),))
            wait_for_a_lock(tx.connection)
        waiting.result()
    with pytest.raises(OutOfStock):
        put(storage, stock=(StockChange(SOFIA, MILK, reserved=1, promise=True),))


def wait_for_a_lock(connection: Any) -> None:
    """Until another session of this database waits for a lock."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    patience_ends = time.monotonic() + 4
    while not connection.exec_driver_sql(waiting).scalar_one():
        assert time.monotonic() < patience_ends, "nobody waits"


def test_an_order_is_read_whole_while_others_write_it(storage: SqlStorage) -> None:
    """Every state that is read is one that was written: version, payments and pick-up of the same moment."""
    life = samples.a_life()
    put(storage, orders=(OrderWrite(None, life[0]),))
    ended = Event()

    def live() -> None:
        for before, after in pairwise(life):
            put(storage, orders=(OrderWrite(before, after),))
        ended.set()

    with ThreadPoolExecutor(1) as other:
        living = other.submit(live)
        while not ended.is_set() and not living.done():
            assert read(storage, lambda tx: tx.order(life[0].id)) in life
        living.result()
    assert read(storage, lambda tx: tx.order(life[0].id)) == life[-1]


def test_the_second_of_two_who_read_the_same_version_is_told_after_waiting(storage: SqlStorage) -> None:
    put(storage, carts=(CartWrite(None, CART),))
    after = samples.changed(CART, e.CartAbandoned())
    with ThreadPoolExecutor(1) as other:
        with storage.transaction() as tx:
            tx.write(Writes(carts=(CartWrite(CART, after),)))
            tx.flush()
            waiting = other.submit(put, storage, carts=(CartWrite(CART, after),))
            wait_for_a_lock(tx.connection)
        with pytest.raises(StaleWrite):
            waiting.result()


# --- faults -----------------------------------------------------------------------------------------------


def test_a_lock_that_is_not_granted_in_time_is_told_as_unavailable(postgres_url: str) -> None:
    after = samples.changed(CART, e.CartAbandoned())
    with migrated(postgres_url, lock_timeout=0.05) as storage:
        put(storage, carts=(CartWrite(None, CART),))
        with storage.transaction() as tx:
            tx.write(Writes(carts=(CartWrite(CART, after),)))
            tx.flush()
            with pytest.raises(StorageUnavailable, match="lock") as raised:
                put(storage, carts=(CartWrite(CART, after),))
    assert raised.value.retry


def test_a_lost_connection_is_told_as_unavailable_and_replaced(storage: SqlStorage) -> None:
    def command() -> None:
        with storage.transaction() as tx:
            tx.write(Writes(carts=(CartWrite(None, CART),)))
            tx.flush()
            with suppress(DBAPIError):
                tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StorageUnavailable, match="lost"):
        command()
    assert read(storage, lambda tx: tx.cart(CART.id)) is None


def test_a_server_that_is_not_there_is_told_as_unavailable() -> None:
    storage = connect("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StorageUnavailable), storage.reading():
        pass


def test_a_serialization_failure_is_told_as_unavailable(postgres_url: str) -> None:
    with migrated(postgres_url, isolation_level="SERIALIZABLE") as storage:
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=5),))

        def command() -> None:
            with storage.transaction() as tx:
                tx.levels([MILK])
                put(storage, stock=(StockChange(SOFIA, MILK, on_hand=1),))
                tx.write(Writes(stock=(StockChange(SOFIA, MILK, on_hand=1),)))

        with pytest.raises(StorageUnavailable, match="serialize") as raised:
            command()
    assert raised.value.retry


def test_a_transaction_whose_error_was_swallowed_is_not_called_committed(storage: SqlStorage) -> None:
    """PostgreSQL answers such a COMMIT with a ROLLBACK and no complaint."""

    def command() -> None:
        with storage.transaction() as tx:
            tx.write(Writes(carts=(CartWrite(None, CART),)))
            tx.flush()
            with suppress(DBAPIError):
                tx.connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(StorageFault, match="swallowed"):
        command()
    assert read(storage, lambda tx: tx.cart(CART.id)) is None


def test_the_session_has_limits(storage: SqlStorage) -> None:
    with storage.reading() as tx:
        shown = [
            tx.connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        ]
    assert shown == ["5s", "30s", "1min"]
