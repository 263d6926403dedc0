"""A shop in the middle of its day, on each of the three storages: what bad input is thrown at.

Since every case must leave it as it was, all cases of a module share one shop per storage.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen

from omniorder import Cart, Order, PickupPass, Promise, SigningKeys
from omniorder.signing import new_key
from omniorder.testing.shop import Shop
from tests import postgres
from tests.services import contents
from tests.services.steps import NEEDS_3DS, filled, handed_over, placed, promised, ready

pytest.register_assert_rewrite("tests.bad_input.cases")

PASS_KEY = new_key()
PASS_KEYS = SigningKeys({"2026": PASS_KEY})
"""The world's passes are signed too."""


@frozen
class World:
    """A shop, and one of each thing in it. `cart` has two lines and no promise, `weighed` 449 g of 500 g picked."""

    shop: Shop
    look: Callable[[], contents.Rows]
    cart: Cart
    empty: Cart
    promise: Promise
    unpaid: Order
    placed: Order
    weighed: Order
    ready: Order
    ticket: PickupPass
    collected: Order
    cancelled: Order

    def state(self) -> tuple[contents.Rows, int]:
        """Every stored row, and how often the provider was asked."""
        return self.look(), len(self.shop.gateway.requests)


def _made(shop: Shop, look: Callable[[], contents.Rows]) -> World:
    collected = handed_over(shop, ready(shop)).order
    cancelled = shop.app.orders.cancel(placed(shop, pay=NEEDS_3DS).id)
    waiting = ready(shop)
    cheese = placed(shop, {Shop.CHEESE: 500})
    return World(
        shop=shop,
        look=look,
        cart=filled(shop, {Shop.MILK: 2, Shop.BREAD: 1}),
        empty=shop.app.carts.start(),
        promise=promised(shop),
        unpaid=placed(shop, pay=NEEDS_3DS),
        placed=placed(shop),
        weighed=shop.store.pickups.pick(cheese.id, cheese.lines[0].id, 449),
        ready=waiting,
        ticket=shop.app.orders.pickup_pass(waiting.id),
        collected=collected,
        cancelled=cancelled,
    )


@pytest.fixture(scope="module", params=["memory", "sqlite", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world on each kind of storage in turn."""
    if request.param == "postgres":
        with postgres.databases(request.getfixturevalue("postgres_server")) as create:
            url = create()
            with Shop.example(url, pass_keys=PASS_KEYS) as shop, contents.watching(url, shop.hub) as look:
                yield _made(shop, look)
        return
    folder: Path = tmp_path_factory.mktemp("world")
    url = "memory://" if request.param == "memory" else f"sqlite:///{(folder / 'shop.db').as_posix()}"
    with Shop.example(url, pass_keys=PASS_KEYS) as shop, contents.watching(url, shop.hub) as look:
        yield _made(shop, look)
    shutil.rmtree(folder)
