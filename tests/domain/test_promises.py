"""What a basket costs, and the short life of a promise."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain import events as e
from omniorder.domain import promises
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.lifecycle import PromiseState
from omniorder.domain.money import Money, extend
from omniorder.domain.promises import Promise, Quote, quote
from omniorder.domain.quantities import Unit
from omniorder.errors import CurrencyMismatch, IllegalTransition, OmniorderError
from omniorder.testing import samples, strategies
from omniorder.testing.samples import NOW, changed, empty_cart

RATES = ("0", "0.09", "0.2", "0.20", "0.0725")


def basket(*quantities: int) -> Cart:
    """A line of each quantity, each of an article of its own: `SKU-0`, `SKU-1`, ..."""
    lines = (e.LineAdded(f"ln_{n}", f"SKU-{n}", quantity) for n, quantity in enumerate(quantities))
    return changed(empty_cart(), *lines)


def priced(cart: Cart, *prices: Price) -> Quote:
    return quote(cart, {price.sku: Article(price.sku, price.sku) for price in prices}, {p.sku: p for p in prices})


def cost(number: int, cents: int, tax: str = "0.2", *, per: int = 1, currency: str = "EUR") -> Price:
    return Price(f"SKU-{number}", Money(cents, currency), tax=Decimal(tax), per=per)


# --- quotes -----------------------------------------------------------------------------------------------


def test_a_quote_is_the_sum_of_its_lines() -> None:
    found = priced(basket(2, 3), cost(0, 249), cost(1, 100, "0.09"))
    assert [line.total.amount for line in found.lines] == [498, 300]
    assert found.total == Money(798, "EUR")


def test_a_quote_keeps_name_unit_and_price_as_they_are_now() -> None:
    apples = Article("SKU-0", "Apples", Unit.GRAM)
    line = quote(basket(750), {"SKU-0": apples}, {"SKU-0": cost(0, 399, per=1000)}).lines[0]
    assert (line.name, line.unit, line.quantity) == ("Apples", Unit.GRAM, 750)
    assert (line.price, line.per, line.tax) == (Money(399, "EUR"), 1000, Decimal("0.2"))


def test_a_price_per_kilogram_is_rounded_once_per_line() -> None:
    """333 g at 2.49 per kg are 82.917 cents."""
    assert priced(basket(333), cost(0, 249, per=1000)).total == Money(83, "EUR")


def test_without_a_tolerance_nothing_is_charged_beyond_the_total() -> None:
    found = priced(basket(2), cost(0, 249))
    assert found.ceiling == found.total


def weighed(number: int, tolerance: str = "0.10") -> Article:
    return Article(f"SKU-{number}", "Gouda", Unit.GRAM, tolerance=tolerance)


def test_of_what_is_weighed_the_total_is_for_what_was_ordered_and_the_ceiling_for_the_most() -> None:
    """333 g at 12.90 a kilogram are 4.30; it may weigh 366 g, which are 4.72."""
    articles = {"SKU-0": weighed(0), "SKU-1": Article("SKU-1", "Milk")}
    found = quote(basket(333, 2), articles, {"SKU-0": cost(0, 1290, per=1000), "SKU-1": cost(1, 249)})
    assert (found.total.amount, found.ceiling.amount) == (430 + 498, 472 + 498)
    assert (found.lines[0].tolerance, found.lines[0].most, found.lines[1].most) == (Decimal("0.10"), 366, 2)


@given(strategies.quotes())
def test_the_ceiling_is_each_line_at_the_most_that_it_may_weigh(found: Quote) -> None:
    assert found.ceiling.amount == sum(extend(line.price, line.most, line.per).amount for line in found.lines)
    assert found.ceiling >= found.total


@given(strategies.carts(filled=True), st.data())
def test_what_an_offer_asks_for_is_what_its_promise_holds(cart: Cart, data: st.DataObject) -> None:
    """Per SKU: lines of one article are rounded one by one, and then summed."""
    skus = sorted(cart.demand())
    articles = {sku: data.draw(strategies.articles(sku)) for sku in skus}
    prices = {sku: Price(sku, Money(100, "EUR"), tax=Decimal(0)) for sku in skus}
    held = promises.holds(quote(cart, articles, prices))
    assert held == promises.to_hold(cart, articles)
    assert all(held[sku] >= units for sku, units in cart.demand().items())
    assert all(held[sku] == units for sku, units in cart.demand().items() if not articles[sku].tolerance)


def test_two_currencies_are_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        priced(basket(1, 1), cost(0, 100), cost(1, 100, currency="USD"))


def test_a_sum_that_no_database_holds_is_refused() -> None:
    with pytest.raises(OmniorderError):
        priced(basket(10**6, 10**6), cost(0, 9 * 10**12), cost(1, 9 * 10**12))


lines = st.lists(
    st.tuples(st.integers(1, 5000), st.integers(0, 10**5), st.sampled_from(RATES), st.sampled_from([1, 100, 1000])),
    min_size=1, max_size=6,
)  # fmt: skip


def of(drawn: list[tuple[int, int, str, int]]) -> Quote:
    prices = [cost(n, cents, tax, per=per) for n, (_, cents, tax, per) in enumerate(drawn)]
    return priced(basket(*(quantity for quantity, *_ in drawn)), *prices)


@given(drawn=lines)
def test_every_line_is_within_half_a_cent_of_its_exact_value(drawn: list[tuple[int, int, str, int]]) -> None:
    for line, (quantity, cents, _, per) in zip(of(drawn).lines, drawn, strict=True):
        assert abs(line.total.amount - Fraction(quantity * cents, per)) <= Fraction(1, 2)


@given(drawn=lines)
def test_the_taxes_share_out_the_whole_total(drawn: list[tuple[int, int, str, int]]) -> None:
    found = of(drawn)
    assert sum(part.gross.amount for part in found.taxes) == found.total.amount
    assert sum(line.total.amount for line in found.lines) == found.total.amount


@given(drawn=lines)
def test_each_rate_is_told_once_lowest_first(drawn: list[tuple[int, int, str, int]]) -> None:
    """0.2 and 0.20 are one rate."""
    rates = [part.rate for part in of(drawn).taxes]
    assert rates == sorted({Decimal(tax) for _, _, tax, _ in drawn})


@given(drawn=lines)
def test_the_tax_of_a_rate_is_computed_once_on_its_sum(drawn: list[tuple[int, int, str, int]]) -> None:
    for part in of(drawn).taxes:
        share = Fraction(part.rate) / (1 + Fraction(part.rate))
        assert abs(part.tax.amount - part.gross.amount * share) <= Fraction(1, 2)
        assert 0 <= part.tax.amount <= part.gross.amount


@given(cart=strategies.carts(filled=True), data=st.data())
def test_every_line_of_the_cart_is_in_the_quote_once(cart: Cart, data: st.DataObject) -> None:
    found = data.draw(strategies.quotes(cart=cart))
    assert [(q.line, q.sku, q.quantity) for q in found.lines] == [(w.id, w.sku, w.quantity) for w in cart.lines]


# --- promises ---------------------------------------------------------------------------------------------

ENDS = {
    PromiseState.ACCEPTED: e.PromiseAccepted("prm_1", "SOF01-7K3F9Q"),
    PromiseState.REPLACED: e.PromiseReplaced("prm_1", "prm_2"),
    PromiseState.WITHDRAWN: e.PromiseWithdrawn("prm_1"),
    PromiseState.LAPSED: e.PromiseLapsed("prm_1"),
}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.value)
def test_a_promise_ends_in_one_way(end: PromiseState) -> None:
    ended = promises.apply(samples.promise(), ENDS[end])
    assert ended.state is end
    for event in ENDS.values():
        with pytest.raises(IllegalTransition):
            promises.apply(ended, event)


def test_only_an_accepted_promise_has_an_order() -> None:
    orders = {end: promises.apply(samples.promise(), event).order_id for end, event in ENDS.items()}
    assert {end for end, order in orders.items() if order} == {PromiseState.ACCEPTED}
    assert orders[PromiseState.ACCEPTED] == "SOF01-7K3F9Q"


@given(promise=strategies.promises())
def test_the_window_is_the_same_instants_in_the_stores_zone(promise: Promise) -> None:
    starts, ends = promise.window
    assert (starts, ends) == (promise.starts, promise.ends)
    assert (str(starts.tzinfo), str(ends.tzinfo)) == (promise.zone, promise.zone)


def test_what_ends_a_promise_leaves_its_price_and_units_as_they_were() -> None:
    held = samples.promise(at=NOW)
    for event in ENDS.values():
        ended = promises.apply(held, event)
        assert (ended.quote, ended.reservation_id, ended.expires_at) == (
            held.quote,
            held.reservation_id,
            held.expires_at,
        )
