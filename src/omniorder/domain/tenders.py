"""Splitting a bill: how much each of several tenders gives, in the order in which the customer wants them used."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from omniorder.domain.money import Money
from omniorder.domain.payments import Tender
from omniorder.errors import NotCovered

__all__ = ["Share", "shares"]


@frozen
class Share:
    """What one tender is asked for."""

    tender: Tender
    amount: Money


def shares(
    missing: Money, tenders: Sequence[Tender], *, has: Sequence[Money | None] | None = None
) -> tuple[Share, ...]:
    """What each of `tenders` gives of `missing`: one after the other as much as it may, until nothing is missing.

    `has` says, by position, how much there is at most of it (a gift card's balance); None is as much as is asked.
    Those that are not needed any more, and those that have nothing, get no share.

    Raises `NotCovered` when something is still missing after the last; `CurrencyMismatch` for an amount in another
    currency.
    """
    left = missing
    given: list[Share] = []
    for tender, balance in zip(tenders, has or [None] * len(tenders), strict=True):
        limits = [limit for limit in (tender.amount, balance) if limit is not None]
        part = min([left, *limits])
        if part.amount > 0:
            given.append(Share(tender, part))
            left -= part
    if left.amount > 0:
        raise NotCovered(missing=str(left), of=str(missing))
    return tuple(given)
