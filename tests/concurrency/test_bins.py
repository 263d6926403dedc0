"""Several associates reach for the same locker: one order lies in it."""

from __future__ import annotations

from functools import partial

import pytest
from attrs import evolve

from omniorder import Bin, Order
from omniorder.errors import OmniorderError
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, refused, won
from tests.services.steps import picked, placed, ready

MANY = 6


def all_into_one_locker(shop: Shop) -> list[Order | OmniorderError]:
    """Half of them are made ready, the others lie elsewhere and are restaged."""
    shop.office.stores.put(evolve(shop.office.stores.get(shop.SOFIA), bins=[Bin("L1", locker=True)]))
    new = [picked(shop, placed(shop, nth=n)) for n in range(MANY // 2)]
    lying = [ready(shop, nth=n) for n in range(MANY // 2)]
    return at_once(
        [
            *(partial(shop.store.pickups.ready, order.id, staged_at="L1") for order in new),
            *(partial(shop.store.pickups.restage, order.id, "L1") for order in lying),
        ]
    )


def test_of_many_orders_one_gets_the_locker(shop: Shop) -> None:
    results = all_into_one_locker(shop)
    (order,) = won(results)
    assert refused(results) == ["bin.full"] * (MANY - 1)
    (locker,) = shop.store.picking.bins()
    assert (locker.orders, locker.free) == ((order.id,), False)
    check_all(shop.hub)


def test_without_the_guard_several_lie_in_one_locker(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.lay_into_bins_unasked(monkeypatch)
    assert len(won(all_into_one_locker(shop))) > 1
