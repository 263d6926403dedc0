"""Money as Adyen counts it: minor units by a table of its own, and major units on its terminals.

Source: Adyen's page "Currency codes and minor units", which says that its own table leads where it differs from
ISO 4217: CLP and ISK have two decimals there, CVE and IDR none.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from omniorder.domain.money import EXPONENTS, Money
from omniorder.errors import InvalidMoney

_OWN: Final = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}


def payable(money: Money) -> bool:
    """Whether Adyen can express this amount: half a rupiah is none."""
    smallest: int = 10 ** max(0, -_shift(money.currency))
    return money.amount % smallest == 0


def to_minor(money: Money) -> dict[str, Any]:
    """The amount as the APIs take it. Raises `InvalidMoney` where it isn't `payable`."""
    if not payable(money):
        raise InvalidMoney("amount", money.amount, f"Adyen takes no part of a {money.currency}")
    shift = _shift(money.currency)
    value = money.amount * 10**shift if shift >= 0 else money.amount // 10**-shift
    return {"value": value, "currency": money.currency}


def from_minor(value: int, currency: str) -> Money:
    """What Adyen says in its minor units. Raises `InvalidMoney` for parts that ISO 4217 has no unit for."""
    shift = _shift(currency)
    if shift > 0 and value % 10**shift:
        raise InvalidMoney("amount", value, f"{currency} has no such part")
    return Money(value // 10**shift if shift >= 0 else value * 10**-shift, currency)


def to_major(money: Money) -> float:
    """The amount as a terminal takes it: a JSON number of major units, exact to more digits than any sum has."""
    return float(money.decimal)


def from_major(amount: object, currency: str) -> Money:
    """What a terminal says. Raises `InvalidMoney` for what is no amount of this currency."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or currency not in EXPONENTS:
        raise InvalidMoney("amount", amount, "must be a number of a currency of ISO 4217")
    try:
        exact = Decimal(str(amount)).scaleb(EXPONENTS[currency])
    except InvalidOperation:
        raise InvalidMoney("amount", amount, "must be finite") from None
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise InvalidMoney("amount", amount, f"{currency} has no such part")
    return Money(int(exact), currency)


def _shift(currency: str) -> int:
    """By how many decimals Adyen's minor unit is smaller than the standard's."""
    if currency not in EXPONENTS:
        raise InvalidMoney("currency", currency, "must be a currency of ISO 4217")
    return _OWN.get(currency, EXPONENTS[currency]) - EXPONENTS[currency]
