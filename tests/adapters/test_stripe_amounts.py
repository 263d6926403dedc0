"""Amounts as Stripe counts them: its own rules for currencies, both ways, and nothing is ever rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.adapters.stripe.amounts import Unrepresentable, from_stripe, to_stripe
from omniorder.domain.money import EXPONENTS, Money
from omniorder.errors import InvalidMoney


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Money.of("2.49", "EUR"), 249),
        (Money.of("500", "JPY"), 500),
        (Money.of("500", "ISK"), 50_000),
        (Money.of("500", "UGX"), 50_000),
        (Money.of("5.00", "MGA"), 5),
        (Money.of("5.120", "KWD"), 5120),
        (Money.of("90.50", "HUF"), 9050),
        (Money.of("12.30", "TWD"), 1230),
    ],
)
def test_each_currency_is_sent_as_stripe_counts_it(ours: Money, theirs: int) -> None:
    assert to_stripe(ours) == theirs
    assert from_stripe(theirs, ours.currency.lower()) == ours


@pytest.mark.parametrize("money", [Money.of("5.01", "MGA"), Money.of("5.124", "BHD"), Money.of("0.001", "TND")])
def test_what_stripe_has_no_number_for_is_refused(money: Money) -> None:
    with pytest.raises(Unrepresentable):
        to_stripe(money)


def test_half_a_krona_is_no_amount_of_ours() -> None:
    with pytest.raises(Unrepresentable):
        from_stripe(50_050, "isk")


def test_a_currency_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidMoney):
        from_stripe(1, "zzz")


@given(st.integers(0, 10**8), st.sampled_from(sorted(EXPONENTS)))
def test_whatever_can_be_sent_comes_back_as_it_was(amount: int, currency: str) -> None:
    try:
        sent = to_stripe(Money(amount, currency))
    except Unrepresentable:
        return
    assert from_stripe(sent, currency.lower()) == Money(amount, currency)
