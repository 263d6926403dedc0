"""Money that no shop could take, and prices that no client may set."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, cast

import pytest

from omniorder import Article, Card, Money, PayInStore, Price, Taken, Terminal
from omniorder.errors import (
    CardNumberRefused,
    CurrencyMismatch,
    InvalidInput,
    InvalidMoney,
    InvalidQuantity,
    InvalidText,
    NotPaid,
    QuoteChanged,
    TenderUnsupported,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, given, judge, parametrised
from tests.bad_input.conftest import World
from tests.services.steps import code, filled, free_slot, ready, refused

AMOUNTS: Final[dict[str, Any]] = {
    "a float": 2.49,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a decimal": Decimal("2.49"),
    "text": "249",
    "True": True,
    "nothing": None,
    "2**63": 2**63,
    "-2**63": -(2**63),
    "2**200": 2**200,
}
CURRENCIES: Final[dict[str, Any]] = {
    "unknown": "XYZ",
    "small letters": "eur",
    "withdrawn": "BGN",
    "a symbol": "€",
    "homoglyphs": "ЕUR",
    "empty": "",
    "nothing": None,
    "a number": 978,
    "with a NUL": "EU\x00",
}
WRITTEN: Final[dict[str, Any]] = {
    "a third decimal": "2.499",
    "a comma": "2,49",
    "with its currency": "2.49 EUR",
    "NaN": "NaN",
    "infinity": "Infinity",
    "an exponent": "1e3",
    "an underscore": "1_000",
    "Arabic digits": "٢",
    "a space": " 2",
    "empty": "",
    "a float": 2.49,
}
TAXES: Final[dict[str, Any]] = {
    "a float": 0.2,
    "per cent": "20",
    "below zero": "-0.1",
    "above one": "1.2",
    "five decimals": "0.12345",
    "NaN": "NaN",
    "nothing": None,
}


def _price(world: World, **given: Any) -> None:
    price = {"sku": Shop.MILK, "amount": Money(249, "EUR"), "tax": "0.20", **given}
    world.shop.office.prices.put(Price(**price))


PRICES = parametrised(
    each("amount", lambda w, v: _price(w, amount=Money(v, "EUR")), AMOUNTS, InvalidMoney, field="amount"),
    each("currency", lambda w, v: _price(w, amount=Money(1, v)), CURRENCIES, InvalidMoney, field="currency"),
    each("written amount", lambda w, v: _price(w, amount=Money.of(v, "EUR")), WRITTEN, InvalidMoney, field="amount"),
    each("yen", lambda w, v: _price(w, amount=Money.of(v, "JPY")), ["1.5", "1.0"], InvalidMoney),
    each("tax", lambda w, v: _price(w, tax=v), TAXES, InvalidMoney, field="tax"),
    each("no money", lambda w, v: _price(w, amount=v), [249, "2.49", 2.49], InvalidMoney, field="amount"),
    each("below zero", lambda w, v: _price(w, amount=Money(v, "EUR")), [-1, -(2**62)], InvalidMoney),
    each("per", lambda w, v: _price(w, per=v), [0, -1, 1.5, True, "1000", 2**63], InvalidQuantity, field="per"),
    each("no price", lambda w, v: w.shop.office.prices.put(v), ["2.49", 249, Money(249, "EUR")], InvalidInput),
)

EXPECTED = parametrised(
    each(
        "no money",
        lambda w, v: w.shop.app.checkout.promise(w.cart.id, slot=w.promise.slot, expect=v),
        [808, "8.08", 8.08, Decimal("8.08"), "8.08 EUR", True],
        InvalidMoney,
        field="expect",
    ),
    [
        Case(
            name,
            given(lambda w, v: w.shop.app.checkout.promise(w.cart.id, slot=w.promise.slot, expect=v), total),
            QuoteChanged,
            {"expected": str(total), "total": "8.08 EUR"},
        )
        for name, total in {
            "a cent less": Money(807, "EUR"),
            "nothing": Money(0, "EUR"),
            "below zero": Money(-808, "EUR"),
            "another currency": Money(808, "USD"),
        }.items()
    ],
)

TENDERS = parametrised(
    each(
        "a card number",
        lambda w, v: w.shop.app.checkout.place(w.promise.id, pay=Card(v)),
        ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"],
        CardNumberRefused,
        field="token",
        value="'(hidden)'",
    ),
    each(
        "a token",
        lambda w, v: w.shop.app.checkout.place(w.promise.id, pay=Card(v)),
        {"empty": "", "nothing": None, "a number": 5},
        InvalidText,
        field="token",
    ),
    each(
        "no tender",
        lambda w, v: w.shop.app.checkout.place(w.promise.id, pay=v),
        [None, "pm_card_visa", 498, Money(498, "EUR"), Card],
        InvalidInput,
        field="pay",
    ),
)


@PRICES
def test_a_price_is_a_whole_number_of_minor_units_of_a_known_currency(world: World, case: Case) -> None:
    judge(world, case)


@EXPECTED
def test_a_total_that_a_client_sends_is_compared_and_never_taken(world: World, case: Case) -> None:
    judge(world, case)


@TENDERS
def test_a_tender_is_a_providers_token_and_no_card_number(world: World, case: Case) -> None:
    judge(world, case)


def test_articles_in_two_currencies_make_no_total(world: World) -> None:
    shop = world.shop
    shop.office.articles.put(Article("DOLLAR-TEA", "Tea"))
    shop.office.prices.put(Price("DOLLAR-TEA", Money(500, "USD"), tax="0.20"))
    shop.office.stock.receive("SOF01", "DOLLAR-TEA", 1)
    cart = filled(shop, {"DOLLAR-TEA": 1, Shop.MILK: 1})
    slot = world.promise.slot
    judge(
        world,
        Case(
            "two currencies",
            lambda w: shop.app.checkout.promise(cart.id, slot=slot),
            CurrencyMismatch,
            {"value": "['EUR', 'USD']"},
        ),
    )


def test_a_total_beyond_63_bits_is_no_total(world: World) -> None:
    shop = world.shop
    shop.office.articles.put(Article("GOLD", "Gold"))
    shop.office.prices.put(Price("GOLD", Money(2**62, "EUR"), tax="0.20"))
    shop.office.stock.receive("SOF01", "GOLD", 9)
    cart = filled(shop, {"GOLD": 2})
    judge(
        world,
        Case(
            "beyond 63 bits",
            lambda w: shop.app.checkout.promise(cart.id, slot=w.promise.slot),
            InvalidMoney,
            {"value": str(2**63)},
        ),
    )


def test_a_price_that_went_stale_comes_back_as_a_new_quote(world: World) -> None:
    shop = world.shop
    cart = filled(shop, {Shop.APPLES: 1000}, touch=shop.stranger)
    slot = free_slot(shop, cart, touch=shop.stranger)
    shop.office.prices.put(Price(Shop.APPLES, Money(450, "EUR"), tax="0.20", per=1000))
    before = world.state()
    error = refused(QuoteChanged, shop.stranger.checkout.promise, cart.id, slot=slot, expect=Money(399, "EUR"))
    assert error.quote.total == Money(450, "EUR")
    assert world.state() == before


@pytest.mark.parametrize(
    ("taken", "error"),
    [
        pytest.param(lambda: Taken(Money(-498, "EUR")), NotPaid, id="below zero"),
        pytest.param(lambda: Taken(Money(498, "USD")), NotPaid, id="another currency"),
        pytest.param(lambda: Taken(cast(Any, 498)), InvalidMoney, id="no money"),
        pytest.param(lambda: Taken(cast(Any, "4.98 EUR")), InvalidMoney, id="text"),
        pytest.param(lambda: Taken(Money(498, "EUR"), means=""), InvalidText, id="without means"),
        pytest.param(lambda: Taken(Money(498, "EUR"), reference="a\nb"), InvalidText, id="two lines"),
        pytest.param(lambda: "cash", InvalidInput, id="not Taken"),
        pytest.param(lambda: Money(498, "EUR"), InvalidInput, id="bare money"),
        pytest.param(lambda: Terminal(""), InvalidText, id="no reader"),
        pytest.param(lambda: Terminal("x" * 101), InvalidText, id="a long reader"),
        pytest.param(lambda: Terminal("tmr_1\n"), InvalidText, id="a reader of two lines"),
        pytest.param(lambda: Terminal(cast(Any, 1)), InvalidText, id="a number as reader"),
        pytest.param(lambda: Terminal("4242 4242 4242 4242"), CardNumberRefused, id="a card number as reader"),
        pytest.param(lambda: Terminal("tmr_1"), TenderUnsupported, id="a reader where there are none"),
    ],
)
def test_what_the_counter_took_is_money_and_what_is_due(world: World, taken: Any, error: type[Exception]) -> None:
    shop = world.shop
    if not any(order.due_in_store.amount for order in shop.store.pickups.due().items):
        ready(shop, pay=PayInStore())
    order = next(order for order in shop.store.pickups.due().items if order.due_in_store.amount)
    said = code(shop, order)
    before = world.state()
    with pytest.raises(error) as raised:
        shop.store.pickups.hand_over(order.id, code=said, taken=taken())
    assert type(raised.value) is error
    assert world.state() == before
