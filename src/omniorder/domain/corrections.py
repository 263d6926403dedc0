"""Corrections: what an order costs more or less than its goods, told beside its lines and never in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain.money import Money


class CorrectionKind(Enum):
    """Why an order costs more or less than its goods."""

    REFUND = "refund"
    """Goods that the customer has are not charged after all, or not in full."""
    GOODWILL = "goodwill"
    """The shop forgoes money beyond any goods."""
    FEE = "fee"
    """The shop keeps money for its trouble."""


@frozen
class Correction:
    """One of them: `amount` is always more than nothing. `units` are the goods that a refund is for, if it is for
    certain ones; `reason` is what whoever granted it said."""

    kind: CorrectionKind
    amount: Money
    reason: str
    at: datetime
    units: tuple[e.Units, ...] = ()


def noted(event: e.CreditGranted | e.FeeCharged, at: datetime) -> Correction:
    """The correction that this event tells of."""
    match event:
        case e.FeeCharged(amount, reason):
            return Correction(CorrectionKind.FEE, amount, reason, at)
        case e.CreditGranted(amount, reason, units, goodwill):
            kind = CorrectionKind.GOODWILL if goodwill else CorrectionKind.REFUND
            return Correction(kind, amount, reason, at, units)


def summed(corrections: Iterable[Correction], *kinds: CorrectionKind) -> int:
    """All amounts of these kinds together, in minor units."""
    return sum(one.amount.amount for one in corrections if one.kind in kinds)


def units_credited(corrections: Iterable[Correction]) -> Counter[str]:
    """How many units of each line were refunded as such."""
    found: Counter[str] = Counter()
    for one in corrections:
        for part in one.units:
            found[part.line] += part.quantity
    return found
