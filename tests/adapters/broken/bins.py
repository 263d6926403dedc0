"""Mistakes with bins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.errors import BinFull
from tests.adapters.broken import Patch, breaks, carry, method, rewrite


@breaks(
    "orders_are_laid_into_a_bin_until_it_is_full",
    "a_bin_that_holds_nothing_takes_nobody",
    "one_full_bin_of_several_takes_none_of_them",
    "a_bin_never_owes_an_order",
    "of_several_orders_one_gets_the_locker",
)
def bins_that_are_never_full(patch: Patch) -> None:
    rewrite(patch, "bins", lambda change: evolve(change, holds=10**6))


@breaks("what_is_taken_out_makes_room", "an_order_is_taken_out_also_when_the_bin_was_made_smaller")
def bins_that_are_never_emptied(patch: Patch) -> None:
    rewrite(patch, "bins", lambda change: change if change.orders > 0 else None)


@breaks("orders_are_laid_and_taken_out_at_once_in_a_full_bin")
def orders_one_by_one(patch: Patch) -> None:
    original = writing.STEPS["bins"]

    def step(db: Database, writes: Any) -> None:
        for change in writes:
            original(db, [change])

    carry(patch, "bins", step)


@breaks("an_order_is_taken_out_also_when_the_bin_was_made_smaller")
def taking_out_needs_room(patch: Patch) -> None:
    original = writing.STEPS["bins"]

    def step(db: Database, writes: Any) -> None:
        for change in writes:
            if (db.bins.get((change.store, change.bin)) or 0) + change.orders > change.holds:
                raise BinFull(store=change.store, bin=change.bin, holds=change.holds)
        original(db, writes)

    carry(patch, "bins", step)


@breaks("a_bin_never_owes_an_order")
def bins_with_less_than_nothing(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for change in writes:
            key = (change.store, change.bin)
            db.bins.put(key, (db.bins.get(key) or 0) + change.orders)

    carry(patch, "bins", step)


@breaks("bins_are_each_stores_own")
def bins_of_all_stores(patch: Patch) -> None:
    def every(_: object, tx: MemoryTransaction, store: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for (_, code), orders in tx.database.bins.items():
            found[code] = found.get(code, 0) + orders
        return found

    method(patch, "in_bins", every)
