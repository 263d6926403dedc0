"""Mistakes with stores, articles, prices, stock, movements and slots."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Booked, Database
from omniorder.adapters.memory.tables import Table, Undo
from omniorder.domain.stock import Level
from omniorder.errors import OutOfStock, SlotUnavailable
from omniorder.testing import samples
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite

# --- stores, articles and prices --------------------------------------------------------------------------


@breaks("a_new_storage_has_no_stores_articles_and_prices")
def a_shop_with_samples_in_it(patch: Patch) -> None:
    alter(patch, "stores", lambda found: found or samples.stores())


@breaks("stores_come_back_as_they_were_written_ordered_by_id", "stores_are_found_by_id_and_unknown_ones_left_out")
def stores_in_any_order(patch: Patch) -> None:
    alter(patch, "stores", lambda found: found[::-1])


@breaks("stores_are_found_by_id_and_unknown_ones_left_out")
def no_stores_asked_for_means_all(patch: Patch) -> None:
    method(patch, "stores", lambda original, tx, ids=None: original(tx, ids or None))


@breaks(
    "a_store_written_again_is_replaced",
    "an_article_written_again_is_replaced",
    "a_price_of_the_same_sku_store_channel_and_beginning_is_replaced",
)
def what_is_written_first_stays(patch: Patch) -> None:
    original = Table.put

    def put(table: Any, key: Any, row: Any) -> None:
        if table.get(key) is None:
            original(table, key, row)

    patch.setattr(Table, "put", put)


@breaks("articles_come_back_by_sku_and_unknown_ones_are_left_out")
def unknown_articles_are_made_up(patch: Patch) -> None:
    alter(patch, "articles", lambda found: found | {"NO-SUCH": samples.articles()[0]})


@breaks("articles_come_back_by_sku_and_unknown_ones_are_left_out")
def articles_without_their_tolerance(patch: Patch) -> None:
    alter(patch, "articles", lambda found: {sku: evolve(one, tolerance="0") for sku, one in found.items()})


@breaks("prices_come_back_ordered_by_sku_store_channel_and_validity")
def prices_in_any_order(patch: Patch) -> None:
    alter(patch, "prices", lambda found: found[::-1])


@breaks("prices_come_back_ordered_by_sku_store_channel_and_validity")
def one_price_per_store_and_channel(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for one in writes:
            db.prices.put((one.sku, one.store or "", one.channel.value if one.channel else "", None), one)

    carry(patch, "prices", step)


@breaks("prices_of_other_skus_are_left_out")
def prices_of_everything(patch: Patch) -> None:
    method(patch, "prices", lambda original, tx, skus: original(tx, list(tx.database.articles) or _SKUS))


_SKUS = [samples.MILK, samples.BREAD, samples.APPLES, samples.CHEESE]


@breaks("a_price_of_the_same_sku_store_channel_and_beginning_is_replaced")
def prices_that_pile_up(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for one in writes:
            db.prices.put((one.sku, one.store or "", str(len(db.prices)), one.valid_from), one)

    carry(patch, "prices", step)


# --- stock ------------------------------------------------------------------------------------------------

_lack = vars(writing)["_lack"]
_GUARDED = (
    "what_is_there_may_be_promised_and_no_unit_more",
    "safety_stock_is_not_promised",
    "what_was_never_received_can_not_be_promised",
    "stock_of_another_store_does_not_help",
    "changes_of_one_level_are_summed_first",
    "one_short_sku_refuses_all_of_them",
    "a_refusal_names_every_sku_that_is_short",
    "of_two_customers_one_gets_the_last_unit",
    "many_customers_never_get_more_than_there_is",
    "a_storage_works_on_after_a_refusal",
)


@breaks(*_GUARDED)
def promises_of_what_is_not_there(patch: Patch) -> None:
    rewrite(patch, "stock", lambda change: evolve(change, promise=False))


@breaks("what_may_be_promised_is_told_for_many_levels_as_for_each")
def what_is_owed_is_shown_as_less_than_nothing(patch: Patch) -> None:
    def available(original: Any, tx: Any, skus: Any, stores: Any = None) -> Any:
        levels = tx.levels(skus, stores)
        return {(one.store, one.sku): one.on_hand - one.reserved - one.safety for one in levels}

    method(patch, "available", available)


@breaks("safety_stock_is_not_promised")
def safety_that_does_not_count(patch: Patch) -> None:
    patch.setattr(writing, "_lack", lambda level, demand: _lack(evolve(level, safety=0), demand))


@breaks("what_was_never_received_can_not_be_promised")
def levels_out_of_nothing(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        new = [one for one in writes if db.levels.get((one.store, one.sku)) is None]
        for one in new:
            db.levels.put((one.store, one.sku), Level(one.store, one.sku, max(one.on_hand, one.reserved)))
        original(db, [one for one in writes if one not in new])

    original = writing.STEPS["stock"]
    carry(patch, "stock", step)


@breaks("stock_of_another_store_does_not_help")
def one_stock_for_all_stores(patch: Patch) -> None:
    rewrite(patch, "stock", lambda change: evolve(change, store=samples.VARNA))


@breaks("changes_of_one_level_are_summed_first", "a_changed_promise_needs_only_the_difference")
def changes_one_by_one(patch: Patch) -> None:
    original = writing.STEPS["stock"]

    def step(db: Database, writes: Any) -> None:
        for change in writes:
            original(db, [change])

    carry(patch, "stock", step)


@breaks("one_short_sku_refuses_all_of_them")
def what_is_there_is_taken_before_refusing(patch: Patch) -> None:
    changes_one_by_one(patch)
    patch.setattr(Undo, "back_to", lambda undo, mark: None)


@breaks("a_refusal_names_every_sku_that_is_short")
def only_the_first_short_sku_is_named(patch: Patch) -> None:
    original = writing.STEPS["stock"]

    def step(db: Database, writes: Any) -> None:
        try:
            original(db, writes)
        except OutOfStock as error:
            raise OutOfStock(store=error.facts["store"], short=error.facts["short"][:1]) from None

    carry(patch, "stock", step)


@breaks("giving_back_is_always_possible")
def giving_back_needs_free_units(patch: Patch) -> None:
    def guarded(level: Any, demand: Any) -> Any:
        after = level.on_hand + demand.on_hand - level.reserved - demand.reserved
        return (0, 0) if demand.reserved and after < level.safety else _lack(level, demand)

    patch.setattr(writing, "_lack", guarded)


@breaks("a_count_below_what_is_promised_is_recorded_as_a_shortage", "giving_back_is_always_possible")
def counts_below_what_is_promised_are_refused(patch: Patch) -> None:
    def guarded(level: Any, demand: Any) -> Any:
        short = level.on_hand + demand.on_hand < level.reserved + demand.reserved
        return (1, 0) if short else _lack(level, demand)

    patch.setattr(writing, "_lack", guarded)


@breaks("units_are_collected_from_shelf_and_reservation_at_once")
def collecting_needs_free_units(patch: Patch) -> None:
    def guarded(level: Any, demand: Any) -> Any:
        return (1, 0) if level.available + demand.on_hand < 0 else _lack(level, demand)

    patch.setattr(writing, "_lack", guarded)


@breaks("reserved_never_falls_below_zero", "on_hand_never_falls_below_zero")
def numbers_below_zero(patch: Patch) -> None:
    patch.setattr(writing, "_lack", lambda level, demand: _lack(level, demand) if demand.promise else None)


@breaks("receiving_makes_a_level_and_adds_to_it", "movements_come_back_as_they_were_written_oldest_first")
def receiving_replaces_what_is_there(patch: Patch) -> None:
    original = writing.STEPS["stock"]

    def step(db: Database, writes: Any) -> None:
        for change in writes:
            db.levels.drop((change.store, change.sku))
        original(db, writes)

    carry(patch, "stock", step)
    alter(patch, "movements", lambda found: found[-1:])


@breaks("safety_is_replaced_when_it_is_given_and_kept_when_not")
def safety_that_is_forgotten(patch: Patch) -> None:
    rewrite(patch, "stock", lambda change: evolve(change, safety=change.safety or 0))


@breaks("safety_is_replaced_when_it_is_given_and_kept_when_not")
def safety_that_never_goes_back_to_zero(patch: Patch) -> None:
    rewrite(patch, "stock", lambda change: evolve(change, safety=change.safety or None))


@breaks("safety_can_be_set_before_the_first_delivery")
def safety_of_nothing_is_dropped(patch: Patch) -> None:
    original = writing.STEPS["stock"]

    def step(db: Database, writes: Any) -> None:
        original(db, [one for one in writes if one.on_hand or one.reserved or db.levels.get((one.store, one.sku))])

    carry(patch, "stock", step)


@breaks("levels_come_by_store_and_sku_and_only_those_that_exist")
def levels_in_any_order(patch: Patch) -> None:
    alter(patch, "levels", lambda found: found[::-1])


@breaks("levels_come_by_store_and_sku_and_only_those_that_exist")
def levels_of_all_stores_when_none_is_asked_for(patch: Patch) -> None:
    method(patch, "levels", lambda original, tx, skus, stores=None: original(tx, skus, stores or None))


# --- movements --------------------------------------------------------------------------------------------


@breaks("movements_come_back_as_they_were_written_oldest_first", "paging_through_movements_loses_and_repeats_none")
def movements_newest_first(patch: Patch) -> None:
    alter(patch, "movements", lambda found: found[::-1])


@breaks("movements_of_other_levels_are_left_out")
def movements_of_everything(patch: Patch) -> None:
    method(patch, "movements", lambda original, tx, *args, **named: tuple(tx.database.movements.rows()))


@breaks("a_movement_is_inserted_once")
def movements_written_over(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for one in writes:
            db.movements.put(one.id, one)

    carry(patch, "movements", step)


@breaks("paging_through_movements_loses_and_repeats_none")
def movements_without_pages(patch: Patch) -> None:
    method(patch, "movements", lambda original, *args, after, limit: original(*args, after=None, limit=limit))


# --- slots ------------------------------------------------------------------------------------------------


@breaks(
    "places_are_taken_until_the_slot_is_full",
    "a_slot_without_capacity_takes_nobody",
    "a_place_is_given_back_also_when_the_capacity_was_lowered",
    "places_taken_in_one_command_are_summed_first",
    "a_full_slot_refuses_the_stock_too",
    "of_several_customers_one_gets_the_last_place",
)
def slots_that_are_never_full(patch: Patch) -> None:
    rewrite(patch, "slots", lambda change: evolve(change, capacity=10**6))


@breaks("a_slot_without_capacity_takes_nobody")
def the_first_place_is_not_guarded(patch: Patch) -> None:
    original = writing.STEPS["slots"]

    def step(db: Database, writes: Any) -> None:
        for change in writes:
            first = db.slots.get((change.store, change.slot)) is None
            original(db, [evolve(change, capacity=1) if first else change])

    carry(patch, "slots", step)


@breaks("a_place_given_back_can_be_taken_again", "a_place_can_be_exchanged_in_a_full_slot")
def places_that_are_never_given_back(patch: Patch) -> None:
    rewrite(patch, "slots", lambda change: change if change.places > 0 else None)


@breaks("a_place_can_be_exchanged_in_a_full_slot")
def places_one_by_one(patch: Patch) -> None:
    original = writing.STEPS["slots"]

    def step(db: Database, writes: Any) -> None:
        for change in writes:
            original(db, [change])

    carry(patch, "slots", step)


@breaks("a_place_is_given_back_also_when_the_capacity_was_lowered")
def giving_back_needs_capacity(patch: Patch) -> None:
    original = writing.STEPS["slots"]

    def step(db: Database, writes: Any) -> None:
        for change in writes:
            row = db.slots.get((change.store, change.slot))
            if row is not None and row.places + change.places > change.capacity:
                raise SlotUnavailable(slot=change.slot, reason="full")
        original(db, writes)

    carry(patch, "slots", step)


@breaks("booked_is_never_negative")
def slots_with_less_than_nobody(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for change in writes:
            row = db.slots.get((change.store, change.slot)) or Booked(change.starts, 0)
            db.slots.put((change.store, change.slot), Booked(row.starts, row.places + change.places))

    carry(patch, "slots", step)


@breaks(
    "lines_are_taken_until_the_slot_holds_no_more_of_them",
    "more_lines_than_a_slot_ever_holds_are_refused",
    "a_larger_basket_in_the_same_place_takes_the_difference",
    "of_several_customers_one_gets_the_last_lines",
)
def lines_without_limit(patch: Patch) -> None:
    rewrite(patch, "slots", lambda change: evolve(change, line_capacity=None))


@breaks("lines_are_given_back_with_their_place", "a_smaller_basket_in_the_same_place_gives_the_difference_back")
def lines_that_are_never_given_back(patch: Patch) -> None:
    rewrite(patch, "slots", lambda change: evolve(change, lines=max(0, change.lines)))


@breaks("lines_are_counted_also_where_they_are_not_limited")
def lines_of_limited_slots_only(patch: Patch) -> None:
    rewrite(patch, "slots", lambda change: change if change.line_capacity is not None else evolve(change, lines=0))


@breaks("a_slot_full_of_orders_has_no_room_for_lines")
def lines_instead_of_orders(patch: Patch) -> None:
    def either(change: Any) -> Any:
        return change if change.line_capacity is None else evolve(change, capacity=change.capacity + 100)

    rewrite(patch, "slots", either)


@breaks("booked_lines_are_never_negative")
def slots_that_owe_lines(patch: Patch) -> None:
    def step(db: Database, writes: Any) -> None:
        for change in writes:
            row = db.slots.get((change.store, change.slot)) or Booked(change.starts, 0)
            after = Booked(row.starts, max(0, row.places + change.places), row.lines + change.lines)
            db.slots.put((change.store, change.slot), after)

    carry(patch, "slots", step)


@breaks("booked_are_the_slots_of_these_stores_that_start_from_start_to_before_end")
def booked_including_the_end(patch: Patch) -> None:
    method(patch, "booked", lambda original, tx, stores, start, end: original(tx, stores, start, end + samples.MINUTE))


@breaks("booked_are_the_slots_of_these_stores_that_start_from_start_to_before_end")
def booked_at_one_store(patch: Patch) -> None:
    method(patch, "booked", lambda original, tx, stores, start, end: original(tx, stores[:1], start, end))
