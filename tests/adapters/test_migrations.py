"""The migrations make the tables that the code declares, once, and anywhere in somebody else's database."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from attrs import evolve
from sqlalchemy import Engine, MetaData, Table, Text, create_engine, inspect, text
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import Column
from sqlmodel import SQLModel

from omniorder.adapters import sql
from omniorder.adapters.sql import (
    SqlStorage,
    carts,
    connect,
    include_name,
    migrate_sql,
    orderlines,
    orders,
    payments,
    pickups,
    reservations,
    stock,
)
from omniorder.adapters.sql.schema import (
    ATTEMPT,
    CART,
    CART_LINE,
    METADATA,
    MOVEMENT,
    NEEDED,
    NOTE,
    ORDER,
    ORDER_LINE,
    PAYMENT,
    PICKUP,
    PICKUP_LINE,
    RESERVATION,
    RESERVATION_LINE,
    STOCK,
)
from omniorder.domain.events import CartMerged
from omniorder.domain.handling import USUAL
from omniorder.domain.stock import Level
from omniorder.domain.store_services import Service
from omniorder.errors import Misconfigured, SchemaOutdated
from omniorder.ports.writes import CartWrite, CustomerWrite, StockChange
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import put, read
from omniorder.testing.samples import MILK, SOFIA

VERSION = "omniorder_version"
CATALOGUE = """
    SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
           || ' ' || coalesce(l.collname, '') || ' ' || a.attnotnull::text || a.attidentity::text
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation l ON l.oid = a.attcollation
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
    UNION ALL
    SELECT 'constraint', c.relname, n.conname, pg_get_constraintdef(n.oid)
      FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
     WHERE c.relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@contextmanager
def opened(url: str, **options: Any) -> Generator[SqlStorage]:
    storage = connect(url, **options)
    try:
        yield storage
    finally:
        storage.close()


def migrate(url: str, **options: Any) -> None:
    with opened(url, **options) as storage:
        storage.migrate()


@contextmanager
def engine(url: str, schema: str | None = None) -> Generator[Engine]:
    """An engine of the caller's, that looks into this schema first."""
    arguments = {} if schema is None else {"connect_args": {"options": f"-c search_path={schema}"}}
    made = create_engine(url, poolclass=NullPool, **arguments)
    yield made
    made.dispose()


def words(statement: str) -> str:
    """A statement's words in an order of their own: constraints may be named in any."""
    return " ".join(sorted(re.findall(r"[^\s\",]+", statement)))


def catalogue(engine: Engine) -> set[tuple[str, ...]]:
    """All that the database itself knows about our tables; the names of schemas are left out."""
    with engine.connect() as connection:
        if engine.name == "sqlite":
            rows = connection.exec_driver_sql("SELECT type, tbl_name, name, sql FROM sqlite_master").all()
            found = {
                (*row[:3], " ".join(sorted((row[3] or "").replace('"', "").replace(",", " ").split()))) for row in rows
            }
        else:
            schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
            rows = connection.exec_driver_sql(CATALOGUE).all()
            found = {(*row[:3], row[3].replace(f"{schema}.", "").replace(f'"{schema}".', "")) for row in rows}
    return {row for row in found if row[1] != VERSION}


# --- what they make ---------------------------------------------------------------------------------------


def test_alembic_finds_nothing_to_change_after_the_migrations(url: str) -> None:
    migrate(url)
    options = {"target_metadata": METADATA, "version_table": VERSION, "compare_type": True}
    with engine(url) as made, made.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
    assert differences == []


@pytest.mark.parametrize("schema", [None, "shop"])
def test_the_migrations_make_exactly_what_is_declared(postgres_database: Callable[[], str], schema: str | None) -> None:
    """Down to collations and CHECK constraints, which Alembic doesn't compare."""
    migrated, declared = postgres_database(), postgres_database()
    migrate(migrated, schema=schema)
    with engine(declared) as made:
        METADATA.create_all(made)
        expected = catalogue(made)
    with engine(migrated, schema) as made:
        assert catalogue(made) == expected
    assert {row[1] for row in expected} == set(METADATA.tables)


def test_on_sqlite_too(tmp_path: Path) -> None:
    migrated, declared = (f"sqlite:///{(tmp_path / name).as_posix()}" for name in ("migrated.db", "declared.db"))
    migrate(migrated)
    with engine(declared) as made, engine(migrated) as other:
        METADATA.create_all(made)
        assert catalogue(other) == catalogue(made)


def test_every_table_of_sqlite_is_strict(sqlite_url: str) -> None:
    migrate(sqlite_url)
    with engine(sqlite_url) as made, made.connect() as connection:
        tables = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list WHERE name LIKE 'omniorder%'")
        loose = {row.name for row in tables if not row.strict}
    assert loose == {VERSION}


def test_the_code_needs_the_last_revision() -> None:
    scripts = ScriptDirectory(str(Path(sql.__file__).with_name("migrations")))
    assert scripts.get_heads() == [NEEDED]


def test_nothing_is_declared_on_the_metadata_that_the_retailer_may_use() -> None:
    assert not [name for name in SQLModel.metadata.tables if name.startswith("omniorder")]


# --- running them -----------------------------------------------------------------------------------------


def test_several_that_start_at_once_wait_for_the_one_that_migrates(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate, url) for _ in range(4)]:
            done.result()
    with opened(url) as storage:
        assert read(storage, lambda tx: tx.stores()) == ()


def test_migrating_waits_for_another_process_as_long_as_it_takes(postgres_url: str) -> None:
    """The lock is PostgreSQL's, so it also keeps processes apart, and no time limit of ours ends the wait."""
    libpq = postgres_url.replace("+psycopg", "")
    with psycopg.connect(libpq) as other, ThreadPoolExecutor(1) as pool:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (0x6F6D6E69,))
        waiting = pool.submit(migrate, postgres_url, lock_timeout=0.01)
        while other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (1,):
            assert not waiting.done()
        other.commit()
        waiting.result()


def test_a_schema_that_is_there_is_used_as_it_is(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
        other.execute("CREATE SCHEMA shop")
    migrate(postgres_url, schema="shop")
    with engine(postgres_url) as made:
        assert "omniorder_cart" in inspect(made).get_table_names(schema="shop")
        assert inspect(made).get_table_names() == []


def test_two_schemas_of_one_database_share_nothing(postgres_url: str) -> None:
    with opened(postgres_url, schema="one") as one, opened(postgres_url, schema="Two's") as two:
        one.migrate()
        two.migrate()
        put(one, stock=(StockChange(SOFIA, MILK, on_hand=1),))
        assert read(two, lambda tx: tx.levels([MILK])) == ()
        two_levels = (StockChange(SOFIA, MILK, on_hand=2),)
        put(two, stock=two_levels)
        assert read(one, lambda tx: tx.levels([MILK])[0].on_hand) == 1


def test_what_is_in_tables_of_the_first_version_is_kept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cart, kept = samples.cart(), samples.reservation()
    with monkeypatch.context() as first:
        upgrade = command.upgrade
        first.setattr(command, "upgrade", lambda config, _: upgrade(config, "0001"))
        migrate(url)
    with engine(url) as made, made.begin() as connection:
        rows = {"id": cart.id} | carts._values(cart)
        connection.execute(CART.insert(), {name: value for name, value in rows.items() if name != "merged_into"})
        lines = [{name: value for name, value in row.items() if name != "consent"} for row in carts._line_rows(cart)]
        connection.execute(CART_LINE.insert(), lines)
        connection.execute(NOTE.insert(), carts.note_rows(cart))
        key = {"store_id": kept.store, "id": kept.id}
        connection.execute(RESERVATION.insert(), key | reservations._values(kept))
        connection.execute(RESERVATION_LINE.insert(), reservations._line_rows(kept))
    with opened(url) as storage:
        with pytest.raises(SchemaOutdated) as raised:
            read(storage, lambda tx: tx.cart(cart.id))
        assert dict(raised.value.facts) == {"found": "0001", "needed": NEEDED}
        storage.migrate()
        assert read(storage, lambda tx: tx.cart(cart.id)) == cart
        assert read(storage, lambda tx: tx.reservation(kept.id)) == kept  # of our own levels, as all were then
        after = samples.changed(cart, CartMerged(samples.cart(2).id))
        put(storage, carts=(CartWrite(cart, after),), customers=(CustomerWrite(cart.owner, 0, 1),))
        assert read(storage, lambda tx: tx.cart(cart.id)) == after


def test_an_order_of_the_second_version_has_no_tolerance(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order = samples.ready(samples.authorised(samples.order()))
    with monkeypatch.context() as second:
        upgrade = command.upgrade
        second.setattr(command, "upgrade", lambda config, _: upgrade(config, "0002"))
        migrate(url)
    new = {"tolerance", "ordered", "awaited", "holds", "question", "trouble", "short", "collect"}
    new |= {"disputed", "method", "now", "replaces", "means", "corrections"}
    new |= {"handling", "instead_of", "added", "replaced", "returned", "collected_at", "pickers", "wave", "tote"}
    new |= {"reminders", "reminded", "extended", "spoils_at", "consent", "proposals", "left_offline"}
    new |= {"proxy", "expected_at", "arrived_at", "bay", "attended_by", "bins"}
    written = {
        ORDER: [{"store_id": order.store, "id": order.id} | orders._values(order)],
        ORDER_LINE: orderlines.line_rows(order),
        NOTE: orderlines.note_rows(order),
        PAYMENT: payments._payment_rows(order),
        ATTEMPT: payments._attempt_rows(order),
        PICKUP: [pickups._row(order, order.pickup)],
        PICKUP_LINE: pickups._line_rows(order.pickup),
    }
    with engine(url) as made, made.begin() as connection:
        for table, rows in written.items():
            later = new | {"until"} if table is PAYMENT else new
            known = [{name: value for name, value in row.items() if name not in later} for row in rows]
            connection.execute(table.insert(), known)
    with opened(url) as storage:
        storage.migrate()
        lines = tuple(evolve(line, handling=USUAL) for line in order.lines)
        known_then = evolve(order, lines=lines, pickup=evolve(order.pickup, collect=Service.PICKUP))
        assert read(storage, lambda tx: tx.order(order.id)) == known_then
        assert all(line.tolerance == 0 and line.ordered == line.quantity for line in order.pickup.lines)


def test_levels_and_movements_of_an_earlier_version_have_nothing_in_quarantine(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = samples.movement()
    with monkeypatch.context() as first:
        upgrade = command.upgrade
        first.setattr(command, "upgrade", lambda config, _: upgrade(config, "0002"))
        migrate(url)
    with engine(url) as made, made.begin() as connection:
        level = {"store_id": SOFIA, "sku": MILK, "on_hand": 12, "reserved": 0, "safety": 2}
        connection.execute(STOCK.insert(), level)
        values = stock._values(delivery)
        del values["quarantined"]
        connection.execute(MOVEMENT.insert(), values)
    with opened(url) as storage:
        storage.migrate()
        assert read(storage, lambda tx: tx.levels([MILK])) == (Level(SOFIA, MILK, 12, 0, 2),)
        assert read(storage, lambda tx: tx.movements(SOFIA, MILK, after=None, limit=9)) == (delivery,)
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-3, quarantined=3),))
        assert read(storage, lambda tx: tx.levels([MILK])) == (Level(SOFIA, MILK, 9, 0, 2, 3),)


def test_logging_stays_as_the_application_has_set_it_up(sqlite_url: str) -> None:
    def setup() -> tuple[object, ...]:
        loggers = [logging.getLogger(name) for name in (None, "alembic", "sqlalchemy", "sqlalchemy.engine")]
        return tuple((log.level, tuple(log.handlers), log.disabled, log.propagate) for log in loggers)

    before = setup()
    migrate(sqlite_url)
    assert setup() == before


# --- tables that don't fit --------------------------------------------------------------------------------


def test_tables_that_are_missing_are_told(url: str) -> None:
    with opened(url) as storage:
        for block in (storage.reading, storage.transaction):
            with pytest.raises(SchemaOutdated) as raised, block():
                pass
            assert dict(raised.value.facts) == {"found": "no version", "needed": NEEDED}
            assert not raised.value.retry
        storage.migrate()
        assert read(storage, lambda tx: tx.stores()) == ()


def test_tables_of_another_version_are_told(url: str) -> None:
    migrate(url)
    with engine(url) as made, made.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION} SET version_num = '9999'"))
    with opened(url) as storage:
        for use in (lambda: read(storage, lambda tx: tx.stores()), storage.migrate):
            with pytest.raises(SchemaOutdated) as raised:
                use()
            assert raised.value.facts["found"] == "9999"


def test_the_version_is_looked_at_once(sqlite_url: str) -> None:
    with opened(sqlite_url) as storage:
        storage.migrate()
        read(storage, lambda tx: tx.stores())
        with engine(sqlite_url) as made, made.begin() as connection:
            connection.execute(text(f"DROP TABLE {VERSION}"))
        assert read(storage, lambda tx: tx.stores()) == ()


# --- for administrators and for the retailer's own Alembic ------------------------------------------------


@pytest.mark.parametrize("schema", [None, "shop"])
def test_the_sql_for_administrators_makes_the_same_tables(postgres_url: str, schema: str | None) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as administrator:
        administrator.execute(migrate_sql(postgres_url, schema).encode())
    with engine(postgres_url, schema) as made:
        written = catalogue(made)
    with opened(postgres_url, schema=schema) as storage:
        assert read(storage, lambda tx: tx.stores()) == ()
        storage.migrate()
    with engine(postgres_url, schema) as made:
        assert catalogue(made) == written


def test_the_sql_for_administrators_of_sqlite_too(tmp_path: Path, sqlite_url: str) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as administrator:
        administrator.executescript(migrate_sql(sqlite_url))
    with opened(sqlite_url) as storage:
        assert read(storage, lambda tx: tx.stores()) == ()


@pytest.mark.parametrize(("url", "schema"), [("mysql://h/d", None), ("sqlite://", "shop"), ("nonsense", None)])
def test_there_is_no_sql_for_other_databases(url: str, schema: str | None) -> None:
    with pytest.raises(Misconfigured):
        migrate_sql(url, schema)


def test_the_retailers_alembic_does_not_see_our_tables(url: str) -> None:
    """Without `include_name` it would propose to drop them."""
    migrate(url)
    theirs = MetaData()
    Table("orders", theirs, Column("id", Text, primary_key=True))
    with engine(url) as made, made.connect() as connection:
        theirs.create_all(connection)
        seen = compare_metadata(MigrationContext.configure(connection, opts={"include_name": include_name}), theirs)
        connection.rollback()
        unhidden = compare_metadata(MigrationContext.configure(connection), MetaData())
    assert seen == []
    assert any(change[0] == "remove_table" for change in unhidden)


def test_include_name_hides_our_tables_only() -> None:
    assert not include_name("omniorder_cart", "table", {})
    assert not include_name("omniorder_version", "table", {})
    assert include_name("orders", "table", {})
    assert include_name("omniorder_shop", "schema", {})
    assert include_name(None, "schema", {})
