"""What customers say of their coming, and days that can't be measured."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from omniorder.errors import CardNumberRefused, InvalidInput, InvalidInstant, InvalidText, NotFound, TooMany
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World

NEVER: Final[dict[str, Any]] = {
    "naive": datetime(2026, 11, 23, 8, 30),  # noqa: DTZ001 - what is refused here
    "a moment ago": datetime(2026, 11, 23, 7, 59, tzinfo=UTC),
    "the day after tomorrow": datetime(2026, 11, 25, 8, 1, tzinfo=UTC),
    "year 9999": datetime(9999, 12, 31, 23, tzinfo=UTC),
    "text": "in twenty minutes",
}
SPANS: Final[dict[str, Any]] = {"negative": timedelta(seconds=-1), "two days": timedelta(days=2), "minutes": 20}
WORDS: Final[dict[str, Any]] = {
    "none": None, "a number": 3, "two lines": "P3\nP4", "NUL": "P3\x00", "too long": "P" * 101,
    "reversed": "P\u202e3",
}  # fmt: skip
CARD: Final = "4111 1111 1111 1111"
DAY: Final = date(2026, 11, 23)

ESTIMATES = parametrised(
    each("arrives", lambda w, v: w.shop.app.orders.on_my_way(w.placed.id, arrives=v), NEVER, InvalidInstant,
         field="arrives", value=None),
    each("within", lambda w, v: w.shop.app.orders.on_my_way(w.placed.id, within=v), SPANS, InvalidInstant,
         field="within", value=None),
    [
        Case("neither", lambda w: w.shop.app.orders.on_my_way(w.placed.id), InvalidInput, {"field": "arrives"}),
        Case("both", lambda w: w.shop.app.orders.on_my_way(w.placed.id, arrives=NEVER["naive"], within=timedelta(1)),
             InvalidInput, {"field": "arrives"}),
    ],
)  # fmt: skip

TEXTS = parametrised(
    each("name", lambda w, v: w.shop.app.orders.name_proxy(w.placed.id, v), WORDS, InvalidText, value=None),
    each("bay", lambda w, v: w.shop.app.orders.arrived(w.placed.id, bay=v), WORDS, InvalidText, value=None),
    each("vehicle", lambda w, v: w.shop.app.orders.arrived(w.placed.id, vehicle=v), WORDS, InvalidText, value=None),
    [
        Case("no name", lambda w: w.shop.app.orders.name_proxy(w.placed.id, " "), InvalidText, {"field": "name"}),
        Case("a card as name", lambda w: w.shop.app.orders.name_proxy(w.placed.id, CARD), CardNumberRefused),
        Case("a card as bay", lambda w: w.shop.app.orders.arrived(w.placed.id, bay=CARD), CardNumberRefused),
        Case("a card as vehicle", lambda w: w.shop.store.arrivals.arrived(w.placed.id, vehicle=CARD),
             CardNumberRefused),
    ],
)  # fmt: skip

DAYS = parametrised(
    each("day", lambda w, v: w.shop.store.measures(v), ["2026-11-23", datetime(2026, 11, 23, tzinfo=UTC), None,
         date.max, date.min], InvalidInstant, field="day"),
    [
        Case("ends before it starts", lambda w: w.shop.store.measures(DAY, DAY - timedelta(1)), InvalidInstant,
             {"field": "last"}),
        Case("too many days", lambda w: w.shop.store.measures(DAY, DAY + timedelta(92)), TooMany, {"value": "93"}),
        Case("no such store", lambda w: w.shop.office.measures("ZZ99", DAY), NotFound, {"kind": "store"}),
    ],
)  # fmt: skip


@ESTIMATES
def test_an_estimate_is_an_instant_ahead_and_not_far(world: World, case: Case) -> None:
    judge(world, _without_value(case))


@TEXTS
def test_what_people_say_of_themselves_is_one_line_that_no_error_shows(world: World, case: Case) -> None:
    judge(world, _without_value(case))


@DAYS
def test_a_measured_day_is_one_of_a_stores_calendar(world: World, case: Case) -> None:
    judge(world, case)


def _without_value(case: Case) -> Case:
    """The value is hidden, or told in UTC."""
    return Case(case.name, case.call, case.error, {name: told for name, told in case.facts.items() if name != "value"})
