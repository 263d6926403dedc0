"""Storage in memory keeps every promise of the port; it can also be named, and made to fail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.adapters.memory import MemoryStorage, connect
from omniorder.adapters.memory.tables import Table, Undo
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.domain.carts import Cart
from omniorder.errors import Misconfigured, StorageFull, StorageUnavailable
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage import StorageContract

CART = samples.cart()
NEW = Writes(carts=(CartWrite(None, CART),))


def stored(storage: Storage) -> Cart | None:
    with storage.reading() as tx:
        return tx.cart(CART.id)


class TestMemoryStorage(StorageContract):
    def open(self) -> MemoryStorage:
        return MemoryStorage()

    def joins(self, storage: Storage) -> AbstractContextManager[MemoryTransaction]:
        assert isinstance(storage, MemoryStorage)
        return storage.transaction()


# --- one at a time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", ["transaction", "reading"])
@pytest.mark.parametrize("outer", ["transaction", "reading"])
def test_a_transaction_inside_another_of_the_same_thread_is_refused(outer: str, inner: str) -> None:
    storage = MemoryStorage()
    with getattr(storage, outer)():
        nested = getattr(storage, inner)()
        with pytest.raises(RuntimeError, match="inside a transaction already"):
            nested.__enter__()
    with storage.transaction() as tx:
        tx.write(NEW)
    assert stored(storage) == CART


def test_a_thread_does_not_wait_for_ever() -> None:
    storage = MemoryStorage(patience=0.01)
    with storage.transaction(), ThreadPoolExecutor(1) as other:
        waiting = other.submit(stored, storage)
        with pytest.raises(StorageUnavailable, match="took longer"):
            waiting.result()


def test_two_storages_may_be_used_inside_each_other() -> None:
    one, other = MemoryStorage(), MemoryStorage()
    with one.transaction() as tx, other.transaction():
        tx.write(NEW)
    assert (stored(one), stored(other)) == (CART, None)


@pytest.mark.parametrize("kind", ["transaction", "reading"])
def test_a_transaction_that_has_ended_takes_no_more_writes(kind: str) -> None:
    storage = MemoryStorage()
    with getattr(storage, kind)() as tx:
        pass
    with pytest.raises(RuntimeError, match="has ended"):
        tx.write(NEW)


@given(
    committed=st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 9))),
    undone=st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 9))),
)
def test_what_is_undone_is_as_if_it_had_never_been(
    committed: list[tuple[int, int | None]], undone: list[tuple[int, int | None]]
) -> None:
    """For every row and every group of a table, whatever is written over and deleted in between."""
    undo = Undo()
    table: Table[int, int] = Table(undo, lambda _, row: row % 3)

    def state() -> tuple[dict[int, int], dict[object, dict[int, int]]]:
        return dict(table.items()), {group: dict(rows) for group, rows in table.groups()}

    def write(changes: list[tuple[int, int | None]]) -> None:
        for key, row in changes:
            if row is None:
                table.drop(key)
            else:
                table.put(key, row)

    write(committed)
    mark, before = undo.mark(), state()
    write(undone)
    undo.back_to(mark)
    assert state() == before


# --- commits that fail ------------------------------------------------------------------------------------


def test_a_commit_can_be_made_to_fail_before_anything_is_written() -> None:
    storage = MemoryStorage()
    storage.fail_next_commit()
    with pytest.raises(StorageUnavailable), storage.transaction() as tx:
        tx.write(NEW)
    assert stored(storage) is None


def test_a_commit_can_be_made_to_work_while_the_news_of_it_is_lost() -> None:
    storage = MemoryStorage()
    storage.fail_next_commit(written=True)
    with pytest.raises(StorageUnavailable), storage.transaction() as tx:
        tx.write(NEW)
    assert stored(storage) == CART


def test_a_commit_fails_with_the_error_that_was_asked_for_and_only_once() -> None:
    storage = MemoryStorage()
    storage.fail_next_commit(StorageFull(reason="no space left"))
    with pytest.raises(StorageFull), storage.transaction() as tx:
        tx.write(NEW)
    with storage.transaction() as tx:
        tx.write(NEW)
    assert stored(storage) == CART


def test_failures_queue_up_and_only_commits_use_them() -> None:
    storage = MemoryStorage()
    storage.fail_next_commit()
    storage.fail_next_commit(written=True)
    assert stored(storage) is None
    with suppress(ZeroDivisionError), storage.transaction():
        raise ZeroDivisionError
    for _ in range(2):
        with pytest.raises(StorageUnavailable), storage.transaction() as tx:
            tx.write(NEW)
    assert stored(storage) == CART


# --- joining ----------------------------------------------------------------------------------------------


def test_only_a_running_writing_transaction_of_the_same_storage_can_be_joined() -> None:
    storage, other = MemoryStorage(), MemoryStorage()
    with storage.transaction() as ended:
        pass
    with other.transaction() as foreign, storage.reading() as reading:
        for connection in (None, object(), ended, foreign, reading):
            with pytest.raises(Misconfigured, match="a running read-write transaction"):
                storage.joined(connection)


def test_a_joined_transaction_sees_what_the_callers_has_noted() -> None:
    storage = MemoryStorage()
    with storage.transaction() as tx:
        tx.write(NEW)
        assert stored(storage.joined(tx)) == CART


def test_a_joined_storage_can_be_joined_again() -> None:
    storage = MemoryStorage()
    with storage.transaction() as tx, storage.joined(tx).joined(tx).transaction() as inner:
        inner.write(NEW)
    assert stored(storage) == CART


# --- URLs -------------------------------------------------------------------------------------------------


def test_each_storage_without_a_name_is_a_new_one() -> None:
    one, other = connect("memory://"), connect("memory://", schema=None)
    with one.transaction() as tx:
        tx.write(NEW)
    assert (stored(one), stored(other)) == (CART, None)


def test_a_named_storage_is_the_same_one_everywhere_in_the_process() -> None:
    url = f"memory://{uuid4()}"
    with connect(url).transaction() as tx:
        tx.write(NEW)
    assert stored(connect(url)) == CART


@pytest.mark.parametrize("url", ["sqlite://", "memory", "memory:", "", "memory:/x"])
def test_other_urls_are_not_for_memory(url: str) -> None:
    with pytest.raises(Misconfigured):
        connect(url)


def test_an_option_that_memory_does_not_have_is_refused() -> None:
    with pytest.raises(Misconfigured, match="pool_size"):
        connect("memory://", pool_size=5)
