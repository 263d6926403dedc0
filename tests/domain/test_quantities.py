"""Quantities are whole numbers, and nothing else passes for one."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.quantities import MAX_QUANTITY, Unit, orderable, quantity, tolerance, weight_bounds
from omniorder.errors import InvalidQuantity


@given(st.integers(1, MAX_QUANTITY))
def test_every_whole_number_within_the_limits_is_itself(value: int) -> None:
    assert quantity(value) == value


@given(st.integers(max_value=0) | st.integers(min_value=MAX_QUANTITY + 1))
def test_every_whole_number_outside_the_limits_is_refused(value: int) -> None:
    with pytest.raises(InvalidQuantity):
        quantity(value)


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        1.0,
        1.5,
        float("nan"),
        float("inf"),
        "5",
        "1_000",
        "٣",
        b"5",
        Decimal(1),
        Fraction(1),
        None,
        [1],
    ],
)
def test_what_is_no_int_is_refused_and_never_converted(value: object) -> None:
    with pytest.raises(InvalidQuantity):
        quantity(value)


@pytest.mark.parametrize("bits", [63, 200, 20_000])
def test_a_number_too_long_to_print_is_refused_like_any_other(bits: int) -> None:
    with pytest.raises(InvalidQuantity) as refusal:
        quantity(2**bits)
    assert len(str(refusal.value)) < 200


def test_the_limits_are_the_callers() -> None:
    assert quantity(0, least=0, most=0) == 0
    with pytest.raises(InvalidQuantity):
        quantity(1, least=0, most=0)


def test_the_refusal_names_the_field_and_both_limits() -> None:
    with pytest.raises(InvalidQuantity) as refusal:
        quantity(0, "per", most=7)
    assert dict(refusal.value.facts) == {
        "field": "per",
        "value": "0",
        "rule": "must be from 1 to 7",
        "least": 1,
        "most": 7,
    }


def test_units_are_pieces_and_grams() -> None:
    assert {unit.name: unit.value for unit in Unit} == {"PIECE": "piece", "GRAM": "gram"}


# --- weighed goods ----------------------------------------------------------------------------------------

SHARES = st.integers(0, 5_000).map(lambda parts: Decimal(parts) / 10_000)


@pytest.mark.parametrize("value", ["0", "0.1", "0.10", "0.0001", "0.4999", "0.5", "0.5000", Decimal("0.25")])
def test_a_tolerance_is_a_share_of_at_most_a_half(value: str | Decimal) -> None:
    assert tolerance(value) == Decimal(value)


@pytest.mark.parametrize(
    "value",
    [
        *("0.51", "0.50001", "0.12345", "1", "-0.1", ".1", "0.", "1e-1", " 0.1", "10 %", "", "٠.١"),
        *(0.1, 0, None, True, b"0.1", Decimal("NaN"), Decimal("Infinity"), Decimal("0.6"), Decimal("-0.1")),
    ],
)  # fmt: skip
def test_nothing_else_is_a_tolerance(value: Any) -> None:
    with pytest.raises(InvalidQuantity) as raised:
        tolerance(value)
    assert raised.value.facts["field"] == "tolerance"


@given(st.integers(1, MAX_QUANTITY), SHARES)
def test_the_bounds_are_the_outermost_whole_grams_within_the_agreed_share(ordered: int, share: Decimal) -> None:
    least, most = weight_bounds(ordered, share)
    agreed = Fraction(share) * ordered
    assert 0 <= (least - (ordered - agreed)) < 1
    assert 0 <= (ordered + agreed - most) < 1
    assert 1 <= least <= ordered <= most


def test_333_grams_at_ten_per_cent_are_300_to_366() -> None:
    assert weight_bounds(333, Decimal("0.10")) == (300, 366)


@given(st.integers(1, MAX_QUANTITY))
def test_without_a_tolerance_it_is_what_was_ordered(ordered: int) -> None:
    assert weight_bounds(ordered, Decimal(0)) == (ordered, ordered)


@given(st.integers(0, MAX_QUANTITY), SHARES)
def test_what_can_be_ordered_fits_at_its_heaviest_and_a_gram_more_does_not(available: int, share: Decimal) -> None:
    most = orderable(available, share)
    assert weight_bounds(most, share)[1] <= available < weight_bounds(most + 1, share)[1]


def test_of_5000_grams_4546_can_be_ordered_at_ten_per_cent() -> None:
    assert orderable(5000, Decimal("0.10")) == 4546
