"""Every row that a storage holds, read behind its back: to show that a refused command wrote nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg
from psycopg import sql

from omniorder.adapters.memory.tables import Table
from omniorder.services.hub import OrderHub

Rows = Mapping[str, list[Any]]
"""Sorted rows by table."""


def rows(url: str, hub: OrderHub) -> Rows:
    """Everything that is stored at `url` and reached through `hub`."""
    scheme, _, place = url.partition("://")
    if scheme == "memory":
        return _in_memory(hub)
    if scheme == "sqlite":
        return _in_sqlite(place.removeprefix("/"))
    return _in_postgres(f"postgresql://{place}")


def _in_memory(hub: OrderHub) -> Rows:
    database: Any = vars(hub._parts.storage)["_db"]
    tables = {name: table for name, table in vars(database).items() if isinstance(table, Table)}
    return {name: sorted(map(repr, table.items())) for name, table in tables.items()}


def _in_sqlite(path: str) -> Rows:
    with closing(sqlite3.connect(path)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(db.execute(f'SELECT * FROM "{name}"'), key=repr) for name in sorted(names)}


def _in_postgres(url: str) -> Rows:
    with psycopg.connect(url) as db:
        tables = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        found: dict[str, list[Any]] = {}
        for (name,) in tables:
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(str(name)))
            found[str(name)] = sorted(db.execute(query).fetchall(), key=repr)
        return found
