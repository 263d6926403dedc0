"""Instants, days and slots that can't be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from unittest.mock import ANY

from omniorder import Money, Price
from omniorder.errors import InvalidInput, InvalidInstant, NotFound, SlotUnavailable
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World
from tests.services.steps import filled, free_slot, promised, refused

INSTANTS: Final[dict[str, Any]] = {
    "naive": datetime(2026, 11, 23, 8),  # noqa: DTZ001 - what is refused here
    "year 9999": datetime(9999, 12, 31, 23, tzinfo=UTC),
    "year 1": datetime(1, 1, 1, tzinfo=UTC),
    "a date": date(2026, 11, 23),
    "text": "2026-11-23T08:00:00Z",
    "a number": 1_795_420_800,
}


def _price(world: World, **given: Any) -> None:
    world.shop.office.prices.put(Price(Shop.MILK, Money(249, "EUR"), tax="0.20", **given))


VALIDITY = parametrised(
    each("valid from", lambda w, v: _price(w, valid_from=v), INSTANTS, InvalidInstant, field="valid_from"),
    each("valid to", lambda w, v: _price(w, valid_to=v), INSTANTS, InvalidInstant, field="valid_to"),
    [
        Case(
            "ends before it starts",
            lambda w: _price(w, valid_from=datetime(2027, 1, 1, tzinfo=UTC), valid_to=datetime(2026, 1, 1, tzinfo=UTC)),
            InvalidInstant,
            {"field": "valid_to"},
        ),
        Case(
            "ends as it starts",
            lambda w: _price(w, valid_from=datetime(2027, 1, 1, tzinfo=UTC), valid_to=datetime(2027, 1, 1, tzinfo=UTC)),
            InvalidInstant,
            {"field": "valid_to"},
        ),
    ],
)


def _slot(name: str, slot: str, reason: str) -> Case:
    return Case(
        name,
        lambda w: w.shop.app.checkout.promise(w.cart.id, slot=slot),
        SlotUnavailable,
        {"slot": slot, "reason": reason},
    )


SLOTS = parametrised(
    [
        _slot("past", "slt_SOF01_20261123T0700Z", "past"),
        _slot("years ago", "slt_SOF01_20010101T0900Z", "past"),
        _slot("within the lead", "slt_SOF01_20261123T0800Z", "too_soon"),
        _slot("beyond the horizon", "slt_SOF01_20261130T0900Z", "beyond_horizon"),
        _slot("far away", "slt_SOF01_21991231T0900Z", "beyond_horizon"),
        _slot("before the doors open", "slt_SOF01_20261124T0500Z", "closed"),
        _slot("after the doors close", "slt_SOF01_20261123T1900Z", "closed"),
        _slot("on a Sunday", "slt_SOF01_20261129T0900Z", "closed"),
        _slot("between two slots", "slt_SOF01_20261124T0930Z", "closed"),
    ],
    each(
        "no slot",
        lambda w, v: w.shop.app.checkout.promise(w.cart.id, slot=v),
        {
            "empty": "",
            "year 9999": "slt_SOF01_99991231T0900Z",
            "a month 13": "slt_SOF01_20261324T0900Z",
            "30 February": "slt_SOF01_20270230T0900Z",
            "25 o'clock": "slt_SOF01_20261124T2500Z",
            "with seconds": "slt_SOF01_20261124T090000Z",
            "Arabic digits": "slt_SOF01_2026112٤T0900Z",
            "local time": "slt_SOF01_20261124T0900",
            "a store that is not there": "slt_GONE_20261124T0900Z",
            "a cart": "crt_00000000000000000000000000",
            "NUL": "slt_SOF01_20261124T0900Z\x00",
            "nothing": None,
            "a number": 5,
            "an object": object,
        },
        NotFound,
        kind="slot",
        value=None,
    ),
)

LASTING = parametrised(
    each(
        "lasts",
        lambda w, v: w.shop.app.checkout.promise(w.cart.id, slot=w.promise.slot, lasts=v),
        {
            "a number": 900,
            "text": "15 minutes",
            "nothing left": timedelta(0),
            "below zero": timedelta(minutes=-15),
            "a second too short": timedelta(seconds=59),
            "a second too long": timedelta(hours=48, seconds=1),
            "for ever": timedelta.max,
        },
        InvalidInput,
        field="lasts",
    )
)

BY = parametrised(
    each("by", lambda w, v: w.shop.app.checkout.offers(w.cart.id, by=v), INSTANTS, InvalidInstant, field="by"),
    each(
        "by",
        lambda w, v: w.shop.app.checkout.offers(w.cart.id, by=w.shop.clock.now() + v),
        {"now": timedelta(0), "a moment ago": timedelta(microseconds=-1), "last year": timedelta(days=-365)},
        InvalidInput,
        field="by",
        value=ANY,
        rule="must lie ahead",
    ),
)

DAYS = parametrised(
    each(
        "day",
        lambda w, v: w.shop.store.pickups.due(day=v),
        {"text": "2026-11-23", "a number": 20261123, "the last day": date.max, "the first day": date.min},
        InvalidInstant,
        field="day",
    ),
    each(
        "an instant",
        lambda w, v: w.shop.store.pickups.due(day=v),
        {"aware": datetime(2026, 11, 23, tzinfo=UTC)},
        InvalidInstant,
        field="day",
    ),
    each("stage", lambda w, v: w.shop.store.pickups.due(stage=v), ["ready", 5], InvalidInput, field="stage"),
)


@VALIDITY
def test_an_instant_is_aware_and_of_this_age(world: World, case: Case) -> None:
    judge(world, case)


@SLOTS
def test_a_slot_is_one_that_the_store_offers(world: World, case: Case) -> None:
    judge(world, case)


@LASTING
def test_a_promise_lasts_within_bounds(world: World, case: Case) -> None:
    judge(world, case)


@BY
def test_the_time_until_when_a_basket_is_wanted_is_an_instant_ahead(world: World, case: Case) -> None:
    judge(world, case)


@DAYS
def test_a_day_is_a_day_and_a_stage_a_stage(world: World, case: Case) -> None:
    judge(world, case)


def test_a_full_slot_is_refused(world: World) -> None:
    shop = world.shop
    shop.office.stock.receive("SOF02", Shop.MILK, 5)
    taken = promised(shop, {Shop.MILK: 1}, store="SOF02")
    cart = filled(shop, {Shop.MILK: 1}, touch=shop.stranger)
    assert free_slot(shop, cart, "SOF02", touch=shop.stranger) != taken.slot
    before = world.state()
    error = refused(SlotUnavailable, shop.stranger.checkout.promise, cart.id, slot=taken.slot)
    assert error.facts == {
        "slot": taken.slot, "reason": "full", "of": "orders", "wanted": 1, "free": 0,
        "earliest": "2026-11-23T12:00+02:00",
    }  # fmt: skip
    assert world.state() == before
