"""Splitting a bill: how much each of several tenders gives, in the order in which the customer wants them used."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from omniorder.domain.money import Money
from omniorder.domain.payments import Tender
from omniorder.errors import NotCovered

__all__ = ["Brought", "Share", "shares"]


@frozen
class Brought:
    """A tender as it may be stored, and how much of it there is at most: a gift card's balance; None, as much as is
    asked."""

    tender: Tender
    has: Money | None = None

    @property
    def name(self) -> tuple[str, str, str]:
        """What tells it from others: kind, token and wallet."""
        return self.tender.kind, self.tender.token, self.tender.method

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing to give."""
        return self.has is not None and self.has.amount <= 0


@frozen
class Share:
    """What one tender is asked for."""

    tender: Tender
    amount: Money


def shares(missing: Money, brought: Sequence[Brought]) -> tuple[Share, ...]:
    """What each tender gives of `missing`: one after the other as much as it may and has, until nothing is missing.

    Those that are not needed any more, and those that have nothing, get no share.

    Raises `NotCovered` when something is still missing after the last; `CurrencyMismatch` for an amount in another
    currency.
    """
    left = missing
    given: list[Share] = []
    for one in brought:
        part = min([left, *(limit for limit in (one.tender.amount, one.has) if limit is not None)])
        if part.amount > 0:
            given.append(Share(one.tender, part))
            left -= part
    if left.amount > 0:
        raise NotCovered(missing=str(left), of=str(missing))
    return tuple(given)
