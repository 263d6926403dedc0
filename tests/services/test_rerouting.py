"""Rejected lines: what the store can't give is decided by policy or by the customer, and never twice or by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

import pytest
from attrs import evolve

from omniorder import Associate, Channel, Closure, Order, OrderState, PayInStore, Pick, Service, Stage, Store, events
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.questions import Alternative, Option
from omniorder.domain.rerouting import Rerouting
from omniorder.domain.slots import Slot, slots
from omniorder.errors import (
    IllegalTransition,
    InvalidInput,
    InvalidQuantity,
    InvalidText,
    KeyReused,
    NotAllowed,
    NotFound,
    OutOfStock,
    SlotUnavailable,
)
from omniorder.services import free_windows
from omniorder.services.alternatives import elsewhere
from omniorder.services.settings import Settings
from omniorder.services.touchpoints import StoreTouchpoint
from omniorder.testing.invariants import check_all, nothing_is_overdue
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.sending import CENTRE, centre
from tests.services.steps import INSTANT, booked, charged, code, filled, level, names, part, picked, placed, refused

MILK, BREAD = Shop.MILK, Shop.BREAD
BASKET = {Shop.MILK: 1, Shop.BREAD: 2}
WITHOUT_ASKING = Rerouting(ask=[])


def scarce(shop: Shop, wishes: Mapping[str, int]) -> None:
    """Leave in Sofia's store exactly what is going to be ordered."""
    for sku, wanted in wishes.items():
        if there := shop.office.stock.level(shop.SOFIA, sku).on_hand - wanted:
            shop.office.stock.adjust(shop.SOFIA, sku, -there, reason="sold")


def rejected(shop: Shop, wishes: Mapping[str, int] = BASKET, *counts: int, on_shelf: bool = False) -> Order:
    """An order of which Sofia's store, having no more than that, gives up so many units of its first lines, or all."""
    scarce(shop, wishes)
    order = placed(shop, wishes)
    lines = part(order, *counts) if counts else None
    return shop.store.pickups.reject(order.id, lines, reason="not_found", on_shelf=on_shelf)


def market(shop: Shop) -> StoreTouchpoint:
    """An associate of the market, a kilometre away."""
    return shop.hub.at(Channel.STORE, Associate("mila", store=shop.MARKET))


def offered(order: Order) -> list[str]:
    """What the customer may choose, by id."""
    question = order.pickup.question
    assert question is not None
    return [option.id for option in question.options]


# --- the question -----------------------------------------------------------------------------------------


def test_lines_that_the_store_has_not_got_are_put_to_the_customer(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    assert (order.stage, order.pickup.state) == (Stage.QUESTION, PickupState.AWAITING_CUSTOMER)
    question = order.pickup.question
    assert question is not None
    assert (question.reason, question.about) == ("not_found", (events.Units(order.lines[0].id, 1),))
    assert offered(order) == ["less", "nothing"]
    assert question.until == shop.clock.now() + timedelta(hours=4)
    check_all(shop.hub)


def test_what_was_looked_for_and_not_found_goes_off_the_books(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    assert level(shop, MILK) == (0, 1)
    moves = [(one.quantity, one.reason, one.reference) for one in shop.office.stock.movements(shop.SOFIA, MILK).items]
    assert (-1, "not_found", order.id) in moves


def test_what_lies_on_the_shelf_stays_on_the_books(shop: Shop) -> None:
    order = rejected(shop, BASKET, on_shelf=True)
    assert level(shop, MILK) == (1, 1)
    assert offered(order) == ["later", "nothing"]
    check_all(shop.hub)


def test_less_is_collected_and_less_is_paid(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    after = shop.app.orders.answer(order.id, "less")
    assert (after.state, after.stage) == (OrderState.CONFIRMED, Stage.PREPARING)
    assert after.wanted_value == order.lines[1].total
    check_all(shop.hub)
    shop.store.pickups.pick(order.id, order.lines[1].id, 2)
    shop.store.pickups.ready(order.id)
    receipt = shop.store.pickups.hand_over(order.id, code=code(shop, order))
    assert receipt.order.stage is Stage.COLLECTED
    assert charged(shop) == receipt.total.amount == 620
    check_all(shop.hub)


def test_what_was_paid_at_once_goes_back_for_what_is_called_off(shop: Shop) -> None:
    order = placed(shop, BASKET, pay=INSTANT)
    shop.store.pickups.reject(order.id, part(order, 1), reason="not_found")
    shop.app.orders.answer(order.id, "less")
    assert charged(shop) == 620
    check_all(shop.hub)


def test_what_is_due_at_the_counter_is_what_is_still_wanted(shop: Shop) -> None:
    order = placed(shop, BASKET, pay=PayInStore())
    shop.store.pickups.reject(order.id, part(order, 1), reason="not_found")
    assert shop.app.orders.answer(order.id, "less").due_in_store.amount == 620
    check_all(shop.hub)


def test_the_customer_may_call_all_of_it_off(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    after = shop.app.orders.answer(order.id, "nothing")
    assert after.state is OrderState.CANCELLED
    assert (charged(shop), level(shop, BREAD)) == (0, (2, 0))
    check_all(shop.hub)


def test_silence_is_less(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    shop.advance(hours=3, minutes=59)
    assert shop.app.orders.get(order.id).stage is Stage.QUESTION
    shop.advance(minutes=2)
    after = shop.app.orders.get(order.id)
    assert after.wanted_value == order.lines[1].total
    assert "QuestionLapsed" in names(shop, order)
    nothing_is_overdue(shop.hub)
    check_all(shop.hub)


def test_an_answer_under_a_key_is_given_once_and_another_comes_too_late(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    first = shop.web.orders.answer(order.id, "less", key="tap")
    assert shop.web.orders.answer(order.id, "less", key="tap") == first
    refused(KeyReused, shop.web.orders.answer, order.id, "nothing", key="tap")
    assert shop.app.orders.get(order.id) == first
    refused(IllegalTransition, shop.app.orders.answer, order.id, "nothing")


def test_who_may_answer(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    refused(NotFound, shop.stranger.orders.answer, order.id, "less")
    refused(NotFound, shop.app.orders.answer, order.id, "free of charge")
    assert not hasattr(shop.store.orders, "answer")  # the store asks: it doesn't answer for the customer
    assert not hasattr(shop.office.orders, "answer")
    assert shop.phone.orders.answer(order.id, "less").stage is Stage.PREPARING


# --- later ------------------------------------------------------------------------------------------------


def test_later_moves_the_window_and_its_place(shop: Shop) -> None:
    order = rejected(shop, BASKET, on_shelf=True)
    after = shop.app.orders.answer(order.id, "later")
    assert after.pickup.state is PickupState.TO_PICK
    assert after.pickup.starts > order.pickup.starts
    assert (booked(shop, order.pickup.slot), booked(shop, after.pickup.slot)) == (0, 1)
    assert picked(shop, after).pickup.fully_picked
    check_all(shop.hub)


# --- windows, and time ------------------------------------------------------------------------------------


def chosen(order: Order, option_id: str) -> Option:
    """One of the options of the order's question."""
    question = order.pickup.question
    assert question is not None
    return question.option(option_id)


def until(order: Order) -> datetime:
    """How long the customer has to answer."""
    assert order.pickup.question is not None
    return order.pickup.question.until


def starts(order: Order, option_id: str) -> datetime:
    """When the window of this option begins."""
    found = chosen(order, option_id).starts
    assert found is not None
    return found


@pytest.mark.parametrize(("wishes", "option", "store"), [(BASKET, "later", "SOF01"), ({MILK: 1}, "at SOF02", "SOF02")])
def test_what_is_offered_can_be_had_until_the_time_is_up(
    wishes: Mapping[str, int], option: str, store: str, shop: Shop
) -> None:
    order = rejected(shop, wishes, on_shelf=option == "later")
    assert until(order) == starts(order, option) - shop.office.stores.get(store).lead
    shop.clock.set(until(order))
    after = shop.app.orders.answer(order.id, option)
    assert (after.pickup.store, after.pickup.starts) == (store, starts(order, option))
    check_all(shop.hub)


@pytest.mark.parametrize(("wishes", "option"), [(BASKET, "later"), ({MILK: 1}, "at SOF02")])
@pytest.mark.parametrize(("late", "reason"), [(timedelta(minutes=-1), "too_soon"), (timedelta(minutes=30), "past")])
def test_a_window_that_time_has_overtaken_is_refused_and_another_offered(
    wishes: Mapping[str, int], option: str, late: timedelta, reason: str, shop: Shop
) -> None:
    order = rejected(shop, wishes, on_shelf=option == "later")
    shop.clock.set(starts(order, option) + late)
    refusal = refused(SlotUnavailable, shop.app.orders.answer, order.id, option)
    assert refusal.facts["reason"] == reason
    again = shop.app.orders.get(order.id)
    assert (again.stage, again.pickup.slot, again.pickup.store) == (Stage.QUESTION, order.pickup.slot, "SOF01")
    assert starts(again, option) > shop.clock.now()
    assert until(again) == until(order)
    check_all(shop.hub)


def test_a_window_that_was_closed_since_is_refused(shop: Shop) -> None:
    order = rejected(shop, BASKET, on_shelf=True)
    began = starts(order, "later")
    closure = Closure(began, began + timedelta(hours=1), reason="power cut")
    shop.office.stores.put(evolve(shop.office.stores.get(shop.SOFIA), closed=[closure]))
    assert refused(SlotUnavailable, shop.app.orders.answer, order.id, "later").facts["reason"] == "closure"
    assert starts(shop.app.orders.get(order.id), "later") > began


def test_a_window_that_had_to_be_chosen_at_once_is_not_offered(shop: Shop) -> None:
    scarce(shop, BASKET)
    order = placed(shop, BASKET)
    lead = shop.office.stores.get(shop.SOFIA).lead
    following = order.pickup.ends
    shop.clock.set(following - lead - timedelta(minutes=29))
    asked = shop.store.pickups.reject(order.id, reason="not_found", on_shelf=True)
    assert starts(asked, "later") > following
    assert until(asked) >= shop.clock.now() + timedelta(minutes=30)


def test_what_is_done_without_asking_takes_the_next_window(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(rerouting=WITHOUT_ASKING))
    scarce(shop, BASKET)
    order = placed(shop, BASKET)
    shop.clock.set(order.pickup.ends - shop.office.stores.get(shop.SOFIA).lead - timedelta(minutes=29))
    moved = shop.store.pickups.reject(order.id, reason="not_found", on_shelf=True)
    assert moved.pickup.starts == order.pickup.ends


@pytest.mark.parametrize("silent", [True, False])
def test_the_rest_of_an_order_whose_window_is_over_gets_the_next_free_one(silent: bool, shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    if silent:
        shop.advance(hours=4, minutes=1)
    else:
        shop.clock.set(order.pickup.ends)
        shop.app.orders.answer(order.id, "less")
    after = shop.app.orders.get(order.id)
    assert after.pickup.state is PickupState.TO_PICK
    assert after.pickup.starts >= shop.clock.now() + shop.office.stores.get(shop.SOFIA).lead
    assert (booked(shop, order.pickup.slot), booked(shop, after.pickup.slot)) == (0, 1)
    check_all(shop.hub)
    shop.store.pickups.pick(order.id, order.lines[1].id, 2)
    shop.store.pickups.ready(order.id)
    assert shop.store.pickups.hand_over(order.id, code=code(shop, order)).order.stage is Stage.COLLECTED
    check_all(shop.hub)


def test_a_window_that_is_not_over_is_kept(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    shop.clock.set(order.pickup.ends - timedelta(minutes=1))
    assert shop.app.orders.answer(order.id, "less").pickup.slot == order.pickup.slot


def test_what_was_picked_stays_picked_when_the_window_moves(shop: Shop) -> None:
    scarce(shop, BASKET)
    order = placed(shop, BASKET)
    shop.store.pickups.pick(order.id, order.lines[1].id, 2)
    shop.store.pickups.reject(order.id, part(order, 1), reason="not_found")
    shop.advance(hours=4, minutes=1)
    after = shop.app.orders.get(order.id)
    assert (after.pickup.state, after.pickup.line(order.lines[1].id).picked) == (PickupState.PICKING, 2)
    assert after.pickup.starts > shop.clock.now()
    check_all(shop.hub)


def test_a_store_without_a_free_window_keeps_the_one_that_is_over(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    shop.office.stores.put(evolve(shop.office.stores.get(shop.SOFIA), hours="off"))
    shop.advance(hours=4, minutes=1)
    after = shop.app.orders.get(order.id)
    assert (after.pickup.state, after.pickup.slot) == (PickupState.TO_PICK, order.pickup.slot)
    assert booked(shop, order.pickup.slot) == 1
    check_all(shop.hub)


def test_a_window_that_somebody_took_meanwhile_is_not_taken_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every window looks free, the next one has been taken: the one after it is."""
    order = rejected(shop, BASKET, 1)
    store = evolve(shop.office.stores.get(shop.SOFIA), slot_capacity=1)
    shop.office.stores.put(store)
    shop.clock.set(order.pickup.ends)
    shop.office.stock.receive(shop.SOFIA, MILK, 2)
    faster = placed(shop, {MILK: 1}, touch=shop.stranger)

    def as_if_free(*_: object, at: datetime, **__: object) -> tuple[Slot, ...]:
        return tuple(slots(store, now=at, until=at + timedelta(days=2), limit=2))

    monkeypatch.setattr(free_windows, "free_windows", as_if_free)
    after = shop.app.orders.answer(order.id, "less")
    assert after.pickup.starts == faster.pickup.ends
    assert (booked(shop, faster.pickup.slot), booked(shop, after.pickup.slot)) == (1, 1)
    check_all(shop.hub)


# --- another store ----------------------------------------------------------------------------------------


def test_another_store_takes_over_with_goods_slot_and_code(shop: Shop) -> None:
    order = rejected(shop, {MILK: 1})
    assert offered(order) == ["at SOF02", "nothing"]
    moved = shop.app.orders.answer(order.id, "at SOF02")
    assert (moved.pickup.store, moved.pickup.state) == (shop.MARKET, PickupState.TO_PICK)
    assert moved.pickup.id != order.pickup.id
    assert (level(shop, MILK), level(shop, MILK, shop.MARKET)) == ((0, 0), (1, 1))
    assert (booked(shop, order.pickup.slot), booked(shop, moved.pickup.slot)) == (0, 1)
    check_all(shop.hub)
    there = market(shop)
    assert [one.id for one in there.pickups.due().items] == [order.id]
    assert shop.store.pickups.due().items == ()
    there.pickups.pick(order.id, order.lines[0].id, 1)
    there.pickups.ready(order.id)
    receipt = there.pickups.hand_over(order.id, code=code(shop, order))
    assert (receipt.order.stage, level(shop, MILK, shop.MARKET)) == (Stage.COLLECTED, (0, 0))
    check_all(shop.hub)


def test_the_store_that_gave_it_up_can_not_work_on_it_any_more(shop: Shop) -> None:
    order = rejected(shop, {MILK: 1})
    shop.app.orders.answer(order.id, "at SOF02")
    assert shop.store.orders.get(order.id).pickup.store == shop.MARKET
    refused(NotFound, shop.store.pickups.pick, order.id, order.lines[0].id, 1)
    refused(NotFound, shop.store.pickups.hand_over, order.id, code="1234567")
    refused(NotAllowed, shop.store.orders.cancel, order.id)
    assert market(shop).orders.cancel(order.id).stage is Stage.CANCELLED


def test_what_was_offered_and_is_gone_is_refused_and_asked_anew(shop: Shop) -> None:
    order = rejected(shop, {MILK: 1})
    shop.office.stock.adjust(shop.MARKET, MILK, -1, reason="sold")
    refused(OutOfStock, shop.app.orders.answer, order.id, "at SOF02")
    after = shop.app.orders.get(order.id)
    assert (after.stage, offered(after)) == (Stage.QUESTION, ["nothing"])
    assert after.pickup.question is not None
    assert order.pickup.question is not None
    assert after.pickup.question.until == order.pickup.question.until
    check_all(shop.hub)


def test_stores_too_far_away_are_not_offered(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(rerouting=Rerouting(within_km=0.5)))
    assert rejected(shop, {MILK: 1}).state is OrderState.CANCELLED


def test_a_pass_of_the_first_store_opens_nothing_at_the_second(shop: Shop) -> None:
    scarce(shop, {MILK: 1})
    order = placed(shop, {MILK: 1})
    picked(shop, order)
    shop.store.pickups.ready(order.id)
    first = code(shop, order)
    shop.store.pickups.unready(order.id, reason="it leaks")
    shop.store.pickups.reject(order.id, reason="damaged")
    moved = shop.app.orders.answer(order.id, "at SOF02")
    there = market(shop)
    there.pickups.pick(order.id, order.lines[0].id, 1)
    there.pickups.ready(order.id)
    assert code(shop, moved) != first
    check_all(shop.hub)


def test_another_store_must_hand_over_likewise_and_may_sell_what_it_gets(shop: Shop) -> None:
    """The customer waits in the car, and milk has an age limit from now on."""
    shop.office.stock.receive(shop.MARKET, MILK, 5)
    outside = {Service.PICKUP, Service.CURBSIDE, Service.AGE_RESTRICTED}
    shop.office.stores.put(evolve(shop.office.stores.get(shop.SOFIA), services=outside))
    scarce(shop, {MILK: 1})
    order = placed(shop, {MILK: 1}, collect=Service.CURBSIDE)
    shop.office.articles.put(evolve(shop.office.articles.get(MILK), needs={Service.AGE_RESTRICTED}))
    for services in ({Service.PICKUP, Service.AGE_RESTRICTED}, {Service.CURBSIDE}):
        shop.office.stores.put(evolve(shop.office.stores.get(shop.MARKET), services=services))
        assert not elsewhere(shop.hub._parts, order, shop.office.stores.get(shop.SOFIA), Rerouting(), shop.clock.now())
    shop.office.stores.put(evolve(shop.office.stores.get(shop.MARKET), services=outside))
    asked = shop.store.pickups.reject(order.id, reason="not_found")
    assert offered(asked) == ["at SOF02", "nothing"]
    moved = shop.app.orders.answer(order.id, "at SOF02")
    assert (moved.pickup.store, moved.pickup.collect) == ("SOF02", Service.CURBSIDE)
    check_all(shop.hub)


# --- from other stores ------------------------------------------------------------------------------------


def test_what_is_missing_may_be_sent_from_elsewhere(shop: Shop) -> None:
    centre(shop)
    order = rejected(shop, {BREAD: 2, MILK: 1}, 2)
    assert offered(order) == ["sent", "less", "nothing"]
    after = shop.app.orders.answer(order.id, "sent")
    assert [(leg.store, [p.quantity for p in leg.units]) for leg in after.pickup.awaited] == [(CENTRE, [2])]
    assert after.pickup.starts > order.pickup.starts
    assert (level(shop, BREAD), level(shop, BREAD, CENTRE)) == ((0, 0), (10, 2))
    check_all(shop.hub)


def test_what_is_sent_comes_in_the_window_that_an_offer_would_name(shop: Shop) -> None:
    """The store's cut-off counts from when it is asked for, not from when the goods arrive behind it."""
    centre(shop)
    shop.office.stores.put(evolve(shop.office.stores.get(CENTRE), transit=timedelta(hours=27)))
    shop.office.stores.put(evolve(shop.office.stores.get(shop.SOFIA), cutoff=time(11)))
    order = rejected(shop, {BREAD: 2, MILK: 1}, 2)
    cart = filled(shop, {BREAD: 2})
    (offer,) = (one for one in shop.app.checkout.offers(cart.id) if one.store.id == shop.SOFIA)
    assert offer.with_transfer is not None
    arrives = shop.clock.now() + timedelta(hours=27, minutes=30)
    possible = [slot.id for slot in offer.with_transfer.slots if slot.starts >= arrives + timedelta(hours=1)]
    assert chosen(order, "sent").slot == possible[0]


def test_what_can_not_be_sent_in_time_any_more_is_refused_and_asked_anew(shop: Shop) -> None:
    centre(shop)
    order = rejected(shop, {BREAD: 2, MILK: 1}, 2)
    shop.clock.set(until(order) + timedelta(minutes=1))
    refusal = refused(SlotUnavailable, shop.app.orders.answer, order.id, "sent")
    assert refusal.facts["reason"] == "before_arrival"
    assert starts(shop.app.orders.get(order.id), "sent") > starts(order, "sent")
    check_all(shop.hub)


# --- by policy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alternatives", "stage", "store"),
    [
        ([Alternative.LESS], Stage.PREPARING, "SOF01"),
        ([Alternative.NOTHING], Stage.CANCELLED, "SOF01"),
        ([Alternative.SENT, Alternative.LESS], Stage.PREPARING, "SOF01"),
    ],
)
def test_the_policy_may_decide_alone(
    open_shop: OpenShop, alternatives: list[Alternative], stage: Stage, store: str
) -> None:
    shop = open_shop(settings=Settings(rerouting=Rerouting(alternatives=alternatives, ask=[])))
    order = rejected(shop, BASKET, 1)
    assert (order.stage, order.pickup.question, order.pickup.store) == (stage, None, store)
    check_all(shop.hub)


def test_the_policy_may_move_an_order_without_asking(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(rerouting=WITHOUT_ASKING))
    order = rejected(shop, {MILK: 1})
    assert (order.pickup.store, order.pickup.state) == (shop.MARKET, PickupState.TO_PICK)
    check_all(shop.hub)


def test_only_what_needs_consent_is_asked(open_shop: OpenShop) -> None:
    policy = Rerouting(alternatives=[Alternative.OTHER_STORE, Alternative.LESS], ask=[Alternative.OTHER_STORE])
    shop = open_shop(settings=Settings(rerouting=policy))
    alone = rejected(shop, {BREAD: 2, MILK: 1}, 1)
    assert alone.stage is Stage.PREPARING  # nobody near has bread
    shop.office.stock.receive(shop.SOFIA, MILK, 1)
    other = placed(shop, {MILK: 1})
    assert shop.store.pickups.reject(other.id, reason="not_found").stage is Stage.QUESTION


def test_a_whole_order_that_nobody_has_is_called_off(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(rerouting=Rerouting(alternatives=[Alternative.LESS])))
    order = rejected(shop, BASKET)
    assert (order.state, charged(shop)) == (OrderState.CANCELLED, 0)
    assert level(shop, BREAD) == (0, 0)
    check_all(shop.hub)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alternatives": []},
        {"alternatives": ["later"]},
        {"alternatives": [Alternative.LESS, Alternative.LESS]},
        {"ask": ["later"]},
        {"silence": Alternative.LATER},
        {"patience": timedelta(0)},
        {"patience": timedelta(days=8)},
        {"patience": 4},
        {"within_km": 0},
        {"within_km": True},
        {"stores": -1},
    ],
)
def test_a_policy_that_can_not_be_is_refused_by_field(wrong: dict[str, object]) -> None:
    (field,) = wrong
    assert refused(InvalidInput, Rerouting, **wrong).facts["field"] == field


# --- what can't be rejected -------------------------------------------------------------------------------


def test_nonsense_is_refused_and_nothing_is_written(shop: Shop) -> None:
    order = placed(shop, BASKET)
    reject = shop.store.pickups.reject
    refused(InvalidQuantity, reject, order.id, part(order, 2), reason="not_found")
    refused(NotFound, reject, order.id, [Pick("ln_0000000000000", 1)], reason="not_found")
    refused(InvalidText, reject, order.id, reason="")
    refused(InvalidInput, reject, order.id, [], reason="not_found")
    refused(NotFound, shop.elsewhere.pickups.reject, order.id, reason="not_found")
    shop.store.pickups.pick(order.id, part(order, 1))
    refused(InvalidQuantity, reject, order.id, part(order, 1), reason="not_found")
    assert shop.app.orders.get(order.id).stage is Stage.PREPARING
    check_all(shop.hub)


def test_what_was_picked_of_a_whole_order_is_put_back(shop: Shop) -> None:
    order = placed(shop, BASKET)
    shop.store.pickups.pick(order.id, part(order, 1))
    after = shop.store.pickups.reject(order.id, reason="power cut", on_shelf=True)
    assert [line.picked for line in after.pickup.lines] == [0, 0]
    check_all(shop.hub)


def test_a_rejection_under_a_key_happens_once(shop: Shop) -> None:
    order = placed(shop, BASKET)
    first = shop.store.pickups.reject(order.id, part(order, 1), reason="not_found", key="scan 17")
    assert shop.store.pickups.reject(order.id, part(order, 1), reason="not_found", key="scan 17") == first
    assert level(shop, MILK) == (39, 1)


def test_what_has_left_or_waits_at_the_counter_can_not_be_rejected(shop: Shop) -> None:
    order = placed(shop, BASKET)
    picked(shop, order)
    shop.store.pickups.ready(order.id)
    refused(IllegalTransition, shop.store.pickups.reject, order.id, reason="not_found")


def test_more_may_be_rejected_after_an_answer(shop: Shop) -> None:
    order = rejected(shop, BASKET, 1)
    shop.app.orders.answer(order.id, "less")
    again = shop.store.pickups.reject(order.id, [Pick(order.lines[1].id, 1)], reason="damaged")
    assert again.stage is Stage.QUESTION
    less = shop.app.orders.answer(order.id, "less")
    assert [line.open for line in less.pickup.lines] == [0, 1]
    check_all(shop.hub)


def test_a_closed_store_is_not_offered(shop: Shop) -> None:
    shop.office.stores.put(Store(shop.MARKET, zone="Europe/Sofia", hours="off", place=shop.HERE))
    assert rejected(shop, {MILK: 1}).state is OrderState.CANCELLED
