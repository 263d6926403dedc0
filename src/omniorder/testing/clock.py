"""Time and chance for tests: a clock that stands still until it is told otherwise, and bytes from a seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final

from omniorder.domain.instants import instant

__all__ = ["FakeClock", "SeededEntropy"]

_MONDAY_MORNING: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)


class FakeClock:
    """A clock that stands still; without `start`, on Monday 23 November 2026 at 08:00 UTC. Thread-safe.

    Raises `InvalidInstant` for a naive datetime.
    """

    def __init__(self, start: datetime = _MONDAY_MORNING) -> None:
        self._now = instant(start, "start")
        self._lock = Lock()

    def now(self) -> datetime:
        """The instant at which it stands, in UTC."""
        return self._now

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Go on by that much (or back, when negative); returns the new instant."""
        with self._lock:
            step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
            self._now = instant(self._now + step, "now")
            return self._now

    def set(self, to: datetime) -> datetime:
        """Stand at `to`, which may lie before: clocks do step back."""
        with self._lock:
            self._now = instant(to, "to")
            return self._now


class SeededEntropy:
    """Bytes that look random, the same for the same seed: guessable, so for tests only. Thread-safe."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._lock = Lock()

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        with self._lock:
            return self._random.randbytes(count)
