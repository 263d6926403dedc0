"""The built-in inventory keeps the contract on every storage, and keeps a ledger of what moved."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import timedelta
from functools import partial
from itertools import count

import pytest
from hypothesis import settings

from omniorder.adapters import sql
from omniorder.adapters.memory import MemoryStorage
from omniorder.domain.lifecycle import ReservationState
from omniorder.domain.stock import Level, Movement, MovementKind, Reservation
from omniorder.errors import IllegalTransition, OutOfStock
from omniorder.ports.storage import Storage
from omniorder.services.ledger import Ledger
from omniorder.testing import samples
from omniorder.testing.contracts.inventory import InventoryBench, InventoryContract, InventoryMachine
from omniorder.testing.contracts.inventory.bench import UNTIL, Case, gone
from omniorder.testing.contracts.storage.bench import repeated
from omniorder.testing.samples import BREAD, MILK, SOFIA
from tests.emptied import Fresh

draws = count(1)


def benched(storage: Storage) -> InventoryBench:
    """The ledger over this storage; its movements are numbered as they come."""
    ledger = Ledger(lambda: next(draws).to_bytes(16))

    def stock(store: str, sku: str, units: int) -> None:
        stamp = samples.stamp(actor="system:erp")
        repeated(storage, lambda tx: ledger.receive(tx, store, sku, units, stamp, "", "DN-7"))

    return InventoryBench(ledger, storage, stock)


def migrated(url: str) -> Storage:
    storage = sql.connect(url)
    storage.migrate()
    return storage


class TestLedgerInMemory(InventoryContract):
    def open(self) -> InventoryBench:
        return benched(MemoryStorage())


class TestLedgerOnSqlite(InventoryContract):
    @pytest.fixture(autouse=True)
    def _fresh(self, fresh_sqlite: Fresh) -> None:
        self.fresh = fresh_sqlite

    def open(self) -> InventoryBench:
        return benched(sql.connect(self.fresh()))


class TestLedgerOnPostgres(InventoryContract):
    @pytest.fixture(autouse=True)
    def _fresh(self, fresh_postgres: Fresh) -> None:
        self.fresh = fresh_postgres

    def open(self) -> InventoryBench:
        return benched(sql.connect(self.fresh()))


class MachineInMemory(InventoryMachine):
    def open(self) -> InventoryBench:
        return benched(MemoryStorage())


TestMachineInMemory = MachineInMemory.TestCase


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_that_can_be_asked_of_it_in_a_database_makes_its_books_wrong(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """All runs on one storage, and fewer than in memory: a database takes its time."""
    storage = migrated("sqlite://" if kind == "sqlite" else request.getfixturevalue("postgres_url"))

    class OnThisStorage(InventoryMachine):
        def open(self) -> InventoryBench:
            return benched(storage)

    OnThisStorage.TestCase.settings = settings(max_examples=settings().max_examples // 6)
    try:
        OnThisStorage.TestCase().runTest()
    finally:
        storage.close()


# --- the ledger's own -------------------------------------------------------------------------------------


@pytest.fixture
def case() -> Generator[Case]:
    case = Case(benched(MemoryStorage()), keeps_levels=True)
    yield case
    case.check()


def ledger(case: Case) -> Ledger:
    assert isinstance(case.inventory, Ledger)
    return case.inventory


def level(case: Case, sku: str = MILK) -> Level:
    with case.bench.storage.reading() as tx:
        return tx.levels([sku], [SOFIA])[0]


def moves(case: Case, sku: str = MILK) -> list[tuple[MovementKind, int]]:
    return [(move.kind, move.quantity) for move in movements(case, sku)]


def movements(case: Case, sku: str = MILK) -> tuple[Movement, ...]:
    with case.bench.storage.reading() as tx:
        return tx.movements(SOFIA, sku, after=None, limit=100)


def reservation(case: Case, name: str = "anna") -> Reservation:
    with case.bench.storage.reading() as tx:
        found = tx.reservation(case.id(name))
    assert found is not None
    return found


def adjust(case: Case, by: int, sku: str = MILK) -> None:
    case.do(lambda tx: ledger(case).adjust(tx, SOFIA, sku, by, samples.stamp(), "count", ""))


def test_what_is_received_and_collected_is_written_down(case: Case) -> None:
    case.stock({MILK: 10})
    case.firm("anna", {MILK: 4})
    case.consume("anna", {MILK: 3})
    assert moves(case) == [(MovementKind.RECEIVE, 10), (MovementKind.COLLECT, -3)]
    received, collected = movements(case)
    assert (received.reference, received.stamp.actor) == ("DN-7", "system:erp")
    assert (collected.reference, collected.stamp.actor) == ("SOF01-7K3F9Q", "customer:anna")


def test_reserving_and_giving_back_moves_nothing(case: Case) -> None:
    case.stock({MILK: 10})
    case.reserve("anna", {MILK: 4})
    case.release("anna")
    assert moves(case) == [(MovementKind.RECEIVE, 10)]


def test_a_count_below_what_is_promised_opens_a_shortage(case: Case) -> None:
    """It is a fact, so it is recorded; nothing more is promised until it is made good."""
    case.stock({MILK: 10})
    case.reserve("anna", {MILK: 6})
    adjust(case, -7)
    assert (level(case).on_hand, level(case).reserved, level(case).shortage) == (3, 6, 3)
    assert case.available() == 0
    with pytest.raises(OutOfStock):
        case.reserve("boris", {MILK: 1})


def test_no_count_is_below_nothing(case: Case) -> None:
    case.stock({MILK: 10})
    with pytest.raises(OutOfStock):
        adjust(case, -11)
    assert moves(case) == [(MovementKind.RECEIVE, 10)]


def test_what_the_customer_holds_was_there_whatever_the_books_said(case: Case) -> None:
    """Else a wrong count would keep goods that are paid for from leaving the store."""
    case.stock({MILK: 10})
    case.firm("anna", {MILK: 6})
    adjust(case, -7)
    case.consume("anna", {MILK: 6})
    assert moves(case)[-2:] == [(MovementKind.FOUND, 3), (MovementKind.COLLECT, -6)]
    assert (level(case).on_hand, level(case).reserved) == (0, 0)


def test_what_is_kept_back_is_never_promised(case: Case) -> None:
    case.stock({MILK: 10})
    case.do(lambda tx: ledger(case).keep_back(tx, SOFIA, MILK, 3))
    assert case.available() == 7
    with pytest.raises(OutOfStock):
        case.reserve("anna", {MILK: 8})
    case.reserve("anna", {MILK: 7})


def test_keeping_back_more_takes_nothing_from_who_has_it_promised(case: Case) -> None:
    case.stock({MILK: 10})
    case.reserve("anna", {MILK: 8})
    case.do(lambda tx: ledger(case).keep_back(tx, SOFIA, MILK, 5))
    assert (level(case).reserved, case.available()) == (8, 0)
    case.confirm("anna")


def test_a_reservation_says_how_its_units_went(case: Case) -> None:
    case.stock({MILK: 10, BREAD: 1})
    case.firm("anna", {MILK: 4, BREAD: 1})
    case.consume("anna", {MILK: 1})
    case.release("anna", {MILK: 2})
    milk = next(line for line in reservation(case).lines if line.sku == MILK)
    assert (milk.quantity, milk.consumed, milk.released, milk.live) == (4, 1, 2, 1)
    assert reservation(case).state is ReservationState.FIRM
    case.release("anna")
    assert reservation(case).state is ReservationState.SETTLED


@pytest.mark.parametrize(("expired", "state"), [(False, ReservationState.RELEASED), (True, ReservationState.EXPIRED)])
def test_what_ran_out_is_told_apart_from_what_was_given_back(
    expired: bool, state: ReservationState, case: Case
) -> None:
    case.stock({MILK: 10})
    case.reserve("anna", {MILK: 4})
    case.release("anna", expired=expired)
    assert reservation(case).state is state


def test_a_time_limit_is_set_moved_and_dropped(case: Case) -> None:
    case.stock({MILK: 10})
    case.reserve("anna", {MILK: 4})
    assert reservation(case).until == UNTIL
    case.extend("anna", UNTIL + timedelta(hours=1))
    assert reservation(case).until == UNTIL + timedelta(hours=1)
    case.confirm("anna")
    assert reservation(case).until is None


@pytest.mark.parametrize(
    "early",
    [lambda case: case.consume("anna", {MILK: 1}), lambda case: case.release("anna", {MILK: 1})],
    ids=["consume", "release a part"],
)
def test_what_is_only_held_goes_as_a_whole(early: Callable[[Case], None], case: Case) -> None:
    case.stock({MILK: 10})
    case.reserve("anna", {MILK: 4})
    with pytest.raises(IllegalTransition):
        early(case)
    assert case.available() == 6


def test_what_has_no_time_limit_can_not_be_extended(case: Case) -> None:
    case.stock({MILK: 10})
    case.firm("anna", {MILK: 4})
    for call in (partial(case.extend, "anna"), partial(case.confirm, "anna")):
        with pytest.raises(IllegalTransition):
            call()


# --- transfers, for whoever carries them out --------------------------------------------------------------


def transfer_out(case: Case, units: dict[str, int]) -> None:
    case.do(lambda tx: ledger(case).ship_out(tx, case.id("anna"), units, "trf_SOF01_1", samples.stamp()))


def transfer_in(case: Case, units: dict[str, int]) -> None:
    case.do(lambda tx: ledger(case).bring_in(tx, SOFIA, units, "trf_SOF01_1", samples.stamp()))


def expected(case: Case) -> dict[str, int]:
    with case.bench.storage.reading() as tx:
        return {one.sku: one.quantity for one in tx.expected([MILK, BREAD], [SOFIA])}


def test_what_is_shipped_leaves_shelf_and_reservation(case: Case) -> None:
    case.stock({MILK: 10, BREAD: 2})
    case.firm("anna", {MILK: 4, BREAD: 1})
    transfer_out(case, {MILK: 3, BREAD: 1})
    assert (level(case).on_hand, level(case).reserved) == (7, 1)
    assert movements(case)[-1].reference == "trf_SOF01_1"
    assert moves(case) == [(MovementKind.RECEIVE, 10), (MovementKind.TRANSFER_OUT, -3)]
    transfer_out(case, {MILK: 1})
    assert reservation(case).state is ReservationState.SETTLED


def test_what_is_shipped_was_there_whatever_the_books_said(case: Case) -> None:
    case.stock({MILK: 10})
    case.firm("anna", {MILK: 6})
    adjust(case, -7)
    transfer_out(case, {MILK: 6})
    assert moves(case)[-2:] == [(MovementKind.FOUND, 3), (MovementKind.TRANSFER_OUT, -6)]


@pytest.mark.parametrize("units", [{MILK: 5}, {BREAD: 1}], ids=["too many", "another SKU"])
def test_no_more_is_shipped_than_is_reserved_for_it(case: Case, units: dict[str, int]) -> None:
    case.stock({MILK: 10, BREAD: 2})
    case.firm("anna", {MILK: 4})
    gone(lambda: transfer_out(case, units))
    assert moves(case) == [(MovementKind.RECEIVE, 10)]


def test_nothing_is_shipped_of_what_is_only_held(case: Case) -> None:
    case.stock({MILK: 10})
    case.reserve("anna", {MILK: 4})
    with pytest.raises(IllegalTransition):
        transfer_out(case, {MILK: 1})


def test_what_comes_from_another_store_is_on_hand_and_expected_no_more(case: Case) -> None:
    for sku, units in ((MILK, 6), (BREAD, 2)):
        delivery = samples.expected(sku=sku, reference="trf_SOF01_1", quantity=units)
        case.do(partial(ledger(case).expect, delivery=delivery))
    transfer_in(case, {MILK: 4, BREAD: 2})
    assert (level(case).on_hand, level(case, BREAD).on_hand) == (4, 2)
    assert moves(case) == [(MovementKind.TRANSFER_IN, 4)]
    assert expected(case) == {MILK: 2}
    transfer_in(case, {MILK: 2})
    assert (level(case).on_hand, expected(case)) == (6, {})
