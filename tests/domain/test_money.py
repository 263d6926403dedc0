"""Money is exact; it is rounded in two places, and both are held to their rule here."""

from __future__ import annotations

import pickle
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from omniorder.domain.money import EXPONENTS, Money, extend, rate, tax_contained, total
from omniorder.errors import CurrencyMismatch, InvalidMoney, InvalidQuantity

currencies = st.sampled_from(sorted(EXPONENTS))
amounts = st.integers(-(10**12), 10**12)
prices = st.integers(0, 10**7).map(lambda amount: Money(amount, "EUR"))
counts = st.integers(0, 1_000_000)
pers = st.integers(1, 10_000)
rates = st.integers(0, 10_000).map(lambda parts: Decimal(parts).scaleb(-4))


def half_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


class TestConstruction:
    @pytest.mark.parametrize("amount", [True, 2.49, "249", Decimal(249), None, float("nan"), 2**63, -(2**63), 2**200])
    def test_only_a_63_bit_int_is_an_amount(self, amount: Any) -> None:
        with pytest.raises(InvalidMoney):
            Money(amount, "EUR")

    @pytest.mark.parametrize("currency", ["eur", "EURO", "", "XXX", "XAU", "HRK", "ЕUR", None, 978, ["EUR"]])
    def test_only_a_circulating_currency_of_the_standard_is_known(self, currency: Any) -> None:
        with pytest.raises(InvalidMoney):
            Money(1, currency)

    def test_the_largest_amounts_are_kept(self) -> None:
        assert Money(2**63 - 1, "EUR").amount == -Money(-(2**63) + 1, "EUR").amount

    @pytest.mark.parametrize("field", ["amount", "currency", "note"])
    def test_it_is_frozen(self, field: str) -> None:
        price = Money(249, "EUR")
        with pytest.raises(FrozenInstanceError):
            setattr(price, field, 1)
        assert price == Money(249, "EUR")

    def test_it_travels_by_pickle(self) -> None:
        price = Money(249, "EUR")
        assert pickle.loads(pickle.dumps(price)) == price

    @pytest.mark.parametrize(("currency", "exponent"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("ISK", 0), ("MGA", 2)])
    def test_exponents_are_those_of_the_standard(self, currency: str, exponent: int) -> None:
        assert EXPONENTS[currency] == exponent

    def test_every_code_is_three_capitals_and_has_0_2_or_3_decimals(self) -> None:
        assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
        assert set(EXPONENTS.values()) == {0, 2, 3}


class TestText:
    @pytest.mark.parametrize(
        ("text", "currency", "amount"),
        [
            ("2.49", "EUR", 249),
            ("2.5", "EUR", 250),
            ("2", "EUR", 200),
            ("-0.05", "EUR", -5),
            ("249", "JPY", 249),
            ("2.495", "KWD", 2495),
        ],
    )
    def test_a_decimal_number_is_read_exactly(self, text: str, currency: str, amount: int) -> None:
        assert Money.of(text, currency) == Money(amount, currency)

    @pytest.mark.parametrize(
        ("text", "currency"),
        [
            ("2.495", "EUR"),
            ("2.490", "EUR"),
            ("2.0", "JPY"),
            ("2,49", "EUR"),
            ("1_000", "EUR"),
            ("1e3", "EUR"),
            ("NaN", "EUR"),
            ("Infinity", "EUR"),
            (".5", "EUR"),
            ("5.", "EUR"),
            ("+5", "EUR"),
            (" 5", "EUR"),
            ("5\n", "EUR"),
            ("٥", "EUR"),
            ("", "EUR"),
            ("9" * 40, "EUR"),
            ("9223372036854775808", "JPY"),
            (2.49, "EUR"),
            (Decimal("2.49"), "EUR"),
            ("2.49", "EEE"),
        ],
    )
    def test_nothing_is_rounded_or_guessed(self, text: Any, currency: str) -> None:
        with pytest.raises(InvalidMoney):
            Money.of(text, currency)

    @pytest.mark.parametrize(
        ("money", "text"),
        [
            (Money(249, "EUR"), "2.49 EUR"),
            (Money(0, "EUR"), "0.00 EUR"),
            (Money(-5, "EUR"), "-0.05 EUR"),
            (Money(249, "JPY"), "249 JPY"),
            (Money(249, "KWD"), "0.249 KWD"),
            (Money(2**63 - 1, "EUR"), "92233720368547758.07 EUR"),
        ],
    )
    def test_it_is_shown_with_all_decimals_of_its_currency(self, money: Money, text: str) -> None:
        assert str(money) == text

    @given(st.integers(-(2**63) + 1, 2**63 - 1), currencies)
    def test_text_and_back_is_the_same_money(self, amount: int, currency: str) -> None:
        money = Money(amount, currency)
        number, _ = str(money).split(" ")
        assert Money.of(number, currency) == money
        assert money.decimal == Decimal(number)


class TestArithmetic:
    @given(amounts, amounts, currencies)
    def test_sums_and_differences_are_those_of_the_amounts(self, a: int, b: int, currency: str) -> None:
        assert Money(a, currency) + Money(b, currency) == Money(a + b, currency)
        assert Money(a, currency) - Money(b, currency) == Money(a - b, currency)

    @given(amounts, amounts)
    def test_order_is_that_of_the_amounts(self, a: int, b: int) -> None:
        one, other = Money(a, "EUR"), Money(b, "EUR")
        assert (one < other, one <= other, one > other, one >= other) == (a < b, a <= b, a > b, a >= b)

    @pytest.mark.parametrize("operator", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
    def test_two_currencies_never_meet(self, operator: str) -> None:
        with pytest.raises(CurrencyMismatch):
            getattr(Money(1, "EUR"), operator)(Money(1, "USD"))

    def test_nothing_in_one_currency_is_not_nothing_in_another(self) -> None:
        assert Money.zero("EUR") != Money.zero("USD")

    def test_a_bare_number_is_no_money(self) -> None:
        one: Any = 1
        with pytest.raises(TypeError):
            _ = Money(1, "EUR") + one

    @given(amounts, st.integers(-1000, 1000))
    def test_times_is_exact(self, amount: int, n: int) -> None:
        assert Money(amount, "EUR").times(n) == Money(amount * n, "EUR")

    @pytest.mark.parametrize("n", [True, 1.5, "2", Decimal(2)])
    def test_times_takes_whole_numbers_only(self, n: Any) -> None:
        with pytest.raises(InvalidQuantity):
            Money(1, "EUR").times(n)

    def test_a_sum_beyond_63_bits_is_an_error_and_not_a_wrong_number(self) -> None:
        with pytest.raises(InvalidMoney):
            _ = Money(2**63 - 1, "EUR") + Money(1, "EUR")

    @given(st.lists(amounts), currencies)
    def test_total_adds_all_parts(self, parts: list[int], currency: str) -> None:
        assert total((Money(part, currency) for part in parts), currency) == Money(sum(parts), currency)

    def test_total_refuses_a_part_in_another_currency(self) -> None:
        with pytest.raises(CurrencyMismatch):
            total([Money(1, "EUR"), Money(1, "USD")], "EUR")


class TestExtend:
    """The rounding rule."""

    @pytest.mark.parametrize(
        ("amount", "quantity", "per", "value"),
        [
            (249, 2, 1, 498),
            (249, 333, 1000, 83),  # 82.917
            (1, 1, 2, 1),  # 0.5 goes up
            (1, 49, 100, 0),  # 0.49 goes down
            (-1, 1, 2, -1),  # a refund mirrors its charge
            (249, 0, 1000, 0),
        ],
    )
    def test_known_values(self, amount: int, quantity: int, per: int, value: int) -> None:
        assert extend(Money(amount, "EUR"), quantity, per) == Money(value, "EUR")

    @given(prices, counts, pers)
    def test_the_exact_product_is_rounded_once_half_up(self, price: Money, quantity: int, per: int) -> None:
        exact = Decimal(price.amount * quantity) / per
        assert extend(price, quantity, per).amount == half_up(exact)

    @given(prices, counts, counts, pers)
    def test_more_never_costs_less(self, price: Money, one: int, other: int, per: int) -> None:
        low, high = sorted((one, other))
        assert extend(price, low, per) <= extend(price, high, per)

    @given(prices, st.integers(0, 1000), st.integers(1, 1000))
    def test_it_is_exact_where_per_divides_the_quantity(self, price: Money, packs: int, per: int) -> None:
        assert extend(price, packs * per, per) == price.times(packs)

    @given(prices, st.lists(st.integers(0, 10_000), max_size=20), pers)
    def test_differences_of_extensions_add_up_to_the_whole(self, price: Money, parts: list[int], per: int) -> None:
        values: list[Money] = []
        before = 0
        for part in parts:
            values.append(extend(price, before + part, per) - extend(price, before, per))
            before += part
        assert total(values, "EUR") == extend(price, sum(parts), per)

    @pytest.mark.parametrize(("quantity", "per"), [(-1, 1), (1, 0), (1, -1), (True, 1), (1, True), (1.0, 1), (1, "1")])
    def test_only_whole_numbers_of_units_have_a_value(self, quantity: Any, per: Any) -> None:
        with pytest.raises(InvalidQuantity):
            extend(Money(1, "EUR"), quantity, per)


class TestTax:
    @pytest.mark.parametrize("text", ["0", "1", "0.2", "0.20", "0.0825", "1.0000"])
    def test_a_rate_keeps_its_value(self, text: str) -> None:
        assert rate(text) == Decimal(text)
        assert rate(Decimal(text)) == Decimal(text)

    @pytest.mark.parametrize(
        "value",
        [0.2, 0, True, "-0.1", "1.01", "2", "0.12345", "20%", ".2", "1e-1", "NaN", "", None, "0.2\n", "٠.٢"],
    )
    def test_a_float_or_an_impossible_rate_is_refused(self, value: Any) -> None:
        with pytest.raises(InvalidMoney):
            rate(value)

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-0", "-0.2", "1.2", "0.12345", "1E-5"])
    def test_an_impossible_decimal_is_refused_too(self, value: str) -> None:
        with pytest.raises(InvalidMoney):
            rate(Decimal(value))

    @pytest.mark.parametrize(
        ("gross", "share", "tax"),
        [
            (120, "0.20", 20),
            (249, "0.20", 42),
            (249, "0", 0),
            (100, "1", 50),
            (3, "0.20", 1),
            (-249, "0.20", -42),
        ],
    )
    def test_known_values(self, gross: int, share: str, tax: int) -> None:
        assert tax_contained(Money(gross, "EUR"), rate(share)) == Money(tax, "EUR")

    @given(amounts, rates)
    def test_the_exact_tax_is_rounded_once_half_up(self, gross: int, share: Decimal) -> None:
        exact = Decimal(gross) * share / (1 + share)
        assert abs(tax_contained(Money(gross, "EUR"), share).amount - exact) <= Decimal("0.5")

    @given(amounts, rates)
    def test_a_refund_contains_what_its_charge_contained(self, gross: int, share: Decimal) -> None:
        assert tax_contained(-Money(gross, "EUR"), share) == -tax_contained(Money(gross, "EUR"), share)

    def test_a_float_rate_is_refused(self) -> None:
        share: Any = 0.2
        with pytest.raises(InvalidMoney):
            tax_contained(Money(120, "EUR"), share)
