"""Stores are checked when they are made; their slots and deadlines follow the local clock."""

from __future__ import annotations

import itertools
import math
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from omniorder.domain.ids import slot_id
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Point, Slot, Store, distance_km, is_open, keep_until, slot_at, slots
from omniorder.errors import InvalidId, InvalidInstant, InvalidQuantity, InvalidStore, SlotUnavailable

SOFIA = ZoneInfo("Europe/Sofia")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 22, 8, 41, 34, tzinfo=UTC)  # a Sunday, 10:41 in Sofia

ZONES = ["Europe/Sofia", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]
HOURS = [
    "Mo-Sa 08:00-21:00",
    "Mo-Su 08:00-12:00,13:30-20:15",
    "Mo-Su 22:00-02:30",
    "Mo-Su 00:00-24:00",
    "Fr 18:00-24:00; Sa 00:00-05:00",
    "24/7",
    "Mo-Su 00:30-03:15",
    "24/7; We off",
    "off",
]


def shop(hours: str = "Mo-Sa 08:00-21:00", zone: str = "Europe/Sofia", **how: Any) -> Store:
    return Store("SOF01", zone=zone, hours=hours, **how)


def local(*parts: int, fold: int = 0, zone: ZoneInfo = SOFIA) -> datetime:
    year, month, day, hour, minute = parts
    return datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold)


def starts_on(store: Store, day: datetime) -> list[str]:
    """The local starts of a day's slots, with the offset that tells the two 03:00 of autumn apart."""
    midnight = day.replace(hour=0, minute=0)
    found = slots(store, now=midnight.astimezone(UTC) - store.lead, until=(midnight + DAY).astimezone(UTC))
    return [f"{slot.starts:%H:%M%z}" for slot in found]


moments = st.integers(0, 3 * 365 * 24 * 12).map(lambda n: datetime(2025, 1, 1, tzinfo=UTC) + n * timedelta(minutes=5))
shops = st.builds(
    shop,
    st.sampled_from(HOURS),
    st.sampled_from(ZONES),
    lead=st.integers(0, 600).map(lambda n: timedelta(minutes=n)),
    slot_length=st.sampled_from([15, 30, 45, 60, 90, 240]).map(lambda n: timedelta(minutes=n)),
)


class TestConstruction:
    def test_a_store_needs_an_id_a_zone_and_hours_only(self) -> None:
        store = Store("SOF01", zone="Europe/Sofia", hours="Mo-Sa 08:00-21:00", place=Point(lat=42.69, lon=23.32))
        assert (store.lead, store.slot_length, store.slot_capacity, store.pickup_days) == (HOUR, HOUR, 20, 3)
        assert store.tz == SOFIA
        assert (store.services, store.transit) == (frozenset({Service.PICKUP}), DAY)

    @pytest.mark.parametrize("given", [[Service.LOCKERS], {Service.LOCKERS}, (Service.LOCKERS,) * 2])
    def test_services_may_be_given_in_any_collection(self, given: Any) -> None:
        assert shop(services=given) == shop(services=frozenset({Service.LOCKERS}))
        assert hash(shop(services=given)) == hash(shop(services=frozenset({Service.LOCKERS})))

    def test_equal_stores_are_equal_and_travel_by_pickle(self) -> None:
        assert pickle.loads(pickle.dumps(shop())) == shop()
        assert hash(shop()) == hash(shop())
        assert shop() != shop(lead=2 * HOUR)

    @pytest.mark.parametrize(
        "how",
        [
            {"zone": "Europe/Nowhere"},
            {"zone": "europe/sofia"},
            {"zone": "localtime"},
            {"zone": "Europe"},
            {"zone": "../../etc/passwd"},
            {"zone": "/etc/localtime"},
            {"zone": ""},
            {"zone": "\x00"},
            {"zone": SOFIA},
            {"hours": "Mo-Fr 25:00"},
            {"hours": ""},
            {"hours": "whenever"},
            {"hours": None},
            {"hours": "Mo\x00"},
            {"hours": "Mo-Sa 08:00-21:00; PH off"},  # of which country?
            {"name": "So\nfia"},
            {"name": None},
            {"place": (42.69, 23.32)},
            {"country": "XX"},
            {"country": "bg"},
            {"country": "BGR"},
            {"country": 5},
            {"lead": -HOUR},
            {"lead": 3600},
            {"lead": timedelta(days=31)},
            {"slot_length": timedelta(0)},
            {"slot_length": timedelta(seconds=330)},
            {"slot_length": 25 * HOUR},
            {"slot_capacity": -1},
            {"slot_capacity": True},
            {"slot_capacity": 2.0},
            {"pickup_days": 0},
            {"pickup_days": 366},
            {"services": None},
            {"services": "pickup"},
            {"services": ["pickup"]},
            {"services": [Service.PICKUP, None]},
            {"services": Service.PICKUP},
            {"transit": -HOUR},
            {"transit": timedelta(days=91)},
            {"transit": timedelta(seconds=90)},
            {"transit": 1},
        ],
        ids=str,
    )
    def test_a_store_that_can_t_be_is_refused(self, how: dict[str, Any]) -> None:
        with pytest.raises(InvalidStore) as refusal:
            shop(**how)
        assert refusal.value.facts["field"] in {*how, "country"}
        assert "\n" not in str(refusal.value)

    def test_the_parser_s_message_tells_where_the_hours_are_wrong(self) -> None:
        with pytest.raises(InvalidStore, match="1:7"):
            shop("Mo-Fr 25:00")

    def test_a_comment_about_ph_is_no_public_holiday(self) -> None:
        assert shop('Mo-Sa 08:00-21:00 "PH by phone"').country is None

    def test_a_store_s_code_has_its_own_error(self) -> None:
        with pytest.raises(InvalidId):
            Store("sof01", zone="Europe/Sofia", hours="24/7")


class TestPlaces:
    @pytest.mark.parametrize(
        ("lat", "lon"),
        [(90.1, 0), (-91, 0), (0, 180.5), (math.nan, 0), (0, math.inf), ("1", 0), (True, 0), (None, 0)],
    )
    def test_a_place_off_the_globe_is_refused(self, lat: Any, lon: Any) -> None:
        with pytest.raises(InvalidStore):
            Point(lat, lon)

    def test_known_distances(self) -> None:
        sofia, plovdiv = Point(lat=42.6977, lon=23.3219), Point(lat=42.1354, lon=24.7453)
        assert distance_km(sofia, plovdiv) == pytest.approx(132.5, abs=1)
        assert distance_km(Point(0, 0), Point(0, 180)) == pytest.approx(math.pi * 6371.0088)

    points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))

    @given(points, points)
    def test_it_is_as_far_there_as_back_and_nothing_to_itself(self, a: Point, b: Point) -> None:
        assert distance_km(a, b) == pytest.approx(distance_km(b, a))
        assert 0 <= distance_km(a, b) <= 20_016
        assert distance_km(a, a) == 0


class TestSlot:
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
        seen_now = [
            slot for slot in slots(store, now=now, until=until) if slot.starts.astimezone(UTC) >= later + store.lead
        ]
        assert list(slots(store, now=later, until=until)) == seen_now

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

    def test_a_start_inside_the_missing_hour_names_the_moment_after_it(self) -> None:
        missing = local(2026, 3, 29, 3, 0)
        found = slot_at(shop("Mo-Su 01:00-06:00"), missing, now=missing - DAY, until=missing + DAY)
        assert found.starts == local(2026, 3, 29, 4, 0)

    def test_a_naive_start_is_refused(self) -> None:
        with pytest.raises(InvalidInstant):
            slot_at(shop(), NOW.replace(tzinfo=None), now=NOW, until=NOW + DAY)


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
