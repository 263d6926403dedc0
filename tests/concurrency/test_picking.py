"""Several associates reach for the same work: each order goes to one of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from omniorder import Associate, Channel, Order, StoreTouchpoint
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, won
from tests.services.steps import placed

MANY = 6


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Where several transactions run at once."""
    with Shop.example(request.getfixturevalue(f"fresh_{request.param}")(), migrate=False) as example:
        yield example


def associates(shop: Shop) -> list[StoreTouchpoint]:
    return [shop.hub.at(Channel.STORE, Associate(f"a{n}", store=shop.SOFIA)) for n in range(MANY)]


def test_of_many_who_claim_one_order_one_has_it(shop: Shop) -> None:
    order = placed(shop)
    results = at_once([partial(one.picking.claim, order.id) for one in associates(shop)])
    assert len(won(results)) == 1
    assert len(shop.office.orders.get(order.id).pickup.pickers) == 1


def test_who_asks_for_the_next_order_gets_one_that_nobody_else_has(shop: Shop) -> None:
    orders = [placed(shop, nth=n % 3) for n in range(MANY)]
    results = at_once([one.picking.claim_next for one in associates(shop)])
    claimed = [one.id for one in results if isinstance(one, Order)]
    assert sorted(claimed) == sorted(order.id for order in orders)


def test_without_the_guard_two_have_the_same_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: everybody claims what nobody had when the first one looked."""
    order = placed(shop)
    unguarded.decide_on_old_news(monkeypatch)
    results = at_once([partial(one.picking.claim, order.id) for one in associates(shop)])
    assert len(won(results)) > 1
