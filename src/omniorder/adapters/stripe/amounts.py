"""Amounts as Stripe counts them: its smallest units are not always those of ISO 4217.

https://docs.stripe.com/currencies is the source: some currencies have no decimals there though ISO gives them two
(MGA), two have decimals there that they have lost elsewhere (ISK, UGX), and of three decimals the last must be 0.
"""

from __future__ import annotations

from typing import Final

from omniorder.domain.money import EXPONENTS, Money

__all__ = ["Unrepresentable", "from_stripe", "to_stripe"]

_NO_DECIMALS: Final = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_TWO_DECIMALS: Final = frozenset({"ISK", "UGX"})
"""Without decimals in daily life and in ISO 4217, but sent with two, which must both be 0."""

_THREE_DECIMALS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


class Unrepresentable(ValueError):
    """An amount that Stripe has no number for, a fraction of an ariary for example."""


def to_stripe(money: Money) -> int:
    """The number to send for this amount. Raises `Unrepresentable`; nothing is ever rounded."""
    units, rest = divmod(money.amount * _parts(_decimals(money.currency)), _parts(EXPONENTS[money.currency]))
    if rest or (money.currency in _THREE_DECIMALS and units % 10):
        raise Unrepresentable(str(money))
    return units


def from_stripe(units: int, currency: str) -> Money:
    """The amount that Stripe's number means; its currencies are in lower case.

    Raises `Unrepresentable` for a number that is no amount of that currency (half a króna), `InvalidMoney` for a
    currency that is none.
    """
    nothing = Money.zero(currency.upper())
    amount, rest = divmod(units * _parts(EXPONENTS[nothing.currency]), _parts(_decimals(nothing.currency)))
    if rest:
        raise Unrepresentable(f"{units} {currency}")
    return Money(amount, nothing.currency)


def _decimals(currency: str) -> int:
    """How many decimals Stripe's numbers have."""
    if currency in _NO_DECIMALS:
        return 0
    return 2 if currency in _TWO_DECIMALS else EXPONENTS[currency]


def _parts(decimals: int) -> int:
    """Of how many parts a whole consists."""
    return int("1" + "0" * decimals)
