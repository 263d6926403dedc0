"""Splitting a bill: everything is covered, in the order that was declared, and nobody gives more than they may."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder import Card, Money, PayInStore, Tender
from omniorder.domain.tenders import Brought, shares
from omniorder.errors import CurrencyMismatch, InvalidInput, InvalidMoney, NotCovered


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def split(missing: int, *tenders: Tender, has: list[int | None] | None = None) -> list[int]:
    return [share.amount.amount for share in shares(eur(missing), brought(tenders, has or [None] * len(tenders)))]


def brought(tenders: Sequence[Tender], has: Sequence[int | None]) -> list[Brought]:
    return [Brought(one, None if most is None else eur(most)) for one, most in zip(tenders, has, strict=True)]


def test_one_tender_gives_everything() -> None:
    assert split(498, Card("pm_1")) == [498]


def test_each_gives_what_it_may_and_the_last_gives_the_rest() -> None:
    assert split(498, Card("pm_1", amount=eur(100)), Card("pm_2", amount=eur(50)), PayInStore()) == [100, 50, 348]


def test_a_balance_is_used_up_before_the_next_tender_is_asked() -> None:
    assert split(498, Card("gift"), Card("pm_1"), has=[120, None]) == [120, 378]


def test_a_tender_gives_no_more_than_it_may_although_there_is_more_of_it() -> None:
    assert split(498, Card("gift", amount=eur(20)), Card("pm_1"), has=[120, None]) == [20, 478]


def test_who_is_not_needed_any_more_is_not_asked() -> None:
    assert split(498, Card("gift"), Card("pm_1"), has=[1000, None]) == [498]


def test_an_empty_card_is_passed_over() -> None:
    (share,) = shares(eur(498), brought([Card("gift"), Card("pm_1")], [0, None]))
    assert share.tender == Card("pm_1")


def test_nothing_is_asked_for_what_costs_nothing() -> None:
    assert split(0, Card("pm_1")) == []


def test_tenders_that_are_too_little_are_refused_saying_what_is_missing() -> None:
    with pytest.raises(NotCovered) as refused:
        split(498, Card("pm_1", amount=eur(400)), Card("gift"), has=[None, 50])
    assert refused.value.facts == {"missing": "0.48 EUR", "of": "4.98 EUR"}


def test_an_amount_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        split(498, Card("pm_1", amount=Money(100, "SEK")), Card("pm_2"))


@pytest.mark.parametrize("amount", [eur(0), eur(-1), 100, 1.5, "1.00", True])
def test_an_amount_is_money_above_nothing(amount: Money) -> None:
    with pytest.raises(InvalidMoney):
        Card("pm_1", amount=amount)


@pytest.mark.parametrize("now", [1, "yes", None])
def test_now_is_yes_or_no(now: bool) -> None:
    with pytest.raises(InvalidInput):
        Card("pm_1", now=now)


def test_what_is_paid_in_the_store_is_not_taken_at_once() -> None:
    with pytest.raises(InvalidInput):
        PayInStore(now=True)


amounts = st.none() | st.integers(1, 1000)


@given(st.integers(0, 2000), st.lists(st.tuples(amounts, st.none() | st.integers(0, 1000)), min_size=1, max_size=5))
def test_shares_add_up_in_order_and_within_their_limits(
    missing: int, given: list[tuple[int | None, int | None]]
) -> None:
    tenders = [Card(f"pm_{place}", amount=eur(most) if most else None) for place, (most, _) in enumerate(given)]
    limits = {
        tender.token: min((n for n in pair if n is not None), default=missing)
        for tender, pair in zip(tenders, given, strict=True)
    }
    try:
        parts = shares(eur(missing), brought(tenders, [balance for _, balance in given]))
    except NotCovered:
        assert sum(limits.values()) < missing
        return
    assert sum(part.amount.amount for part in parts) == missing
    assert all(0 < part.amount.amount <= limits[part.tender.token] for part in parts)
    used = [tender.token for tender in tenders if tender.token in {part.tender.token for part in parts}]
    assert [part.tender.token for part in parts] == used
    for part in parts[:-1]:  # whoever comes before another one gives all that they may
        assert part.amount.amount == limits[part.tender.token]
