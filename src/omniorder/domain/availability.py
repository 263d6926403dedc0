"""The formula of what may be promised: now, and by a date for which deliveries are expected.

    free now      = on hand - reserved - safety
    free by then  = on hand - reserved - safety + expected at or before then

and what is available is what is free, never below zero. Where each term comes from:

- **on hand**: sellable units on the shelf, which are the sum of the level's movements; quarantined units stand beside
  them and count nowhere here
- **reserved**: live units of all reservations, whenever they are to be picked up
- **safety**: what staff keeps back for walk-in customers
- **expected**: units of deliveries and transfers on their way, each at the instant that was named for it, less what was
  received of it

What is on its way can't be handed to anybody yet, so it counts by a date and never now. Nothing is cut off before the
end: where more is reserved than is on hand, what comes makes that good first, and a shortage carries over into every
later date until enough has come. What is overdue counts as expected: only the store knows whether it is late or will
never come, and says so by moving it to another date or calling it off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

__all__ = ["available_by", "available_to_promise"]


def available_to_promise(on_hand: int, reserved: int, safety: int) -> int:
    """Units that may be promised to the next customer, who may come for them at once; never below zero."""
    return max(0, on_hand - reserved - safety)


def available_by(
    on_hand: int, reserved: int, safety: int, expected: Iterable[tuple[datetime, int]], by: datetime
) -> int:
    """Units that may be promised to somebody who comes for them at `by`; never below zero.

    `expected` are instants and the units that come then: what comes at `by` itself counts, what comes later doesn't.
    """
    coming = sum(units for at, units in expected if at <= by)
    return max(0, on_hand + coming - reserved - safety)
