"""A guest logs in: everything that they filled and ordered on this device is the customer's, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from omniorder import (
    Agent,
    CartState,
    Channel,
    Guest,
    MergeRule,
    Order,
    OrderState,
    PayInStore,
    Promise,
    PromiseState,
    Scope,
    Stage,
    System,
)
from omniorder.domain.events import CartMerged, GuestClaimed, OrderClaimed, Recorded
from omniorder.errors import InvalidInput, NotAllowed, NotFound, PaymentDeclined, PromiseGone
from omniorder.services import claims, quoting
from omniorder.services.settings import Settings
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    DECLINED,
    GUEST,
    NEEDS_3DS,
    VISA,
    booked,
    filled,
    free_slot,
    handed_over,
    level,
    names,
    placed,
    promised,
    ready,
    refused,
)

ANNA = "customer:anna"


@pytest.fixture(autouse=True)
def sound(shop: Shop) -> Iterator[None]:
    """Whatever a test did, everything adds up afterwards."""
    yield
    check_all(shop.hub)


def orders_of(shop: Shop) -> list[str]:
    """The ids of Anna's orders, newest first."""
    return [order.id for order in shop.web.orders.page().items]


# --- carts ------------------------------------------------------------------------------------------------


def test_a_guests_cart_becomes_the_customers_who_has_none(shop: Shop) -> None:
    cart = filled(shop, {Shop.MILK: 2}, touch=shop.guest)
    claimed = shop.app.carts.claim(GUEST)
    assert claimed.cart == shop.web.carts.current()
    assert claimed.cart is not None
    assert (claimed.cart.id, claimed.cart.owner, claimed.cart.lines) == (cart.id, ANNA, cart.lines)
    assert [(one.rule, one.sources) for one in claimed.lines] == [(MergeRule.KEPT, (cart.id,))]


def test_a_guests_cart_is_merged_into_the_customers(shop: Shop) -> None:
    mine = filled(shop, {Shop.MILK: 2, Shop.BREAD: 1})
    cart = filled(shop, {Shop.MILK: 3, Shop.APPLES: 500}, touch=shop.guest)
    claimed = shop.app.carts.claim(GUEST)
    assert claimed.cart == shop.web.carts.current()
    assert [(one.line.sku, one.line.quantity, one.rule, one.sources) for one in claimed.lines] == [
        (Shop.MILK, 3, MergeRule.RAISED, (mine.id, cart.id)),
        (Shop.BREAD, 1, MergeRule.KEPT, (mine.id,)),
        (Shop.APPLES, 500, MergeRule.ADDED, (cart.id,)),
    ]
    ended = shop.app.carts.get(cart.id)
    assert (ended.state, ended.merged_into, ended.owner) == (CartState.MERGED, mine.id, ANNA)


def test_an_empty_cart_of_the_customers_gives_way_to_the_guests(shop: Shop) -> None:
    empty, cart = shop.app.carts.start(), filled(shop, touch=shop.guest)
    claimed = shop.app.carts.claim(GUEST)
    assert claimed.cart is not None
    assert claimed.cart.id == cart.id
    assert shop.app.carts.get(empty.id).merged_into == cart.id


def test_a_guests_empty_cart_changes_nothing_about_the_customers(shop: Shop) -> None:
    mine = shop.app.carts.start()
    shop.guest.carts.start()
    claimed = shop.app.carts.claim(GUEST)
    assert claimed.cart is not None
    assert (claimed.cart.id, claimed.lines) == (mine.id, ())


def test_several_carts_of_a_guest_become_one(shop: Shop) -> None:
    for sku in (Shop.MILK, Shop.BREAD, Shop.APPLES):
        filled(shop, {sku: 1}, touch=shop.guest)
    claimed = shop.app.carts.claim(GUEST)
    assert {one.line.sku for one in claimed.lines} == {Shop.MILK, Shop.BREAD, Shop.APPLES}


def test_notes_and_labels_come_along(shop: Shop) -> None:
    cart = shop.guest.carts.start()
    shop.guest.carts.add(cart.id, Shop.MILK, 1, note="the blue one", metadata={"gift": "yes"})
    filled(shop)
    claimed = shop.app.carts.claim(GUEST)
    assert claimed.cart is not None
    assert [(line.note, dict(line.metadata)) for line in claimed.cart.lines] == [
        ("", {}),
        ("the blue one", {"gift": "yes"}),
    ]


def test_a_guest_who_filled_nothing_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    assert shop.app.carts.claim(GUEST).cart is None
    mine = filled(shop)
    before = stored()
    claimed = shop.app.carts.claim(GUEST)
    assert (claimed.cart, claimed.orders) == (mine, ())
    assert stored() == before


def test_carts_that_would_be_too_large_together_are_kept_apart(open_shop: OpenShop) -> None:
    """Nobody is kept from logging in: both carts are the customer's then, the guest's is current."""
    shop = open_shop(settings=Settings(max_lines=2))
    mine = filled(shop, {Shop.MILK: 2, Shop.BREAD: 1})
    shop.clock.advance(minutes=1)
    cart = filled(shop, {Shop.APPLES: 500}, touch=shop.guest)
    claimed = shop.app.carts.claim(GUEST)
    assert claimed.cart == shop.app.carts.current() == shop.app.carts.get(cart.id)
    assert claimed.apart == (mine.id,)
    assert shop.app.carts.get(mine.id) == mine


def test_carts_with_too_many_units_together_are_kept_apart_too(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(max_quantity=10))
    mine = filled(shop, {Shop.MILK: 6})
    cart = shop.guest.carts.start()
    shop.guest.carts.add(cart.id, Shop.MILK, 5, note="cold")
    assert {shop.app.carts.claim(GUEST).apart} <= {(mine.id,), (cart.id,)}
    assert shop.app.carts.get(cart.id).owner == ANNA


# --- promises ---------------------------------------------------------------------------------------------


def promised_to_guest(shop: Shop) -> Promise:
    return promised(shop, touch=shop.guest)


@pytest.mark.parametrize("empty", [False, True], ids=["no cart", "an empty cart"])
def test_what_was_promised_to_a_guest_is_the_customers_to_place(shop: Shop, empty: bool) -> None:
    if empty:
        shop.app.carts.start()
    promise = promised_to_guest(shop)
    claimed = shop.app.carts.claim(GUEST)
    assert claimed.cart is not None
    assert claimed.cart.promise_id == promise.id
    assert shop.app.checkout.place(promise.id, pay=VISA).owner == ANNA


def test_what_was_promised_for_a_cart_that_is_merged_away_is_free_at_once(shop: Shop) -> None:
    filled(shop, {Shop.BREAD: 1})
    promise = promised_to_guest(shop)
    assert (level(shop), booked(shop, promise.slot)) == ((40, 2), 1)
    shop.app.carts.claim(GUEST)
    assert (level(shop), booked(shop, promise.slot)) == ((40, 0), 0)
    assert refused(PromiseGone, shop.app.checkout.place, promise.id, pay=VISA).facts["state"] == "withdrawn"


def test_a_claimed_promise_lapses_as_it_would_have(shop: Shop) -> None:
    promise = promised_to_guest(shop)
    shop.app.carts.claim(GUEST)
    shop.advance(minutes=16)
    assert shop.app.checkout.withdraw(promise.id).state is PromiseState.LAPSED
    assert level(shop) == (40, 0)


# --- orders -----------------------------------------------------------------------------------------------


def in_progress(shop: Shop) -> Order:
    return placed(shop, touch=shop.guest)


def waiting_for_3ds(shop: Shop) -> Order:
    return placed(shop, pay=NEEDS_3DS, touch=shop.guest)


def waiting_at_the_counter(shop: Shop) -> Order:
    return ready(shop, touch=shop.guest)


def collected(shop: Shop) -> Order:
    order = ready(shop, touch=shop.guest)
    code = shop.guest.orders.pickup_pass(order.id).code
    return shop.store.pickups.hand_over(order.id, code=code).order


def called_off(shop: Shop) -> Order:
    return shop.guest.orders.cancel(in_progress(shop).id)


def expired(shop: Shop) -> Order:
    order = waiting_for_3ds(shop)
    shop.advance(hours=1)
    return shop.guest.orders.get(order.id)


STAGES: dict[Stage, Callable[[Shop], Order]] = {
    Stage.PREPARING: in_progress,
    Stage.AWAITING_PAYMENT: waiting_for_3ds,
    Stage.READY: waiting_at_the_counter,
    Stage.COLLECTED: collected,
    Stage.CANCELLED: called_off,
    Stage.EXPIRED: expired,
}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.value)
def test_an_order_in_any_stage_moves_along_as_it_is(shop: Shop, stage: Stage) -> None:
    order = STAGES[stage](shop)
    assert order.stage is stage
    assert shop.app.carts.claim(GUEST).orders == (order.id,)
    found = shop.web.orders.get(order.id)
    assert (found.owner, found.stage, found.lines, found.payments) == (ANNA, stage, order.lines, order.payments)
    assert orders_of(shop) == [order.id]
    assert names(shop, order)[-1] == OrderClaimed.__name__


def test_notes_on_an_order_come_along(shop: Shop) -> None:
    cart = shop.guest.carts.start()
    shop.guest.carts.add(cart.id, Shop.MILK, 1, note="the blue one")
    promise = shop.guest.checkout.promise(cart.id, slot=free_slot(shop, cart, touch=shop.guest))
    order = shop.guest.checkout.place(promise.id, pay=PayInStore())
    shop.app.carts.claim(GUEST)
    assert shop.app.orders.get(order.id).lines[0].note == "the blue one"


def test_the_customer_collects_what_the_guest_ordered(shop: Shop) -> None:
    order = waiting_at_the_counter(shop)
    shop.app.carts.claim(GUEST)
    assert handed_over(shop, order).order.stage is Stage.COLLECTED


def test_a_code_that_the_guest_was_shown_stays_the_orders(shop: Shop) -> None:
    order = waiting_at_the_counter(shop)
    code = shop.guest.orders.pickup_pass(order.id).code
    shop.app.carts.claim(GUEST)
    assert shop.app.orders.pickup_pass(order.id).code == code


def test_3ds_that_the_guest_began_is_finished_by_the_customer(shop: Shop) -> None:
    order = waiting_for_3ds(shop)
    shop.app.carts.claim(GUEST)
    shop.gateway.complete_action(order.payments[-1])
    assert shop.app.checkout.resume(order.id).stage is Stage.PREPARING


def test_after_a_decline_the_customer_pays_with_another_card(shop: Shop) -> None:
    promise = promised_to_guest(shop)
    declined = refused(PaymentDeclined, shop.guest.checkout.place, promise.id, pay=DECLINED)
    shop.app.carts.claim(GUEST)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert (order.id, order.stage) == (declined.order.id, Stage.PREPARING)


def test_an_order_that_ends_unpaid_after_the_claim_reopens_the_cart_as_the_customers(shop: Shop) -> None:
    order = waiting_for_3ds(shop)
    shop.app.carts.claim(GUEST)
    shop.advance(hours=1)
    assert shop.app.orders.get(order.id).state is OrderState.EXPIRED
    cart = shop.app.carts.current()
    assert cart is not None
    assert (cart.id, cart.owner) == (order.cart_id, ANNA)


def test_a_promise_that_came_to_nothing_is_the_customers_too(shop: Shop) -> None:
    """A page that is still open on the device says what became of it, and not that it never was."""
    order = shop.guest.orders.cancel(waiting_for_3ds(shop).id)
    shop.app.carts.claim(GUEST)
    refused(PromiseGone, shop.app.checkout.place, order.promise_id, pay=VISA)


def test_staff_sees_the_order_as_before(shop: Shop) -> None:
    order = in_progress(shop)
    shop.app.carts.claim(GUEST)
    assert shop.store.orders.get(order.id).lines == order.lines
    assert [one.id for one in shop.store.pickups.due().items] == [order.id]


def test_the_customers_list_shows_both_their_own_and_the_guests_orders_by_time(shop: Shop) -> None:
    first = placed(shop)
    shop.clock.advance(minutes=1)
    second = in_progress(shop)
    shop.clock.advance(minutes=1)
    third = placed(shop)
    shop.app.carts.claim(GUEST)
    assert orders_of(shop) == [third.id, second.id, first.id]
    assert shop.guest.orders.page().items == ()


# --- while somebody else acts for them --------------------------------------------------------------------


def test_what_an_agent_promises_while_the_guest_logs_in_is_the_customers(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim comes between pricing and holding."""
    cart = filled(shop, touch=shop.guest)
    eva = shop.hub.at(Channel.PHONE, Agent("eva"))
    eva.handoffs.accept(shop.guest.handoffs.offer(cart.id, Scope.EDIT).token)
    slot, price, logins = free_slot(shop, cart, touch=eva), quoting.priced, iter([True])

    def slowly(*asked: Any) -> Any:
        if next(logins, False):
            shop.app.carts.claim(GUEST)
        return price(*asked)

    monkeypatch.setattr(quoting, "priced", slowly)
    assert eva.checkout.promise(cart.id, slot=slot).owner == ANNA


# --- again, and interrupted -------------------------------------------------------------------------------


def test_claiming_again_changes_nothing(shop: Shop, stored: Callable[[], Rows]) -> None:
    in_progress(shop)
    filled(shop, touch=shop.guest)
    filled(shop, {Shop.BREAD: 1})
    once = shop.app.carts.claim(GUEST)
    before = stored()
    again = shop.web.carts.claim(GUEST)
    assert (again.cart, [one.line for one in again.lines]) == (once.cart, [one.line for one in once.lines])
    assert stored() == before


def test_what_the_guest_fills_after_a_claim_comes_with_the_next_one(shop: Shop) -> None:
    """The device went on as a guest, say because the customer logged out."""
    filled(shop, {Shop.MILK: 2}, touch=shop.guest)
    shop.app.carts.claim(GUEST)
    filled(shop, {Shop.MILK: 4}, touch=shop.guest)
    cart = shop.app.carts.claim(GUEST).cart
    assert cart is not None
    assert [(line.sku, line.quantity) for line in cart.lines] == [(Shop.MILK, 4)]


def test_an_interrupted_claim_has_moved_nothing_and_may_be_repeated(shop: Shop, stored: Callable[[], Rows]) -> None:
    order = in_progress(shop)
    filled(shop, touch=shop.guest)
    filled(shop, {Shop.BREAD: 1})
    before, down = stored(), [True]

    def refuse(_: Recorded, __: object) -> None:
        if down:
            raise NotFound("warehouse", "W1")

    shop.hub.on(OrderClaimed, refuse)
    refused(NotFound, shop.app.carts.claim, GUEST)
    assert stored() == before
    down.clear()
    claimed = shop.app.carts.claim(GUEST)
    assert (claimed.orders, len(claimed.lines)) == ((order.id,), 2)


def test_more_than_fits_in_one_transaction_is_moved_in_several(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BATCH", 2)
    for _ in range(3):
        called_off(shop)
    standing = {in_progress(shop).id for _ in range(3)}
    open_carts = [filled(shop, {sku: 1}, touch=shop.guest) for sku in (Shop.MILK, Shop.BREAD, Shop.APPLES)]
    claimed = shop.app.carts.claim(GUEST)
    assert len(claimed.orders) == len(set(claimed.orders)) == 6
    assert standing < set(claimed.orders)
    assert {one.line.sku: one.sources for one in claimed.lines} == {
        cart.lines[0].sku: (cart.id,) for cart in open_carts
    }
    assert (shop.guest.carts.current(), shop.guest.orders.page().items) == (None, ())


def test_an_interruption_between_two_of_several_is_finished_by_a_repetition(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BATCH", 1)
    orders = {in_progress(shop).id for _ in range(3)}
    left = iter([None, None])

    def refuse(_: Recorded, __: object) -> None:
        if next(left, False) is False:
            raise NotFound("warehouse", "W1")

    shop.hub.on(OrderClaimed, refuse)
    refused(NotFound, shop.app.carts.claim, GUEST)
    assert len(orders_of(shop)) == 2
    left = iter([None] * 3)
    shop.app.carts.claim(GUEST)
    assert set(orders_of(shop)) == orders


# --- who may, and what the guest keeps --------------------------------------------------------------------


def test_the_guest_keeps_nothing(shop: Shop) -> None:
    order = in_progress(shop)
    one, two = filled(shop, touch=shop.guest), filled(shop, {Shop.BREAD: 1}, touch=shop.guest)
    shop.guest.carts.merge(one.id, two.id)
    shop.app.carts.claim(GUEST)
    for cart_id in (one.id, two.id, order.cart_id):
        refused(NotFound, shop.guest.carts.get, cart_id)
        assert shop.app.carts.get(cart_id).owner == ANNA
    refused(NotFound, shop.guest.carts.add, one.id, Shop.MILK)
    refused(NotFound, shop.guest.orders.get, order.id)
    assert shop.guest.carts.current() is None


def test_another_customer_gets_nothing_of_what_was_claimed(shop: Shop) -> None:
    order, cart = in_progress(shop), filled(shop, touch=shop.guest)
    shop.app.carts.claim(GUEST)
    claimed = shop.stranger.carts.claim(GUEST)
    assert (claimed.cart, claimed.orders) == (None, ())
    refused(NotFound, shop.stranger.carts.get, cart.id)
    refused(NotFound, shop.stranger.orders.get, order.id)


def test_the_journal_says_who_claimed_whom(shop: Shop) -> None:
    shop.hub.journal.subscribe("crm")
    filled(shop, touch=shop.guest)
    shop.app.carts.claim(GUEST)
    (told,) = [entry for entry in shop.hub.journal.pull("crm") if isinstance(entry.event, GuestClaimed)]
    assert (told.home, told.stream, told.seq, told.event) == (ANNA, ANNA, 1, GuestClaimed(GUEST.owner))
    assert told.stamp.actor == ANNA


def test_a_guest_claims_nobody(shop: Shop) -> None:
    filled(shop, touch=shop.guest)
    refused(NotAllowed, shop.guest.carts.claim, Guest("another-token-of-22-characters"))
    refused(NotAllowed, shop.guest.carts.claim, GUEST)


def test_what_is_no_guest_is_not_claimed(shop: Shop) -> None:
    for nobody in ("a-token-of-22-characters-or-more", None, Agent("eva"), System("x")):
        assert refused(InvalidInput, shop.app.carts.claim, nobody).facts["field"] == "guest"


def test_an_agent_has_no_way_to_claim(shop: Shop) -> None:
    """Only who has the token was the guest: it is the device's, and it never leaves it for a phone call."""
    assert not hasattr(shop.hub.at(Channel.PHONE, Agent("petya", customer="anna")).carts, "claim")


def test_a_handler_that_refuses_a_merge_undoes_the_claim(shop: Shop, stored: Callable[[], Rows]) -> None:
    filled(shop)
    promised_to_guest(shop)
    before = stored()

    def refuse(_: Recorded, __: object) -> NoReturn:
        raise NotFound("warehouse", "W1")

    shop.hub.on(CartMerged, refuse)
    refused(NotFound, shop.app.carts.claim, GUEST)
    assert stored() == before
