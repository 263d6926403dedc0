"""Mistakes with transactions: what is not undone, seen too early, or not written at all."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from threading import Barrier, BrokenBarrierError, current_thread, main_thread
from typing import Any
from weakref import WeakKeyDictionary

from omniorder.adapters.memory import storage as adapter
from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.storage import JoinedMemoryStorage, MemoryStorage
from omniorder.adapters.memory.tables import Table, Undo
from omniorder.errors import OmniorderError, StorageFault, StorageUnavailable
from omniorder.ports.writes import Writes
from tests.adapters.broken import Patch, breaks, carry, method


def _around(patch: Patch, wrapper: Any, of: type = MemoryStorage) -> None:
    """Replace `transaction` by a context manager around the original one."""
    original = vars(of)["transaction"]
    patch.setattr(of, "transaction", contextmanager(lambda storage: wrapper(original, storage)))


# --- what a transaction leaves behind ---------------------------------------------------------------------


@breaks("everything_is_written_when_the_block_ends")
def one_kind_is_not_written(patch: Patch) -> None:
    carry(patch, "movements", lambda db, writes: None)


@breaks("nothing_is_written_when_the_block_raises", "what_was_flushed_is_undone_when_the_block_raises")
def committed_whatever_happens(patch: Patch) -> None:
    def wrapper(original: Any, storage: Any) -> Generator[Any]:
        raised: list[BaseException] = []
        with original(storage) as tx:
            try:
                yield tx
            except BaseException as error:
                raised.append(error)
        if raised:
            raise raised[0]

    _around(patch, wrapper)


@breaks(
    "what_was_flushed_is_undone_when_the_block_raises",
    "several_flushes_are_one_transaction",
    "one_refusal_undoes_everything_else",
    "a_full_slot_refuses_the_stock_too",
    "a_repeated_key_undoes_the_command",
    "promise_and_reservation_change_together_or_not_at_all",
    "a_movement_is_inserted_once",
    "a_claim_is_undone_with_its_transaction",
)
def nothing_is_ever_undone(patch: Patch) -> None:
    patch.setattr(Undo, "back_to", lambda undo, mark: None)


@breaks("one_refusal_undoes_everything_else")
def stock_is_not_undone(patch: Patch) -> None:
    original = writing.STEPS["stock"]

    def step(db: Database, writes: Any) -> None:
        original(db, writes)
        db.undo.forget()

    carry(patch, "stock", step)


@breaks("an_exception_leaves_the_block_as_it_was_raised")
def exceptions_are_wrapped(patch: Patch) -> None:
    def wrapper(original: Any, storage: Any) -> Generator[Any]:
        try:
            with original(storage) as tx:
                yield tx
        except OmniorderError:
            raise
        except Exception as error:
            raise StorageFault(reason="unexpected") from error

    _around(patch, wrapper)


@breaks("an_exception_leaves_the_block_as_it_was_raised")
def exceptions_are_swallowed(patch: Patch) -> None:
    def wrapper(original: Any, storage: Any) -> Generator[Any]:
        with suppress(Exception), original(storage) as tx:
            yield tx

    _around(patch, wrapper)


@breaks("what_is_only_noted_is_not_seen")
def written_at_once(patch: Patch) -> None:
    def write(original: Any, tx: Any, writes: Writes) -> None:
        original(tx, writes)
        tx.flush()

    method(patch, "write", write)


@breaks("writing_nothing_is_fine")
def writing_nothing_is_refused(patch: Patch) -> None:
    def write(original: Any, tx: Any, writes: Writes) -> None:
        if writes == Writes():
            raise StorageFault(reason="nothing to write")
        original(tx, writes)

    method(patch, "write", write)


@breaks("a_storage_works_on_after_a_refusal")
def a_refusal_spoils_the_connection(patch: Patch) -> None:
    spoiled: list[Exception] = []

    def flush(original: Any, tx: Any) -> None:
        if spoiled:
            raise StorageUnavailable(reason="this connection is spoiled")
        try:
            original(tx)
        except OmniorderError as error:
            spoiled.append(error)
            raise

    method(patch, "flush", flush)


@breaks("a_refusal_that_is_caught_inside_commits_nothing")
def a_refusal_that_is_caught_is_forgotten(patch: Patch) -> None:
    def flush(original: Any, tx: Any) -> None:
        try:
            original(tx)
        finally:
            tx._failure = None

    method(patch, "flush", flush)


@breaks("a_reading_transaction_refuses_to_write")
def reading_writes(patch: Patch) -> None:
    patch.setattr(MemoryStorage, "reading", MemoryStorage.transaction)


@breaks("migrating_again_keeps_what_is_stored")
def migrating_begins_anew(patch: Patch) -> None:
    patch.setattr(MemoryStorage, "migrate", lambda storage: storage.__init__())


@breaks("two_storages_share_nothing")
def one_database_for_all(patch: Patch) -> None:
    shared = Database()
    patch.setattr(adapter, "Database", lambda: shared)


@breaks("a_storage_of_its_own_is_not_joined")
def always_joined(patch: Patch) -> None:
    patch.setattr(MemoryStorage, "is_joined", True)


@breaks(
    "of_edits_at_the_same_time_exactly_one_is_kept",
    "accepting_and_lapsing_at_once_only_one_happens",
    "hand_over_and_no_show_at_once_only_one_happens",
    "of_two_customers_one_gets_the_last_unit",
    "many_customers_never_get_more_than_there_is",
    "of_several_customers_one_gets_the_last_place",
    "workers_never_share_a_timer_and_forget_none",
    "tries_at_the_same_time_are_all_counted",
    "of_two_commands_under_one_key_one_is_answered",
)
def reading_then_writing_without_a_lock(patch: Patch) -> None:
    """The usual oversell: both see what was there before the other wrote.

    Threads are made to read in pairs, so that it is sure to happen; once one finds no partner, nobody waits.
    """
    original = Table.get
    pairs: WeakKeyDictionary[Undo, Barrier] = WeakKeyDictionary()

    def get(table: Any, key: Any) -> Any:
        row = original(table, key)
        if current_thread() is not main_thread():
            with suppress(BrokenBarrierError):
                pairs.setdefault(table._undo, Barrier(2)).wait(timeout=1)
        return row

    patch.setattr(MemoryStorage, "_alone", lambda storage: nullcontext())
    patch.setattr(Undo, "note", lambda undo, table, key, before: None)
    patch.setattr(Table, "get", get)


# --- joining ----------------------------------------------------------------------------------------------


@breaks("a_joined_storage_says_so")
def joined_without_saying_so(patch: Patch) -> None:
    patch.setattr(JoinedMemoryStorage, "is_joined", False)


@breaks("what_is_written_inside_is_seen_inside_and_committed_outside")
def joined_writes_that_are_lost(patch: Patch) -> None:
    def wrapper(original: Any, storage: Any) -> Generator[Any]:
        with suppress(ZeroDivisionError), original(storage) as tx:
            yield tx
            raise ZeroDivisionError

    _around(patch, wrapper, JoinedMemoryStorage)


@breaks("what_is_written_inside_is_undone_with_the_callers_transaction")
def joined_writes_that_commit(patch: Patch) -> None:
    def wrapper(original: Any, storage: Any) -> Generator[Any]:
        with original(storage) as tx:
            yield tx
        tx.database.undo.forget()

    _around(patch, wrapper, JoinedMemoryStorage)


@breaks("a_refusal_inside_undoes_only_itself")
def a_joined_refusal_undoes_everything(patch: Patch) -> None:
    def wrapper(original: Any, storage: Any) -> Generator[Any]:
        with original(storage) as tx:
            try:
                yield tx
                tx.flush()
            except OmniorderError:
                tx.database.undo.back_to(0)
                raise

    _around(patch, wrapper, JoinedMemoryStorage)


@breaks("closing_a_joined_storage_leaves_the_callers_transaction")
def closing_rolls_the_caller_back(patch: Patch) -> None:
    patch.setattr(JoinedMemoryStorage, "close", lambda storage: storage._db.undo.back_to(0))
