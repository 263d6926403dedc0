"""Instants are aware and in UTC, and their text sorts as they do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.instants import from_iso, instant, iso
from omniorder.errors import InvalidInstant


def naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


aware = st.datetimes(
    min_value=naive(datetime(2000, 1, 2, tzinfo=UTC)),  # Hypothesis adds the zone
    max_value=naive(datetime(2199, 12, 30, tzinfo=UTC)),
    timezones=st.timezones(),
)


@given(aware)
def test_any_zone_becomes_the_same_moment_in_utc(moment: datetime) -> None:
    found = instant(moment, "at")
    assert found.tzinfo is UTC
    assert found.timestamp() == moment.timestamp()


@given(aware)
def test_text_and_back_is_the_same_instant(moment: datetime) -> None:
    assert from_iso(iso(moment)) == instant(moment, "at")


@given(aware, aware)
def test_text_sorts_as_the_instants_do(one: datetime, other: datetime) -> None:
    assert (iso(one) < iso(other)) == (instant(one, "at") < instant(other, "at"))


def test_the_text_has_microseconds_also_when_they_are_zero() -> None:
    assert iso(datetime(2026, 11, 22, 10, 41, 34, tzinfo=ZoneInfo("Europe/Sofia"))) == "2026-11-22T08:41:34.000000Z"


@pytest.mark.parametrize(
    "value",
    [
        naive(datetime(2026, 11, 22, 8, 41, tzinfo=UTC)),
        date(2026, 11, 22),
        "2026-11-22T08:41:34Z",
        1795250494,
        None,
        datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2200, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=5))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))),
    ],
)
def test_naive_foreign_and_far_away_values_are_refused(value: object) -> None:
    with pytest.raises(InvalidInstant):
        instant(value, "at")


def test_the_limits_are_judged_in_utc() -> None:
    late = datetime(2199, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=-1)))
    with pytest.raises(InvalidInstant):
        instant(late, "at")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T08:41:34Z",
        "2026-11-22T08:41:34.000000+00:00",
        "2026-11-22 08:41:34.000000Z",
        "2026-11-22T08:41:34.000000Z\n",
        "2026-02-30T08:41:34.000000Z",
        "1999-11-22T08:41:34.000000Z",
        "٢٠٢٦-11-22T08:41:34.000000Z",
        "",
    ],
)
def test_no_other_spelling_is_read(text: str) -> None:
    with pytest.raises(InvalidInstant):
        from_iso(text)
