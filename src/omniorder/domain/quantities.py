"""How much: whole numbers of an article's own unit, and the one check that they pass."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from omniorder.errors import InvalidQuantity

__all__ = ["MAX_QUANTITY", "Unit", "Units", "quantity"]

MAX_QUANTITY = 1_000_000
"""The most of one article in one line: a million pieces, or a tonne in grams."""


class Unit(Enum):
    """What one of an article's quantity is. Weights are whole grams, so that no quantity is a fraction."""

    PIECE = "piece"
    """Counted: 3 is three of them."""
    GRAM = "gram"
    """Weighed: 750 is 750 g, and a price says for how many grams it is."""


@frozen
class Units:
    """So many units of one order line, in the article's own unit."""

    line: str
    quantity: int


def quantity(value: object, field: str = "quantity", *, least: int = 1, most: int = MAX_QUANTITY) -> int:
    """`value`, when it is a whole number from `least` to `most`.

    Nothing is converted: `True`, `1.0`, `Decimal(1)` and `"1"` are all refused, since a caller that sends
    them has lost track of what it counts. `field` names the value in the error.

    Raises InvalidQuantity.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidQuantity(field, value, "must be a whole number", least=least, most=most)
    if not least <= value <= most:
        raise InvalidQuantity(field, value, f"must be from {least} to {most}", least=least, most=most)
    return int(value)
