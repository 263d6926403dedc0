"""Who comes for an order: on their way, there, attended to; and whoever comes in their place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omniorder import Associate, Channel, Order, Scope, events
from omniorder.errors import AlreadyAttended, IllegalTransition, NotAllowed, NotFound, WrongCode
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.steps import NEEDS_3DS, VISA, code, handed_over, names, part, placed, ready, refused

SKODA = "blue Skoda, CB 1234"
TWENTY = timedelta(minutes=20)


def queue(shop: Shop) -> list[str]:
    return [one.order.id for one in shop.store.arrivals.page().items]


# --- the queue --------------------------------------------------------------------------------------------


def test_who_arrived_first_comes_first_then_who_is_expected_first(shop: Shop) -> None:
    first, second, third, fourth = placed(shop), ready(shop), ready(shop), ready(shop)
    shop.app.orders.on_my_way(fourth.id, within=2 * TWENTY)
    shop.phone.orders.on_my_way(third.id, arrives=shop.clock.now() + TWENTY)
    shop.app.orders.arrived(first.id)  # not ready, and keeps the place
    shop.clock.advance(minutes=3)
    shop.store.arrivals.arrived(second.id)
    shop.clock.advance(minutes=2)
    found = shop.store.arrivals.page().items
    assert [(one.order.id, one.waits, one.ready) for one in found] == [
        (first.id, timedelta(minutes=5), False),
        (second.id, timedelta(minutes=2), True),
        (third.id, timedelta(), True),
        (fourth.id, timedelta(), True),
    ]
    check_all(shop.hub)


def test_the_queue_comes_in_pages_that_lose_and_repeat_nobody(shop: Shop) -> None:
    here, coming = [placed(shop, {Shop.MILK: 1}) for _ in range(3)], [placed(shop, {Shop.MILK: 1}) for _ in range(2)]
    for order in here:
        shop.app.orders.arrived(order.id)  # at the same instant, all of them
    for order in coming:
        shop.app.orders.on_my_way(order.id, within=TWENTY)
    seen: list[str] = []
    page = shop.store.arrivals.page(limit=2)
    seen += [one.order.id for one in page.items]
    while page.next is not None:
        page = shop.store.arrivals.page(limit=2, after=page.next)
        seen += [one.order.id for one in page.items]
    assert seen == [*sorted(order.id for order in here), *sorted(order.id for order in coming)]


def test_who_has_their_goods_or_left_is_not_in_the_queue(shop: Shop) -> None:
    collected, partly, gone, cancelled = ready(shop), ready(shop), ready(shop), ready(shop)
    for order in (collected, partly, gone, cancelled):
        shop.app.orders.arrived(order.id)
    handed_over(shop, collected)
    handed_over(shop, partly, lines=part(partly, 1))
    shop.store.arrivals.left(gone.id)
    shop.app.orders.cancel(cancelled.id)
    assert queue(shop) == []
    assert shop.app.orders.left(gone.id).version == shop.app.orders.get(gone.id).version


def test_another_stores_customers_do_not_exist_here(shop: Shop) -> None:
    order = ready(shop)
    shop.app.orders.arrived(order.id)
    assert shop.elsewhere.arrivals.page().items == ()
    for call in (shop.elsewhere.arrivals.attend, shop.elsewhere.arrivals.left, shop.stranger.orders.arrived):
        refused(NotFound, call, order.id)


# --- on the way, and there --------------------------------------------------------------------------------


def test_an_estimate_is_told_anew_when_it_moved_by_a_minute(shop: Shop) -> None:
    order = placed(shop)
    for minutes in (20, 20.9, 25):
        shop.app.orders.on_my_way(order.id, within=timedelta(minutes=minutes))
    assert names(shop, order).count("CustomerOnTheWay") == 2
    shop.app.orders.arrived(order.id)
    told = shop.app.orders.on_my_way(order.id, within=TWENTY)
    assert names(shop, order)[-1] == "CustomerArrived"
    assert told.pickup.arrival is not None


def test_arriving_again_changes_the_bay_and_never_the_place(shop: Shop) -> None:
    order = ready(shop)
    there = shop.app.orders.arrived(order.id, bay="P3", vehicle=SKODA).pickup.arrival
    shop.clock.advance(minutes=4)
    assert shop.app.orders.arrived(order.id).pickup.arrival == there
    assert shop.app.orders.arrived(order.id, bay="P3").pickup.arrival == there
    moved = shop.app.orders.arrived(order.id, bay="P7").pickup.arrival
    assert there is not None
    assert moved is not None
    assert (moved.bay, moved.vehicle, moved.arrived_at) == ("P7", SKODA, there.arrived_at)
    assert names(shop, order).count("CustomerArrived") == 2


def test_a_repeated_call_with_its_key_is_told_once(shop: Shop) -> None:
    order = placed(shop)
    for _ in range(2):
        shop.app.orders.on_my_way(order.id, within=TWENTY, key="k1")
        shop.clock.advance(minutes=5)
    assert names(shop, order).count("CustomerOnTheWay") == 1


def test_nobody_comes_for_an_order_that_is_not_paid(shop: Shop) -> None:
    unpaid = placed(shop, pay=NEEDS_3DS)
    refused(IllegalTransition, shop.app.orders.arrived, unpaid.id)
    refused(IllegalTransition, shop.app.orders.on_my_way, unpaid.id, within=TWENTY)


def test_nobody_comes_for_an_order_that_has_ended(shop: Shop) -> None:
    order = handed_over(shop, ready(shop)).order
    refused(IllegalTransition, shop.app.orders.arrived, order.id)
    refused(IllegalTransition, shop.app.orders.name_proxy, order.id, "Ivan Petrov")


def test_staff_can_be_alerted_in_the_transaction_that_tells_of_an_arrival(shop: Shop) -> None:
    heard: list[str] = []
    shop.hub.on(events.CustomerArrived, lambda recorded, tx: heard.append(recorded.stream))
    order = ready(shop)
    shop.app.orders.arrived(order.id)
    shop.app.orders.arrived(order.id)
    assert heard == [order.id]


# --- attended to ------------------------------------------------------------------------------------------


def test_a_customer_is_attended_by_one_until_another_takes_over(shop: Shop) -> None:
    petar = shop.hub.at(Channel.STORE, Associate("petar", store=Shop.SOFIA))
    order = ready(shop)
    taken = shop.store.arrivals.attend(order.id)  # who came in without a word is there
    assert names(shop, order)[-2:] == ["CustomerArrived", "CustomerAttended"]
    assert shop.store.arrivals.attend(order.id).version == taken.version
    error = refused(AlreadyAttended, petar.arrivals.attend, order.id)
    assert error.facts == {"order": order.id, "by": "associate:ivan@SOF01", "who": "ivan"}
    again = petar.arrivals.attend(order.id, take_over=True).pickup.arrival
    assert again is not None
    assert again.attended_by == "associate:petar@SOF01"


# --- a proxy ----------------------------------------------------------------------------------------------


def test_the_store_sees_who_collects_and_the_journal_does_not(shop: Shop) -> None:
    order = shop.phone.orders.name_proxy(ready(shop).id, "Ivan Petrov")
    shop.app.orders.arrived(order.id, vehicle=SKODA)
    seen = shop.store.orders.get(order.id).pickup
    assert seen.proxy is not None
    assert seen.arrival is not None
    assert (seen.proxy.name, seen.arrival.vehicle) == ("Ivan Petrov", SKODA)
    assert not any(word in repr(shop.office.orders.timeline(order.id)) for word in ("Petrov", "Skoda"))
    check_all(shop.hub)


@pytest.mark.parametrize("change", ["named", "another", "withdrawn"])
def test_a_change_of_who_collects_kills_the_code_that_was_shown(shop: Shop, change: str) -> None:
    order = ready(shop)
    if change != "named":
        shop.app.orders.name_proxy(order.id, "Ivan Petrov")
    old = code(shop, order)
    if change == "withdrawn":
        shop.app.orders.withdraw_proxy(order.id)
    else:
        shop.app.orders.name_proxy(order.id, "Maria Petrova")
    refused(WrongCode, shop.store.pickups.hand_over, order.id, code=old)
    assert handed_over(shop, order).order.pickup.collected


def test_naming_the_same_person_again_leaves_the_code_alive(shop: Shop) -> None:
    order = ready(shop)
    shop.app.orders.name_proxy(order.id, "Ivan Petrov")
    shown = code(shop, order)
    shop.app.orders.name_proxy(order.id, " Ivan Petrov ")
    assert code(shop, order) == shown


def test_the_vehicle_is_forgotten_with_the_goods_and_the_proxy_is_kept(shop: Shop) -> None:
    order = shop.app.orders.name_proxy(ready(shop).id, "Ivan Petrov")
    shop.app.orders.arrived(order.id, bay="P3", vehicle=SKODA)
    after = handed_over(shop, order).order.pickup
    assert after.arrival is None
    assert after.proxy is not None
    assert shop.app.orders.get(order.id).pickup == after


def test_whoever_only_follows_an_order_sees_no_names(shop: Shop) -> None:
    order = _followed(shop)
    shop.app.orders.name_proxy(order.id, "Ivan Petrov")
    shop.app.orders.arrived(order.id, vehicle=SKODA)
    seen = shop.stranger.orders.get(order.id).pickup
    assert seen.proxy is not None
    assert seen.arrival is not None
    assert (seen.proxy.name, seen.arrival.vehicle) == ("", "")
    refused(NotAllowed, shop.stranger.orders.name_proxy, order.id, "Boris")


def _followed(shop: Shop) -> Order:
    """An order whose cart Boris was let edit."""
    promise = shop.promise()
    ticket = shop.app.handoffs.offer(promise.cart_id, Scope.EDIT)
    shop.stranger.handoffs.accept(ticket.token)
    return shop.app.checkout.place(promise.id, pay=VISA)
