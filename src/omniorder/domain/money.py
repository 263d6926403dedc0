"""Money: a whole number of minor units of one ISO 4217 currency, and the only places where it is rounded.

Nothing here is ever a float. A product or a share is computed exactly, in integers, and rounded half up
(half away from zero, so that a refund mirrors its charge) at the very end: in `extend` for the value of a
quantity, in `tax_contained` for the tax inside a gross amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import cast

from attrs import frozen

from omniorder.domain.quantities import quantity as _quantity
from omniorder.errors import CurrencyMismatch, InvalidMoney, InvalidQuantity

__all__ = ["EXPONENTS", "Money", "extend", "rate", "tax_contained", "total"]


def _exponents() -> Mapping[str, int]:
    none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
    three = "BHD IQD JOD KWD LYD OMR TND"
    two = """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
        COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
        IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR
        MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG
        SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES
        WST XCD XCG YER ZAR ZMW ZWG
    """
    table = {code: digits for digits, codes in ((0, none), (2, two), (3, three)) for code in codes.split()}
    return MappingProxyType(dict(sorted(table.items())))


EXPONENTS: Mapping[str, int] = _exponents()
"""How many decimals each currency has: the circulating currencies of ISO 4217, without metals, bond units,
fund codes and test codes. Withdrawn ones (HRK, ANG, BGN, ...) are unknown. The standard's exponent counts,
also where daily use differs from it (ISK, MGA); what a provider expects instead is its adapter's matter."""

_LIMIT = 2**63
_AMOUNT = re.compile(r"(-?)([0-9]{1,19})(?:\.([0-9]{1,4}))?")
_RATE = re.compile(r"0|1|0\.[0-9]{1,4}|1\.0{1,4}")
_RATE_PARTS = 10_000


@frozen
class Money:
    """`amount` minor units (cents, say) of `currency`: `Money(249, "EUR")` is 2.49 euros.

    Amounts may be negative. Sums, differences and comparisons need one currency; equality does not, and
    `Money(0, "EUR") != Money(0, "USD")`.

    Raises InvalidMoney for an amount that is no `int` (a bool, float or string isn't), or not within 63 bits,
    and for a currency that is not in EXPONENTS; CurrencyMismatch where two currencies meet.
    """

    amount: int
    currency: str

    def __attrs_post_init__(self) -> None:
        amount, currency = cast("object", self.amount), cast("object", self.currency)
        if not isinstance(amount, int) or isinstance(amount, bool):
            raise InvalidMoney("amount", amount, "must be a whole number of minor units")
        if not -_LIMIT < amount < _LIMIT:
            raise InvalidMoney("amount", amount, "must fit in 63 bits")
        if not isinstance(currency, str) or currency not in EXPONENTS:
            raise InvalidMoney("currency", currency, "must be a currency of ISO 4217")

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in `currency`."""
        return cls(0, currency)

    @classmethod
    def of(cls, text: str, currency: str) -> Money:
        """The amount that people write as `text`: `Money.of("2.49", "EUR")`, never rounded.

        Raises InvalidMoney: no plain decimal number, or more decimals than the currency has.
        """
        unit = cls.zero(currency)
        given = cast("object", text)
        found = _AMOUNT.fullmatch(given) if isinstance(given, str) else None
        if found is None:
            raise InvalidMoney("amount", given, "must be a plain decimal number as text")
        sign, whole, decimals = found[1], found[2], found[3] or ""
        exponent = EXPONENTS[unit.currency]
        if len(decimals) > exponent:
            raise InvalidMoney("amount", given, f"{currency} has {exponent} decimals")
        return cls(int(sign + whole + decimals.ljust(exponent, "0")), currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exactly: `Decimal("2.49")`. For showing; sums are made of Money."""
        return Decimal(f"{self.amount}e-{EXPONENTS[self.currency]}")

    def times(self, n: int) -> Money:
        """`n` of it, exactly. Raises InvalidQuantity unless `n` is an `int`."""
        factor = cast("object", n)
        if not isinstance(factor, int) or isinstance(factor, bool):
            raise InvalidQuantity("times", factor, "must be a whole number")
        return Money(self.amount * factor, self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._beside(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._beside(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._beside(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._beside(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._beside(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._beside(other)

    def __str__(self) -> str:
        return f"{self.decimal:f} {self.currency}"

    def _beside(self, other: object) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"Money goes with Money, not with {type(other).__name__}")
        if other.currency != self.currency:
            raise CurrencyMismatch("currency", other.currency, f"must be {self.currency}")
        return other.amount


def total(parts: Iterable[Money], currency: str) -> Money:
    """The sum of `parts`, zero `currency` when there are none.

    Raises CurrencyMismatch for a part in another currency, InvalidMoney when the sum leaves 63 bits.
    """
    result = Money.zero(currency)
    for part in parts:
        result = result + part
    return result


def extend(price: Money, quantity: int, per: int) -> Money:
    """What `quantity` units cost when `per` units cost `price`: the rounding rule of this library.

    The product is exact and rounded once, half up: 333 g at 2.49 per 1000 g are 82.917 cents, so 0.83.
    Rounding again later, or per unit, would not add up. To price a part of a line (some units picked, some
    cancelled), take the difference of two extensions, `extend(upto) - extend(before)`: these differences add
    up to the value of the whole line, whatever the order and size of the parts.

    Raises InvalidQuantity for a negative quantity, for `per` below 1, and for anything that is no `int`.
    """
    units = _quantity(quantity, least=0, most=_LIMIT)
    return Money(_half_up(price.amount * units, _quantity(per, "per")), price.currency)


def rate(value: str | Decimal) -> Decimal:
    """A tax rate as a share of the net price, from "0" to "1": "0.20" is 20 %. At most four decimals.

    Raises InvalidMoney; a float is refused, since 0.2 as a float is not one fifth.
    """
    return _rate(value)


def _rate(value: object) -> Decimal:
    written = f"{value:f}" if isinstance(value, Decimal) else value
    if not isinstance(written, str) or not _RATE.fullmatch(written):
        raise InvalidMoney("tax", value, 'must be text from "0" to "1" with at most 4 decimals')
    return Decimal(written)


def tax_contained(gross: Money, rate: Decimal) -> Money:
    """The tax inside a price that includes it: gross x rate / (1 + rate), rounded once, half up.

    Raises InvalidMoney when `rate` is not what the function `rate` returns.
    """
    parts = int(_rate(rate) * _RATE_PARTS)
    return Money(_half_up(gross.amount * parts, _RATE_PARTS + parts), gross.currency)


def _half_up(numerator: int, denominator: int) -> int:
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude
