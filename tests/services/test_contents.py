"""What looks for rows that a refused command wrote: it sees every write, also when it reads only if it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from omniorder.errors import OutOfStock
from omniorder.testing.shop import Shop
from tests.services import contents
from tests.services.steps import filled, placed, promised


@pytest.fixture(params=["memory", "sqlite_url", "postgres_url"])
def looked_at(request: pytest.FixtureRequest) -> Iterator[tuple[Shop, Callable[[], contents.Rows]]]:
    """A shop, and what watches it."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue(request.param)
    with Shop.example(url) as shop, contents.watching(url, shop.hub) as look:
        yield shop, look


Watched = tuple[Shop, Callable[[], contents.Rows]]


@pytest.mark.parametrize(
    "write",
    [
        lambda shop: shop.app.carts.start(),
        lambda shop: filled(shop),
        lambda shop: placed(shop),
        lambda shop: shop.office.stock.count(Shop.SOFIA, Shop.MILK, 7),
        lambda shop: shop.hub.journal.subscribe("somebody"),
        lambda shop: shop.advance(minutes=20),
    ],
)
def test_what_was_written_is_seen(looked_at: Watched, write: Callable[[Shop], object]) -> None:
    shop, look = looked_at
    promised(shop)
    before = look()
    write(shop)
    assert look() != before


def test_what_was_written_and_taken_back_is_as_before(looked_at: Watched) -> None:
    shop, look = looked_at
    cart = filled(shop, {Shop.MILK: 100})
    offers = shop.app.checkout.offers(cart.id)
    before = look()
    with pytest.raises(OutOfStock):
        shop.app.checkout.promise(
            cart.id, slot=offers[0].slots[0].id if offers[0].slots else "slt_SOF01_20261124T0800Z"
        )
    assert look() == before


def test_nothing_is_read_again_while_nothing_was_written(looked_at: Watched) -> None:
    shop, look = looked_at
    before = look()
    shop.app.orders.page()
    assert look() is before
