"""Who sees and may do what: somebody else's things answer exactly as missing ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omniorder import Agent, Associate, Channel, Customer, Guest, OrderHub, System
from omniorder.errors import InvalidInput, NotAllowed, NotFound
from omniorder.testing.shop import Shop
from tests.services.contents import Rows
from tests.services.steps import filled, placed, promised, ready, refused

MISSING = "SOF01-ZZZZZZ"


def answers(error: NotFound, name: str) -> tuple[str, dict[str, object]]:
    """The whole answer, with the id that was asked for taken out."""
    return str(error).replace(name, "*"), {**error.facts, "id": "*"}


@pytest.mark.parametrize("who", ["stranger", "guest", "elsewhere"])
def test_somebody_elses_order_answers_as_a_missing_one(shop: Shop, who: str) -> None:
    order, desk = placed(shop), getattr(shop, who).orders
    for call in (desk.get, desk.timeline, desk.cancel):
        theirs, nobodys = refused(NotFound, call, order.id), refused(NotFound, call, MISSING)
        assert answers(theirs, order.id) == answers(nobodys, MISSING)
    assert shop.app.orders.get(order.id) == order


def test_nobody_learns_from_a_guessed_order_number(shop: Shop, stored: Callable[[], Rows]) -> None:
    before = stored()
    for guess in (MISSING, "SOF01-000000", "NOWHERE-ABCDEF", "sof01-zzzzzz", "", "x" * 1000, "SOF01-ZZZZZZ\n"):
        assert refused(NotFound, shop.stranger.orders.get, guess).facts["kind"] == "order"
    assert stored() == before


def test_a_customer_lists_only_their_own_orders_newest_first(shop: Shop) -> None:
    first = placed(shop)
    shop.clock.advance(minutes=1)
    second = placed(shop)
    placed(shop, touch=shop.stranger)
    assert [order.id for order in shop.web.orders.page().items] == [second.id, first.id]


def test_a_customers_orders_come_in_pages_that_lose_and_repeat_nothing(shop: Shop) -> None:
    wanted = {placed(shop, {Shop.MILK: 1}).id for _ in range(5)}
    seen: list[str] = []
    after = None
    while True:
        page = shop.app.orders.page(limit=2, after=after)
        seen += [order.id for order in page.items]
        if page.next is None:
            break
        after = page.next
    assert (len(seen), set(seen)) == (5, wanted)


def test_an_associate_sees_the_orders_of_their_store(shop: Shop) -> None:
    here, there = placed(shop), placed(shop, store="VAR01")
    assert shop.store.orders.get(here.id) == here
    assert shop.elsewhere.orders.get(there.id) == there
    refused(NotFound, shop.store.orders.get, there.id)


def test_the_back_office_sees_every_order(shop: Shop) -> None:
    for order in (placed(shop), placed(shop, touch=shop.guest)):
        assert shop.office.orders.get(order.id) == order


def test_an_agent_sees_only_the_customer_whom_they_help(shop: Shop) -> None:
    annas, boriss = placed(shop), placed(shop, touch=shop.stranger)
    assert shop.phone.orders.get(annas.id) == annas
    refused(NotFound, shop.phone.orders.get, boriss.id)
    assert [order.id for order in shop.phone.orders.page().items] == [annas.id]


def test_an_agent_who_helps_nobody_sees_nothing(shop: Shop) -> None:
    idle = shop.hub.at(Channel.PHONE, Agent("petya"))
    refused(NotFound, idle.orders.get, placed(shop).id)
    assert idle.orders.page().items == ()
    refused(NotAllowed, idle.carts.start)


def test_two_guests_are_told_apart_by_their_tokens(shop: Shop) -> None:
    order = placed(shop, touch=shop.guest)
    other = shop.hub.at(Channel.WEB, Guest("another-token-of-22-characters"))
    refused(NotFound, other.orders.get, order.id)
    refused(NotFound, other.carts.get, order.cart_id)


def test_a_customer_who_is_called_like_a_guest_is_not_that_guest(shop: Shop) -> None:
    cart = filled(shop, touch=shop.guest)
    imposter = shop.hub.at(Channel.WEB, Customer(cart.owner))
    refused(NotFound, imposter.carts.get, cart.id)


def test_an_associate_touches_only_their_own_stores_stock(shop: Shop, stored: Callable[[], Rows]) -> None:
    before = stored()
    desk = shop.elsewhere.stock
    for call in (
        lambda: desk.level("SOF01", Shop.MILK),
        lambda: desk.receive("SOF01", Shop.MILK, 1),
        lambda: desk.adjust("SOF01", Shop.MILK, -1, reason="count"),
        lambda: desk.keep_back("SOF01", Shop.MILK, 1),
        lambda: desk.movements("SOF01", Shop.MILK),
    ):
        foreign = refused(NotFound, call)
        assert foreign.facts == {"kind": "store", "id": "SOF01"}
    assert stored() == before
    assert desk.level("VAR01", Shop.MILK).on_hand == 10


def test_an_associate_of_a_store_that_is_not_there_has_no_pickups(shop: Shop) -> None:
    ghost = shop.hub.at(Channel.STORE, Associate("ghost", store="GONE"))
    assert refused(NotFound, ghost.pickups.due).facts == {"kind": "store", "id": "GONE"}


@pytest.mark.parametrize(
    ("who", "lacks"),
    [
        ("app", ["pickups", "stock", "stores", "articles", "prices"]),
        ("guest", ["pickups", "stock", "stores", "articles", "prices"]),
        ("phone", ["pickups", "stock", "stores", "articles", "prices"]),
        ("store", ["carts", "handoffs", "checkout", "stores", "articles", "prices"]),
        ("office", ["carts", "handoffs", "checkout", "pickups"]),
    ],
)
def test_what_a_touchpoint_may_not_do_it_does_not_have(shop: Shop, who: str, lacks: list[str]) -> None:
    touch = getattr(shop, who)
    assert [name for name in lacks if hasattr(touch, name)] == []


def test_a_touchpoint_is_made_without_touching_the_database() -> None:
    hub = OrderHub.open("postgresql://nobody@192.0.2.1:1/nowhere")
    assert "customer:anna" in repr(hub.at(Channel.APP, Customer("anna")))
    hub.close()


@pytest.mark.parametrize("channel", ["app", None, 1, "APP"])
def test_a_channel_is_a_member_of_the_closed_list(shop: Shop, channel: object) -> None:
    at = shop.hub.at
    assert refused(InvalidInput, at, channel, Customer("anna")).facts["field"] == "channel"


@pytest.mark.parametrize("actor", ["anna", None, Customer, ("customer", "anna")])
def test_an_actor_is_one_of_the_five_kinds(shop: Shop, actor: object) -> None:
    at = shop.hub.at
    assert refused(InvalidInput, at, Channel.APP, actor).facts["field"] == "actor"


def test_the_reason_of_every_step_is_who_did_it(shop: Shop) -> None:
    order = ready(shop)
    told = {entry.name: entry.stamp.actor for entry in shop.office.orders.timeline(order.id).items}
    assert told["OrderPlaced"] == "customer:anna"
    assert told["MadeReady"] == "associate:ivan@SOF01"


def test_promises_of_guests_and_customers_do_not_mix(shop: Shop) -> None:
    promise = promised(shop, touch=shop.guest)
    refused(NotFound, shop.app.checkout.withdraw, promise.id)
    assert shop.guest.checkout.withdraw(promise.id).id == promise.id


def test_a_program_acts_under_its_own_name(shop: Shop) -> None:
    erp = shop.hub.at(Channel.SYSTEM, System("erp"))
    erp.stock.receive("SOF01", Shop.BREAD, 1)
    last = shop.office.stock.movements("SOF01", Shop.BREAD).items
    assert "system:erp" in [move.stamp.actor for move in last]
