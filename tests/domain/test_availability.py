"""The formula: what may be promised now, and by a date."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.availability import available_by, available_to_promise
from omniorder.domain.deliveries import Availability, Coming, ExpectedDelivery, availability, next_deliveries
from omniorder.domain.stock import Level
from omniorder.testing import samples, strategies
from omniorder.testing.samples import HOUR, MILK, NOW, SOFIA

units = st.integers(0, 30)
instants = st.integers(-5, 20).map(lambda hours: NOW + hours * HOUR)
deliveries = st.lists(st.tuples(instants, st.integers(0, 12)), max_size=5)


def by(hours: int, *expected: tuple[int, int], on_hand: int = 0, reserved: int = 0, safety: int = 0) -> int:
    """What is available so many hours from now, with deliveries given as hours and units."""
    coming = [(NOW + at * HOUR, count) for at, count in expected]
    return available_by(on_hand, reserved, safety, coming, NOW + hours * HOUR)


@pytest.mark.parametrize(("hours", "available"), [(0, 3), (4, 3), (5, 9), (6, 9), (8, 13), (99, 13)])
def test_what_comes_counts_from_the_instant_at_which_it_is_expected(hours: int, available: int) -> None:
    assert by(hours, (8, 4), (5, 6), on_hand=3) == available


def test_a_shortage_is_made_good_before_anything_is_free() -> None:
    """And what is missing after the first delivery is missing from the second one too."""
    deliveries_of_four = ((1, 4), (2, 4), (3, 4))
    found = [by(hours, *deliveries_of_four, on_hand=2, reserved=8) for hours in (0, 1, 2, 3)]
    assert found == [0, 0, 2, 6]


def test_what_is_kept_back_is_kept_back_from_what_comes_too() -> None:
    assert by(1, (1, 5), safety=3) == 2


def test_what_is_overdue_is_still_expected() -> None:
    assert by(0, (-7, 5)) == 5


@given(on_hand=units, reserved=units, safety=units, at=instants)
def test_with_nothing_on_its_way_any_date_is_as_now(on_hand: int, reserved: int, safety: int, at: datetime) -> None:
    assert available_by(on_hand, reserved, safety, [], at) == available_to_promise(on_hand, reserved, safety)


@given(on_hand=units, reserved=units, safety=units, expected=deliveries, one=instants, other=instants)
def test_a_later_date_has_never_less(
    on_hand: int, reserved: int, safety: int, expected: list[tuple[datetime, int]], one: datetime, other: datetime
) -> None:
    early, late = sorted((one, other))
    now = available_to_promise(on_hand, reserved, safety)
    found = [available_by(on_hand, reserved, safety, expected, at) for at in (early, late)]
    assert 0 <= now <= found[0] <= found[1]


@given(on_hand=units, reserved=units, safety=units, expected=deliveries, at=instants, more=st.integers(0, 9))
def test_it_is_never_more_than_is_there_and_comes_by_then(
    on_hand: int, reserved: int, safety: int, expected: list[tuple[datetime, int]], at: datetime, more: int
) -> None:
    """And one unit more that is reserved or kept back is never one more to promise."""
    found = available_by(on_hand, reserved, safety, expected, at)
    assert found <= on_hand + sum(count for when, count in expected if when <= at)
    assert available_by(on_hand, reserved + more, safety, expected, at) <= found
    assert available_by(on_hand, reserved, safety + more, expected, at) <= found
    assert available_by(on_hand + more, reserved, safety, expected, at) >= found


@given(on_hand=units, reserved=units, safety=units, expected=deliveries, at=instants)
def test_what_has_come_counts_as_it_did_when_it_was_expected(
    on_hand: int, reserved: int, safety: int, expected: list[tuple[datetime, int]], at: datetime
) -> None:
    """Receiving a delivery on its day changes nothing for those who come later."""
    came = [one for one in expected if one[0] <= at]
    rest = [one for one in expected if one[0] > at]
    received = on_hand + sum(count for _, count in came)
    later = at + timedelta(days=2)
    before = available_by(on_hand, reserved, safety, expected, later)
    assert available_by(received, reserved, safety, rest, later) == before


# --- of one level -----------------------------------------------------------------------------------------


def test_an_availability_names_the_next_delivery_and_all_that_comes_with_it() -> None:
    level = Level(SOFIA, MILK, 5, 2, 1, 40)
    expected = [
        samples.expected(3, reference="DN-3", quantity=30),
        samples.expected(1, reference="DN-1", quantity=10),
        samples.expected(1, reference="DN-2", quantity=2),
        samples.expected(0, reference="DN-0", quantity=0),
    ]
    assert availability(level, expected, NOW + 2 * HOUR) == Availability(
        SOFIA, MILK, now=2, by=NOW + 2 * HOUR, then=14, next_at=NOW + HOUR, next_units=12
    )


def test_the_next_delivery_is_told_by_store_and_article_and_is_never_overdue() -> None:
    expected = [
        samples.expected(3, reference="DN-3", quantity=30),
        samples.expected(1, reference="DN-1", quantity=10),
        samples.expected(1, reference="DN-2", quantity=2),
        samples.expected(1, reference="DN-1", quantity=7, store="VAR01"),
        samples.expected(0, reference="DN-0", quantity=5),
        samples.expected(2, reference="DN-1", quantity=0, sku="RYE-BREAD"),
    ]
    assert next_deliveries(expected, NOW) == {
        (SOFIA, MILK): Coming(NOW + HOUR, 12), ("VAR01", MILK): Coming(NOW + HOUR, 7)
    }  # fmt: skip
    assert next_deliveries(expected, NOW + HOUR) == {(SOFIA, MILK): Coming(NOW + 3 * HOUR, 30)}


def test_without_a_delivery_there_is_no_next_one() -> None:
    found = availability(Level(SOFIA, MILK, 5), [], NOW)
    assert (found.now, found.then, found.next_at, found.next_units) == (5, 5, None, 0)


@given(level=strategies.levels(), expected=st.lists(strategies.expected_deliveries(), max_size=3), at=instants)
def test_what_is_quarantined_is_never_promised(level: Level, expected: list[ExpectedDelivery], at: datetime) -> None:
    without = Level(level.store, level.sku, level.on_hand, level.reserved, level.safety)
    assert availability(level, expected, at) == availability(without, expected, at)
