"""What an inventory promises: nothing is held twice, nothing is given back twice, and it is all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import timedelta
from functools import partial
from typing import ClassVar

import pytest

from omniorder.errors import OmniorderError, OutOfStock, ReservationGone
from omniorder.ports.storage import Transaction
from omniorder.testing.contracts.inventory.bench import UNTIL, Case, InventoryBench, gone
from omniorder.testing.contracts.inventory.holding import HoldingContract
from omniorder.testing.contracts.storage.bench import together, undone
from omniorder.testing.samples import APPLES, BREAD, MILK, SOFIA, VARNA


class InventoryContract(HoldingContract):
    """Subclass it as `Test...` and say in `open` how to open your inventory."""

    keeps_levels: ClassVar[bool] = True

    def open(self) -> InventoryBench:
        """An inventory without any stock, over a fresh storage: another one on every call."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its inventory")

    def case(self) -> Case:
        return Case(self.open(), keeps_levels=self.keeps_levels)

    @pytest.fixture(name="case")
    def _case(self) -> Generator[Case]:
        case = self.case()
        yield case
        case.check()
        case.bench.storage.close()

    # --- what is available ---

    def test_levels_that_do_not_exist_are_left_out(self, case: Case) -> None:
        case.stock({MILK: 5})
        with case.bench.storage.reading() as tx:
            assert dict(case.inventory.available(tx, [MILK, BREAD], [SOFIA, VARNA])) == {(SOFIA, MILK): 5}

    def test_all_stores_are_asked_when_none_is_named(self, case: Case) -> None:
        case.stock({MILK: 5})
        case.stock({MILK: 3}, VARNA)
        with case.bench.storage.reading() as tx:
            assert dict(case.inventory.available(tx, [MILK])) == {(SOFIA, MILK): 5, (VARNA, MILK): 3}

    # --- reserving ---

    def test_reservations_of_one_transaction_are_summed(self, case: Case) -> None:
        case.stock({MILK: 10})

        def both(tx: Transaction) -> None:
            case.inventory.reserve(tx, case.id("anna"), SOFIA, {MILK: 6}, UNTIL)
            case.inventory.reserve(tx, case.id("boris"), SOFIA, {MILK: 6}, UNTIL)

        with pytest.raises(OutOfStock):
            case.do(both)
        assert case.available() == 10

    def test_an_id_reserves_once(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        with pytest.raises(OmniorderError), case.bench.storage.transaction() as tx:
            case.inventory.reserve(tx, case.id("anna"), SOFIA, {MILK: 4}, UNTIL)
        assert case.available() == 6

    def test_a_transaction_that_is_undone_reserves_nothing(self, case: Case) -> None:
        case.stock({MILK: 10})
        with undone(case.bench.storage) as tx:
            case.inventory.reserve(tx, case.id("anna"), SOFIA, {MILK: 4}, UNTIL)
            tx.flush()
        assert case.available() == 10
        gone(lambda: case.confirm("anna"))

    # --- replacing ---

    def test_the_units_of_what_is_replaced_count_for_the_new_one(self, case: Case) -> None:
        """A customer who only moves the time of a basket never loses it to somebody else."""
        case.stock({MILK: 10, BREAD: 3})
        case.reserve("first", {MILK: 10})
        case.reserve("second", {MILK: 9, BREAD: 2}, instead_of="first")
        assert (case.available(MILK), case.available(BREAD)) == (1, 1)
        gone(lambda: case.confirm("first"))
        case.confirm("second")

    def test_a_replacement_that_is_refused_leaves_what_was_there(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 6})
        case.reserve("boris", {MILK: 2})
        with pytest.raises(OutOfStock):
            case.reserve("more", {MILK: 9}, instead_of="anna")
        assert case.available() == 2
        case.confirm("anna")

    def test_a_replacement_at_another_store_gives_back_here(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.stock({MILK: 5}, VARNA)
        case.reserve("here", {MILK: 6})
        case.reserve("there", {MILK: 5}, VARNA, instead_of="here")
        assert (case.available(), case.available(store=VARNA)) == (10, 0)

    def test_a_replacement_refused_at_another_store_leaves_what_was_here(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.stock({MILK: 5}, VARNA)
        case.reserve("here", {MILK: 6})
        with pytest.raises(OutOfStock):
            case.reserve("there", {MILK: 6}, VARNA, instead_of="here")
        assert (case.available(), case.available(store=VARNA)) == (4, 5)

    def test_what_has_ended_can_not_be_replaced(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.reserve("old", {MILK: 6})
        case.release("old")
        gone(lambda: case.reserve("new", {MILK: 6}, instead_of="old"))
        assert case.available() == 10

    # --- extending and confirming ---

    def test_what_is_extended_stays_reserved(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.extend("anna", UNTIL + timedelta(hours=1))
        assert case.available() == 6

    def test_what_is_confirmed_stays_reserved(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        assert case.available() == 6

    # --- consuming ---

    def test_what_is_consumed_never_comes_back(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        case.consume("anna", {MILK: 4})
        assert case.available() == 6
        gone(lambda: case.release("anna"))
        assert case.available() == 6

    def test_it_may_be_consumed_bit_by_bit(self, case: Case) -> None:
        case.stock({MILK: 10, BREAD: 2})
        case.firm("anna", {MILK: 4, BREAD: 1})
        case.consume("anna", {MILK: 1})
        case.consume("anna", {MILK: 2, BREAD: 1})
        case.consume("anna", {MILK: 1})
        gone(lambda: case.consume("anna", {MILK: 1}))
        assert (case.available(MILK), case.available(BREAD)) == (6, 1)

    def test_no_more_is_consumed_than_is_held(self, case: Case) -> None:
        case.stock({MILK: 10, BREAD: 2})
        case.firm("anna", {MILK: 4, BREAD: 1})
        for units in ({MILK: 5}, {MILK: 1, BREAD: 2}, {APPLES: 1}):
            gone(partial(case.consume, "anna", units))
        case.consume("anna", {MILK: 4, BREAD: 1})
        assert (case.available(MILK), case.available(BREAD)) == (6, 1)

    # --- giving back ---

    def test_what_expires_is_available_again(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.release("anna", expired=True)
        assert case.available() == 10

    def test_some_units_of_what_is_confirmed_are_released(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        case.release("anna", {MILK: 3})
        assert case.available() == 9
        case.consume("anna", {MILK: 1})

    def test_the_rest_is_what_was_not_consumed(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        case.consume("anna", {MILK: 3})
        case.release("anna")
        assert case.available() == 7

    def test_nothing_is_released_twice(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.reserve("boris", {MILK: 4})
        case.release("anna")
        gone(lambda: case.release("anna"))
        gone(lambda: case.release("anna", expired=True))
        assert case.available() == 6

    def test_no_more_is_released_than_is_held(self, case: Case) -> None:
        case.stock({MILK: 10, BREAD: 2})
        case.firm("anna", {MILK: 4})
        case.firm("boris", {MILK: 4})
        for units in ({MILK: 5}, {MILK: 1, BREAD: 1}):
            gone(partial(case.release, "anna", units))
        assert case.available() == 2

    # --- what is gone ---

    def test_a_reservation_that_was_never_made_is_gone(self, case: Case) -> None:
        case.stock({MILK: 10})
        for call in _calls(case, "nobody"):
            gone(call)
        assert case.available() == 10

    def test_a_reservation_that_has_ended_is_gone(self, case: Case) -> None:
        case.stock({MILK: 10})
        case.reserve("released", {MILK: 1})
        case.release("released")
        case.reserve("expired", {MILK: 1})
        case.release("expired", expired=True)
        case.firm("consumed", {MILK: 1})
        case.consume("consumed", {MILK: 1})
        for name in ("released", "expired", "consumed"):
            for call in _calls(case, name):
                gone(call)
        assert case.available() == 9

    # --- many at once ---

    def test_confirming_and_expiring_at_once_only_one_happens(self, shared: Case) -> None:
        shared.stock({MILK: 10})
        shared.reserve("anna", {MILK: 4})
        expire = partial(shared.release, "anna", expired=True)
        confirmed, expired = together(partial(shared.confirm, "anna"), expire)
        if expired is None and confirmed is None:  # confirmed first, and then all of it given back
            assert shared.available() == 10
        else:
            assert isinstance(confirmed, ReservationGone)
            assert (expired, shared.available()) == (None, 10)

    def test_releasing_from_many_threads_gives_back_once(self, shared: Case) -> None:
        shared.stock({MILK: 10})
        shared.reserve("anna", {MILK: 4})
        shared.reserve("boris", {MILK: 4})
        results = together(*[partial(shared.release, "anna")] * 4)
        assert sum(result is None for result in results) == 1
        assert shared.available() == 6


def _calls(case: Case, name: str) -> list[Callable[[], None]]:
    """Everything that can be asked of a reservation."""
    return [
        partial(case.extend, name),
        partial(case.confirm, name),
        partial(case.consume, name, {MILK: 1}),
        partial(case.release, name),
        partial(case.release, name, {MILK: 1}),
    ]
