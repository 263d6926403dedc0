"""Ranking: in which order offers are shown, and how a chain says so together with how it sources.

A ranking is a list of small functions, like a sourcing strategy: each gives an offer a key, the least comes first, and
a later one only decides where all before it tie. What ties to the end is ordered by store id.

    ranked_by(full_first, most_complete, closest, earliest)       # the default
    ranked_by(full_first, cheapest)                               # a chain whose stores set their own prices
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from attrs import field, frozen

from omniorder.domain.offers import Offer
from omniorder.domain.sourcing import DEFAULT, Comparable, Strategy
from omniorder.domain.stores import Store
from omniorder.errors import InvalidInput

__all__ = [
    "DEFAULT_RANKING",
    "Ranking",
    "RankingCriterion",
    "SourcingPolicy",
    "TransferCost",
    "cheapest",
    "closest",
    "earliest",
    "full_first",
    "most_complete",
    "ranked_by",
]

RankingCriterion = Callable[[Offer], Comparable]
"""Gives an offer a key; the least comes first."""

TransferCost = Callable[[Store, Store], int | None]
"""What a transfer from the first store to the second costs, in minor units; None where that is unknown."""


def _criteria(value: Iterable[RankingCriterion]) -> tuple[RankingCriterion, ...]:
    found = tuple(value)
    for one in cast("tuple[object, ...]", found):
        if not callable(one):
            raise InvalidInput("criteria", one, "must be functions of an Offer")
    return found


@frozen
class Ranking:
    """Criteria in order of weight. Raises InvalidInput."""

    criteria: tuple[RankingCriterion, ...] = field(converter=_criteria)

    def order(self, offers: Iterable[Offer]) -> tuple[Offer, ...]:
        """These offers, best first."""
        return tuple(sorted(offers, key=self._key))

    def _key(self, offer: Offer) -> tuple[Any, ...]:
        return (*(criterion(offer) for criterion in self.criteria), offer.store.id)


def ranked_by(*criteria: RankingCriterion) -> Ranking:
    """A ranking by these criteria, the weightiest first. Raises InvalidInput."""
    return Ranking(criteria)


def full_first(offer: Offer) -> Comparable:
    """Stores that can promise the whole basket, then those that could with a transfer, then part of it, then none."""
    if offer.full:
        return 0
    if offer.with_transfer is not None:
        return 1
    return 2 if offer.slots and offer.coverage > 0 else 3


def most_complete(offer: Offer) -> Comparable:
    """Stores at which more of the basket can be had, with a transfer where there may be one."""
    return -1.0 if offer.full or offer.with_transfer else -offer.coverage


def closest(offer: Offer) -> Comparable:
    """Stores that are nearer to the customer, as the crow flies; unknown distances last."""
    return (offer.distance_km is None, offer.distance_km or 0.0)


def earliest(offer: Offer) -> Comparable:
    """Stores where it can be collected sooner; those without any free slot last."""
    starts = offer.earliest
    return (starts is None, starts.timestamp() if starts else 0.0)


def cheapest(offer: Offer) -> Comparable:
    """Stores where the basket costs less; those without a price last."""
    return (offer.quote is None, offer.quote.total.amount if offer.quote else 0)


DEFAULT_RANKING = ranked_by(full_first, most_complete, closest, earliest)


def _strategy(value: Strategy) -> Strategy:
    given = cast("object", value)
    if not isinstance(given, Strategy):
        raise InvalidInput("strategy", given, "must be a Strategy: see sourcing.by")
    return given


def _ranking(value: Ranking) -> Ranking:
    given = cast("object", value)
    if not isinstance(given, Ranking):
        raise InvalidInput("ranking", given, "must be a Ranking: see ranking.ranked_by")
    return given


def _cost(value: TransferCost | None) -> TransferCost | None:
    given = cast("object", value)
    if given is not None and not callable(given):
        raise InvalidInput("cost", given, "must be a function of two stores, or None")
    return value


@frozen(kw_only=True)
class SourcingPolicy:
    """How a chain sources what a store lacks, and in which order it shows offers.

    `strategy` chooses who sends goods to whom; `ranking` orders offers; `cost` tells what a transfer costs, for
    strategies that ask. Raises InvalidInput.
    """

    strategy: Strategy = field(default=DEFAULT, converter=_strategy)
    ranking: Ranking = field(default=DEFAULT_RANKING, converter=_ranking)
    cost: TransferCost | None = field(default=None, converter=_cost)
