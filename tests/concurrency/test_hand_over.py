"""The counter against the rest of the world: goods leave once and paid, or not at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import frozen

from omniorder import Associate, Card, Channel, Money, Order, Pick, Receipt
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import PATIENCE, at_once, refused, won

ROUNDS = 6
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


def race(shop: Shop, order: Order, hand_over: Callable[[], object], other: Callable[[], object]) -> Ended:
    """A hand-over, and what else happens at the same moment; afterwards the sweep tidies up."""
    first, _ = at_once([hand_over, other])
    shop.hub.sweep()
    held = [one.captured - one.refunded + one.open for one in shop.gateway.payments if one.order == order.id]
    return Ended(isinstance(first, Receipt), Money(sum(one.amount for one in held), "EUR"), order.total)


# --- against the no-show sweep ----------------------------------------------------------------------------


@CARDS
def test_an_order_is_handed_over_or_lapses_and_never_both(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        order, code = too_late(shop, pay)
        ended = race(shop, order, lambda: shop.store.pickups.hand_over(order.id, code=code), shop.hub.sweep)
        assert ended.right, ended
        check_all(shop.hub)


def test_without_the_guard_goods_leave_and_the_money_goes_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.promise(10)
    order, code = too_late(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    claimed = unguarded.when_timers_are_claimed(monkeypatch)

    def hand_over() -> Receipt:
        claimed.wait(PATIENCE)
        return shop.store.pickups.hand_over(order.id, code=code)

    ended = race(shop, order, hand_over, shop.hub.sweep)
    assert ended.left
    assert not ended.right


# --- against a customer who changes their mind ------------------------------------------------------------


@CARDS
def test_an_order_is_handed_over_or_cancelled_and_never_both(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop, pay)
        hand_over = lambda: shop.store.pickups.hand_over(order.id, code=code)
        ended = race(shop, order, hand_over, lambda: shop.app.orders.cancel(order.id))
        assert ended.right, ended
        check_all(shop.hub)


def test_without_the_guard_goods_leave_and_the_order_is_cancelled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.promise(10)
    order, code = ready(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    hand_over = lambda: shop.store.pickups.hand_over(order.id, code=code)
    ended = race(shop, order, hand_over, lambda: shop.app.orders.cancel(order.id))
    assert ended.left
    assert not ended.right


# --- against another associate ----------------------------------------------------------------------------


def two_hand_over(shop: Shop, order: Order, code: str) -> list[object]:
    staff = [shop.hub.at(Channel.STORE, Associate(name, store=Shop.SOFIA)) for name in ("ivan", "petar")]
    return at_once([lambda who=who: who.pickups.hand_over(order.id, code=code) for who in staff])


@CARDS
def test_goods_leave_once(shop: Shop, pay: Card) -> None:
    for _ in range(ROUNDS):
        order, code = ready(shop, pay)
        before = shop.office.stock.level(Shop.SOFIA, Shop.MILK).on_hand
        results = two_hand_over(shop, order, code)
        assert len(won(results)) == 1
        assert refused(results) == ["pickup.not_ready"]
        assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).on_hand == before - 2
        check_all(shop.hub)


def test_the_same_associate_is_given_the_same_receipt_twice(shop: Shop) -> None:
    """A nervous finger on the till is not another hand-over."""
    order, code = ready(shop, VISA)
    hand_over = lambda: shop.store.pickups.hand_over(order.id, code=code)
    first, second = won(at_once([hand_over, hand_over]))
    assert first == second
    check_all(shop.hub)


def test_without_the_guard_goods_leave_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.promise(10)
    order, code = ready(shop, PAID_AT_ONCE)
    unguarded.decide_on_old_news(monkeypatch)
    assert len(won(two_hand_over(shop, order, code))) == 2
