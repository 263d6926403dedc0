"""Consents that nobody could mean, and substitutes that nobody agreed to: refused, and nothing is different then."""

from __future__ import annotations

from typing import Any, Final

from omniorder import Add, Allow, Consent, Money
from omniorder.errors import (
    IllegalTransition,
    InvalidId,
    InvalidInput,
    InvalidMoney,
    InvalidQuantity,
    InvalidText,
    NotFound,
    SubstituteRefused,
)
from omniorder.testing.shop import Shop
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World
from tests.bad_input.test_quantities import QUANTITIES
from tests.bad_input.test_text import IDS

NO_CONSENTS: Final[dict[str, Any]] = {"nothing": None, "a word": "similar", "a number": 5, "a class": Consent}
NO_MONEY: Final[dict[str, Any]] = {"a number": 249, "a text": "2.49 EUR", "a list": []}
NO_CAPS: Final[dict[str, Any]] = {**NO_MONEY, "below nothing": Money(-1, "EUR")}
NO_SKUS: Final[dict[str, Any]] = {**IDS, "nothing": None}


def _substitute(world: World, sku: Any = Shop.BREAD, quantity: Any = 1, **more: Any) -> object:
    order = world.placed
    return world.shop.store.pickups.substitute(order.id, order.lines[0].id, quantity, sku, **more)


CONSENTS = parametrised(
    each("add", lambda w, v: Add(Shop.MILK, substitutes=v), NO_CONSENTS, InvalidInput, field="substitutes"),
    each("allow", lambda w, v: Allow(w.cart.lines[0].id, v), NO_CONSENTS, InvalidInput, field="substitutes"),
    each("cap", lambda w, v: Consent.similar(cap=v), NO_CAPS, InvalidMoney,
         field="cap"),
    each("named", lambda w, v: Consent.named(v), NO_SKUS, InvalidId, field="sku"),
    [
        Case("an unknown article named", lambda w: w.shop.app.carts.allow(
            w.cart.id, w.cart.lines[0].id, Consent.named("NOTHING")), NotFound, {"kind": "article"}),
        Case("of an unknown line", lambda w: w.shop.app.carts.allow(w.cart.id, "ln_none", Consent.ask()), NotFound,
             {"kind": "line"}),
        Case("of somebody else's cart", lambda w: w.shop.stranger.carts.allow(
            w.cart.id, w.cart.lines[0].id, Consent.ask()), NotFound, {"kind": "cart"}),
    ],
)  # fmt: skip
SUBSTITUTES = parametrised(
    each("article", lambda w, v: _substitute(w, v), NO_SKUS, InvalidId, field="sku"),
    each("quantity", lambda w, v: _substitute(w, quantity=v), QUANTITIES, InvalidQuantity),
    each("price", lambda w, v: _substitute(w, price=v), NO_MONEY, InvalidMoney, field="price"),
    each("reason", lambda w, v: _substitute(w, reason=v), [None, 5, ""], InvalidText),
    [
        Case("an unknown article", lambda w: _substitute(w, "NOTHING"), NotFound, {"kind": "article"}),
        Case("the same article", lambda w: _substitute(w, Shop.MILK), InvalidInput, {"field": "sku"}),
        Case("more than was ordered", lambda w: _substitute(w, quantity=3), InvalidQuantity),
        Case("without consent", _substitute, SubstituteRefused, {"reason": "no_consent"}),
        Case("an unknown line", lambda w: w.shop.store.pickups.substitute(
            w.placed.id, "ln_none", 1, Shop.BREAD), NotFound, {"kind": "line"}),
        Case("of what is ready", lambda w: w.shop.store.pickups.substitute(
            w.ready.id, w.ready.lines[0].id, 1, Shop.BREAD), IllegalTransition),
        Case("of what is not paid", lambda w: w.shop.store.pickups.substitute(
            w.unpaid.id, w.unpaid.lines[0].id, 1, Shop.BREAD), IllegalTransition),
        Case("of what another store works on", lambda w: w.shop.elsewhere.pickups.substitute(
            w.placed.id, w.placed.lines[0].id, 1, Shop.BREAD), NotFound, {"kind": "order"}),
        Case("an answer to nothing", lambda w: w.shop.app.orders.accept(w.placed.id, "ln_none"), NotFound,
             {"kind": "proposal"}),
        Case("a refusal of nothing", lambda w: w.shop.app.orders.decline(w.placed.id, "ln_none"), NotFound,
             {"kind": "proposal"}),
        Case("a stranger's answer", lambda w: w.shop.stranger.orders.accept(w.placed.id, "ln_none"), NotFound,
             {"kind": "order"}),
        Case("nothing taken back", lambda w: w.shop.store.pickups.withdraw_substitute(w.placed.id, "ln_none"), NotFound,
             {"kind": "proposal"}),
    ],
)  # fmt: skip


@CONSENTS
def test_a_consent_is_one_that_somebody_can_give(world: World, case: Case) -> None:
    judge(world, case)


@SUBSTITUTES
def test_a_substitute_is_one_that_somebody_agreed_to(world: World, case: Case) -> None:
    judge(world, case)
