"""What a command costs the database: statements, counted and pinned, so that a change of it is a decision.

Times say more about a machine than about the code; statements are round trips, and on PostgreSQL those are the cost.
A multi-row insert counts once: psycopg sends it as one pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import event

from omniorder import Card, Pick
from omniorder.testing import Shop

PINNED = {
    # command      PostgreSQL  SQLite
    "start": (3, 3),
    "add": (6, 6),
    "offers": (6, 6),
    "promise": (14, 16),
    "replace": (21, 21),
    "place": (25, 25),
    "get": (1, 1),
    "pick": (6, 6),
    "ready": (7, 7),
    "hand over": (26, 28),
    "timeline": (2, 2),
    "idle sweep": (2, 2),
}
"""Statements per command on a basket of three lines."""


@contextmanager
def counted() -> Iterator[list[str]]:
    """All statements that are executed meanwhile, without those that only begin a transaction."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(sqlalchemy.Engine, "before_cursor_execute", note)


def one_order(shop: Shop) -> dict[str, int]:
    """The statements of each command on an order's way."""
    found: dict[str, int] = {}

    def count(name: str, command: Callable[[], Any]) -> Any:
        with counted() as seen:
            result = command()
        found[name] = len(seen)
        return result

    cart = count("start", shop.app.carts.start)
    cart = count("add", lambda: shop.app.carts.add(cart.id, shop.MILK, 2))
    cart = shop.app.carts.add(cart.id, shop.BREAD, 1)
    cart = shop.app.carts.add(cart.id, shop.APPLES, 500)
    offers = count("offers", lambda: shop.app.checkout.offers(cart.id))
    first, second, *_ = next(offer for offer in offers if offer.full).slots
    count("promise", lambda: shop.app.checkout.promise(cart.id, slot=first.id))
    promise = count("replace", lambda: shop.app.checkout.promise(cart.id, slot=second.id))
    order = count("place", lambda: shop.app.checkout.place(promise.id, pay=Card("pm_card_visa")))
    count("get", lambda: shop.app.orders.get(order.id))
    picks = [Pick(line.id, line.quantity) for line in order.lines]
    count("pick", lambda: shop.store.pickups.pick(order.id, picks))
    count("ready", lambda: shop.store.pickups.ready(order.id))
    code = shop.app.orders.pickup_pass(order.id).code
    count("hand over", lambda: shop.store.pickups.hand_over(order.id, code=code))
    count("timeline", lambda: shop.app.orders.timeline(order.id))
    count("idle sweep", shop.hub.sweep)
    return found


@pytest.mark.parametrize(("kind", "column"), [("postgres", 0), ("sqlite", 1)])
def test_a_command_takes_as_many_statements_as_are_pinned(
    kind: str, column: int, request: pytest.FixtureRequest
) -> None:
    with Shop.example(request.getfixturevalue(f"{kind}_url")) as shop:
        shop.hub.sweep()
        assert one_order(shop) == {name: counts[column] for name, counts in PINNED.items()}


def test_a_command_takes_no_more_statements_when_there_are_many_orders(sqlite_url: str) -> None:
    with Shop.example(sqlite_url) as shop:
        shop.hub.sweep()
        shop.office.stock.receive(shop.SOFIA, shop.BREAD, 100)
        before = one_order(shop)
        for _ in range(20):
            shop.web.checkout.place(shop.promise(1).id, pay=Card("pm_card_visa"))
        assert one_order(shop) == before
