"""What a store's work came to: counts and times, told by the journal.

`facts` reads the whole story of one order (of the order itself it needs only the lines that were placed, which never
change) and says what it adds to which store's measures, and at which instant: work is counted once. So the measures of
a day are the sum of that day's facts, those of a week the sum of its days', and nothing is counted twice however time
is divided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import reduce
from math import ceil
from operator import add
from types import MappingProxyType
from typing import Any, Final

from attrs import fields_dict, frozen

from omniorder.domain import events as e
from omniorder.domain.events import Recorded
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.quantities import Unit, Units

__all__ = ["LATEST", "TELLING", "Fact", "Measures", "facts", "happened", "total"]


@frozen
class Measures:
    """One or several days of one store; `a + b` is both together. Of what is 0 of 0 there is no rate: None.

    Orders: `picked` of which picking began, `ready`, `collected` from which goods left; `no_shows` for which nobody
    came, `rests_lapsed` whose rest nobody came for, `returned`: how often customers brought goods back. `on_time` of
    the `timed` orders that had a window were ready when it began. `short` of the `ordered` units could not be found,
    in orders that were made ready or given up; what is weighed counts as one unit a line. `proposed`, `accepted` and
    `declined` are substitutes. `to_ready` is how long orders took from when the store could begin, `waits` how long
    customers waited from when they arrived until they had goods in their hands.
    """

    picked: int = 0
    ready: int = 0
    collected: int = 0
    no_shows: int = 0
    rests_lapsed: int = 0
    returned: int = 0
    timed: int = 0
    on_time: int = 0
    ordered: int = 0
    short: int = 0
    proposed: int = 0
    accepted: int = 0
    declined: int = 0
    to_ready: tuple[timedelta, ...] = ()
    waits: tuple[timedelta, ...] = ()

    def __add__(self, other: Measures) -> Measures:
        """Both together; of the times, all of them, the shortest first."""
        both: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in fields_dict(Measures)}
        both |= {name: tuple(sorted(both[name])) for name in ("to_ready", "waits")}
        return Measures(**both)

    @property
    def time_to_ready(self) -> timedelta | None:
        """The median: half of the orders took no longer."""
        return within(self.to_ready, 50)

    @property
    def slow_to_ready(self) -> timedelta | None:
        """The 90th percentile: nine of ten orders took no longer."""
        return within(self.to_ready, 90)

    @property
    def waiting_time(self) -> timedelta | None:
        """The median: half of the customers who said that they were there waited no longer."""
        return within(self.waits, 50)

    @property
    def long_wait(self) -> timedelta | None:
        """The 90th percentile: nine of ten of them waited no longer."""
        return within(self.waits, 90)

    @property
    def on_time_rate(self) -> float | None:
        """The share of orders that were ready when their window began."""
        return _share(self.on_time, self.timed)

    @property
    def short_rate(self) -> float | None:
        """The share of ordered units that the store could not find."""
        return _share(self.short, self.ordered)

    @property
    def substitution_acceptance(self) -> float | None:
        """The share of answered substitutes that customers took."""
        return _share(self.accepted, self.accepted + self.declined)

    @property
    def no_show_rate(self) -> float | None:
        """The share of orders for which nobody came, of those that came to an end at the counter."""
        return _share(self.no_shows, self.no_shows + self.collected)


@frozen
class Fact:
    """What happened at an instant, and what it adds to the measures of the store that did the work."""

    at: datetime
    store: str
    measures: Measures


def total(measures: Iterable[Measures]) -> Measures:
    """All of them together; nothing for none."""
    return reduce(add, measures, Measures())


def within(times: Iterable[timedelta], percent: int) -> timedelta | None:
    """The shortest of these times that at least `percent` of 100 of them don't exceed: the nearest rank.

    None for no times. Source: Hyndman and Fan, Sample Quantiles in Statistical Packages (1996), definition 1.
    """
    ordered = sorted(times)
    return ordered[max(1, ceil(len(ordered) * percent / 100)) - 1] if ordered else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


_COUNTED: Final[Mapping[str, Measures]] = MappingProxyType(
    {
        "NoShow": Measures(no_shows=1),
        "RestLapsed": Measures(rests_lapsed=1),
        "PartReturned": Measures(returned=1),
        "AllReturned": Measures(returned=1),
        "SubstituteProposed": Measures(proposed=1),
        "SubstituteDeclined": Measures(declined=1),
    }
)
"""What is counted whenever it happens, by the name under which the journal has it."""

LATEST: Final = timedelta(days=7)
"""How long after it happened something is told and counts when it happened; what is told later counts then."""

TELLING: Final = frozenset(_COUNTED) | {
    "PickStarted", "UnitsSubstituted", "MadeReady", "PartCollected", "Collected", "LeftOffline", "PickRerouted",
    "PickupCancelled",
}  # fmt: skip
"""The names of the events that facts come of: an order to which none of them happened that day adds nothing to it."""


def facts(journal: Iterable[Recorded], lines: Iterable[OrderLine]) -> Iterator[Fact]:
    """What one order adds to the measures of the stores that worked on it.

    `journal` is its whole stream, `lines` are those that were placed: they never change.
    """
    story = _Story({line.id: line for line in lines})
    for recorded in journal:
        story.store = story.store or recorded.home
        at = happened(recorded)
        for told in (*story.hear(recorded.event, at), _COUNTED.get(recorded.name)):
            if told is not None:
                yield Fact(at, story.store, told)


def happened(recorded: Recorded) -> datetime:
    """When it happened: as told, but for goods that left without a network, of which the store tells later."""
    event, told_at = recorded.event, recorded.stamp.at
    return event.at if isinstance(event, e.LeftOffline) and told_at - event.at <= LATEST else told_at


class _Story:
    """What has to be remembered of an order while its journal is read."""

    def __init__(self, lines: dict[str, OrderLine]) -> None:
        self.store = ""
        self._lines = lines
        self._wanted = Counter({id: line.quantity for id, line in lines.items()})
        self._short = Counter[str]()
        self._excused = Counter[str]()
        self._began: datetime | None = None
        self._arrived: datetime | None = None
        self._picked = self._settled = self._left = False

    def hear(self, event: e.Event, at: datetime) -> Iterator[Measures]:
        """What this event adds, which happened after all others that were heard."""
        match event:
            case e.PickReleased() | e.StockArrived():
                self._began = at
            case e.UnitsSubstituted(proposal=proposal):
                # what the consent in the basket allows was never proposed, and accepted beforehand
                yield Measures(accepted=1) if proposal else Measures(proposed=1, accepted=1)
            case e.PickStarted() if not self._picked:
                self._picked = True
                yield Measures(picked=1)
            case e.ShortPicked(line, quantity):
                self._short[line] += quantity
            case e.LinesAppended(lines):
                self._lines |= {line.id: line for line in lines}
                self._wanted.update({line.id: line.quantity for line in lines if not line.instead_of})
            case e.LinesCancelled(units):
                self._called_off(units)
            case e.MadeReady() if not self._settled:
                yield self._ready(event, at)
            case e.PickRerouted() | e.PickupCancelled() if not self._settled and self._short:
                yield self._units()  # it was given up, and something was missing
            case e.OrderRerouted(store=store):
                self._begin_at(store)
            case e.CustomerArrived():
                self._arrived = self._arrived or at
            case e.ArrivalWithdrawn():
                self._arrived = None
            case e.LeftOffline() | e.PartCollected() | e.Collected():
                yield self._gone(at)
            case _:
                pass

    def _ready(self, event: e.MadeReady, at: datetime) -> Measures:
        took = (_span(self._began, at),) if self._began is not None else ()
        timed = event.promised is not None
        on_time = event.promised is not None and at <= event.promised
        return self._units() + Measures(ready=1, timed=int(timed), on_time=int(on_time), to_ready=took)

    def _units(self) -> Measures:
        self._settled = True
        ordered = sum(self._count(line, units) for line, units in self._wanted.items())
        short = sum(self._count(line, min(units, self._wanted[line])) for line, units in self._short.items())
        return Measures(ordered=ordered, short=short)

    def _gone(self, at: datetime) -> Measures:
        waits = (_span(self._arrived, at),) if self._arrived is not None else ()
        first = not self._left
        self._arrived, self._left = None, True
        return Measures(collected=int(first), waits=waits)

    def _called_off(self, units: Iterable[Units]) -> None:
        """What was called off because it is short stays wanted: the store hadn't got it."""
        for part in units:
            excused = min(part.quantity, max(0, self._short[part.line] - self._excused[part.line]))
            self._excused[part.line] += excused
            self._wanted[part.line] -= part.quantity - excused

    def _begin_at(self, store: str) -> None:
        self.store = store
        self._wanted.subtract(self._excused)
        self._short, self._excused = Counter[str](), Counter[str]()
        self._began = self._arrived = None
        self._picked = self._settled = False

    def _count(self, line: str, units: int) -> int:
        """Units of what is counted; what is weighed is one, however much it weighs."""
        weighed = line in self._lines and self._lines[line].unit is not Unit.PIECE
        return min(1, max(0, units)) if weighed else max(0, units)


def _span(start: datetime, end: datetime) -> timedelta:
    """Hosts' clocks differ: what seems to end before it began took no time."""
    return max(end - start, timedelta())
