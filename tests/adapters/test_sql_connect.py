"""Opening storage by URL: what is understood, what is refused, and that nothing is opened before it is used."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from omniorder.adapters.sql import connect
from omniorder.errors import Misconfigured, MissingExtra

WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from omniorder.adapters.sql import connect
from omniorder.errors import MissingExtra
connect("sqlite://").migrate()
try:
    connect("postgresql://localhost/shop")
except MissingExtra as missing:
    print(missing)
"""

FORKED = """
import os, sys
from omniorder.adapters.sql import connect
storage = connect(sys.argv[1])
children = [os.fork() for _ in range(2)]
storage.migrate()
for _ in range(20):
    with storage.transaction() as tx:
        assert tx.stores() == ()
storage.close()
if all(children):
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
"""


USED_AND_FORKED = FORKED.replace(
    "children =", "storage.migrate()\nwith storage.reading() as tx: tx.stores()\nchildren =", 1
)
"""The same, but that the parent has looked before."""


@pytest.mark.parametrize(
    "url", ["sqlite:///shop.db", "sqlite+pysqlite://", "postgresql://h/d", "postgresql+psycopg://h/d"]
)
def test_nothing_is_opened_before_it_is_used(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    connect(url).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["", "shop.db", "mysql://h/d", "postgresql+psycopg2://h/d", "sqlite+aiosqlite://", "postgresql://h:port/d"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="database URL"):
        connect(url)


def test_sqlite_has_no_schemas() -> None:
    with pytest.raises(Misconfigured, match="PostgreSQL"):
        connect("sqlite://", schema="shop")


@pytest.mark.parametrize("url", ["sqlite://", "postgresql://h/d"])
def test_an_option_that_nobody_knows_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match="colour"):
        connect(url, colour="red")


def test_options_of_the_engine_are_passed_on() -> None:
    storage = connect("postgresql://h/d", pool_size=3, lock_timeout=1)
    storage.close()


def test_a_missing_driver_names_the_extra_that_brings_it() -> None:
    said = subprocess.run([sys.executable, "-c", WITHOUT_PSYCOPG], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(MissingExtra(needs="psycopg", extra="postgres"))


def test_an_sqlite_without_strict_tables_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(Misconfigured, match=r"3\.37"):
        connect("sqlite://")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
def test_processes_may_fork_before_first_use(database: str, request: pytest.FixtureRequest) -> None:
    subprocess.run([sys.executable, "-c", FORKED, request.getfixturevalue(database)], check=True, timeout=60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_leaves_its_parents_connections_alone(postgres_url: str) -> None:
    subprocess.run([sys.executable, "-c", USED_AND_FORKED, postgres_url], check=True, timeout=60)
