"""Where it is measured: a PostgreSQL server and SQLite files that keep every commit over a power cut."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal
from unittest.mock import patch

import psycopg
from attrs import frozen

from omniorder import OrderHub
from omniorder.adapters.sql import connect
from omniorder.testing import FakeGateway
from tests import postgres

Name = Literal["postgresql", "sqlite", "sqlite-normal"]
NAMES: tuple[Name, ...] = ("postgresql", "sqlite", "sqlite-normal")
"""`sqlite` is the library's default, synchronous FULL; with NORMAL a power cut may take the last commits."""


@frozen
class Database:
    """An empty database of one kind, by its SQLAlchemy URL."""

    name: Name
    url: str

    @property
    def synchronous(self) -> str:
        """SQLite's setting."""
        return "NORMAL" if self.name == "sqlite-normal" else "FULL"

    @property
    def dsn(self) -> str:
        """PostgreSQL's URL as psycopg takes it, without the attempts to encrypt that a loopback doesn't need."""
        return self.url.replace("+psycopg", "", 1)

    @property
    def file(self) -> Path:
        """SQLite's file."""
        return Path(self.url.removeprefix("sqlite:///"))

    @property
    def mark(self) -> str:
        """How a bare connection spells a parameter."""
        return "%s" if self.name == "postgresql" else "?"

    def connect(self) -> Any:
        """A bare DB-API connection, in autocommit mode."""
        if self.name == "postgresql":
            return psycopg.connect(self.dsn, autocommit=True, cursor_factory=psycopg.ClientCursor)
        return sqlite3.connect(self.file, isolation_level=None)

    def open(self, gateway: FakeGateway, url: str | None = None, *, migrate: bool = False) -> OrderHub:
        """A hub on it, or on the same database behind another `url`."""
        options = {"synchronous": self.synchronous} if self.name != "postgresql" else {}
        with patch("omniorder.adapters.sql.connect", partial(connect, **options)):
            return OrderHub.open(url or self.url, migrate=migrate, gateways={"card": gateway})

    def settle(self) -> None:
        """Let the planner know what is there, and get the writing that is still due out of the way."""
        on_postgres, on_sqlite = ("VACUUM ANALYZE", "CHECKPOINT"), ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
        with closing(self.connect()) as connection:
            for statement in on_postgres if self.name == "postgresql" else on_sqlite:
                connection.execute(statement)

    def facts(self) -> Mapping[str, str]:
        """Its version, and what makes a commit durable here."""
        if self.name != "postgresql":
            return {"version": sqlite3.sqlite_version, "synchronous": self.synchronous}
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        with closing(self.connect()) as connection:
            shown = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in names}
        return shown | {"psycopg": f"{psycopg.__version__} ({psycopg.pq.__impl__})"}


class Databases:
    """Makes empty databases, and remembers of what kinds; the server is started for the first that needs it."""

    def __init__(self, stack: ExitStack, server: str | None) -> None:
        self.facts: Final[dict[str, Mapping[str, str]]] = {}
        self._stack: Final = stack
        self._server = server
        self._create: Callable[[], str] | None = None
        self._folder: Final = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="omniorder-bench-")))
        self._count = 0

    def empty(self, name: Name) -> Database:
        """A new one."""
        self._count += 1
        url = self._on_postgres() if name == "postgresql" else f"sqlite:///{self._folder / f'{self._count}.db'}"
        database = Database(name, url)
        self.facts[name] = database.facts()
        return database

    def _on_postgres(self) -> str:
        if self._create is None:
            if self._server is None:
                started = postgres.start(durable=True)
                self._stack.callback(started.stop)
                self._server = started.url
            self._create = self._stack.enter_context(postgres.databases(self._server))
        return self._create()


@contextmanager
def databases(server: str | None) -> Generator[Databases]:
    """Databases on `server` (None: one of our own), all of which are gone afterwards."""
    with ExitStack() as stack:
        yield Databases(stack, server)
