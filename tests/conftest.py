"""What tests are given: databases of three kinds, each empty, and how hard Hypothesis looks.

One PostgreSQL server serves a whole run. With pytest-xdist the controller starts it and tells its workers;
otherwise the first test that wants a database does.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings

from tests import emptied, postgres, scratch
from tests.emptied import Fresh

# how long an example takes says more about the machine than about the code
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", UNTIMED, max_examples=60)
# derandomised, so that a red build speaks about the change and not about its luck
settings.register_profile("ci", UNTIMED, max_examples=50, derandomize=True, print_blob=True)
settings.register_profile("long", UNTIMED, max_examples=3_000, stateful_step_count=100)

SERVER = pytest.StashKey[postgres.Server]()


class Worker(Protocol):
    """What pytest-xdist's controller knows of a worker; its own classes are not typed."""

    config: pytest.Config
    workerinput: dict[str, str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="let Hypothesis search for minutes")


def pytest_configure(config: pytest.Config) -> None:
    if folder := scratch.in_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))
    if config.getoption("--long"):
        settings.load_profile("long")
    elif not config.getoption("--hypothesis-profile"):
        settings.load_profile("ci" if "CI" in os.environ else "default")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the collected tests, tens of thousands that stay to the end, from every search for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _server_of_this_run(config: pytest.Config) -> str:
    if SERVER not in config.stash:
        config.stash[SERVER] = postgres.start()
        config.add_cleanup(config.stash[SERVER].stop)
    return config.stash[SERVER].url


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Worker) -> None:
    try:
        node.workerinput["postgres"] = _server_of_this_run(node.config)
    except postgres.NoPostgres as problem:
        node.workerinput["no_postgres"] = str(problem)


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> str:
    """The URL of this run's server, for psycopg. Without one the tests fail: a skip would hide too much."""
    told: dict[str, str] = getattr(pytestconfig, "workerinput", {})
    if "no_postgres" in told:
        pytest.fail(told["no_postgres"], pytrace=False)
    try:
        return told.get("postgres") or _server_of_this_run(pytestconfig)
    except postgres.NoPostgres as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """A function that creates an empty database, as often as it is called, and returns its URL."""
    with postgres.databases(postgres_server) as create:
        yield create


@pytest.fixture
def postgres_url(postgres_database: Callable[[], str]) -> str:
    """The URL of an empty PostgreSQL database of this test's own."""
    return postgres_database()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite file of this test's own that does not exist yet."""
    return f"sqlite:///{(tmp_path / 'shop.db').as_posix()}"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each kind of storage in turn, empty."""
    if request.param == "memory":
        return "memory://"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def fresh_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """An SQLite file with empty tables, for one test after the other."""
    return emptied.sqlite_file(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def fresh_postgres(postgres_server: str) -> Iterator[Fresh]:
    """A PostgreSQL database with empty tables, for one test after the other."""
    with emptied.postgres_database(postgres_server) as fresh:
        yield fresh


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """Each kind of storage in turn, with empty tables: making them takes longer than most tests."""
    if request.param == "memory":
        return "memory://"
    fresh: Fresh = request.getfixturevalue(f"fresh_{request.param}")
    return fresh()
