"""The ledger of movements read as a ledger: which way each kind goes, and the levels that they add up to.

A movement has two numbers: units that came to the shelf or went from it (`quantity`), and units that came to
quarantine or went from there (`quarantined`). Added up they are the level's `on_hand` and `quarantined`: whoever loses
the levels can make them anew, and whoever doubts a level can compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import assert_never

from omniorder.domain.stock import Level, Movement, MovementKind

__all__ = ["fits", "rebuilt"]


def fits(movement: Movement) -> bool:
    """Whether its numbers go the way that its kind goes."""
    shelf, quarantine = movement.quantity, movement.quarantined
    match movement.kind:
        case MovementKind.RECEIVE | MovementKind.TRANSFER_IN | MovementKind.FOUND:
            return shelf > 0 and quarantine == 0
        case MovementKind.COLLECT | MovementKind.TRANSFER_OUT:
            return shelf < 0 and quarantine == 0
        case MovementKind.ADJUST:
            return shelf != 0 and quarantine == 0
        case MovementKind.COUNT:
            return quarantine == 0
        case MovementKind.RETURN:
            return min(shelf, quarantine) == 0 < max(shelf, quarantine)
        case MovementKind.WRITE_OFF:
            return min(shelf, quarantine) < 0 == max(shelf, quarantine)
        case MovementKind.QUARANTINE:
            return shelf < 0 and quarantine == -shelf
        case MovementKind.CLEAR:
            return shelf > 0 and quarantine == -shelf
        case _ as never:
            assert_never(never)


def rebuilt(movements: Iterable[Movement]) -> Iterator[Level]:
    """The level that the movements of each store and SKU add up to: what is on hand and what is quarantined.

    The movements of one level must come together, as an inspection gives them; one level is held at a time. What is
    reserved and what is kept back are not made by movements, and are 0 here.
    """
    for (store, sku), moves in groupby(movements, key=lambda one: (one.store, one.sku)):
        on_hand = quarantined = 0
        for move in moves:
            on_hand += move.quantity
            quarantined += move.quarantined
        yield Level(store, sku, on_hand, quarantined=quarantined)
