"""The shop's life on each kind of storage, and on all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from omniorder import Capabilities, Order, Slot
from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.ports.writes import SlotChange, StockChange
from omniorder.testing.invariants import InvariantBroken
from tests import emptied
from tests.emptied import Fresh
from tests.model.desk import Desk
from tests.model.elsewhere import Elsewhere
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


class Everything(Elsewhere, Desk):
    """The shop's life with all that the store's desk does."""


def in_worlds_on(databases: Sequence[Fresh], life: type[Shop] = Elsewhere) -> type[Shop]:
    """The machine with a world on each of these databases."""

    def open_worlds(_: Shop, capabilities: Capabilities) -> Sequence[World]:
        return [World(fresh(), capabilities) for fresh in databases]

    return type("Here", (life,), {"open_worlds": open_worlds})


def live(databases: Sequence[Fresh], *, examples: int, steps: int) -> None:
    """Run the machine; `--long` looks much longer."""
    chosen = settings()
    if chosen.max_examples < 1000:
        chosen = settings(max_examples=examples, stateful_step_count=steps)
    run_state_machine_as_test(in_worlds_on(databases, Everything), settings=chosen)


def test_everything_holds_in_memory(memory: Fresh) -> None:
    live([memory], examples=15, steps=40)


def test_everything_holds_in_every_storage_and_all_answer_alike(memory: Fresh, sqlite: Fresh, postgres: Fresh) -> None:
    """The same steps, the same chance, the same clock: then the same answers, down to ids and errors."""
    live([memory, sqlite, postgres], examples=4, steps=30)


# --- and it would be noticed if they didn't ---------------------------------------------------------------

BRIEFLY = settings(max_examples=60, stateful_step_count=30, phases=[Phase.generate], derandomize=True, database=None)


def test_a_storage_that_keeps_places_of_lapsed_promises_is_noticed(
    memory: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = writing.STEPS["slots"]

    def book_for_ever(db: Database, changes: Iterable[SlotChange]) -> None:
        book(db, [change for change in changes if change.places > 0])

    monkeypatch.setitem(writing.STEPS, "slots", book_for_ever)
    with pytest.raises(InvariantBroken, match="slots_count_their_bookings"):
        run_state_machine_as_test(in_worlds_on([memory]), settings=BRIEFLY)


def test_a_storage_that_keeps_lines_of_lapsed_promises_is_noticed(
    memory: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = writing.STEPS["slots"]

    def book_lines_for_ever(db: Database, changes: Iterable[SlotChange]) -> None:
        book(db, [evolve(change, lines=max(0, change.lines)) for change in changes])

    monkeypatch.setitem(writing.STEPS, "slots", book_lines_for_ever)
    with pytest.raises(InvariantBroken, match="slots_count_their_bookings"):
        run_state_machine_as_test(in_worlds_on([memory]), settings=BRIEFLY)


def test_a_storage_that_takes_any_number_of_lines_is_noticed(memory: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    book = writing.STEPS["slots"]

    def book_all_lines(db: Database, changes: Iterable[SlotChange]) -> None:
        book(db, [evolve(change, line_capacity=None) for change in changes])

    monkeypatch.setitem(writing.STEPS, "slots", book_all_lines)
    monkeypatch.setattr(Slot, "fits", lambda slot, lines: slot.free > 0)
    with pytest.raises(InvariantBroken, match="slots_are_not_overbooked"):
        run_state_machine_as_test(in_worlds_on([memory]), settings=BRIEFLY)


def test_a_storage_that_loses_what_is_quarantined_is_noticed(memory: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    change = writing.STEPS["stock"]

    def lose(db: Database, changes: Iterable[StockChange]) -> None:
        change(db, [evolve(one, quarantined=0) for one in changes])

    monkeypatch.setitem(writing.STEPS, "stock", lose)
    with pytest.raises(InvariantBroken, match="stock_is_the_sum_of_its_movements"):
        run_state_machine_as_test(in_worlds_on([memory]), settings=BRIEFLY)


def test_a_storage_that_answers_otherwise_is_noticed(
    memory: Fresh, sqlite: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders of the same customer in another order, say."""
    newest_first = MemoryTransaction.orders_of

    def oldest_first(tx: MemoryTransaction, owner: str, **place: Any) -> tuple[Order, ...]:
        return newest_first(tx, owner, **place)[::-1]

    monkeypatch.setattr(MemoryTransaction, "orders_of", oldest_first)
    with pytest.raises(AssertionError, match="answered otherwise"):
        run_state_machine_as_test(in_worlds_on([memory, sqlite]), settings=BRIEFLY)
