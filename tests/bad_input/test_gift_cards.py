"""Amounts that no card can carry, codes that are none, and accounts that aren't there or somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest

from omniorder import Agent, Channel, GiftCard, IssuedCard, Money
from omniorder.errors import (
    BalanceTooLow,
    CardNumberRefused,
    CurrencyMismatch,
    GiftCardGone,
    GiftCardInvalid,
    InvalidId,
    InvalidInstant,
    InvalidMoney,
    InvalidQuantity,
    InvalidText,
    NotAllowed,
    NotFound,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, given, judge, parametrised
from tests.bad_input.conftest import World
from tests.bad_input.test_quantities import LIMITS
from tests.bad_input.test_time import INSTANTS

EUROS: Final = Money(2000, "EUR")
AMOUNTS: Final[Mapping[str, Any]] = {
    "nothing": Money(0, "EUR"),
    "below zero": Money(-1, "EUR"),
    "far below zero": Money(-(2**62), "EUR"),
    "a number": 2000,
    "text": "20.00",
    "a float": 20.0,
    "none": None,
    "a bool": True,
}
NAMES: Final[Mapping[str, Any]] = {
    "nothing": "",
    "none": None,
    "a number": 5,
    "capitals": "Cash",
    "what orders are paid with": "redeemed",
    "an account": "gft_" + "0" * 26 + "0" * 20,
    "homoglyphs": "\u0441ash",
    "a line break": "cash\n",
    "SQL": "cash'; DROP TABLE",
    "long": "c" * 41,
}
REASONS: Final[Mapping[str, Any]] = {
    "nothing": "",
    "none": None,
    "NUL": "paid\x00out",
    "a lone surrogate": "\ud800",
    "bidi": "paid \u202eout",
    "two lines": "paid\nout",
    "long": "x" * 101,
}
NO_CODES: Final[Mapping[str, Any]] = {
    "empty": "",
    "none": None,
    "a number": 5,
    "bytes": b"7K3F9QXB0000325A",
    "too short": "7K3F-9QXB-0000-325",
    "too long": "7K3F-9QXB-0000-325AA",
    "a letter that is in none": "7K3F-9QXB-0000-325U",
    "a homoglyph": "7K3F-9QXB-0000-325\u0410",
    "digits of another script": "7K3F-9QXB-0000-\u0663\u0662\u0665\u0666",
    "full-width digits": "7K3F-9QXB-0000-\uff13\uff12\uff15\uff16",
    "a ligature": "7K3F-9QXB-0000-3\ufb01A",
    "NUL": "7K3F-9QXB-0000-325A\x00",
    "SQL": "' OR 1=1 --",
    "a wildcard": "%",
    "an account": "gft_" + "0" * 26,
    "a megabyte": "7" * 1_000_000,
}
NO_CARDS: Final[Mapping[str, Any]] = {
    "unknown": "gft_" + "0" * 26,
    "store credit": "crd_" + "0" * 26,
    "a code": "7K3F-9QXB-0000-325A",
    "empty": "",
    "none": None,
    "a number": 5,
    "SQL": "' OR 1=1 --",
    "capitals": "GFT_" + "0" * 26,
}


@pytest.fixture(scope="module")
def cards(world: World) -> Mapping[str, IssuedCard]:
    """One that is fine, one that has expired, one that was closed, one in yen."""
    desk, now = world.shop.office.gift_cards, world.shop.clock.now()
    made = {
        "fine": desk.issue(EUROS),
        "expired": desk.issue(EUROS, expires_at=now + timedelta(seconds=1)),
        "closed": desk.issue(EUROS),
        "yen": desk.issue(Money(2000, "JPY")),
        "full": desk.issue(Money(2**63 - 1, "EUR")),
    }
    world.shop.clock.advance(seconds=1)
    desk.close(made["closed"].id)
    world.shop.office.credit.grant("anna", EUROS, "late")
    return made


def _issue(world: World, **options: Any) -> object:
    return world.shop.office.gift_cards.issue(**{"amount": EUROS, **options})


def _grant(world: World, **options: Any) -> object:
    asked = {"customer": "anna", "amount": EUROS, "reason": "late", **options}
    return world.shop.office.credit.grant(**asked)


ISSUED = parametrised(
    each("amount", lambda w, v: _issue(w, amount=v), AMOUNTS, InvalidMoney, field="amount"),
    each("against", lambda w, v: _issue(w, against=v), NAMES, InvalidText, field="against"),
    [
        Case(f"reason: {name}", given(lambda w, v: _issue(w, reason=v), value), InvalidText, {"field": "reason"})
        for name, value in REASONS.items()
    ],
    each("expires_at", lambda w, v: _issue(w, expires_at=v), {k: v for k, v in INSTANTS.items() if v is not None},
         InvalidInstant, field="expires_at"),
    [
        Case("expires now", lambda w: _issue(w, expires_at=w.shop.clock.now()), InvalidInstant),
        Case("expired", lambda w: _issue(w, expires_at=w.shop.clock.now() - timedelta(days=1)), InvalidInstant),
        Case("a card number", lambda w: _issue(w, reference="4242 4242 4242 4242"), CardNumberRefused),
        Case("a card number", lambda w: _issue(w, reason="4242 4242 4242 4242"), CardNumberRefused),
    ],
    each("grant", lambda w, v: _grant(w, amount=v), AMOUNTS, InvalidMoney, field="amount"),
    each("granted against", lambda w, v: _grant(w, against=v), NAMES, InvalidText, field="against"),
    each("customer", lambda w, v: _grant(w, customer=v), ["", " anna", None, 5, "a\nb", "x" * 201], InvalidId),
)  # fmt: skip

CODES = parametrised(
    [
        Case(f"{what}: {name}", given(call, value), GiftCardInvalid)
        for name, value in NO_CODES.items()
        for what, call in {
            "balance": lambda w, v: w.shop.app.gift_cards.balance(v),
            "find": lambda w, v: w.shop.office.gift_cards.find(v),
        }.items()
    ],
    [
        Case(f"pay: {name}", given(lambda w, v: w.shop.app.checkout.place(w.promise.id, pay=GiftCard(v)), value),
             GiftCardInvalid)
        for name, value in NO_CODES.items()
        if isinstance(value, str) and 0 < len(value) <= 255 and "\x00" not in value
    ],
)  # fmt: skip

LOOKED_FOR = parametrised(
    [
        Case(f"{what}: {name}", given(call, value), NotFound, {"kind": "account"})
        for name, value in NO_CARDS.items()
        for what, call in {
            "get": lambda w, v: w.shop.office.gift_cards.get(v),
            "credit": lambda w, v: w.shop.office.gift_cards.credit(v, EUROS, "topped up"),
            "debit": lambda w, v: w.shop.office.gift_cards.debit(v, EUROS, "paid out"),
            "close": lambda w, v: w.shop.office.gift_cards.close(v),
            "postings": lambda w, v: w.shop.office.gift_cards.postings(v),
        }.items()
    ],
    each("limit", lambda w, v: w.shop.app.credit.postings("EUR", limit=v), LIMITS, InvalidQuantity),
    each("currency", lambda w, v: w.shop.app.credit.balance(v), ["", "eur", "XXX", None, 5, "EUR "], InvalidMoney),
    [
        Case("for nobody", lambda w: w.shop.hub.at(Channel.PHONE, Agent("eva")).credit.balance("EUR"), NotAllowed),
        Case("of nobody", lambda w: w.shop.office.credit.take("boris", EUROS, "a mistake"), BalanceTooLow),
        Case("too much", lambda w: w.shop.office.credit.take("anna", Money(2001, "EUR"), "a mistake"), BalanceTooLow),
    ],
)


@ISSUED
def test_a_card_is_issued_and_credit_granted_for_some_money_and_a_reason(world: World, case: Case) -> None:
    judge(world, case)


@CODES
def test_what_can_be_no_code_is_not_even_counted(world: World, case: Case) -> None:
    judge(world, case)


@LOOKED_FOR
def test_an_account_that_is_not_there_is_not_found(world: World, cards: Mapping[str, IssuedCard], case: Case) -> None:
    judge(world, case)


@pytest.mark.parametrize("amount", AMOUNTS.values(), ids=AMOUNTS)
@pytest.mark.parametrize("command", ["credit", "debit"])
def test_nothing_less_or_no_money_is_neither_put_on_a_card_nor_taken_off(
    world: World, cards: Mapping[str, IssuedCard], command: str, amount: Any
) -> None:
    desk, id = world.shop.office.gift_cards, cards["fine"].id
    judge(world, Case("", lambda _: getattr(desk, command)(id, amount, "why"), InvalidMoney, {"field": "amount"}))


def test_another_currency_is_not_put_on_a_card(world: World, cards: Mapping[str, IssuedCard]) -> None:
    desk = world.shop.office.gift_cards
    for command in (desk.credit, desk.debit):
        judge(world, Case("", given(lambda _, post: post(cards["yen"].id, EUROS, "why"), command), CurrencyMismatch))


def test_no_more_is_on_a_card_than_fits(world: World, cards: Mapping[str, IssuedCard]) -> None:
    desk = world.shop.office.gift_cards
    judge(world, Case("", lambda _: desk.credit(cards["full"].id, Money(1, "EUR"), "one more"), InvalidMoney))


@pytest.mark.parametrize(
    ("which", "error", "facts"),
    [
        ("expired", GiftCardGone, {"reason": "expired"}),
        ("closed", GiftCardGone, {"reason": "closed"}),
        ("yen", CurrencyMismatch, {"field": "currency"}),
    ],
)
def test_a_card_that_pays_nothing_places_nothing(
    world: World, cards: Mapping[str, IssuedCard], which: str, error: Any, facts: Mapping[str, Any]
) -> None:
    pay = GiftCard(cards[which].code)
    judge(world, Case("", lambda w: w.shop.app.checkout.place(w.promise.id, pay=pay), error, facts))


def test_no_more_is_taken_off_a_card_than_is_on_it(world: World, cards: Mapping[str, IssuedCard]) -> None:
    desk, facts = world.shop.office.gift_cards, {"amount": "20.01 EUR", "left": "20.00 EUR"}
    for which in ("fine", "expired", "closed"):
        id = cards[which].id
        judge(world, Case("", given(lambda _, id: desk.debit(id, Money(2001, "EUR"), "why"), id), BalanceTooLow, facts))


def test_a_wrong_code_changes_nothing_but_the_count_of_tries(world: World) -> None:
    shop: Shop = world.shop
    before, _ = world.state()
    with pytest.raises(GiftCardInvalid):
        shop.stranger.gift_cards.balance("7K3F-9QXB-0000-325A")
    after, _ = world.state()
    changed = [name for name in before if before[name] != after[name]]
    assert changed in (["tries"], ["omniorder_code_tries"])
