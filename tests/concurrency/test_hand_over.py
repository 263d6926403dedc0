"""The counter against the rest of the world: goods leave once and paid, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event

import pytest
from attrs import frozen

from omniorder import (
    Article,
    Associate,
    Card,
    Channel,
    Money,
    MovementKind,
    Order,
    Pick,
    PickupState,
    Receipt,
    Unwanted,
)
from omniorder.errors import OmniorderError
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import PATIENCE, at_once, refused, won

ROUNDS = 4
VISA, PAID_AT_ONCE = Card("pm_card_visa"), Card("pm_card_instant")
CARDS = pytest.mark.parametrize("pay", [VISA, PAID_AT_ONCE], ids=["paid at the counter", "paid before"])


@frozen
class Ended:
    """How it ended between the counter and somebody else, in goods and in money: what the provider took or holds."""

    left: bool
    paid: Money
    total: Money

    @property
    def right(self) -> bool:
        """All of the goods for all of the money, or nothing for nothing."""
        return self.paid == (self.total if self.left else Money(0, "EUR"))


def somebody_else_orders(shop: Shop) -> None:
    """There are units that are spoken for, and could be given to the wrong customer."""
    shop.app.checkout.place(shop.promise(10).id, pay=VISA)


def ready(shop: Shop, pay: Card) -> tuple[Order, str]:
    """An order that waits at the counter, and its code."""
    order = shop.app.checkout.place(shop.promise().id, pay=pay)
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    order = shop.store.pickups.ready(order.id, staged_at="C4")
    return order, shop.app.orders.pickup_pass(order.id).code


def too_late(shop: Shop, pay: Card) -> tuple[Order, str]:
    """The same, and nobody came in time."""
    order, code = ready(shop, pay)
    assert order.pickup.until is not None
    shop.clock.set(order.pickup.until)
    shop.clock.advance(minutes=1)
    return order, code


def race(shop: Shop, order: Order, code: str, other: Callable[[], object], *, after: Event | None = None) -> Ended:
    """A hand-over (`after` something), and what else happens at the same moment; then the sweep tidies up."""

    def hand_over() -> object:
        assert after is None or after.wait(PATIENCE)
        return shop.store.pickups.hand_over(order.id, code=code)

    first, _ = at_once([hand_over, other])
    shop.hub.sweep()
    held = [one.captured - one.refunded + one.open for one in shop.gateway.payments if one.order == order.id]
    return Ended(isinstance(first, Receipt), Money(sum(one.amount for one in held), "EUR"), order.total)


# --- against the no-show sweep ----------------------------------------------------------------------------


@CARDS
def test_an_order_is_handed_over_or_lapses_and_never_both(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        order, code = too_late(shop, pay)
        ended = race(shop, order, code, shop.hub.sweep)
        assert ended.right, ended
        check_all(shop.hub)


def test_without_the_guard_goods_leave_and_the_money_goes_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody_else_orders(shop)
    order, code = too_late(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    claimed = unguarded.when_timers_are_claimed(monkeypatch)
    ended = race(shop, order, code, shop.hub.sweep, after=claimed)
    assert ended.left
    assert not ended.right


# --- against what spoils, and against more time -----------------------------------------------------------


def spoiling(shop: Shop) -> tuple[Order, str, int]:
    """Bread that has just spoiled, and milk, wait at the counter; and how many loaves there were before."""
    shop.office.articles.put(Article(Shop.BREAD, "Rye bread", perishable=True))
    loaves = shop.office.stock.level(Shop.SOFIA, Shop.BREAD).on_hand
    cart = shop.app.carts.start()
    for sku in (Shop.MILK, Shop.BREAD):
        shop.app.carts.add(cart.id, sku, 1)
    offer = next(offer for offer in shop.app.checkout.offers(cart.id) if offer.store.id == Shop.SOFIA)
    promise = shop.app.checkout.promise(cart.id, slot=offer.slots[0].id)
    order = shop.app.checkout.place(promise.id, pay=VISA)
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    order = shop.store.pickups.ready(order.id)
    assert order.pickup.spoils_at is not None
    code = shop.app.orders.pickup_pass(order.id).code
    shop.clock.set(order.pickup.spoils_at)
    shop.clock.advance(minutes=1)
    return order, code, loaves


def outcome(shop: Shop, order: Order, loaves: int) -> tuple[int, int, int]:
    """What was paid of the order, how many loaves are gone, and how many of them were thrown away."""
    paid = sum(one.captured.amount - one.refunded.amount for one in shop.gateway.payments if one.order == order.id)
    moved = shop.office.stock.movements(Shop.SOFIA, Shop.BREAD).items
    thrown = sum(-one.quantity for one in moved if one.kind is MovementKind.WRITE_OFF)
    return paid, loaves - shop.office.stock.level(Shop.SOFIA, Shop.BREAD).on_hand, thrown


WITH_BREAD, WITHOUT_BREAD = (559, 1, 0), (249, 1, 1)


def test_what_spoils_is_handed_over_and_paid_or_thrown_away_and_never_both(shop: Shop) -> None:
    order, code, loaves = spoiling(shop)
    race(shop, order, code, shop.hub.sweep)
    assert outcome(shop, order, loaves) in (WITH_BREAD, WITHOUT_BREAD)
    check_all(shop.hub)


def test_without_the_guard_what_left_is_thrown_away_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order, code, loaves = spoiling(shop)
    unguarded.decide_on_old_news(monkeypatch)
    claimed = unguarded.when_timers_are_claimed(monkeypatch)

    race(shop, order, code, shop.hub.sweep, after=claimed)
    assert outcome(shop, order, loaves) not in (WITH_BREAD, WITHOUT_BREAD)


def extended_as_it_lapses(shop: Shop, order: Order, after: Callable[[], object]) -> tuple[bool, bool]:
    """Whether the customer was told that the goods wait longer, and whether they still do."""

    def extend() -> object:
        after()
        return shop.app.orders.extend(order.id)

    first, _ = at_once([extend, shop.hub.sweep])
    waits = shop.office.orders.get(order.id).pickup.state is PickupState.READY
    return isinstance(first, Order), waits


def test_the_customer_has_more_time_or_the_order_has_lapsed_and_never_both(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order, _ = too_late(shop, VISA)
        told, waits = extended_as_it_lapses(shop, order, lambda: None)
        assert told is waits
        check_all(shop.hub)


def test_without_the_guard_a_lapsed_order_was_to_wait_longer(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order, _ = too_late(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    claimed = unguarded.when_timers_are_claimed(monkeypatch)
    told, waits = extended_as_it_lapses(shop, order, lambda: claimed.wait(PATIENCE))
    assert told
    assert not waits or refunded(shop, order)


def refunded(shop: Shop, order: Order) -> bool:
    """Whether the customer's money went back although they were told that the goods wait."""
    return any(one.refunded.amount for one in shop.gateway.payments if one.order == order.id)


# --- against a customer who changes their mind ------------------------------------------------------------


@CARDS
def test_an_order_is_handed_over_or_cancelled_and_never_both(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop, pay)
        ended = race(shop, order, code, partial(shop.app.orders.cancel, order.id))
        assert ended.right, ended
        check_all(shop.hub)


def test_without_the_guard_goods_leave_and_the_order_is_cancelled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody_else_orders(shop)
    order, code = ready(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    ended = race(shop, order, code, partial(shop.app.orders.cancel, order.id))
    assert ended.left
    assert not ended.right


# --- against another associate ----------------------------------------------------------------------------


def two_hand_over(shop: Shop, order: Order, code: str, *names: str) -> list[Receipt | OmniorderError]:
    staff = [shop.hub.at(Channel.STORE, Associate(name, store=Shop.SOFIA)) for name in names]
    return at_once([partial(who.pickups.hand_over, order.id, code=code) for who in staff])


@CARDS
def test_goods_leave_once(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop, pay)
        before = shop.office.stock.level(Shop.SOFIA, Shop.MILK).on_hand
        results = two_hand_over(shop, order, code, "ivan", "petar")
        assert len(won(results)) == 1
        assert refused(results) == ["pickup.not_ready"]
        assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).on_hand == before - 2
        check_all(shop.hub)


@CARDS
def test_a_nervous_finger_on_the_till_gets_the_same_receipt_again(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        results = two_hand_over(shop, *ready(shop, pay), "ivan", "ivan")
        assert refused(results) == []
        assert results[0] == results[1]
    check_all(shop.hub)


def test_without_the_guard_goods_leave_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody_else_orders(shop)
    order, code = ready(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    assert len(won(two_hand_over(shop, order, code, "ivan", "petar"))) == 2


def one_refuses_and_one_takes_all(
    shop: Shop, order: Order, code: str, *, in_turn: bool = False
) -> list[Receipt | OmniorderError]:
    """The customer told one associate that they want one carton less; the other has not heard of it."""
    ivan, petar = (shop.hub.at(Channel.STORE, Associate(name, store=Shop.SOFIA)).pickups for name in ("ivan", "petar"))
    refused_one = Event()

    def with_one_less() -> Receipt:
        try:
            return ivan.hand_over(order.id, code=code, refused=[Unwanted(order.lines[0].id, 1)])
        finally:
            refused_one.set()

    def all_of_it() -> Receipt:
        assert not in_turn or refused_one.wait(PATIENCE)
        return petar.hand_over(order.id, code=code)

    return at_once([with_one_less, all_of_it])


@CARDS
def test_units_are_refused_or_handed_over_and_never_both(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop, pay)
        before = shop.office.stock.level(Shop.SOFIA, Shop.MILK)
        (receipt,) = won(one_refuses_and_one_takes_all(shop, order, code))
        left = sum(line.quantity for line in receipt.lines)
        assert left + sum(one.quantity for one in receipt.refused) == 2
        after = shop.office.stock.level(Shop.SOFIA, Shop.MILK)
        assert (after.on_hand, after.reserved) == (before.on_hand - left, before.reserved - 2)
        assert shop.office.orders.get(order.id).kept == receipt.total
        check_all(shop.hub)


@CARDS
def test_two_who_refuse_the_same_unit_refuse_it_once(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop, pay)
        no = [Unwanted(order.lines[0].id, 1)]
        desks = [shop.hub.at(Channel.STORE, Associate(name, store=Shop.SOFIA)).pickups for name in ("ivan", "petar")]
        results = at_once([partial(desk.hand_over, order.id, code=code, refused=no) for desk in desks])
        (receipt,) = won(results)
        assert refused(results) == ["pickup.not_ready"]
        assert ([one.quantity for one in receipt.lines], [one.quantity for one in receipt.refused]) == ([1], [1])
        check_all(shop.hub)


def test_without_the_guard_units_are_refused_and_handed_over(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody_else_orders(shop)
    order, code = ready(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    before = shop.office.stock.level(Shop.SOFIA, Shop.MILK)
    assert len(won(one_refuses_and_one_takes_all(shop, order, code, in_turn=True))) == 2
    after = shop.office.stock.level(Shop.SOFIA, Shop.MILK)
    assert before.on_hand - after.on_hand == 3  # the customer ordered two


# --- against a stock count --------------------------------------------------------------------------------


def test_a_count_during_the_hand_over_does_not_stop_it(shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The goods are in the customer's hands; that the books know fewer is noted as found. (SQLite makes one wait.)"""
    shop = shop_on_postgres
    order, code = ready(shop, VISA)
    counted = unguarded.between_reading_levels_and_writing(
        monkeypatch, lambda: shop.office.stock.adjust(Shop.SOFIA, Shop.MILK, -39, reason="counted")
    )
    receipt = shop.store.pickups.hand_over(order.id, code=code)
    assert counted
    assert receipt.total == order.total
    assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).on_hand == 0
    check_all(shop.hub)
