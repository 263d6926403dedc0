"""The shop's life on each kind of storage, and on all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from omniorder import Capabilities
from tests import emptied
from tests.emptied import Fresh
from tests.model.machine import Shop
from tests.model.world import World


@pytest.fixture
def memory() -> Fresh:
    return lambda: "memory://"


@pytest.fixture
def sqlite(tmp_path: Path) -> Fresh:
    return emptied.sqlite_file(tmp_path)


@pytest.fixture(scope="module")
def postgres(postgres_server: str) -> Iterator[Fresh]:
    with emptied.postgres_database(postgres_server) as fresh:
        yield fresh


def live(databases: Sequence[Fresh], *, examples: int, steps: int) -> None:
    """Run the machine with a world on each of these databases; `--long` looks much longer."""

    class Here(Shop):
        def open_worlds(self, capabilities: Capabilities) -> Sequence[World]:
            return [World(fresh(), capabilities) for fresh in databases]

    chosen = settings()
    if chosen.max_examples < 1000:
        chosen = settings(max_examples=examples, stateful_step_count=steps)
    run_state_machine_as_test(Here, settings=chosen)


def test_everything_holds_in_memory(memory: Fresh) -> None:
    live([memory], examples=35, steps=40)


def test_everything_holds_on_sqlite(sqlite: Fresh) -> None:
    live([sqlite], examples=10, steps=30)


def test_everything_holds_on_postgres(postgres: Fresh) -> None:
    live([postgres], examples=6, steps=30)


def test_all_storages_answer_alike(memory: Fresh, sqlite: Fresh, postgres: Fresh) -> None:
    """The same steps, the same chance, the same clock: then the same answers, down to ids and errors."""
    live([memory, sqlite, postgres], examples=8, steps=30)
