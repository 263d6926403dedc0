"""Many refund the same order at once: no cent goes back that was not charged, and one key is one refund."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count

import pytest

from omniorder import Associate, Card, Channel, Money, Order, Pick
from omniorder.domain import ids
from omniorder.domain.payments import Payment
from omniorder.errors import OmniorderError
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import MANY, at_once, refused, won

TOTAL = 498


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The example shop, on each kind of storage."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue(f"fresh_{request.param}")()
    with Shop.example(url, migrate=False) as example:
        yield example


@pytest.fixture(params=["sqlite", "postgres"])
def shop_on_disk(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Where several transactions run at once."""
    with Shop.example(request.getfixturevalue(f"fresh_{request.param}")(), migrate=False) as example:
        yield example


def collected(shop: Shop) -> Order:
    """Two cartons of milk, 4.98 EUR, that Anna has."""
    order = shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_visa"))
    shop.store.pickups.pick(order.id, [Pick(line.id, line.quantity) for line in order.lines])
    shop.store.pickups.ready(order.id)
    return shop.store.pickups.hand_over(order.id, code=shop.app.orders.pickup_pass(order.id).code).order


def sent_back(shop: Shop) -> int:
    return sum(one.refunded.amount for one in shop.gateway.payments)


def many_refund(shop: Shop, order: Order, amount: int, key: str | None = None) -> list[Order | OmniorderError]:
    desk = shop.hub.at(Channel.STORE, Associate("ivan", store=Shop.SOFIA)).orders
    wanted = Money(amount, "EUR")
    return at_once([partial(desk.refund, order.id, amount=wanted, reason="dented", key=key) for _ in range(MANY)])


def test_together_they_refund_no_more_than_was_charged(shop: Shop) -> None:
    """M2: of sixteen that want 1.00 EUR each, four get it and twelve are told that there is less left."""
    order = collected(shop)
    results = many_refund(shop, order, 100)
    assert (len(won(results)), refused(results)) == (4, ["refund.refused"] * 12)
    shop.hub.sweep()
    assert sent_back(shop) == 400
    assert shop.office.orders.get(order.id).kept == Money(TOTAL - 400, "EUR")
    check_all(shop.hub)


def test_of_two_that_exceed_the_rest_together_one_is_refused(shop: Shop) -> None:
    order = collected(shop)
    desk, euros = shop.office.orders, Money(300, "EUR")
    works = [
        partial(desk.refund, order.id, amount=euros, reason="dented"),
        partial(desk.goodwill, order.id, euros, reason="long queue"),
    ]
    results = at_once(works)
    assert (len(won(results)), refused(results)) == (1, ["refund.refused"])
    shop.hub.sweep()
    assert sent_back(shop) == 300
    check_all(shop.hub)


def test_units_are_refunded_once_however_many_ask(shop: Shop) -> None:
    order = collected(shop)
    units = [Pick(order.lines[0].id, 2)]
    results = at_once([partial(shop.office.orders.refund, order.id, units=units, reason="sour") for _ in range(MANY)])
    assert len(won(results)) == 1
    assert set(refused(results)) == {"refund.refused"}
    shop.hub.sweep()
    assert sent_back(shop) == TOTAL
    check_all(shop.hub)


def test_one_key_is_one_refund_however_often_it_comes(shop: Shop) -> None:
    order = collected(shop)
    results = many_refund(shop, order, 100, key="once")
    assert refused(results) == []
    shop.hub.sweep()
    assert sent_back(shop) == 100
    assert max(shop.gateway.effects.values()) == 1
    check_all(shop.hub)


def test_without_the_guards_more_is_granted_than_was_charged(
    shop_on_disk: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: everybody decides on what the first one read. That alone is not enough, since all of them would make
    the same attempt; so each gets an attempt of its own, too."""
    order = collected(shop_on_disk)
    unguarded.decide_on_old_news(monkeypatch)
    numbers = count(100)
    monkeypatch.setattr(Payment, "next_attempt_id", lambda payment: ids.attempt_id(payment.id, next(numbers)))
    results = many_refund(shop_on_disk, order, 300)
    assert len(won(results)) > 1
