"""Returns and exchanges in store: the goods are where they were brought, and the money is back where it came from."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniorder import (
    Article,
    Associate,
    Card,
    Channel,
    Condition,
    Money,
    New,
    Order,
    OrderState,
    PayInStore,
    Pick,
    Returned,
    ReturnPolicy,
    Settings,
    Stage,
    StoreTouchpoint,
    Taken,
)
from omniorder.errors import (
    CorrectionRefused,
    IllegalTransition,
    KeyReused,
    NotFound,
    NotPaid,
    OutOfStock,
    Refused,
    ReturnRefused,
)
from omniorder.ports.notifications import Message, Occasion
from omniorder.testing import FakeClock, FakeGateway
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import charged, code, handed_over, level, names, part, placed, ready, refused

GOOD, DAMAGED, LOST = Condition.RESELLABLE, Condition.DAMAGED, Condition.UNSELLABLE


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def elsewhere(shop: Shop) -> StoreTouchpoint:
    """An associate of another store than the one that handed over."""
    return shop.hub.at(Channel.STORE, Associate("vera", store="SOF02"))


def collected(shop: Shop, units: int = 3, **how: Any) -> Order:
    """Cartons of milk at 2.49 that Anna has."""
    return handed_over(shop, ready(shop, {Shop.MILK: units}, **how)).order


def back(order: Order, *counts: int, condition: Condition = GOOD) -> list[Returned]:
    return [Returned(line.line, n, condition) for line, n in zip(order.pickup.lines, counts, strict=False) if n]


# --- the goods, and the money -----------------------------------------------------------------------------


def test_what_is_bought_online_is_returned_in_any_store(shop: Shop) -> None:
    """The money at the order's home, the goods on the shelf to which they were brought."""
    order = collected(shop)
    before = level(shop, store="SOF02")
    slip = elsewhere(shop).returns.accept(order.id, back(order, 2), reason="too many")
    assert (slip.total, slip.refunds, slip.store) == (eur(498), (("card", eur(498)),), "SOF02")
    assert charged(shop) == 249
    assert level(shop, store="SOF02") == (before[0] + 2, before[1])
    assert shop.app.orders.get(order.id).stage is Stage.COLLECTED
    check_all(shop.hub)


def test_who_brings_everything_back_has_returned_the_order(shop: Shop) -> None:
    order = collected(shop)
    desk = shop.store.returns
    desk.accept(order.id, back(order, 1), reason="too many")
    assert desk.accept(order.id, back(order, 2), reason="too many").number == f"{order.id}-R2"
    assert shop.app.orders.get(order.id).stage is Stage.RETURNED
    assert charged(shop) == 0
    assert names(shop, order).count("AllReturned") == 1
    check_all(shop.hub)


@pytest.mark.parametrize(("condition", "lying"), [(GOOD, (1, 0)), (DAMAGED, (0, 1)), (LOST, (0, 0))])
def test_the_condition_says_where_goods_go(shop: Shop, condition: Condition, lying: tuple[int, int]) -> None:
    order = collected(shop)
    before = shop.office.stock.level(shop.SOFIA, shop.MILK)
    shop.store.returns.accept(order.id, back(order, 1, condition=condition), reason="leaks")
    after = shop.office.stock.level(shop.SOFIA, shop.MILK)
    assert (after.on_hand - before.on_hand, after.quarantined - before.quarantined) == lying
    check_all(shop.hub)


def test_units_that_were_refunded_before_bring_no_money(shop: Shop) -> None:
    order = collected(shop)
    shop.store.orders.refund(order.id, units=[Pick(order.lines[0].id, 1)], reason="dented")
    slip = shop.store.returns.accept(order.id, back(order, 3), reason="all dented")
    assert (slip.total, charged(shop)) == (eur(498), 0)
    check_all(shop.hub)


def test_a_fee_is_kept(shop: Shop) -> None:
    order = collected(shop)
    slip = shop.store.returns.accept(order.id, back(order, 1), reason="opened", fee=eur(50), late=True)
    assert (slip.total, slip.fee, charged(shop)) == (eur(199), eur(50), 747 - 199)
    check_all(shop.hub)


def test_what_was_paid_in_cash_goes_back_in_cash(shop: Shop) -> None:
    waiting = ready(shop, pay=PayInStore())
    order = handed_over(shop, waiting, taken=Taken(eur(498))).order
    slip = shop.store.returns.accept(order.id, back(order, 1), reason="sour")
    assert slip.refunds == (("in_store", eur(249)),)
    assert shop.store.orders.get(order.id).to_pay_out == eur(249)
    check_all(shop.hub)


def test_a_part_may_come_back_while_the_rest_still_waits(shop: Shop) -> None:
    order = ready(shop, {Shop.MILK: 3})
    shop.store.pickups.hand_over(order.id, code=code(shop, order), lines=part(order, 2))
    shop.store.returns.accept(order.id, back(order, 1), reason="sour")
    assert shop.app.orders.get(order.id).stage is Stage.READY
    handed_over(shop, order)
    assert charged(shop) == 2 * 249
    check_all(shop.hub)


def test_the_store_learns_what_was_bought_and_not_by_whom(shop: Shop) -> None:
    order = collected(shop)
    found = elsewhere(shop).returns.find(f"{order.id}-1")
    assert [(line.sku, line.units, line.why_not) for line in found.lines] == [(Shop.MILK, 3, "")]
    assert "anna" not in repr(found)
    refused(NotFound, elsewhere(shop).orders.get, order.id)


def test_the_customer_is_told_once(open_shop: OpenShop) -> None:
    told: list[Message] = []

    class Told:
        def notify(self, message: Message) -> None:
            told.append(message)

    shop = open_shop(notifier=Told(), migrate=True)
    order = collected(shop)
    shop.store.returns.accept(order.id, back(order, 1), reason="sour")
    shop.hub.sweep()
    shop.hub.sweep()
    assert [message.occasion for message in told].count(Occasion.RETURNED) == 1


# --- how often --------------------------------------------------------------------------------------------


def test_a_repeated_call_is_one_return(shop: Shop) -> None:
    order = collected(shop)
    accept = partial(shop.store.returns.accept, order.id, back(order, 1), reason="sour")
    first = accept(key="till-4")
    assert accept(key="till-4") == first
    assert accept().number == f"{order.id}-R2"
    refused(KeyReused, shop.store.returns.accept, order.id, back(order, 2), reason="sour", key="till-4")
    assert [slip.number for slip in shop.store.returns.slips(order.id)] == [f"{order.id}-R1", f"{order.id}-R2"]


# --- what is not taken back -------------------------------------------------------------------------------


def why(shop: Shop, order: Order, goods: list[Returned], **how: Any) -> str:
    before = shop.office.orders.get(order.id)
    error = refused(ReturnRefused, shop.store.returns.accept, order.id, goods, reason="sour", **how)
    assert shop.office.orders.get(order.id) == before
    return str(error.facts["reason"])


def test_no_more_comes_back_than_was_collected(shop: Shop) -> None:
    order = collected(shop, 2)
    assert why(shop, order, back(order, 3)) == "more_than_there_is"
    assert why(shop, order, back(order, 1) * 3) == "more_than_there_is"
    shop.store.returns.accept(order.id, back(order, 1), reason="sour")
    assert why(shop, order, back(order, 2)) == "more_than_there_is"


def test_goods_come_back_until_the_end_of_the_last_day(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(returns=ReturnPolicy(days=2)))
    order = collected(shop)
    until = shop.store.returns.find(order.id).lines[0].until
    assert until is not None
    assert (until.astimezone(order.pickup.window[0].tzinfo).hour, until.date().day) == (0, 25)
    shop.advance(seconds=(until - shop.clock.now()).total_seconds() - 1)
    shop.store.returns.accept(order.id, back(order, 1), reason="sour")
    shop.advance(seconds=2)
    assert why(shop, order, back(order, 1)) == "too_late"
    assert shop.store.returns.find(order.id).lines[0].why_not == "too_late"
    assert shop.store.returns.accept(order.id, back(order, 1), reason="sour", late=True).total == eur(249)


def test_perishables_come_back_only_where_something_is_wrong(shop: Shop) -> None:
    shop.office.articles.put(Article(Shop.MILK, "Oat milk 1 l", perishable=True))
    order = collected(shop)
    assert why(shop, order, back(order, 1)) == "perishable"
    assert shop.store.returns.accept(order.id, back(order, 1, condition=LOST), reason="sour").total == eur(249)


def test_a_retailer_may_take_goods_back_only_where_they_were_collected(open_shop: OpenShop) -> None:
    shop = open_shop(settings=Settings(returns=ReturnPolicy(anywhere=False)))
    order = collected(shop)
    desk = elsewhere(shop).returns
    assert refused(ReturnRefused, desk.accept, order.id, back(order, 1), reason="x").facts["reason"] == "other_store"
    assert desk.find(order.id).lines[0].why_not == "other_store"


@pytest.mark.parametrize("reference", ["", "SOF01", "SOF01-7K3F9Q", "SOF01-7K3F9Q-R1", "sof01-7k3f9q", "x" * 300, 5])
def test_an_unknown_number_is_not_found(shop: Shop, reference: Any) -> None:
    refused(NotFound, shop.store.returns.find, reference)
    refused(NotFound, shop.store.returns.accept, reference, [Returned("ln_1", 1)], reason="sour")


def test_of_an_order_that_nobody_has_nothing_comes_back(shop: Shop) -> None:
    order = placed(shop)
    assert why(shop, order, back(order, 1)) == "more_than_there_is"
    refused(NotFound, shop.store.returns.accept, order.id, [Returned("ln_0000000000000", 1)], reason="sour")


# --- exchanges --------------------------------------------------------------------------------------------


def test_the_counter_takes_what_the_new_goods_cost_more(shop: Shop) -> None:
    order = collected(shop)
    exchange = partial(shop.store.returns.exchange, order.id, back(order, 1), [New(Shop.BREAD, 1)], reason="taste")
    assert refused(NotPaid, exchange).facts["due"] == "0.61 EUR"
    refused(NotPaid, exchange, taken=Taken(eur(60)))
    slip = exchange(taken=Taken(eur(61)), key="till-4")
    assert exchange(taken=Taken(eur(61)), key="till-4") == slip
    assert (slip.total, slip.taken, slip.refunds) == (eur(249), eur(61), ())
    assert [(line.sku, line.quantity, line.total) for line in slip.given] == [(Shop.BREAD, 1, eur(310))]
    check_all(shop.hub)


def test_what_the_new_goods_cost_less_goes_back(shop: Shop) -> None:
    order = collected(shop)
    milk, bread = level(shop), level(shop, Shop.BREAD)
    slip = shop.store.returns.exchange(order.id, back(order, 2), [New(Shop.BREAD, 1)], reason="taste")
    assert slip.refunds == (("card", eur(498 - 310)),)
    assert charged(shop) == 249 + 310
    assert level(shop) == (milk[0] + 2, milk[1])
    assert level(shop, Shop.BREAD) == (bread[0] - 1, bread[1])
    check_all(shop.hub)


def test_like_for_like_moves_no_money(shop: Shop) -> None:
    order = collected(shop)
    before = charged(shop)
    goods = back(order, 1, condition=DAMAGED)
    slip = shop.store.returns.exchange(order.id, goods, [New(Shop.MILK, 1)], reason="leaks")
    assert (slip.refunds, slip.taken, charged(shop)) == ((), eur(0), before)
    check_all(shop.hub)


def test_an_exchange_that_costs_more_needs_no_refund(open_shop: OpenShop) -> None:
    """A provider that gives back all or nothing stands in nobody's way where nothing goes back."""
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, partial_refund=False))
    order = collected(shop)
    refused(CorrectionRefused, shop.store.returns.accept, order.id, back(order, 1), reason="taste")
    exchange = partial(shop.store.returns.exchange, order.id, back(order, 1), reason="taste")
    refused(CorrectionRefused, exchange, [New(Shop.APPLES, 100)])
    assert exchange([New(Shop.BREAD, 1)], taken=Taken(eur(61))).taken == eur(61)
    check_all(shop.hub)


def test_cash_goes_back_where_a_card_gives_back_all_or_nothing(open_shop: OpenShop) -> None:
    """It was asked for of the card every day, in vain, and nobody was told to pay it out."""
    clock = FakeClock()
    shop = open_shop(clock=clock, gateway=FakeGateway(clock=clock, partial_refund=False))
    waiting = ready(shop, {Shop.MILK: 8}, pay=[Card("pm_card_visa", amount=eur(1050)), PayInStore()])
    order = handed_over(shop, waiting, taken=Taken(shop.store.pickups.bill(waiting.id).due)).order
    slip = shop.store.returns.accept(order.id, back(order, 3), reason="sour")
    assert slip.refunds == (("in_store", eur(747)),)
    assert shop.store.orders.get(order.id).to_pay_out == eur(747)
    assert not shop.advance(days=1).happened
    check_all(shop.hub)


def test_what_was_given_in_exchange_may_come_back_too(shop: Shop) -> None:
    order = collected(shop, 1)
    shop.store.returns.exchange(order.id, back(order, 1), [New(Shop.MILK, 1)], reason="leaks")
    assert shop.app.orders.get(order.id).state is OrderState.COMPLETED
    given_ = shop.app.orders.get(order.id).pickup.lines[1]
    shop.store.returns.accept(order.id, [Returned(given_.line, 1)], reason="leaks again")
    assert shop.app.orders.get(order.id).stage is Stage.RETURNED
    assert charged(shop) == 0
    check_all(shop.hub)


def test_nothing_is_given_that_is_not_there_or_is_held_for_others(shop: Shop) -> None:
    order = collected(shop, 1)
    on_hand, reserved = level(shop, Shop.BREAD)
    many = [New(Shop.BREAD, on_hand - reserved + 1)]
    refused(OutOfStock, shop.store.returns.exchange, order.id, back(order, 1), many, reason="x",
            taken=Taken(eur(310 * many[0].quantity - 249)))  # fmt: skip
    check_all(shop.hub)


def test_exchanged_is_where_the_goods_were_collected_and_once_the_order_is_complete(shop: Shop) -> None:
    order = collected(shop, 1)
    away = elsewhere(shop).returns.exchange
    error = refused(ReturnRefused, away, order.id, back(order, 1), [New(Shop.MILK, 1)], reason="x")
    assert error.facts["reason"] == "other_store"
    some = ready(shop, {Shop.MILK: 2})
    shop.store.pickups.hand_over(some.id, code=code(shop, some), lines=part(some, 1))
    here = shop.store.returns.exchange
    refused(IllegalTransition, here, some.id, back(some, 1), [New(Shop.MILK, 1)], reason="x")
    check_all(shop.hub)


# --- whatever comes back ----------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["accept", "away", "exchange", "refund", "collect", "sweep"]),
        st.integers(0, 3),
        st.integers(0, 2),
        st.sampled_from(Condition),
    ),
    min_size=1,
    max_size=10,
)


@given(steps=STEPS)
@settings(max_examples=40)
def test_whatever_comes_back_in_whatever_order_stock_and_money_add_up(steps: list[tuple[str, int, int, Any]]) -> None:
    with Shop.example() as shop:
        order = ready(shop, {Shop.MILK: 3, Shop.BREAD: 2})
        handed_over(shop, order, lines=part(order, 2, 1))
        for what, one, other, condition in steps:
            with suppress(Refused, IllegalTransition):
                take(shop, order, what, one, other, condition)
            check_all(shop.hub)
            now = shop.office.orders.get(order.id)
            assert all(line.returned <= line.collected for line in now.pickup.lines)
            assert now.held >= now.owed


def take(shop: Shop, order: Order, what: str, one: int, other: int, condition: Condition) -> None:
    goods = [*back(order, one, other, condition=condition)]
    match what:
        case "accept" if goods:
            shop.store.returns.accept(order.id, goods, reason="sour")
        case "away" if goods:
            elsewhere(shop).returns.accept(order.id, goods, reason="sour")
        case "exchange" if goods:
            due = max(0, 310 - 249 * one - 310 * other)
            taken = Taken(eur(due)) if due else None
            shop.store.returns.exchange(order.id, goods, [New(Shop.BREAD, 1)], reason="taste", taken=taken)
        case "refund" if one:
            shop.store.orders.refund(order.id, units=[Pick(order.lines[0].id, one)], reason="dented")
        case "collect":
            handed_over(shop, order)
        case _:
            shop.advance(minutes=other)
