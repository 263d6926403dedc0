"""Commands about stock that no store could mean: each command with each kind of nonsense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from attrs import frozen

from omniorder.errors import (
    CardNumberRefused,
    InvalidId,
    InvalidInput,
    InvalidInstant,
    InvalidKey,
    InvalidQuantity,
    InvalidText,
    NotFound,
    OutOfStock,
    TooMany,
)
from omniorder.services.stock import Stock
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, given, judge, parametrised
from tests.bad_input.conftest import World
from tests.bad_input.test_identity import CURSORS
from tests.bad_input.test_quantities import LIMITS, QUANTITIES
from tests.bad_input.test_text import CARDS, IDS, LINE
from tests.bad_input.test_time import INSTANTS

SOON: Final = datetime(2026, 12, 1, 8, tzinfo=UTC)


@frozen
class Command:
    """A command of the desk: what its number is called, the least it may be, and what else it must be told."""

    name: str
    number: str = "quantity"
    least: int = 1
    more: Mapping[str, Any] = {}

    def on(self, desk: Stock, store: Any = "SOF01", sku: Any = Shop.MILK, number: Any = 1, **more: Any) -> object:
        command: Callable[..., object] = getattr(desk, self.name)
        return command(store, sku, number, **{**self.more, **more})


COMMANDS: Final = (
    Command("receive"),
    Command("count", "counted", 0),
    Command("write_off", more={"reason": "broken"}),
    Command("quarantine", more={"reason": "dented"}),
    Command("clear", more={"reason": "fine"}),
    Command("take_back", more={"reference": "SOF01-7K3F9Q"}),
    Command("expect", least=0, more={"at": SOON, "reference": "DN-7"}),
)
WITH_REASON: Final = tuple(one for one in COMMANDS if one.name != "expect")
MAY_NAME: Final = tuple(one for one in COMMANDS if "reference" not in one.more)
MUST_SAY_WHY: Final = tuple(one for one in COMMANDS if "reason" in one.more)
MUST_NAME: Final = tuple(one for one in COMMANDS if "reference" in one.more)


def _all(
    commands: tuple[Command, ...],
    values: Mapping[str, Any],
    call: Callable[[Command, World, Any], object],
    error: type[Any],
    **facts: Any,
) -> list[Case]:
    return [
        Case(f"{one.name}: {name}", given(partial(call, one), value), error, facts)
        for one in commands
        for name, value in values.items()
    ]


def _counted(one: Command, world: World, number: object) -> object:
    return one.on(world.shop.store.stock, number=number)


QUANTITY = parametrised(
    *(
        each(
            one.name,
            partial(_counted, one),
            {name: value for name, value in QUANTITIES.items() if one.least or name != "zero"},
            InvalidQuantity,
            field=one.number,
        )
        for one in COMMANDS
    )
)
PLACES = parametrised(
    _all(COMMANDS, IDS, lambda one, w, v: one.on(w.shop.store.stock, sku=v), InvalidId, field="sku"),
    _all(COMMANDS, IDS, lambda one, w, v: one.on(w.shop.office.stock, store=v), InvalidId, field="store"),
    _all(
        COMMANDS, {"unknown": "NO-SUCH"}, lambda one, w, v: one.on(w.shop.store.stock, sku=v), NotFound, kind="article"
    ),
    _all(COMMANDS, {"unknown": "GONE"}, lambda one, w, v: one.on(w.shop.office.stock, store=v), NotFound, kind="store"),
    _all(COMMANDS, {"another": "VAR01"}, lambda one, w, v: one.on(w.shop.store.stock, store=v), NotFound, kind="store"),
)
TEXTS = parametrised(
    _all(WITH_REASON, LINE, lambda one, w, v: one.on(w.shop.store.stock, reason=v), InvalidText, field="reason"),
    _all(MUST_NAME, LINE, lambda one, w, v: one.on(w.shop.store.stock, reference=v), InvalidText, field="reference"),
    _all(MAY_NAME, LINE, lambda one, w, v: one.on(w.shop.store.stock, reference=v), InvalidText, field="reference"),
    _all(MUST_SAY_WHY, {"none": ""}, lambda one, w, v: one.on(w.shop.store.stock, reason=v), InvalidText),
    _all(MUST_SAY_WHY, CARDS, lambda one, w, v: one.on(w.shop.store.stock, reason=v), CardNumberRefused),
    _all(MUST_NAME, {"none": " "}, lambda one, w, v: one.on(w.shop.store.stock, reference=v), InvalidText),
    _all(COMMANDS, {"empty": "", "long": "x" * 256}, lambda one, w, v: one.on(w.shop.store.stock, key=v), InvalidKey),
)
NO_INSTANTS: Final[dict[str, Any]] = {**INSTANTS, "nothing": None}
INSTANT = parametrised(
    each(
        "expect",
        lambda w, v: w.shop.store.stock.expect("SOF01", Shop.MILK, 5, at=v, reference="DN-7"),
        NO_INSTANTS,
        InvalidInstant,
        field="at",
    ),
    each(
        "availability",
        lambda w, v: w.shop.store.stock.availability("SOF01", [Shop.MILK], by=v),
        NO_INSTANTS,
        InvalidInstant,
        field="by",
    ),
)
LOOKING = parametrised(
    each("shortages", lambda w, v: w.shop.store.stock.shortages("SOF01", limit=v), LIMITS, InvalidQuantity),
    each("shortages", lambda w, v: w.shop.store.stock.shortages("SOF01", after=v), CURSORS, InvalidId, field="after"),
    each("expected", lambda w, v: w.shop.store.stock.expected("SOF01", v), IDS, InvalidId, field="sku"),
    each("availability", lambda w, v: w.shop.store.stock.availability("SOF01", [v], by=SOON), IDS, InvalidId),
    each(
        "not a list",
        lambda w, v: w.shop.store.stock.availability("SOF01", v, by=SOON),
        [Shop.MILK, 5, None, {Shop.MILK}],
        InvalidInput,
        field="skus",
    ),
    [
        Case(
            "10,001 SKUs",
            lambda w: w.shop.store.stock.availability("SOF01", [Shop.MILK] * 10_001, by=SOON),
            TooMany,
            {"field": "skus"},
        )
    ],
)
TOO_LITTLE = parametrised(
    [
        Case(f"{name} of more than there is", call, OutOfStock, {"store": "SOF01"})
        for name, call in {
            "write off": lambda w: w.shop.store.stock.write_off("SOF01", Shop.BREAD, 1000, reason="broken"),
            "quarantine": lambda w: w.shop.store.stock.quarantine("SOF01", Shop.BREAD, 1000, reason="dented"),
            "clear": lambda w: w.shop.store.stock.clear("SOF01", Shop.BREAD, 1, reason="fine"),
            "write off from quarantine": lambda w: w.shop.store.stock.write_off(
                "SOF01", Shop.BREAD, 1, reason="broken", from_quarantine=True
            ),
            "adjust": lambda w: w.shop.store.stock.adjust("SOF01", Shop.BREAD, -1000, reason="count"),
        }.items()
    ],
    each(
        "final",
        lambda w, v: w.shop.store.stock.receive("SOF01", Shop.MILK, 1, final=v),
        {"without a reference": True, "a number": 1, "nothing": None},
        InvalidInput,
        field="final",
    ),
)


@QUANTITY
def test_a_quantity_is_a_whole_number_within_the_limit(world: World, case: Case) -> None:
    judge(world, case)


@PLACES
def test_stock_is_of_a_known_article_at_a_store_of_ones_own(world: World, case: Case) -> None:
    judge(world, case)


@TEXTS
def test_reasons_references_and_keys_can_be_read(world: World, case: Case) -> None:
    judge(world, case)


@INSTANT
def test_an_instant_is_aware_and_of_this_age(world: World, case: Case) -> None:
    judge(world, case)


@LOOKING
def test_only_what_can_be_there_is_looked_for(world: World, case: Case) -> None:
    judge(world, case)


@TOO_LITTLE
def test_no_more_goes_than_is_there(world: World, case: Case) -> None:
    judge(world, case)
