"""What a handoff lets somebody do: what it is for, with that one cart, until it ends. The rest stays the owner's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from omniorder import Agent, Channel, Handoff, IsActionRequired, Scope, Settings, Stage
from omniorder.errors import (
    CartChanged,
    NotAllowed,
    NotFound,
    PaymentDeclined,
    PromiseGone,
    WrongCode,
)
from omniorder.services.touchpoints import AgentTouchpoint
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.passing import TERMINAL, eva, gone, handed, kiosk, ticket_for
from tests.services.steps import (
    DECLINED,
    MASTERCARD,
    NEEDS_3DS,
    VISA,
    code,
    filled,
    free_slot,
    names,
    picked,
    placed,
    promised,
    ready,
    refused,
)

# --- to look ----------------------------------------------------------------------------------------------


def test_who_may_look_sees_the_cart_and_what_is_offered_for_it(shop: Shop) -> None:
    cart = filled(shop)
    handed(cart.id, Scope.VIEW, by=shop.app, to=shop.guest)
    assert shop.guest.carts.get(cart.id).lines == cart.lines
    assert shop.guest.checkout.offers(cart.id)


def test_who_may_look_does_nothing_else(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    handed(promise.cart_id, Scope.VIEW, by=shop.app, to=shop.guest)
    before = stored()
    refused(NotAllowed, shop.guest.carts.add, promise.cart_id, Shop.MILK)
    refused(NotAllowed, shop.guest.checkout.promise, promise.cart_id, slot=promise.slot)
    refused(NotAllowed, shop.guest.checkout.withdraw, promise.id)
    refused(NotAllowed, shop.guest.checkout.place, promise.id, pay=VISA)
    assert stored() == before


def test_who_may_look_at_the_cart_sees_no_order(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    handed(order.cart_id, Scope.VIEW, by=shop.app, to=shop.guest)
    refused(NotFound, shop.guest.orders.get, order.id)
    refused(NotFound, shop.guest.checkout.resume, order.id)


# --- to edit ----------------------------------------------------------------------------------------------


def test_who_may_edit_edits_and_promises_and_gives_back(shop: Shop) -> None:
    cart = filled(shop)
    handed(cart.id, by=shop.app, to=eva(shop))
    eva(shop).carts.add(cart.id, Shop.BREAD, 1)
    promise = eva(shop).checkout.promise(cart.id, slot=free_slot(shop, cart))
    assert (promise.owner, shop.app.carts.get(cart.id).promise_id) == ("customer:anna", promise.id)
    eva(shop).checkout.withdraw(promise.id)
    assert shop.app.carts.get(cart.id).promise_id is None


def test_who_may_edit_does_not_place(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    handed(promise.cart_id, by=shop.app, to=eva(shop))
    before = stored()
    refused(NotAllowed, eva(shop).checkout.place, promise.id, pay=VISA)
    assert stored() == before


def test_who_may_edit_neither_merges_nor_claims(shop: Shop, stored: Callable[[], Rows]) -> None:
    cart, mine = filled(shop), filled(shop, touch=shop.stranger)
    handed(cart.id, by=shop.app, to=shop.stranger)
    before = stored()
    refused(NotAllowed, shop.stranger.carts.merge, mine.id, cart.id)
    refused(NotAllowed, shop.stranger.carts.merge, cart.id, mine.id)
    assert stored() == before


def test_who_may_edit_follows_the_order_that_comes_of_it(shop: Shop) -> None:
    promise = promised(shop)
    handed(promise.cart_id, by=shop.app, to=eva(shop))
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert eva(shop).orders.get(order.id).stage is order.stage
    assert [entry.name for entry in eva(shop).orders.timeline(order.id).items] == names(shop, order)


def test_who_may_edit_an_ordered_cart_sees_the_order_that_stands_on_it(shop: Shop) -> None:
    order = placed(shop)
    handed(order.cart_id, by=shop.app, to=eva(shop))
    assert eva(shop).orders.get(order.id).version == order.version


def test_an_order_that_ended_before_is_nobody_elses_business(shop: Shop) -> None:
    order = shop.app.orders.cancel(placed(shop, pay=NEEDS_3DS).id)
    shop.clock.advance(minutes=1)
    handed(order.cart_id, Scope.EDIT, Scope.PAY, by=shop.app, to=eva(shop))
    refused(NotFound, eva(shop).orders.get, order.id)
    refused(NotFound, eva(shop).checkout.resume, order.id)


def test_the_cart_of_a_guest_who_logs_in_stays_open_to_whoever_edits_it(shop: Shop) -> None:
    cart = filled(shop, touch=kiosk(shop))
    handed(cart.id, by=kiosk(shop), to=eva(shop))
    later = ticket_for(cart.id, by=kiosk(shop))
    shop.app.carts.claim(TERMINAL)
    assert eva(shop).carts.add(cart.id, Shop.BREAD, 1).owner == "customer:anna"
    assert shop.stranger.handoffs.accept(later.token).cart_id == cart.id


def test_what_was_granted_for_a_cart_ends_when_it_is_merged(shop: Shop) -> None:
    cart, other = filled(shop), filled(shop)
    handed(cart.id, by=shop.app, to=eva(shop))
    shop.app.carts.merge(other.id, cart.id)
    for id in (cart.id, other.id):
        refused(NotFound, eva(shop).carts.get, id)
        refused(NotFound, eva(shop).carts.add, id, Shop.BREAD)


# --- to pay -----------------------------------------------------------------------------------------------


def test_who_may_pay_places_the_promise_and_the_order_is_its_owners(shop: Shop) -> None:
    promise = promised(shop)
    handed(promise.cart_id, Scope.PAY, by=shop.app, to=shop.stranger)
    assert shop.stranger.carts.get(promise.cart_id).promise_id == promise.id
    order = shop.stranger.checkout.place(promise.id, pay=VISA)
    assert (order.owner, order.promise_id, order.stage) == ("customer:anna", promise.id, Stage.PREPARING)
    assert [one.id for one in shop.app.orders.page().items] == [order.id]
    assert shop.stranger.orders.page().items == ()


def test_who_may_pay_does_nothing_but_pay(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    handed(promise.cart_id, Scope.PAY, by=shop.app, to=shop.stranger)
    before = stored()
    refused(NotAllowed, shop.stranger.carts.add, promise.cart_id, Shop.MILK)
    refused(NotAllowed, shop.stranger.checkout.promise, promise.cart_id, slot=promise.slot)
    refused(NotAllowed, shop.stranger.checkout.withdraw, promise.id)
    assert stored() == before


def test_who_paid_follows_the_order_and_neither_cancels_nor_collects_it(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    handed(promise.cart_id, Scope.PAY, by=shop.app, to=shop.stranger)
    order = shop.stranger.checkout.place(promise.id, pay=VISA)
    shop.store.pickups.ready(picked(shop, order).id, staged_at="C4")
    before = stored()
    assert shop.stranger.orders.get(order.id).stage is Stage.READY
    refused(NotAllowed, shop.stranger.orders.cancel, order.id)
    refused(NotAllowed, shop.stranger.orders.pickup_pass, order.id)
    assert stored() == before
    assert shop.app.orders.pickup_pass(order.id).code


def test_who_may_pay_pays_no_later_promise(shop: Shop) -> None:
    promise = promised(shop)
    handed(promise.cart_id, Scope.PAY, by=shop.app, to=shop.stranger)
    cart = shop.app.carts.get(promise.cart_id)
    later = shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart, nth=1))
    refused(NotAllowed, shop.stranger.checkout.place, later.id, pay=VISA)
    assert refused(PromiseGone, shop.stranger.checkout.place, promise.id, pay=VISA).facts["state"] == "replaced"


def test_a_promise_that_was_renewed_is_another_one(shop: Shop) -> None:
    """Whoever sends a link that holds for hours makes the promise last as long before."""
    promise = promised(shop)
    handed(promise.cart_id, Scope.PAY, by=shop.app, to=shop.stranger)
    renewed = shop.app.checkout.promise(promise.cart_id, slot=promise.slot, lasts=timedelta(hours=1))
    refused(NotAllowed, shop.stranger.checkout.place, renewed.id, pay=VISA)


def test_who_may_edit_can_replace_what_another_was_to_pay(shop: Shop) -> None:
    """It is what editing is for; nobody pays for what they were not shown."""
    promise = promised(shop)
    cart = shop.app.carts.get(promise.cart_id)
    handed(cart.id, Scope.PAY, by=shop.app, to=shop.stranger)
    handed(cart.id, by=shop.app, to=eva(shop))
    eva(shop).checkout.promise(cart.id, slot=free_slot(shop, cart, nth=1))
    refused(PromiseGone, shop.stranger.checkout.place, promise.id, pay=VISA)


def test_who_may_pay_is_told_when_the_cart_was_changed(shop: Shop) -> None:
    promise = promised(shop)
    handed(promise.cart_id, Scope.PAY, by=shop.app, to=shop.stranger)
    shop.app.carts.add(promise.cart_id, Shop.BREAD, 1)
    refused(CartChanged, shop.stranger.checkout.place, promise.id, pay=VISA)


def test_who_may_pay_finishes_their_3d_secure_on_any_channel(shop: Shop) -> None:
    promise = promised(shop)
    handed(promise.cart_id, Scope.PAY, by=shop.app, to=shop.stranger)
    order = shop.stranger.checkout.place(promise.id, pay=NEEDS_3DS)
    assert isinstance(shop.stranger.checkout.resume(order.id).payments[-1].outcome, IsActionRequired)
    shop.gateway.complete_action(order.payments[-1].id)
    assert shop.stranger.checkout.resume(order.id).stage is Stage.PREPARING


def test_who_may_only_edit_does_not_see_another_ones_3d_secure(shop: Shop) -> None:
    promise = promised(shop)
    handed(promise.cart_id, by=shop.app, to=eva(shop))
    order = shop.app.checkout.place(promise.id, pay=NEEDS_3DS)
    refused(NotAllowed, eva(shop).checkout.resume, order.id)


def test_an_order_whose_card_was_declined_is_paid_by_somebody_else(shop: Shop) -> None:
    promise = promised(shop)
    order = refused(PaymentDeclined, shop.app.checkout.place, promise.id, pay=DECLINED).order
    handed(order.cart_id, Scope.PAY, by=shop.app, to=shop.stranger)
    assert shop.stranger.orders.get(order.id).stage is Stage.AWAITING_PAYMENT
    assert shop.stranger.checkout.place(promise.id, pay=MASTERCARD).stage is Stage.PREPARING


def test_nobody_learns_by_which_card_another_pays(shop: Shop) -> None:
    """Its token might pay for something else."""
    promise = promised(shop)
    declined = refused(PaymentDeclined, shop.app.checkout.place, promise.id, pay=DECLINED).order
    handed(declined.cart_id, Scope.EDIT, Scope.PAY, by=shop.app, to=eva(shop))
    again = refused(PaymentDeclined, eva(shop).checkout.resume, declined.id).order
    placed = eva(shop).checkout.place(promise.id, pay=NEEDS_3DS)
    seen = (again, placed, eva(shop).orders.get(placed.id), eva(shop).checkout.resume(placed.id))
    assert {payment.token for order in seen for payment in order.payments} == {""}
    assert [payment.token for payment in shop.app.orders.get(placed.id).payments] == [DECLINED.token, NEEDS_3DS.token]


def test_who_may_edit_and_pay_pays_whatever_they_promised(shop: Shop) -> None:
    cart = filled(shop)
    handed(cart.id, Scope.EDIT, Scope.PAY, by=shop.app, to=eva(shop))
    cart = eva(shop).carts.add(cart.id, Shop.BREAD, 1)
    promise = eva(shop).checkout.promise(cart.id, slot=free_slot(shop, cart))
    order = eva(shop).checkout.place(promise.id, pay=VISA)
    assert eva(shop).orders.get(order.id).owner == "customer:anna"


def test_two_handoffs_are_not_more_than_each(shop: Shop) -> None:
    """Who may edit, and pay one promise, does not pay what they made of it."""
    promise = promised(shop)
    cart = shop.app.carts.get(promise.cart_id)
    for scope in (Scope.PAY, Scope.EDIT):
        handed(cart.id, scope, by=shop.app, to=eva(shop))
    mine = eva(shop).checkout.promise(cart.id, slot=free_slot(shop, cart, nth=1))
    refused(NotAllowed, eva(shop).checkout.place, mine.id, pay=VISA)


# --- for good ---------------------------------------------------------------------------------------------


def given_away(shop: Shop, cart_id: str) -> Handoff:
    """From the kiosk to Anna's own phone."""
    return handed(cart_id, Scope.OWN, by=kiosk(shop), to=shop.app)


def test_a_cart_filled_at_the_kiosk_goes_on_on_ones_own_phone(shop: Shop) -> None:
    promise = promised(shop, touch=kiosk(shop))
    given_away(shop, promise.cart_id)
    assert shop.app.carts.current() == shop.app.carts.get(promise.cart_id)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert order.owner == "customer:anna"


def test_an_order_placed_at_the_kiosk_is_collected_with_ones_own_phone(shop: Shop) -> None:
    order = placed(shop, touch=kiosk(shop))
    given_away(shop, order.cart_id)
    shop.store.pickups.ready(picked(shop, order).id, staged_at="C4")
    assert shop.app.orders.pickup_pass(order.id).code
    assert [one.id for one in shop.app.orders.page().items] == [order.id]


def test_what_was_given_away_the_former_owner_sees_no_more(shop: Shop) -> None:
    order = placed(shop, touch=kiosk(shop))
    given_away(shop, order.cart_id)
    refused(NotFound, kiosk(shop).carts.get, order.cart_id)
    refused(NotFound, kiosk(shop).orders.get, order.id)
    refused(NotFound, kiosk(shop).orders.cancel, order.id)
    refused(NotFound, kiosk(shop).checkout.place, order.promise_id, pay=VISA)
    assert kiosk(shop).orders.page().items == ()


def test_a_code_that_the_former_owner_has_seen_opens_the_order_no_more(shop: Shop) -> None:
    order = ready(shop)
    seen = code(shop, order)
    handed(order.cart_id, Scope.OWN, by=shop.app, to=shop.stranger)
    refused(WrongCode, shop.store.pickups.hand_over, order.id, code=seen)
    mine = shop.stranger.orders.pickup_pass(order.id)
    assert shop.store.pickups.hand_over(order.id, code=mine.code).order.stage is Stage.COLLECTED


def test_nothing_that_the_former_owner_let_others_do_holds(shop: Shop) -> None:
    cart = filled(shop, touch=kiosk(shop))
    handed(cart.id, by=kiosk(shop), to=eva(shop))
    unused = ticket_for(cart.id, by=kiosk(shop))
    given_away(shop, cart.id)
    refused(NotFound, eva(shop).carts.get, cart.id)
    assert gone(shop.stranger, unused.token) == "withdrawn"


def test_what_ended_with_one_owner_is_not_revived_when_the_cart_comes_back(shop: Shop) -> None:
    cart = filled(shop)
    handed(cart.id, by=shop.app, to=eva(shop))
    handed(cart.id, Scope.OWN, by=shop.app, to=shop.stranger)
    handed(cart.id, Scope.OWN, by=shop.stranger, to=shop.app)
    refused(NotFound, eva(shop).carts.get, cart.id)
    refused(NotFound, shop.stranger.carts.get, cart.id)


def test_the_new_owner_may_open_the_cart_to_as_many_as_anybody(shop: Shop) -> None:
    cart = filled(shop, touch=kiosk(shop))
    for _ in range(19):
        ticket_for(cart.id, by=kiosk(shop))
    given_away(shop, cart.id)
    for _ in range(19):
        ticket_for(cart.id, by=shop.app)


# --- and then it ends -------------------------------------------------------------------------------------


def everything_answers_as_missing(touch: AgentTouchpoint, cart_id: str, promise_id: str, order_id: str) -> bool:
    """Whether this actor is a stranger to all three."""
    refused(NotFound, touch.carts.get, cart_id)
    refused(NotFound, touch.carts.add, cart_id, Shop.MILK)
    refused(NotFound, touch.checkout.offers, cart_id)
    refused(NotFound, touch.checkout.withdraw, promise_id)
    refused(NotFound, touch.checkout.place, promise_id, pay=VISA)
    refused(NotFound, touch.checkout.resume, order_id)
    refused(NotFound, touch.orders.get, order_id)
    refused(NotFound, touch.orders.timeline, order_id)
    refused(NotFound, touch.orders.cancel, order_id)
    return True


@pytest.fixture
def short(open_shop: OpenShop) -> Shop:
    """A shop where grants end sooner than promises."""
    return open_shop(settings=Settings(grant_lasts=timedelta(minutes=5)))


def test_what_was_granted_ends_when_it_was_said_to(short: Shop) -> None:
    order = placed(short, pay=NEEDS_3DS)
    handed(order.cart_id, Scope.EDIT, Scope.PAY, by=short.app, to=eva(short))
    short.clock.advance(minutes=4, seconds=59)
    assert eva(short).orders.get(order.id)
    short.clock.advance(seconds=1)
    assert everything_answers_as_missing(eva(short), order.cart_id, order.promise_id, order.id)


def test_what_was_withdrawn_ends_at_once(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    taken = handed(order.cart_id, Scope.EDIT, Scope.PAY, by=shop.app, to=eva(shop))
    shop.web.handoffs.withdraw(taken.id)
    assert everything_answers_as_missing(eva(shop), order.cart_id, order.promise_id, order.id)


def test_what_one_was_granted_is_nobody_elses(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    handed(order.cart_id, Scope.EDIT, Scope.PAY, by=shop.app, to=eva(shop))
    other = shop.hub.at(Channel.PHONE, Agent("ivo"))
    assert everything_answers_as_missing(other, order.cart_id, order.promise_id, order.id)


def test_one_cart_is_not_all_of_them(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    handed(filled(shop).id, Scope.EDIT, Scope.PAY, by=shop.app, to=eva(shop))
    assert everything_answers_as_missing(eva(shop), order.cart_id, order.promise_id, order.id)


def test_a_token_that_nobody_took_grants_nothing(shop: Shop) -> None:
    order = placed(shop, pay=NEEDS_3DS)
    ticket_for(order.cart_id, Scope.EDIT, Scope.PAY, by=shop.app)
    assert everything_answers_as_missing(eva(shop), order.cart_id, order.promise_id, order.id)
