"""Articles and prices are checked when they are made, and of several prices one rule picks one."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.articles import Article, Price, pick_price, pick_prices
from omniorder.domain.channels import Channel
from omniorder.domain.money import Money
from omniorder.domain.quantities import Unit
from omniorder.errors import (
    InvalidId,
    InvalidInput,
    InvalidInstant,
    InvalidMoney,
    InvalidQuantity,
    InvalidText,
)

NOW = datetime(2026, 11, 22, 8, 41, 34, tzinfo=UTC)
DAY = timedelta(days=1)


def euros(cents: int, **how: Any) -> Price:
    how.setdefault("tax", "0.20")
    return Price("OAT-MILK-1L", Money(cents, "EUR"), **how)


def pick(*prices: Price, store: str = "SOF01", channel: Channel = Channel.WEB, at: datetime = NOW) -> Price | None:
    return pick_price(prices, store=store, channel=channel, at=at)


instants_near = st.none() | st.integers(-3, 3).map(lambda days: NOW + days * DAY)


@st.composite
def some_prices(draw: st.DrawFn) -> list[Price]:
    prices: list[Price] = []
    for _ in range(draw(st.integers(0, 6))):
        begin, end = draw(instants_near), draw(instants_near)
        if begin is not None and end is not None and end <= begin:
            end = begin + DAY
        prices.append(
            euros(
                draw(st.integers(0, 3)),
                store=draw(st.sampled_from([None, "SOF01", "SOF02"])),
                channel=draw(st.sampled_from([None, Channel.WEB, Channel.APP])),
                valid_from=begin,
                valid_to=end,
            )
        )
    return prices


class TestArticle:
    def test_an_article_is_a_piece_without_labels_unless_it_says_otherwise(self) -> None:
        article = Article("OAT-MILK-1L", "Oat milk 1 l")
        assert article.unit is Unit.PIECE
        assert not article.metadata

    def test_it_has_a_hash_and_travels_by_pickle(self) -> None:
        article = Article("APPLES", "Apples", Unit.GRAM, {"origin": "BG"})
        assert pickle.loads(pickle.dumps(article)) == article
        assert len({article, Article("APPLES", "Apples", Unit.GRAM, {"origin": "BG"})}) == 1

    def test_bad_parts_are_refused(self) -> None:
        unit: Any = "gram"
        with pytest.raises(InvalidId):
            Article("оат", "Oat milk")
        with pytest.raises(InvalidText):
            Article("OAT", "Oat\nmilk")
        with pytest.raises(InvalidInput):
            Article("OAT", "Oat milk", unit)
        with pytest.raises(InvalidText):
            Article("OAT", "Oat milk", metadata={"Key": "x"})

    def test_only_what_is_sold_by_the_gram_has_a_tolerance(self) -> None:
        assert Article("GOUDA", "Gouda", Unit.GRAM, tolerance="0.10").tolerance == Decimal("0.1")
        assert Article("GOUDA", "Gouda", Unit.PIECE, tolerance="0").tolerance == 0
        with pytest.raises(InvalidInput) as raised:
            Article("GOUDA", "Gouda", tolerance="0.10")
        assert raised.value.facts["field"] == "tolerance"


class TestPrice:
    def test_a_tax_rate_is_given_as_text_and_kept_exactly(self) -> None:
        assert euros(249, tax="0.0825").tax == Decimal("0.0825")

    def test_instants_are_kept_in_utc(self) -> None:
        begin = euros(1, valid_from=NOW.astimezone(ZoneInfo("Europe/Sofia"))).valid_from
        assert begin == NOW
        assert begin is not None
        assert begin.tzinfo is UTC

    @pytest.mark.parametrize(
        ("how", "error"),
        [
            ({"amount": Money(-1, "EUR")}, InvalidMoney),
            ({"amount": 249}, InvalidMoney),
            ({"tax": 0.2}, InvalidMoney),
            ({"tax": "20"}, InvalidMoney),
            ({"per": 0}, InvalidQuantity),
            ({"per": 1.0}, InvalidQuantity),
            ({"sku": "a b"}, InvalidId),
            ({"store": "sof01"}, InvalidId),
            ({"channel": "web"}, InvalidInput),
            ({"valid_from": NOW.replace(tzinfo=None)}, InvalidInstant),
            ({"valid_to": "2026-11-22"}, InvalidInstant),
            ({"valid_from": NOW, "valid_to": NOW}, InvalidInstant),
            ({"valid_from": NOW, "valid_to": NOW - DAY}, InvalidInstant),
        ],
    )
    def test_an_impossible_price_is_refused(self, how: dict[str, Any], error: type[Exception]) -> None:
        possible: dict[str, Any] = {"sku": "OAT", "amount": Money(249, "EUR"), "tax": "0.20"}
        assert Price(**possible).per == 1
        with pytest.raises(error):
            Price(**possible | how)

    def test_a_price_may_be_nothing(self) -> None:
        assert euros(0).amount == Money(0, "EUR")


class TestPickPrice:
    def test_the_more_specific_price_wins(self) -> None:
        general, channel = euros(4), euros(3, channel=Channel.WEB)
        store, both = euros(2, store="SOF01"), euros(1, store="SOF01", channel=Channel.WEB)
        assert pick(general, channel, store, both) == both
        assert pick(general, channel, store) == store
        assert pick(general, channel) == channel
        assert pick(general) == general

    def test_a_price_for_elsewhere_is_no_price(self) -> None:
        assert pick(euros(1, store="SOF02"), euros(1, channel=Channel.APP)) is None

    def test_without_prices_there_is_none(self) -> None:
        assert pick() is None

    @pytest.mark.parametrize(("at", "holds"), [(NOW - DAY, False), (NOW, True), (NOW + DAY, False)])
    def test_a_price_holds_from_its_first_instant_until_just_before_its_last(self, at: datetime, holds: bool) -> None:
        assert (pick(euros(1, valid_from=NOW, valid_to=NOW + DAY), at=at) is not None) == holds

    def test_among_equals_the_one_that_began_last_wins(self) -> None:
        always, autumn = euros(1), euros(2, valid_from=NOW - 30 * DAY)
        today = euros(3, valid_from=NOW - DAY)
        assert pick(always, autumn, today) == today

    def test_specificity_comes_before_recency(self) -> None:
        local, recent = euros(2, store="SOF01"), euros(1, valid_from=NOW)
        assert pick(local, recent) == local

    def test_among_equals_of_one_beginning_the_one_that_ends_first_wins_then_the_cheapest(self) -> None:
        weekend, lasting, cheap = euros(2, valid_to=NOW + DAY), euros(2), euros(1)
        assert pick(lasting, weekend, cheap) == weekend
        assert pick(lasting, cheap) == cheap

    @given(some_prices(), st.randoms())
    def test_the_order_in_which_prices_are_given_never_matters(self, prices: list[Price], chance: Any) -> None:
        shuffled = list(prices)
        chance.shuffle(shuffled)
        assert pick(*shuffled) == pick(*prices)

    @given(some_prices())
    def test_the_price_picked_holds_and_none_that_holds_is_more_specific(self, prices: list[Price]) -> None:
        holding = [price for price in prices if price.holds(store="SOF01", channel=Channel.WEB, at=NOW)]
        picked = pick(*prices)
        if picked is None:
            assert not holding
        else:
            assert picked in holding
            best = max((price.store is not None, price.channel is not None) for price in holding)
            assert (picked.store is not None, picked.channel is not None) == best

    def test_the_instant_must_be_aware(self) -> None:
        with pytest.raises(InvalidInstant):
            pick(euros(1), at=NOW.replace(tzinfo=None))


@given(some_prices(), st.sampled_from(Channel))
def test_prices_of_many_stores_are_those_of_each(prices: list[Price], channel: Channel) -> None:
    stores = ["SOF01", "SOF02", "VAR01", "VAR02"]
    each = {store: pick_price(prices, store=store, channel=channel, at=NOW) for store in stores}
    found = pick_prices(prices, stores=stores, channel=channel, at=NOW)
    assert found == {store: price for store, price in each.items() if price is not None}
