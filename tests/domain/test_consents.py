"""Consents: what a customer allows to be given instead, how much it may cost, and what two of them agree on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.consents import REFUSED, Consent, ConsentMode, at_most, stricter
from omniorder.domain.money import Money
from omniorder.errors import CurrencyMismatch, InvalidId, InvalidInput, InvalidMoney, InvalidText

PRICE = Money(249, "EUR")
WORD: Any = "similar"
NUMBER: Any = 249
CAPS = st.none() | st.sampled_from([Money(100, "EUR"), Money(300, "EUR"), Money(400, "EUR"), Money(300, "SEK")])
EXCLUDED = st.sampled_from([(), ("milk",), ("gluten", "milk")])
BRANDS = st.sampled_from([(), ("Oatly",)])


def dearer_or_not(consent: Consent, dearer: bool) -> Consent:
    """The same where a cap above the price counts, or where it doesn't."""
    return evolve(consent, dearer=dearer and consent.cap is not None)


CONSENTS = st.one_of(
    st.just(REFUSED),
    st.builds(
        dearer_or_not,
        st.one_of(
            st.builds(Consent.similar, cap=CAPS, without_allergens=EXCLUDED, without_brands=BRANDS),
            st.builds(Consent.named, st.sampled_from(["A", "B"]), cap=CAPS),
            st.builds(Consent.ask, cap=CAPS, silence_takes=st.booleans(), without_allergens=EXCLUDED),
        ),
        st.booleans(),
    ),
)


@given(CONSENTS, CONSENTS, CONSENTS)
def test_what_several_agree_on_depends_on_neither_order_nor_repetition(
    one: Consent, two: Consent, three: Consent
) -> None:
    assert stricter(one, two) == stricter(two, one)
    assert stricter(stricter(one, two), three) == stricter(one, stricter(two, three))
    assert stricter(one, one) == one
    assert stricter(stricter(one, two), one) == stricter(one, two)


@given(CONSENTS, CONSENTS)
def test_what_two_agree_on_costs_and_allows_no_more_than_either_does(one: Consent, two: Consent) -> None:
    agreed = stricter(one, two)
    for consent in (one, two):
        if ConsentMode.REFUSE not in (agreed.mode, consent.mode) and "SEK" not in str((one.cap, two.cap)):
            assert agreed.limit(PRICE) <= consent.limit(PRICE)
            assert set(consent.without_allergens) <= set(agreed.without_allergens)
        order = (ConsentMode.REFUSE, ConsentMode.ASK, ConsentMode.NAMED, ConsentMode.SIMILAR)
        assert order.index(agreed.mode) <= order.index(consent.mode)
        assert not (agreed.silence_takes and consent.mode is ConsentMode.NAMED)


def test_without_a_cap_nothing_is_dearer_than_the_line() -> None:
    for consent in (Consent.similar(), Consent.ask(), Consent.named("A")):
        assert (consent.limit(PRICE), consent.raised(PRICE)) == (PRICE, None)


def test_a_cap_above_the_price_raises_what_may_be_charged_and_one_below_does_not() -> None:
    assert Consent.similar(cap=Money(300, "EUR")).raised(PRICE) == Money(300, "EUR")
    assert Consent.similar(cap=Money(200, "EUR")).raised(PRICE) is None
    assert Consent.similar(cap=Money(200, "EUR")).limit(PRICE) == Money(200, "EUR")
    assert at_most(PRICE, Money(300, "EUR"), 2, 1) == Money(600, "EUR")


def test_a_cap_is_in_the_currency_of_the_line() -> None:
    with pytest.raises(CurrencyMismatch):
        Consent.similar(cap=Money(300, "SEK")).limit(PRICE)


def test_what_somebody_can_not_eat_is_shown_in_no_log() -> None:
    assert "peanuts" not in repr(Consent.similar(without_allergens=["peanuts"]))


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (InvalidInput, lambda: Consent(WORD)),
        (InvalidMoney, lambda: Consent.similar(cap=NUMBER)),
        (InvalidMoney, lambda: Consent.similar(cap=Money(-1, "EUR"))),
        (InvalidId, lambda: Consent.named("")),
        (InvalidId, lambda: Consent.named("no such\nsku")),
        (InvalidInput, lambda: Consent(ConsentMode.SIMILAR, "A")),
        (InvalidInput, lambda: Consent(ConsentMode.SIMILAR, dearer=True)),
        (InvalidInput, lambda: Consent(ConsentMode.SIMILAR, silence_takes=True)),
        (InvalidInput, lambda: Consent.ask(silence_takes=NUMBER)),
        (InvalidInput, lambda: Consent(ConsentMode.REFUSE, cap=PRICE)),
        (InvalidInput, lambda: Consent.similar(without_allergens="milk")),
        (InvalidInput, lambda: Consent.similar(without_allergens=["Milk!"])),
        (InvalidInput, lambda: Consent.similar(without_brands="Oatly")),
        (InvalidInput, lambda: Consent.similar(without_brands=[f"b{n}" for n in range(21)])),
        (InvalidText, lambda: Consent.similar(without_brands=["a\nb"])),
        (InvalidText, lambda: Consent.similar(without_brands=[NUMBER])),
    ],
)
def test_what_can_not_be_a_consent_is_refused(error: type[Exception], call: Callable[[], Consent]) -> None:
    with pytest.raises(error):
        call()
