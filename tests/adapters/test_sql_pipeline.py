"""On PostgreSQL a command's writes travel together, their COMMIT with them; refused and broken as if they didn't."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from sqlalchemy import text

from omniorder.adapters.sql import SqlStorage, connect, guarding, pipeline
from omniorder.adapters.sql.link import Step
from omniorder.domain import events as e
from omniorder.domain import promises
from omniorder.errors import (
    AlreadyThere,
    Misconfigured,
    SchemaOutdated,
    StaleWrite,
    StorageFault,
    StorageUnavailable,
)
from omniorder.ports.storage import Storage, Transaction
from omniorder.ports.writes import CartWrite, JournalEntry, OrderWrite, PromiseWrite, StockChange, TimerWrite, Writes
from omniorder.services.looking import look_in
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import put, read
from omniorder.testing.samples import MILK, NOW, SOFIA
from tests.emptied import Fresh, postgres_database

CART, HELD, ORDER = samples.cart(), samples.promise(), samples.order()
ABANDONED = samples.changed(CART, e.CartAbandoned())
NEW = Writes(carts=(CartWrite(None, CART),))


@pytest.fixture(scope="module")
def emptied(postgres_server: str) -> Generator[Fresh]:
    with postgres_database(postgres_server) as fresh:
        yield fresh


@pytest.fixture
def url(emptied: Fresh) -> str:
    return emptied()


@contextmanager
def opened(url: str, **options: Any) -> Generator[SqlStorage]:
    storage = connect(url, **options)
    try:
        yield storage
    finally:
        storage.close()


@pytest.fixture
def storage(url: str) -> Generator[SqlStorage]:
    with opened(url) as made:
        yield made


def stored(storage: Storage) -> object:
    return read(storage, lambda tx: tx.cart(CART.id))


def reserved(storage: Storage) -> int:
    return read(storage, lambda tx: sum(level.reserved for level in tx.levels([MILK])))


# --- refusals ---------------------------------------------------------------------------------------------


def test_of_many_writes_the_one_whose_key_is_taken_is_named(storage: SqlStorage) -> None:
    orders = tuple(OrderWrite(None, samples.order(number)) for number in (1, 2, 3))
    put(storage, orders=orders[1:2])
    with pytest.raises(AlreadyThere) as raised:
        put(storage, carts=NEW.carts, orders=orders)
    assert dict(raised.value.facts) == {"kind": "order", "id": orders[1].after.id}
    assert stored(storage) is None


def test_of_many_writes_the_one_that_comes_too_late_is_named(storage: SqlStorage) -> None:
    put(storage, carts=NEW.carts, promises=(PromiseWrite(None, HELD),))
    withdrawn = promises.apply(HELD, e.PromiseWithdrawn(HELD.id))
    put(storage, promises=(PromiseWrite(HELD, withdrawn),))
    with pytest.raises(StaleWrite) as raised:
        put(storage, carts=(CartWrite(CART, ABANDONED),), promises=(PromiseWrite(HELD, withdrawn),))
    assert dict(raised.value.facts) == {"kind": "promise", "id": HELD.id}
    assert stored(storage) == CART


def test_of_several_refusals_the_first_in_the_order_of_writing_is_told(storage: SqlStorage) -> None:
    put(storage, orders=(OrderWrite(None, ORDER),))
    short = (StockChange(SOFIA, MILK, reserved=1, promise=True),)
    with pytest.raises(StaleWrite, match="cart"):
        put(storage, carts=(CartWrite(CART, ABANDONED),), orders=(OrderWrite(None, ORDER),), stock=short)
    with pytest.raises(AlreadyThere, match="order"):
        put(storage, carts=NEW.carts, orders=(OrderWrite(None, ORDER),), stock=short)


def unguarded(step: Step) -> Step:
    return step


def test_without_the_guard_a_late_write_would_be_committed_with_the_others(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: nobody looks at what was changed before the COMMIT, so the statement itself must fail."""
    put(storage, carts=NEW.carts)
    put(storage, carts=(CartWrite(CART, ABANDONED),))
    late = {"carts": (CartWrite(CART, ABANDONED),), "stock": (StockChange(SOFIA, MILK, on_hand=1),)}
    with pytest.raises(StaleWrite):
        put(storage, **late)
    assert read(storage, lambda tx: tx.levels([MILK])) == ()
    monkeypatch.setattr(pipeline, "strictly", unguarded)
    put(storage, **late)
    assert len(read(storage, lambda tx: tx.levels([MILK]))) == 1


def never_enough(step: Step) -> Step:
    """A guard that refuses what it shouldn't: as if somebody had been in the way for a moment."""
    strict = guarding.strictly(step)
    return strict._replace(params=strict.params | {"rows_due": 99}) if isinstance(strict.params, dict) else strict


def test_what_was_refused_is_tried_again_one_by_one(storage: SqlStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no telling why it was refused from outside, and by then the reason may be gone."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=5),), carts=NEW.carts)
    monkeypatch.setattr(pipeline, "strictly", never_enough)
    change = StockChange(SOFIA, MILK, reserved=2, promise=True)
    put(storage, carts=(CartWrite(CART, ABANDONED),), stock=(change,))
    assert (stored(storage), reserved(storage)) == (ABANDONED, 2)


def count_and_write(storage: Storage) -> int | None:
    """A try is counted at once, in a transaction whose other writes come at its end. How many tries there are then."""
    with storage.transaction() as tx:
        tx.count_try(ORDER.id, 1, 5)
        tx.write(Writes(carts=(CartWrite(CART, ABANDONED),)))
    with storage.transaction() as tx:
        return tx.count_try(ORDER.id, 1, 5)


def test_what_was_written_at_once_is_not_lost_with_a_refusal(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(storage, carts=NEW.carts)
    monkeypatch.setattr(pipeline, "strictly", never_enough)
    assert count_and_write(storage) == 2


def test_if_it_were_taken_for_a_read_it_would_be_lost(storage: SqlStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    put(storage, carts=NEW.carts)
    monkeypatch.setattr(pipeline, "strictly", never_enough)
    monkeypatch.setattr(pipeline, "reads", lambda _: True)
    assert count_and_write(storage) == 1


# --- faults -----------------------------------------------------------------------------------------------


def test_an_error_in_the_middle_leaves_nothing(postgres_url: str) -> None:
    with opened(postgres_url) as storage:
        storage.migrate()
        with storage.transaction() as tx:
            tx.connection.execute(text("DROP TABLE omniorder_timer"))
        with pytest.raises(SchemaOutdated):
            put(storage, carts=NEW.carts, timers=(TimerWrite(SOFIA, ORDER.id, NOW),), articles=samples.articles())
        assert stored(storage) is None
        put(storage, carts=NEW.carts)


def hang_up(url: str, state: str) -> None:
    """Let the server end every other session of this database that is in this state."""
    ended = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = %s"""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as admin:
        assert admin.execute(ended, (state,)).fetchall()


def test_a_connection_that_broke_while_it_waited_is_replaced(url: str, storage: SqlStorage) -> None:
    put(storage, carts=NEW.carts)
    hang_up(url, "idle")
    with pytest.raises(StorageUnavailable) as raised:
        stored(storage)
    assert raised.value.retry
    assert stored(storage) == CART


def test_all_that_waited_with_it_are_replaced_too(url: str, storage: SqlStorage) -> None:
    """So that a restart of the server costs one error and not one for each connection in the pool."""
    with storage.reading(), storage.reading(), storage.reading():
        pass
    hang_up(url, "idle")
    with pytest.raises(StorageUnavailable):
        stored(storage)
    for _ in range(3):
        assert stored(storage) is None


def test_a_connection_that_breaks_while_it_writes_is_told_as_unavailable(url: str, storage: SqlStorage) -> None:
    put(storage, carts=NEW.carts)
    with ThreadPoolExecutor(1) as other, storage.transaction() as tx:
        tx.write(Writes(carts=(CartWrite(CART, ABANDONED),)))
        tx.flush()
        waiting = other.submit(put, storage, carts=(CartWrite(CART, ABANDONED),), articles=samples.articles())
        until_somebody_waits(tx.connection)
        hang_up(url, "active")
        with pytest.raises(StorageUnavailable):
            waiting.result()
    assert stored(storage) == ABANDONED
    assert read(storage, lambda tx: dict(tx.articles([MILK]))) == {}


def until_somebody_waits(connection: Any) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while not connection.exec_driver_sql(waiting).scalar_one():
        pass


def test_who_is_interrupted_while_waiting_for_an_answer_leaves_nothing_behind(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the database, and no connection on which the next one would hear the answer."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=1),))

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def command(patch: pytest.MonkeyPatch) -> None:
        with storage.transaction() as tx:
            tx.write(NEW)
            tx.flush()
            patch.setattr(psycopg.Connection, "wait", interrupted)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        command(patch)
    assert stored(storage) is None
    assert len(read(storage, lambda tx: tx.levels([MILK]))) == 1


# --- prepared statements ----------------------------------------------------------------------------------


def prepared(storage: Storage) -> int:
    """How many prepared statements the one connection of this storage has."""
    with storage.reading() as tx:
        return int(tx.connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar_one())


def test_statements_are_prepared_once(storage: SqlStorage) -> None:
    put(storage, carts=NEW.carts)
    assert stored(storage) == CART
    known = prepared(storage)
    for _ in range(3):
        stored(storage)
    assert (known > 0, prepared(storage)) == (True, known)


def test_who_switches_preparing_off_has_none(url: str) -> None:
    with opened(url, connect_args={"prepare_threshold": None}) as storage:
        put(storage, carts=NEW.carts)
        for _ in range(10):
            assert stored(storage) == CART
        assert prepared(storage) == 0


def test_statements_that_somebody_deallocates_are_prepared_anew(storage: SqlStorage) -> None:
    """A handler's `DISCARD ALL`, or a pooler between us and the server."""
    put(storage, carts=NEW.carts)
    assert stored(storage) == CART
    with storage.reading() as tx:
        tx.connection.exec_driver_sql("DEALLOCATE ALL")
    with pytest.raises(StorageUnavailable) as raised:
        stored(storage)
    assert raised.value.retry
    assert stored(storage) == CART


def test_a_statement_that_could_not_be_prepared_is_prepared_when_it_can_be(postgres_url: str) -> None:
    with opened(postgres_url) as storage:
        storage.migrate()
        with storage.transaction() as tx:
            tx.connection.execute(text("ALTER TABLE omniorder_cart RENAME TO hidden"))
        for _ in range(2):
            with pytest.raises(SchemaOutdated):
                put(storage, carts=NEW.carts)
        with storage.transaction() as tx:
            tx.connection.execute(text("ALTER TABLE hidden RENAME TO omniorder_cart"))
        put(storage, carts=NEW.carts)
        assert stored(storage) == CART


# --- values -----------------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(ANY_TEXT, min_size=1, max_size=3))
def test_every_text_comes_back_as_it_was(storage: SqlStorage, texts: list[str]) -> None:
    """Alone, in a list and in JSON, whatever it has in common with how PostgreSQL writes these."""
    movements = tuple(evolve(samples.movement(number), reason=one) for number, one in enumerate(texts, 1))
    entries = tuple(
        JournalEntry(CART.id, CART.id, number, evolve(samples.stamp(), via=one), (e.Declined("pay_1", reason=one),))
        for number, one in enumerate(texts, 1)
    )
    with storage.transaction() as tx:
        tx.write(Writes(movements=movements, journal=entries))
        tx.flush()
        found = tx.movements(SOFIA, MILK, after=None, limit=9)
        told = tx.journal(CART.id, CART.id, after=0, limit=9)
        tx.connection.exec_driver_sql("DELETE FROM omniorder_movement")
        tx.connection.exec_driver_sql("DELETE FROM omniorder_event")
    assert found == movements
    assert [(one.stamp, one.event) for one in told] == [(one.stamp, *one.events) for one in entries]


def test_a_nul_is_refused_and_not_where_text_ends(storage: SqlStorage) -> None:
    """The protocol would cut the text off there."""
    with pytest.raises(StorageFault, match="NUL"):
        put(storage, movements=(evolve(samples.movement(), reason="broken\0off"),))


def test_an_isolation_level_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Misconfigured, match="SERIALIZABLE"):
        connect("postgresql://h/d", isolation_level="CHAOS")


def test_a_read_is_repeated_once_when_its_connection_was_lost(url: str, storage: SqlStorage) -> None:
    put(storage, carts=NEW.carts)
    hang_up(url, "idle")
    assert look_in(storage, lambda tx: tx.cart(CART.id)) == CART


def test_a_statement_that_locks_or_may_write_is_no_reading() -> None:
    """What only looked may be done anew in another transaction, where a COMMIT that was sent along is refused."""
    assert guarding.reads("SELECT 1")
    assert not guarding.reads("WITH done AS (UPDATE stock SET on_hand = 0 RETURNING 1) SELECT 1 FROM done")
    assert not guarding.reads("SELECT 1 FROM stock FOR UPDATE")
    assert not guarding.reads("SELECT 1 FROM stock FOR NO KEY UPDATE")


def test_only_what_runs_once_is_left_to_the_server_to_count() -> None:
    def judge(*_: object) -> None: ...

    once, twice = Step(text("SELECT 1"), {}, judge=judge), Step(text("SELECT 1"), [{}, {}], judge=judge)
    assert guarding.can_be_strict(once)
    assert not guarding.can_be_strict(twice)


# --- behind a pooler, and in other places where a connection is not ours alone ----------------------------


def names_after(storage: SqlStorage, look: Callable[[Transaction], object]) -> dict[str, str]:
    """What is prepared on the server under which name, once `look` has been done on a connection of its own."""
    read(storage, look)
    with storage.reading() as tx:
        rows = tx.connection.exec_driver_sql("SELECT name, statement FROM pg_prepared_statements").all()
    return {str(name): str(statement) for name, statement in rows}


def test_one_name_is_never_two_statements(url: str) -> None:
    """A pooler may lend the server's end of a connection to another process like ours, with what is prepared on it."""
    with opened(url) as one, opened(url) as other:
        first = names_after(one, lambda tx: tx.cart(CART.id))
        second = names_after(other, lambda tx: tx.stores())
    assert first != second
    assert {name: first[name] for name in first.keys() & second.keys()}.items() <= second.items()


def test_what_another_has_prepared_already_is_used(storage: SqlStorage) -> None:
    """The first try fails, since the name is taken; the next knows that it is there."""
    names = names_after(storage, lambda tx: tx.cart(CART.id))
    session = storage._source.connect()
    session.info["session"].names.clear()
    session.close()
    with pytest.raises(StorageUnavailable):
        stored(storage)
    assert stored(storage) is None
    assert names_after(storage, lambda tx: tx.cart(CART.id)).keys() >= names.keys()


def test_nothing_is_prepared_where_the_url_says_so(url: str) -> None:
    with opened(f"{url}?prepare_threshold=none") as storage:
        assert names_after(storage, lambda tx: tx.cart(CART.id)) == {}


def test_a_database_that_can_not_store_every_text_is_refused(postgres_server: str) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        name = f"omniorder_test_{uuid4().hex}"
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'")
        admin.execute(made.format(sql.Identifier(name)))
        try:
            url = urlsplit(postgres_server)._replace(path=f"/{name}").geturl()
            with opened(url) as storage, pytest.raises(Misconfigured, match=r"UTF8.*LATIN1"):
                storage.migrate()
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
