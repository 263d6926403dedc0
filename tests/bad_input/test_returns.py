"""Returns that no store could take: refused alike on every storage, and nothing is written."""

from __future__ import annotations

from typing import Any, Final

from omniorder import Money, New, Returned, Taken
from omniorder.errors import (
    CardNumberRefused,
    CurrencyMismatch,
    InvalidId,
    InvalidInput,
    InvalidKey,
    InvalidMoney,
    InvalidQuantity,
    InvalidText,
    NoPrice,
    NotFound,
    NotPaid,
    ReturnRefused,
    TooMany,
)
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World

UNKNOWN: Final = "ln_0000000000000"


def _accept(world: World, goods: Any = None, reference: Any = None, **how: Any) -> object:
    line = world.collected.lines[0].id
    given = [Returned(line, 1)] if goods is None else goods
    number = world.collected.id if reference is None else reference
    return world.shop.store.returns.accept(number, given, **{"reason": "sour", **how})


def _exchange(world: World, new: Any, **how: Any) -> object:
    line = world.collected.lines[0].id
    return world.shop.store.returns.exchange(world.collected.id, [Returned(line, 1)], new, reason="sour", **how)


GOODS = parametrised(
    [
        Case("nothing", lambda w: _accept(w, []), InvalidInput),
        Case("no list", lambda w: _accept(w, 5), InvalidInput),
        Case("no Returned", lambda w: _accept(w, [("ln", 1)]), InvalidInput),
        Case("10,001 lines", lambda w: _accept(w, [Returned(UNKNOWN, 1)] * 10_001), TooMany),
        Case("a line of another order", lambda w: _accept(w, [Returned(UNKNOWN, 1)]), NotFound),
        Case("more than collected", lambda w: _accept(w, [Returned(w.collected.lines[0].id, 99)]), ReturnRefused),
        Case("not collected", lambda w: _accept(w, [Returned(w.placed.lines[0].id, 1)], w.placed.id), ReturnRefused),
        Case("no condition", lambda w: Returned(UNKNOWN, 1, "new"), InvalidInput),  # type: ignore[arg-type]
    ],
    each("quantity", lambda w, v: Returned(UNKNOWN, v), [0, -1, 2**63, 2**200, 1.5, True, "5"], InvalidQuantity),
    each(
        "number",
        lambda w, v: _accept(w, reference=v),
        ["", "SOF01-0000000", "x" * 300, "' OR 1=1"],
        NotFound,
        value=None,
    ),
)


@GOODS
def test_goods_that_do_not_come_back(world: World, case: Case) -> None:
    judge(world, case)


TERMS = parametrised(
    each("fee", lambda w, v: _accept(w, fee=v), [100, "1.00"], InvalidMoney),
    [
        Case("fee of nothing", lambda w: _accept(w, fee=Money(0, "EUR")), InvalidMoney),
        Case("fee in dollars", lambda w: _accept(w, fee=Money(1, "USD")), CurrencyMismatch),
        Case("fee above what goes back", lambda w: _accept(w, fee=Money(10_000, "EUR")), InvalidMoney),
        Case("another's tender", lambda w: _accept(w, to="pay_SOF01_7K3F9Q_1"), NotFound),
        Case("late", lambda w: _accept(w, late="yes"), InvalidInput),
        Case("a card number", lambda w: _accept(w, reason="4242 4242 4242 4242"), CardNumberRefused),
        Case("a long key", lambda w: _accept(w, key="k" * 256), InvalidKey),
    ],
    each("reason", lambda w, v: _accept(w, reason=v), ["", "   ", "a\nb", "a\x00", 5], InvalidText),
)


@TERMS
def test_terms_that_are_none(world: World, case: Case) -> None:
    judge(world, case)


EXCHANGES = parametrised(
    [
        Case("for nothing", lambda w: _exchange(w, []), InvalidInput),
        Case("for no New", lambda w: _exchange(w, ["RYE-BREAD"]), InvalidInput),
        Case("for what nobody sells", lambda w: _exchange(w, [New("NO-SUCH", 1)]), NoPrice),
        Case("for a word", lambda w: New("né", 1), InvalidId),
        Case("unpaid", lambda w: _exchange(w, [New("RYE-BREAD", 2)]), NotPaid),
        Case("paid too little", lambda w: _exchange(w, [New("RYE-BREAD", 2)], taken=Taken(Money(1, "EUR"))), NotPaid),
        Case("paid with words", lambda w: _exchange(w, [New("RYE-BREAD", 2)], taken="cash"), InvalidInput),
    ],
    each("quantity", lambda w, v: New("RYE-BREAD", v), [0, -1, 2**63, 1.5, True], InvalidQuantity),
)


@EXCHANGES
def test_exchanges_that_are_none(world: World, case: Case) -> None:
    judge(world, case)
