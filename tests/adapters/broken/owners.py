"""Mistakes with owners: what changes hands, and the count of what was told of a customer."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.domain.lifecycle import CartState
from omniorder.errors import StaleWrite
from omniorder.testing import samples
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite


@breaks("an_owners_carts_come_oldest_first_in_whatever_state")
def carts_newest_first(patch: Patch) -> None:
    alter(patch, "carts_of", lambda found: found[::-1])


@breaks("an_owners_carts_come_oldest_first_in_whatever_state")
def merged_carts_left_out(patch: Patch) -> None:
    alter(patch, "carts_of", lambda found: tuple(cart for cart in found if cart.state is not CartState.MERGED))


@breaks("no_more_carts_come_than_were_asked_for")
def carts_without_a_limit(patch: Patch) -> None:
    method(patch, "carts_of", lambda original, tx, owner, limit: original(tx, owner, limit=99))


@breaks("a_cart_that_changed_hands_is_its_new_owners_alone")
def carts_that_stay_with_who_started_them(patch: Patch) -> None:
    rewrite(patch, "carts", _with_its_first_owner)


def _with_its_first_owner(write: Any) -> Any:
    return write if write.before is None else evolve(write, after=evolve(write.after, owner=write.before.owner))


@breaks("a_cart_that_changed_hands_keeps_its_notes")
def cart_notes_that_stay_with_the_former_owner(patch: Patch) -> None:
    rewrite(patch, "carts", _notes_left_behind)


@breaks("an_order_that_changed_hands_keeps_its_notes", "an_order_may_change_hands_in_any_state")
def order_notes_that_stay_with_the_former_owner(patch: Patch) -> None:
    rewrite(patch, "orders", _notes_left_behind)


def _notes_left_behind(write: Any) -> Any:
    before, after = write.before, write.after
    if before is None or before.owner == after.owner:
        return write
    return evolve(write, after=evolve(after, lines=tuple(evolve(line, note="") for line in after.lines)))


@breaks("a_promise_that_changed_hands_is_its_new_owners")
def promises_that_only_change_their_state(patch: Patch) -> None:
    rewrite(patch, "promises", _with_its_first_owner)


@breaks("an_order_that_changed_hands_moves_in_the_lists")
def orders_listed_for_who_placed_them(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            if write.before is None:
                db.orders_of.put((write.after.owner, write.after.id), write.after.id)
            db.orders.put(write.after.id, write.after)

    carry(patch, "orders", step)


@breaks("an_order_that_changed_hands_moves_in_the_lists")
def orders_listed_for_both(patch: Patch) -> None:
    original = writing.STEPS["orders"]

    def step(db: Database, writes: Any) -> None:
        original(db, writes)
        for write in writes:
            if write.before is not None:
                db.orders_of.put((write.before.owner, write.after.id), write.after.id)

    carry(patch, "orders", step)


@breaks("of_a_customer_nothing_was_told_at_first", "counting_on_from_an_older_number_is_refused")
def one_count_for_all_customers(patch: Patch) -> None:
    method(patch, "customer", lambda original, tx, owner: original(tx, samples.ANNA) or original(tx, samples.BORIS))
    rewrite(patch, "customers", lambda write: evolve(write, owner=samples.BORIS))


@breaks("a_customer_is_counted_on")
def customers_who_are_counted_one_by_one(patch: Patch) -> None:
    rewrite(patch, "customers", lambda write: evolve(write, after=write.before + 1))


@breaks(
    "counting_on_from_an_older_number_is_refused",
    "who_counts_from_an_older_number_writes_nothing_else",
    "of_counts_at_the_same_time_exactly_one_is_kept",
)
def customers_without_guards(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            db.customers.put(write.owner, write.after)

    carry(patch, "customers", step)


@breaks("a_count_that_is_undone_was_never_made")
def counts_that_are_never_undone(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            if (db.customers.get(write.owner) or 0) != write.before:
                raise StaleWrite(kind="customer", id=write.owner)
            db.customers.place(write.owner, write.after)

    carry(patch, "customers", step)
