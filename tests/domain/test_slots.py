"""Slots follow the hours, the closures, the lead and the cut-off of their store, and the local clock."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from omniorder.domain.hours import counts_from, is_open
from omniorder.domain.ids import slot_id
from omniorder.domain.slots import Slot, slot_at, slots
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Closure, Store
from omniorder.errors import InvalidInstant, InvalidQuantity, SlotUnavailable
from tests.domain.calendar_days import DAY, HOUR, NOW, SOFIA, local, moments, shop, shops, starts_on


class TestSlot:
    starts = local(2026, 11, 23, 8, 0)

    @pytest.mark.parametrize(
        ("booked", "lines_booked", "lines", "fits"),
        [
            (0, 0, 50, True),
            (0, 0, 51, False),
            (19, 49, 1, True),
            (19, 49, 2, False),
            (20, 0, 1, False),
            (0, 70, 1, False),  # the store counts fewer than it did
        ],
    )
    def test_an_order_fits_when_both_it_and_its_lines_do(
        self, booked: int, lines_booked: int, lines: int, fits: bool
    ) -> None:
        slot = Slot("slt_SOF01_20261123T0600Z", "SOF01", self.starts, self.starts + HOUR, 20, booked, 50, lines_booked)
        assert slot.fits(lines) is fits
        assert slot.free_lines == max(0, 50 - lines_booked)

    def test_where_lines_are_not_counted_any_number_fits(self) -> None:
        slot = Slot("slt_SOF01_20261123T0600Z", "SOF01", self.starts, self.starts + HOUR, 20, 19, None, 10**6)
        assert (slot.fits(10**6), slot.free_lines) == (True, None)

    def test_what_is_free_is_never_negative(self) -> None:
        starts = local(2026, 11, 23, 8, 0)
        assert Slot("slt_SOF01_20261123T0600Z", "SOF01", starts, starts + HOUR, 20, 3).free == 17
        assert Slot("slt_SOF01_20261123T0600Z", "SOF01", starts, starts + HOUR, 20, 21).free == 0


class TestSlots:
    def test_a_day_is_cut_into_whole_slots_from_its_opening_on(self) -> None:
        found = starts_on(shop("Mo-Su 08:30-12:00"), local(2026, 11, 23, 0, 0))
        assert found == ["08:30+0200", "09:30+0200", "10:30+0200"]

    def test_a_break_starts_the_count_again(self) -> None:
        found = starts_on(shop("Mo-Su 08:00-10:30,12:15-14:15"), local(2026, 11, 23, 0, 0))
        assert found == ["08:00+0200", "09:00+0200", "12:15+0200", "13:15+0200"]

    def test_a_slot_is_shown_in_the_store_s_time_and_named_in_utc(self) -> None:
        first = next(slots(shop(), now=NOW, until=NOW + 2 * DAY))
        assert first == Slot(
            "slt_SOF01_20261123T0600Z",
            "SOF01",
            local(2026, 11, 23, 8, 0),
            local(2026, 11, 23, 9, 0),
            capacity=20,
        )
        assert first.starts.tzinfo == first.ends.tzinfo == SOFIA

    def test_the_lead_decides_which_is_first_and_its_own_instant_still_counts(self) -> None:
        monday = local(2026, 11, 23, 9, 0).astimezone(UTC)
        soon, later = (
            next(slots(shop(lead=2 * HOUR), now=now, until=monday + DAY))
            for now in (monday, monday + timedelta(seconds=1))
        )
        assert (soon.starts, later.starts) == (local(2026, 11, 23, 11, 0), local(2026, 11, 23, 12, 0))

    def test_the_horizon_itself_is_too_late(self) -> None:
        horizon = local(2026, 11, 23, 10, 0)
        assert [slot.starts.hour for slot in slots(shop(), now=NOW, until=horizon)] == [8, 9]

    def test_no_more_than_the_limit_are_made(self) -> None:
        assert len(list(slots(shop(), now=NOW, until=NOW + 7 * DAY, limit=3))) == 3
        assert list(slots(shop(), now=NOW, until=NOW + 7 * DAY, limit=0)) == []

    def test_a_store_without_hours_has_no_slots(self) -> None:
        assert list(slots(shop("off"), now=NOW, until=NOW + 30 * DAY)) == []

    @pytest.mark.parametrize("services", [set(), {Service.SHIP_TO_STORE}, {Service.FITTING, Service.AGE_RESTRICTED}])
    def test_a_store_where_nobody_can_collect_has_no_slots(self, services: set[Service]) -> None:
        assert list(slots(shop("24/7", services=services), now=NOW, until=NOW + DAY)) == []
        with pytest.raises(SlotUnavailable) as refusal:
            slot_at(shop("24/7", services=services), local(2026, 11, 23, 9, 0), now=NOW, until=NOW + DAY)
        assert refusal.value.facts["reason"] == "no_pickup"

    @pytest.mark.parametrize("way", [Service.PICKUP, Service.CURBSIDE, Service.LOCKERS])
    def test_one_way_to_collect_is_enough(self, way: Service) -> None:
        assert len(list(slots(shop("24/7", services={way}), now=NOW, until=NOW + DAY, limit=3))) == 3

    def test_a_public_holiday_has_no_slots(self) -> None:
        store = shop("Mo-Su 08:00-10:00; PH off", country="BG")
        assert starts_on(store, local(2026, 3, 3, 0, 0)) == []  # Liberation Day
        assert len(starts_on(store, local(2026, 3, 4, 0, 0))) == 2

    @pytest.mark.parametrize(
        ("hours", "country", "zone", "days"),
        [
            ("Mo-Sa 08:00-21:00; PH off", "BG", "Europe/Sofia", {21, 22, 23, 28, 29, 30}),
            ("Mo-Sa 08:00-20:00; PH off", "DE", "Europe/Berlin", {21, 22, 23, 24, 28, 29, 30}),
        ],
    )
    def test_the_week_of_christmas_is_that_of_the_country(
        self, hours: str, country: str, zone: str, days: set[int]
    ) -> None:
        """In Bulgaria the 24th is a public holiday, in Germany it is not; the 27th is a Sunday."""
        store = shop(hours, zone, country=country)
        monday = local(2026, 12, 21, 0, 0, zone=store.tz)
        found = slots(store, now=monday - store.lead, until=monday + 10 * DAY)
        assert {slot.starts.day for slot in found} == days

    def test_easter_is_on_two_dates(self) -> None:
        """Orthodox Good Friday of 2026 is the 10th of April, the western one the 3rd."""
        closed: dict[str, list[int]] = {}
        for country, zone in (("BG", "Europe/Sofia"), ("DE", "Europe/Berlin")):
            store = shop("Mo-Sa 08:00-20:00; PH off", zone, country=country)
            day = local(2026, 4, 1, 0, 0, zone=store.tz)
            found = slots(store, now=day - store.lead, until=day + 14 * DAY)
            closed[country] = sorted(set(range(1, 15)) - {slot.starts.day for slot in found} - {5, 12})
        assert closed == {"BG": [10, 11, 13], "DE": [3, 6]}

    @pytest.mark.parametrize(
        ("hours", "day", "found"),
        [
            ("Apr-Sep Mo-Su 08:00-22:00; Oct-Mar Mo-Sa 09:00-18:00", (2026, 9, 30), ("08:00", 14)),
            ("Apr-Sep Mo-Su 08:00-22:00; Oct-Mar Mo-Sa 09:00-18:00", (2026, 10, 1), ("09:00", 9)),
            ("week 01-53/2 Mo-Fr 08:00-18:00; week 02-52/2 Mo-Fr 10:00-20:00", (2026, 11, 23), ("10:00", 10)),
            ("week 01-53/2 Mo-Fr 08:00-18:00; week 02-52/2 Mo-Fr 10:00-20:00", (2026, 11, 30), ("08:00", 10)),
            ("Mo-Sa 08:00-21:00; PH off; 2026 Dec 24 08:00-14:00", (2026, 12, 24), ("08:00", 6)),
            ("Mo-Sa 08:00-21:00; PH off; 2027 Jan 02 off", (2027, 1, 2), None),
            ("Mo-Sa 08:00-21:00; PH 10:00-16:00", (2026, 3, 3), ("10:00", 6)),
            ("Mo-Sa 08:00-21:00; Sa[-1] off", (2026, 11, 28), None),
        ],
    )
    def test_seasons_weeks_and_dates_are_part_of_the_hours(
        self, hours: str, day: tuple[int, int, int], found: tuple[str, int] | None
    ) -> None:
        starts = [start[:5] for start in starts_on(shop(hours, country="BG"), local(*day, 0, 0))]
        assert (starts[0], len(starts)) == found if found else starts == []

    def test_a_closure_takes_away_every_slot_that_it_touches(self) -> None:
        """A minute of it is enough, and where it ends as a slot starts it doesn't."""
        closed = [Closure(local(2026, 11, 23, 8, 59), local(2026, 11, 23, 10, 0))]
        found = starts_on(shop("Mo-Su 08:00-12:00", closed=closed), local(2026, 11, 23, 0, 0))
        assert found == ["10:00+0200", "11:00+0200"]

    def test_after_a_closure_slots_start_when_they_always_do(self) -> None:
        closed = [Closure(local(2026, 11, 23, 8, 0), local(2026, 11, 23, 9, 20))]
        found = starts_on(shop("Mo-Su 08:00-12:00", closed=closed), local(2026, 11, 23, 0, 0))
        assert found == ["10:00+0200", "11:00+0200"]

    @pytest.mark.parametrize(
        ("day", "left"),
        [
            ((2026, 3, 29), ["01:00+0200", "05:00+0300"]),  # from 02:00 to 05:00 it is two hours
            ((2026, 10, 25), ["01:00+0300", "05:00+0200"]),  # and here it is four
        ],
    )
    def test_a_closure_over_a_clock_change_covers_what_the_clocks_say(
        self, day: tuple[int, int, int], left: list[str]
    ) -> None:
        closed = [Closure(local(*day, 2, 0), local(*day, 5, 0))]
        assert starts_on(shop("Mo-Su 01:00-06:00", closed=closed), local(*day, 0, 0)) == left

    def test_what_is_ordered_from_the_cut_off_on_is_ready_a_lead_after_the_next_opening(self) -> None:
        store = shop("Mo-Su 08:00-21:00", cutoff=time(18), lead=2 * HOUR)
        firsts = [
            next(slots(store, now=local(2026, 11, 23, *at), until=NOW + 7 * DAY)).starts
            for at in ((17, 59), (18, 0), (23, 0))
        ]
        assert firsts == [local(2026, 11, 23, 20, 0), local(2026, 11, 24, 10, 0), local(2026, 11, 24, 10, 0)]

    def test_a_slot_takes_its_lines_from_the_store(self) -> None:
        found = next(slots(shop(slot_lines=60), now=NOW, until=NOW + 2 * DAY))
        assert (found.lines_capacity, found.lines_booked) == (60, 0)

    def test_times_of_unknown_state_are_closed(self) -> None:
        assert starts_on(shop("Mo-Su 08:00-10:00 unknown"), local(2026, 11, 23, 0, 0)) == []

    def test_an_evening_goes_on_past_midnight(self) -> None:
        found = slots(shop("Fr 22:30-02:00"), now=NOW, until=NOW + 7 * DAY)
        assert [f"{slot.starts:%a %H:%M}" for slot in found] == ["Fri 22:30", "Fri 23:30", "Sat 00:30"]

    def test_hours_that_meet_at_midnight_are_one_opening(self) -> None:
        found = slots(shop("Fr 22:30-24:00; Sa 00:00-02:00"), now=NOW, until=NOW + 7 * DAY)
        assert [f"{slot.starts:%a %H:%M}" for slot in found] == ["Fri 22:30", "Fri 23:30", "Sat 00:30"]

    def test_a_store_that_never_closes_is_cut_at_each_midnight(self) -> None:
        store = shop("24/7", slot_length=timedelta(hours=7))
        assert starts_on(store, local(2026, 11, 23, 0, 0)) == ["00:00+0200", "07:00+0200", "14:00+0200"]

    def test_in_spring_the_missing_hour_has_no_slot(self) -> None:
        found = starts_on(shop("Mo-Su 01:00-06:00"), local(2026, 3, 29, 0, 0))
        assert found == ["01:00+0200", "02:00+0200", "04:00+0300", "05:00+0300"]

    def test_an_opening_inside_the_missing_hour_begins_when_the_hour_is_over(self) -> None:
        assert starts_on(shop("Mo-Su 03:30-06:00"), local(2026, 3, 29, 0, 0)) == ["04:00+0300", "05:00+0300"]
        assert starts_on(shop("Mo-Su 03:00-04:00"), local(2026, 3, 29, 0, 0)) == []

    def test_two_openings_that_the_missing_hour_joins_are_one(self) -> None:
        store = shop("Mo-Su 02:00-03:15,03:45-06:00", slot_length=timedelta(minutes=90))
        assert starts_on(store, local(2026, 3, 29, 0, 0)) == ["02:00+0200", "04:30+0300"]

    def test_in_autumn_the_hour_that_comes_twice_has_two_slots(self) -> None:
        store = shop("Mo-Su 02:00-06:00")
        found = starts_on(store, local(2026, 10, 25, 0, 0))
        assert found == ["02:00+0300", "03:00+0300", "03:00+0200", "04:00+0200", "05:00+0200"]
        several = list(slots(store, now=NOW - 30 * DAY, until=NOW))
        assert len({slot.id for slot in several}) == len(several)

    @given(shops, moments, st.integers(0, 72))
    def test_every_slot_is_whole_open_in_time_and_after_the_one_before(
        self, store: Store, now: datetime, span: int
    ) -> None:
        until = now + span * HOUR
        before = now + store.lead
        for slot in slots(store, now=now, until=until):
            starts, ends = slot.starts.astimezone(UTC), slot.ends.astimezone(UTC)
            assert before <= starts < until
            assert ends - starts == store.slot_length
            assert is_open(store, starts)
            assert is_open(store, ends - timedelta(microseconds=1))
            assert slot.store == store.id
            before = ends

    @given(shops, moments, st.integers(0, 96))
    def test_slots_don_t_depend_on_when_they_are_asked_for(self, store: Store, now: datetime, wait: int) -> None:
        later, until = now + wait * HOUR, now + 96 * HOUR
        begins = counts_from(store, later, until) or until
        seen_now = [
            slot for slot in slots(store, now=now, until=until) if slot.starts.astimezone(UTC) >= begins + store.lead
        ]
        assert list(slots(store, now=later, until=until)) == seen_now

    @given(shops, moments)
    def test_no_slot_touches_a_closure_and_none_moves_because_of_one(self, store: Store, now: datetime) -> None:
        regular = evolve(store, closed=(), cutoff=None)
        known = {slot.id for slot in slots(regular, now=now, until=now + 14 * DAY)}
        for slot in slots(store, now=now, until=now + 14 * DAY):
            starts, ends = slot.starts.astimezone(UTC), slot.ends.astimezone(UTC)
            assert all(closure.ends <= starts or ends <= closure.starts for closure in store.closed)
            assert slot.id in known

    @given(shops, moments)
    def test_only_closures_and_the_cut_off_take_slots_away(self, store: Store, now: datetime) -> None:
        until = now + 14 * DAY
        begins = counts_from(store, now, until) or until
        left = [
            slot
            for slot in slots(evolve(store, closed=(), cutoff=None), now=now, until=until)
            if slot.starts.astimezone(UTC) >= begins + store.lead
            and all(
                closure.ends <= slot.starts.astimezone(UTC) or slot.ends.astimezone(UTC) <= closure.starts
                for closure in store.closed
            )
        ]
        assert list(slots(store, now=now, until=until)) == left

    @given(shops, moments)
    def test_ids_are_unique(self, store: Store, now: datetime) -> None:
        found = [slot.id for slot in slots(store, now=now, until=now + 9 * DAY)]
        assert len(set(found)) == len(found)

    @given(shops, moments, st.integers(0, 5000))
    def test_whoever_orders_later_is_not_offered_an_earlier_slot(self, store: Store, now: datetime, wait: int) -> None:
        until, later = now + 14 * DAY, now + wait * timedelta(minutes=1)
        first, second = (next(slots(store, now=at, until=until), None) for at in (now, later))
        assert second is None or (first is not None and first.id <= second.id)

    @given(shops, moments, st.integers(0, 96))
    def test_a_nearer_horizon_only_leaves_out_the_later_slots(self, store: Store, now: datetime, span: int) -> None:
        until = now + span * HOUR
        far = [slot for slot in slots(store, now=now, until=now + 96 * HOUR) if slot.starts.astimezone(UTC) < until]
        assert list(slots(store, now=now, until=until)) == far

    def test_bad_arguments_are_refused(self) -> None:
        with pytest.raises(InvalidInstant):
            slots(shop(), now=NOW.replace(tzinfo=None), until=NOW)
        with pytest.raises(InvalidQuantity):
            slots(shop(), now=NOW, until=NOW, limit=-1)


class TestSlotAt:
    monday = local(2026, 11, 23, 0, 0).astimezone(UTC)

    @given(shops, moments)
    def test_every_slot_that_is_listed_is_found_by_its_start(self, store: Store, now: datetime) -> None:
        until = now + 3 * DAY
        for slot in itertools.islice(slots(store, now=now, until=until), 5):
            assert slot_at(store, slot.starts, now=now, until=until) == slot

    @given(shops, moments, st.integers(-100, 1000))
    def test_no_other_start_is_found(self, store: Store, now: datetime, offset: int) -> None:
        starts, until = now + offset * timedelta(minutes=5), now + 3 * DAY
        assume(slot_id(store.id, starts) not in {slot.id for slot in slots(store, now=now, until=until)})
        with pytest.raises(SlotUnavailable):
            slot_at(store, starts, now=now, until=until)

    @pytest.mark.parametrize(
        ("starts", "now", "reason"),
        [
            (local(2026, 11, 23, 10, 0), local(2026, 11, 23, 10, 1), "past"),
            (local(2026, 11, 23, 10, 0), local(2026, 11, 23, 10, 0), "too_soon"),
            (local(2026, 11, 23, 10, 0), local(2026, 11, 23, 9, 1), "too_soon"),
            (local(2026, 12, 1, 10, 0), local(2026, 11, 23, 9, 0), "beyond_horizon"),
            (local(2026, 11, 30, 9, 0), local(2026, 11, 23, 9, 0), "beyond_horizon"),
            (local(2026, 11, 29, 10, 0), local(2026, 11, 23, 9, 0), "closed"),  # a Sunday
            (local(2026, 11, 24, 7, 0), local(2026, 11, 23, 9, 0), "closed"),
            (local(2026, 11, 24, 21, 0), local(2026, 11, 23, 9, 0), "closed"),
            (local(2026, 11, 24, 10, 30), local(2026, 11, 23, 9, 0), "closed"),  # between two slots
        ],
    )
    def test_the_refusal_says_why(self, starts: datetime, now: datetime, reason: str) -> None:
        with pytest.raises(SlotUnavailable) as refusal:
            slot_at(shop(), starts, now=now, until=now + 7 * DAY)
        assert refusal.value.facts["reason"] == reason
        assert refusal.value.facts["slot"].startswith("slt_SOF01_2026")

    @pytest.mark.parametrize(
        ("starts", "reason"),
        [
            (local(2026, 11, 24, 8, 0), "cut_off"),
            (local(2026, 11, 24, 9, 0), None),
            (local(2026, 11, 24, 7, 0), "cut_off"),
            (local(2026, 11, 24, 12, 0), "closure"),
            (local(2026, 11, 24, 13, 30), "closed"),
            (local(2026, 11, 24, 14, 0), None),
        ],
    )
    def test_the_refusal_tells_a_late_order_and_a_closure_from_closing_time(
        self, starts: datetime, reason: str | None
    ) -> None:
        closed = [Closure(local(2026, 11, 24, 12, 0), local(2026, 11, 24, 14, 0), "stock-taking")]
        store, now = shop(cutoff=time(18), closed=closed), local(2026, 11, 23, 19, 0)
        if reason is None:
            assert slot_at(store, starts, now=now, until=now + 7 * DAY).starts == starts
            return
        with pytest.raises(SlotUnavailable) as refusal:
            slot_at(store, starts, now=now, until=now + 7 * DAY)
        assert refusal.value.facts["reason"] == reason

    def test_after_the_last_opening_before_the_horizon_every_order_is_too_late(self) -> None:
        now = local(2026, 11, 23, 19, 0)
        with pytest.raises(SlotUnavailable) as refusal:
            slot_at(shop(cutoff=time(18)), local(2026, 11, 23, 20, 0), now=now, until=now + 2 * HOUR)
        assert refusal.value.facts["reason"] == "cut_off"

    def test_a_start_inside_the_missing_hour_names_the_moment_after_it(self) -> None:
        missing = local(2026, 3, 29, 3, 0)
        found = slot_at(shop("Mo-Su 01:00-06:00"), missing, now=missing - DAY, until=missing + DAY)
        assert found.starts == local(2026, 3, 29, 4, 0)

    def test_a_naive_start_is_refused(self) -> None:
        with pytest.raises(InvalidInstant):
            slot_at(shop(), NOW.replace(tzinfo=None), now=NOW, until=NOW + DAY)
