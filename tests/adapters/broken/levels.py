"""Mistakes with what is quarantined, counted, short and expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.domain.stock import Level
from omniorder.errors import OmniorderError, OutOfStock, StaleWrite
from omniorder.ports.writes import Arrived, Expect
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite

_lack = vars(writing)["_lack"]

# --- quarantine -------------------------------------------------------------------------------------------


@breaks("what_is_quarantined_stands_beside_what_is_on_hand", "a_level_may_begin_in_quarantine")
def quarantined_units_are_lost(patch: Patch) -> None:
    rewrite(patch, "stock", lambda change: evolve(change, quarantined=0))


@breaks("what_is_quarantined_is_not_promised", "what_is_quarantined_stands_beside_what_is_on_hand")
def quarantined_units_stay_on_the_shelf(patch: Patch) -> None:
    rewrite(patch, "stock", lambda change: evolve(change, on_hand=change.on_hand + max(0, change.quarantined)))


@breaks("quarantined_never_falls_below_zero")
def a_quarantine_of_less_than_nothing(patch: Patch) -> None:
    patch.setattr(writing, "_lack", lambda level, demand: _lack(evolve(level, quarantined=10**6), demand))


# --- counts -----------------------------------------------------------------------------------------------


@breaks(
    "a_level_that_was_changed_meanwhile_is_not_changed",
    "a_look_that_changes_nothing_is_guarded_too",
    "what_is_not_there_was_seen_as_none",
    "who_saw_old_numbers_is_told_so_and_not_that_there_is_too_little",
)
def counts_that_look_at_nothing(patch: Patch) -> None:
    rewrite(patch, "stock", lambda change: evolve(change, if_on_hand=None))


@breaks("a_look_that_changes_nothing_is_guarded_too", "what_is_not_there_was_seen_as_none")
def looks_that_change_nothing_are_left_out(patch: Patch) -> None:
    rewrite(patch, "stock", lambda change: change if change.on_hand or change.reserved else None)


def _looking(patch: Patch, seen: Callable[[Level], int]) -> None:
    """Compare what was seen with this number instead of what is on hand."""
    original = writing.STEPS["stock"]

    def step(db: Database, writes: Any) -> None:
        unguarded: list[Any] = []
        for change in writes:
            level = db.levels.get((change.store, change.sku)) or Level(change.store, change.sku)
            if change.if_on_hand not in (None, seen(level)):
                raise StaleWrite(kind="level", id=change.sku)
            unguarded.append(evolve(change, if_on_hand=None))
        original(db, unguarded)

    carry(patch, "stock", step)


@breaks(
    "a_level_is_changed_if_as_many_are_on_hand_as_were_seen",
    "what_was_seen_was_seen_before_all_changes_of_the_command",
    "who_decide_at_once_decide_one_after_the_other",
)
def counts_that_never_fit(patch: Patch) -> None:
    _looking(patch, lambda level: -1)


@breaks("promises_do_not_disturb_a_count")
def counts_of_what_is_free(patch: Patch) -> None:
    _looking(patch, lambda level: level.available)


@breaks("what_was_seen_was_seen_before_all_changes_of_the_command")
def changes_before_the_look(patch: Patch) -> None:
    original = writing.STEPS["stock"]

    def step(db: Database, writes: Any) -> None:
        for change in writes:
            original(db, [change])

    carry(patch, "stock", step)


@breaks("who_saw_old_numbers_is_told_so_and_not_that_there_is_too_little")
def lacks_are_told_before_the_look(patch: Patch) -> None:
    original = writing.STEPS["stock"]

    def step(db: Database, writes: Any) -> None:
        try:
            original(db, writes)
        except StaleWrite:
            short = [{"sku": one.sku, "wanted": -one.on_hand, "available": 0} for one in writes]
            raise OutOfStock(store=writes[0].store, short=short) from None

    carry(patch, "stock", step)


# --- shortages --------------------------------------------------------------------------------------------


def _every_level(tx: MemoryTransaction, store: str, *, after: str | None, limit: int) -> tuple[Level, ...]:
    levels = {level.sku: level for level in tx.database.levels.rows() if level.store == store}
    return tuple(levels[sku] for sku in sorted(levels) if after is None or sku > after)[:limit]


@breaks("a_level_is_short_when_more_is_reserved_than_is_on_hand")
def levels_that_are_just_enough_are_short(patch: Patch) -> None:
    method(patch, "shortages", lambda _, tx, store, **page: _every_level(tx, store, **page))


@breaks("paging_through_shortages_loses_and_repeats_none")
def shortages_without_pages(patch: Patch) -> None:
    method(patch, "shortages", lambda original, *args, after, limit: original(*args, after=None, limit=limit))


@breaks("orders_that_hold_a_sku_come_by_the_latest_pickup_first")
def the_first_pickup_first(patch: Patch) -> None:
    alter(patch, "endangered", lambda found: {sku: orders[::-1] for sku, orders in found.items()})


@breaks("only_orders_that_hold_the_sku_at_this_store_are_endangered")
def orders_of_every_sku(patch: Patch) -> None:
    skus = ["BREAD/RYE.500", "OAT-MILK-1L"]
    method(patch, "endangered", lambda original, tx, store, _: original(tx, store, skus))


@breaks("an_order_is_endangered_by_the_units_that_it_still_holds")
def orders_hold_what_they_once_held(patch: Patch) -> None:
    def whole(original: Any, tx: MemoryTransaction, store: str, skus: Any) -> Any:
        found = original(tx, store, skus)
        return {sku: tuple(evolve(one, quantity=2) for one in orders) for sku, orders in found.items()}

    method(patch, "endangered", whole)


@breaks("an_order_whose_pickup_has_ended_is_not_endangered")
def ended_orders_are_asked_about(patch: Patch) -> None:
    patch.setattr("omniorder.adapters.memory.transaction.ENDED_PICKUPS", frozenset())


# --- what is expected -------------------------------------------------------------------------------------

Told = Expect | Arrived


def _rewritten(patch: Patch, change: Callable[[Told], Told | None]) -> None:
    rewrite(patch, "expected", change)


@breaks("a_delivery_comes_back_as_it_was_expected", "everything_is_written_when_the_block_ends")
def nothing_is_expected(patch: Patch) -> None:
    _rewritten(patch, lambda told: None)


@breaks("a_delivery_expected_again_is_replaced")
def what_was_expected_first_stays(patch: Patch) -> None:
    original = writing.STEPS["expected"]

    def step(db: Database, writes: Iterable[Told]) -> None:
        for told in writes:
            if isinstance(told, Arrived) or db.expected.get(_key(told)) is None:
                original(db, [told])

    carry(patch, "expected", step)


def _key(told: Expect) -> tuple[str, str, str]:
    return (told.delivery.store, told.delivery.sku, told.delivery.reference)


@breaks("a_delivery_of_none_is_called_off", "what_nobody_expected_can_be_called_off")
def deliveries_of_none_are_expected(patch: Patch) -> None:
    original = writing.STEPS["expected"]

    def step(db: Database, writes: Iterable[Told]) -> None:
        for told in writes:
            original(db, [told])
            if isinstance(told, Expect):
                db.expected.put(_key(told), told.delivery)

    carry(patch, "expected", step)


@breaks("deliveries_come_by_store_sku_instant_and_reference")
def deliveries_in_any_order(patch: Patch) -> None:
    alter(patch, "expected", lambda found: found[::-1])


@breaks("deliveries_come_by_store_sku_instant_and_reference")
def deliveries_of_all_stores_when_none_is_asked_for(patch: Patch) -> None:
    method(patch, "expected", lambda original, tx, skus, stores=None: original(tx, skus, stores or None))


@breaks("what_arrives_is_expected_no_more", "of_parts_that_arrive_at_once_none_is_lost")
def arrivals_that_change_nothing(patch: Patch) -> None:
    _rewritten(patch, lambda told: None if isinstance(told, Arrived) and told.quantity else told)


@breaks("more_may_arrive_than_was_expected", "of_parts_that_arrive_at_once_none_is_lost")
def no_more_arrives_than_was_expected(patch: Patch) -> None:
    original = writing.STEPS["expected"]

    def step(db: Database, writes: Iterable[Told]) -> None:
        for told in writes:
            if isinstance(told, Arrived):
                waited = db.expected.get((told.store, told.sku, told.reference))
                if waited is not None and waited.quantity < (told.quantity or 0):
                    raise OmniorderError(reason="too much")
        original(db, writes)

    carry(patch, "expected", step)


@breaks("the_last_of_a_delivery_ends_it_however_many_were_expected")
def the_last_of_a_delivery_is_one_unit(patch: Patch) -> None:
    _rewritten(patch, lambda told: evolve(told, quantity=told.quantity or 1) if isinstance(told, Arrived) else told)


@breaks("what_nobody_expected_may_arrive")
def only_what_was_expected_arrives(patch: Patch) -> None:
    original = writing.STEPS["expected"]

    def step(db: Database, writes: Iterable[Told]) -> None:
        for told in writes:
            if isinstance(told, Arrived) and db.expected.get((told.store, told.sku, told.reference)) is None:
                raise StaleWrite(kind="delivery", id=told.reference)
        original(db, writes)

    carry(patch, "expected", step)


@breaks("what_arrives_under_another_reference_sku_or_store_changes_nothing")
def arrivals_go_by_the_sku(patch: Patch) -> None:
    _rewritten(patch, lambda told: evolve(told, reference="DN-7") if isinstance(told, Arrived) else told)


@breaks("what_one_command_tells_of_a_delivery_is_taken_in_that_order")
def arrivals_before_what_is_expected(patch: Patch) -> None:
    original = writing.STEPS["expected"]

    def step(db: Database, writes: Iterable[Told]) -> None:
        original(db, sorted(writes, key=lambda told: isinstance(told, Expect)))

    carry(patch, "expected", step)
