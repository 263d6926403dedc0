"""A customer who changes an order at the moment at which the store begins to pick it: one of them is too late."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from omniorder import Add, Card, Order, Pick, PickupState
from omniorder.errors import OmniorderError
from omniorder.testing.invariants import InvariantBroken, check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, refused, won

ROUNDS = 6


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The example shop on each of the three."""
    fresh = None if request.param == "memory" else request.getfixturevalue(f"fresh_{request.param}")
    with Shop.example(fresh() if fresh else "memory://", migrate=fresh is None) as example:
        yield example


def placed(shop: Shop) -> Order:
    return shop.app.checkout.place(shop.promise().id, pay=Card("pm_card_visa"))


def race(shop: Shop, order: Order) -> list[Order | OmniorderError]:
    """The associate takes a carton off the shelf while the customer has the order moved to Varna."""
    slot = shop.app.orders.slots(order.id, store=Shop.VARNA)[0].id
    pick = partial(shop.store.pickups.pick, order.id, [Pick(order.lines[0].id, 1)])
    return at_once([pick, partial(shop.app.orders.change, order.id, slot=slot)])


def test_either_it_is_changed_or_picked_and_the_other_hears_that(shop: Shop) -> None:
    for _ in range(ROUNDS - 1):
        order = placed(shop)
        ended = race(shop, order)
        assert len(won(ended)) == 1
        after = shop.app.orders.get(order.id)
        if isinstance(ended[0], Order):
            assert (after.pickup.state, after.pickup.store) == (PickupState.PICKING, Shop.SOFIA)
            assert refused(ended) == ["transition.illegal"]
        else:
            assert (after.pickup.state, after.pickup.store) == (PickupState.TO_PICK, Shop.VARNA)
            assert refused(ended) == ["not_found"]  # it is another store's now
        check_all(shop.hub)


def test_of_many_changes_at_once_each_is_made_on_what_the_others_left(shop: Shop) -> None:
    order = placed(shop)
    change = partial(shop.app.orders.change, order.id, edits=[Add(Shop.MILK, 1)])
    assert refused(at_once([change] * ROUNDS)) == []
    after = shop.app.orders.get(order.id)
    assert sum(line.quantity for line in after.every_line) == 2 + ROUNDS
    assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).reserved == 2 + ROUNDS
    check_all(shop.hub)


def test_without_the_guard_both_happen(shop_on_postgres: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = shop_on_postgres
    unguarded.decide_on_old_news(monkeypatch)
    broken = False
    for _ in range(20):
        both = len(won(race(shop, placed(shop)))) == 2
        try:
            check_all(shop.hub)
        except InvariantBroken:
            broken = True
        if broken or both:
            return
    pytest.fail("nobody noticed that the guard was gone")
