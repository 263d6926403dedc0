"""Stock in a retailer's own system: held there before anything is promised, and told of all that follows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from omniorder import Channel, Customer, OrderState, PayInStore, Settings, Tender, events
from omniorder.domain.lifecycle import TransferState
from omniorder.errors import (
    InventoryUnavailable,
    Misconfigured,
    NeedsOwnTransaction,
    NotFound,
    OutOfStock,
    PromiseGone,
    SlotUnavailable,
)
from omniorder.services.ledger import Ledger, ledger_of
from omniorder.services.mirror import Mirror
from omniorder.services.sweeps import sweep
from omniorder.testing import FakeInventory
from omniorder.testing.invariants import check_all, nothing_is_overdue
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.outside import UnrulyInventory, assert_it_followed, expected, outside_shop
from tests.services.steps import (
    VISA,
    booked,
    filled,
    free_slot,
    handed_over,
    names,
    only_order,
    part,
    placed,
    promised,
    ready,
    refused,
)
from tests.services.unruly import Killed

Outside = tuple[Shop, UnrulyInventory]


@pytest.fixture
def outside(open_shop: OpenShop) -> Outside:
    return outside_shop(open_shop)


def milk(inventory: FakeInventory, store: str = Shop.SOFIA) -> int:
    """Cartons that may be promised."""
    return inventory.available([store], [Shop.MILK])[store, Shop.MILK]


def asked(inventory: FakeInventory) -> list[str]:
    """What was asked since the last time, without questions."""
    found = [method for method, _ in inventory.requests if method != "available"]
    inventory.requests.clear()
    return found


# --- the whole way ----------------------------------------------------------------------------------------


def test_an_order_is_reserved_confirmed_and_consumed_there(outside: Outside) -> None:
    shop, inventory = outside
    promise = promised(shop, {Shop.MILK: 3, Shop.BREAD: 1})
    limit = promise.expires_at + shop.hub.settings.outside_margin
    assert inventory.held == {promise.reservation_id: {Shop.MILK: 3, Shop.BREAD: 1}}
    assert inventory.limit(promise.reservation_id) == limit
    assert asked(inventory) == ["reserve"]
    shop.app.checkout.place(promise.id, pay=VISA)
    assert asked(inventory) == ["extend"]
    shop.hub.sweep()
    assert asked(inventory) == ["confirm"]
    assert inventory.limit(promise.reservation_id) is None
    order = only_order(shop)
    for line in order.lines:
        shop.store.pickups.pick(order.id, line.id, line.quantity)
    shop.store.pickups.ready(order.id)
    handed_over(shop, order)
    shop.hub.sweep()
    assert asked(inventory) == ["consume", "release"]
    assert (inventory.on_hand(Shop.SOFIA, Shop.MILK), inventory.on_hand(Shop.SOFIA, Shop.BREAD)) == (37, 4)
    assert_it_followed(shop, inventory)
    shop.hub.sweep()
    assert asked(inventory) == []


def test_offers_show_what_is_there(outside: Outside) -> None:
    shop, inventory = outside
    inventory.sell(Shop.SOFIA, Shop.MILK, 39)
    inventory.stock(Shop.MARKET, Shop.MILK, 4)
    cart = filled(shop)
    short = {offer.store.id: [reason.code for reason in offer.reasons] for offer in shop.app.checkout.offers(cart.id)}
    assert short == {Shop.SOFIA: ["stock.short"], Shop.MARKET: [], Shop.VARNA: []}
    assert [method for method, _ in inventory.requests] == ["available"]  # once for all stores


def test_what_is_collected_bit_by_bit_is_told_in_all(outside: Outside) -> None:
    shop, inventory = outside
    order = ready(shop, {Shop.MILK: 3})
    handed_over(shop, order, lines=part(order, 1))
    shop.hub.sweep()
    assert inventory.on_hand(Shop.SOFIA, Shop.MILK) == 39
    assert_it_followed(shop, inventory)
    handed_over(shop, order)
    shop.hub.sweep()
    assert inventory.on_hand(Shop.SOFIA, Shop.MILK) == 37
    assert_it_followed(shop, inventory)


def test_the_rest_that_nobody_wants_is_given_back(outside: Outside) -> None:
    shop, inventory = outside
    order = ready(shop, {Shop.MILK: 3})
    handed_over(shop, order, lines=part(order, 1))
    shop.app.orders.cancel(order.id)
    shop.hub.sweep()
    assert (inventory.on_hand(Shop.SOFIA, Shop.MILK), milk(inventory)) == (39, 39)
    assert_it_followed(shop, inventory)


@pytest.mark.parametrize("pay", [VISA, PayInStore()], ids=["card", "in store"])
def test_what_is_called_off_is_given_back(outside: Outside, pay: Tender) -> None:
    shop, inventory = outside
    order = placed(shop, pay=pay)
    shop.app.orders.cancel(order.id)
    shop.hub.sweep()
    assert milk(inventory) == 40
    assert_it_followed(shop, inventory)


def test_what_nobody_collects_is_given_back(outside: Outside) -> None:
    shop, inventory = outside
    ready(shop)
    shop.advance(days=10)
    shop.hub.sweep()
    assert only_order(shop).state is OrderState.EXPIRED
    assert milk(inventory) == 40
    assert_it_followed(shop, inventory)


def test_what_is_withdrawn_or_lapses_is_given_back(outside: Outside) -> None:
    shop, inventory = outside
    withdrawn, _ = promised(shop), promised(shop, {Shop.MILK: 4})
    shop.app.checkout.withdraw(withdrawn.id)
    shop.hub.sweep()
    assert milk(inventory) == 36
    shop.advance(minutes=16)
    shop.hub.sweep()
    assert milk(inventory) == 40
    assert_it_followed(shop, inventory)


def test_money_that_takes_its_time_finds_the_goods_still_held(outside: Outside) -> None:
    """Placed in the last second, there are ten minutes more to pay, and the limit outside follows."""
    shop, inventory = outside
    promise = promised(shop)
    shop.clock.advance(minutes=14, seconds=59)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert order.pay_by > promise.expires_at
    assert asked(inventory)[-1] == "extend"
    shop.hub.sweep()
    assert_it_followed(shop, inventory)


# --- refusals ---------------------------------------------------------------------------------------------


def test_what_is_not_there_is_not_promised(outside: Outside) -> None:
    shop, inventory = outside
    inventory.sell(Shop.SOFIA, Shop.MILK, 39)
    short = refused(OutOfStock, promised, shop)
    assert short.facts["short"] == [{"sku": Shop.MILK, "wanted": 2, "available": 1}]
    assert inventory.held == {}
    assert_it_followed(shop, inventory)


def test_a_promise_that_fails_for_another_reason_holds_nothing_there(outside: Outside) -> None:
    """The kiosk takes one order per slot; somebody else has the place already."""
    shop, inventory = outside
    inventory.stock(Shop.MARKET, Shop.MILK, 9)
    cart, other = filled(shop), filled(shop, touch=shop.stranger)
    slot = free_slot(shop, cart, Shop.MARKET)
    shop.stranger.checkout.promise(other.id, slot=slot)
    refused(SlotUnavailable, shop.app.checkout.promise, cart.id, slot=slot)
    assert milk(inventory, Shop.MARKET) == 8
    assert_it_followed(shop, inventory)


def test_the_built_in_ledger_is_not_asked(outside: Outside) -> None:
    """40 cartons stand in it where the database was stocked before; outside there are none."""
    shop, inventory = outside
    inventory.sell(Shop.SOFIA, Shop.MILK, 40)
    refused(OutOfStock, promised, shop)
    refused(Misconfigured, shop.office.stock.receive, Shop.SOFIA, Shop.MILK, 5)
    desk, transfers = shop.office.stock, shop.office.transfers
    refused(Misconfigured, desk.level, Shop.SOFIA, Shop.MILK)
    refused(Misconfigured, desk.levels, Shop.SOFIA, [Shop.MILK])
    refused(Misconfigured, desk.availability, Shop.SOFIA, [Shop.MILK], by=shop.clock.now())
    refused(Misconfigured, desk.movements, Shop.SOFIA, Shop.MILK)
    refused(Misconfigured, desk.expected, Shop.SOFIA, Shop.MILK)
    refused(Misconfigured, desk.shortages, Shop.SOFIA)
    refused(Misconfigured, transfers.request, Shop.SOFIA, Shop.VARNA, {Shop.MILK: 1})
    refused(Misconfigured, transfers.outgoing, Shop.SOFIA)
    refused(Misconfigured, transfers.incoming, Shop.SOFIA)


def test_goods_that_nobody_sent_before_the_stock_went_outside_are_called_off(open_shop: OpenShop) -> None:
    before = open_shop()
    transfer = before.office.transfers.request(Shop.SOFIA, Shop.VARNA, {Shop.MILK: 4})
    parts = evolve(before.hub._parts, inventory=Mirror(ledger_of(before.hub._parts), before.clock.now))
    before.clock.advance(days=60)
    report = sweep(parts, 100, lambda: False)
    assert (dict(report.happened), dict(report.failed)) == ({"TransferCancelled": 1}, {})
    assert before.office.transfers.get(transfer.id).state is TransferState.CANCELLED
    assert before.office.stock.level(Shop.SOFIA, Shop.MILK).reserved == 0
    check_all(before.hub)


def test_inside_a_callers_transaction_nothing_outside_is_called(outside: Outside) -> None:
    shop, inventory = outside
    promise = promised(shop)
    cart = filled(shop)
    slot = free_slot(shop, cart)
    inventory.requests.clear()
    storage = shop.hub._parts.storage
    if "memory" in type(storage).__module__:
        return  # nothing can be joined there
    with storage.transaction() as tx, shop.hub.joined(tx.connection) as hub:
        app = hub.at(Channel.APP, Customer("anna"))
        refused(NeedsOwnTransaction, app.checkout.offers, cart.id)
        refused(NeedsOwnTransaction, app.checkout.promise, cart.id, slot=slot)
        refused(NeedsOwnTransaction, app.checkout.place, promise.id, pay=PayInStore())
        app.checkout.withdraw(promise.id)
        assert inventory.requests == []
    shop.hub.sweep()
    assert milk(inventory) == 40


def test_stock_is_in_one_place() -> None:
    with pytest.raises(Misconfigured):
        Shop.example(inventory=Ledger(lambda: bytes(16)), outside=FakeInventory())


def test_a_stranger_moves_no_limit_outside(outside: Outside) -> None:
    shop, inventory = outside
    promise = promised(shop)
    inventory.requests.clear()
    refused(NotFound, shop.stranger.checkout.place, promise.id, pay=VISA)
    assert inventory.requests == []


# --- another promise --------------------------------------------------------------------------------------


def test_the_last_unit_can_be_moved_to_another_slot(outside: Outside) -> None:
    shop, inventory = outside
    inventory.sell(Shop.SOFIA, Shop.MILK, 38)
    cart = filled(shop)
    first = shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart))
    second = shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart, nth=1))
    shop.hub.sweep()
    assert inventory.held == {second.reservation_id: {Shop.MILK: 2}}
    assert first.reservation_id not in expected(shop)
    assert_it_followed(shop, inventory)


def test_the_last_unit_is_still_theirs_when_their_time_is_up_and_nobody_looked(outside: Outside) -> None:
    """Outside it is held for longer than the promise: a new one of the same basket need not wait for a sweep."""
    shop, inventory = outside
    inventory.sell(Shop.SOFIA, Shop.MILK, 38)
    cart = filled(shop)
    slot = free_slot(shop, cart, nth=2)
    shop.app.checkout.promise(cart.id, slot=slot)
    shop.clock.advance(minutes=16)
    again = shop.app.checkout.promise(cart.id, slot=slot)
    shop.hub.sweep()
    assert inventory.held == {again.reservation_id: {Shop.MILK: 2}}
    assert_it_followed(shop, inventory)


def test_a_new_promise_that_fails_leaves_the_old_one(outside: Outside) -> None:
    shop, inventory = outside
    inventory.sell(Shop.SOFIA, Shop.MILK, 38)
    cart = filled(shop)
    promise = shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart))
    shop.app.carts.change(cart.id, cart.lines[0].id, 3)
    refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=promise.slot)
    assert inventory.held == {promise.reservation_id: {Shop.MILK: 2}}
    assert_it_followed(shop, inventory)


def test_a_promise_at_another_store_gives_back_here(outside: Outside) -> None:
    shop, inventory = outside
    cart = filled(shop)
    shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart))
    shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart, Shop.VARNA))
    shop.hub.sweep()
    assert (milk(inventory), milk(inventory, Shop.VARNA)) == (40, 8)
    assert_it_followed(shop, inventory)


# --- silence, and what it leaves --------------------------------------------------------------------------


def test_while_it_is_down_nothing_is_promised(outside: Outside) -> None:
    shop, inventory = outside
    cart = filled(shop)
    slot = free_slot(shop, cart)
    inventory.down = True
    assert refused(InventoryUnavailable, shop.app.checkout.offers, cart.id).retry
    problem = refused(InventoryUnavailable, shop.app.checkout.promise, cart.id, slot=slot)
    assert (problem.retry, problem.status) == (True, 503)
    assert shop.app.carts.get(cart.id).promise_id is None
    assert booked(shop, slot) == 0
    check_all(shop.hub)
    inventory.down = False
    shop.app.checkout.promise(cart.id, slot=slot)
    shop.advance(minutes=2)
    assert_it_followed(shop, inventory)


def test_a_reservation_whose_reply_was_lost_is_given_back(outside: Outside) -> None:
    shop, inventory = outside
    cart = filled(shop)
    slot = free_slot(shop, cart)
    inventory.lose_next_reply()
    refused(InventoryUnavailable, shop.app.checkout.promise, cart.id, slot=slot)
    assert milk(inventory) == 38
    shop.advance(minutes=2)
    assert milk(inventory) == 40
    assert_it_followed(shop, inventory)


@pytest.mark.parametrize("moment", ["before the call", "after the call", "at the commit"])
def test_dying_while_promising_leaves_nothing_held(outside: Outside, moment: str) -> None:
    shop, inventory = outside
    cart = filled(shop)
    slot = free_slot(shop, cart)
    match moment:
        case "before the call":
            inventory.kill_before = "reserve"
        case "after the call":
            inventory.kill_after = "reserve"
        case _:
            shop.hub.on(events.PromiseMade, _die)
    with pytest.raises(Killed):
        shop.app.checkout.promise(cart.id, slot=slot)
    check_all(shop.hub)
    assert milk(inventory) == (40 if moment == "before the call" else 38)
    shop.advance(minutes=2)
    assert milk(inventory) == 40
    assert_it_followed(shop, inventory)


def test_what_our_sweeps_never_gave_back_runs_out_by_itself(outside: Outside) -> None:
    shop, inventory = outside
    cart = filled(shop)
    inventory.kill_after = "reserve"
    with pytest.raises(Killed):
        shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart))
    shop.clock.advance(minutes=46)  # the promise's time and the margin
    assert milk(inventory) == 40


def test_a_promise_that_took_too_long_is_not_made_any_more(outside: Outside) -> None:
    """A sweep gives up what it reserved; then its commit must fail, or it would promise what nobody holds."""
    shop, inventory = outside
    cart = filled(shop)
    slot = free_slot(shop, cart, nth=2)
    inventory.meanwhile = ("reserve", lambda: shop.advance(minutes=2))
    refused(InventoryUnavailable, shop.app.checkout.promise, cart.id, slot=slot)
    assert milk(inventory) == 40
    assert shop.app.carts.get(cart.id).promise_id is None
    shop.app.checkout.promise(cart.id, slot=slot)
    assert_it_followed(shop, inventory)


@pytest.mark.parametrize("luck", ["lose_next_reply", "drop_next_request"])
def test_whatever_is_not_heard_is_told_again(outside: Outside, luck: str) -> None:
    """At every step of an order's life, and each has one effect."""
    shop, inventory = outside

    def sweeps() -> None:
        getattr(inventory, luck)()
        shop.hub.sweep()
        shop.advance(minutes=1)
        assert_it_followed(shop, inventory)

    order = ready(shop, {Shop.MILK: 3})
    sweeps()
    handed_over(shop, order, lines=part(order, 1))
    sweeps()
    assert inventory.on_hand(Shop.SOFIA, Shop.MILK) == 39
    shop.app.orders.cancel(order.id)
    sweeps()
    assert milk(inventory) == 39


def test_an_order_is_taken_while_it_is_down_and_told_later(outside: Outside) -> None:
    shop, inventory = outside
    promise = promised(shop)
    inventory.down = True
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert order.state is OrderState.CONFIRMED
    assert shop.hub.sweep().failed == {"inventory.unavailable": 1}
    check_all(shop.hub)
    inventory.down = False
    shop.advance(minutes=1)
    assert inventory.limit(order.reservation_id) is None
    assert_it_followed(shop, inventory)


def test_its_last_word_counts_only_as_long_as_it_reaches(open_shop: OpenShop) -> None:
    shop, inventory = outside_shop(open_shop, settings=Settings(outside_margin=timedelta(0)))
    promise = promised(shop)
    shop.clock.advance(minutes=14)
    inventory.down = True
    refused(InventoryUnavailable, shop.app.checkout.place, promise.id, pay=VISA)
    assert shop.app.orders.page().items == ()
    assert shop.gateway.requests == []


def test_dying_between_commit_and_confirmation_is_finished_by_the_sweep(outside: Outside) -> None:
    shop, inventory = outside
    order = placed(shop)
    inventory.kill_after = "confirm"
    with pytest.raises(Killed):
        shop.hub.sweep()
    shop.advance(minutes=2)
    assert inventory.limit(order.reservation_id) is None
    assert_it_followed(shop, inventory)


def test_one_that_can_not_be_told_holds_up_no_other(outside: Outside) -> None:
    shop, inventory = outside
    orders = [placed(shop) for _ in range(4)]
    inventory.drop_next_request()
    report = shop.hub.sweep()
    assert report.failed == {"inventory.unavailable": 1}
    firm = [order for order in orders if inventory.limit(order.reservation_id) is None]
    assert len(firm) == 3
    shop.advance(minutes=1)
    assert_it_followed(shop, inventory)


def test_a_sweep_asks_a_few_times_and_then_takes_it_for_down(outside: Outside) -> None:
    """Else everything else would wait until each of a thousand calls has timed out."""
    shop, inventory = outside
    for _ in range(5):
        placed(shop)
    lapsing = promised(shop)
    inventory.down = True
    inventory.requests.clear()
    report = shop.advance(minutes=16)
    assert len(inventory.requests) == 3
    assert report.happened["PromiseLapsed"] == 1
    inventory.down = False
    shop.advance(minutes=1)
    shop.hub.sweep()
    assert lapsing.reservation_id not in inventory.held
    assert_it_followed(shop, inventory)


def test_a_change_while_it_is_told_is_told_as_well(outside: Outside) -> None:
    shop, inventory = outside
    order = placed(shop)
    inventory.meanwhile = ("confirm", lambda: shop.app.orders.cancel(order.id))
    shop.hub.sweep()
    shop.hub.sweep()
    assert milk(inventory) == 40
    assert_it_followed(shop, inventory)


# --- gone -------------------------------------------------------------------------------------------------


def test_what_ran_out_there_is_held_anew(outside: Outside) -> None:
    """Our sweeps stood still for longer than the margin."""
    shop, inventory = outside
    order = placed(shop)
    inventory.lose(order.reservation_id)
    shop.hub.sweep()
    assert inventory.held == {order.reservation_id: {Shop.MILK: 2}}
    assert inventory.limit(order.reservation_id) is None
    assert "HoldLost" not in names(shop, order)
    assert_it_followed(shop, inventory)


def test_an_order_says_that_its_goods_are_gone_and_when_they_are_back(outside: Outside) -> None:
    shop, inventory = outside
    heard: list[object] = []
    shop.hub.on(events.HoldLost, lambda recorded, tx: heard.append(recorded.event))
    order = placed(shop)
    inventory.lose(order.reservation_id)
    inventory.sell(Shop.SOFIA, Shop.MILK, 39)
    assert shop.hub.sweep().happened == {"HoldLost": 1}
    assert heard == [events.HoldLost(order.reservation_id, ((Shop.MILK, 1),))]
    check_all(shop.hub)
    nothing_is_overdue(shop.hub)
    shop.advance(minutes=6)  # tried again, and told only once
    assert names(shop, order).count("HoldLost") == 1
    inventory.stock(Shop.SOFIA, Shop.MILK, 5)
    assert shop.advance(minutes=6).happened == {"HoldRestored": 1}
    assert names(shop, order)[-1] == "HoldRestored"
    assert_it_followed(shop, inventory)


def test_what_is_gone_can_be_handed_over_when_the_shelf_knows_better(outside: Outside) -> None:
    """The store found the goods: nothing is held up, and the books outside are told what left."""
    shop, inventory = outside
    order = ready(shop)
    inventory.lose(order.reservation_id)
    inventory.sell(Shop.SOFIA, Shop.MILK, 39)
    shop.hub.sweep()
    handed_over(shop, order)
    shop.hub.sweep()
    assert inventory.on_hand(Shop.SOFIA, Shop.MILK) == 0
    assert_it_followed(shop, inventory)


def test_what_is_gone_and_called_off_is_asked_for_no_more(outside: Outside) -> None:
    shop, inventory = outside
    order = placed(shop)
    inventory.lose(order.reservation_id)
    inventory.sell(Shop.SOFIA, Shop.MILK, 40)
    shop.hub.sweep()
    shop.app.orders.cancel(order.id)
    shop.hub.sweep()
    inventory.stock(Shop.SOFIA, Shop.MILK, 5)
    shop.advance(minutes=10)
    assert milk(inventory) == 5
    assert_it_followed(shop, inventory)


def test_what_is_gone_before_it_is_paid_is_not_paid(outside: Outside) -> None:
    shop, inventory = outside
    promise = promised(shop)
    inventory.lose(promise.reservation_id)
    inventory.sell(Shop.SOFIA, Shop.MILK, 39)
    refused(PromiseGone, shop.app.checkout.place, promise.id, pay=VISA)
    assert shop.gateway.requests == []
    cart = shop.app.carts.get(promise.cart_id)
    assert cart.promise_id is None  # so that another store can be chosen at once
    shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart, Shop.VARNA))
    shop.hub.sweep()
    assert_it_followed(shop, inventory)


# --- moving the stock outside -----------------------------------------------------------------------------


def test_orders_from_before_stay_with_the_ledger(open_shop: OpenShop, database_url: str) -> None:
    if database_url == "memory://":
        pytest.skip("it is gone with its hub")
    shop = open_shop()
    old = ready(shop)
    promise = promised(shop)
    moved, inventory = outside_shop(
        lambda **o: Shop.example(database_url, stocked=False, **o), seed=5, gateway=shop.gateway
    )
    with moved:
        handed_over(moved, old)
        moved.app.checkout.withdraw(promise.id)
        moved.hub.sweep()
        assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).on_hand == 38
        assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).reserved == 0
        assert asked(inventory) == []
        assert_it_followed(moved, inventory)


def test_what_is_still_held_outside_is_not_forgotten_by_a_hub_without_it(
    open_shop: OpenShop, database_url: str
) -> None:
    if database_url == "memory://":
        pytest.skip("it is gone with its hub")
    shop, _ = outside_shop(open_shop)
    placed(shop)
    with Shop.example(database_url, stocked=False, clock=shop.clock, seed=5) as other:
        assert other.hub.sweep().failed == {"misconfigured": 1}


def _die(recorded: object, tx: object) -> None:
    raise Killed
