"""Policies for goods that wait that no retailer could follow, and deadlines that no store could keep."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from omniorder import Money, NoShowPolicy, RemindAfter, RemindBefore, Settings
from omniorder.errors import (
    InvalidInput,
    InvalidInstant,
    InvalidMoney,
    InvalidQuantity,
    NotExtended,
    NotFound,
    NotReady,
)
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World

DAYS: tuple[object, ...] = (None, "3", True, 1.5, -1, 366, [])


def _bad(name: str, error: type[InvalidInput], *values: object) -> list[Case]:
    def call(world: World, value: Any) -> object:
        return NoShowPolicy(**{name: value})

    return each(name, call, values, error, field=name)


def _after(world: World, value: Any) -> object:
    return RemindAfter(value)


def _before(world: World, value: Any) -> object:
    return RemindBefore(value)


def _by_clock(world: World, value: Any) -> object:
    return RemindBefore(timedelta(hours=1), by_clock=value)


def _settings(world: World, value: Any) -> object:
    return Settings(no_show=value)


TOO_LONG: tuple[object, ...] = (None, 2, "2 h", timedelta(0), timedelta(hours=-2), timedelta(days=31))
POLICIES = parametrised(
    _bad("reminders", InvalidInput, None, 5, "later", [timedelta(hours=2)]),
    _bad("extension_days", InvalidQuantity, *DAYS),
    _bad("perishable_days", InvalidQuantity, *DAYS),
    _bad("staff_days", InvalidQuantity, *DAYS),
    _bad("fee", InvalidMoney, 1, "1.00", Decimal(1), Money(0, "EUR"), Money(-1, "EUR")),
    _bad("fee_share", InvalidMoney, None, 0.1, 1, "10%", "1.01", "-0.1", "0.00001"),
    _bad("perishables", InvalidInput, None, "write_off", []),
    each("a reminder after", _after, (*DAYS, 0), InvalidQuantity, field="open_days"),
    each("a reminder before", _before, TOO_LONG, InvalidInput, field="lasts"),
    each("a reminder by the clock", _by_clock, (None, 1, "yes"), InvalidInput, field="by_clock"),
    each("settings", _settings, (None, {}, "strict"), InvalidInput, field="no_show"),
    [Case("too many reminders", lambda world: NoShowPolicy(reminders=[RemindAfter(1)] * 11), InvalidInput,
          {"field": "reminders"})],
)  # fmt: skip


@POLICIES
def test_a_policy_is_one_that_can_be_followed(world: World, case: Case) -> None:
    judge(world, case)


def _kept_until(world: World, value: Any) -> object:
    return world.shop.store.pickups.extend(world.ready.id, until=value)


NO_DAYS: tuple[object, ...] = (
    None,
    "2026-11-28",
    28,
    datetime(2026, 11, 28, tzinfo=UTC),
    date(1999, 1, 1),
    date(2300, 1, 1),
)
DEADLINES = parametrised(
    each("until", _kept_until, NO_DAYS, InvalidInstant, field="until"),
    [
        Case("a day before the deadline", lambda world: _kept_until(world, date(2026, 11, 23)), NotExtended,
             {"reason": "not_later"}),
        Case("a day too far ahead", lambda world: _kept_until(world, date(2027, 11, 1)), NotExtended,
             {"reason": "too_long"}),
        Case("what is gone", lambda world: world.shop.app.orders.extend(world.collected.id), NotReady,
             {"state": "collected"}),
        Case("no order", lambda world: world.shop.app.orders.extend("nonsense"), NotFound, {"kind": "order"}),
    ],
)  # fmt: skip


@DEADLINES
def test_a_deadline_is_one_that_can_be_kept(world: World, case: Case) -> None:
    judge(world, case)
