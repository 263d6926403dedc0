"""How a locale writes amounts, weights, rates and times, by CLDR. Needs the extra `receipts`.

Nothing is rounded: an amount has as many decimals as its currency has here, whatever is usual in the locale's country.
"""

from __future__ import annotations

from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from attrs import frozen

from omniorder.errors import InvalidInput, MissingExtra

if TYPE_CHECKING:
    import babel

__all__ = ["Writing", "writing"]


@frozen
class Writing:
    """One locale. What it writes is for showing, never for reading again."""

    locale: babel.Locale

    @property
    def language(self) -> str:
        """Its ISO 639 code."""
        return self.locale.language

    @property
    def tag(self) -> str:
        """Its BCP 47 tag, as HTML wants it."""
        return str(self.locale).replace("_", "-")

    def amount(self, amount: Decimal, currency: str) -> str:
        """An amount with its currency, with exactly the decimals that it has."""
        decimals = len(f"{amount:f}".partition(".")[2])
        pattern = copy(self.locale.currency_formats["standard"])
        pattern.frac_prec = (decimals, decimals)
        return str(pattern.apply(amount, self.locale, currency=currency, currency_digits=False))

    def number(self, value: int | Decimal) -> str:
        """A number, never rounded."""
        from babel.numbers import format_decimal

        return format_decimal(value, locale=self.locale, decimal_quantization=False)

    def rate(self, share: Decimal) -> str:
        """A share as a percentage, never rounded."""
        from babel.numbers import format_percent

        return format_percent(share, locale=self.locale, decimal_quantization=False)

    def weight(self, grams: int) -> str:
        """In grams below a kilogram, in kilograms from there on; never rounded."""
        from babel.units import format_unit

        if grams < 1000:
            return format_unit(grams, "mass-gram", "short", locale=self.locale)
        return format_unit(Decimal(grams).scaleb(-3), "mass-kilogram", "short", "#,##0.###", locale=self.locale)

    def moment(self, at: datetime, zone: str) -> str:
        """A day and a time in this zone."""
        from babel.dates import format_datetime

        return format_datetime(at, "medium", tzinfo=ZoneInfo(zone), locale=self.locale)


def writing(locale: object) -> Writing:
    """How this locale ("bg-BG", "sv") writes. Raises `InvalidInput` for one that nobody knows, `MissingExtra`."""
    try:
        import babel
    except ImportError:
        raise MissingExtra(needs="Babel", extra="receipts") from None
    rule = "must be the tag of a locale, such as bg-BG"
    if not isinstance(locale, str) or not 2 <= len(locale) <= 40:
        raise InvalidInput("locale", locale, rule)
    try:
        return Writing(babel.Locale.parse(locale.replace("-", "_")))
    except (ValueError, TypeError, babel.UnknownLocaleError):
        raise InvalidInput("locale", cast("object", locale), rule) from None
