"""The book keeps its promises wherever it is kept: in memory, in SQLite, in PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import TypeAlias

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniorder.adapters.adyen import Book, Entry, MemoryBook, SqlBook, Step
from omniorder.domain.money import Money
from omniorder.errors import InvalidInput
from omniorder.ports.payments import Approved, Operation
from omniorder.testing.adyen import FakeAdyen
from omniorder.testing.clock import FakeClock
from tests.adapters.adyen import PAYMENT, asked_for, authorise, capture, gateway_to, key

OpenBook: TypeAlias = Callable[[], Book]

SENT = Entry(PAYMENT, key(1), Operation.AUTHORISE, Step.SENT, FakeClock().now(), Money(1000, "EUR"))
DONE = Entry(PAYMENT, key(1), Operation.AUTHORISE, Step.DONE, FakeClock().now(), Money(1000, "EUR"), psp="P1")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def open_book(request: pytest.FixtureRequest, tmp_path: Path) -> OpenBook:
    """A function that opens the same book again, as another process would; a book in memory is only one."""
    if request.param == "memory":
        book = MemoryBook()
        return lambda: book
    if request.param == "sqlite":
        opened = SqlBook(lambda: sqlite3.connect(tmp_path / "book.db", timeout=30))
    else:
        url: str = request.getfixturevalue("postgres_database")().replace("+psycopg", "")
        opened = SqlBook(lambda: psycopg.connect(url), mark="%s")
    opened.create()
    opened.create()
    return lambda: opened


def test_a_page_is_read_as_it_was_written(open_book: OpenBook) -> None:
    book = open_book()
    assert book.read(PAYMENT) == ()
    assert book.append(SENT, 0)
    assert book.append(DONE, 1)
    assert open_book().read(PAYMENT) == (SENT, DONE)
    assert book.read("pay_SOF01_7K3F9Q_2") == ()


def test_a_payment_is_found_by_adyen_s_reference(open_book: OpenBook) -> None:
    book = open_book()
    book.append(DONE, 0)
    assert (book.payment_of("P1"), book.payment_of("P2"), book.payment_of("' OR 1=1")) == (PAYMENT, "", "")


def test_of_several_who_write_the_same_entry_one_wins(open_book: OpenBook) -> None:
    start = Barrier(4)

    def write(number: int) -> bool:
        start.wait(timeout=10)
        return open_book().append(Entry(PAYMENT, key(number), None, Step.SENT, SENT.at, SENT.amount), 0)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(write, range(4))) == [False, False, False, True]
    assert len(open_book().read(PAYMENT)) == 1


def test_another_process_carries_on_where_the_first_died(open_book: OpenBook) -> None:
    """Nothing is asked of Adyen a second time, and the capture knows what is set aside."""
    adyen = FakeAdyen(prompt=False)
    gateway_to(adyen, book=open_book()).authorise(authorise())
    after = gateway_to(adyen, book=open_book())
    assert isinstance(after.look_up(asked_for(Operation.AUTHORISE, 1)), Approved)
    assert isinstance(after.authorise(authorise()), Approved)
    assert isinstance(after.capture(capture()), Approved)
    assert len(adyen.requests) == 2


@pytest.mark.parametrize("table", ["", "book; DROP TABLE orders", "Book", "a.b.c", '"book"', "x" * 60])
def test_a_table_s_name_that_is_none_is_refused(table: str) -> None:
    with pytest.raises(InvalidInput):
        SqlBook(lambda: sqlite3.connect(":memory:"), table=table)


@given(
    step=st.sampled_from(Step),
    operation=st.sampled_from([*Operation, None]),
    amount=st.integers(0, 10**12),
    texts=st.tuples(*[st.text(max_size=20)] * 6),
    until=st.none() | st.integers(0, 10**6),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_an_entry_is_stored_without_loss(
    step: Step,
    operation: Operation | None,
    amount: int,
    texts: tuple[str, ...],
    until: int | None,
    flags: tuple[bool, ...],
) -> None:
    psp, reason, event, place, action, brand = texts
    captured, final = flags
    ends = None if until is None else SENT.at + timedelta(seconds=until)
    entry = Entry(
        PAYMENT, key(1), operation, step, SENT.at, Money(amount, "JPY"), psp, reason, event, place, action, ends,
        captured, final, brand,
    )  # fmt: skip
    assert Entry.from_json(PAYMENT, entry.to_json()) == entry
