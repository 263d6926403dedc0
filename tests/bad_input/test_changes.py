"""Changes of an order that no customer could mean: refused alike on every storage, and nothing is written."""

from __future__ import annotations

from typing import Any, Final

from omniorder import Add, Allow, Change, Consent, Money, Note, Remove
from omniorder.errors import (
    CurrencyMismatch,
    IllegalTransition,
    InvalidInput,
    InvalidKey,
    InvalidMoney,
    InvalidQuantity,
    NoPrice,
    NotAllowed,
    NotFound,
    OutOfStock,
    SlotUnavailable,
    TooMany,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, given, judge, parametrised
from tests.bad_input.conftest import World

ELSEWHERE: Final = "slt_SOF02_20261124T0900Z"
NO_SLOTS: Final[dict[str, Any]] = {"a number": 5, "a store": Shop.SOFIA, "SQL": "1 OR 1=1", "empty": ""}
NO_EDITS: Final[dict[str, Any]] = {"nothing": None, "one": Remove("ln_1"), "a text": "ln_1"}
NO_QUANTITIES: Final[dict[str, Any]] = {"none": 0, "less": -1, "huge": 10**9, "half": 0.5, "text": "1", "True": True}
_IN_DOLLARS: Final = Consent.similar(cap=Money(300, "USD"))


def _change(world: World, **what: Any) -> object:
    return world.shop.app.orders.change(world.placed.id, **what)


def _line(world: World) -> str:
    return world.placed.lines[0].id


def _slot(name: str, slot: str, **facts: Any) -> Case:
    return Case(name, given(lambda w, v: _change(w, slot=v), slot), SlotUnavailable, facts)


MOVES = parametrised(
    [
        Case(f"slot: {name}", given(lambda w, v: _change(w, slot=v), value), NotFound, {"kind": "slot"})
        for name, value in NO_SLOTS.items()
    ],
    [
        Case("of no store", lambda w: _change(w, slot="slt_ZZ99_20261124T0900Z"), NotFound, {"kind": "slot"}),
        Case("slots of no store", lambda w: w.shop.app.orders.slots(w.placed.id, store="ZZ99"), NotFound),
        Case("a store without the goods", lambda w: _change(w, slot=ELSEWHERE), OutOfStock, {"store": Shop.MARKET}),
        _slot("past", "slt_SOF01_20261120T0900Z", reason="past"),
        _slot("far away", "slt_SOF01_20281124T0900Z", reason="beyond_horizon"),
        _slot("at night", "slt_SOF01_20261124T0100Z", reason="closed"),
    ],
)
EDITS = parametrised(
    each("edits", lambda w, v: _change(w, edits=v), NO_EDITS, InvalidInput, field="edits"),
    each("more", lambda w, v: _change(w, edits=[Add(Shop.MILK, v)]), NO_QUANTITIES, InvalidQuantity),
    each("another number", lambda w, v: _change(w, edits=[Change(_line(w), v)]), NO_QUANTITIES, InvalidQuantity),
    [
        Case("a note", lambda w: _change(w, edits=[Note(_line(w), "ripe")]), InvalidInput, {"field": "edits"}),
        Case("10,001 lines", lambda w: _change(w, edits=[Add(Shop.MILK, note=str(n)) for n in range(10_001)]), TooMany),
        Case("501 lines", lambda w: _change(w, edits=[Add(Shop.MILK, note=str(n)) for n in range(501)]), TooMany,
             {"field": "lines"}),
        Case("a million more", lambda w: _change(w, edits=[Add(Shop.MILK, 10**6)]), InvalidQuantity),
        Case("more than there is", lambda w: _change(w, edits=[Add(Shop.MILK, 999)]), OutOfStock),
        Case("no line of it", lambda w: _change(w, edits=[Remove("ln_0")]), NotFound, {"kind": "line"}),
        Case("another order's", lambda w: _change(w, edits=[Remove(w.ready.lines[0].id)]), NotFound, {"kind": "line"}),
        Case("no article", lambda w: _change(w, edits=[Add("NO-SUCH")]), NoPrice),
        Case("no article instead", lambda w: _change(w, edits=[Add(Shop.MILK, substitutes=Consent.named("NO-SUCH"))]),
             NotFound, {"kind": "article"}),
        Case("a cap in another currency", lambda w: _change(w, edits=[Add(Shop.MILK, substitutes=_IN_DOLLARS)]),
             CurrencyMismatch),
        Case("a consent", lambda w: _change(w, edits=[Allow(_line(w), Consent.similar())]), InvalidInput,
             {"field": "edits"}),
        Case("all of it", lambda w: _change(w, edits=[Remove(_line(w))]), InvalidInput, {"field": "edits"}),
    ],
)  # fmt: skip
OTHERS = parametrised(
    each("expect", lambda w, v: _change(w, expect=v), {"a number": 498, "text": "4.98 EUR"}, InvalidMoney),
    each("pay", lambda w, v: _change(w, pay=v), {"text": "card", "a number": 5}, InvalidInput, field="pay"),
    each("key", lambda w, v: _change(w, edits=[Add(Shop.MILK)], key=v), {"empty": "", "a number": 5}, InvalidKey),
    [
        Case("of no order", lambda w: w.shop.app.orders.change("SOF01-000000"), NotFound),
        Case("another customer's", lambda w: w.shop.stranger.orders.change(w.placed.id), NotFound),
        Case("quote of another customer's", lambda w: w.shop.stranger.orders.quote_change(w.placed.id), NotFound),
        Case("slots of another customer's", lambda w: w.shop.stranger.orders.slots(w.placed.id), NotFound),
        Case("another store's", lambda w: w.shop.elsewhere.orders.change(w.placed.id), NotFound),
        Case("dearer by the store", lambda w: w.shop.store.orders.change(w.placed.id, edits=[Add(Shop.MILK)]),
             NotAllowed),
        Case("unpaid", lambda w: w.shop.app.orders.change(w.unpaid.id), IllegalTransition, {"state": "placed"}),
        Case("picked", lambda w: w.shop.app.orders.change(w.weighed.id), IllegalTransition, {"state": "picking"}),
        Case("ready", lambda w: w.shop.app.orders.change(w.ready.id), IllegalTransition, {"state": "ready"}),
        Case("gone", lambda w: w.shop.app.orders.change(w.collected.id), IllegalTransition, {"state": "completed"}),
        Case("called off", lambda w: w.shop.app.orders.change(w.cancelled.id), IllegalTransition,
             {"machine": "order"}),
        Case("foreign money", lambda w: _change(w, expect=Money(498, "USD"), edits=["x"]), InvalidInput),
    ],
)  # fmt: skip


@MOVES
def test_an_order_moves_to_a_window_that_there_is(world: World, case: Case) -> None:
    judge(world, case)


@EDITS
def test_an_order_becomes_what_can_be_had(world: World, case: Case) -> None:
    judge(world, case)


@OTHERS
def test_an_order_is_changed_by_whoever_may_while_it_can_be(world: World, case: Case) -> None:
    judge(world, case)
