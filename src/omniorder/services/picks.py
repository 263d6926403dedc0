"""Units of an order's lines, as a caller names them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from omniorder.domain.quantities import Units
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.errors import InvalidInput
from omniorder.services.surface import several

MOST_LINES = 1000
"""Lines picked or handed over in one call."""


@frozen
class Pick:
    """`quantity` units of a line (grams, where it is weighed), taken off the shelf or handed over."""

    line: str
    quantity: int = field(converter=valid_quantity)


def units_of(lines: Sequence[Pick]) -> tuple[Units, ...]:
    """These picks, summed per line. Raises `InvalidInput` for none, `TooMany`."""
    sums: dict[str, int] = {}
    for pick in some(lines):
        sums[pick.line] = sums.get(pick.line, 0) + pick.quantity
    return tuple(Units(line, count) for line, count in sums.items())


def some(picks: Sequence[Pick]) -> tuple[Pick, ...]:
    """These picks. Raises `InvalidInput` for none, `TooMany`."""
    if not picks:
        raise InvalidInput("lines", picks, "at least one line")
    return several(picks, Pick, "lines", "a list of Pick", most=MOST_LINES)
