"""Mistakes with stock takes and imports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.tables import Table, Undo
from omniorder.domain.stock import Level, Movement, MovementKind
from omniorder.ports.writes import CountWrite, ImportWrite, StockCount
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite


def recount(patch: Patch, change: Any) -> None:
    """Carry out what `change` makes of each count."""
    rewrite(patch, "counts", lambda write: evolve(write, counts=tuple(map(change, write.counts))))


@breaks(
    "a_count_sets_the_level_and_records_the_difference",
    "a_count_of_what_never_came_makes_its_level",
    "a_movement_of_a_count_is_recorded_once",
)
def counts_without_movements(patch: Patch) -> None:
    original = writing.STEPS["counts"]

    def step(db: Database, writes: Iterable[CountWrite]) -> None:
        with patch.context() as inner:
            inner.setattr(writing, "movements", lambda db, found: None)
            original(db, writes)

    carry(patch, "counts", step)


@breaks("a_count_sets_the_level_and_records_the_difference")
def differences_that_are_adjustments(patch: Patch) -> None:
    alter(patch, "movements", lambda found: tuple(evolve(move, kind=MovementKind.ADJUST) for move in found))


@breaks("a_count_of_what_never_came_makes_its_level", "counts_of_many_levels_are_one_write")
def counts_only_of_what_is_there(patch: Patch) -> None:
    original = writing.STEPS["counts"]

    def step(db: Database, writes: Iterable[CountWrite]) -> None:
        known = [evolve(one, counts=tuple(c for c in one.counts if db.levels.get((c.store, c.sku)))) for one in writes]
        original(db, known)

    carry(patch, "counts", step)


@breaks("a_level_that_is_as_counted_is_left_alone", "a_count_of_safety_alone_moves_nothing")
def movements_of_nothing(patch: Patch) -> None:
    def step(db: Database, writes: Iterable[CountWrite]) -> None:
        for write in writes:
            for one in write.counts:
                before = db.levels.get((one.store, one.sku)) or Level(one.store, one.sku)
                kept = before.safety if one.safety is None else one.safety
                db.levels.put((one.store, one.sku), evolve(before, on_hand=one.on_hand, safety=kept))
                writing.movements(db, [_difference(write, one, before)])

    carry(patch, "counts", step)


def _difference(write: CountWrite, one: StockCount, before: Level) -> Movement:
    moved = one.on_hand - before.on_hand
    kind, why = MovementKind.COUNT, (write.stamp, write.reason, write.reference)
    return Movement(one.movement, one.store, one.sku, kind, moved, *why)


@breaks("a_count_keeps_what_is_reserved_and_the_safety_that_it_does_not_name")
def counts_that_begin_anew(patch: Patch) -> None:
    recount(patch, lambda one: evolve(one, safety=one.safety or 0))


@breaks("a_count_of_safety_alone_moves_nothing")
def counts_that_leave_safety(patch: Patch) -> None:
    recount(patch, lambda one: evolve(one, safety=None))


@breaks("counts_of_many_levels_are_one_write")
def counts_that_stay_when_undone(patch: Patch) -> None:
    original = Undo.note

    def note(undo: Any, table: Table[Any, Any], key: Any, before: Any) -> None:
        if not isinstance(before, Level):
            original(undo, table, key, before)

    patch.setattr(Undo, "note", note)
    steps = writing.STEPS
    patch.setattr(writing, "STEPS", {"counts": steps["counts"], **steps})


@breaks("what_is_sold_during_a_count_is_not_lost")
def differences_to_what_was_there_at_first(patch: Patch) -> None:
    """As if the level had been read long before it was set."""

    def step(db: Database, writes: Iterable[CountWrite]) -> None:
        for write in writes:
            for one in write.counts:
                first = Level(one.store, one.sku, 100 if db.levels.get((one.store, one.sku)) else 0)
                db.levels.put((one.store, one.sku), evolve(first, on_hand=one.on_hand))
                writing.movements(db, [_difference(write, one, first)])

    carry(patch, "counts", step)


@breaks("an_import_comes_back_as_it_was_written")
def imports_that_are_forgotten(patch: Patch) -> None:
    method(patch, "imported", lambda original, tx, id: None)


def _unguarded(db: Database, writes: Iterable[ImportWrite]) -> None:
    for write in writes:
        db.imports.put(write.after.id, write.after)


@breaks("an_import_is_begun_once", "an_import_that_has_gone_on_elsewhere_refuses_all_that_comes_with_it")
def imports_without_a_guard(patch: Patch) -> None:
    carry(patch, "imports", _unguarded)
