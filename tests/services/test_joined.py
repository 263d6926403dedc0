"""Commands inside the caller's own transaction: a savepoint of it, committed and undone with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy

from omniorder import (
    Article,
    Associate,
    Channel,
    Customer,
    Money,
    OrderHub,
    PayInStore,
    Price,
    System,
    events,
)
from omniorder.errors import Misconfigured, NeedsOwnTransaction, NotFound, OutOfStock
from omniorder.services.touchpoints import CustomerTouchpoint, StoreTouchpoint
from omniorder.testing.shop import Shop
from tests.services.contents import Rows
from tests.services.steps import (
    INSTANT,
    VISA,
    code,
    filled,
    free_slot,
    level,
    placed,
    promised,
    ready,
    refused,
)

Joins = Callable[[], AbstractContextManager[Any]]
"""A transaction of the caller's: committed when its block ends, undone when it raises. Gives the connection."""


class Undo(Exception):
    """The caller changes their mind."""


@contextmanager
def _sqlalchemy(url: str) -> Iterator[Any]:
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _driver(url: str) -> Iterator[Any]:
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(url.replace("+psycopg", "", 1))
    try:
        yield connection
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


@pytest.fixture(params=["sqlalchemy", "driver"])
def joins(request: pytest.FixtureRequest, shop: Shop, database_url: str) -> Joins:
    """The caller's transactions, on a connection of SQLAlchemy and on one of the driver; memory knows its own only."""
    if database_url == "memory://":
        return shop.hub._parts.storage.transaction
    open_it = _sqlalchemy if request.param == "sqlalchemy" else _driver
    return lambda: open_it(database_url)


def app(hub: OrderHub) -> CustomerTouchpoint:
    return hub.at(Channel.APP, Customer("anna"))


def counter(hub: OrderHub) -> StoreTouchpoint:
    return hub.at(Channel.STORE, Associate("ivan", store="SOF01"))


def test_a_joined_command_is_committed_by_the_caller(shop: Shop, joins: Joins) -> None:
    with joins() as connection, shop.hub.joined(connection) as hub:
        cart = app(hub).carts.start()
        cart = app(hub).carts.add(cart.id, Shop.MILK, 2)
    assert shop.app.carts.get(cart.id) == cart


def test_a_rollback_of_the_caller_undoes_everything(shop: Shop, joins: Joins, stored: Callable[[], Rows]) -> None:
    cart = filled(shop)
    slot, before = free_slot(shop, cart), stored()
    with suppress(Undo), joins() as connection, shop.hub.joined(connection) as hub:
        promise = app(hub).checkout.promise(cart.id, slot=slot)
        order = app(hub).checkout.place(promise.id, pay=PayInStore())
        assert app(hub).orders.get(order.id) == order
        raise Undo
    assert stored() == before


def test_a_whole_checkout_fits_into_one_transaction_when_it_is_paid_in_the_store(shop: Shop, joins: Joins) -> None:
    cart = filled(shop)
    slot = free_slot(shop, cart)
    with joins() as connection, shop.hub.joined(connection) as hub:
        promise = app(hub).checkout.promise(cart.id, slot=slot)
        order = app(hub).checkout.place(promise.id, pay=PayInStore())
        assert app(hub).orders.get(order.id) == order
    assert shop.app.orders.get(order.id) == order
    assert level(shop) == (40, 2)


def test_a_refused_command_leaves_the_callers_transaction_alive(shop: Shop, joins: Joins) -> None:
    cart = filled(shop, {Shop.BREAD: 6})
    slot = free_slot(shop, cart)
    with joins() as connection, shop.hub.joined(connection) as hub:
        kept = app(hub).carts.start()
        refused(OutOfStock, app(hub).checkout.promise, cart.id, slot=slot)
        kept = app(hub).carts.add(kept.id, Shop.MILK)
    assert shop.app.carts.get(kept.id) == kept
    assert level(shop, Shop.BREAD) == (5, 0)


def test_articles_prices_and_stores_are_read_in_the_callers_transaction_too(shop: Shop, joins: Joins) -> None:
    with joins() as connection, shop.hub.joined(connection) as hub:
        office = hub.at(Channel.SYSTEM, System("import"))
        office.articles.put(Article("TEA", "Mountain tea"))
        office.prices.put(Price("TEA", Money(500, "EUR"), tax="0.20"))
        office.stock.receive("SOF01", "TEA", 3)
        cart = app(hub).carts.start()
        cart = app(hub).carts.add(cart.id, "TEA", 2)
        offers = app(hub).checkout.offers(cart.id)
    assert (offers[0].store.id, offers[0].full) == ("SOF01", True)


def test_handlers_run_in_the_callers_transaction_too(shop: Shop, joins: Joins) -> None:
    seen: list[str] = []
    shop.hub.on(events.CartStarted, lambda recorded, tx: seen.append(recorded.stream))
    with joins() as connection, shop.hub.joined(connection) as hub:
        cart = app(hub).carts.start()
    assert seen == [cart.id]


# --- what needs a transaction of its own ------------------------------------------------------------------


@pytest.fixture
def calls(shop: Shop) -> dict[str, Callable[[OrderHub], object]]:
    """Every command that would call the provider, by name; made ready outside of any transaction."""
    promise, charged = promised(shop, touch=shop.stranger), placed(shop, pay=INSTANT)
    waiting, paid = ready(shop), placed(shop)
    said = code(shop, waiting)
    headers, body = shop.gateway.signed_webhook(paid.payments[0], "payment.updated")
    return {
        "checkout.place": lambda hub: hub.at(Channel.WEB, Customer("boris")).checkout.place(promise.id, pay=VISA),
        "checkout.resume": lambda hub: app(hub).checkout.resume(paid.id),
        "orders.cancel": lambda hub: app(hub).orders.cancel(charged.id),
        "pickups.hand_over": lambda hub: counter(hub).pickups.hand_over(waiting.id, code=said),
        "webhook": lambda hub: hub.webhook("card", headers=headers, body=body),
        "sweep": lambda hub: hub.sweep(),
    }


@pytest.mark.parametrize(
    "command",
    ["checkout.place", "checkout.resume", "orders.cancel", "pickups.hand_over", "webhook", "sweep"],
)
def test_a_command_that_would_call_a_provider_refuses_before_it_writes_or_calls(
    shop: Shop,
    joins: Joins,
    calls: dict[str, Callable[[OrderHub], object]],
    stored: Callable[[], Rows],
    command: str,
) -> None:
    before, asked = stored(), len(shop.gateway.requests)
    with joins() as connection, shop.hub.joined(connection) as hub:
        assert refused(NeedsOwnTransaction, calls[command], hub).facts["command"] == command
    assert (stored(), len(shop.gateway.requests)) == (before, asked)


def test_a_wrong_code_can_not_be_tried_in_a_transaction_that_forgets_it(shop: Shop, joins: Joins) -> None:
    order = ready(shop, pay=PayInStore())
    with joins() as connection, shop.hub.joined(connection) as hub:
        refused(NeedsOwnTransaction, counter(hub).pickups.hand_over, order.id, code="0000000")


def test_what_no_provider_is_part_of_can_be_called_off_in_the_callers_transaction(shop: Shop, joins: Joins) -> None:
    order = placed(shop, pay=PayInStore())
    with joins() as connection, shop.hub.joined(connection) as hub:
        app(hub).orders.cancel(order.id)
    assert level(shop) == (40, 0)


def test_an_unknown_connection_is_refused(shop: Shop) -> None:
    for connection in (None, "postgresql://", object()):
        with pytest.raises(Misconfigured), shop.hub.joined(connection):
            pass


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)  # memory lets one in at a time
def test_nothing_of_an_open_transaction_is_seen_outside(shop: Shop, joins: Joins) -> None:
    with joins() as connection, shop.hub.joined(connection) as hub:
        cart = app(hub).carts.start()
        refused(NotFound, shop.app.carts.get, cart.id)
    assert shop.app.carts.get(cart.id) == cart
