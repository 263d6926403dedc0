"""Time and chance in the hand of a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.errors import InvalidInstant
from omniorder.testing import FakeClock, SeededEntropy

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class TestClock:
    def test_it_stands_still(self) -> None:
        clock = FakeClock(NOON)
        assert clock.now() == clock.now() == NOON

    def test_it_goes_on_when_it_is_told_to(self) -> None:
        clock = FakeClock(NOON)
        assert clock.advance(minutes=16) == clock.now() == NOON + timedelta(minutes=16)

    def test_it_can_step_back_as_clocks_do(self) -> None:
        clock = FakeClock(NOON)
        clock.advance(hours=-1)
        assert clock.now() < NOON
        assert clock.set(NOON) == clock.now() == NOON

    def test_it_needs_a_time_zone_as_everything_does(self) -> None:
        naive = NOON.replace(tzinfo=None)
        with pytest.raises(InvalidInstant):
            FakeClock(naive)
        with pytest.raises(InvalidInstant):
            FakeClock().set(naive)


class TestEntropy:
    @given(st.integers(), st.lists(st.integers(0, 64), max_size=5))
    def test_the_same_seed_gives_the_same_bytes(self, seed: int, sizes: list[int]) -> None:
        one, other = SeededEntropy(seed), SeededEntropy(seed)
        drawn = [one.bytes(size) for size in sizes]
        assert drawn == [other.bytes(size) for size in sizes]
        assert [len(part) for part in drawn] == sizes

    def test_it_goes_on_and_seeds_differ(self) -> None:
        entropy = SeededEntropy(1)
        assert len({entropy.bytes(16), entropy.bytes(16), SeededEntropy(2).bytes(16)}) == 3
