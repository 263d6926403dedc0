"""When a store is open, how long goods wait, and from when on it works on an order."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.hours import counts_from, is_open, keep_until
from omniorder.domain.stores import Closure, Store
from omniorder.errors import InvalidInstant, InvalidQuantity
from tests.domain.calendar_days import DAY, NOW, SOFIA, local, moments, shop, shops


class TestIsOpen:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (local(2026, 11, 23, 7, 59), False),
            (local(2026, 11, 23, 8, 0), True),
            (local(2026, 11, 23, 20, 59), True),
            (local(2026, 11, 23, 21, 0), False),
            (local(2026, 11, 22, 12, 0), False),
        ],
    )
    def test_a_store_is_open_from_opening_until_just_before_closing(self, at: datetime, expected: bool) -> None:
        assert is_open(shop(), at) == is_open(shop(), at.astimezone(UTC)) == expected

    def test_the_night_past_midnight_is_open(self) -> None:
        assert is_open(shop("Fr 22:00-02:00"), local(2026, 11, 28, 1, 59))
        assert not is_open(shop("Fr 22:00-02:00"), local(2026, 11, 28, 2, 0))

    def test_both_passes_of_the_hour_that_comes_twice_are_open(self) -> None:
        store = shop("Mo-Su 02:00-06:00")
        assert is_open(store, local(2026, 10, 25, 3, 30, fold=0))
        assert is_open(store, local(2026, 10, 25, 3, 30, fold=1))

    def test_a_store_is_closed_during_a_closure_and_open_when_it_ends(self) -> None:
        store = shop(closed=[Closure(local(2026, 11, 23, 12, 0), local(2026, 11, 23, 14, 0))])
        times = [(11, 59), (12, 0), (13, 59), (14, 0)]
        assert [is_open(store, local(2026, 11, 23, *at)) for at in times] == [True, False, False, True]

    def test_a_naive_instant_is_refused(self) -> None:
        with pytest.raises(InvalidInstant):
            is_open(shop(), NOW.replace(tzinfo=None))


class TestKeepUntil:
    @pytest.mark.parametrize(
        ("after", "days", "until"),
        [
            (local(2026, 11, 23, 9, 0), 1, local(2026, 11, 24, 21, 0)),
            (local(2026, 11, 23, 0, 0), 3, local(2026, 11, 26, 21, 0)),
            (local(2026, 11, 23, 23, 59), 3, local(2026, 11, 26, 21, 0)),
            (local(2026, 11, 27, 9, 0), 3, local(2026, 12, 1, 21, 0)),  # over a Sunday
            (local(2026, 11, 22, 9, 0), 1, local(2026, 11, 23, 21, 0)),  # ready while closed
        ],
    )
    def test_goods_wait_until_closing_time_of_the_nth_opening_day(
        self, after: datetime, days: int, until: datetime
    ) -> None:
        found = keep_until(shop(), after, days)
        assert found == until
        assert found.tzinfo is UTC

    def test_a_public_holiday_is_no_opening_day(self) -> None:
        store = shop("Mo-Sa 08:00-21:00; PH off", country="BG")
        assert keep_until(store, local(2026, 3, 2, 9, 0), 1) == local(2026, 3, 4, 21, 0)

    def test_the_last_closing_time_of_a_day_counts(self) -> None:
        store = shop("Mo-Su 08:00-12:00,14:00-18:00")
        assert keep_until(store, local(2026, 11, 23, 9, 0), 1) == local(2026, 11, 24, 18, 0)

    def test_an_evening_past_midnight_belongs_to_the_day_on_which_it_began(self) -> None:
        store = shop("Mo-Su 18:00-02:00")
        assert keep_until(store, local(2026, 11, 23, 19, 0), 1) == local(2026, 11, 25, 2, 0)

    def test_a_store_that_never_closes_keeps_goods_until_midnight(self) -> None:
        assert keep_until(shop("24/7"), local(2026, 11, 23, 9, 0), 3) == local(2026, 11, 27, 0, 0)

    @pytest.mark.parametrize("day", [(2026, 3, 28), (2026, 10, 24)])
    def test_a_clock_change_does_not_move_the_local_deadline(self, day: tuple[int, int, int]) -> None:
        after = local(*day, 12, 0)
        found = keep_until(shop("Mo-Su 08:00-21:00"), after, 1).astimezone(SOFIA)
        assert (found.date(), found.hour) == ((after + DAY).date(), 21)

    def test_a_day_whose_only_opening_is_skipped_by_the_clock_is_no_opening_day(self) -> None:
        store = shop("Mo-Su 03:10-03:30")
        assert keep_until(store, local(2026, 3, 28, 9, 0), 1) == local(2026, 3, 30, 3, 30)

    def test_a_store_that_never_opens_again_keeps_goods_for_as_many_days(self) -> None:
        assert keep_until(shop("off"), local(2026, 11, 23, 9, 0), 3) == local(2026, 11, 27, 0, 0)

    def test_a_store_that_closes_for_good_keeps_goods_until_then(self) -> None:
        store = shop("2026 Nov 23-2026 Nov 24 08:00-20:00")
        assert keep_until(store, local(2026, 11, 23, 9, 0), 3) == local(2026, 11, 24, 20, 0)

    @given(shops, moments, st.integers(1, 10))
    def test_goods_wait_longer_for_more_days_and_never_end_before_they_began(
        self, store: Store, after: datetime, days: int
    ) -> None:
        assert after < keep_until(store, after, days) < keep_until(store, after, days + 1)

    @pytest.mark.parametrize("days", [0, -1, 366, True, 1.5])
    def test_the_days_are_a_whole_number_from_1_to_365(self, days: Any) -> None:
        with pytest.raises(InvalidQuantity):
            keep_until(shop(), NOW, days)

    def test_a_day_that_a_closure_fills_is_no_opening_day(self) -> None:
        closed = [Closure(local(2026, 11, 24, 0, 0), local(2026, 11, 25, 0, 0))]
        assert keep_until(shop(closed=closed), local(2026, 11, 23, 9, 0), 1) == local(2026, 11, 25, 21, 0)

    def test_a_closure_in_the_evening_brings_closing_time_forward(self) -> None:
        closed = [Closure(local(2026, 11, 24, 15, 0), local(2026, 11, 24, 23, 0))]
        assert keep_until(shop(closed=closed), local(2026, 11, 23, 9, 0), 1) == local(2026, 11, 24, 15, 0)


BY_DAY = "Mo-Sa 08:00-21:00"
BY_NIGHT = "Mo-Su 22:00-02:30"
WITH_A_BREAK = "Mo-Sa 08:00-12:00,13:30-20:00"


class TestCutOff:
    def counts(self, store: Store, at: datetime) -> datetime | None:
        return counts_from(store, at.astimezone(UTC), at.astimezone(UTC) + 14 * DAY)

    def test_without_a_cut_off_an_order_counts_when_it_is_made(self) -> None:
        assert self.counts(shop(), NOW) == NOW

    @pytest.mark.parametrize(
        ("hours", "cutoff", "at", "counts"),
        [
            # before it an order counts at once, and from it on as made when the store next opens
            (BY_DAY, time(18), (2026, 11, 23, 17, 59), (2026, 11, 23, 17, 59)),
            (BY_DAY, time(18), (2026, 11, 23, 18, 0), (2026, 11, 24, 8, 0)),
            (BY_DAY, time(18), (2026, 11, 24, 3, 0), (2026, 11, 24, 8, 0)),
            (BY_DAY, time(18), (2026, 11, 24, 8, 1), (2026, 11, 24, 8, 1)),
            # over a Sunday
            (BY_DAY, time(18), (2026, 11, 28, 18, 0), (2026, 11, 30, 8, 0)),
            (BY_DAY, time(18), (2026, 11, 29, 12, 0), (2026, 11, 30, 8, 0)),
            (BY_DAY, time(18), (2026, 11, 29, 19, 0), (2026, 11, 30, 8, 0)),
            # opening again after a break at noon is not another day
            (WITH_A_BREAK, time(11), (2026, 11, 23, 11, 0), (2026, 11, 24, 8, 0)),
            # before opening time: by six for today
            (BY_DAY, time(6), (2026, 11, 23, 5, 59), (2026, 11, 23, 8, 0)),
            (BY_DAY, time(6), (2026, 11, 23, 6, 0), (2026, 11, 24, 8, 0)),
            # at opening time: nothing that is ordered while the store is open is for today
            (BY_DAY, time(8), (2026, 11, 23, 7, 59), (2026, 11, 23, 8, 0)),
            (BY_DAY, time(8), (2026, 11, 23, 8, 0), (2026, 11, 24, 8, 0)),
            # in the small hours of an opening that began the evening before
            (BY_NIGHT, time(1), (2026, 11, 24, 0, 59), (2026, 11, 24, 0, 59)),
            (BY_NIGHT, time(1), (2026, 11, 24, 1, 0), (2026, 11, 24, 22, 0)),
            (BY_NIGHT, time(23), (2026, 11, 23, 22, 59), (2026, 11, 23, 22, 59)),
            (BY_NIGHT, time(23), (2026, 11, 23, 23, 0), (2026, 11, 24, 22, 0)),
            (BY_NIGHT, time(23), (2026, 11, 24, 1, 0), (2026, 11, 24, 22, 0)),
            # a store that never closes begins its day at midnight
            ("24/7", time(18), (2026, 11, 23, 17, 59), (2026, 11, 23, 17, 59)),
            ("24/7", time(18), (2026, 11, 23, 18, 0), (2026, 11, 24, 0, 0)),
            ("24/7", time(0), (2026, 11, 23, 0, 0), (2026, 11, 24, 0, 0)),
        ],
    )
    def test_an_order_counts(self, hours: str, cutoff: time, at: tuple[int, ...], counts: tuple[int, ...]) -> None:
        assert self.counts(shop(hours, cutoff=cutoff), local(*at)) == local(*counts)

    def test_a_public_holiday_is_no_day_on_which_an_order_counts(self) -> None:
        store = shop("Mo-Sa 08:00-21:00; PH off", country="BG", cutoff=time(18))
        assert self.counts(store, local(2026, 12, 23, 18, 0)) == local(2026, 12, 28, 8, 0)

    def test_nor_is_one_that_a_closure_fills_and_after_a_part_of_one_it_is_when_the_doors_open(self) -> None:
        closed = [
            Closure(local(2026, 11, 24, 0, 0), local(2026, 11, 25, 0, 0)),
            Closure(local(2026, 11, 25, 7, 0), local(2026, 11, 25, 10, 0)),
        ]
        store = shop(cutoff=time(18), closed=closed)
        assert self.counts(store, local(2026, 11, 23, 18, 0)) == local(2026, 11, 25, 10, 0)

    def test_opening_again_after_a_closure_is_not_another_day(self) -> None:
        closed = [Closure(local(2026, 11, 23, 18, 30), local(2026, 11, 23, 19, 0))]
        assert self.counts(shop(cutoff=time(18), closed=closed), local(2026, 11, 23, 18, 0)) == local(
            2026, 11, 24, 8, 0
        )

    @pytest.mark.parametrize("at", [(3, 0), (4, 0), (4, 30), (5, 0)])
    def test_a_cut_off_in_the_hour_that_clocks_skip_is_when_they_have_skipped_it(self, at: tuple[int, int]) -> None:
        """On 29 March 2026 Sofia's clocks go from 03:00 to 04:00; 03:00 itself is never shown, so it is 04:00."""
        store = shop("Mo-Su 00:30-22:00", cutoff=time(3, 30))
        assert self.counts(store, local(2026, 3, 29, 2, 59)) == local(2026, 3, 29, 2, 59)
        assert self.counts(store, local(2026, 3, 29, *at)) == local(2026, 3, 30, 0, 30)

    def test_a_cut_off_in_the_hour_that_comes_twice_is_in_the_first_of_them(self) -> None:
        store = shop("Mo-Su 00:30-22:00", cutoff=time(3, 30))
        first, again = local(2026, 10, 25, 3, 29), local(2026, 10, 25, 3, 29, fold=1)
        assert self.counts(store, first) == first.astimezone(UTC)
        assert self.counts(store, again) == local(2026, 10, 26, 0, 30)

    def test_where_the_store_does_not_open_again_in_time_an_order_never_counts(self) -> None:
        at = local(2026, 11, 28, 18, 0).astimezone(UTC)
        assert counts_from(shop(cutoff=time(18)), at, at + DAY) is None

    @given(shops, moments, st.integers(0, 3000))
    def test_an_order_counts_no_earlier_than_it_is_made_nor_than_those_before_it(
        self, store: Store, now: datetime, wait: int
    ) -> None:
        later, until = now + wait * timedelta(minutes=1), now + 30 * DAY
        one, other = counts_from(store, now, until), counts_from(store, later, until)
        assert one is None or now <= one
        assert other is None or (one is not None and one <= other)

    @given(shops, moments)
    def test_an_order_counts_when_it_is_made_or_when_the_store_opens(self, store: Store, now: datetime) -> None:
        found = counts_from(store, now, now + 30 * DAY)
        if found is not None and found != now:
            assert is_open(store, found)
            assert not is_open(evolve(store, cutoff=None), found - timedelta(microseconds=1)) or _is_midnight(
                store, found
            )


def _is_midnight(store: Store, at: datetime) -> bool:
    """Where a store never closes, or opens again with no break, its days begin at midnight."""
    local_time = at.astimezone(store.tz)
    before = (at - timedelta(microseconds=1)).astimezone(store.tz)
    return local_time.date() != before.date()
