"""Refunds, goodwill and fees that no shop could grant: refused alike on every storage, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from omniorder import Money, Order, Pick
from omniorder.errors import (
    CardNumberRefused,
    CorrectionRefused,
    CurrencyMismatch,
    IllegalTransition,
    InvalidId,
    InvalidInput,
    InvalidKey,
    InvalidMoney,
    InvalidQuantity,
    InvalidText,
    NotFound,
    TooMany,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, given, judge, parametrised
from tests.bad_input.conftest import World

NO_MONEY: Final[dict[str, Any]] = {"a number": 100, "text": "1.00 EUR", "a float": 1.0, "True": True}
TOO_LITTLE: Final[dict[str, Any]] = {"nothing": Money(0, "EUR"), "below zero": Money(-1, "EUR")}
FOREIGN: Final[dict[str, Any]] = {"dollars": Money(100, "USD"), "yen": Money(100, "JPY")}
REASONS: Final[dict[str, Any]] = {"empty": "", "spaces": "   ", "two lines": "a\nb", "a NUL": "a\x00", "no text": 5}
CARD_NUMBER: Final = "card 4242 4242 4242 4242"


def _refund(world: World, order: Order, **what: Any) -> object:
    return world.shop.store.orders.refund(order.id, **{"reason": "dented", **what})


def _goodwill(world: World, amount: Any, **what: Any) -> object:
    return world.shop.store.orders.goodwill(world.collected.id, amount, **{"reason": "late", **what})


def _cancel(world: World, fee: Any) -> object:
    return world.shop.store.orders.cancel(world.placed.id, fee=fee)


def _money(what: str, call: Callable[[World, Any], object]) -> list[Case]:
    """Amounts that are none, each way in which money is asked for."""
    few = [
        Case(f"{what}: {name}", given(call, amount), InvalidMoney, {"value": f"'{amount}'"})
        for name, amount in TOO_LITTLE.items()
    ]
    foreign = [
        Case(f"{what}: {name}", given(call, amount), CurrencyMismatch, {"value": f"'{amount.currency}'"})
        for name, amount in FOREIGN.items()
    ]
    return [*each(what, call, NO_MONEY, InvalidMoney), *few, *foreign]


AMOUNTS = parametrised(
    _money("refund", lambda w, v: _refund(w, w.collected, amount=v)),
    _money("kept of a refund", lambda w, v: _refund(w, w.collected, fee=v)),
    _money("goodwill", _goodwill),
    _money("fee", _cancel),
    [
        Case("goodwill of None", lambda w: _goodwill(w, None), InvalidMoney, {"value": "None"}),
        Case("an amount and units", lambda w: _refund(w, w.collected, amount=Money(1, "EUR"), units=_one(w.collected)),
             InvalidInput),
        Case("a fee above what goes back",
             lambda w: _refund(w, w.collected, units=_one(w.collected), fee=Money(250, "EUR")), InvalidMoney),
    ],
)  # fmt: skip

REST = parametrised(
    [
        Case("a refund", lambda w: _refund(w, w.collected, amount=Money(499, "EUR")), CorrectionRefused,
             {"reason": "above_rest", "most": "4.98 EUR"}),
        Case("a refund of 2**62", lambda w: _refund(w, w.collected, amount=Money(2**62, "EUR")), CorrectionRefused,
             {"reason": "above_rest"}),
        Case("goodwill", lambda w: _goodwill(w, Money(499, "EUR")), CorrectionRefused,
             {"reason": "above_rest", "most": "4.98 EUR"}),
        Case("a fee", lambda w: _cancel(w, Money(499, "EUR")), CorrectionRefused,
             {"reason": "fee_too_high", "most": "4.98 EUR"}),
        Case("before anything is collected", lambda w: _refund(w, w.ready), CorrectionRefused,
             {"reason": "nothing_left", "most": "0.00 EUR"}),
        Case("more units than were collected", lambda w: _refund(w, w.collected, units=_of(w.collected, 3)),
             CorrectionRefused, {"reason": "units"}),
        Case("units that nobody has yet", lambda w: _refund(w, w.ready, units=_one(w.ready)),
             CorrectionRefused, {"reason": "units"}),
        Case("the same unit in two picks", lambda w: _refund(w, w.collected, units=[*_one(w.collected)] * 3),
             CorrectionRefused, {"reason": "units"}),
    ]
)  # fmt: skip

ORDERS = parametrised(
    [
        Case("called off", lambda w: _refund(w, w.cancelled), IllegalTransition, {"state": "cancelled"}),
        Case("not paid", lambda w: _refund(w, w.unpaid), IllegalTransition, {"state": "placed"}),
        Case("a fee for one that is not confirmed",
             lambda w: w.shop.store.orders.cancel(w.unpaid.id, fee=Money(1, "EUR")), IllegalTransition),
        Case("a fee for one that was collected",
             lambda w: w.shop.store.orders.cancel(w.collected.id, fee=Money(1, "EUR")), IllegalTransition),
        Case("unknown", lambda w: w.shop.store.orders.refund("SOF01-000000", reason="x"), NotFound),
        Case("no reference", lambda w: w.shop.store.orders.refund("1 OR 1=1", reason="x"), NotFound),
        Case("of another store", lambda w: w.shop.elsewhere.orders.refund(w.collected.id, reason="x"), NotFound),
    ]
)  # fmt: skip

WORDS = parametrised(
    each("reason", lambda w, v: _refund(w, w.collected, reason=v), REASONS, InvalidText, field="reason"),
    each("reason of goodwill", lambda w, v: _goodwill(w, Money(1, "EUR"), reason=v), REASONS, InvalidText,
         field="reason"),
    [
        Case("a card number in the reason", lambda w: _refund(w, w.collected, reason=CARD_NUMBER), CardNumberRefused,
             {"value": "'(hidden)'"}),
        Case("a key of 256 characters", lambda w: _refund(w, w.collected, key="k" * 256), InvalidKey),
        Case("an unknown line", lambda w: _refund(w, w.collected, units=[Pick("ln_0", 1)]), NotFound,
             {"kind": "line"}),
        Case("no units", lambda w: _refund(w, w.collected, units=[]), InvalidInput),
        Case("units that are none", lambda w: _refund(w, w.collected, units=["milk"]), InvalidInput),
        Case("0 units", lambda w: _refund(w, w.collected, units=_of(w.collected, 0)), InvalidQuantity),
        Case("1,001 picks", lambda w: _refund(w, w.collected, units=[*_one(w.collected)] * 1001), TooMany),
        Case("to an unknown payment", lambda w: _refund(w, w.collected, to="pay_SOF01_000000_1"), NotFound,
             {"kind": "payment"}),
        Case("to the payment of another order", lambda w: _refund(w, w.collected, to=w.placed.payments[0].id), NotFound,
             {"kind": "payment"}),
        Case("to no text", lambda w: _refund(w, w.collected, to=5), InvalidText),
        Case("a list of an unknown store", lambda w: w.shop.office.orders.refunds("NOPE1"), NotFound),
        Case("a list after nothing", lambda w: w.shop.office.orders.refunds(Shop.SOFIA, after="x"), InvalidId),
        Case("a list of 0", lambda w: w.shop.office.orders.refunds(Shop.SOFIA, limit=0), InvalidQuantity),
    ],
)  # fmt: skip


def _of(order: Order, count: int) -> list[Pick]:
    return [Pick(order.lines[0].id, count)]


def _one(order: Order) -> list[Pick]:
    return _of(order, 1)


@AMOUNTS
def test_what_is_refunded_or_kept_is_money_of_the_order_and_more_than_nothing(world: World, case: Case) -> None:
    judge(world, case)


@REST
def test_no_more_is_refunded_or_kept_than_there_is(world: World, case: Case) -> None:
    judge(world, case)


@ORDERS
def test_only_an_order_that_was_paid_and_not_undone_is_corrected(world: World, case: Case) -> None:
    judge(world, case)


@WORDS
def test_reason_key_units_payment_and_page_are_of_their_form(world: World, case: Case) -> None:
    judge(world, case)
