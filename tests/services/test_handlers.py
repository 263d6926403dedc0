"""Handlers run inside our transaction: what they write lives and dies with the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.exc import DBAPIError

from omniorder import Recorded, events
from omniorder.errors import InvalidInput
from omniorder.ports.storage import Transaction
from omniorder.testing.shop import Shop
from tests.services.contents import Rows
from tests.services.steps import VISA, filled, names, placed, promised, refused


class NoThanks(Exception):
    """A handler's own objection."""


def object_to(recorded: Recorded, tx: Transaction) -> None:
    raise NoThanks(recorded.name)


def test_a_handler_sees_the_event_as_it_is_recorded(shop: Shop) -> None:
    seen: list[Recorded] = []
    shop.hub.on(events.OrderPlaced, lambda recorded, tx: seen.append(recorded))
    order = placed(shop)
    (recorded,) = seen
    assert (recorded.stream, recorded.seq, recorded.stamp.actor) == (order.id, 1, "customer:anna")
    assert isinstance(recorded.event, events.OrderPlaced)
    assert recorded.event.total == order.total


def test_handlers_run_in_the_order_in_which_they_were_registered(shop: Shop) -> None:
    seen: list[int] = []
    for number in (1, 2, 3):

        def note(recorded: Recorded, tx: Transaction, number: int = number) -> None:
            seen.append(number)

        shop.hub.on(events.CartStarted, note)
    shop.app.carts.start()
    assert seen == [1, 2, 3]


def test_what_a_handler_raises_undoes_the_command(shop: Shop, stored: Callable[[], Rows]) -> None:
    promise = promised(shop)
    shop.hub.on(events.OrderPlaced, object_to)
    before = stored()
    with pytest.raises(NoThanks):
        shop.app.checkout.place(promise.id, pay=VISA)
    assert stored() == before
    assert shop.gateway.requests == []


def test_a_handler_that_objects_to_an_answer_loses_no_money(shop: Shop) -> None:
    trouble = [True]

    def object_once(recorded: Recorded, tx: Transaction) -> None:
        if trouble:
            trouble.clear()
            raise NoThanks

    shop.hub.on(events.Authorised, object_once)
    promise = promised(shop)
    with pytest.raises(NoThanks):
        shop.app.checkout.place(promise.id, pay=VISA)
    shop.advance(minutes=1)
    (order,) = shop.app.orders.page().items
    assert order.confirmed_at is not None
    assert list(shop.gateway.effects.values()) == [1]


def test_a_handler_that_reads_sees_what_the_command_wrote(shop: Shop) -> None:
    seen: list[object] = []
    shop.hub.on(events.CartStarted, lambda recorded, tx: seen.append(tx.cart(recorded.stream)))
    cart = shop.app.carts.start()
    assert seen == [cart]


def test_a_handler_of_a_base_class_hears_of_all_events_below_it(shop: Shop) -> None:
    payments: list[str] = []
    everything: list[str] = []
    shop.hub.on(events.PaymentEvent, lambda recorded, tx: payments.append(recorded.name))
    shop.hub.on(events.Event, lambda recorded, tx: everything.append(recorded.name))
    order = placed(shop)
    assert payments == ["AuthoriseRequested", "Authorised"]
    assert [name for name in everything if name in names(shop, order)] == names(shop, order)


@pytest.mark.parametrize("kind", [str, "OrderPlaced", None, events.CartOrdered("")])
def test_only_an_event_class_can_be_handled(shop: Shop, kind: Any) -> None:
    assert refused(InvalidInput, shop.hub.on, kind, object_to).facts["field"] == "kind"


# --- a table of the retailer's own ------------------------------------------------------------------------

in_a_database = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
"""Memory has no tables but ours."""


@pytest.fixture
def points(shop: Shop, database_url: str) -> Iterator[Callable[[], list[tuple[str, int]]]]:
    """A table of the retailer's in the same database, and a look into it."""
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE IF EXISTS loyalty"))
        connection.execute(sqlalchemy.text("CREATE TABLE loyalty (customer TEXT, points INTEGER)"))

    def look() -> list[tuple[str, int]]:
        with engine.connect() as connection:
            rows = connection.execute(sqlalchemy.text("SELECT customer, points FROM loyalty"))
            return [(str(customer), int(count)) for customer, count in rows]

    yield look
    engine.dispose()


def give_points(recorded: Recorded, tx: Transaction) -> None:
    assert isinstance(recorded.event, events.OrderPlaced)
    row = {"customer": recorded.event.owner, "points": recorded.event.total.amount // 100}
    tx.connection.execute(sqlalchemy.text("INSERT INTO loyalty VALUES (:customer, :points)"), row)


@in_a_database
def test_a_handlers_rows_are_committed_with_the_command(
    shop: Shop, points: Callable[[], list[tuple[str, int]]]
) -> None:
    shop.hub.on(events.OrderPlaced, give_points)
    placed(shop)
    assert points() == [("customer:anna", 4)]


@in_a_database
def test_a_handlers_rows_are_undone_with_the_command(shop: Shop, points: Callable[[], list[tuple[str, int]]]) -> None:
    shop.hub.on(events.OrderPlaced, give_points)
    shop.hub.on(events.CartOrdered, object_to)
    promise = promised(shop)
    with pytest.raises(NoThanks):
        shop.app.checkout.place(promise.id, pay=VISA)
    assert points() == []
    assert shop.app.carts.get(promise.cart_id).order_id is None


@in_a_database
def test_a_handlers_broken_statement_undoes_the_command(
    shop: Shop, points: Callable[[], list[tuple[str, int]]]
) -> None:
    def broken(recorded: Recorded, tx: Transaction) -> None:
        tx.connection.execute(sqlalchemy.text("INSERT INTO no_such_table VALUES (1)"))

    cart = filled(shop)
    shop.hub.on(events.LineAdded, broken)
    with pytest.raises(DBAPIError):
        shop.app.carts.add(cart.id, Shop.BREAD)
    assert shop.app.carts.get(cart.id) == cart
    assert points() == []


def test_handlers_run_for_what_the_sweep_does_too(shop: Shop) -> None:
    seen: list[str] = []
    shop.hub.on(events.PromiseLapsed, lambda recorded, tx: seen.append(recorded.stamp.actor))
    promised(shop)
    shop.advance(minutes=16)
    assert seen == ["system:sweep"]


def test_a_handler_is_not_called_for_events_of_another_class(shop: Shop) -> None:
    seen: list[str] = []
    shop.hub.on(events.OrderCancelled, lambda recorded, tx: seen.append(recorded.name))
    order = placed(shop)
    assert seen == []
    shop.app.orders.cancel(order.id)
    assert seen == ["OrderCancelled"]
    assert names(shop, order)[-1] == "OrderCancelled"
