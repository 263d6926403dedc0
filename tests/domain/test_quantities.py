"""Quantities are whole numbers, and nothing else passes for one."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.quantities import MAX_QUANTITY, Unit, quantity
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
