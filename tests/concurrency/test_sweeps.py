"""Two workers sweep at once: every timer has its effect once."""

from __future__ import annotations

from collections import Counter

import pytest

from omniorder import SweepReport
from omniorder.testing.invariants import check_all, nothing_is_overdue
from omniorder.testing.shop import Shop
from tests.concurrency import unguarded
from tests.concurrency.threads import at_once, won

WORKERS = 4
PROMISES = 12


def all_lapse(shop: Shop) -> tuple[Counter[str], Counter[str]]:
    """Promises that nobody pays for, and workers that notice; what happened in all, and what failed."""
    for _ in range(PROMISES):
        shop.promise(1)
    shop.promise(1)
    shop.clock.advance(minutes=16)
    happened, failed = Counter[str](), Counter[str]()
    reports: list[SweepReport] = won(at_once([shop.hub.sweep] * WORKERS))
    for report in reports:
        happened.update(report.happened)
        failed.update(report.failed)
    return happened, failed


def test_each_promise_lapses_once(shop: Shop) -> None:
    happened, failed = all_lapse(shop)
    assert happened == {"PromiseLapsed": PROMISES + 1}
    assert not failed
    assert shop.office.stock.level(Shop.SOFIA, Shop.MILK).reserved == 0
    nothing_is_overdue(shop.hub)
    check_all(shop.hub)


def test_without_the_guard_promises_lapse_twice(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded.share_timers(monkeypatch)
    unguarded.decide_on_old_news(monkeypatch)
    happened, _ = all_lapse(shop)
    assert happened["PromiseLapsed"] > PROMISES + 1
