"""Ship to store: what another store sends is held, sent and received once, and no customer is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from attrs import evolve

from omniorder import Channel, PayInStore, Pick, Stage, System, Taken, events
from omniorder.domain.events import Recorded
from omniorder.domain.lifecycle import PickupState, TransferState
from omniorder.domain.questions import Alternative
from omniorder.domain.rerouting import Rerouting
from omniorder.domain.store_services import Service
from omniorder.domain.transfers import Transfer
from omniorder.errors import (
    IllegalTransition,
    InvalidInput,
    InvalidInstant,
    InvalidQuantity,
    NotFound,
    OutOfStock,
    SlotUnavailable,
)
from omniorder.services import sweeps
from omniorder.services.settings import Settings
from omniorder.services.units import reading
from omniorder.testing.invariants import check_all, nothing_is_held_past_its_grace, nothing_is_overdue
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.sending import (
    CENTRE,
    EIGHT_LOAVES,
    TRANSIT,
    awaiting,
    centre,
    only_transfer,
    promised_from_afar,
    slot_after,
)
from tests.services.steps import booked, charged, code, filled, free_slot, level, names, refused

BREAD, SOFIA = Shop.BREAD, Shop.SOFIA


# --- promising --------------------------------------------------------------------------------------------


def test_a_promise_holds_what_other_stores_will_send_where_it_is(shop: Shop) -> None:
    centre(shop)
    promise = promised_from_afar(shop)
    assert [(leg.store, leg.units) for leg in promise.legs] == [(CENTRE, ((BREAD, 3),))]
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((5, 5), (10, 3))
    check_all(shop.hub)


def test_without_ship_nothing_is_taken_from_elsewhere(shop: Shop) -> None:
    centre(shop)
    cart = filled(shop, EIGHT_LOAVES)
    short = refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=free_slot(shop, cart))
    assert short.facts["short"] == [{"sku": BREAD, "wanted": 8, "available": 5}]


def test_what_the_store_has_itself_needs_no_transfer(shop: Shop) -> None:
    centre(shop)
    cart = filled(shop)
    assert shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart), ship=True).legs == ()


def test_a_window_before_the_goods_can_be_there_is_refused(shop: Shop) -> None:
    centre(shop)
    cart = filled(shop, EIGHT_LOAVES)
    error = refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot=free_slot(shop, cart), ship=True)
    assert error.facts["reason"] == "before_arrival"
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((5, 0), (10, 0))


def test_the_refusal_names_the_first_window_that_is_free_after_the_goods_are_there(shop: Shop) -> None:
    """They come at six, when the store is closed; the first window after that is at eight, and may be full."""
    centre(shop)
    shop.office.stores.put(evolve(shop.office.stores.get(shop.SOFIA), slot_capacity=1))
    cart, soon = filled(shop, EIGHT_LOAVES), slot_after(shop, timedelta(hours=2))

    def earliest() -> str:
        error = refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot=soon, ship=True)
        (offer,) = (one for one in shop.app.checkout.offers(cart.id) if one.store.id == shop.SOFIA)
        assert offer.with_transfer is not None
        assert error.facts["earliest"] == offer.with_transfer.slots[0].starts.isoformat(timespec="minutes")
        return str(error.facts["earliest"])

    assert earliest() == "2026-11-24T08:00+02:00"
    other = filled(shop, {Shop.MILK: 1}, touch=shop.stranger)
    shop.stranger.checkout.promise(other.id, slot=slot_after(shop, timedelta(hours=22)))
    assert earliest() == "2026-11-24T09:00+02:00"


def test_when_the_goods_come_behind_all_windows_no_window_is_named(shop: Shop) -> None:
    centre(shop)
    shop.office.stores.put(evolve(shop.office.stores.get(CENTRE), transit=timedelta(days=60)))
    cart = filled(shop, EIGHT_LOAVES)
    error = refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot=free_slot(shop, cart), ship=True)
    assert (error.facts["reason"], "earliest" in error.facts) == ("before_arrival", False)


def test_what_all_stores_together_have_not_got_is_refused_with_what_they_have(shop: Shop) -> None:
    centre(shop, bread=1)
    cart = filled(shop, EIGHT_LOAVES)
    slot = slot_after(shop, timedelta(hours=22))
    error = refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=slot, ship=True)
    assert error.facts["short"] == [{"sku": BREAD, "wanted": 8, "available": 6}]


@pytest.mark.parametrize("how", ["withdrawn", "lapsed", "replaced"])
def test_a_promise_that_ends_gives_everything_back_everywhere(shop: Shop, how: str) -> None:
    centre(shop)
    promise = promised_from_afar(shop)
    match how:
        case "withdrawn":
            shop.app.checkout.withdraw(promise.id)
        case "lapsed":
            shop.advance(minutes=16)
        case _:
            shop.app.carts.edit(promise.cart_id, [])
            cart = shop.app.carts.get(promise.cart_id)
            bread = next(line for line in cart.lines if line.sku == BREAD)
            shop.app.carts.change(cart.id, bread.id, 2)
            shop.app.checkout.promise(cart.id, slot=promise.slot)
    left = (2, 0) if how == "replaced" else (0, 0)
    assert (level(shop, BREAD)[1], level(shop, BREAD, CENTRE)[1]) == left
    check_all(shop.hub)


def test_what_a_cart_holds_already_is_not_in_the_way_of_its_next_promise(shop: Shop) -> None:
    centre(shop, bread=3)
    first = promised_from_afar(shop)
    slot = slot_after(shop, timedelta(hours=24))
    again = shop.app.checkout.promise(first.cart_id, slot=slot, ship=True)
    assert [leg.units for leg in again.legs] == [((BREAD, 3),)]
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((5, 5), (3, 3))
    check_all(shop.hub)


# --- sending and receiving --------------------------------------------------------------------------------


def test_an_order_awaits_its_goods_and_is_prepared_when_they_have_come(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    assert (order.stage, order.pickup.state) == (Stage.PREPARING, PickupState.AWAITING_STOCK)
    refused(IllegalTransition, shop.store.pickups.pick, order.id, order.lines[0].id, 1)
    transfer = only_transfer(shop)
    check_all(shop.hub)
    dc.transfers.pick(transfer.id)
    check_all(shop.hub)
    dc.transfers.ship(transfer.id, reference="VAN 3")
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((5, 5), (7, 0))
    check_all(shop.hub)
    done = shop.store.transfers.receive(transfer.id)
    assert done.state is TransferState.RECEIVED
    assert level(shop, BREAD) == (8, 8)
    after = shop.app.orders.get(order.id)
    assert (after.pickup.state, after.pickup.awaited) == (PickupState.TO_PICK, ())
    check_all(shop.hub)


def test_goods_from_two_stores_leave_in_one_hand_over(shop: Shop) -> None:
    centre(shop)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    shop.office.transfers.ship(transfer.id)
    shop.office.transfers.receive(transfer.id)
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    shop.store.pickups.ready(order.id)
    receipt = shop.store.pickups.hand_over(order.id, code=code(shop, order))
    assert receipt.order.stage is Stage.COLLECTED
    assert (level(shop, BREAD), charged(shop)) == ((0, 0), order.total.amount)
    check_all(shop.hub)


def test_parts_of_one_line_from_two_stores_leave_in_two_hand_overs(shop: Shop) -> None:
    centre(shop)
    order = awaiting(shop, pay=PayInStore())
    transfer = only_transfer(shop)
    shop.office.transfers.ship(transfer.id)
    shop.office.transfers.receive(transfer.id)
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    shop.store.pickups.ready(order.id)
    bread = next(line for line in order.lines if line.sku == BREAD)
    first = shop.store.pickups.hand_over(
        order.id, code=code(shop, order), lines=[Pick(bread.id, 6)], taken=Taken(bread.value(6))
    )
    check_all(shop.hub)
    assert (first.order.stage, level(shop, BREAD)) == (Stage.READY, (2, 2))
    shop.app.orders.cancel(order.id)
    assert level(shop, BREAD) == (2, 0)
    check_all(shop.hub)


def test_a_transfer_is_seen_by_its_two_stores_and_worked_on_by_the_right_one(shop: Shop) -> None:
    dc = centre(shop)
    awaiting(shop)
    transfer = only_transfer(shop)
    assert dc.transfers.get(transfer.id) == shop.store.transfers.get(transfer.id) == transfer
    refused(NotFound, shop.elsewhere.transfers.get, transfer.id)
    refused(NotFound, shop.elsewhere.transfers.incoming, SOFIA)
    refused(NotFound, shop.store.transfers.ship, transfer.id)
    dc.transfers.ship(transfer.id)
    refused(NotFound, dc.transfers.receive, transfer.id)


def test_a_step_that_is_pressed_twice_happens_once(shop: Shop) -> None:
    dc = centre(shop)
    awaiting(shop)
    transfer = only_transfer(shop)
    for _ in range(2):
        dc.transfers.ship(transfer.id, key="once")
    for _ in range(2):
        shop.store.transfers.receive(transfer.id, key="once")
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((8, 8), (7, 0))
    refused(IllegalTransition, shop.store.transfers.receive, transfer.id)


def test_an_order_that_is_called_off_leaves_the_goods_where_they_are(shop: Shop) -> None:
    centre(shop)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    shop.app.orders.cancel(order.id)
    assert shop.office.transfers.get(transfer.id).state is TransferState.CANCELLED
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((5, 0), (10, 0))
    check_all(shop.hub)


def test_goods_under_way_for_an_order_that_was_called_off_go_on_the_shelf(shop: Shop) -> None:
    centre(shop)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    shop.office.transfers.ship(transfer.id)
    shop.app.orders.cancel(order.id)
    check_all(shop.hub)
    shop.office.transfers.receive(transfer.id)
    assert level(shop, BREAD) == (8, 0)
    check_all(shop.hub)


# --- late and short ---------------------------------------------------------------------------------------


def test_a_transfer_that_brings_less_is_put_to_the_customer(shop: Shop) -> None:
    centre(shop, bread=3)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    shop.office.transfers.ship(transfer.id)
    done = shop.office.transfers.receive(transfer.id, {BREAD: 1}, reason="damaged")
    assert done.state is TransferState.SHORT
    after = shop.app.orders.get(order.id)
    question = after.pickup.question
    assert after.stage is Stage.QUESTION
    assert question is not None
    assert (question.reason, [part.quantity for part in question.about]) == ("transfer.short", [2])
    assert [one.alternative for one in question.options] == [Alternative.LESS, Alternative.NOTHING]
    assert shop.office.stock.level(SOFIA, BREAD).shortage == 2
    check_all(shop.hub)
    less = shop.app.orders.answer(order.id, "less")
    assert (less.pickup.state, less.wanted_value.amount) == (PickupState.TO_PICK, order.total.amount - 2 * 310)
    assert shop.office.stock.level(SOFIA, BREAD).shortage == 0
    check_all(shop.hub)


def test_what_the_source_has_not_got_is_asked_about_before_it_ships(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    dc.transfers.pick(transfer.id, {BREAD: 2})
    assert level(shop, BREAD, CENTRE) == (9, 2)
    after = shop.app.orders.get(order.id)
    assert after.pickup.question is not None
    assert after.pickup.question.options[0].alternative is Alternative.SENT
    check_all(shop.hub)
    again = shop.app.orders.answer(order.id, "sent")
    assert again.pickup.state is PickupState.AWAITING_STOCK
    assert sorted(part.quantity for leg in again.pickup.awaited for part in leg.units) == [1, 2]
    check_all(shop.hub)
    for one in shop.office.transfers.outgoing(CENTRE).items:
        shop.office.transfers.ship(one.id)
        shop.office.transfers.receive(one.id)
        check_all(shop.hub)
    assert shop.app.orders.get(order.id).pickup.state is PickupState.TO_PICK
    assert level(shop, BREAD) == (8, 8)


def test_a_source_that_has_nothing_ends_the_transfer(shop: Shop) -> None:
    dc = centre(shop, bread=3)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    assert dc.transfers.pick(transfer.id, {}).state is TransferState.SHORT
    assert level(shop, BREAD, CENTRE) == (0, 0)
    assert shop.app.orders.get(order.id).stage is Stage.QUESTION
    check_all(shop.hub)


def test_a_transfer_that_is_called_off_is_put_to_the_customer(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    dc.transfers.cancel(only_transfer(shop).id, reason="no van today")
    assert level(shop, BREAD, CENTRE) == (10, 0)
    after = shop.app.orders.answer(order.id, "sent")
    assert [leg.store for leg in after.pickup.awaited] == [CENTRE]
    check_all(shop.hub)


def test_a_delay_that_the_window_can_bear_is_nobodys_question(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop, hours=30)
    dc.transfers.delay(only_transfer(shop).id, shop.clock.now() + timedelta(hours=25), reason="snow")
    after = shop.app.orders.get(order.id)
    assert after.pickup.state is PickupState.AWAITING_STOCK
    assert names(shop, order)[-1] == "ArrivalMoved"
    check_all(shop.hub)


def test_a_delay_beyond_the_window_is_a_choice_and_the_window_follows_the_goods(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    arrives = shop.clock.now() + timedelta(hours=45)
    dc.transfers.delay(only_transfer(shop).id, arrives, reason="snow")
    question = shop.app.orders.get(order.id).pickup.question
    assert question is not None
    assert question.reason == "transfer.late"
    assert [one.id for one in question.options] == ["later", "less", "nothing"]
    later = shop.app.orders.answer(order.id, "later")
    assert later.pickup.state is PickupState.AWAITING_STOCK
    assert later.pickup.starts >= arrives + timedelta(hours=1)
    assert (booked(shop, order.pickup.slot), booked(shop, later.pickup.slot)) == (0, 1)
    check_all(shop.hub)


def test_who_does_not_want_to_wait_gets_the_rest_and_the_late_goods_stay_where_they_are(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    dc.transfers.delay(transfer.id, shop.clock.now() + timedelta(hours=45), reason="snow")
    less = shop.app.orders.answer(order.id, "less")
    assert (less.pickup.state, less.pickup.awaited) == (PickupState.TO_PICK, ())
    assert shop.office.transfers.get(transfer.id).state is TransferState.CANCELLED
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((5, 5), (10, 0))
    check_all(shop.hub)


def test_a_delay_that_is_taken_back_is_no_question_any_more(shop: Shop) -> None:
    dc = centre(shop)
    order, transfer = awaiting(shop, hours=30), only_transfer(shop)
    dc.transfers.ship(transfer.id)
    dc.transfers.delay(transfer.id, shop.clock.now() + timedelta(hours=60), reason="a typing error")
    assert shop.app.orders.get(order.id).stage is Stage.QUESTION
    dc.transfers.delay(transfer.id, shop.clock.now() + timedelta(hours=20), reason="in time after all")
    after = shop.app.orders.get(order.id)
    assert (after.pickup.state, after.pickup.question) == (PickupState.AWAITING_STOCK, None)
    shop.advance(hours=5)
    assert shop.app.orders.get(order.id).pickup.rest() == order.pickup.rest()
    check_all(shop.hub)


def test_a_delay_of_a_delay_is_asked_about_anew(shop: Shop) -> None:
    dc = centre(shop)
    order, transfer = awaiting(shop, hours=30), only_transfer(shop)
    for hours in (40, 65):
        dc.transfers.delay(transfer.id, shop.clock.now() + timedelta(hours=hours), reason="snow")
    arrives = shop.clock.now() + timedelta(hours=65)
    question = shop.app.orders.get(order.id).pickup.question
    assert question is not None
    assert [one.arrives for one in question.missing] == [arrives]
    later = shop.app.orders.answer(order.id, "later")
    assert later.pickup.starts >= arrives
    check_all(shop.hub)


def test_goods_of_which_nobody_says_when_they_come_are_not_waited_for_in_silence(open_shop: OpenShop) -> None:
    """Not even where the policy moves the window without asking: that is for delays that are told."""
    shop = open_shop(settings=Settings(rerouting=Rerouting(ask=[])))
    dc = centre(shop)
    order, transfer = awaiting(shop), only_transfer(shop)
    dc.transfers.delay(transfer.id, shop.clock.now() + timedelta(hours=45), reason="snow")
    moved = shop.app.orders.get(order.id)
    assert (moved.pickup.state, moved.pickup.question) == (PickupState.AWAITING_STOCK, None)
    assert moved.pickup.starts > order.pickup.starts
    shop.clock.set(shop.office.transfers.get(transfer.id).expected_at)
    shop.advance(minutes=1)
    assert shop.app.orders.get(order.id).stage is Stage.QUESTION
    shop.advance(days=1)
    assert shop.app.orders.get(order.id).pickup.awaited == ()
    check_all(shop.hub)


def test_what_is_sent_for_an_order_that_is_called_off_is_expected_on_the_shelf(shop: Shop) -> None:
    dc = centre(shop)
    order, transfer = awaiting(shop), only_transfer(shop)
    dc.transfers.ship(transfer.id)
    assert shop.store.stock.expected(SOFIA, BREAD) == ()
    shop.app.orders.cancel(order.id)
    (coming,) = shop.store.stock.expected(SOFIA, BREAD)
    assert (coming.reference, coming.quantity, coming.at) == (transfer.id, 3, transfer.expected_at)
    shop.store.transfers.receive(transfer.id)
    assert shop.store.stock.expected(SOFIA, BREAD) == ()
    assert shop.store.stock.level(SOFIA, BREAD).available == 8
    check_all(shop.hub)


def test_goods_leave_once_and_the_second_time_is_refused_as_such(shop: Shop) -> None:
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 2})
    dc.transfers.ship(transfer.id)
    refused(IllegalTransition, dc.transfers.ship, transfer.id)


def test_late_goods_that_come_before_the_answer_settle_the_question(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    dc.transfers.ship(transfer.id)
    dc.transfers.delay(transfer.id, shop.clock.now() + timedelta(hours=45), reason="snow")
    assert shop.app.orders.get(order.id).stage is Stage.QUESTION
    shop.store.transfers.receive(transfer.id)
    after = shop.app.orders.get(order.id)
    assert (after.pickup.state, after.pickup.question) == (PickupState.TO_PICK, None)
    check_all(shop.hub)


def test_goods_that_do_not_come_when_expected_are_asked_about_by_the_sweep(shop: Shop) -> None:
    centre(shop)
    order = awaiting(shop)
    shop.advance(hours=19)
    assert shop.app.orders.get(order.id).stage is Stage.PREPARING
    shop.advance(hours=1, minutes=1)
    after = shop.app.orders.get(order.id)
    assert after.pickup.question is not None
    assert after.pickup.question.reason == "transfer.late"
    later = shop.app.orders.answer(order.id, "later")
    assert later.pickup.awaited[0].expected_at >= shop.clock.now() + TRANSIT
    shop.hub.sweep()
    nothing_is_overdue(shop.hub)
    check_all(shop.hub)


def test_silence_is_what_the_question_said(shop: Shop) -> None:
    dc = centre(shop)
    order = awaiting(shop)
    dc.transfers.delay(only_transfer(shop).id, shop.clock.now() + timedelta(hours=45), reason="snow")
    shop.advance(hours=4, minutes=1)
    after = shop.app.orders.get(order.id)
    assert after.pickup.state is PickupState.TO_PICK
    assert names(shop, order)[-3:] == ["QuestionLapsed", "LinesCancelled", "Requeued"]
    check_all(shop.hub)


def test_a_policy_may_settle_it_without_asking(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(rerouting=Rerouting(alternatives=[Alternative.LATER], ask=[])))
    dc = centre(shop)
    order = awaiting(shop)
    dc.transfers.delay(only_transfer(shop).id, shop.clock.now() + timedelta(hours=45), reason="snow")
    after = shop.app.orders.get(order.id)
    assert after.pickup.state is PickupState.AWAITING_STOCK
    assert after.pickup.starts > order.pickup.starts
    check_all(shop.hub)


def test_a_later_window_gives_goods_that_did_not_come_the_whole_way_once_more(shop: Shop) -> None:
    """However late within its time the question is answered."""
    centre(shop)
    order = awaiting(shop)
    shop.clock.set(only_transfer(shop).expected_at)
    shop.advance(minutes=1)
    question = shop.app.orders.get(order.id).pickup.question
    assert question is not None
    shop.clock.set(question.until - timedelta(seconds=1))
    later = shop.app.orders.answer(order.id, "later")
    lead = shop.office.stores.get(SOFIA).lead
    assert later.pickup.starts >= shop.clock.now() + TRANSIT + lead
    assert (later.pickup.state, later.pickup.question) == (PickupState.AWAITING_STOCK, None)
    shop.hub.sweep()
    assert shop.app.orders.get(order.id) == later
    check_all(shop.hub)


def test_what_nobody_decided_because_a_process_died_is_decided_by_the_sweep(shop: Shop) -> None:
    """Inside a caller's transaction the step alone is done, as if its process had died right after it."""
    centre(shop)
    order = awaiting(shop)
    transfer = only_transfer(shop)
    shop.office.transfers.ship(transfer.id)
    storage = shop.hub._parts.storage
    with storage.transaction() as tx, shop.hub.joined(tx if tx.connection is None else tx.connection) as joined:
        office = joined.at(Channel.SYSTEM, System("office"))
        office.transfers.receive(transfer.id, {BREAD: 1})
    undecided = shop.app.orders.get(order.id)
    assert (undecided.pickup.state, undecided.pickup.question) == (PickupState.AWAITING_STOCK, None)
    check_all(shop.hub)
    shop.advance(seconds=6)
    assert shop.app.orders.get(order.id).stage is Stage.QUESTION
    check_all(shop.hub)


# --- for the shelf ----------------------------------------------------------------------------------------


def test_goods_for_the_shelf_travel_without_an_order(shop: Shop) -> None:
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    assert level(shop, BREAD, CENTRE) == (10, 4)
    check_all(shop.hub)
    dc.transfers.ship(transfer.id)
    shop.store.transfers.receive(transfer.id, {BREAD: 3}, reason="one was squashed")
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((8, 0), (6, 0))
    check_all(shop.hub)


def told(shop: Shop, transfer: Transfer) -> Sequence[Recorded]:
    """What happened to a transfer, in order."""
    return reading(shop.hub._parts, lambda tx: tx.journal(transfer.source, transfer.id, after=0, limit=10))


@pytest.mark.parametrize("picked", [False, True], ids=["requested", "picked"])
def test_goods_for_the_shelf_that_nobody_sends_are_called_off_and_free_again(shop: Shop, picked: bool) -> None:
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    if picked:
        dc.transfers.pick(transfer.id, {BREAD: 3})
    held = 3 if picked else 4
    on_hand = 9 if picked else 10
    shop.clock.set(transfer.expected_at + Settings().transfer_waits)
    shop.advance(seconds=4)
    assert level(shop, BREAD, CENTRE) == (on_hand, held)
    shop.advance(seconds=2)
    assert level(shop, BREAD, CENTRE) == (on_hand, 0)
    after = dc.transfers.get(transfer.id)
    assert (after.state, shop.store.stock.expected(SOFIA, BREAD)) == (TransferState.CANCELLED, ())
    last = told(shop, transfer)[-1]
    assert last.event == events.TransferCancelled("not sent in time")
    assert last.stamp.channel is Channel.SYSTEM
    assert shop.hub.sweep().looked == 0
    check_all(shop.hub)
    nothing_is_overdue(shop.hub)
    nothing_is_held_past_its_grace(shop.hub)


def test_goods_for_the_shelf_wait_longer_when_they_are_expected_later(shop: Shop) -> None:
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    later = dc.transfers.delay(transfer.id, transfer.expected_at + timedelta(days=5), reason="no van")
    shop.clock.set(later.expected_at)
    shop.advance(days=1)
    assert level(shop, BREAD, CENTRE) == (10, 4)
    check_all(shop.hub)
    shop.advance(days=1, seconds=10)
    assert level(shop, BREAD, CENTRE) == (10, 0)


@pytest.mark.parametrize("sent", [True, False], ids=["shipped", "cancelled"])
def test_what_has_left_or_was_called_off_leaves_the_sweep_nothing_to_do(shop: Shop, sent: bool) -> None:
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    if sent:
        dc.transfers.ship(transfer.id)
    else:
        dc.transfers.cancel(transfer.id, reason="no van")
    shop.clock.advance(days=60)
    assert shop.hub.sweep().looked == 0
    state = TransferState.SHIPPED if sent else TransferState.CANCELLED
    assert dc.transfers.get(transfer.id).state is state
    check_all(shop.hub)


def test_how_long_goods_for_the_shelf_may_be_late_is_a_setting_and_may_change(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(transfer_waits=timedelta(hours=1)))
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    shop.clock.set(transfer.expected_at + timedelta(hours=1))
    patient = evolve(shop.hub._parts, settings=Settings())
    shop.clock.advance(seconds=10)
    assert not sweeps.sweep(patient, 100, lambda: False).happened
    assert level(shop, BREAD, CENTRE) == (10, 4)
    check_all(shop.hub)
    shop.clock.advance(days=2)
    assert dict(shop.hub.sweep().happened) == {"TransferCancelled": 1}
    assert level(shop, BREAD, CENTRE) == (10, 0)


def test_many_sweeps_call_it_off_once(shop: Shop) -> None:
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    shop.clock.advance(days=60)
    start = Barrier(4)

    def sweep() -> int:
        start.wait()
        report = shop.hub.sweep()
        assert not report.failed
        return report.happened.get("TransferCancelled", 0)

    with ThreadPoolExecutor(4) as pool:
        assert sum(one.result() for one in [pool.submit(sweep) for _ in range(4)]) == 1
    assert [entry.name for entry in told(shop, transfer)] == ["TransferRequested", "TransferCancelled"]
    assert level(shop, BREAD, CENTRE) == (10, 0)
    check_all(shop.hub)


def test_any_store_may_be_asked_for_any_article_by_hand(shop: Shop) -> None:
    """That some stores send nothing, and that nothing weighed is sent, are rules for promises."""
    assert Service.SHIP_TO_STORE not in shop.office.stores.get(SOFIA).services
    before = level(shop, shop.CHEESE)
    transfer = shop.office.transfers.request(SOFIA, shop.VARNA, {BREAD: 2, shop.CHEESE: 500})
    assert (level(shop, BREAD), level(shop, shop.CHEESE)) == ((5, 2), (before[0], before[1] + 500))
    shop.store.transfers.ship(transfer.id)
    shop.office.transfers.receive(transfer.id)
    assert level(shop, BREAD, shop.VARNA)[0] >= 2
    check_all(shop.hub)


def test_what_comes_after_a_short_receipt_is_received_under_the_transfers_id(shop: Shop) -> None:
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    dc.transfers.ship(transfer.id)
    shop.store.transfers.receive(transfer.id, {BREAD: 3}, reason="the second lot comes later")
    refused(IllegalTransition, shop.store.transfers.receive, transfer.id, {BREAD: 1})
    shop.store.stock.receive(SOFIA, BREAD, 1, reference=transfer.id)
    assert level(shop, BREAD) == (9, 0)
    moves = shop.store.stock.movements(SOFIA, BREAD).items
    assert sorted(move.quantity for move in moves if move.reference == transfer.id) == [1, 3]
    check_all(shop.hub)


def test_a_request_under_a_key_is_made_once(shop: Shop) -> None:
    dc = centre(shop)
    first = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4}, key="monday")
    assert dc.transfers.request(CENTRE, SOFIA, {BREAD: 4}, key="monday") == first
    assert level(shop, BREAD, CENTRE) == (10, 4)


def test_what_can_not_be_requested(shop: Shop) -> None:
    dc = centre(shop)
    ask = dc.transfers.request
    assert refused(InvalidInput, ask, CENTRE, CENTRE, {BREAD: 1}).facts["field"] == "destination"
    refused(InvalidInput, ask, CENTRE, SOFIA, {})
    refused(InvalidQuantity, ask, CENTRE, SOFIA, {BREAD: 0})
    refused(NotFound, ask, CENTRE, SOFIA, {"NO-SUCH": 1})
    refused(NotFound, ask, CENTRE, "NOWHERE", {BREAD: 1})
    refused(NotFound, ask, SOFIA, shop.VARNA, {BREAD: 1})
    refused(OutOfStock, ask, CENTRE, SOFIA, {BREAD: 11})
    refused(InvalidInstant, ask, CENTRE, SOFIA, {BREAD: 1}, expected_at=shop.clock.now())
    assert level(shop, BREAD, CENTRE) == (10, 0)


def test_more_than_was_asked_for_or_sent_is_refused(shop: Shop) -> None:
    dc = centre(shop)
    transfer = dc.transfers.request(CENTRE, SOFIA, {BREAD: 4})
    refused(InvalidQuantity, dc.transfers.pick, transfer.id, {BREAD: 5})
    refused(NotFound, dc.transfers.pick, transfer.id, {shop.MILK: 1})
    refused(IllegalTransition, shop.store.transfers.receive, transfer.id)
    dc.transfers.pick(transfer.id, {BREAD: 3})
    dc.transfers.ship(transfer.id)
    refused(InvalidQuantity, shop.store.transfers.receive, transfer.id, {BREAD: 4})
    refused(IllegalTransition, dc.transfers.cancel, transfer.id, reason="too late")
    check_all(shop.hub)


def test_lists_go_by_when_goods_are_expected_and_page_by_page(shop: Shop) -> None:
    dc = centre(shop)
    now = shop.clock.now()
    made = [
        dc.transfers.request(CENTRE, SOFIA, {BREAD: 1}, expected_at=now + timedelta(hours=hours)) for hours in (3, 1, 2)
    ]
    first = dc.transfers.outgoing(CENTRE, limit=2)
    second = dc.transfers.outgoing(CENTRE, limit=2, after=first.next)
    assert [one.id for one in (*first.items, *second.items)] == [made[1].id, made[2].id, made[0].id]
    assert [one.id for one in shop.store.transfers.incoming(SOFIA).items] == [made[1].id, made[2].id, made[0].id]
    assert dc.transfers.incoming(CENTRE).items == ()
