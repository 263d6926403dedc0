"""What a store's days came to, as the desk and the back office are told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from omniorder import Measures
from omniorder.errors import NotFound
from omniorder.services import measuring
from omniorder.testing.clock import FakeClock
from omniorder.testing.shop import Shop
from tests.services.conftest import OpenShop
from tests.services.steps import handed_over, part, placed, ready, refused

MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def test_a_day_is_measured_from_its_journal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_BATCH", 7)  # read in many parts
    order, late = placed(shop), placed(shop, {Shop.MILK: 1, Shop.BREAD: 3}, nth=0)
    shop.clock.advance(minutes=12)
    shop.store.pickups.pick(order.id, part(order, 2))
    shop.store.pickups.ready(order.id)
    shop.app.orders.arrived(order.id)
    shop.clock.advance(minutes=4)
    handed_over(shop, order)
    shop.clock.advance(hours=3)
    shop.store.pickups.pick(late.id, part(late, 1, 3))
    shop.store.pickups.ready(late.id)
    found = shop.store.measures(MONDAY)
    assert (found.picked, found.ready, found.collected, found.ordered, found.short) == (2, 2, 1, 6, 0)
    assert (found.timed, found.on_time) == (2, 1)
    assert (found.time_to_ready, found.waiting_time) == (timedelta(minutes=12), timedelta(minutes=4))
    assert shop.office.measures(Shop.SOFIA, MONDAY, MONDAY + 6 * DAY) == found
    assert shop.elsewhere.measures(MONDAY) == shop.store.measures(MONDAY + DAY) == Measures()


def test_nobody_comes_and_it_counts_on_the_day_on_which_that_is_clear(shop: Shop) -> None:
    order = ready(shop)
    assert order.pickup.until is not None
    shop.clock.set(order.pickup.until)
    shop.advance(minutes=1)
    day = order.pickup.until.astimezone(ZoneInfo(order.pickup.zone)).date()
    assert [shop.store.measures(day + n * DAY).no_shows for n in (-1, 0, 1)] == [0, 1, 0]
    first, whole = shop.store.measures(MONDAY), shop.store.measures(MONDAY, day)
    assert (first.ready, first.no_show_rate) == (1, None)
    assert (whole.no_shows, whole.no_show_rate) == (1, 1.0)


@pytest.mark.parametrize(
    ("midnight", "hours"),
    [(datetime(2026, 3, 28, 22, tzinfo=UTC), 23), (datetime(2026, 10, 24, 21, tzinfo=UTC), 25)],
    ids=["spring", "autumn"],
)
def test_a_day_on_which_the_clocks_change_is_measured_to_its_end(
    open_shop: OpenShop, midnight: datetime, hours: int
) -> None:
    """A store that never closes: from its first minute to its last, and not one beyond."""
    clock = FakeClock(midnight - timedelta(hours=1))
    shop = open_shop(clock=clock)
    orders = [placed(shop, {Shop.MILK: 1}, store=Shop.VARNA) for _ in range(4)]
    minute, end = timedelta(minutes=1), timedelta(hours=hours)
    for order, at in zip(orders, (-minute, minute, end - minute, end), strict=True):
        clock.set(midnight + at)
        shop.elsewhere.pickups.pick(order.id, part(order, 1))
    day = (midnight + timedelta(hours=3)).date()
    assert [shop.elsewhere.measures(day + n * DAY).picked for n in (-1, 0, 1)] == [1, 2, 1]
    assert shop.elsewhere.measures(day - DAY, day + DAY).picked == 4


def test_a_store_that_is_not_there_is_not_found(shop: Shop) -> None:
    refused(NotFound, shop.office.measures, "SOF09", MONDAY)
