"""What is written: only what changed, where it belongs, and nothing that has no place in a database."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from omniorder.adapters.sql import SqlStorage, connect, schema
from omniorder.domain import events as e
from omniorder.domain.carts import Cart, CartLine
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite, JournalEntry, OrderWrite, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import put, read
from omniorder.testing.samples import NOW, SOFIA

CART, ORDER = samples.cart(), samples.order()


@pytest.fixture
def storage() -> Generator[SqlStorage]:
    made = connect("sqlite://")
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def on_postgres(postgres_url: str) -> Generator[SqlStorage]:
    made = connect(postgres_url)
    made.migrate()
    yield made
    made.close()


@contextmanager
def statements(storage: SqlStorage) -> Generator[list[str]]:
    """The tables that are written to meanwhile, in order."""
    seen: list[str] = []

    def note(statement: str) -> None:
        verb, *words = statement.split()
        if verb in ("INSERT", "UPDATE", "DELETE"):
            table = next(word for word in words if word.startswith("omniorder_"))
            seen.append(f"{verb.lower()} {table.removeprefix('omniorder_')}")

    with storage.transaction() as tx:
        driver: Any = tx.connection.connection.driver_connection
    driver.set_trace_callback(note)
    try:
        yield seen
    finally:
        driver.set_trace_callback(None)


def rows(storage: Storage, table: Any) -> list[dict[str, Any]]:
    with storage.reading() as tx:
        return [dict(row) for row in tx.connection.execute(select(table)).mappings()]


# --- only what changed ------------------------------------------------------------------------------------


def test_a_changed_line_is_the_only_line_that_is_written(storage: SqlStorage) -> None:
    put(storage, carts=(CartWrite(None, CART),))
    after = samples.changed(CART, e.LineChanged(CART.lines[1].id, 9))
    with statements(storage) as seen:
        put(storage, carts=(CartWrite(CART, after),))
    assert seen == ["update cart", "update cart_line"]
    touched = [row["id"] for row in rows(storage, schema.CART_LINE) if row["version"] == after.version]
    assert touched == [CART.lines[1].id]


def test_a_step_of_the_picking_leaves_payments_and_lines_alone(storage: SqlStorage) -> None:
    confirmed = samples.authorised(ORDER)
    picked = samples.after(confirmed, e.PickStarted(), e.LinePicked(ORDER.lines[0].id, 1))
    put(storage, orders=(OrderWrite(None, confirmed),))
    with statements(storage) as seen:
        put(storage, orders=(OrderWrite(confirmed, picked),))
    assert seen == ["update order", "update pickup", "update pickup_line"]


def test_the_answer_of_a_provider_leaves_the_pick_up_alone(storage: SqlStorage) -> None:
    asked = samples.paying(ORDER)
    unanswered = samples.after(asked, e.AttemptUnanswered(asked.payments[0].id, asked.payments[0].attempts[0].id, NOW))
    put(storage, orders=(OrderWrite(None, asked),))
    with statements(storage) as seen:
        put(storage, orders=(OrderWrite(asked, unanswered),))
    assert seen == ["update order", "update attempt"]


# --- lines keep their order -------------------------------------------------------------------------------


@st.composite
def edits(draw: st.DrawFn) -> list[Cart]:
    """A cart through edits: lines come, go, change and even change places, which no command does."""
    carts = [samples.empty_cart()]
    ids = iter(range(100))
    for _ in range(draw(st.integers(1, 5))):
        last = carts[-1]
        lines = [line for line in last.lines if draw(st.booleans())]
        lines += [
            CartLine(f"ln_{next(ids):013}", "SKU", draw(st.integers(1, 9)), draw(st.sampled_from(["", "ripe"])))
            for _ in range(draw(st.integers(0, 3)))
        ]
        if draw(st.booleans()):
            lines = draw(st.permutations(lines))
        lines = [evolve(line, quantity=draw(st.integers(1, 9))) for line in lines]
        carts.append(evolve(last, version=last.version + 1, lines=tuple(lines)))
    return carts


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits())
def test_lines_come_back_in_their_order_after_any_edit(storage: SqlStorage, carts: list[Cart]) -> None:
    with storage.transaction() as tx:
        tx.write(Writes(carts=(CartWrite(None, carts[0]),)))
        for before, after in pairwise(carts):
            tx.write(Writes(carts=(CartWrite(before, after),)))
            tx.flush()
            assert tx.cart(after.id) == after
        tx.connection.exec_driver_sql("DELETE FROM omniorder_note")
        tx.connection.exec_driver_sql("DELETE FROM omniorder_cart_line")
        tx.connection.exec_driver_sql("DELETE FROM omniorder_cart")


# --- notes are the customer's -----------------------------------------------------------------------------


def test_the_text_of_a_note_is_under_its_owner_only_and_can_be_erased(storage: SqlStorage) -> None:
    """After that carts and orders are as before, without the words."""
    cart, order = samples.cart(note="for Mrs Petrova"), samples.order()
    entry = JournalEntry(cart.id, cart.id, 1, samples.stamp(), (e.LineNoted(cart.lines[0].id, "for Mrs Petrova"),))
    put(storage, carts=(CartWrite(None, cart),), orders=(OrderWrite(None, order),), journal=(entry,))
    with storage.transaction() as tx:
        tx.connection.execute(schema.NOTE.delete().where(schema.NOTE.c.owner == cart.owner))
    everything = "".join(str(rows(storage, table)) for table in schema.METADATA.sorted_tables)
    assert "Petrova" not in everything
    assert "ripe" not in everything
    erased = read(storage, lambda tx: tx.cart(cart.id))
    assert erased == evolve(cart, lines=(evolve(cart.lines[0], note=""), *cart.lines[1:]))


def test_an_orders_note_stays_when_the_carts_changes(storage: SqlStorage) -> None:
    cart = samples.cart()
    put(storage, carts=(CartWrite(None, cart),), orders=(OrderWrite(None, ORDER),))
    changed = samples.changed(cart, e.LineNoted(cart.lines[0].id, "green, please"))
    put(storage, carts=(CartWrite(cart, changed),))
    assert read(storage, lambda tx: tx.order(ORDER.id)) == ORDER


def test_what_is_shown_once_is_stored_nowhere(storage: SqlStorage) -> None:
    order = samples.every_order()["action required"]
    asked = evolve(order, payments=tuple(evolve(one, action=samples.ACTION) for one in order.payments))
    put(storage, orders=(OrderWrite(None, asked),))
    everything = "".join(str(rows(storage, table)) for table in schema.METADATA.sorted_tables)
    assert samples.ACTION.client_secret not in everything


# --- the order of deliveries ------------------------------------------------------------------------------


def tell(storage: Storage, stream: str, seq: int, minutes: int) -> None:
    stamp = samples.stamp(NOW + timedelta(minutes=minutes))
    put(storage, journal=(JournalEntry(SOFIA, stream, seq, stamp, (e.CartAbandoned(),)),))


@pytest.mark.parametrize("from_start", [True, False])
@pytest.mark.parametrize("database", ["storage", "on_postgres"])
def test_clocks_that_differ_make_no_holes_in_a_stream(
    database: str, from_start: bool, request: pytest.FixtureRequest
) -> None:
    """A later event may have an earlier stamp: hosts' clocks differ. It is still delivered later."""
    storage: SqlStorage = request.getfixturevalue(database)
    if not from_start:
        subscribe(storage, from_start)
    for seq, minutes in ((1, 5), (2, 1), (3, 3)):
        tell(storage, "a", seq, minutes)
        tell(storage, "b", seq, 10 * seq)
    if from_start:
        subscribe(storage, from_start)
    tell(storage, "a", 4, 0)
    delivered = []
    while found := read(storage, lambda tx: tx.undelivered("mail", 1)):
        delivered += [(one.stream, one.seq) for one in found]
        with storage.transaction() as tx:
            tx.acknowledge("mail", found)
    assert [seq for stream, seq in delivered if stream == "a"] == [1, 2, 3, 4]
    assert [seq for stream, seq in delivered if stream == "b"] == [1, 2, 3]
    assert delivered[-1] == ("a", 4)


def subscribe(storage: Storage, from_start: bool) -> None:
    with storage.transaction() as tx:
        tx.subscribe("mail", from_start=from_start)
