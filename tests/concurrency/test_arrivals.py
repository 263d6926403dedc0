"""Several associates at one queue: a customer is attended to by one of them."""

from __future__ import annotations

from functools import partial

import pytest

from omniorder import Associate, Card, Channel, Order
from omniorder.errors import OmniorderError
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, refused, won

NAMES = ("ivan", "petar", "maria")


def placed(shop: Shop) -> Order:
    """What a customer has just come in for."""
    return shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_visa"))


def attend(shop: Shop, order: Order) -> list[Order | OmniorderError]:
    """All of them at once."""
    desks = [shop.hub.at(Channel.STORE, Associate(name, store=Shop.SOFIA)).arrivals for name in NAMES]
    return at_once([partial(desk.attend, order.id) for desk in desks])


def test_a_customer_is_attended_by_exactly_one(shop: Shop) -> None:
    for _ in range(3):
        results = attend(shop, placed(shop))
        assert len(won(results)) == 1
        assert refused(results) == ["arrival.attended"] * 2
    check_all(shop.hub)


def test_without_the_guard_several_bring_the_same_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order = placed(shop)
    unguarded.decide_on_old_news(monkeypatch)
    assert len(won(attend(shop, order))) == len(NAMES)
