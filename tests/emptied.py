"""Databases that are emptied rather than made anew: migrated once, and then used by one test after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from omniorder import OrderHub
from tests import postgres

Fresh = Callable[[], str]
"""Gives the URL of a database with empty tables. What was given before is gone then."""


def sqlite_file(folder: Path) -> Fresh:
    """A file in this folder."""
    empty, used = folder / "empty.db", folder / "used.db"
    _migrate(f"sqlite:///{empty.as_posix()}")

    def fresh() -> str:
        for left in folder.glob("used.db*"):
            left.unlink()
        shutil.copy(empty, used)
        return f"sqlite:///{used.as_posix()}"

    return fresh


@contextmanager
def postgres_database(server_url: str) -> Iterator[Fresh]:
    """A database on this server, dropped in the end."""
    with postgres.databases(server_url) as create:
        url = create()
        _migrate(url)
        with _connected(url) as connection:
            ours = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'omniorder_version'"
            names = [sql.Identifier(str(name)) for (name,) in connection.execute(ours)]
        empty = sql.SQL("TRUNCATE {} RESTART IDENTITY").format(sql.SQL(", ").join(names))

        def fresh() -> str:
            with _connected(url) as connection:
                connection.execute(empty)
            return url

        yield fresh


def _migrate(url: str) -> None:
    with OrderHub.open(url) as hub:
        hub.migrate()


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", "", 1))
