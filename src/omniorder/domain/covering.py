"""Who to ask so that as few as possible are asked: the smallest sets of stores that together have what is wanted.

This is the multi-set cover problem, which has no fast exact solution. Baskets are kind to it: usually one store has
all that is missing, or some article is rare, and asking its few owners first leaves little to try. So the search is
exact up to a number of steps, and then takes those that have most of it; the steps are counted rather than timed, so
that the same question has the same answer on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import ge

__all__ = ["STEPS", "in_smallest_covers"]

STEPS = 5_000
"""How many stores are tried, one after another, before the search settles for those that have most."""

Units = tuple[int, ...]
"""Units per article; which article stands where is the caller's to know."""


def in_smallest_covers(wanted: Units, stocks: Sequence[Units], *, steps: int = STEPS) -> frozenset[int]:
    """Which of `stocks`, by position, belong to a smallest set that has all of `wanted` between them.

    All of them together must have it. A set is a cover when the sum of its stocks reaches `wanted` in every article.
    """
    if not any(wanted):
        return frozenset()
    alone = frozenset(place for place, stock in enumerate(stocks) if all(map(ge, stock, wanted)))
    if alone:  # the usual case needs no search
        return alone
    search = _Search(stocks, steps)
    try:
        for size in range(2, len(stocks) + 1):
            found = search.members(wanted, size)
            if found:
                return found
    except _OutOfStepsError:
        pass
    return _greediest(wanted, stocks)


def _greediest(wanted: Units, stocks: Sequence[Units]) -> frozenset[int]:
    """Those that have the largest share of what is wanted, each article counting alike."""
    shares = [math.fsum(min(has, want) / want for has, want in zip(stock, wanted, strict=True) if want)
              for stock in stocks]  # fmt: skip
    return frozenset(position for position, share in enumerate(shares) if share == max(shares))


class _OutOfStepsError(Exception):
    """The search has tried as much as it may."""


class _Search:
    """Depth first: the article that fewest have is covered first, by each of its owners in turn."""

    def __init__(self, stocks: Sequence[Units], steps: int) -> None:
        self._stocks = stocks
        self._left = steps
        columns = list(zip(*stocks, strict=True))
        self._owners = [_owners(column) for column in columns]
        self._most = [(0, *accumulate(sorted(column, reverse=True))) for column in columns]

    def members(self, wanted: Units, size: int) -> frozenset[int]:
        """Everybody in a cover of `size`; empty when there is none. No smaller one may exist."""
        first = self._cover(wanted, size, frozenset())
        if first is None:
            return frozenset()
        found = set(first)
        for place in range(len(self._stocks)):
            if place not in found:
                rest = self._cover(self._after(wanted, place), size - 1, frozenset({place}))
                found.update((place, *rest) if rest is not None else ())
        return frozenset(found)

    def _cover(self, wanted: Units, size: int, taken: frozenset[int]) -> tuple[int, ...] | None:
        """At most `size` more that have it all, none of them `taken`; None when there are none."""
        open_articles = [article for article, units in enumerate(wanted) if units]
        if not open_articles:
            return ()
        if any(self._most[article][min(size, len(self._stocks))] < wanted[article] for article in open_articles):
            return None  # even the `size` largest stocks of this article are too little
        rarest = min(open_articles, key=lambda article: len(self._owners[article]))
        for place in self._owners[rarest]:
            if place in taken:
                continue
            if not self._left:
                raise _OutOfStepsError
            self._left -= 1
            rest = self._cover(self._after(wanted, place), size - 1, taken | {place})
            if rest is not None:
                return (place, *rest)
        return None

    def _after(self, wanted: Units, place: int) -> Units:
        return tuple(max(0, want - has) for want, has in zip(wanted, self._stocks[place], strict=True))


def _owners(column: Units) -> list[int]:
    """Who has this article, those with most of it first."""
    return sorted((place for place, has in enumerate(column) if has), key=lambda place: (-column[place], place))
