"""The shop that the desks are tested in, on each of the three storages in turn.

Bringing the tables up to date and stocking the shop takes longer than most of these tests, so it is done once per run:
SQLite's file is then copied, and PostgreSQL's one database put back to how it was, for each test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import field, frozen
from psycopg import sql

from omniorder.testing.shop import Shop
from tests import postgres
from tests.services import contents

OpenShop = Callable[..., Shop]
"""`Shop.example` on this test's database; takes what `Shop.example` takes but the URL. One shop per test."""

OTHER_SEED = 99
"""Of what the template was stocked with: the tests draw other ids."""


@frozen
class StockedDatabase:
    """A PostgreSQL database with a stocked shop in it, that can be put back to that."""

    url: str
    rows: Mapping[str, bytes] = field(repr=False)
    """What each table holds, in the form of COPY."""

    @classmethod
    def stock(cls, url: str) -> StockedDatabase:
        """Make the shop in an empty database, and remember it."""
        Shop.example(url, seed=OTHER_SEED).close()
        with cls(url, {}).connected() as db:
            ours = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'omniorder_version'"
            names = [str(name) for (name,) in db.execute(ours).fetchall()]
            return cls(url, {name: _copied(db, name) for name in names})

    def restore(self) -> None:
        """Put everything back."""
        with self.connected() as db:
            db.execute("SET session_replication_role = replica")  # foreign keys sleep: any order will do
            wipe = (sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in self.rows)
            db.execute(sql.SQL("; ").join(wipe))
            for name, rows in self.rows.items():
                if rows:
                    with db.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                        copy.write(rows)

    def connected(self) -> psycopg.Connection:
        return psycopg.connect(self.url.replace("+psycopg", "", 1))


def _copied(db: psycopg.Connection, name: str) -> bytes:
    with db.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as copy:
        return b"".join(bytes(part) for part in copy)


@pytest.fixture(scope="session")
def stocked_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a stocked shop in it."""
    path = tmp_path_factory.mktemp("template") / "shop.db"
    Shop.example(f"sqlite:///{path.as_posix()}", seed=OTHER_SEED).close()
    return path


@pytest.fixture(scope="session")
def stocked_postgres(postgres_server: str) -> Iterator[StockedDatabase]:
    """A database with a stocked shop in it, for one test after the other."""
    with postgres.databases(postgres_server) as create:
        yield StockedDatabase.stock(create())


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of storage in turn; a database has a stocked shop in it, memory has nothing yet."""
    match request.param:
        case "sqlite":
            copy = tmp_path / "shop.db"
            shutil.copy(request.getfixturevalue("stocked_sqlite"), copy)
            return f"sqlite:///{copy.as_posix()}"
        case "postgres":
            database: StockedDatabase = request.getfixturevalue("stocked_postgres")
            database.restore()
            return database.url
        case _:
            return "memory://"


@pytest.fixture
def open_shop(database_url: str) -> Iterator[OpenShop]:
    """Opens the shop with other settings than the usual ones."""
    with ExitStack() as stack:

        def open_it(**options: Any) -> Shop:
            given = {"stocked": database_url == "memory://", "migrate": False, **options}
            return stack.enter_context(Shop.example(database_url, **given))

        yield open_it


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """The example shop, freshly stocked."""
    return open_shop()


@pytest.fixture
def stored(database_url: str, shop: Shop) -> Iterator[Callable[[], contents.Rows]]:
    """Every row of every table of `shop`, as the storage has it."""
    with contents.looking(database_url, shop.hub) as look:
        yield look
