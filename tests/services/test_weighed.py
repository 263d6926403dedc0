"""Weighed goods: the most is held and set aside, and what it weighs in the end is what is paid and what leaves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from omniorder import (
    Article,
    Card,
    Money,
    Order,
    OrderState,
    PayInStore,
    Pick,
    Price,
    Settings,
    Stage,
    Taken,
    Tender,
    Unit,
)
from omniorder.errors import InvalidQuantity, NotPaid, NotReady, OutOfStock, StillRunning, WeightOutOfTolerance
from omniorder.testing.clock import FakeClock
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import (
    INSTANT,
    VISA,
    charged,
    code,
    filled,
    handed_over,
    level,
    names,
    part,
    placed,
    promised,
    refused,
)

HALF_A_KILO = {Shop.CHEESE: 500}  # 6.45 EUR; from 450 g (5.81) to 550 g (7.10)


def weighed(shop: Shop, grams: int, *, pay: Tender = VISA) -> Order:
    """Half a kilo of cheese, ordered, that turned out to weigh so much, and waits for Anna."""
    order = placed(shop, HALF_A_KILO, pay=pay)
    shop.store.pickups.pick(order.id, order.lines[0].id, grams)
    return shop.store.pickups.ready(order.id)


def cheese(shop: Shop) -> tuple[int, int]:
    """(on hand, reserved)"""
    return level(shop, Shop.CHEESE)


# --- the promise ------------------------------------------------------------------------------------------


def test_a_promise_says_what_it_costs_as_ordered_and_what_it_costs_at_most(shop: Shop) -> None:
    quote = promised(shop, HALF_A_KILO).quote
    assert (quote.total.amount, quote.ceiling.amount) == (645, 710)
    assert (quote.lines[0].tolerance, quote.lines[0].most) == (Decimal("0.1"), 550)


def test_as_much_is_held_as_it_may_weigh(shop: Shop) -> None:
    promise = promised(shop, HALF_A_KILO)
    assert cheese(shop) == (5000, 550)
    shop.app.checkout.withdraw(promise.id)
    assert cheese(shop) == (5000, 0)


def test_the_card_is_asked_for_the_ceiling(shop: Shop) -> None:
    placed(shop, HALF_A_KILO)
    assert [p.authorised.amount for p in shop.gateway.payments] == [710]


def test_an_offer_and_a_promise_need_the_same(shop: Shop) -> None:
    """4,600 g may weigh 5,060 g, and there are 5,000 g; 4,546 g are 5,000 g at most."""
    cart = filled(shop, {Shop.CHEESE: 4600})
    offer = next(offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
    (reason,) = offer.reasons
    short = {"sku": Shop.CHEESE, "wanted": 5060, "available": 5000, "unit": "gram", "orderable": 4546}
    assert (reason.code, dict(reason.facts)) == ("stock.short", short)
    error = refused(OutOfStock, shop.app.checkout.promise, cart.id, slot=offer.slots[0].id)
    assert error.facts["short"] == [short]

    shop.app.carts.change(cart.id, cart.lines[0].id, 4546)
    offer = next(offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
    assert offer.full
    shop.app.checkout.promise(cart.id, slot=offer.slots[0].id)
    assert cheese(shop) == (5000, 5000)


def test_what_a_cart_holds_itself_is_not_in_its_way(shop: Shop) -> None:
    promise = promised(shop, {Shop.CHEESE: 4545})
    offer = next(one for one in shop.app.checkout.offers(promise.cart_id) if one.store.id == Shop.SOFIA)
    assert offer.full
    assert offer.quote == promise.quote


def test_what_was_promised_keeps_its_tolerance_whatever_the_office_changes(shop: Shop) -> None:
    promise = promised(shop, HALF_A_KILO)
    shop.office.articles.put(Article(Shop.CHEESE, "Gouda", Unit.GRAM))
    order = shop.app.checkout.place(promise.id, pay=VISA)
    assert order.lines[0].tolerance == Decimal("0.1")
    shop.store.pickups.pick(order.id, order.lines[0].id, 550)
    assert shop.store.pickups.ready(order.id).stage is Stage.READY
    check_all(shop.hub)


# --- on the scales ----------------------------------------------------------------------------------------


def test_several_pieces_add_up_to_what_is_paid(shop: Shop) -> None:
    order = placed(shop, HALF_A_KILO)
    line = order.lines[0].id
    for grams in (200, 200, 117):
        shop.store.pickups.pick(order.id, line, grams)
    ready = shop.store.pickups.ready(order.id)
    assert (ready.pickup.line(line).quantity, ready.line(line).quantity) == (517, 500)
    assert (ready.total.amount, ready.wanted_value.amount) == (645, 667)
    assert names(shop, order)[-2:] == ["LineWeighed", "MadeReady"]


def test_more_than_was_agreed_on_is_refused_and_changes_nothing(shop: Shop) -> None:
    order = placed(shop, HALF_A_KILO)
    line = order.lines[0].id
    before = shop.store.pickups.pick(order.id, line, 300)
    error = refused(WeightOutOfTolerance, shop.store.pickups.pick, order.id, line, 251)
    facts = {"line": line, "ordered": 500, "weighed": 551, "least": 450, "most": 550}
    assert (error.code, dict(error.facts), error.status) == ("weight.out_of_tolerance", facts, 409)
    assert shop.store.pickups.get(order.id) == before


def test_less_than_was_agreed_on_is_not_ready(shop: Shop) -> None:
    order = placed(shop, HALF_A_KILO)
    shop.store.pickups.pick(order.id, order.lines[0].id, 449)
    error = refused(NotReady, shop.store.pickups.ready, order.id)
    assert "449 g" in error.facts["reason"]
    assert "450 g" in error.facts["reason"]
    shop.store.pickups.pick(order.id, order.lines[0].id, 1)
    assert shop.store.pickups.ready(order.id).stage is Stage.READY


def test_without_a_tolerance_it_is_to_the_gram(shop: Shop) -> None:
    order = placed(shop, {Shop.APPLES: 500})
    line = order.lines[0].id
    refused(InvalidQuantity, shop.store.pickups.pick, order.id, line, 501)
    shop.store.pickups.pick(order.id, line, 499)
    refused(NotReady, shop.store.pickups.ready, order.id)
    shop.store.pickups.pick(order.id, line, 1)
    shop.store.pickups.ready(order.id)
    assert handed_over(shop, order).total == order.total == order.ceiling
    assert "LineWeighed" not in names(shop, order)


def test_what_is_unpacked_again_is_weighed_anew(shop: Shop) -> None:
    order = weighed(shop, 540)
    unready = shop.store.pickups.unready(order.id, reason="too dry")
    assert unready.pickup.lines[0].quantity == 500
    shop.store.pickups.reset(order.id)
    shop.store.pickups.pick(order.id, order.lines[0].id, 451)
    assert shop.store.pickups.ready(order.id).pickup.lines[0].quantity == 451
    handed_over(shop, order)
    assert (charged(shop), cheese(shop)) == (582, (4549, 0))


# --- a part of it is not there ----------------------------------------------------------------------------


def lacking(shop: Shop, gone: int, *, before: int = 0, pay: Tender = VISA) -> Order:
    """Half a kilo of cheese and a milk; so much of the cheese isn't there, and Anna takes what is."""
    order = placed(shop, {Shop.CHEESE: 500, Shop.MILK: 1}, pay=pay)
    cut, milk = order.lines
    shop.store.pickups.pick(order.id, [Pick(milk.id, 1), *([Pick(cut.id, before)] if before else [])])
    shop.store.pickups.reject(order.id, [Pick(cut.id, gone)], reason="not_found")
    check_all(shop.hub)
    return shop.app.orders.answer(order.id, "less")


@pytest.mark.parametrize("pay", [VISA, INSTANT, PayInStore()], ids=["authorised", "charged", "in store"])
@pytest.mark.parametrize(
    ("gone", "before", "then", "cents"),
    [(200, 0, 300, 387), (200, 0, 270, 348), (200, 0, 330, 426), (30, 0, 460, 593), (150, 100, 260, 464),
     (200, 300, 0, 387)],
)  # fmt: skip
def test_what_is_left_is_weighed_and_exactly_that_is_charged_and_leaves(
    shop: Shop, pay: Tender, gone: int, before: int, then: int, cents: int
) -> None:
    """What was missed is off the books too: it was not there."""
    order = lacking(shop, gone, before=before, pay=pay)
    cut = order.lines[0]
    assert cheese(shop) == (5000 - gone, (500 - gone) * 11 // 10)
    check_all(shop.hub)
    if then:
        shop.store.pickups.pick(order.id, cut.id, then)
    ready = shop.store.pickups.ready(order.id)
    milk = order.lines[1].total.amount
    assert ready.wanted_value.amount == cents + milk
    due = ready.due_in_store
    receipt = handed_over(shop, ready, taken=Taken(due) if due.amount else None)
    assert [line.quantity for line in receipt.lines] == [before + then, 1]
    assert (receipt.total.amount, receipt.order.kept.amount) == (cents + milk, cents + milk)
    assert cheese(shop) == (5000 - gone - before - then, 0)
    check_all(shop.hub)


@pytest.mark.parametrize(("grams", "error"), [(269, NotReady), (331, WeightOutOfTolerance)])
def test_what_is_left_has_bounds_of_its_own(
    shop: Shop, grams: int, error: type[NotReady | WeightOutOfTolerance]
) -> None:
    order = lacking(shop, 200)
    line = order.lines[0].id

    def prepare() -> None:
        shop.store.pickups.pick(order.id, line, grams)
        shop.store.pickups.ready(order.id)

    refused(error, prepare)
    check_all(shop.hub)


def test_what_is_charged_at_once_goes_back_for_the_most_that_the_missing_part_might_have_weighed(shop: Shop) -> None:
    order = lacking(shop, 200, pay=INSTANT)
    assert order.most.amount == charged(shop) == 426 + order.lines[1].total.amount
    check_all(shop.hub)


def test_what_is_left_can_be_unpacked_collected_in_parts_and_called_off(shop: Shop) -> None:
    order = lacking(shop, 200)
    line = order.lines[0].id
    shop.store.pickups.pick(order.id, line, 330)
    shop.store.pickups.ready(order.id)
    shop.store.pickups.unready(order.id, reason="too dry")
    shop.store.pickups.reset(order.id)
    shop.store.pickups.pick(order.id, [Pick(line, 320), Pick(order.lines[1].id, 1)])
    ready = shop.store.pickups.ready(order.id)
    handed_over(shop, ready, lines=[Pick(line, 120)])
    assert cheese(shop) == (4680, 210)
    check_all(shop.hub)
    after = shop.app.orders.cancel(order.id)
    assert (after.stage, after.kept.amount, charged(shop), cheese(shop)) == (Stage.COLLECTED, 155, 155, (4680, 0))
    check_all(shop.hub)


# --- the hand-over ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("grams", "cents"), [(450, 581), (500, 645), (517, 667), (550, 710)])
def test_what_it_weighs_is_what_is_charged_what_leaves_and_what_the_receipt_says(
    shop: Shop, grams: int, cents: int
) -> None:
    """The rest of what was set aside is given back, and of what was held too."""
    order = weighed(shop, grams)
    receipt = handed_over(shop, order)
    assert [(line.quantity, line.total.amount) for line in receipt.lines] == [(grams, cents)]
    assert (receipt.total.amount, charged(shop)) == (cents, cents)
    assert cheese(shop) == (5000 - grams, 0)
    assert shop.app.orders.get(order.id).stage is Stage.COLLECTED
    check_all(shop.hub)


@pytest.mark.parametrize("pay", [VISA, INSTANT], ids=["authorised", "charged"])
@pytest.mark.parametrize("capabilities", [{}, {"partial_capture": False}, {"several_captures": True}], ids=str)
def test_whatever_the_provider_can_do_it_keeps_what_the_goods_cost(
    open_shop: OpenShop, pay: Card, capabilities: dict[str, Any]
) -> None:
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, **capabilities))
    order = weighed(shop, 470, pay=pay)
    handed_over(shop, order)
    shop.advance(minutes=1)
    assert charged(shop) == 606
    assert [p.open.amount for p in shop.gateway.payments] == [0]
    check_all(shop.hub)


def test_the_counter_takes_what_it_weighs(shop: Shop) -> None:
    ordered = placed(shop, HALF_A_KILO, pay=PayInStore())
    assert ordered.due_in_store.amount == 645
    shop.store.pickups.pick(ordered.id, ordered.lines[0].id, 517)
    order = shop.store.pickups.ready(ordered.id)
    assert order.due_in_store.amount == 667
    refused(NotPaid, handed_over, shop, order, taken=Taken(Money(645, "EUR")))
    receipt = handed_over(shop, order, taken=Taken(order.due_in_store))
    assert (receipt.order.kept.amount, receipt.order.stage) == (667, Stage.COLLECTED)
    assert receipt.order.due_in_store.amount == 0
    check_all(shop.hub)


@pytest.mark.parametrize("pay", [VISA, INSTANT, PayInStore()], ids=["authorised", "charged", "in store"])
def test_a_part_leaves_by_the_gram_and_the_parts_add_up(shop: Shop, pay: Tender) -> None:
    order = weighed(shop, 517, pay=pay)
    line = order.lines[0].id
    totals: list[int] = []
    for grams in (100, 200, 217):
        before = shop.app.orders.get(order.id)
        units = [Pick(line, grams)]
        due = before.line(line).value(before.pickup.line(line).collected + grams) - before.collected_value
        taken = Taken(due) if before.due_in_store.amount else None
        totals.append(handed_over(shop, order, lines=units, taken=taken).total.amount)
        check_all(shop.hub)
    assert sum(totals) == 667
    assert shop.app.orders.get(order.id).kept.amount == 667
    assert cheese(shop) == (4483, 0)


def test_of_two_lines_the_one_that_is_gone_holds_nothing_more(shop: Shop) -> None:
    """The surplus is free as soon as all of a line has left, whatever else still waits."""
    order = placed(shop, {Shop.CHEESE: 500, Shop.MILK: 1})
    cut, milk = order.lines
    shop.store.pickups.pick(order.id, [Pick(cut.id, 460), Pick(milk.id, 1)])
    shop.store.pickups.ready(order.id)
    assert cheese(shop) == (5000, 550)
    handed_over(shop, order, lines=[Pick(cut.id, 460)])
    assert (cheese(shop), level(shop)) == ((4540, 0), (40, 1))
    check_all(shop.hub)


def test_two_lines_of_one_article_are_weighed_one_by_one(shop: Shop) -> None:
    cart = shop.app.carts.start()
    shop.app.carts.add(cart.id, Shop.CHEESE, 500)
    cart = shop.app.carts.add(cart.id, Shop.CHEESE, 300, note="grated")
    offer = next(one for one in shop.app.checkout.offers(cart.id) if one.store.id == Shop.SOFIA)
    promise = shop.app.checkout.promise(cart.id, slot=offer.slots[0].id)
    assert cheese(shop) == (5000, 880)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    whole, grated = order.lines
    refused(WeightOutOfTolerance, shop.store.pickups.pick, order.id, grated.id, 331)
    shop.store.pickups.pick(order.id, [Pick(whole.id, 450), Pick(grated.id, 330)])
    shop.store.pickups.ready(order.id)
    handed_over(shop, order)
    assert cheese(shop) == (4220, 0)
    check_all(shop.hub)


# --- when it does not leave -------------------------------------------------------------------------------


@pytest.mark.parametrize("pay", [VISA, INSTANT, PayInStore()], ids=["authorised", "charged", "in store"])
@pytest.mark.parametrize("when", ["placed", "picked", "ready"])
def test_what_is_called_off_holds_nothing_and_costs_nothing(shop: Shop, pay: Tender, when: str) -> None:
    order = placed(shop, HALF_A_KILO, pay=pay) if when == "placed" else None
    if when == "picked":
        order = placed(shop, HALF_A_KILO, pay=pay)
        shop.store.pickups.pick(order.id, order.lines[0].id, 530)
    found = order or weighed(shop, 530, pay=pay)
    after = shop.app.orders.cancel(found.id)
    assert (after.stage, after.kept.amount, cheese(shop)) == (Stage.CANCELLED, 0, (5000, 0))
    check_all(shop.hub)


def test_what_nobody_collects_goes_back_with_all_that_was_held(shop: Shop) -> None:
    order = weighed(shop, 530)
    assert order.pickup.until is not None
    shop.clock.set(order.pickup.until)
    shop.advance(seconds=10)
    assert shop.app.orders.get(order.id).state is OrderState.EXPIRED
    assert (cheese(shop), charged(shop)) == ((5000, 0), 0)
    check_all(shop.hub)


@pytest.mark.parametrize("ends", ["cancelled", "lapsed"])
def test_the_rest_of_a_line_goes_back_with_all_that_was_held(shop: Shop, ends: str) -> None:
    order = weighed(shop, 530)
    handed_over(shop, order, lines=[Pick(order.lines[0].id, 130)])
    assert cheese(shop) == (4870, 420)
    if ends == "cancelled":
        shop.app.orders.cancel(order.id)
    else:
        shop.advance(days=10)
    after = shop.app.orders.get(order.id)
    assert (after.stage, after.kept.amount, charged(shop), cheese(shop)) == (Stage.COLLECTED, 168, 168, (4870, 0))
    check_all(shop.hub)


def test_a_hand_over_whose_capture_fails_keeps_weight_and_goods(shop: Shop) -> None:
    order = weighed(shop, 530, pay=Card("pm_card_capture_declined"))
    error = refused(NotPaid, handed_over, shop, order)
    assert error.facts["due"] == "6.84 EUR"
    assert (cheese(shop), shop.app.orders.get(order.id).pickup.lines[0].quantity) == ((5000, 550), 530)
    receipt = shop.store.pickups.hand_over(order.id, code=code(shop, order), taken=Taken(Money(684, "EUR")))
    assert (receipt.order.kept.amount, cheese(shop)) == (684, (4470, 0))
    check_all(shop.hub)


def test_a_price_that_changes_later_does_not_change_what_it_weighs_in_money(shop: Shop) -> None:
    order = placed(shop, HALF_A_KILO)
    shop.office.prices.put(Price(Shop.CHEESE, Money(9900, "EUR"), tax="0.20", per=1000))
    shop.store.pickups.pick(order.id, order.lines[0].id, 550)
    shop.store.pickups.ready(order.id)
    assert handed_over(shop, order).total.amount == 710


def test_a_key_makes_a_pick_count_once(shop: Shop) -> None:
    """The scales' connection is bad, and they send it again."""
    order = placed(shop, HALF_A_KILO)
    shop.store.pickups.pick(order.id, order.lines[0].id, 480, key="scales-1")
    after = shop.store.pickups.pick(order.id, order.lines[0].id, 480, key="scales-1")
    assert after.pickup.lines[0].picked == 480


# --- raised, and handed over at once ----------------------------------------------------------------------


def heavier(open_shop: OpenShop, token: str = "pm_card_visa") -> tuple[Shop, Order]:
    """Milk, and cheese that turned out heavier: more is to be set aside than was."""
    clock = FakeClock()
    gateway = FakeGateway(clock=clock, incremental=True)
    shop = open_shop(clock=clock, gateway=gateway, settings=Settings(raises_authorisations=True))
    order = placed(shop, {Shop.MILK: 2, Shop.CHEESE: 500}, pay=Card(token))
    milk, cheese = order.lines
    shop.store.pickups.pick(order.id, [Pick(milk.id, 2), Pick(cheese.id, 520)])
    return shop, order


def test_more_is_set_aside_when_the_goods_are_made_ready(open_shop: OpenShop) -> None:
    shop, order = heavier(open_shop)
    done = shop.store.pickups.ready(order.id)
    assert [p.authorised.amount for p in done.payments] == [1169]
    assert handed_over(shop, done).order.kept == Money(1169, "EUR")
    check_all(shop.hub, gateways={"card": shop.gateway})


def test_a_part_leaves_only_when_it_is_known_how_much_is_set_aside(open_shop: OpenShop) -> None:
    shop, order = heavier(open_shop, "pm_card_increase_timeout_after")
    ready = shop.store.pickups.ready(order.id)
    receipt = handed_over(shop, ready, lines=part(order, 1))
    assert receipt.order.payments[0].authorised == Money(1169, "EUR")
    assert len(receipt.order.payments) == 1  # and nothing is asked for at the counter
    for _ in range(3):
        shop.advance(minutes=3)
    check_all(shop.hub, gateways={"card": shop.gateway})


def test_nothing_leaves_while_the_provider_does_not_say_how_much_is_set_aside(open_shop: OpenShop) -> None:
    shop, order = heavier(open_shop)
    shop.gateway.lose_next_reply()
    ready = shop.store.pickups.ready(order.id)
    shop.gateway.lose_next_reply()
    refused(StillRunning, handed_over, shop, ready)
    assert handed_over(shop, ready).order.kept == Money(1169, "EUR")
    check_all(shop.hub, gateways={"card": shop.gateway})
