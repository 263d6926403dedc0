"""A day that is played in no time: a clock that jumps from one thing to do to the next, and a note of what happened."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from random import Random
from zoneinfo import ZoneInfo

from omniorder import OrderHub
from omniorder.testing import FakeClock

Action = Callable[[], None]


class Day:
    """What is still to happen, in the order of time. Chance comes from one seed: the same seed is the same day.

    `offline`: the store has no network just now. `told` is the first of each kind of thing, `times` how often it was.
    """

    def __init__(self, hub: OrderHub, clock: FakeClock, zone: ZoneInfo, seed: int) -> None:
        self.hub = hub
        self.clock = clock
        self.zone = zone
        self.chance = Random(seed)
        self.told: dict[str, str] = {}
        self.times: Counter[str] = Counter()
        self.offline = False
        self._agenda: list[tuple[datetime, int, Action]] = []
        self._numbers = count()  # of two things at one instant the one that was planned first comes first

    @property
    def now(self) -> datetime:
        """The instant at which the day stands."""
        return self.clock.now()

    def at(self, instant: datetime, action: Action) -> None:
        """Do this then; at once, if that has passed."""
        heapq.heappush(self._agenda, (max(instant, self.now), next(self._numbers), action))

    def after(self, minutes: float, action: Action) -> None:
        """Do this so many minutes from now."""
        self.at(self.now + timedelta(minutes=minutes), action)

    def run(self, until: datetime) -> None:
        """Let everything happen that is to happen before this instant, and stand there."""
        while self._agenda and self._agenda[0][0] < until:
            instant, _, action = heapq.heappop(self._agenda)
            self.clock.set(instant)
            action()
        self.clock.set(until)

    def happens(self, share: float) -> bool:
        """Whether something happens that happens in this share of all cases."""
        return self.chance.random() < share

    def tell(self, what: str, sentence: str) -> None:
        """Something worth telling happened. Of each kind the first time is told, the others are counted."""
        self.times[what] += 1
        self.told.setdefault(what, f"{self.now.astimezone(self.zone):%H:%M}  {sentence}")
