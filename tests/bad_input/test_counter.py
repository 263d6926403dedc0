"""What is said wrongly at the counter: refusals, checks, signatures, receipts that were never made."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

from omniorder import Check, CheckKind, Pick, Unwanted
from omniorder.errors import InvalidInput, InvalidQuantity, InvalidText, NotFound, NotReady
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World

PASSED, FAILED = Check(CheckKind.AGE, passed=True), Check(CheckKind.AGE, passed=False)
QUANTITIES = {"none": 0, "below": -1, "huge": 2**63, "a half": 1.5, "text": "1", "true": True, "nothing": None}

NO_REFUSALS = {"text": "ln_", "texts": ["ln_"], "a number": 5, "one": Unwanted("ln_", 1), "a pick": [Pick("ln_", 1)]}


def hand_over(world: World, **what: Any) -> object:
    return world.shop.store.pickups.hand_over(world.ready.id, code=world.ticket.code, **what)


def bill(world: World, **what: Any) -> object:
    return world.shop.store.pickups.bill(world.ready.id, **what)


SAID_WRONGLY = parametrised(
    each("refused", lambda w, v: hand_over(w, refused=v), NO_REFUSALS, InvalidInput, field="refused", value=ANY),
    each("refused, bill", lambda w, v: bill(w, refused=v), NO_REFUSALS, InvalidInput, field="refused", value=ANY),
    each("how many are refused", lambda w, v: Unwanted("ln_1", v), QUANTITIES, InvalidQuantity),
    each(
        "why they are",
        lambda w, v: Unwanted("ln_1", 1, v),
        {"nothing": "", "two lines": "a\nb", "a speech": "x" * 101, "none": None},
        InvalidText,
        value=ANY,
    ),
    each(
        "more than there are",
        lambda w, v: hand_over(w, refused=[Unwanted(w.ready.lines[0].id, v)]),
        [3, 10_000],
        InvalidQuantity,
    ),
    each(
        "taken as well as refused",
        lambda w, v: hand_over(w, lines=[Pick(w.ready.lines[0].id, v)], refused=[Unwanted(w.ready.lines[0].id, 1)]),
        [2],
        InvalidQuantity,
    ),
    each(
        "checks",
        lambda w, v: hand_over(w, checks=v),
        {"text": "age", "texts": ["age"], "the same twice": [PASSED, FAILED], "one": PASSED},
        InvalidInput,
        field="checks",
        value=ANY,
    ),
    each(
        "the outcome of a check",
        lambda w, v: Check(CheckKind.AGE, passed=v),
        [1, "yes", None, "1990-01-01"],
        InvalidInput,
        field="passed",
    ),
    each("the kind of a check", lambda w, v: Check(v, passed=True), ["age", None, 5], InvalidInput, field="kind"),
    each("rest", lambda w, v: hand_over(w, rest=v), ["later", None, 5], InvalidInput, field="rest"),
    each("by proxy", lambda w, v: hand_over(w, by_proxy=v), ["yes", None, 1], InvalidInput, field="by_proxy"),
    each(
        "signature",
        lambda w, v: hand_over(w, signature=v),
        {"a picture": "data:image/png;base64," + "A" * 100, "two lines": "a\nb", "bytes": b"png", "none": None},
        InvalidText,
        field="signature",
        value=ANY,
    ),
    [
        Case("a signature instead of the code", lambda w: w.shop.store.pickups.hand_over(w.ready.id, signature="s"),
             InvalidInput, {"field": "code", "value": "'(hidden)'"}),
        Case("a bill before it is ready", lambda w: w.shop.store.pickups.bill(w.placed.id), NotReady),
        Case("a bill of another store", lambda w: w.shop.elsewhere.pickups.bill(w.ready.id), NotFound),
        Case("refuse a line that is not there", lambda w: hand_over(w, refused=[Unwanted("ln_0", 1)]), NotFound),
        Case("refuse what is not ready", lambda w: w.shop.store.pickups.hand_over(
            w.placed.id, code="0000000", refused=[Unwanted(w.placed.lines[0].id, 1)]), NotReady),
        Case("a receipt of what was never handed over",
             lambda w: w.shop.store.pickups.receipt(w.ready.id, f"{w.ready.id}-1"), NotFound, {"kind": "receipt"}),
        Case("a receipt of another order",
             lambda w: w.shop.store.pickups.receipt(w.ready.id, f"{w.collected.id}-1"), NotFound),
        Case("another store's receipt",
             lambda w: w.shop.elsewhere.pickups.receipt(w.collected.id, f"{w.collected.id}-1"), NotFound),
    ],
)  # fmt: skip


@SAID_WRONGLY
def test_it_is_refused_and_nothing_has_changed(world: World, case: Case) -> None:
    judge(world, case)
