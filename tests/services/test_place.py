"""Placing: the promise becomes one order, paid once, whatever is pressed twice and whatever the provider does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from omniorder import (
    Article,
    CartState,
    IsAuthorised,
    IsDueInStore,
    IsSettled,
    Money,
    Order,
    OrderState,
    PayInStore,
    PaymentState,
    PickupState,
    Price,
    Settings,
    Stage,
    Tender,
)
from omniorder.errors import (
    CartChanged,
    NotFound,
    PaymentDeclined,
    PaymentInFlight,
    PromiseGone,
    TenderUnsupported,
)
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.contents import Rows
from tests.services.steps import (
    DECLINED,
    INSTANT,
    MASTERCARD,
    VISA,
    booked,
    filled,
    free_slot,
    level,
    names,
    placed,
    promised,
    refused,
)


class Link(Tender):
    """A link by which the customer pays within hours."""

    kind = "link"


class Voucher(Tender):
    """A tender of the retailer's own, for which this shop has no gateway."""

    kind = "voucher"


def declined(shop: Shop) -> Order:
    """The order that a declined card left waiting."""
    error = refused(PaymentDeclined, shop.web.checkout.place, promised(shop).id, pay=DECLINED)
    assert isinstance(error.order, Order)
    return error.order


# --- the usual way ----------------------------------------------------------------------------------------


def test_a_card_is_authorised_and_not_charged(shop: Shop) -> None:
    order = placed(shop)
    assert order.payments[-1].outcome == IsAuthorised(Money(498, "EUR"))
    (held,) = shop.gateway.payments
    assert (held.authorised, held.captured) == (Money(498, "EUR"), Money(0, "EUR"))


def test_a_funded_order_is_confirmed_and_goes_to_the_store_at_once(shop: Shop) -> None:
    order = placed(shop)
    assert (order.state, order.stage, order.pickup.state) == (
        OrderState.CONFIRMED,
        Stage.PREPARING,
        PickupState.TO_PICK,
    )
    assert [one.id for one in shop.store.pickups.due().items] == [order.id]


def test_the_orders_id_is_a_reference_that_carries_its_home_store(shop: Shop) -> None:
    order = placed(shop)
    assert order.id.startswith("SOF01-")
    assert order.store == "SOF01"


def test_the_order_keeps_what_was_promised(shop: Shop) -> None:
    promise = promised(shop)
    order = shop.web.checkout.place(promise.id, pay=VISA)
    assert (order.total, order.promise_id, order.pickup.slot) == (promise.quote.total, promise.id, promise.slot)
    assert [(line.name, line.quantity, line.total.amount) for line in order.lines] == [("Oat milk 1 l", 2, 498)]


def test_confirmed_units_stay_held_without_a_time_limit(shop: Shop) -> None:
    order = placed(shop)
    shop.advance(hours=20)
    assert level(shop) == (40, 2)
    assert booked(shop, order.pickup.slot) == 1


def test_an_article_that_is_renamed_later_keeps_its_name_on_the_order(shop: Shop) -> None:
    order = placed(shop)
    shop.office.articles.put(Article(Shop.MILK, "Something else"))
    assert shop.app.orders.get(order.id).lines[0].name == "Oat milk 1 l"


def test_a_card_that_is_charged_at_once_pays_the_order(shop: Shop) -> None:
    order = placed(shop, pay=INSTANT)
    assert order.payments[-1].outcome == IsSettled(PaymentState.CAPTURED)
    assert order.state is OrderState.CONFIRMED


def test_paying_in_the_store_needs_no_provider(shop: Shop) -> None:
    order = placed(shop, pay=PayInStore())
    assert order.payments[-1].outcome == IsDueInStore(Money(498, "EUR"))
    assert order.state is OrderState.CONFIRMED
    assert order.due_in_store == Money(498, "EUR")
    assert shop.gateway.requests == []


def test_an_order_that_costs_nothing_needs_no_payment(shop: Shop) -> None:
    shop.office.articles.put(Article("SAMPLE", "A sample"))
    shop.office.prices.put(Price("SAMPLE", Money(0, "EUR"), tax="0"))
    shop.office.stock.receive("SOF01", "SAMPLE", 1)
    order = placed(shop, {"SAMPLE": 1})
    assert (order.payments, order.state) == ((), OrderState.CONFIRMED)
    assert shop.gateway.requests == []


# --- once -------------------------------------------------------------------------------------------------


def test_placing_twice_gives_the_same_order_and_one_authorisation(shop: Shop) -> None:
    promise = promised(shop)
    first = shop.app.checkout.place(promise.id, pay=VISA)
    assert shop.web.checkout.place(promise.id, pay=VISA) == first
    assert len(shop.gateway.payments) == 1
    assert [order.id for order in shop.app.orders.page().items] == [first.id]


def test_a_second_tender_while_the_first_holds_is_refused(shop: Shop) -> None:
    order = placed(shop)
    error = refused(PaymentInFlight, shop.web.checkout.place, order.promise_id, pay=MASTERCARD)
    assert error.facts["order"] == order.id
    assert len(shop.gateway.payments) == 1


def test_the_same_tender_gives_the_same_answer_after_the_goods_are_gone_too(shop: Shop) -> None:
    order = shop.web.orders.cancel(placed(shop).id)
    assert shop.web.checkout.place(order.promise_id, pay=VISA) == order


def test_an_order_number_that_is_taken_is_drawn_again(open_shop: OpenShop) -> None:
    class Stuck:
        """Draws the same order number until told otherwise; ids, which take more bytes, stay apart."""

        def __init__(self) -> None:
            self.draws = iter([7, 7, 8])
            self.others = 0

        def bytes(self, count: int) -> bytes:
            if count == 8 and self.numbering:
                return next(self.draws).to_bytes(count)
            self.others += 1
            return self.others.to_bytes(count)

        numbering = False

    chance = Stuck()
    shop = open_shop(entropy=chance)
    promises = [promised(shop), promised(shop, touch=shop.stranger)]
    chance.numbering = True
    first = shop.app.checkout.place(promises[0].id, pay=VISA)
    second = shop.stranger.checkout.place(promises[1].id, pay=VISA)
    assert [first.id, second.id] == ["SOF01-000007", "SOF01-000008"]
    assert first.state is second.state is OrderState.CONFIRMED


# --- refused ----------------------------------------------------------------------------------------------


def test_a_cart_that_was_changed_after_the_promise_is_not_placed(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    shop.app.carts.add(promise.cart_id, Shop.BREAD)
    before = stored()
    error = refused(CartChanged, shop.web.checkout.place, promise.id, pay=VISA)
    assert (error.facts["cart"], error.facts["promise"]) == (promise.cart_id, promise.id)
    assert stored() == before
    assert shop.gateway.requests == []


def test_a_new_note_is_a_change_too(shop: Shop) -> None:
    promise = promised(shop)
    cart = shop.app.carts.get(promise.cart_id)
    shop.app.carts.note(cart.id, cart.lines[0].id, "cold")
    refused(CartChanged, shop.web.checkout.place, promise.id, pay=VISA)


def test_a_tender_without_a_gateway_is_refused_before_anything_is_written(
    shop: Shop, stored: Callable[[], Rows]
) -> None:
    promise = promised(shop)
    before = stored()
    error = refused(TenderUnsupported, shop.web.checkout.place, promise.id, pay=Voucher("V-1"))
    assert error.facts["tender"] == "voucher"
    assert stored() == before


def test_a_hub_without_gateways_takes_payment_in_the_store_and_no_card(open_shop: OpenShop) -> None:
    shop = open_shop(gateways=None)
    promise = promised(shop)
    refused(TenderUnsupported, shop.web.checkout.place, promise.id, pay=VISA)
    assert shop.web.checkout.place(promise.id, pay=PayInStore()).state is OrderState.CONFIRMED


def test_a_missing_promise_is_not_found(shop: Shop) -> None:
    missing = "prm_SOF01_" + "0" * 26
    assert refused(NotFound, shop.web.checkout.place, missing, pay=VISA).facts["kind"] == "promise"


# --- declined ---------------------------------------------------------------------------------------------


def test_a_declined_card_leaves_the_order_waiting_for_another_tender(shop: Shop) -> None:
    order = declined(shop)
    assert (order.state, order.stage) == (OrderState.PLACED, Stage.AWAITING_PAYMENT)
    assert shop.app.orders.get(order.id) == order
    assert level(shop) == (40, 2)


def test_the_refusal_says_why_and_until_when_another_tender_is_taken(shop: Shop) -> None:
    error = refused(PaymentDeclined, shop.web.checkout.place, promised(shop).id, pay=DECLINED)
    assert error.facts["reason"] == "card_declined"
    assert error.order.pay_by.isoformat() == "2026-11-23T08:15:00+00:00"
    assert error.facts["until"] == "2026-11-23T10:15:00+02:00"  # the same, on the store's clock


def test_another_card_after_a_decline_pays_the_same_order(shop: Shop) -> None:
    first = declined(shop)
    order = shop.app.checkout.place(first.promise_id, pay=VISA)
    assert (order.id, order.state) == (first.id, OrderState.CONFIRMED)
    assert [p.state for p in order.payments] == [PaymentState.DECLINED, PaymentState.AUTHORISED]


def test_paying_in_the_store_is_another_tender_too(shop: Shop) -> None:
    order = shop.app.checkout.place(declined(shop).promise_id, pay=PayInStore())
    assert order.payments[-1].outcome == IsDueInStore(Money(498, "EUR"))


def test_the_declined_card_again_gets_the_same_answer_and_is_not_asked_again(shop: Shop) -> None:
    order = declined(shop)
    asked = len(shop.gateway.requests)
    again = refused(PaymentDeclined, shop.app.checkout.place, order.promise_id, pay=DECLINED)
    assert again.order == order
    assert len(shop.gateway.requests) == asked


def test_whoever_places_late_still_has_ten_minutes_to_pay(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.advance(minutes=14)
    error = refused(PaymentDeclined, shop.web.checkout.place, promise.id, pay=DECLINED)
    assert error.order.pay_by == shop.clock.now() + timedelta(minutes=10)
    shop.advance(minutes=9)
    assert shop.web.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED


def test_the_units_are_held_as_long_as_there_is_time_to_pay(shop: Shop) -> None:
    promise = promised(shop)
    shop.clock.advance(minutes=14)
    order = refused(PaymentDeclined, shop.web.checkout.place, promise.id, pay=DECLINED).order
    with shop.hub._parts.storage.reading() as tx:
        held = tx.reservation(order.reservation_id)
    assert held is not None
    assert held.until == order.pay_by


def by_kind(open_shop: OpenShop, **limits: timedelta) -> Shop:
    return open_shop(settings=Settings(pay_within_by_kind=limits))


def test_a_kind_of_tender_may_have_its_own_time_to_pay(open_shop: OpenShop) -> None:
    """The units are held for as long, and the sweep leaves them alone."""
    shop = by_kind(open_shop, card=timedelta(hours=2))
    promise = promised(shop, nth=5)
    order = refused(PaymentDeclined, shop.web.checkout.place, promise.id, pay=DECLINED).order
    assert order.pay_by == shop.clock.now() + timedelta(hours=2)
    shop.advance(minutes=119)
    assert level(shop) == (40, 2)
    shop.advance(minutes=2)
    assert (level(shop), shop.app.orders.get(order.id).stage) == ((40, 0), Stage.EXPIRED)


def test_no_time_to_pay_outlives_the_pick_up_window(open_shop: OpenShop) -> None:
    shop = by_kind(open_shop, card=timedelta(days=3))
    promise = promised(shop)
    order = refused(PaymentDeclined, shop.web.checkout.place, promise.id, pay=DECLINED).order
    assert order.pay_by == promise.ends


def test_another_tender_that_takes_longer_extends_the_deadline_and_what_is_held(open_shop: OpenShop) -> None:
    """Counted from placing on: further tries gain no more time."""
    clock = FakeClock()
    gateway = FakeGateway(clock=clock)
    settings = Settings(pay_within_by_kind={"link": timedelta(hours=2)})
    gateways = {"card": gateway, "link": FakeGateway(clock=clock)}
    shop = open_shop(clock=clock, gateway=gateway, gateways=gateways, settings=settings)
    promise = promised(shop, nth=5)
    order = refused(PaymentDeclined, shop.web.checkout.place, promise.id, pay=DECLINED).order
    assert order.pay_by == promise.expires_at
    shop.advance(minutes=5)
    for token in ("pm_card_declined", "pm_card_declined_insufficient_funds"):
        link = Link(token)
        after = refused(PaymentDeclined, shop.web.checkout.place, promise.id, pay=link).order
        assert after.pay_by == order.placed_at + timedelta(hours=2)
    assert names(shop, order).count("PaymentDeadlineExtended") == 1
    check_all(shop.hub)
    shop.advance(minutes=60)
    assert level(shop) == (40, 2)
    assert shop.web.checkout.place(promise.id, pay=VISA).state is OrderState.CONFIRMED
    check_all(shop.hub)


def test_after_the_deadline_no_tender_is_taken_even_before_a_sweep_comes(shop: Shop) -> None:
    order = declined(shop)
    shop.clock.set(order.pay_by)
    asked = len(shop.gateway.requests)
    refused(PromiseGone, shop.web.checkout.place, order.promise_id, pay=VISA)
    assert len(shop.gateway.requests) == asked


def test_an_order_that_nobody_paid_expires_and_its_cart_is_open_again(shop: Shop) -> None:
    order = declined(shop)
    shop.advance(minutes=16)
    assert shop.app.orders.get(order.id).stage is Stage.EXPIRED
    assert (level(shop), booked(shop, order.pickup.slot)) == ((40, 0), 0)
    cart = shop.app.carts.get(order.cart_id)
    assert (cart.state, cart.order_id, cart.promise_id) == (CartState.OPEN, None, None)
    assert [line.quantity for line in cart.lines] == [2]


def test_the_basket_of_an_expired_order_can_be_promised_and_placed_again(shop: Shop) -> None:
    first = declined(shop)
    shop.advance(minutes=16)
    slot = free_slot(shop, shop.app.carts.get(first.cart_id))
    promise = shop.app.checkout.promise(first.cart_id, slot=slot)
    second = shop.app.checkout.place(promise.id, pay=VISA)
    assert second.id != first.id
    assert second.state is OrderState.CONFIRMED


def test_the_promise_of_an_expired_order_is_gone(shop: Shop) -> None:
    order = declined(shop)
    shop.advance(minutes=16)
    error = refused(PromiseGone, shop.web.checkout.place, order.promise_id, pay=VISA)
    assert order.id in error.facts["state"]


# --- for whom ---------------------------------------------------------------------------------------------


def test_an_agent_places_for_the_customer_who_calls(shop: Shop) -> None:
    order = placed(shop, touch=shop.phone)
    assert order.owner == "customer:anna"
    assert shop.app.orders.get(order.id) == order
    first = shop.app.orders.timeline(order.id).items[0]
    assert (first.stamp.channel.value, first.stamp.actor) == ("phone", "agent:petya")


def test_a_guest_places_by_token(shop: Shop) -> None:
    order = placed(shop, touch=shop.guest)
    assert shop.guest.orders.get(order.id) == order
    refused(NotFound, shop.app.orders.get, order.id)


def test_one_cart_is_one_order(shop: Shop) -> None:
    cart = filled(shop)
    promise = shop.app.checkout.promise(cart.id, slot=free_slot(shop, cart))
    order = shop.app.checkout.place(promise.id, pay=VISA)
    after = shop.app.carts.get(cart.id)
    assert (after.state, after.order_id) == (CartState.ORDERED, order.id)
