"""The ground that other tests stand on: servers start, databases are empty, nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests import postgres

ROOT = Path(__file__).parent.parent


def connect(sqlalchemy_url: str) -> psycopg.Connection:
    return psycopg.connect(sqlalchemy_url.replace("+psycopg", "", 1), autocommit=True)


def test_a_database_answers(postgres_url: str) -> None:
    with connect(postgres_url) as connection:
        assert connection.execute("SELECT 6 * 7").fetchone() == (42,)


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_gets_an_empty_database(postgres_url: str, turn: str) -> None:
    with connect(postgres_url) as connection:
        # fails in the second turn if the first one's table is still there
        connection.execute("CREATE TABLE goods (sku text)")


def test_one_test_may_have_several_databases(postgres_database: Callable[[], str]) -> None:
    assert postgres_database() != postgres_database()


def test_a_database_is_dropped_though_somebody_is_still_connected(postgres_server: str) -> None:
    with postgres.databases(postgres_server) as create:
        forgotten = connect(create())
        name = forgotten.info.dbname
    with forgotten, psycopg.connect(postgres_server) as admin:
        assert admin.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None


def test_text_is_utf_8_whatever_the_machine_speaks(postgres_url: str) -> None:
    with connect(postgres_url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_without_any_server_the_message_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(postgres.VARIABLE, raising=False)
    monkeypatch.setattr(postgres, "SOURCES", ())
    with pytest.raises(postgres.NoPostgres, match=postgres.VARIABLE):
        postgres.start()


def test_a_named_server_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres.VARIABLE, "postgresql+psycopg://shop:secret@db.example:5433/postgres")
    assert postgres.start().url == "postgresql://shop:secret@db.example:5433/postgres"


def test_a_server_ends_with_the_tests_even_if_they_are_killed(tmp_path: Path) -> None:
    """Killed outright, they can clean up nothing: the guard stops the server and removes its folder."""
    home = tmp_path / "home"
    home.mkdir()
    server = f"""
        import pathlib, signal, time
        def stop(*_): pathlib.Path({str(tmp_path / "stopped")!r}).touch(); raise SystemExit
        signal.signal(signal.SIGINT, stop)
        print("up", flush=True)
        time.sleep(60)
    """
    run = f"""
        import os, pathlib, sys
        from tests.postgres import Account, guarded
        server = [sys.executable, "-c", {_dedented(server)!r}]
        guard = guarded(server, pathlib.Path({str(home)!r}), Account(), output=-1)
        guard.stdout.readline()
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", _dedented(run)], cwd=ROOT, check=False)

    patience_ends = time.monotonic() + 30
    while home.exists() and time.monotonic() < patience_ends:
        time.sleep(0.02)
    assert (tmp_path / "stopped").exists()
    assert not home.exists()


def _dedented(program: str) -> str:
    return "\n".join(line.removeprefix(" " * 8) for line in program.strip("\n").splitlines())
