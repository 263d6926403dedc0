"""A language: its sentences, and how it writes numbers, amounts, weights, dates and lists.

Whole sentences are translated, never pieces of them. A place for a fact is written in one of four ways:

    {sku}                               as what it is: text, a number, an amount, an instant, a list
    {wanted:units}                      a quantity in the unit that the facts name, a bare number when they name none
    {weighed:grams}                     a weight
    {tries_left|# try|# tries}          a number with the word that goes with it: for one, and for any other

Two forms are enough for whole numbers in English, Swedish and Bulgarian: CLDR's plural rules are `one` for 1 and
`other` for all else in each of them (https://www.unicode.org/cldr/charts/48/supplemental/language_plural_rules.html).
Bulgarian's `other` is the counting form where the noun has one: три броя. How numbers and dates look is CLDR's too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final, cast

from attrs import frozen

from omniorder.reasons.codes import is_something

__all__ = ["PLACE", "Tongue"]

PLACE: Final = re.compile(r"\{(?P<fact>\w+)(?::(?P<kind>units|grams)|\|(?P<one>[^|{}]*)\|(?P<other>[^|{}]*))?\}")
"""A place for a fact in a sentence."""

_AMOUNT: Final = re.compile(r"(?P<number>-?[0-9]{1,20}(?:\.[0-9]{1,4})?) (?P<currency>[A-Z]{3})")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(?:Z|[+-][0-9:]{5,8})")
_NAMES: Final = frozenset({"sku", "skus", "store", "senders", "order", "cart", "id", "key"})
_UNSEEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI: Final = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_LONGEST: Final = 200
_TIGHT: Final = "\u00a0"  # what belongs together stays on one line


@frozen
class Tongue:
    """One language. `sentences` and `phrases` have, for a code, wordings from the most to the least that they tell.

    A phrase continues `can` or `also`: "You can" + "choose another store". `words` are for the values of facts, as
    in `service.lockers`; a value without a word is said as it is.
    """

    sentences: Mapping[str, tuple[str, ...]]
    phrases: Mapping[str, tuple[str, ...]]
    words: Mapping[str, str]
    can: str
    also: str
    both: str
    either: str
    months: tuple[str, ...]
    day: str
    moment: str
    decimal: str
    group: str
    group_from: int
    piece: tuple[str, str]
    gram: str
    kilogram: str

    def worded(self, wordings: Sequence[str], facts: Mapping[str, Any], zone: tzinfo | None) -> str | None:
        """The first wording all of whose facts are there, with them filled in; None when there is none."""
        for wording in wordings:
            places = list(PLACE.finditer(wording))
            shown = [self._shown(place, facts, zone) for place in places]
            if all(shown):
                between = PLACE.split(wording)[:: PLACE.groups + 1]
                return "".join(map("".join, zip(between, [*shown, ""], strict=True)))
        return None

    def listed(self, items: Sequence[str], link: str) -> str:
        """`a, b and c`; `link` is `both` or `either`."""
        if len(items) < 2:
            return "".join(items)
        return f"{', '.join(items[:-1])} {link} {items[-1]}"

    def number(self, value: int | Decimal) -> str:
        """With the language's decimal sign, and grouped where the language groups."""
        whole, _, decimals = f"{Decimal(value).copy_abs():f}".partition(".")
        if len(whole) >= self.group_from:
            whole = f"{Decimal(whole):,f}".replace(",", self.group)
        return ("-" if value < 0 else "") + whole + (self.decimal + decimals if decimals else "")

    def date(self, day: date) -> str:
        """A day with its month in words."""
        return self.day.format(day=day.day, month=self.months[day.month - 1], year=day.year)

    def instant(self, at: datetime, zone: tzinfo | None = None) -> str:
        """A day and a time, in `zone` or else as it is; a time in UTC says so."""
        local = at.astimezone(zone) if zone else at
        said = self.moment.format(date=self.date(local), time=f"{local:%H:%M}")
        return f"{said} UTC" if zone is None and local.utcoffset() == timedelta(0) else said

    def weight(self, grams: int) -> str:
        """In grams below a kilogram, in kilograms from there on; never rounded."""
        if grams < 1000:
            return self.number(grams) + _TIGHT + self.gram
        return self.number(Decimal(grams).scaleb(-3).normalize()) + _TIGHT + self.kilogram

    def units(self, count: int, unit: object) -> str:
        """A quantity in its unit."""
        match unit:
            case "gram":
                return self.weight(count)
            case "piece":
                return f"{self.number(count)} {self.piece[count != 1]}"
            case _:
                return self.number(count)

    def _shown(self, place: re.Match[str], facts: Mapping[str, Any], zone: tzinfo | None) -> str:
        name, value = place["fact"], facts.get(place["fact"])
        if not is_something(value):
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            if place["other"] is not None:
                return (place["one"] if value == 1 else place["other"]).replace("#", self.number(value))
            if place["kind"] == "units":
                return self.units(value, facts.get("unit"))
            if place["kind"] == "grams":
                return self.weight(value)
        return self._plain(name, value, zone)

    def _plain(self, name: str, value: Any, zone: tzinfo | None) -> str:
        match value:
            case bool():
                return str(value).lower()
            case int():
                return self.number(value)
            case float():
                return self.number(Decimal(str(value))) if value < 1e15 else str(value)
            case str():
                if name in _NAMES:  # also an article whose number looks like a date
                    return _one_line(value)
                return self.words.get(f"{name}.{value}") or self._text(value, zone)
            case list() | tuple():
                parts = [self._plain(name, item, zone) for item in cast("Sequence[Any]", value)]
                return self.listed([part for part in parts if part], self.both)
            case _:
                return ""

    def _text(self, value: str, zone: tzinfo | None) -> str:
        if amount := _AMOUNT.fullmatch(value):
            return self.number(Decimal(amount["number"])) + _TIGHT + amount["currency"]
        try:
            if _DAY.fullmatch(value):
                return self.date(date.fromisoformat(value))
            if _MOMENT.fullmatch(value):
                return self.instant(datetime.fromisoformat(value), zone)
        except (ValueError, OverflowError):  # it only looks like one
            pass
        return _one_line(value)


def _one_line(text: str) -> str:
    """Somebody else's text, as it may stand inside a sentence: no line breaks, nothing that reorders or hides."""
    seen = "".join(" " if c in _BIDI or unicodedata.category(c) in _UNSEEN else c for c in text[: 2 * _LONGEST])
    line = " ".join(seen.split())
    return line if len(line) <= _LONGEST and len(text) <= 2 * _LONGEST else line[: _LONGEST - 1] + "\u2026"
