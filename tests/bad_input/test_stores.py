"""Stores, articles' needs and slots that can't be."""

from __future__ import annotations

import math
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from omniorder import Article, Bin, Closure, Point, Service, Store
from omniorder.errors import (
    CardNumberRefused,
    InvalidInput,
    InvalidInstant,
    InvalidStore,
    InvalidText,
    ServiceMissing,
    SlotUnavailable,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DAY: Final = Closure(NOON, NOON + 24 * HOUR)


def _store(world: World, **how: Any) -> None:
    world.shop.office.stores.put(Store("S1", **{"zone": "Europe/Sofia", "hours": "24/7", **how}))


def _bad(name: str, values: dict[str, Any]) -> list[Case]:
    return each(name, lambda w, v: _store(w, **{name: v}), values, InvalidStore, field=name)


PLACES: Final[dict[str, Any]] = {
    "not a number": math.nan,
    "infinite": math.inf,
    "infinite the other way": -math.inf,
    "text": "42.69",
    "true": True,
    "nothing": None,
    "a decimal": Decimal("42.69"),
    "huge": 10**400,
}

STORES = parametrised(
    each("lat", lambda w, v: _store(w, place=Point(v, 0)), PLACES | {"too far north": 90.1}, InvalidStore, field="lat"),
    each("lon", lambda w, v: _store(w, place=Point(0, v)), PLACES | {"too far west": -181}, InvalidStore, field="lon"),
    _bad("place", {"a pair": (42.69, 23.32), "text": "42.69,23.32"}),
    _bad("services", {"a name": "pickup", "names": ["pickup"], "one": Service.PICKUP, "nothing": None}),
    _bad("transit", {"a number": 3600, "below zero": -HOUR, "too long": 91 * 24 * HOUR, "text": "1 day"}),
    _bad("cutoff", {"text": "18:00", "an hour": 18, "with seconds": time(18, 0, 1), "in UTC": time(18, tzinfo=UTC)}),
    _bad(
        "slot_lines",
        {"below zero": -1, "true": True, "text": "5", "half": 0.5, "2**63": 2**63, "not a number": math.nan},
    ),
    _bad("bins", {"text": "C4", "nothing": None}),
    [
        Case("codes of bins", lambda w: _store(w, bins=["C4"]), InvalidStore, {"field": "bins"}),
        Case("a bin twice", lambda w: _store(w, bins=[Bin("C4"), Bin("C4", holds=2)]), InvalidStore, {"field": "bins"}),
        Case(
            "too many bins", lambda w: _store(w, bins=map(Bin, map(str, range(1001)))), InvalidStore, {"value": "1001"}
        ),
    ],
    each("holds", lambda w, v: Bin("C4", holds=v), {"none": 0, "true": True, "text": "2", "half": 0.5}, InvalidInput),
    each("temperature", lambda w, v: Bin("C4", v), {"text": "chilled", "nothing": None}, InvalidInput),
    each("locker", lambda w, v: Bin("C4", locker=v), {"text": "yes", "a number": 1}, InvalidInput),
    [
        Case("a locker of two", lambda w: Bin("L1", holds=2, locker=True), InvalidInput, {"field": "holds"}),
        Case("two codes in one", lambda w: Bin("C4, C5"), InvalidInput, {"field": "code"}),
    ],
    _bad("closed", {"one": DAY, "text": "2026-11-24", "nothing": None}),
    [
        Case(
            "closures that overlap",
            lambda w: _store(w, closed=[DAY, Closure(NOON + 23 * HOUR, NOON + 48 * HOUR)]),
            InvalidStore,
            {"field": "closed"},
        ),
        Case("no closures", lambda w: _store(w, closed=[(NOON, NOON + HOUR)]), InvalidStore, {"field": "closed"}),
        Case(
            "hours with a mistake from column 7 on",
            lambda w: _store(w, hours='"обед" 08:00-21:O0'),
            InvalidStore,
            {"field": "hours", "column": 7},
        ),
    ],
)

CLOSURES = parametrised(
    each(
        "starts",
        lambda w, v: _store(w, closed=[Closure(v, NOON)]),
        {"naive": datetime(2026, 11, 23, 8), "text": "2026-11-23", "year 9999": datetime(9999, 12, 31, tzinfo=UTC)},  # noqa: DTZ001
        InvalidInstant,
        field="starts",
    ),
    [
        Case(
            "ends before it starts",
            lambda w: _store(w, closed=[Closure(NOON, NOON - HOUR)]),
            InvalidInstant,
            {"field": "ends"},
        ),
        Case("ends as it starts", lambda w: _store(w, closed=[Closure(NOON, NOON)]), InvalidInstant, {"field": "ends"}),
        Case(
            "a card number as its reason",
            lambda w: _store(w, closed=[Closure(NOON, NOON + HOUR, "4242424242424242")]),
            CardNumberRefused,
            {"field": "reason"},
        ),
    ],
    each(
        "reason",
        lambda w, v: _store(w, closed=[Closure(NOON, NOON + HOUR, v)]),
        {"NUL": "a\x00", "two lines": "a\nb", "a number": 5},
        InvalidText,
        field="reason",
    ),
)

NEEDS = parametrised(
    each(
        "needs",
        lambda w, v: w.shop.office.articles.put(Article("TEA", "Tea", needs=v)),
        {"a name": "fitting", "names": ["fitting"], "one": Service.FITTING, "nothing": None, "a number": 5},
        InvalidInput,
        field="needs",
    )
)


def _slot(name: str, slot: str, reason: str, **facts: Any) -> Case:
    return Case(
        name,
        lambda w: w.shop.app.checkout.promise(w.cart.id, slot=slot),
        SlotUnavailable,
        {"slot": slot, "reason": reason, **facts},
    )


SLOTS = parametrised(
    [
        _slot("too many lines", "slt_ONE01_20261124T0900Z", "full", of="lines", wanted=2, free=1),
        _slot("in a closure", "slt_SHUT1_20261124T1200Z", "closure"),
        _slot("as a closure ends", "slt_SHUT1_20261125T1100Z", "closure"),
        _slot("after the cut-off", "slt_LATE1_20261123T1500Z", "cut_off"),
        _slot("where nobody collects", "slt_DC01_20261124T0900Z", "no_pickup"),
    ]
)


COLLECTING = parametrised(
    each(
        "collect",
        lambda w, v: w.shop.app.checkout.promise(w.cart.id, slot=w.promise.slot, collect=v),
        {"a name": "pickup", "no way to collect": Service.FITTING, "two": {Service.PICKUP}, "a number": 1},
        InvalidInput,
        field="collect",
    ),
    [
        Case(
            "one that the store lacks",
            lambda w: w.shop.app.checkout.promise(w.cart.id, slot=w.promise.slot, collect=Service.LOCKERS),
            ServiceMissing,
            {"store": "SOF01"},
        )
    ],
)


def _open_more_stores(world: World) -> None:
    """Writing them again changes nothing."""
    at: dict[str, Any] = {"zone": "Europe/Sofia", "hours": "24/7"}
    world.shop.office.stores.put(
        Store("ONE01", slot_lines=1, **at),
        Store("SHUT1", closed=[DAY], **at),
        Store("LATE1", cutoff=time(0), **at),
        Store("DC01", services={Service.SHIP_TO_STORE}, **at),
    )
    for sku in (Shop.MILK, Shop.BREAD):
        world.shop.office.stock.receive("ONE01", sku, 9, key="opening-stock")


@STORES
def test_a_store_is_one_that_can_be(world: World, case: Case) -> None:
    judge(world, case)


@CLOSURES
def test_a_closure_is_a_stretch_of_time_with_a_reason(world: World, case: Case) -> None:
    judge(world, case)


@NEEDS
def test_an_article_needs_services(world: World, case: Case) -> None:
    judge(world, case)


@SLOTS
def test_a_slot_is_one_that_its_store_can_give(world: World, case: Case) -> None:
    _open_more_stores(world)
    judge(world, case)


@COLLECTING
def test_a_way_to_collect_is_one_that_the_store_has(world: World, case: Case) -> None:
    judge(world, case)
