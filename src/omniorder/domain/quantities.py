"""How much: whole numbers of an article's own unit, the check that they pass, and how far a weight may be off."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum
from typing import Final, cast

from attrs import frozen

from omniorder.errors import InvalidQuantity

__all__ = ["EXACT", "MAX_QUANTITY", "Unit", "Units", "orderable", "quantity", "tolerance", "weight_bounds"]

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


# --- weighed goods ----------------------------------------------------------------------------------------

EXACT: Final = Decimal(0)
"""No tolerance: what is handed over is what was ordered, to the unit."""

_TOLERANCE: Final = re.compile(r"0|0\.[0-4][0-9]{0,3}|0\.50{0,3}")
_PARTS: Final = 10_000


def tolerance(value: str | Decimal) -> Decimal:
    """How far a weight may be off, as a share of what was ordered, from "0" to "0.5": "0.10" is 10 %.

    At most four decimals. Raises InvalidQuantity; a float is refused, since 0.1 as a float is not one tenth.
    """
    written = cast("object", f"{value:f}" if isinstance(value, Decimal) else value)
    if not isinstance(written, str) or not _TOLERANCE.fullmatch(written):
        raise InvalidQuantity("tolerance", value, 'must be text from "0" to "0.5" with at most 4 decimals')
    return Decimal(written)


def weight_bounds(ordered: int, tolerance: Decimal) -> tuple[int, int]:
    """The least and the most that may be handed over where `ordered` units were agreed on, both included.

    Whole units, computed exactly: the least is rounded up and the most down, so that neither is ever outside of the
    agreed share. `ordered` itself is always within: 333 g at 10 % may be 300 g (299.7 rounded up) to 366 g (366.3
    rounded down).
    """
    if not tolerance:
        return ordered, ordered
    parts = int(tolerance * _PARTS)
    return -(ordered * (parts - _PARTS) // _PARTS), ordered * (_PARTS + parts) // _PARTS


def orderable(available: int, tolerance: Decimal) -> int:
    """The most that can be ordered where `available` units are there: at its heaviest it is still among them.

    5,000 g at 10 % are 4,546 g, which weigh 5,000 g at most (5,000.6 rounded down).
    """
    return ((available + 1) * _PARTS - 1) // (_PARTS + int(tolerance * _PARTS))
