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


def _in_memory(hub: OrderHub) -> Rows:
    database: Any = vars(hub._parts.storage)["_db"]
    tables = {name: table for name, table in vars(database).items() if isinstance(table, Table)}
    return {name: sorted(map(repr, table.items())) for name, table in tables.items()}


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
