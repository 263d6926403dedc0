"""Storage on SQLite keeps every promise of the port, waits for its turn, and says when the disk is full."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from omniorder.adapters.sql import SqlStorage, connect
from omniorder.domain.carts import Cart
from omniorder.errors import StorageFull, StorageUnavailable
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite, StockChange, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage import StorageContract
from omniorder.testing.contracts.storage.bench import put, read
from omniorder.testing.contracts.storage.transactions import JoinedContract
from omniorder.testing.samples import MILK, SOFIA

CART = samples.cart()


Open = Callable[..., SqlStorage]


@pytest.fixture
def opened() -> Generator[Open]:
    """Opens storages, with tables, and closes them in the end."""
    with ExitStack() as closing_all:

        def open_storage(url: str, **options: Any) -> SqlStorage:
            storage = connect(url, **options)
            closing_all.callback(storage.close)
            storage.migrate()
            return storage

        yield open_storage


@pytest.fixture
def storage(opened: Open, sqlite_url: str) -> SqlStorage:
    return opened(sqlite_url)


@contextmanager
def callers_own(url: str) -> Generator[Connection]:
    """A transaction on an engine of the caller's."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def stored(storage: Storage, cart: Cart = CART) -> Cart | None:
    return read(storage, lambda tx: tx.cart(cart.id))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables: migrating takes longer than a promise, so each test is given a copy."""
    file = tmp_path_factory.mktemp("migrated") / "empty.db"
    storage = connect(f"sqlite:///{file.as_posix()}")
    storage.migrate()
    storage.close()
    return file


class SqliteFiles:
    """Opens each storage in a file of its own and remembers which."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, empty: Path) -> None:
        self.folder = tmp_path
        self.empty = empty
        self.files: dict[int, Path] = {}

    def open(self) -> SqlStorage:
        file = self.folder / f"{uuid4().hex}.db"
        shutil.copy(self.empty, file)
        storage = connect(f"sqlite:///{file.as_posix()}")
        self.files[id(storage)] = file
        return storage


class TestSqliteFile(SqliteFiles, StorageContract):
    """Joined on the connection of sqlite3, as Django has one."""

    @contextmanager
    def joins(self, storage: Storage) -> Generator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.files[id(storage)])) as connection, connection:
            yield connection


class TestSqliteInMemory(StorageContract):
    """Joined on the connection that the storage's own transaction has, as a handler of events may be."""

    @pytest.fixture(autouse=True)
    def _tables(self, empty: Path) -> None:
        self.empty = empty

    def open(self) -> SqlStorage:
        return connect("sqlite://", creator=self._copy)

    def _copy(self) -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(self.empty)) as original:
            original.backup(copy)
        return copy

    @contextmanager
    def joins(self, storage: Storage) -> Generator[Any]:
        with storage.transaction() as tx:
            yield tx.connection


class TestSqliteJoinedBySqlalchemy(SqliteFiles, JoinedContract):
    """Joined on a connection of the caller's own engine, which is set up as SQLAlchemy does by itself."""

    def joins(self, storage: Storage) -> AbstractContextManager[Any]:
        return callers_own(f"sqlite:///{self.files[id(storage)].as_posix()}")


# --- files ------------------------------------------------------------------------------------------------


def test_a_file_is_still_there_when_it_is_opened_again(opened: Open, sqlite_url: str) -> None:
    first = opened(sqlite_url)
    put(first, carts=(CartWrite(None, CART),))
    first.close()
    assert stored(opened(sqlite_url)) == CART


def test_readers_go_on_while_somebody_writes(opened: Open, sqlite_url: str) -> None:
    storage = opened(sqlite_url, lock_timeout=0.0)
    with storage.transaction() as tx:
        tx.write(Writes(carts=(CartWrite(None, CART),)))
        tx.flush()
        assert stored(storage) is None
    assert stored(storage) == CART


def test_a_writer_waits_for_the_one_before(storage: SqlStorage) -> None:
    with ThreadPoolExecutor(1) as other:
        with storage.transaction() as tx:
            waiting = other.submit(put, storage, stock=(StockChange(SOFIA, MILK, on_hand=1),))
            tx.write(Writes(stock=(StockChange(SOFIA, MILK, on_hand=2),)))
        waiting.result()
    assert read(storage, lambda tx: tx.levels([MILK])[0].on_hand) == 3


def test_a_writer_that_waits_too_long_is_told_to_try_again(opened: Open, sqlite_url: str) -> None:
    storage = opened(sqlite_url, lock_timeout=0.0)
    with storage.transaction(), pytest.raises(StorageUnavailable, match="locked") as raised:
        put(storage, carts=(CartWrite(None, CART),))
    assert raised.value.retry


def test_what_was_read_in_a_transaction_can_not_change_before_it_is_written(storage: SqlStorage) -> None:
    """With a deferred BEGIN the second of two who read could never write."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=1),))

    def double() -> None:
        with storage.transaction() as tx:
            level = tx.levels([MILK])[0]
            tx.write(Writes(stock=(StockChange(SOFIA, MILK, on_hand=level.on_hand),)))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(double) for _ in range(8)]:
            done.result()
    assert read(storage, lambda tx: tx.levels([MILK])[0].on_hand) == 256


def test_a_full_disk_is_told_as_such_and_undoes_the_transaction(storage: SqlStorage) -> None:
    many = tuple(CartWrite(None, samples.cart(number)) for number in range(1, 200))

    def command() -> None:
        with storage.transaction() as tx:
            pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            tx.write(Writes(carts=many))

    with pytest.raises(StorageFull) as raised:
        command()
    assert not raised.value.retry
    assert stored(storage) is None


def test_a_missing_folder_is_told_as_unavailable(tmp_path: Path) -> None:
    storage = connect(f"sqlite:///{(tmp_path / 'missing' / 'shop.db').as_posix()}")
    with pytest.raises(StorageUnavailable):
        storage.migrate()


def test_every_commit_reaches_the_disk_unless_told_otherwise(opened: Open, sqlite_url: str) -> None:
    for options, expected in (({}, 2), ({"synchronous": "NORMAL"}, 1)):
        storage = opened(sqlite_url, **options)
        with storage.reading() as tx:
            assert tx.connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == expected


def test_a_database_in_memory_serves_threads_in_turns(opened: Open) -> None:
    storage = opened("sqlite://")
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(put, storage, stock=(StockChange(SOFIA, MILK, on_hand=1),)) for _ in range(20)]:
            done.result()
    assert read(storage, lambda tx: tx.levels([MILK])[0].on_hand) == 20


def test_a_transaction_beside_another_on_a_database_in_memory_is_told_that_it_is_busy(opened: Open) -> None:
    storage = opened("sqlite://", lock_timeout=0.05)
    with storage.transaction(), pytest.raises(StorageUnavailable, match="no connection"):
        stored(storage)
