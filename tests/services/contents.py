"""Every row that a storage holds, read behind its back: to show that a refused command wrote nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg import sql

from omniorder.adapters.memory.tables import Table
from omniorder.services.hub import OrderHub

Rows = Mapping[str, list[Any]]
"""Sorted rows by table."""


@contextmanager
def looking(url: str, hub: OrderHub) -> Iterator[Callable[[], Rows]]:
    """A function that reads everything that is stored at `url`, which `hub` uses."""
    scheme, _, place = url.partition("://")
    if scheme == "memory":
        yield lambda: _in_memory(hub)
    elif scheme == "sqlite":
        with closing(sqlite3.connect(place.removeprefix("/"), isolation_level=None)) as file:
            yield lambda: _in_sqlite(file)
    else:
        with psycopg.connect(f"postgresql://{place}", autocommit=True) as server:
            tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            names = sorted(str(name) for (name,) in tables)
            yield lambda: _in_postgres(server, names)


@contextmanager
def watching(url: str, hub: OrderHub) -> Iterator[Callable[[], Rows]]:
    """The same, for tests by the thousand: it reads again only when anything may have been written since it last did.

    What says so is kept by the database itself and misses no write, at most it cries wolf.
    """
    with looking(url, hub) as look, _writes(url, hub) as written:
        seen: tuple[object, Rows] | None = None

        def read() -> Rows:
            nonlocal seen
            now = written()
            if seen is None or seen[0] != now:
                seen = now, look()
            return seen[1]

        yield read


@contextmanager
def _writes(url: str, hub: OrderHub) -> Iterator[Callable[[], object]]:
    """Something that is never the same again once a row was written."""
    scheme, _, place = url.partition("://")
    if scheme == "memory":
        yield lambda: {name: Same(dict(table.items())) for name, table in _tables(hub).items()}
    elif scheme == "sqlite":
        with closing(sqlite3.connect(place.removeprefix("/"), isolation_level=None)) as file:
            yield lambda: file.execute("PRAGMA data_version").fetchone()
    else:
        with psycopg.connect(f"postgresql://{place}", autocommit=True) as server:
            server.execute(_COUNTED)
            yield lambda: server.execute("SELECT last_value, is_called FROM tests_writes").fetchone()


_COUNTED = """
CREATE SEQUENCE tests_writes;
CREATE FUNCTION tests_count_write() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM nextval('tests_writes'); RETURN NULL; END $$;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TRIGGER tests_count_write AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION tests_count_write()', name);
    END LOOP;
END $$
"""
"""Every statement that writes moves a sequence, whose steps are never taken back, not even by a rollback."""


class Same:
    """Rows that are equal to none but the very same objects under the same keys."""

    def __init__(self, rows: Mapping[Any, Any]) -> None:
        self._rows = rows

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Same) or self._rows.keys() != other._rows.keys():
            return False
        return all(other._rows[key] is row for key, row in self._rows.items())


def _tables(hub: OrderHub) -> Mapping[str, Table[Any, Any]]:
    database: Any = vars(hub._parts.storage)["_db"]
    return {name: table for name, table in vars(database).items() if isinstance(table, Table)}


def _in_memory(hub: OrderHub) -> Rows:
    return {name: sorted(map(repr, table.items())) for name, table in _tables(hub).items()}


def _in_sqlite(file: sqlite3.Connection) -> Rows:
    names = [str(name) for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: sorted(file.execute(f'SELECT * FROM "{name}"'), key=repr) for name in sorted(names)}


def _in_postgres(server: psycopg.Connection, names: list[str]) -> Rows:
    one = "SELECT {}, row::text FROM {} AS row"
    each = (sql.SQL(one).format(sql.Literal(name), sql.Identifier(name)) for name in names)
    found: dict[str, list[Any]] = {name: [] for name in names}
    for name, row in server.execute(sql.SQL(" UNION ALL ").join(each)):
        found[str(name)].append(row)
    return {name: sorted(rows) for name, rows in found.items()}
