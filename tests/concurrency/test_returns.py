"""Two stores take the same goods back at the same moment: one does, and the money goes back once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import count

import pytest

from omniorder import ReturnSlip
from omniorder.domain import ids
from omniorder.domain.payments import Payment
from omniorder.testing.invariants import check_all
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once
from tests.services.steps import charged, level
from tests.services.test_returns import back, collected, elsewhere


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


def test_of_many_who_take_back_the_same_units_one_does(shop: Shop) -> None:
    order = collected(shop)
    desks = [shop.store.returns, elsewhere(shop).returns] * 4
    results = at_once([partial(desk.accept, order.id, back(order, 2), reason="sour") for desk in desks])
    assert sum(isinstance(one, ReturnSlip) for one in results) == 1
    assert charged(shop) == 249
    check_all(shop.hub)


def test_without_the_guards_units_come_back_twice(shop_on_disk: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: everybody decides on what the first one read."""
    order = collected(shop_on_disk)
    unguarded.decide_on_old_news(monkeypatch)
    numbers = count(100)
    monkeypatch.setattr(Payment, "next_attempt_id", lambda payment: ids.attempt_id(payment.id, next(numbers)))
    before, _ = level(shop_on_disk)

    def accept() -> None:
        with suppress(StopIteration):  # the journal, which has the slips, is not written without its guard
            shop_on_disk.store.returns.accept(order.id, back(order, 2), reason="sour")

    at_once([accept] * 8)
    assert level(shop_on_disk)[0] > before + 2
