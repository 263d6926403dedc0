"""The tables' own rules: the second line of defence, for whoever writes to them by another way than ours."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Connection, Table, create_engine, insert, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from omniorder.adapters.sql import connect, schema
from omniorder.domain import events as e
from omniorder.domain.imports import Import, ImportKind
from omniorder.ports.writes import (
    AccountWrite,
    BinChange,
    CartWrite,
    CustomerWrite,
    Expect,
    HoldWrite,
    ImportWrite,
    JournalEntry,
    OrderWrite,
    PromiseWrite,
    ReservationWrite,
    SlotChange,
    StockChange,
    TransferWrite,
    WebhookWrite,
    Writes,
)
from omniorder.testing import samples
from omniorder.testing.contracts.storage.accounts import CARD, account, hold, posting
from omniorder.testing.contracts.storage.transfers import transfer
from omniorder.testing.contracts.storage.webhooks import webhook
from omniorder.testing.samples import MILK, SOFIA

HELD = samples.promise()
SHOP = Writes(
    carts=(CartWrite(None, samples.cart()),),
    customers=(CustomerWrite(samples.ANNA, 0, 1),),
    promises=(PromiseWrite(None, HELD),),
    orders=(OrderWrite(None, samples.paying(samples.order())),),
    reservations=(ReservationWrite(None, samples.reservation()),),
    stock=(StockChange(SOFIA, MILK, on_hand=5),),
    transfers=(TransferWrite(None, transfer()),),
    webhooks=(WebhookWrite(None, webhook()),),
    expected=(Expect(samples.expected()),),
    accounts=(AccountWrite(None, account()),),
    holds=(HoldWrite(None, hold()),),
    postings=(posting(debit=True),),
    slots=(SlotChange(SOFIA, HELD.slot, HELD.starts, 1, 5),),
    bins=(BinChange(SOFIA, "C4", 1, 1),),
    journal=(JournalEntry(HELD.cart_id, HELD.cart_id, 1, samples.stamp(), (e.CartAbandoned(),)),),
    prices=samples.prices(),
    imports=(ImportWrite(None, Import("x", ImportKind.LEVELS, 1, 0, 0, "", 0, 0, False, samples.NOW, samples.NOW)),),
)

BREAKS: dict[Table, dict[str, Any]] = {
    schema.PRICE: {"amount": -1, "per": 0},
    schema.STOCK: {"on_hand": -1, "reserved": -1, "safety": -1, "quarantined": -1},
    schema.EXPECTED: {"quantity": -1, "expected_at": None},
    schema.TRANSFER: {"version": 0, "state": None},
    schema.TRANSFER_LINE: {"quantity": 0, "picked": 4, "received": 1},
    schema.RESERVATION: {"moved": -1, "state": None},
    schema.RESERVATION_LINE: {"quantity": 0, "consumed": -1, "released": 10**6, "expired": -1},
    schema.SLOT: {"booked": -1, "lines": -1},
    schema.BIN: {"orders": -1},
    schema.CART: {"version": -1, "state": None},
    schema.CART_LINE: {"quantity": 0, "sku": None},
    schema.PROMISE: {"ends_at": HELD.starts, "quote": None},
    schema.ORDER: {"total": -1, "ceiling": 0, "version": -1, "state": None},
    schema.ORDER_LINE: {"quantity": 0, "price": -1, "per": 0},
    schema.PAYMENT: {"amount": -1, "authorised": -1, "captured": -1, "refunded": -1, "refund_pending": -1},
    schema.ATTEMPT: {"amount": -1},
    schema.PICKUP: {"ends_at": HELD.starts, "generation": 0, "state": None},
    schema.PICKUP_LINE: {"quantity": 0, "picked": -1, "collected": 10**6, "dropped": -1},
    schema.ACCOUNT: {"held": -1, "balance": -1, "state": None},
    schema.HOLD: {"version": 0, "captured": -1, "refunded": 1, "amount": -1, "steps": None},
    schema.POSTING: {"amount": 0, "debit": "goodwill", "credit": CARD},
    schema.EVENT: {"seq": 0},
    schema.CUSTOMER: {"version": 0},
    schema.WEBHOOK: {"tries": -1, "state": None},
    schema.IMPORT: {"version": 0, "position": -1, "line": -1, "taken": -1, "refused": -1, "digest": None},
}


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Generator[Connection]:
    """A connection of somebody who doesn't ask us, to a database in which something is stored."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    storage = connect(url)
    storage.migrate()
    with storage.transaction() as tx:
        tx.write(SHOP)
    storage.close()
    with create_engine(url, poolclass=NullPool).connect() as connection:
        yield connection


def refused(connection: Connection, statement: Any, values: dict[str, Any]) -> bool:
    savepoint = connection.begin_nested()
    try:
        connection.execute(statement, values)
    except DBAPIError:
        return True
    finally:
        savepoint.rollback()
    return False


def test_no_row_can_break_a_rule(shop: Connection) -> None:
    allowed = [
        f"{table.name}.{column} = {value}"
        for table, breaks in BREAKS.items()
        for column, value in breaks.items()
        if not refused(shop, update(table), {column: value})
    ]
    assert allowed == []


def test_every_rule_is_broken_here() -> None:
    """So that a rule that is added is tried too."""
    rules = {table for table in schema.METADATA.sorted_tables if _checks(table)}
    assert rules - set(BREAKS) == {schema.CODE_TRIES}


def _checks(table: Table) -> list[CheckConstraint]:
    return [rule for rule in table.constraints if isinstance(rule, CheckConstraint)]


def test_a_row_with_the_wrong_type_is_refused(shop: Connection) -> None:
    """SQLite stores text in columns of integers, unless its tables are strict."""
    with pytest.raises(DBAPIError):
        shop.execute(text("UPDATE omniorder_stock SET on_hand = 'five'"))


def test_no_line_is_without_its_order(shop: Connection) -> None:
    if shop.dialect.name == "sqlite":
        shop.exec_driver_sql("PRAGMA foreign_keys = ON")
    row = shop.execute(schema.ORDER_LINE.select()).mappings().first()
    assert row is not None
    with pytest.raises(IntegrityError):
        shop.execute(insert(schema.ORDER_LINE), dict(row) | {"order_id": "SOF01-NOSUCH"})


STORE_SIDE = [
    table
    for table in schema.METADATA.sorted_tables
    if "store_id" in table.primary_key.columns and table is not schema.PRICE
]


@pytest.mark.parametrize("table", STORE_SIDE, ids=str)
def test_what_a_store_holds_is_keyed_by_the_store_first_and_refers_to_nothing_elsewhere(table: Table) -> None:
    """So that a database can be divided by store."""
    assert next(iter(table.primary_key.columns)).name == "store_id"
    for key in table.foreign_keys:
        assert "store_id" in key.constraint.columns if key.constraint is not None else False


def test_identifiers_compare_by_code_point(shop: Connection) -> None:
    """As in Python: lists that go on after the last item of a page need one order everywhere."""
    words = ["b", "B", "a", "Б", "_", "A-1", "a1"]
    for number, word in enumerate(words):
        shop.execute(insert(schema.CONSUMER), {"name": word})
        assert number < len(words)
    found = shop.execute(schema.CONSUMER.select().order_by(schema.CONSUMER.c.name)).scalars().all()
    assert found == sorted(words)
