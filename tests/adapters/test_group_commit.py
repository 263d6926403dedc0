"""Commands that want the same row at once go in one transaction, and each is answered as if it had gone alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omniorder.adapters.memory import MemoryStorage
from omniorder.adapters.sql import SqlStorage, connect, group_commit, stock
from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.stock import Level, reserve
from omniorder.errors import (
    AlreadyThere,
    Misconfigured,
    OmniorderError,
    OutOfStock,
    SlotUnavailable,
    StaleWrite,
    StorageUnavailable,
)
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CartWrite, ReservationWrite, SlotChange, SlotUse, StockChange, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import put, read
from omniorder.testing.contracts.storage.stock import SlotContract, StockContract
from omniorder.testing.samples import BREAD, MILK, NOW, SOFIA
from tests.adapters.test_postgres import PostgresDatabases, empty, libpq
from tests.emptied import Fresh, postgres_database

__all__ = ["empty"]

PATIENCE = 20.0
PLACE = (SlotChange(SOFIA, ids.slot_id(SOFIA, datetime(2026, 3, 2, 10, tzinfo=UTC)), NOW, 1, 100),)
SLOT = ids.slot_id(SOFIA, datetime(2026, 3, 2, 10, tzinfo=UTC))


@pytest.fixture(scope="module")
def emptied(postgres_server: str) -> Generator[Fresh]:
    with postgres_database(postgres_server) as fresh:
        yield fresh


@pytest.fixture
def url(emptied: Fresh) -> str:
    return emptied()


@pytest.fixture
def storage(url: str) -> Generator[SqlStorage]:
    with opened(url) as made:
        yield made


@contextmanager
def opened(url: str, **options: Any) -> Generator[SqlStorage]:
    made = connect(url, pool_size=20, **options)
    try:
        yield made
    finally:
        made.close()


def taking(units: int, number: int, sku: str = MILK) -> Writes:
    """The writes of reservation `number`."""
    name = ids.reservation_id(SOFIA, number.to_bytes(16))
    held = reserve(name, SOFIA, {sku: units}, NOW)
    change = StockChange(SOFIA, sku, reserved=units, promise=True)
    return Writes(reservations=(ReservationWrite(None, held),), stock=(change,))


def write(storage: Storage, writes: Writes) -> OmniorderError | None:
    """Write it; how it was refused."""
    try:
        with storage.transaction() as tx:
            tx.write(writes)
    except OmniorderError as error:
        return error
    return None


@contextmanager
def held_up(url: str) -> Generator[None]:
    """Somebody else has the rows of the milk and of all slots until the block ends."""
    with psycopg.connect(libpq(url)) as other:
        other.execute("SELECT FROM omniorder_stock WHERE sku = %s FOR UPDATE", (MILK,))
        other.execute("SELECT FROM omniorder_slot FOR UPDATE")
        yield


def until(happened: Callable[[], object]) -> None:
    patience_ends = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < patience_ends, "it doesn't happen"
        time.sleep(0.001)


def at_the_row(url: str) -> int:
    """How many wait for a lock in the database."""
    counted = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    with psycopg.connect(libpq(url)) as other:
        return int(other.execute(counted).fetchall()[0][0])


def waiting(storage: SqlStorage) -> int:
    return sum(len(queue.waiting) for queue in storage._commits._queues.values())


Work = Callable[[], OmniorderError | None]


@contextmanager
def queued(url: str, storage: SqlStorage, works: Sequence[Work]) -> Generator[list[Future[OmniorderError | None]]]:
    """One after the other begins, and waits for the row or for those who do, until the block ends."""
    asked: list[Future[OmniorderError | None]] = []

    def all_wait() -> bool:
        return waiting(storage) + at_the_row(url) + sum(one.done() for one in asked) == len(asked)

    with ThreadPoolExecutor(len(works)) as pool, held_up(url):
        for work in works:
            asked.append(pool.submit(work))
            until(all_wait)
        yield asked


def all_at_once(url: str, storage: SqlStorage, all_writes: Iterable[Writes]) -> list[OmniorderError | None]:
    """Let these go for one level at once, the first before the others; how each was refused."""
    with queued(url, storage, [partial(write, storage, writes) for writes in all_writes]) as asked:
        pass
    return [one.result(PATIENCE) for one in asked]


def transactions(url: str) -> list[int]:
    """How many reservations each transaction made."""
    counted = "SELECT count(*) FROM omniorder_reservation GROUP BY xmin ORDER BY count(*)"
    with psycopg.connect(libpq(url)) as other:
        return [count for (count,) in other.execute(counted)]


def level(storage: Storage, sku: str = MILK) -> tuple[int, int]:
    (found,) = read(storage, lambda tx: tx.levels([sku]))
    return found.on_hand, found.reserved


def codes(refusals: Iterable[OmniorderError | None]) -> list[str]:
    return sorted(error.code for error in refusals if error)


# --- together ---------------------------------------------------------------------------------------------


def test_those_who_would_wait_for_a_row_go_in_one_transaction(url: str, storage: SqlStorage) -> None:
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=100),))
    assert all_at_once(url, storage, [taking(2, n) for n in range(9)]) == [None] * 9
    assert transactions(url) == [1, 1, 7]
    assert level(storage) == (100, 18)


def test_a_group_is_no_larger_than_was_asked_for(url: str) -> None:
    with opened(url, group_commit=3) as storage:
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=100),))
        assert all_at_once(url, storage, [taking(1, n) for n in range(9)]) == [None] * 9
    assert transactions(url) == [1, 1, 1, 3, 3]


def test_places_in_a_slot_are_taken_together_too(url: str, storage: SqlStorage) -> None:
    """Else those who want different articles would wait for each other at the slot that all of them want."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=5), StockChange(SOFIA, BREAD, on_hand=5)), slots=PLACE)
    place = Writes(slots=PLACE)
    assert all_at_once(url, storage, [taking(1, n, BREAD if n else MILK) + place for n in range(5)]) == [None] * 5
    assert transactions(url) == [1, 1, 3]
    with storage.reading() as tx:
        assert dict(tx.booked([SOFIA], NOW, NOW.replace(year=2027))) == {SLOT: SlotUse(6)}


def test_who_comes_alone_waits_for_nobody(url: str, storage: SqlStorage) -> None:
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=5),))
    for number in range(3):
        assert write(storage, taking(1, number)) is None
    assert transactions(url) == [1, 1, 1]


def test_who_switches_it_off_has_a_transaction_for_each(url: str) -> None:
    with opened(url, group_commit=1) as storage:
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=9),))
        with ThreadPoolExecutor(4) as pool, held_up(url):
            asked = [pool.submit(write, storage, taking(1, number)) for number in range(4)]
            until(lambda: at_the_row(url))
            assert waiting(storage) == 0
        assert [one.result(PATIENCE) for one in asked] == [None] * 4
    assert transactions(url) == [1, 1, 1, 1]


def test_it_can_be_switched_off_in_the_url(url: str) -> None:
    """There it is for those who open a hub, which has no options of a database's."""
    with opened(f"{url}?group_commit=1") as storage:
        assert storage._most_together == 1
        assert write(storage, Writes()) is None


@pytest.mark.parametrize("most", [0, -1, True, "64.0", "", "0", "many", "9" * 100, None])
def test_an_option_that_makes_no_sense_is_refused(most: object) -> None:
    with pytest.raises(Misconfigured, match="group_commit"):
        connect("postgresql://localhost/shop", group_commit=most)
    if most:
        with pytest.raises(Misconfigured, match="group_commit"):
            connect(f"postgresql://localhost/shop?group_commit={most}")


# --- each is answered as if alone -------------------------------------------------------------------------


def test_the_last_units_are_sold_to_somebody_of_a_group_that_wants_more(url: str, storage: SqlStorage) -> None:
    """The group as a whole is refused; nobody of it is who could have had them."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=5),))
    refused = all_at_once(url, storage, [taking(1, n) for n in range(9)])
    assert codes(refused) == ["stock.short"] * 4
    assert level(storage) == (5, 5)


def test_who_is_refused_is_told_what_there_is(url: str, storage: SqlStorage) -> None:
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=4),))
    *_, refused = all_at_once(url, storage, [taking(1, 1), taking(1, 2), taking(7, 3)])
    assert isinstance(refused, OutOfStock)
    (short,) = refused.facts["short"]
    assert (short["sku"], short["wanted"]) == (MILK, 7)
    assert short["available"] in (2, 3)
    assert level(storage) == (4, 2)


def test_a_full_slot_refuses_those_for_whom_there_is_no_place(url: str, storage: SqlStorage) -> None:
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=50),))
    place = Writes(slots=(SlotChange(SOFIA, SLOT, NOW, 1, 3),))
    refused = all_at_once(url, storage, [taking(1, n) + place for n in range(6)])
    assert [type(one) for one in refused if one] == [SlotUnavailable] * 3
    assert level(storage) == (50, 3)


def test_what_one_of_a_group_did_wrong_is_told_to_nobody_else(url: str, storage: SqlStorage) -> None:
    cart = samples.cart()
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=50),))
    stale = Writes(carts=(CartWrite(cart, cart),))
    wishes = [taking(1, 1), taking(1, 2), taking(1, 1), taking(1, 3) + stale, taking(1, 4)]
    refused = all_at_once(url, storage, wishes)
    assert [type(one) for one in refused] == [type(None), type(None), AlreadyThere, StaleWrite, type(None)]
    assert level(storage) == (50, 3)


def test_two_who_promise_the_same_cart_do_not_both(url: str, storage: SqlStorage) -> None:
    cart = samples.cart()
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=50),), carts=(CartWrite(None, cart),))
    after = samples.changed(cart, e.CartAbandoned())
    once = Writes(carts=(CartWrite(cart, after),))
    refused = all_at_once(url, storage, [taking(1, 1), taking(1, 2) + once, taking(1, 3) + once])
    assert codes(refused) == ["storage.stale_write"]
    assert level(storage) == (50, 2)


def what_is_given_back_and_what_is_wanted(url: str, storage: SqlStorage) -> list[OmniorderError | None]:
    """More is reserved than is there. One customer gives units back while another wants one."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=9, reserved=9),))
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-7),))
    back = Writes(stock=(StockChange(SOFIA, MILK, reserved=-3),))
    return all_at_once(url, storage, [taking(1, 1), taking(1, 2), taking(1, 3), back])


def test_what_one_gives_back_does_not_make_up_for_a_shortage(url: str, storage: SqlStorage) -> None:
    """The units that come back are lacking to those who have a promise already."""
    assert codes(what_is_given_back_and_what_is_wanted(url, storage)) == ["stock.short"] * 3
    assert level(storage) == (2, 6)


def test_if_all_that_happens_to_a_level_were_summed_it_would(
    url: str, storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(stock.Demand, "only_takes", True)
    assert codes(what_is_given_back_and_what_is_wanted(url, storage)) == ["stock.short"] * 2
    assert level(storage) == (2, 7)


@pytest.mark.parametrize(
    "writes",
    [
        Writes(),
        Writes(carts=(CartWrite(None, samples.cart()),)),
        Writes(stock=(StockChange(SOFIA, MILK, reserved=-1),)),
        Writes(stock=(StockChange(SOFIA, MILK, on_hand=1),)),
        Writes(stock=(StockChange(SOFIA, MILK, reserved=1),)),
        Writes(stock=(StockChange(SOFIA, MILK, reserved=1, promise=True), StockChange(SOFIA, MILK, on_hand=1))),
        Writes(stock=(StockChange(SOFIA, MILK, reserved=1, promise=True, safety=1),)),
        Writes(stock=(StockChange(SOFIA, MILK, 0, 1, True), StockChange(SOFIA, BREAD, reserved=-1))),
        Writes(slots=(SlotChange(SOFIA, SLOT, NOW, -1, 9),)),
        taking(1, 1) + Writes(articles=samples.articles()),
    ],
)
def test_what_does_anything_but_take_goes_alone(writes: Writes) -> None:
    assert group_commit.taken(writes) == ()


def test_rows_are_named_in_the_order_in_which_they_are_locked() -> None:
    place = Writes(slots=(SlotChange(SOFIA, SLOT, NOW, 1, 9),))
    assert group_commit.taken(place + taking(1, 1, MILK) + taking(2, 2, BREAD)) == (
        ("level", SOFIA, BREAD),
        ("level", SOFIA, MILK),
        ("slot", SOFIA, SLOT),
    )


# --- faults -----------------------------------------------------------------------------------------------


def test_a_connection_that_breaks_under_a_group_is_told_to_all_of_it(url: str, storage: SqlStorage) -> None:
    """Each may try again, and nothing of it was done."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=100),))
    ended = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'"""
    works = [partial(write, storage, taking(1, n)) for n in range(5)]
    with queued(url, storage, works) as asked, psycopg.connect(libpq(url), autocommit=True) as other:
        for _ in range(2):  # the first one, who waits alone, and the group that is let go by that
            until(lambda: at_the_row(url))
            assert other.execute(ended).fetchall()
        until(lambda: all(one.done() for one in asked))
    refused = [one.result(PATIENCE) for one in asked]
    assert [type(one) for one in refused] == [StorageUnavailable] * 5
    assert all(one.retry for one in refused if one)
    assert level(storage) == (100, 0)
    assert write(storage, taking(1, 1)) is None


def test_who_is_interrupted_while_waiting_holds_nobody_up(
    url: str, storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever place it was: of those who wait, the second is interrupted here, and the one who is to lead."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=100),))
    wait, turns = group_commit._Member.wait, iter(range(100))

    def interrupted(member: Any) -> None:
        turn = next(turns)
        if turn == 2:
            raise KeyboardInterrupt
        wait(member)
        if turn == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(group_commit._Member, "wait", interrupted)
    with ThreadPoolExecutor(8) as pool:
        with held_up(url):
            at_once = [pool.submit(write, storage, taking(1, number)) for number in (6, 7)]
            until(lambda: at_the_row(url) == 2)
            to_lead = pool.submit(write, storage, taking(1, 1))
            until(lambda: waiting(storage) == 1)
            second = pool.submit(write, storage, taking(1, 2))
            until(second.done)
            others = [pool.submit(write, storage, taking(1, number)) for number in (3, 4, 5)]
            until(lambda: waiting(storage) == 4)
        for one in (to_lead, second):
            with pytest.raises(KeyboardInterrupt):
                one.result(PATIENCE)
        assert [one.result(PATIENCE) for one in (*at_once, *others)] == [None] * 5
    assert level(storage) == (100, 5)
    assert storage._commits._queues == {}


def test_who_is_interrupted_while_committing_for_others_tells_them(
    url: str, storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=100),))
    with queued(url, storage, [partial(write, storage, taking(1, n)) for n in range(5)]) as asked:
        monkeypatch.setattr(group_commit, "summed", interrupting)
    first, second, leader, *followers = asked
    assert (first.result(PATIENCE), second.result(PATIENCE)) == (None, None)
    with pytest.raises(KeyboardInterrupt):
        leader.result(PATIENCE)
    assert [type(one.result(PATIENCE)) for one in followers] == [StorageUnavailable] * 2
    monkeypatch.undo()
    assert write(storage, taking(1, 9)) is None
    assert level(storage) == (100, 3)


def interrupting(*_: object) -> Writes:
    raise KeyboardInterrupt


def test_a_command_that_did_more_than_read_goes_alone(url: str, storage: SqlStorage) -> None:
    """What it did is in its own transaction, and so is the rest."""
    put(storage, stock=(StockChange(SOFIA, MILK, on_hand=100),))

    def tried() -> OmniorderError | None:
        with storage.transaction() as tx:
            tx.count_try("SOF01-7K3F9Q", 1, 5)
            tx.write(taking(1, 8))
        return None

    with queued(url, storage, [partial(write, storage, taking(1, n)) for n in range(4)]) as asked:
        pool = ThreadPoolExecutor(1)
        other = pool.submit(tried)
        until(lambda: at_the_row(url) == 3)
    assert [one.result(PATIENCE) for one in (*asked, other)] == [None] * 5
    pool.shutdown()
    assert transactions(url) == [1, 1, 1, 2]


# --- beside the model -------------------------------------------------------------------------------------


class TestPostgresInSmallGroups(PostgresDatabases, StockContract, SlotContract):
    """What a storage promises about stock and slots, where a group is two."""

    def open(self) -> SqlStorage:
        storage = super().open()
        storage._commits = group_commit.GroupCommit(2)
        return storage


ROUND = st.tuples(
    st.integers(-12, 12),
    st.integers(0, 4),
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from([MILK, BREAD, None])), min_size=1, max_size=7),
)
"""What comes in (or is found lacking), what is kept back, and who then wants how much of which, or of both."""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=settings().max_examples // 4)
@given(st.lists(ROUND, min_size=1, max_size=4))
def test_whatever_goes_together_the_books_are_those_of_one_after_the_other(
    emptied: Fresh, rounds: list[tuple[int, int, list[tuple[int, str | None]]]]
) -> None:
    """There is an order in which the plain model grants and refuses the same, and has the same levels then.

    Those who were granted come first in it, since whoever was refused was when all of them together took less.
    """
    url, model = emptied(), MemoryStorage()
    numbers = iter(range(10_000))
    with ExitStack() as stack:
        storage = stack.enter_context(opened(url, group_commit=5))
        for by, safety, wishes in rounds:
            change = Writes(
                stock=(
                    StockChange(SOFIA, MILK, on_hand=by, safety=safety),
                    StockChange(SOFIA, BREAD, on_hand=max(0, by)),
                )
            )
            assert codes([write(storage, change)]) == codes([write(model, change)])
            wanted = [_wish(units, sku, next(numbers)) for units, sku in wishes]
            if not read(storage, lambda tx: tx.levels([MILK])):
                put(storage, stock=(StockChange(SOFIA, MILK, safety=0),))
            # somebody who takes nothing is held up first, so that all of the others meet in the queue
            opener = Writes(stock=(StockChange(SOFIA, MILK, reserved=1, promise=True),), slots=PLACE)
            answers = all_at_once(url, storage, [opener, *wanted])
            plain = list(zip([opener, *wanted], answers, strict=True))
            for writes, answer in sorted(plain, key=lambda one: one[1] is not None):
                assert type(write(model, writes)) is type(answer)
            assert _levels(storage) == _levels(model)


def _wish(units: int, sku: str | None, number: int) -> Writes:
    if sku is not None:
        return taking(units, number, sku) + Writes(slots=PLACE)
    return taking(units, number, MILK) + taking(units, number + 5_000, BREAD) + Writes(slots=PLACE)


def _levels(storage: Storage) -> list[Level]:
    return [one for one in read(storage, lambda tx: tx.levels([BREAD, MILK])) if one != Level(one.store, one.sku)]
