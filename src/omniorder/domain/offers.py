"""Offers: which stores could promise this basket, from when, for how much - and why not.

An offer holds nothing. It is what a channel shows before the customer chooses; the promise checks it all again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from omniorder.domain.promises import Quote
from omniorder.domain.slots import Slot
from omniorder.domain.sourcing import Sourcing
from omniorder.domain.stores import Point, Store, distance_km
from omniorder.reasons.refusals import with_causes
from omniorder.reasons.tree import Reason


def _with_causes(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(map(with_causes, reasons))


@frozen
class Available:
    """What of one article's demand this store has itself: `available` of the `wanted` units, never more."""

    sku: str
    wanted: int
    available: int


@frozen
class WithTransfer:
    """How the basket would become complete at a store: what other stores send, and the first free slots after that.

    `checkout.promise(..., ship=True)` promises it in each of these slots, unless somebody is faster.
    """

    sourcing: Sourcing
    slots: tuple[Slot, ...]

    @property
    def facts(self) -> dict[str, Any]:
        """From when everything can be collected, on the store's clock, and who sends what is missing."""
        senders = [leg.store for leg in self.sourcing.transfers]
        return {"earliest": self.slots[0].starts.isoformat(timespec="minutes"), "senders": senders}


@frozen
class Offer:
    """What one store could promise. `full`: every unit, at a price, in at least one free slot, of its own stock.

    `slots` are the first free ones, and those that start in time where the customer said until when; `quote` is None
    where an article has no price. `reasons` is empty for a full offer. `distance_km` is None when the customer's or
    the store's place is unknown. `available` says per SKU what is here; `with_transfer` how goods of other stores
    would complete it in time, and is None for a full offer, and where they can't.
    """

    store: Store
    distance_km: float | None
    quote: Quote | None
    slots: tuple[Slot, ...]
    reasons: tuple[Reason, ...] = field(converter=_with_causes)
    available: tuple[Available, ...] = ()
    with_transfer: WithTransfer | None = None

    @property
    def full(self) -> bool:
        """Whether this store can promise the whole basket, now and without goods from elsewhere."""
        return not self.reasons

    @property
    def why(self) -> Reason | None:
        """Why this store can't promise the whole basket, as one tree; None when it can.

        Where goods of other stores would complete it, to have them sent is a remedy.
        """
        if self.full:
            return None
        sent = self.with_transfer.facts if self.with_transfer else {}
        return Reason("store.cannot", {"store": self.store.id, **sent}, self.reasons)

    @property
    def coverage(self) -> float:
        """How much of the basket the store has itself, from 0 to 1; each SKU counts alike."""
        if not self.available:
            return 0.0
        shares = (1.0 if one.available == one.wanted else one.available / one.wanted for one in self.available)
        return math.fsum(shares) / len(self.available)

    @property
    def earliest(self) -> datetime | None:
        """When (UTC) the first slot starts in which the basket, or what is there of it, can be collected."""
        slots = self.with_transfer.slots if self.with_transfer else self.slots
        return slots[0].starts.astimezone(UTC) if slots else None


def distance(near: Point | None, store: Store) -> float | None:
    """Kilometres as the crow flies, if both places are known."""
    return distance_km(near, store.place) if near and store.place else None
