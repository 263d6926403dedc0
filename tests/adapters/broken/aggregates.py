"""Mistakes with carts, promises, reservations and orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from omniorder.adapters.memory import writing
from omniorder.adapters.memory.database import Database
from omniorder.domain.lifecycle import CartState, PickupState
from omniorder.domain.quantities import EXACT
from omniorder.testing import samples
from tests.adapters.broken import Patch, alter, breaks, carry, method, rewrite


def _unguarded(table: str) -> Callable[[Database, Any], None]:
    def step(db: Database, writes: Any) -> None:
        for write in writes:
            getattr(db, table).put(write.after.id, write.after)

    return step


# --- carts ------------------------------------------------------------------------------------------------


@breaks(
    "a_cart_is_inserted_once",
    "an_edit_of_an_older_version_is_refused",
    "an_edit_of_a_cart_that_is_not_there_is_refused",
    "of_edits_at_the_same_time_exactly_one_is_kept",
)
def carts_without_guards(patch: Patch) -> None:
    carry(patch, "carts", _unguarded("carts"))


@breaks("a_cart_that_was_never_stored_is_none", "an_edit_of_a_cart_that_is_not_there_is_refused")
def carts_from_nowhere(patch: Patch) -> None:
    alter(patch, "cart", lambda cart: cart or samples.empty_cart())


@breaks(
    "a_cart_in_any_state_comes_back_as_it_was_written",
    "a_cart_keeps_its_lines_in_order_with_their_notes_and_labels",
    "every_edit_of_a_cart_comes_back",
    "several_edits_in_one_write_come_back",
)
def cart_lines_in_the_order_of_their_skus(patch: Patch) -> None:
    def by_sku(cart: Any) -> Any:
        return cart and evolve(cart, lines=tuple(sorted(cart.lines, key=lambda line: line.sku)))

    alter(patch, "cart", by_sku)


@breaks("a_cart_in_any_state_comes_back_as_it_was_written", "every_edit_of_a_cart_comes_back")
def cart_notes_that_are_lost(patch: Patch) -> None:
    alter(patch, "cart", _without_notes)


def _without_notes(cart: Any) -> Any:
    return cart and evolve(cart, lines=tuple(evolve(line, note="") for line in cart.lines))


@breaks("every_edit_of_a_cart_comes_back", "several_edits_in_one_write_come_back")
def cart_lines_that_are_never_deleted(patch: Patch) -> None:
    def step(write: Any) -> Any:
        kept = {line.id for line in write.after.lines}
        gone = [line for line in (write.before.lines if write.before else ()) if line.id not in kept]
        return evolve(write, after=evolve(write.after, lines=(*write.after.lines, *gone)))

    rewrite(patch, "carts", step)


@breaks("carts_do_not_touch_each_other")
def carts_that_share_their_lines(patch: Patch) -> None:
    original = writing.STEPS["carts"]

    def step(db: Database, writes: Any) -> None:
        original(db, writes)
        for write in writes:
            for cart in list(db.carts.rows()):
                db.carts.put(cart.id, evolve(cart, lines=write.after.lines))

    carry(patch, "carts", step)


@breaks("the_open_cart_is_the_one_changed_last")
def the_open_cart_by_id(patch: Patch) -> None:
    def lowest(original: Any, tx: Any, owner: str) -> Any:
        carts = [cart for cart in tx.database.carts.of(owner).values() if cart.state is CartState.OPEN]
        return min(carts, key=lambda cart: cart.id, default=None)

    method(patch, "open_cart", lowest)


@breaks("only_open_carts_are_open", "the_open_cart_is_the_owners")
def the_open_cart_of_anybody_in_any_state(patch: Patch) -> None:
    method(patch, "open_cart", lambda original, tx, owner: max(tx.database.carts.rows(), key=_change, default=None))


def _change(cart: Any) -> Any:
    return cart.changed_at


# --- promises and reservations ----------------------------------------------------------------------------


@breaks(
    "a_promise_is_inserted_once",
    "a_step_from_another_state_is_refused",
    "a_step_of_a_promise_that_is_not_there_is_refused",
    "accepting_and_lapsing_at_once_only_one_happens",
)
def promises_without_guards(patch: Patch) -> None:
    carry(patch, "promises", _unguarded("promises"))


@breaks("a_promise_that_was_never_stored_is_none")
def promises_from_nowhere(patch: Patch) -> None:
    alter(patch, "promise", lambda promise: promise or samples.promise())


@breaks("a_promise_in_any_state_comes_back_with_its_quote", "every_step_of_a_promise_comes_back")
def quotes_without_their_taxes(patch: Patch) -> None:
    alter(patch, "promise", lambda promise: promise and evolve(promise, quote=evolve(promise.quote, taxes=())))


@breaks("every_step_of_a_promise_comes_back")
def promises_that_forget_their_order(patch: Patch) -> None:
    rewrite(patch, "promises", lambda write: evolve(write, after=evolve(write.after, order_id=None)))


@breaks(
    "a_reservation_is_inserted_once",
    "a_step_from_another_state_of_a_reservation_is_refused",
    "a_step_of_a_reservation_that_is_not_there_is_refused",
    "units_that_went_meanwhile_are_not_resolved_twice",
    "promise_and_reservation_change_together_or_not_at_all",
)
def reservations_without_guards(patch: Patch) -> None:
    carry(patch, "reservations", _unguarded("reservations"))


@breaks("units_that_went_meanwhile_are_not_resolved_twice")
def reservations_guarded_by_state_alone(patch: Patch) -> None:
    patch.setattr(writing, "_held", lambda reservation: reservation.state)


@breaks("a_reservation_that_was_never_stored_is_none")
def reservations_from_nowhere(patch: Patch) -> None:
    alter(patch, "reservation", lambda reservation: reservation or samples.reservation())


@breaks("a_reservation_in_any_state_comes_back_as_it_was_written", "every_step_of_a_reservation_comes_back")
def reservations_that_keep_their_time_limit(patch: Patch) -> None:
    alter(patch, "reservation", lambda found: found and evolve(found, until=found.until or samples.NOW))


@breaks("a_reservation_in_any_state_comes_back_as_it_was_written")
def reservations_that_are_all_ours(patch: Patch) -> None:
    alter(patch, "reservation", lambda found: found and evolve(found, outside=False))


# --- orders -----------------------------------------------------------------------------------------------


@breaks(
    "an_order_is_inserted_once",
    "a_step_from_an_older_version_is_refused",
    "a_step_of_an_order_that_is_not_there_is_refused",
    "hand_over_and_no_show_at_once_only_one_happens",
)
def orders_without_guards(patch: Patch) -> None:
    carry(patch, "orders", _unguarded("orders"))


@breaks("an_order_that_was_never_stored_is_none")
def orders_from_nowhere(patch: Patch) -> None:
    alter(patch, "order", lambda order: order or samples.order())


@breaks(
    "an_order_in_any_state_comes_back_as_it_was_written",
    "every_step_of_an_order_comes_back",
    "any_state_is_reached_by_one_write",
)
def attempts_that_are_lost(patch: Patch) -> None:
    def last_only(order: Any) -> Any:
        return order and evolve(order, payments=tuple(evolve(p, attempts=p.attempts[-1:]) for p in order.payments))

    alter(patch, "order", last_only)


_WEIGHED = ("an_order_in_any_state_comes_back_as_it_was_written", "any_state_is_reached_by_one_write")


@breaks(*_WEIGHED)
def order_lines_without_their_tolerance(patch: Patch) -> None:
    def exact(order: Any) -> Any:
        return order and evolve(order, lines=tuple(evolve(line, tolerance=EXACT) for line in order.lines))

    alter(patch, "order", exact)


@breaks(*_WEIGHED)
def weights_that_pass_for_what_was_ordered(patch: Patch) -> None:
    def as_weighed(order: Any) -> Any:
        if not order:
            return order
        lines = tuple(evolve(line, ordered=line.quantity) for line in order.pickup.lines)
        return evolve(order, pickup=evolve(order.pickup, lines=lines))

    alter(patch, "order", as_weighed)


@breaks("an_order_line_keeps_its_note_and_labels", "an_order_in_any_state_comes_back_as_it_was_written")
def order_notes_that_are_lost(patch: Patch) -> None:
    alter(patch, "order", _without_notes)


@breaks("a_placed_line_keeps_its_note_when_the_cart_is_changed_later")
def order_notes_that_are_the_carts(patch: Patch) -> None:
    def read(original: Any, tx: Any, order_id: str) -> Any:
        order = original(tx, order_id)
        cart = tx.cart(order.cart_id) if order else None
        if cart is None:
            return order
        notes = {line.id: line.note for line in cart.lines}
        return evolve(order, lines=tuple(evolve(line, note=notes.get(line.id, "")) for line in order.lines))

    method(patch, "order", read)


@breaks("a_cart_keeps_its_note_when_an_order_is_placed_on_it")
def cart_notes_that_move_to_the_order(patch: Patch) -> None:
    original = writing.STEPS["orders"]

    def step(db: Database, writes: Any) -> None:
        original(db, writes)
        for write in writes:
            if (cart := db.carts.get(write.after.cart_id)) is not None:
                db.carts.put(cart.id, _without_notes(cart))

    carry(patch, "orders", step)


@breaks("what_the_provider_wants_the_customer_to_do_is_not_stored")
def the_providers_secrets_are_stored(patch: Patch) -> None:
    patch.setattr(writing, "_without_actions", lambda order: order)


# --- lists of orders --------------------------------------------------------------------------------------


@breaks("an_owners_orders_come_newest_first", "paging_through_orders_loses_and_repeats_none")
def orders_oldest_first(patch: Patch) -> None:
    alter(patch, "orders_of", lambda found: found[::-1])


@breaks("orders_of_another_owner_are_not_listed")
def orders_of_everybody(patch: Patch) -> None:
    method(patch, "orders_of", lambda original, tx, owner, **page: tuple(tx.database.orders.rows()))


@breaks("a_listed_order_is_as_it_is_now")
def orders_listed_as_they_were_placed(patch: Patch) -> None:
    alter(patch, "orders_of", lambda found: tuple(evolve(order, version=1, payments=()) for order in found))


@breaks("orders_in_several_stores_are_in_one_list")
def orders_of_one_store(patch: Patch) -> None:
    alter(patch, "orders_of", lambda found: tuple(order for order in found if order.store == samples.SOFIA))


@breaks("paging_through_orders_loses_and_repeats_none")
def orders_paged_by_instant_alone(patch: Patch) -> None:
    def page(original: Any, tx: Any, owner: str, *, after: Any, limit: int) -> Any:
        return original(tx, owner, after=after and (after[0], ""), limit=limit)

    method(patch, "orders_of", page)


@breaks("paging_through_orders_loses_and_repeats_none")
def orders_that_begin_each_page_with_the_last(patch: Patch) -> None:
    def page(original: Any, tx: Any, owner: str, *, after: Any, limit: int) -> Any:
        return original(tx, owner, after=after and (after[0], after[1] + "~"), limit=limit)

    method(patch, "orders_of", page)


@breaks("paging_through_pickups_loses_and_repeats_none")
def pickups_paged_by_window_alone(patch: Patch) -> None:
    def page(original: Any, tx: Any, store: str, *, after: Any, **rest: Any) -> Any:
        return original(tx, store, after=after and (after[0], "~"), **rest)

    method(patch, "pickups", page)


@breaks("paging_through_pickups_loses_and_repeats_none", "paging_through_orders_loses_and_repeats_none")
def lists_without_a_limit(patch: Patch) -> None:
    for name in ("orders_of", "pickups"):
        method(patch, name, lambda original, *args, limit, **rest: original(*args, limit=99, **rest))


@breaks("payments_come_by_creation_from_every_store_with_their_orders")
def payments_by_id(patch: Patch) -> None:
    alter(patch, "paid_by", lambda found: tuple(sorted(found)))


@breaks("payments_of_another_kind_are_not_listed")
def payments_of_every_kind(patch: Patch) -> None:
    def every(original: Any, tx: Any, kind: str, **rest: Any) -> Any:
        return (*original(tx, "card", **rest), *original(tx, "gift_card", **rest))

    method(patch, "paid_by", every)


@breaks("each_payment_of_an_order_is_listed_where_it_belongs")
def payments_once_per_order(patch: Patch) -> None:
    alter(patch, "paid_by", lambda found: tuple({order.id: (id, order) for id, order in reversed(found)}.values()))


@breaks("a_payment_is_in_if_it_was_created_from_start_to_before_end")
def payments_of_any_time(patch: Patch) -> None:
    def ever(original: Any, tx: Any, kind: str, *, start: Any, end: Any, **rest: Any) -> Any:
        return original(tx, kind, start=start, end=end + samples.HOUR, **rest)

    method(patch, "paid_by", ever)


@breaks("paging_through_payments_loses_and_repeats_none")
def payments_paged_by_instant_alone(patch: Patch) -> None:
    def page(original: Any, tx: Any, kind: str, *, after: Any, **rest: Any) -> Any:
        return original(tx, kind, after=after and (after[0], "~"), **rest)

    method(patch, "paid_by", page)


@breaks("who_arrived_first_is_listed_first_and_then_who_is_expected_first")
def who_comes_by_order_id(patch: Patch) -> None:
    alter(patch, "coming", lambda found: tuple(sorted(found, key=lambda order: order.id)))


@breaks("paging_through_who_comes_loses_and_repeats_nobody")
def who_comes_paged_by_time_alone(patch: Patch) -> None:
    def page(original: Any, tx: Any, store: str, *, after: Any, **rest: Any) -> Any:
        return original(tx, store, after=after and (*after[:2], "~"), **rest)

    method(patch, "coming", page)


@breaks("pickups_come_by_window_and_order_id")
def pickups_by_order_id(patch: Patch) -> None:
    alter(patch, "pickups", lambda found: tuple(sorted(found, key=lambda order: order.id)))


@breaks("pickups_of_another_store_are_not_listed")
def pickups_of_all_stores(patch: Patch) -> None:
    method(patch, "pickups", lambda original, tx, store, **rest: original(tx, samples.VARNA, **rest))


@breaks("pickups_are_chosen_by_state", "a_pickup_is_listed_by_its_state_of_now")
def pickups_in_any_state(patch: Patch) -> None:
    def every(original: Any, tx: Any, store: str, *, states: Any, **rest: Any) -> Any:
        return original(tx, store, states=[state.value for state in PickupState], **rest)

    method(patch, "pickups", every)


@breaks("a_window_is_in_if_it_starts_from_start_to_before_end")
def windows_that_include_their_end(patch: Patch) -> None:
    def longer(original: Any, tx: Any, store: str, *, end: Any, **rest: Any) -> Any:
        return original(tx, store, end=end and end + samples.MINUTE, **rest)

    method(patch, "pickups", longer)
