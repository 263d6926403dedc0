"""Stores are checked when they are made."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.store_services import Service
from omniorder.domain.stores import Closure, Point, Store, distance_km
from omniorder.errors import CardNumberRefused, InvalidId, InvalidInstant, InvalidStore, InvalidText
from tests.domain.calendar_days import DAY, HOUR, NOW, SOFIA, local, shop

STOCKTAKE = Closure(NOW, NOW + 2 * HOUR, "stock-taking")


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
            {"cutoff": "18:00"},
            {"cutoff": 18},
            {"cutoff": time(18, tzinfo=UTC)},
            {"cutoff": time(18, 0, 30)},
            {"cutoff": time(2, 30, fold=1)},
            {"cutoff": datetime(2026, 11, 23, 18, tzinfo=UTC)},
            {"slot_lines": -1},
            {"slot_lines": True},
            {"slot_lines": 2.0},
            {"slot_lines": 2**63},
            {"closed": None},
            {"closed": 5},
            {"closed": STOCKTAKE},
            {"closed": [(NOW, NOW + HOUR)]},
            {"closed": [STOCKTAKE, STOCKTAKE]},
            {"closed": [STOCKTAKE, Closure(NOW + HOUR, NOW + 3 * HOUR)]},
            {"closed": [Closure(NOW + n * HOUR, NOW + (n + 1) * HOUR) for n in range(1001)]},
        ],
        ids=str,
    )
    def test_a_store_that_can_t_be_is_refused(self, how: dict[str, Any]) -> None:
        with pytest.raises(InvalidStore) as refusal:
            shop(**how)
        assert refusal.value.facts["field"] in {*how, "country"}
        assert "\n" not in str(refusal.value)

    @pytest.mark.parametrize(
        ("hours", "column"),
        [("Mo-Fr 25:00", 7), ("whenever", 1), ('"обед" Mo-Fr 99:00', 7), ("Mo-Fr 08:00-12:00; XX off", 20)],
    )
    def test_the_column_in_which_the_hours_are_wrong_is_told(self, hours: str, column: int) -> None:
        with pytest.raises(InvalidStore, match=f"in column {column}, expected") as refusal:
            shop(hours)
        assert (refusal.value.facts["field"], refusal.value.facts["column"]) == ("hours", column)
        assert str(refusal.value).isascii()

    @pytest.mark.parametrize(
        ("hours", "column"),
        [
            ("sunrise-sunset", 1),
            ("Mo-Fr 08:00-Sunset", 13),
            ("(dawn+01:00)-20:00", 2),
            ("08:00-dusk", 7),
            ("SH off", 1),
            ('Mo 08:00-20:00 "SH!"; PH,SH off', 26),
        ],
    )
    def test_hours_that_nobody_here_can_know_are_refused_by_their_column(self, hours: str, column: int) -> None:
        """The parser takes them: a sun that always rises at seven, and schools that never have holidays."""
        with pytest.raises(InvalidStore, match=f"in column {column}: ") as refusal:
            shop(hours, country="BG")
        assert (refusal.value.facts["field"], refusal.value.facts["column"]) == ("hours", column)

    def test_a_comment_may_speak_of_the_sun(self) -> None:
        assert shop('Mo-Fr 08:00-20:00 "until sunset, also in SH"').hours

    def test_other_errors_have_no_column(self) -> None:
        with pytest.raises(InvalidStore) as refusal:
            shop("Mo-Sa 08:00-21:00; PH off", country="XX")
        assert "column" not in refusal.value.facts

    def test_closures_are_kept_in_order_and_may_meet(self) -> None:
        after = Closure(NOW + 2 * HOUR, NOW + 3 * HOUR)
        assert shop(closed=[after, STOCKTAKE]).closed == (STOCKTAKE, after)

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


class TestClosures:
    def test_a_closure_is_kept_in_utc(self) -> None:
        closure = Closure(local(2026, 11, 23, 12, 0), local(2026, 11, 23, 14, 0))
        assert (closure.starts.tzinfo, closure.ends.tzinfo, closure.reason) == (UTC, UTC, "")
        assert closure == Closure(datetime(2026, 11, 23, 10, tzinfo=UTC), datetime(2026, 11, 23, 12, tzinfo=UTC))

    @pytest.mark.parametrize("ends", [NOW, NOW - HOUR])
    def test_it_ends_after_it_starts(self, ends: datetime) -> None:
        with pytest.raises(InvalidInstant) as refusal:
            Closure(NOW, ends)
        assert refusal.value.facts["field"] == "ends"

    @pytest.mark.parametrize("bad", [None, "2026-11-23", NOW.replace(tzinfo=None), datetime(9999, 1, 1, tzinfo=UTC)])
    def test_it_starts_and_ends_at_instants(self, bad: Any) -> None:
        with pytest.raises(InvalidInstant):
            Closure(bad, NOW)
        with pytest.raises(InvalidInstant):
            Closure(NOW, bad)

    @pytest.mark.parametrize("reason", [None, 5, "two\nlines", "x" * 101])
    def test_its_reason_is_a_line(self, reason: Any) -> None:
        with pytest.raises(InvalidText):
            Closure(NOW, NOW + HOUR, reason)

    def test_its_reason_is_no_card_number(self) -> None:
        with pytest.raises(CardNumberRefused):
            Closure(NOW, NOW + HOUR, "4242 4242 4242 4242")
