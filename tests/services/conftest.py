"""The shop that the desks are tested in, on each of the three storages in turn.

Bringing the tables up to date is tested elsewhere and takes longer than most of these tests, so it is done once per
run: SQLite's file is then copied, and PostgreSQL's one database emptied, for each test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from omniorder import OrderHub
from omniorder.testing.shop import Shop
from tests import postgres
from tests.services import contents

OpenShop = Callable[..., Shop]
"""`Shop.example` on this test's database; takes what `Shop.example` takes but the URL. One shop per test."""


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and nothing in them."""
    path = tmp_path_factory.mktemp("template") / "shop.db"
    OrderHub.open(f"sqlite:///{path.as_posix()}", migrate=True).close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a database with all tables, for one test after the other."""
    with postgres.databases(postgres_server) as create:
        url = create()
        OrderHub.open(url, migrate=True).close()
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of storage in turn, with tables and nothing in them."""
    match request.param:
        case "sqlite":
            copy = tmp_path / "shop.db"
            shutil.copy(request.getfixturevalue("migrated_sqlite"), copy)
            return f"sqlite:///{copy.as_posix()}"
        case "postgres":
            url: str = request.getfixturevalue("migrated_postgres")
            _empty(url)
            return url
        case _:
            return "memory://"


def _empty(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as db:
        ours = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'omniorder_version'"
        tables = [sql.Identifier(str(name)) for (name,) in db.execute(ours).fetchall()]
        try:
            db.execute("SET session_replication_role = replica")  # foreign keys sleep: any order will do
        except psycopg.errors.InsufficientPrivilege:
            db.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(tables)))
        else:  # four times as fast
            db.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in tables))


@pytest.fixture
def open_shop(database_url: str) -> Iterator[OpenShop]:
    """Opens the shop with other settings than the usual ones."""
    with ExitStack() as stack:

        def open_it(**options: Any) -> Shop:
            return stack.enter_context(Shop.example(database_url, **options))

        yield open_it


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """The example shop, freshly stocked."""
    return open_shop()


@pytest.fixture
def stored(database_url: str, shop: Shop) -> Callable[[], contents.Rows]:
    """Every row of every table of `shop`, as the storage has it."""
    return lambda: contents.rows(database_url, shop.hub)
