"""Mistakes with transfers."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.testing.contracts.storage.transfers import transfer
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite


@breaks(
    "a_transfer_is_inserted_once",
    "a_step_from_another_version_of_a_transfer_is_refused",
    "a_step_of_a_transfer_that_is_not_there_is_refused",
    "of_those_who_pick_a_transfer_at_once_one_does",
)
def transfers_without_guards(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            db.transfers.put(write.after.id, write.after)

    carry(patch, "transfers", step)


@breaks("a_step_from_another_version_of_a_transfer_is_refused")
def transfers_guarded_by_their_state(patch: Patch) -> None:
    original = writing.STEPS["transfers"]

    def step(db: Database, writes: Any) -> None:
        for write in writes:
            now = db.transfers.get(write.after.id)
            same = write.before is not None and now is not None and now.state is write.before.state
            original(db, [evolve(write, before=now)] if same else [write])

    carry(patch, "transfers", step)


@breaks("a_transfer_that_was_never_stored_is_none", "a_step_of_a_transfer_that_is_not_there_is_refused")
def transfers_from_nowhere(patch: Patch) -> None:
    alter(patch, "transfer", lambda found: found or transfer())


@breaks("a_transfer_in_any_state_comes_back_as_it_was_written", "every_step_of_a_transfer_comes_back")
def transfers_that_forget_what_was_picked(patch: Patch) -> None:
    def forget(write: Any) -> Any:
        lines = tuple(evolve(line, picked=0) for line in write.after.lines)
        return evolve(write, after=evolve(write.after, lines=lines))

    rewrite(patch, "transfers", forget)


@breaks("each_store_lists_its_own_side_of_a_transfer")
def transfers_listed_for_either_side(patch: Patch) -> None:
    def either(original: Any, tx: Any, store: str, *, incoming: bool, **rest: Any) -> Any:
        return original(tx, store, incoming=incoming, **rest) or original(tx, store, incoming=not incoming, **rest)

    method(patch, "transfers", either)


@breaks("transfers_are_listed_by_when_they_are_expected", "a_page_of_transfers_goes_on_after_the_one_before")
def transfers_listed_by_id(patch: Patch) -> None:
    alter(patch, "transfers", lambda found: tuple(sorted(found, key=lambda one: one.id)))


@breaks("transfers_in_other_states_are_not_listed")
def transfers_listed_in_any_state(patch: Patch) -> None:
    def any_state(original: Any, tx: Any, store: str, *, states: Any, **rest: Any) -> Any:
        known = ("requested", "picked", "shipped", "received", "short", "cancelled")
        return original(tx, store, states=known, **rest)

    method(patch, "transfers", any_state)


@breaks("a_page_of_transfers_goes_on_after_the_one_before")
def transfers_that_begin_anew(patch: Patch) -> None:
    def anew(original: Any, tx: Any, store: str, *, after: Any, **rest: Any) -> Any:
        return original(tx, store, after=None, **rest)

    method(patch, "transfers", anew)
