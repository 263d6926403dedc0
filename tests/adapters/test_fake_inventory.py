"""The stock system of other people's tests keeps the contract that a retailer's own is held to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import settings

from omniorder.errors import InventoryUnavailable
from omniorder.testing import FakeClock, FakeInventory
from omniorder.testing.contracts.inventory import OutsideBench, OutsideInventoryContract, OutsideInventoryMachine
from omniorder.testing.samples import MILK, SOFIA


def benched() -> OutsideBench:
    clock = FakeClock()
    fake = FakeInventory(clock=clock)

    def pass_time(lasts: timedelta) -> None:
        clock.advance(seconds=lasts.total_seconds())

    return OutsideBench(fake, fake.stock, clock.now, pass_time, fake.lose_next_reply)


class TestFakeInventory(OutsideInventoryContract):
    def open(self) -> OutsideBench:
        return benched()


class Machine(OutsideInventoryMachine):
    def open(self) -> OutsideBench:
        return benched()


TestMachine = Machine.TestCase
TestMachine.settings = settings(stateful_step_count=30)


def test_while_it_is_down_nothing_arrives() -> None:
    fake = FakeInventory(clock=(clock := FakeClock()))
    fake.stock(SOFIA, MILK, 3)
    fake.down = True
    with pytest.raises(InventoryUnavailable):
        fake.reserve("rsv_1", SOFIA, {MILK: 1}, clock.now() + timedelta(hours=1))
    fake.down = False
    assert fake.held == {}
    assert fake.requests == [("reserve", "rsv_1")]


def test_a_request_that_is_dropped_has_no_effect() -> None:
    fake = FakeInventory(clock=(clock := FakeClock()))
    fake.stock(SOFIA, MILK, 3)
    fake.drop_next_request()
    with pytest.raises(InventoryUnavailable):
        fake.reserve("rsv_1", SOFIA, {MILK: 1}, clock.now() + timedelta(hours=1))
    assert fake.held == {}
    fake.reserve("rsv_1", SOFIA, {MILK: 1}, clock.now() + timedelta(hours=1))
    assert fake.held == {"rsv_1": {MILK: 1}}


def test_somebody_may_give_up_what_is_held_for_us_and_sell_it() -> None:
    fake = FakeInventory(clock=(clock := FakeClock()))
    fake.stock(SOFIA, MILK, 3)
    fake.reserve("rsv_1", SOFIA, {MILK: 1}, until := clock.now() + timedelta(hours=1))
    assert fake.limit("rsv_1") == until
    fake.lose("rsv_1")
    fake.sell(SOFIA, MILK, 9)
    assert (fake.held, fake.on_hand(SOFIA, MILK)) == ({}, 0)
