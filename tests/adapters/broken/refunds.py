"""Mistakes with corrections, and with the list of refunds that have not arrived."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder.testing import samples
from tests.adapters.broken import Patch, alter, breaks, method


@breaks("an_order_in_any_state_comes_back_as_it_was_written")
def corrections_without_their_units(patch: Patch) -> None:
    def without(order: Any) -> Any:
        return order and evolve(order, corrections=tuple(evolve(one, units=()) for one in order.corrections))

    alter(patch, "order", without)


@breaks("orders_with_a_refund_that_did_not_work_come_by_id", "paging_through_refunds_loses_and_repeats_none")
def refunds_listed_backwards(patch: Patch) -> None:
    alter(patch, "unreturned", lambda found: found[::-1])


@breaks("orders_with_a_refund_that_did_not_work_come_by_id")
def refunds_that_nobody_finds(patch: Patch) -> None:
    alter(patch, "unreturned", lambda found: ())


@breaks(
    "an_order_that_nobody_is_to_look_at_any_more_waits_for_no_refund",
    "a_refund_that_worked_is_no_longer_listed",
    "orders_with_a_refund_that_did_not_work_come_by_id",
)
def every_order_waits_for_a_refund(patch: Patch) -> None:
    method(patch, "unreturned", lambda original, tx, store, **page: tuple(tx.database.orders.rows()))


@breaks("refunds_of_orders_placed_at_another_store_are_not_listed")
def refunds_of_all_stores(patch: Patch) -> None:
    method(patch, "unreturned", lambda original, tx, store, **page: original(tx, samples.SOFIA, **page))


@breaks("paging_through_refunds_loses_and_repeats_none")
def refunds_without_a_limit(patch: Patch) -> None:
    method(patch, "unreturned", lambda original, *args, limit, **rest: original(*args, limit=99, **rest))


@breaks("paging_through_refunds_loses_and_repeats_none")
def refunds_that_begin_anew(patch: Patch) -> None:
    method(patch, "unreturned", lambda original, *args, after, **rest: original(*args, after=None, **rest))
