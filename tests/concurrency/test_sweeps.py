"""Several workers sweep at once: every timer has its effect once."""

from __future__ import annotations

from collections import Counter

import pytest

from omniorder import Card
from omniorder.testing.invariants import check_all, nothing_is_overdue
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, won

WORKERS = 4
PROMISES = 12


def all_lapse(shop: Shop) -> tuple[Counter[str], Counter[str]]:
    """Nobody pays for these promises, and all workers notice; what happened, and what failed."""
    shop.clock.advance(minutes=16)
    happened, failed = Counter[str](), Counter[str]()
    for report in won(at_once([shop.hub.sweep] * WORKERS)):
        happened.update(report.happened)
        failed.update(report.failed)
    return happened, failed


def test_each_promise_lapses_once(shop: Shop) -> None:
    for _ in range(PROMISES):
        shop.promise(1)
    happened, failed = all_lapse(shop)
    assert happened == {"PromiseLapsed": PROMISES}
    assert not failed
    assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).reserved == 0
    nothing_is_overdue(shop.hub)
    check_all(shop.hub)


def test_without_the_guard_promises_lapse_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they give back the second time was somebody else's."""
    shop.app.checkout.place(shop.promise(20).id, pay=Card("pm_card_visa"))
    for _ in range(PROMISES):
        shop.promise(1)
    unguarded.share_timers(monkeypatch, WORKERS)
    unguarded.decide_on_old_news(monkeypatch)
    happened, _ = all_lapse(shop)
    assert happened["PromiseLapsed"] > PROMISES
    assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).reserved < 20
