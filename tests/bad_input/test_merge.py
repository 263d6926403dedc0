"""Carts that can't be merged, and guests that can't be claimed."""

from __future__ import annotations

from typing import Final

from omniorder import Agent, Channel, Customer, Guest
from omniorder.errors import IllegalTransition, InvalidInput, NotFound
from tests.bad_input.cases import Case, given, judge, parametrised
from tests.bad_input.conftest import World
from tests.bad_input.test_identity import CARTS, NO_ID

_NO_CARTS: Final = {**NO_ID, **CARTS}

NOT_THERE = [
    *(
        Case(
            f"into: {name}", given(lambda w, v: w.shop.app.carts.merge(v, w.cart.id), value), NotFound, {"kind": "cart"}
        )
        for name, value in _NO_CARTS.items()
    ),
    *(
        Case(
            f"other: {name}",
            given(lambda w, v: w.shop.app.carts.merge(w.cart.id, v), value),
            NotFound,
            {"kind": "cart"},
        )
        for name, value in _NO_CARTS.items()
    ),
]

NOT_YOURS = [
    Case("a stranger's", lambda w: w.shop.stranger.carts.merge(w.cart.id, w.empty.id), NotFound, {"kind": "cart"}),
    Case("a guest's", lambda w: w.shop.guest.carts.merge(w.cart.id, w.empty.id), NotFound, {"kind": "cart"}),
    Case(
        "of an agent who helps nobody",
        lambda w: w.shop.hub.at(Channel.PHONE, Agent("eva")).carts.merge(w.cart.id, w.empty.id),
        NotFound,
        {"kind": "cart"},
    ),
]

WITH_ITSELF = [
    Case("with itself", lambda w: w.shop.app.carts.merge(w.cart.id, w.cart.id), InvalidInput, {"field": "other"}),
    Case(
        "with itself, ordered",
        lambda w: w.shop.app.carts.merge(w.placed.cart_id, w.placed.cart_id),
        InvalidInput,
        {"field": "other"},
    ),
]

ORDERED: Final = {"machine": "cart", "state": "ordered"}


def _orders(world: World) -> dict[str, str]:
    found = {"unpaid": world.unpaid, "placed": world.placed, "ready": world.ready, "collected": world.collected}
    return {name: order.cart_id for name, order in found.items()}


WITH_AN_ORDERED_ONE = [
    *(
        Case(
            f"into that of an order: {name}",
            given(lambda w, v: w.shop.app.carts.merge(_orders(w)[v], w.cart.id), name),
            IllegalTransition,
            {**ORDERED, "event": "CartAbsorbed"},
        )
        for name in ("unpaid", "placed", "ready", "collected")
    ),
    *(
        Case(
            f"with that of an order: {name}",
            given(lambda w, v: w.shop.app.carts.merge(w.cart.id, _orders(w)[v]), name),
            IllegalTransition,
            {**ORDERED, "event": "CartMerged"},
        )
        for name in ("unpaid", "placed", "ready", "collected")
    ),
]

NO_GUESTS: Final = {
    "nobody": None,
    "a token": "a-token-of-22-characters-or-more",
    "a journal name": "guest:" + "0" * 32,
    "a customer": Customer("boris"),
    "an agent": Agent("eva"),
    "a class": Guest,
}

NOBODY = [
    Case(f"claim {name}", given(lambda w, v: w.shop.app.carts.claim(v), value), InvalidInput, {"field": "guest"})
    for name, value in NO_GUESTS.items()
]


@parametrised(NOT_THERE, NOT_YOURS, WITH_ITSELF, WITH_AN_ORDERED_ONE, NOBODY)
def test_what_can_not_be_merged_is_refused_and_nothing_is_written(world: World, case: Case) -> None:
    judge(world, case)
