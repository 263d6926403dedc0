"""Barcodes: which article was scanned, and how much of it, where the label says so.

GTINs of 8, 12, 13 and 14 digits, element strings of GS1 (a GTIN with a net weight, as GS1 DataBar and DataMatrix carry
it), and the labels that a shop's own scales print. Every check digit is verified: a digit misread is an article
mistaken. Source: GS1 General Specifications, sections 3 (application identifiers) and 7.9 (check digits).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, cast

from attrs import frozen

from omniorder.domain.quantities import quantity
from omniorder.errors import InvalidBarcode, InvalidInput

__all__ = ["SCALES", "Label", "Scanned", "check_digit", "gtin", "read", "scale_item"]

_LENGTHS: Final = (8, 12, 13, 14)
_DIGITS: Final = re.compile(r"[0-9]+")
_SEPARATOR: Final = "\x1d"
_SYMBOLOGY: Final = re.compile(r"\](?:C1|e0|d2|Q3)")
_BRACKETS: Final = re.compile(r"\(([0-9]{2,4})\)([^(]*)")
_MEASURES: Final = ("31", "32", "33", "34", "35", "36")
"""Identifiers of four digits, the last of which says where the decimal point is; their data has six."""
_FIXED: Final = {
    "00": 18,
    "01": 14,
    "02": 14,
    "11": 6,
    "12": 6,
    "13": 6,
    "15": 6,
    "16": 6,
    "17": 6,
    "20": 2,
    "03": 14,
    "04": 16,
    "41": 14,
}
"""Data of these identifiers has a fixed length (of 41n the n is counted with it); of all others, but the measures, it
ends with a separator."""
_NET_WEIGHT: Final = re.compile(r"310([0-5])")
LONGEST: Final = 200


@frozen
class Label:
    """How the shop's scales write their labels: EAN-13s that begin with one of `prefixes`.

    After the prefix stand `item` digits of the article's number on the scales and then, up to the check digit, `value`
    digits: its weight in grams, or (`priced`) what it costs, in minor units. `verifier` is how many digits of a check
    of its own stand between the two: they are skipped, only the check digit of the EAN is verified. Prefixes 20 to 29
    and 02 are each country's own; see its GS1 organisation.

    Raises `InvalidInput`, `InvalidQuantity`.
    """

    prefixes: tuple[str, ...]
    item: int = 5
    value: int = 5
    priced: bool = False
    verifier: int = 0

    def __attrs_post_init__(self) -> None:
        for name, least, most in (("item", 1, 6), ("value", 1, 10), ("verifier", 0, 9)):
            quantity(getattr(self, name), name, least=least, most=most)
        if not isinstance(cast("object", self.prefixes), tuple):
            raise InvalidInput("label", self.prefixes, "prefixes must be a tuple of digits")
        for prefix in self.prefixes:
            if not isinstance(cast("object", prefix), str):
                raise InvalidInput("label", prefix, "prefixes must be a tuple of digits")
            if not _DIGITS.fullmatch(prefix) or len(prefix) + self.item + self.verifier + self.value != 12:
                raise InvalidInput("label", prefix, "prefix, item, verifier and value must be 12 digits together")


SCALES: Final = (Label(("20", "21", "22", "23", "24", "25", "26", "27", "28", "29")),)
"""Where nothing else is said: two digits of prefix, five of the article, five of its weight in grams."""


@frozen
class Scanned:
    """What a barcode says: a GTIN (14 digits) or the number of an article on the scales, and how much of it.

    `grams` or `price` (minor units) is None where the label does not say.
    """

    gtin: str = ""
    scale_item: str = ""
    grams: int | None = None
    price: int | None = None


def check_digit(digits: str) -> str:
    """The check digit that follows these digits: weights of 3 and 1 from the right, up to the next ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin(value: str) -> str:
    """The same GTIN with 14 digits. Raises `InvalidBarcode` for another length, or a wrong check digit."""
    given = cast("object", value)
    if not isinstance(given, str) or not given.isascii() or not _DIGITS.fullmatch(given):
        raise InvalidBarcode("gtin", given, "must be digits")
    if len(given) not in _LENGTHS:
        raise InvalidBarcode("gtin", given, "must have 8, 12, 13 or 14 digits")
    if check_digit(given[:-1]) != given[-1]:
        raise InvalidBarcode("gtin", given, "its check digit is wrong")
    return given.zfill(14)


def scale_item(value: str) -> str:
    """An article's number on the scales, without leading zeros; empty for none. Raises `InvalidBarcode`."""
    given = cast("object", value)
    if given == "":
        return ""
    if not isinstance(given, str) or not given.isascii() or not _DIGITS.fullmatch(given) or len(given) > 6:
        raise InvalidBarcode("scale_item", given, "must be up to 6 digits")
    return given.lstrip("0") or "0"


def read(text: str, labels: Sequence[Label] = SCALES) -> Scanned:
    """What was scanned. Raises `InvalidBarcode` for what is no barcode, or was misread."""
    given = cast("object", text)
    if not isinstance(given, str) or not 1 <= len(given) <= LONGEST:
        raise InvalidBarcode("barcode", given, "must be what a scanner read, as text")
    shown = given.strip()
    if _SYMBOLOGY.match(shown):
        return _elements(_fields(shown[3:]))
    if shown.startswith("("):
        return _elements(_bracketed(shown))
    if _SEPARATOR in shown:
        return _elements(_fields(shown))
    plain = gtin(shown)
    for label in labels:
        if len(shown) == 13 and shown.startswith(label.prefixes):
            return _of_the_scales(shown, label)
    return Scanned(gtin=plain)


def _of_the_scales(digits: str, label: Label) -> Scanned:
    prefix = next(len(one) for one in label.prefixes if digits.startswith(one))
    item = digits[prefix : prefix + label.item]
    value = int(digits[-1 - label.value : -1])
    found = Scanned(scale_item=scale_item(item), price=value) if label.priced else Scanned(
        scale_item=scale_item(item), grams=value
    )  # fmt: skip
    if not value:
        raise InvalidBarcode("barcode", digits, "it says that there is nothing of it")
    return found


def _elements(fields: Sequence[tuple[str, str]]) -> Scanned:
    code, grams = "", None
    for identifier, data in fields:
        if identifier == "01":
            code = gtin(data)
        elif weight := _NET_WEIGHT.fullmatch(identifier):
            grams = _grams(data, int(weight[1]))
    if not code:
        raise InvalidBarcode("barcode", fields[0][1] if fields else "", "it names no article (01)")
    return Scanned(gtin=code, grams=grams)


def _grams(data: str, decimals: int) -> int:
    """Kilograms with so many decimals, as grams."""
    if len(data) != 6 or not _DIGITS.fullmatch(data):
        raise InvalidBarcode("barcode", data, "a weight (310n) must have 6 digits")
    grams = int(data) * 1000 // (1, 10, 100, 1000, 10_000, 100_000)[decimals]
    if not grams:
        raise InvalidBarcode("barcode", data, "it must weigh a gram at least")
    return grams


def _bracketed(text: str) -> list[tuple[str, str]]:
    fields = [(found[1], found[2]) for found in _BRACKETS.finditer(text)]
    if "".join(f"({identifier}){data}" for identifier, data in fields) != text:
        raise InvalidBarcode("barcode", text, "must be (identifier)data, and so on")
    return fields


def _fields(text: str) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    rest = text
    while rest:
        identifier = rest[:4] if rest[:2] in (*_MEASURES, "39") else rest[:2]
        rest = rest[len(identifier) :]
        length = 6 if identifier[:2] in _MEASURES else _FIXED.get(identifier)
        if length is None:
            data, _, rest = rest.partition(_SEPARATOR)
        else:
            data, rest = rest[:length], rest[length:].removeprefix(_SEPARATOR)
            if len(data) != length:
                raise InvalidBarcode("barcode", text, f"({identifier}) must have {length} characters")
        fields.append((identifier, data))
    return fields
