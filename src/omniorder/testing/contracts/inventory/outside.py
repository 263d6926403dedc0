"""What a retailer's own stock system promises: nothing is held twice, and no call that is repeated has two effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import ClassVar, Final, TypeAlias

import pytest
from attrs import frozen

from omniorder.domain import ids
from omniorder.errors import InventoryFault, InventoryUnavailable, OutOfStock, ReservationGone
from omniorder.ports.inventory import Inventory
from omniorder.testing.contracts.inventory.bench import gone
from omniorder.testing.contracts.inventory.holding import HoldingContract
from omniorder.testing.contracts.storage.bench import together
from omniorder.testing.samples import APPLES, BREAD, MILK, SOFIA, VARNA

Units: TypeAlias = Mapping[str, int]

HELD_FOR: Final = timedelta(minutes=15)
ORDER: Final = "SOF01-7K3F9Q"
_NUMBERS: Final = count(1)


@frozen
class OutsideBench:
    """An inventory on the bench, a way to fill its shelves, and levers; promises that need one are skipped without it.

    `stock(store, sku, units)` puts so many more units on the shelf. `now` is its clock, and `pass_time` lets it go on.
    `lose_next_reply` makes the next call take effect, and its reply never arrive.
    """

    inventory: Inventory
    stock: Callable[[str, str, int], None]
    now: Callable[[], datetime]
    pass_time: Callable[[timedelta], None] | None = None
    lose_next_reply: Callable[[], None] | None = None


class OutsideCase:
    """One inventory under test. Reservations go by short names here."""

    def __init__(self, bench: OutsideBench) -> None:
        self.bench = bench
        self.inventory = bench.inventory
        self._reserved: dict[str, str] = {}

    def stock(self, units: Units, store: str = SOFIA) -> None:
        for sku, number in units.items():
            self.bench.stock(store, sku, number)

    def id(self, name: str, store: str = SOFIA) -> str:
        """The reservation's id, which nobody used before; which store it is at is settled when it is first named."""
        if name not in self._reserved:
            self._reserved[name] = ids.reservation_id(store, next(_NUMBERS).to_bytes(16))
        return self._reserved[name]

    def until(self, lasts: timedelta = HELD_FOR) -> datetime:
        return self.bench.now() + lasts

    def available(self, sku: str = MILK, store: str = SOFIA) -> int:
        return self.inventory.available([store], [sku]).get((store, sku), 0)

    def reserve(
        self, name: str, units: Units, store: str = SOFIA, *, lasts: timedelta = HELD_FOR, instead_of: str | None = None
    ) -> None:
        old = None if instead_of is None else self.id(instead_of)
        self.inventory.reserve(self.id(name, store), store, units, self.until(lasts), old)

    def extend(self, name: str, lasts: timedelta = HELD_FOR) -> None:
        self.inventory.extend(self.id(name), self.until(lasts))

    def confirm(self, name: str) -> None:
        self.inventory.confirm(self.id(name))

    def consume(self, name: str, units: Units) -> None:
        self.inventory.consume(self.id(name), units, ORDER)

    def release(self, name: str, units: Units | None = None) -> None:
        self.inventory.release(self.id(name), units)

    def firm(self, name: str, units: Units, store: str = SOFIA) -> None:
        """Reserved and confirmed."""
        self.reserve(name, units, store)
        self.confirm(name)

    def pass_time(self, lasts: timedelta = HELD_FOR) -> None:
        if self.bench.pass_time is None:
            pytest.skip("the bench has no lever pass_time")
        self.bench.pass_time(lasts)

    def twice(self, call: Callable[[], None]) -> None:
        """The call, whose first reply is lost, and once more if its caller heard of that."""
        if self.bench.lose_next_reply is None:
            pytest.skip("the bench has no lever lose_next_reply")
        self.bench.lose_next_reply()
        try:
            call()
        except InventoryUnavailable:
            call()


class OutsideInventoryContract(HoldingContract):
    """Subclass it as `Test...` and say in `open` how to open your inventory.

    One that holds both of two reservations that may overlap says `nets = False`; one that can't serve several threads
    says `concurrent = False`.
    """

    nets: ClassVar[bool] = True

    def open(self) -> OutsideBench:
        """An inventory without any stock: another one on every call."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its inventory")

    @pytest.fixture(name="case")
    def _case(self) -> OutsideCase:
        return OutsideCase(self.open())

    @pytest.fixture(name="netting")
    def _netting(self, case: OutsideCase) -> OutsideCase:
        if not self.nets:
            pytest.skip("this inventory holds both (nets = False)")
        return case

    # --- what is available ---

    def test_many_stores_are_asked_at_once(self, case: OutsideCase) -> None:
        case.stock({MILK: 5, BREAD: 1})
        case.stock({MILK: 3}, VARNA)
        found = case.inventory.available([SOFIA, VARNA], [MILK, BREAD])
        assert {level: units for level, units in found.items() if units} == {
            (SOFIA, MILK): 5, (SOFIA, BREAD): 1, (VARNA, MILK): 3,
        }  # fmt: skip

    def test_what_nobody_knows_is_not_available(self, case: OutsideCase) -> None:
        case.stock({MILK: 5})
        assert (case.available(APPLES), case.available(store=VARNA)) == (0, 0)

    # --- reserving ---

    def test_what_is_reserved_again_is_held_once(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        for _ in range(3):
            case.reserve("anna", {MILK: 4})
        assert case.available() == 6

    def test_reserving_again_never_shortens(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4}, lasts=HELD_FOR * 3)
        case.reserve("anna", {MILK: 4})
        case.pass_time(HELD_FOR * 2)
        assert case.available() == 6

    def test_an_id_holds_one_thing(self, case: OutsideCase) -> None:
        case.stock({MILK: 10, BREAD: 10})
        case.stock({MILK: 10}, VARNA)
        case.reserve("anna", {MILK: 4})
        for units, store in (({MILK: 5}, SOFIA), ({MILK: 4, BREAD: 1}, SOFIA), ({MILK: 4}, VARNA)):
            with pytest.raises(InventoryFault) as refused:
                case.reserve("anna", units, store)
            assert not refused.value.retry
        assert (case.available(), case.available(BREAD), case.available(store=VARNA)) == (6, 10, 10)

    # --- time ---

    def test_what_is_not_confirmed_runs_out_by_itself(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.pass_time()
        assert case.available() == 10
        gone(lambda: case.confirm("anna"))
        gone(lambda: case.extend("anna"))

    def test_what_ran_out_is_held_anew_while_it_is_there(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.pass_time()
        case.reserve("anna", {MILK: 4})
        assert case.available() == 6
        case.confirm("anna")

    def test_what_ran_out_may_be_somebody_elses_by_now(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.pass_time()
        case.reserve("boris", {MILK: 7})
        with pytest.raises(OutOfStock):
            case.reserve("anna", {MILK: 4})
        assert case.available() == 3

    def test_nothing_is_reserved_until_an_instant_that_has_passed(self, case: OutsideCase) -> None:
        """A request that was under way for too long holds nothing, and so need not be taken back."""
        case.stock({MILK: 10})
        gone(lambda: case.reserve("anna", {MILK: 4}, lasts=-HELD_FOR))
        assert case.available() == 10

    def test_what_is_extended_is_held_for_longer(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.extend("anna", HELD_FOR * 3)
        case.pass_time(HELD_FOR * 2)
        assert case.available() == 6
        case.pass_time(HELD_FOR)
        assert case.available() == 10

    def test_extending_never_shortens(self, case: OutsideCase) -> None:
        """Calls may arrive in another order than they were sent."""
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4}, lasts=HELD_FOR * 3)
        case.extend("anna")
        case.pass_time(HELD_FOR * 2)
        assert case.available() == 6

    def test_what_is_confirmed_has_no_limit(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        case.confirm("anna")
        case.extend("anna")
        case.reserve("anna", {MILK: 4})
        case.pass_time(HELD_FOR * 100)
        assert case.available() == 6

    # --- following another ---

    def test_the_units_of_what_is_replaced_count_for_the_new_one(self, netting: OutsideCase) -> None:
        """A customer who only moves the time of a basket never loses it to somebody else."""
        case = netting
        case.stock({MILK: 10, BREAD: 3})
        case.reserve("first", {MILK: 10})
        case.reserve("second", {MILK: 9, BREAD: 2}, instead_of="first")
        assert (case.available(MILK), case.available(BREAD)) == (0, 1)
        case.release("first")
        assert (case.available(MILK), case.available(BREAD)) == (1, 1)
        case.confirm("second")

    def test_when_the_new_one_is_released_the_old_one_stands(self, netting: OutsideCase) -> None:
        """Whatever becomes of the new promise, the old one was never given up."""
        case = netting
        case.stock({MILK: 10})
        case.reserve("first", {MILK: 10})
        case.reserve("second", {MILK: 10}, instead_of="first")
        case.release("second")
        assert case.available() == 0
        case.confirm("first")

    def test_a_replacement_that_is_refused_leaves_what_was_there(self, netting: OutsideCase) -> None:
        case = netting
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 6})
        case.reserve("boris", {MILK: 2})
        with pytest.raises(OutOfStock) as refused:
            case.reserve("more", {MILK: 9}, instead_of="anna")
        assert refused.value.facts["short"] == [{"sku": MILK, "wanted": 9, "available": 8}]
        assert case.available() == 2
        case.confirm("anna")

    def test_at_another_store_nothing_overlaps(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.stock({MILK: 5}, VARNA)
        case.reserve("here", {MILK: 6})
        with pytest.raises(OutOfStock):
            case.reserve("more there", {MILK: 6}, VARNA, instead_of="here")
        case.reserve("there", {MILK: 5}, VARNA, instead_of="here")
        assert (case.available(), case.available(store=VARNA)) == (4, 0)

    # --- consuming ---

    def test_what_is_consumed_never_comes_back(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        case.consume("anna", {MILK: 4})
        assert case.available() == 6
        case.release("anna")
        assert case.available() == 6

    def test_it_is_consumed_bit_by_bit_and_counted_in_all(self, case: OutsideCase) -> None:
        case.stock({MILK: 10, BREAD: 2})
        case.firm("anna", {MILK: 4, BREAD: 1})
        for units in ({MILK: 1}, {MILK: 3, BREAD: 1}, {MILK: 4, BREAD: 1}):
            case.consume("anna", units)
            assert (case.available(MILK), case.available(BREAD)) == (6, 1)
        case.release("anna")
        assert (case.available(MILK), case.available(BREAD)) == (6, 1)

    def test_what_was_consumed_is_told_again_without_effect(self, case: OutsideCase) -> None:
        """Also when it comes late, after more was told."""
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        for total in (1, 1, 3, 1, 3):
            case.consume("anna", {MILK: total})
        case.release("anna")
        assert case.available() == 7

    def test_no_more_is_consumed_than_was_reserved(self, case: OutsideCase) -> None:
        case.stock({MILK: 10, BREAD: 2})
        case.firm("anna", {MILK: 4, BREAD: 1})
        for units in ({MILK: 5}, {MILK: 1, BREAD: 2}, {APPLES: 1}):
            gone(partial(case.consume, "anna", units))
        case.release("anna")
        assert (case.available(MILK), case.available(BREAD)) == (10, 2)

    def test_what_ran_out_leaves_the_store_all_the_same(self, case: OutsideCase) -> None:
        """The goods are in the customer's hands."""
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.pass_time()
        case.consume("anna", {MILK: 4})
        assert case.available() == 6

    def test_what_is_consumed_in_part_has_no_limit_any_more(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.consume("anna", {MILK: 1})
        case.pass_time()
        assert case.available() == 6

    # --- giving back ---

    def test_nothing_is_released_twice(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.reserve("boris", {MILK: 4})
        for _ in range(3):
            case.release("anna")
        assert case.available() == 6

    def test_what_is_released_is_gone(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.release("anna")
        for call in _calls(case, "anna", {MILK: 4}):
            gone(call)
        assert case.available() == 10

    def test_what_ran_out_and_was_released_is_gone(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.reserve("anna", {MILK: 4})
        case.pass_time()
        case.release("anna")
        gone(lambda: case.reserve("anna", {MILK: 4}))
        assert case.available() == 10

    def test_some_units_are_released_and_counted_in_all(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        for total in (1, 1, 3, 1, 3):
            case.release("anna", {MILK: total})
        assert case.available() == 9
        case.consume("anna", {MILK: 1})
        case.release("anna")
        assert case.available() == 9

    def test_the_rest_is_what_was_not_consumed(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        case.firm("anna", {MILK: 4})
        case.consume("anna", {MILK: 3})
        case.release("anna")
        assert case.available() == 7
        gone(lambda: case.consume("anna", {MILK: 4}))
        assert case.available() == 7

    def test_no_more_is_released_than_was_reserved(self, case: OutsideCase) -> None:
        case.stock({MILK: 10, BREAD: 2})
        case.firm("anna", {MILK: 4})
        case.firm("boris", {MILK: 4})
        case.consume("anna", {MILK: 2})
        for units in ({MILK: 3}, {MILK: 1, BREAD: 1}):
            gone(partial(case.release, "anna", units))
        assert (case.available(), case.available(BREAD)) == (2, 2)

    # --- what never was ---

    def test_a_reservation_that_was_never_made_is_gone(self, case: OutsideCase) -> None:
        case.stock({MILK: 10})
        for call in _calls(case, "nobody", {MILK: 4})[1:]:
            gone(call)
        assert case.available() == 10

    def test_what_is_released_before_it_is_reserved_can_not_be_reserved(self, case: OutsideCase) -> None:
        """The request to reserve was under way for longer than the one that takes it back."""
        case.stock({MILK: 10})
        case.release("anna")
        gone(lambda: case.reserve("anna", {MILK: 4}))
        assert case.available() == 10

    # --- lost replies ---

    def test_a_call_whose_reply_was_lost_has_one_effect(self, case: OutsideCase) -> None:
        case.stock({MILK: 20})
        case.twice(lambda: case.reserve("anna", {MILK: 6}))
        assert case.available() == 14
        case.twice(lambda: case.extend("anna", HELD_FOR * 2))
        case.twice(lambda: case.confirm("anna"))
        case.twice(lambda: case.consume("anna", {MILK: 2}))
        assert case.available() == 14
        case.twice(lambda: case.release("anna", {MILK: 1}))
        assert case.available() == 15
        case.twice(lambda: case.consume("anna", {MILK: 3}))
        case.twice(lambda: case.release("anna"))
        assert case.available() == 17

    def test_a_refusal_that_was_lost_is_given_again(self, case: OutsideCase) -> None:
        case.stock({MILK: 1})
        with pytest.raises(OutOfStock):
            case.twice(lambda: case.reserve("anna", {MILK: 2}))
        assert case.available() == 1

    # --- many at once ---

    def test_the_same_call_from_many_threads_has_one_effect(self, shared: OutsideCase) -> None:
        """Two workers tell the same at the same time."""
        shared.stock({MILK: 20})
        shared.reserve("anna", {MILK: 6})
        shared.id("boris")
        calls: Sequence[Callable[[], None]] = (
            partial(shared.reserve, "boris", {MILK: 2}),
            partial(shared.confirm, "anna"),
            partial(shared.consume, "anna", {MILK: 3}),
            partial(shared.release, "anna", {MILK: 1}),
        )
        for call in calls:
            assert together(*[call] * 8) == [None] * 8
        assert shared.available() == 13
        shared.release("anna")
        assert shared.available() == 15

    def test_confirming_and_releasing_at_once_ends_it(self, shared: OutsideCase) -> None:
        shared.stock({MILK: 10})
        shared.reserve("anna", {MILK: 4})
        confirmed, released = together(partial(shared.confirm, "anna"), partial(shared.release, "anna"))
        assert released is None
        assert confirmed is None or isinstance(confirmed, ReservationGone)
        assert shared.available() == 10


def _calls(case: OutsideCase, name: str, units: Units) -> list[Callable[[], None]]:
    """Everything that can be asked of a reservation, but to be rid of it; to make it comes first."""
    return [
        partial(case.reserve, name, units),
        partial(case.extend, name),
        partial(case.confirm, name),
        partial(case.consume, name, {MILK: 1}),
        partial(case.release, name, {MILK: 1}),
    ]
