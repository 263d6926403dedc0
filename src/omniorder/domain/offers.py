"""Offers: which stores could promise this basket, from when, for how much - and why not.

An offer holds nothing. It is what a channel shows before the customer chooses; the promise checks it all again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import field, frozen

from omniorder.domain.promises import Quote
from omniorder.domain.slots import Slot
from omniorder.domain.stores import Point, Store, distance_km
from omniorder.reasons.refusals import with_causes
from omniorder.reasons.tree import Reason


def _with_causes(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(map(with_causes, reasons))


@frozen
class Offer:
    """What one store could promise. `full`: every unit, at a price, in at least one free slot.

    `slots` are the first free ones; `quote` is None where an article has no price. `reasons` is empty for a full
    offer. `distance_km` is None when the customer's or the store's place is unknown.
    """

    store: Store
    distance_km: float | None
    quote: Quote | None
    slots: tuple[Slot, ...]
    reasons: tuple[Reason, ...] = field(converter=_with_causes)

    @property
    def full(self) -> bool:
        """Whether this store can promise the whole basket."""
        return not self.reasons

    @property
    def why(self) -> Reason | None:
        """Why this store can't promise the whole basket, as one tree; None when it can."""
        if self.full:
            return None
        return Reason("store.cannot", {"store": self.store.id}, self.reasons)


def distance(near: Point | None, store: Store) -> float | None:
    """Kilometres as the crow flies, if both places are known."""
    return distance_km(near, store.place) if near and store.place else None


def ranked(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Full offers first, then the nearest, then the earliest slot; ties by store id."""
    return tuple(sorted(offers, key=_rank))


def _rank(offer: Offer) -> tuple[bool, float, bool, Any, str]:
    far = float("inf") if offer.distance_km is None else offer.distance_km
    first = offer.slots[0].starts.timestamp() if offer.slots else 0.0
    return (not offer.full, far, not offer.slots, first, offer.store.id)
