"""Sourcing: which stores give what, so that a basket is complete at the store where it is collected.

A plan is made of **legs**: units that one store gives. What the collecting store itself has is a leg as well, one that
takes no time. The planner looks at every store that has something of what is still missing, lets the strategy choose
one, takes all that it can give, and asks again until nothing is missing or nobody has any:

    missing = wanted
    while somebody has something of it:
        chosen = the candidate that the strategy likes best
        missing = missing - what it gives

So a strategy only decides *who* gives: how much is found in all is the same under every strategy, namely the smaller
of what is wanted and what all of them have. A strategy is a list of small functions, each of which gives a candidate a
key; the least key wins, and only those that tie are shown to the next function:

    plan(demand, "SOF01", atp, donors, by(here_first, fewest_splits, nearest))

What ties to the end is decided by the collecting store's own stock, then by store id: the order in which anything was
given never matters. A plan holds nothing; whoever acts on it reserves leg by leg.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol, cast

from attrs import field, frozen

from omniorder.domain import ids
from omniorder.domain.covering import in_smallest_covers
from omniorder.domain.quantities import quantity
from omniorder.errors import InvalidInput

__all__ = [
    "DEFAULT",
    "Candidate",
    "Criterion",
    "Donor",
    "Leg",
    "Shelves",
    "Sourcing",
    "Strategy",
    "by",
    "cheapest_transfer",
    "fewest_splits",
    "here_first",
    "highest_stock",
    "nearest",
    "plan",
    "quickest",
    "spare_the_weak",
]

_NO_TIME = timedelta(0)
_MOST_UNITS = 10**12
"""More than a basket may want: what is weighed is asked for with its tolerance on top."""
_FAR = (True, 0)
"""The key of an unknown distance or cost: after all known ones."""


# --- what is asked, and what comes out ---------------------------------------------------------------------


def _store_id(value: str) -> str:
    return ids.store_id(value)


def _transit(value: timedelta) -> timedelta:
    given = cast("object", value)
    if not isinstance(given, timedelta) or given < _NO_TIME:
        raise InvalidInput("transit", given, "must be a timedelta that isn't negative")
    return given


def _distance(value: float | None) -> float | None:
    given = cast("object", value)
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < math.inf:
        raise InvalidInput("distance_km", given, "must be kilometres, or None")
    return float(given)


def _cost(value: int | None) -> int | None:
    return None if value is None else quantity(value, "cost", least=0, most=10**12)


@frozen
class Donor:
    """A store or distribution centre that may send units to the collecting store.

    `transit` is how long they are under way; `distance_km` and `cost` (minor units of the shop's currency, for the
    whole transfer) are None where unknown. Raises InvalidId, InvalidQuantity (cost) or InvalidInput.
    """

    store: str = field(converter=_store_id)
    transit: timedelta = field(converter=_transit)
    distance_km: float | None = field(default=None, converter=_distance)
    cost: int | None = field(default=None, converter=_cost)


@frozen
class Leg:
    """Units that one store gives, as pairs of SKU and quantity by SKU; `transit` is 0 at the collecting store."""

    store: str
    units: tuple[tuple[str, int], ...]
    transit: timedelta


@frozen
class Sourcing:
    """How a basket comes together at `store`: the legs in the order they were chosen, and what nobody can give.

    `missing` is pairs of SKU and quantity, by SKU. Per SKU, the legs and what is missing add up to what was wanted.
    """

    store: str
    legs: tuple[Leg, ...]
    missing: tuple[tuple[str, int], ...]

    @property
    def full(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing

    @property
    def local(self) -> bool:
        """Whether nothing has to travel."""
        return not self.transfers

    @property
    def transfers(self) -> tuple[Leg, ...]:
        """The legs that come from other stores."""
        return tuple(leg for leg in self.legs if leg.store != self.store)

    @property
    def splits(self) -> int:
        """How often the basket is split: its legs but one."""
        return max(0, len(self.legs) - 1)

    @property
    def arrives_in(self) -> timedelta:
        """How long until all of it is at the store: the longest transit."""
        return max((leg.transit for leg in self.legs), default=_NO_TIME)


# --- strategies --------------------------------------------------------------------------------------------


@frozen(eq=False)
class Candidate:
    """A store that could give the next leg: what it has of what is `missing`, units per SKU.

    `stock` holds what it may promise of these SKUs. `here` says that it is the collecting store itself.
    """

    store: str
    here: bool
    transit: timedelta
    distance_km: float | None
    cost: int | None
    stock: Mapping[str, int]
    missing: Mapping[str, int]
    _fewest: Callable[[], frozenset[str]] = field(repr=False, alias="fewest")

    @property
    def gives(self) -> Mapping[str, int]:
        """Units per SKU that it would give: all that it has, as far as that is missing."""
        return {sku: min(units, self.missing[sku]) for sku, units in self.stock.items()}

    @property
    def frugal(self) -> bool:
        """Whether a plan of the fewest possible legs goes on with this one; exact but for huge searches."""
        return self.store in self._fewest()


class Comparable(Protocol):
    """What can be sorted: numbers, texts, booleans, tuples of them."""

    def __lt__(self, other: Any, /) -> bool: ...


Criterion = Callable[[Candidate], Comparable]
"""Gives a candidate a key; the least is liked best. Pure, and never dependent on the order of asking."""


def _criteria(value: Iterable[Criterion]) -> tuple[Criterion, ...]:
    found = tuple(value)
    for one in cast("tuple[object, ...]", found):
        if not callable(one):
            raise InvalidInput("criteria", one, "must be functions of a Candidate")
    return found


@frozen
class Strategy:
    """Criteria in order of weight: a later one only decides where all before it tie. Raises InvalidInput."""

    criteria: tuple[Criterion, ...] = field(converter=_criteria)

    def choose(self, candidates: Sequence[Candidate]) -> Candidate:
        """The one that is liked best; ties go to the collecting store, then by store id."""
        rest: Sequence[Candidate] = candidates
        for criterion in self.criteria:
            if len(rest) == 1:
                break
            keys: list[Any] = [criterion(candidate) for candidate in rest]
            least = min(keys)
            rest = [candidate for candidate, key in zip(rest, keys, strict=True) if not least < key]
        return min(rest, key=lambda candidate: (not candidate.here, candidate.store))


def by(*criteria: Criterion | Strategy) -> Strategy:
    """A strategy of these criteria, the weightiest first; strategies may be parts of others. Raises InvalidInput."""
    flat: list[Criterion] = []
    for one in criteria:
        flat.extend(one.criteria if isinstance(one, Strategy) else (one,))
    return Strategy(tuple(flat))


def here_first(candidate: Candidate) -> Comparable:
    """What the collecting store has itself is used before anything travels."""
    return not candidate.here


def fewest_splits(candidate: Candidate) -> Comparable:
    """The whole basket comes from as few stores as possible."""
    return not candidate.frugal


def nearest(candidate: Candidate) -> Comparable:
    """The store that is nearest to the collecting store, as the crow flies; unknown distances last."""
    return _FAR if candidate.distance_km is None else (False, candidate.distance_km)


def quickest(candidate: Candidate) -> Comparable:
    """The store whose goods arrive soonest."""
    return candidate.transit


def cheapest_transfer(candidate: Candidate) -> Comparable:
    """The store whose transfer costs least; unknown costs last."""
    return _FAR if candidate.cost is None else (False, candidate.cost)


def highest_stock(candidate: Candidate) -> Comparable:
    """The store that could give the largest multiple of what is missing, all SKUs added up."""
    return -math.fsum(units / candidate.missing[sku] for sku, units in candidate.stock.items())


def spare_the_weak(candidate: Candidate) -> Comparable:
    """The store that is left without the fewest SKUs, and then gives up the smallest share of its scarcest."""
    gives, stock = candidate.gives, candidate.stock
    emptied = sum(units == stock[sku] for sku, units in gives.items())
    return (emptied, max(units / stock[sku] for sku, units in gives.items()))


DEFAULT = by(here_first, fewest_splits, nearest)
"""The collecting store's own stock, then as few other stores as possible, the nearest of them."""


# --- the planner -------------------------------------------------------------------------------------------


def plan(
    demand: Mapping[str, int],
    store: str,
    atp: Mapping[tuple[str, str], int],
    donors: Iterable[Donor],
    strategy: Strategy = DEFAULT,
    *,
    stays: Collection[str] = (),
) -> Sourcing:
    """How `demand` (units per SKU, all lines summed) comes together at `store`.

    `atp` is what may be promised per (store, SKU), at the donors and at `store` itself; what isn't in it is none. The
    collecting store is no donor of its own, and of a donor that is given twice the quicker way counts. The SKUs in
    `stays` are not sent: of these only what `store` itself has counts.

    Raises InvalidQuantity (demand).
    """
    return Shelves(demand, atp, stays=stays).plan(store, donors, strategy)


class Shelves:
    """What each store may promise towards one demand, put in order once for many plans; see `plan`."""

    def __init__(
        self, demand: Mapping[str, int], atp: Mapping[tuple[str, str], int], *, stays: Collection[str] = ()
    ) -> None:
        self.demand: Final[Mapping[str, int]] = {
            sku: quantity(units, f"units of {sku}", most=_MOST_UNITS) for sku, units in sorted(demand.items())
        }
        self._units: Final[defaultdict[str, dict[str, int]]] = defaultdict(dict)
        self.stays: Final = frozenset(stays)
        for (store, sku), units in atp.items():
            if units > 0 and sku in self.demand:
                self._units[store][sku] = units

    def at(self, store: str) -> Mapping[str, int]:
        """Units per SKU of the demand that this store may promise; those it has none of are left out."""
        return self._units.get(store, {})

    def complete(self, store: str) -> bool:
        """Whether this store has all of it."""
        shelf = self.at(store)
        return all(shelf.get(sku, 0) >= units for sku, units in self.demand.items())

    def sent_from(self, store: str) -> Mapping[str, int]:
        """The same without what is not sent to other stores."""
        shelf = self.at(store)
        return {sku: units for sku, units in shelf.items() if sku not in self.stays} if self.stays else shelf

    def plan(self, store: str, donors: Iterable[Donor], strategy: Strategy = DEFAULT) -> Sourcing:
        """The same as the function of this name."""
        sources = {donor.store: donor for donor in sorted(donors, key=_way, reverse=True) if donor.store != store}
        sources[store] = Donor(store, _NO_TIME, 0.0, 0)
        rest = {
            name: shelf for name in sorted(sources) if (shelf := (self.at if name == store else self.sent_from)(name))
        }
        missing = dict(self.demand)
        legs: list[Leg] = []
        if strategy.criteria[:1] == (here_first,) and store in rest:  # nobody else need be looked at
            legs.append(_leg(sources[store], rest.pop(store), missing))
        while missing and (candidates := _candidates(store, missing, rest, sources)):
            chosen = candidates[0] if len(candidates) == 1 else strategy.choose(candidates)
            legs.append(_leg(sources[chosen.store], rest.pop(chosen.store), missing))
        return Sourcing(store, tuple(legs), tuple(missing.items()))


def _leg(source: Donor, shelf: Mapping[str, int], missing: dict[str, int]) -> Leg:
    """All that this source can give of what is missing, which is that much less then."""
    gives = [(sku, min(units, shelf[sku])) for sku, units in missing.items() if sku in shelf]
    for sku, units in gives:
        missing[sku] -= units
        if not missing[sku]:
            del missing[sku]
    return Leg(source.store, tuple(gives), source.transit)


def _way(donor: Donor) -> tuple[timedelta, Comparable, Comparable]:
    """By what the better of two ways from the same donor is told."""
    return (
        donor.transit,
        _FAR if donor.distance_km is None else (False, donor.distance_km),
        _FAR if donor.cost is None else (False, donor.cost),
    )


def _candidates(
    store: str, missing: Mapping[str, int], shelves: Mapping[str, Mapping[str, int]], sources: Mapping[str, Donor]
) -> list[Candidate]:
    """Everybody who has something of what is missing, by store id."""
    wanted = dict(missing)
    stocks: dict[str, Mapping[str, int]] = {}
    for name, shelf in shelves.items():
        held = {sku: shelf[sku] for sku in wanted if sku in shelf}
        if held:
            stocks[name] = held
    fewest = _Fewest(wanted, stocks)
    return [
        Candidate(
            store=name,
            here=name == store,
            transit=sources[name].transit,
            distance_km=sources[name].distance_km,
            cost=sources[name].cost,
            stock=stock,
            missing=wanted,
            fewest=fewest,
        )
        for name, stock in stocks.items()
    ]


class _Fewest:
    """The stores of the smallest plans, looked for once and only when a criterion asks."""

    def __init__(self, missing: Mapping[str, int], stocks: Mapping[str, Mapping[str, int]]) -> None:
        self._missing = missing
        self._stocks = stocks
        self._found: frozenset[str] | None = None

    def __call__(self) -> frozenset[str]:
        if self._found is None:
            names, stocks = list(self._stocks), list(self._stocks.values())
            rows = [tuple([stock.get(sku, 0) for sku in self._missing]) for stock in stocks]
            there = map(sum, zip(*rows, strict=True))
            wanted = tuple(map(min, self._missing.values(), there))
            found = in_smallest_covers(wanted, rows)
            self._found = frozenset(names[place] for place in found)
        return self._found
