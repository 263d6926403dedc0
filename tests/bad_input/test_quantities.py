"""Quantities that no shop could accept."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from omniorder import Add, Article, Change, Pick, Unit
from omniorder.errors import (
    CartEmpty,
    InvalidInput,
    InvalidQuantity,
    NotFound,
    NotReady,
    TooMany,
    WeightOutOfTolerance,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World

NO_WHOLE_NUMBER: Final[Mapping[str, Any]] = {
    "a fraction": 1.5,
    "a whole float": 2.0,
    "a decimal": Decimal(1),
    "NaN": float("nan"),
    "infinity": float("inf"),
    "True": True,
    "text": "5",
    "text with an underscore": "1_000",
    "Arabic digits": "٥",
    "nothing": None,
    "bytes": b"5",
}
OUT_OF_RANGE: Final[Mapping[str, Any]] = {
    "below zero": -1,
    "over the limit": 1_000_001,
    "2**63": 2**63,
    "2**200": 2**200,
    "-2**200": -(2**200),
}
NONE: Final[Mapping[str, Any]] = {"zero": 0}
QUANTITIES: Final = {**NO_WHOLE_NUMBER, **OUT_OF_RANGE, **NONE}
LIMITS: Final = {**NO_WHOLE_NUMBER, **OUT_OF_RANGE, **NONE, "over the page limit": 101}
MANY: Final[dict[str, Any]] = {**QUANTITIES, "1001": 1001}


def _milk(world: World) -> str:
    return world.cart.lines[0].id


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


SHARES: Final[Mapping[str, Any]] = {
    **_without(NO_WHOLE_NUMBER, "a decimal"),
    **_without(OUT_OF_RANGE),
    "more than a half": "0.51",
    "less than nothing": "-0.1",
    "five decimals": "0.12345",
    "per cent": "10 %",
    "a decimal above a half": Decimal("0.6"),
    "a decimal that is none": Decimal("NaN"),
}
"""What is no tolerance."""

COUNTED = parametrised(
    each(
        "tolerance",
        lambda w, v: w.shop.office.articles.put(Article("GOUDA", "Gouda", Unit.GRAM, tolerance=v)),
        SHARES,
        InvalidQuantity,
        field="tolerance",
    ),
    each(
        "add", lambda w, v: w.shop.app.carts.add(w.cart.id, Shop.MILK, v), QUANTITIES, InvalidQuantity, field="quantity"
    ),
    each("change", lambda w, v: w.shop.app.carts.change(w.cart.id, _milk(w), v), QUANTITIES, InvalidQuantity),
    each("edit", lambda w, v: w.shop.app.carts.edit(w.cart.id, [Change(_milk(w), v)]), QUANTITIES, InvalidQuantity),
    each(
        "pick",
        lambda w, v: w.shop.store.pickups.pick(w.placed.id, w.placed.lines[0].id, v),
        _without(QUANTITIES, "nothing"),
        InvalidQuantity,
    ),
    each(
        "pick several",
        lambda w, v: w.shop.store.pickups.pick(w.placed.id, [Pick(w.placed.lines[0].id, v)]),
        QUANTITIES,
        InvalidQuantity,
    ),
    each(
        "hand over",
        lambda w, v: w.shop.store.pickups.hand_over(
            w.ready.id, code=w.ticket.code, lines=[Pick(w.ready.lines[0].id, v)]
        ),
        QUANTITIES,
        InvalidQuantity,
    ),
    each("receive", lambda w, v: w.shop.store.stock.receive("SOF01", Shop.MILK, v), QUANTITIES, InvalidQuantity),
    each(
        "adjust",
        lambda w, v: w.shop.store.stock.adjust("SOF01", Shop.MILK, v, reason="count"),
        _without(QUANTITIES, "below zero"),
        InvalidQuantity,
        field="by",
    ),
    each(
        "keep back",
        lambda w, v: w.shop.store.stock.keep_back("SOF01", Shop.MILK, v),
        _without(QUANTITIES, "zero"),
        InvalidQuantity,
    ),
    each(
        "if_version",
        lambda w, v: w.shop.app.carts.change(w.cart.id, _milk(w), 3, if_version=v),
        _without(QUANTITIES, "zero", "nothing"),
        InvalidQuantity,
        field="if_version",
    ),
)

LIMITED = parametrised(
    each("orders.page", lambda w, v: w.shop.app.orders.page(limit=v), LIMITS, InvalidQuantity, field="limit"),
    each("timeline", lambda w, v: w.shop.app.orders.timeline(w.placed.id, limit=v), LIMITS, InvalidQuantity),
    each("due", lambda w, v: w.shop.store.pickups.due(limit=v), LIMITS, InvalidQuantity),
    each("movements", lambda w, v: w.shop.store.stock.movements("SOF01", Shop.MILK, limit=v), LIMITS, InvalidQuantity),
    each("sweep", lambda w, v: w.shop.hub.sweep(v), QUANTITIES, InvalidQuantity, field="limit"),
    each("pull", lambda w, v: w.shop.hub.journal.pull("audit", limit=v), MANY, InvalidQuantity),
)

SUMMED = parametrised(
    [
        Case(
            "a line that grows over the limit",
            lambda w: w.shop.app.carts.edit(w.cart.id, [Add(Shop.MILK, 600_000), Add(Shop.MILK, 400_000)]),
            InvalidQuantity,
            {"value": "1000002"},
        ),
        Case(
            "two lines of one article that are over the limit together",
            lambda w: w.shop.app.carts.edit(
                w.cart.id, [Add(Shop.APPLES, 600_000), Add(Shop.APPLES, 600_000, "the red ones")]
            ),
            InvalidQuantity,
            {"value": "1200000"},
        ),
        Case(
            "10,001 lines",
            lambda w: w.shop.app.carts.edit(w.cart.id, [Add(Shop.MILK, 1, str(n)) for n in range(10_001)]),
            TooMany,
            {"field": "edits", "value": "10001"},
        ),
        Case(
            "one line more than a cart holds",
            lambda w: w.shop.app.carts.edit(w.cart.id, [Add(Shop.MILK, 1, f"no. {n}") for n in range(499)]),
            TooMany,
            {"field": "lines", "value": "501"},
        ),
        Case("offers for an empty cart", lambda w: w.shop.app.checkout.offers(w.empty.id), CartEmpty),
        Case(
            "a promise for an empty cart",
            lambda w: w.shop.app.checkout.promise(w.empty.id, slot=w.promise.slot),
            CartEmpty,
        ),
        Case(
            "more units than are still to be picked",
            lambda w: w.shop.store.pickups.pick(w.placed.id, w.placed.lines[0].id, 3),
            InvalidQuantity,
            {"value": "3"},
        ),
        Case(
            "a tolerance of what is counted",
            lambda w: w.shop.office.articles.put(Article("GOUDA", "Gouda", tolerance="0.10")),
            InvalidInput,
            {"field": "tolerance"},
        ),
        Case(
            "more grams than were agreed on",
            lambda w: w.shop.store.pickups.pick(w.weighed.id, w.weighed.lines[0].id, 102),
            WeightOutOfTolerance,
            {"ordered": 500, "weighed": 551, "least": 450, "most": 550},
        ),
        Case(
            "fewer grams than were agreed on",
            lambda w: w.shop.store.pickups.ready(w.weighed.id),
            NotReady,
        ),
        Case(
            "more units than are still to be handed over",
            lambda w: w.shop.store.pickups.hand_over(
                w.ready.id, code=w.ticket.code, lines=[Pick(w.ready.lines[0].id, 2)] * 2
            ),
            InvalidQuantity,
            {"value": "4"},
        ),
        Case(
            "1,001 lines to be picked",
            lambda w: w.shop.store.pickups.pick(w.placed.id, [Pick(w.placed.lines[0].id, 1)] * 1001),
            TooMany,
            {"field": "lines", "value": "1001"},
        ),
        Case(
            "no line to be picked",
            lambda w: w.shop.store.pickups.pick(w.placed.id, []),
            InvalidInput,
            {"field": "lines"},
        ),
        Case(
            "a good edit beside a bad one",
            lambda w: w.shop.app.carts.edit(w.cart.id, [Add(Shop.MILK, 1), Change("ln_0000000000000", 1)]),
            NotFound,
            {"kind": "line", "id": "ln_0000000000000"},
        ),
    ]
)


@COUNTED
def test_a_quantity_is_a_whole_number_within_the_limit(world: World, case: Case) -> None:
    judge(world, case)


@LIMITED
def test_the_size_of_a_page_is_a_whole_number_within_the_limit(world: World, case: Case) -> None:
    judge(world, case)


@SUMMED
def test_sums_and_counts_are_checked_too(world: World, case: Case) -> None:
    judge(world, case)
