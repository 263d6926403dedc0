"""The contract of a retailer's own stock system notices what is broken: one with a mistake fails what it breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import pytest
from hypothesis import Phase, settings

from omniorder.errors import InventoryFault, OmniorderError, OutOfStock, ReservationGone
from omniorder.testing import FakeClock, FakeInventory
from omniorder.testing.contracts.inventory import OutsideBench, OutsideInventoryContract, OutsideInventoryMachine
from omniorder.testing.contracts.inventory.outside import OutsideCase
from omniorder.testing.samples import SOFIA

Units = Mapping[str, int]
Kind = TypeVar("Kind", bound=type[FakeInventory])

BROKEN: Final[list[tuple[type[FakeInventory], tuple[str, ...]]]] = []


def breaks(*promises: str) -> Callable[[Kind], Kind]:
    """List the decorated inventory as one that breaks these promises (tests of the contract without `test_`)."""

    def listed(kind: Kind) -> Kind:
        BROKEN.append((kind, promises))
        return kind

    return listed


def benched(kind: type[FakeInventory]) -> OutsideBench:
    """An inventory of this kind. Its shelves are filled without a mistake."""
    clock = FakeClock()
    fake = kind(clock=clock)

    def pass_time(lasts: timedelta) -> None:
        clock.advance(seconds=lasts.total_seconds())

    def stock(store: str, sku: str, units: int) -> None:
        FakeInventory.stock(fake, store, sku, units)

    return OutsideBench(fake, stock, clock.now, pass_time, fake.lose_next_reply)


# --- what is available ------------------------------------------------------------------------------------


@breaks("what_is_reserved_is_available_to_nobody_else", "what_is_confirmed_has_no_limit")
class CountsTheShelfOnly(FakeInventory):
    def available(self, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int]:
        return {(store, sku): self.on_hand(store, sku) for store in stores for sku in skus}


@breaks("many_stores_are_asked_at_once")
class KnowsOneStore(FakeInventory):
    def available(self, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int]:
        return super().available([store for store in stores if store == SOFIA], skus)


@breaks("what_nobody_knows_is_not_available")
class MakesUpLevels(FakeInventory):
    def available(self, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int]:
        return {level: units or 1 for level, units in super().available(stores, skus).items()}


@breaks("what_is_on_the_shelf_is_available")
class KnowsATrolleyful(FakeInventory):
    def available(self, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int]:
        return {level: min(units, 6) for level, units in super().available(stores, skus).items()}


# --- reserving --------------------------------------------------------------------------------------------


class Reserves(FakeInventory):
    """The root of those that reserve otherwise."""

    def reserve(
        self, reservation: str, store: str, units: Units, until: datetime, instead_of: str | None = None
    ) -> None:
        self.wrongly(reservation, store, dict(units), until, instead_of)

    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        raise NotImplementedError

    def rightly(
        self, reservation: str, store: str, units: Units, until: datetime, instead_of: str | None = None
    ) -> None:
        FakeInventory.reserve(self, reservation, store, units, until, instead_of)


@breaks(
    "all_that_is_there_may_be_reserved_and_no_unit_more", "everything_is_reserved_or_nothing",
    "a_refusal_names_every_article_that_is_short", "a_store_does_not_promise_the_stock_of_another",
    "what_ran_out_may_be_somebody_elses_by_now", "a_replacement_that_is_refused_leaves_what_was_there",
    "at_another_store_nothing_overlaps", "the_last_unit_is_promised_once", "a_refusal_that_was_lost_is_given_again",
)  # fmt: skip
class HasNoGuard(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        before = dict(self._on_hand)
        for sku in units:
            self._on_hand[store, sku] = 10**6
        try:
            self.rightly(reservation, store, units, until, instead_of)
        finally:
            self._on_hand = before


@breaks("the_last_unit_is_promised_once", "baskets_that_overlap_in_any_order_are_all_answered")
class LooksThenTakes(HasNoGuard):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        found = self.available([store], sorted(units))
        short = [sku for sku in units if found[store, sku] < units[sku]]
        if short:
            raise OutOfStock(store=store, short=[{"sku": sku, "wanted": units[sku], "available": 0} for sku in short])
        time.sleep(0.05)
        super().wrongly(reservation, store, units, until, instead_of)


@breaks("a_refusal_names_every_article_that_is_short", "everything_is_reserved_or_nothing")
class GivesWhatThereIs(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        there = {sku: min(number, self._free(store, sku, reservation)) for sku, number in units.items()}
        self.rightly(reservation, store, {sku: n for sku, n in there.items() if n} or units, until, instead_of)


@breaks("what_is_reserved_again_is_held_once", "a_call_whose_reply_was_lost_has_one_effect",
        "the_same_call_from_many_threads_has_one_effect")  # fmt: skip
class ReservesAgain(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        with self._lock:
            name = f"{reservation} once more" if reservation in self._file else reservation
        self.rightly(name, store, units, until, instead_of)


@breaks("an_id_holds_one_thing")
class KeepsTheFirst(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        with suppress(InventoryFault):
            self.rightly(reservation, store, units, until, instead_of)


@breaks("nothing_is_reserved_until_an_instant_that_has_passed")
class TakesWhatIsLate(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        late = self._now() + timedelta(minutes=1) if until <= self._now() else until
        self.rightly(reservation, store, units, late, instead_of)


@breaks("what_ran_out_is_held_anew_while_it_is_there", "what_ran_out_may_be_somebody_elses_by_now")
class NeverHoldsAnew(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        known = self._file.get(reservation)
        if known is not None and not known.stands(self._now()):
            raise ReservationGone(reservation=reservation, state="expired")
        self.rightly(reservation, store, units, until, instead_of)


# --- time -------------------------------------------------------------------------------------------------


@breaks("what_is_not_confirmed_runs_out_by_itself", "what_is_extended_is_held_for_longer")
class NeverLetsGo(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        self.rightly(reservation, store, units, until + timedelta(days=1000), instead_of)


@breaks("what_is_extended_is_held_for_longer")
class NeverExtends(FakeInventory):
    def extend(self, reservation: str, until: datetime) -> None:
        super().extend(reservation, self._now())


@breaks("reserving_again_never_shortens", "extending_never_shortens")
class SetsTheLimit(FakeInventory):
    def _at_least(self, known: Any, until: datetime) -> None:
        known.until = None if known.until is None else until


@breaks("what_is_confirmed_has_no_limit")
class ConfirmsForAWhile(FakeInventory):
    def confirm(self, reservation: str) -> None:
        super().extend(reservation, self._now() + timedelta(hours=5))


# --- following another ------------------------------------------------------------------------------------


@breaks("the_units_of_what_is_replaced_count_for_the_new_one", "when_the_new_one_is_released_the_old_one_stands",
        "a_replacement_that_is_refused_leaves_what_was_there")  # fmt: skip
class HoldsBoth(FakeInventory):
    def _party(self, reservation: str, store: str, instead_of: str | None) -> str:
        return reservation


@breaks("when_the_new_one_is_released_the_old_one_stands", "a_replacement_that_is_refused_leaves_what_was_there")
class ReleasesTheOldOne(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        if instead_of is not None:
            self.release(instead_of)
        self.rightly(reservation, store, units, until)


@breaks("at_another_store_nothing_overlaps")
class ReleasesItElsewhereToo(Reserves):
    def wrongly(
        self, reservation: str, store: str, units: dict[str, int], until: datetime, instead_of: str | None
    ) -> None:
        old = self._file.get(instead_of or "")
        if old is not None and old.store != store:
            old.over = True
        self.rightly(reservation, store, units, until, instead_of)


# --- consuming --------------------------------------------------------------------------------------------


@breaks("it_is_consumed_bit_by_bit_and_counted_in_all", "what_was_consumed_is_told_again_without_effect",
        "a_call_whose_reply_was_lost_has_one_effect", "the_same_call_from_many_threads_has_one_effect")  # fmt: skip
class AddsUp(FakeInventory):
    def consume(self, reservation: str, units: Units, reference: str) -> None:
        with self._lock:
            known = self._file.get(reservation)
            so_far = known.consumed if known else {}
            super().consume(reservation, {sku: so_far.get(sku, 0) + units[sku] for sku in units}, reference)


@breaks("what_is_consumed_never_comes_back", "the_rest_is_what_was_not_consumed")
class LeavesItOnTheShelf(FakeInventory):
    def consume(self, reservation: str, units: Units, reference: str) -> None:
        before = dict(self._on_hand)
        super().consume(reservation, units, reference)
        self._on_hand = before


@breaks("no_more_is_consumed_than_was_reserved", "no_more_is_released_than_was_reserved")
class GrowsWhatItCan(FakeInventory):
    def _growing(self, reservation: str, known: Any, before: Units, units: Units) -> dict[str, int]:
        return {sku: min(units[sku] - before.get(sku, 0), known.rest(sku)) for sku in units
                if units[sku] > before.get(sku, 0)}  # fmt: skip


@breaks("what_ran_out_leaves_the_store_all_the_same")
class KeepsTheGoodsIn(FakeInventory):
    def consume(self, reservation: str, units: Units, reference: str) -> None:
        self._standing(reservation)
        super().consume(reservation, units, reference)


@breaks("what_is_consumed_in_part_has_no_limit_any_more")
class KeepsTheLimit(FakeInventory):
    def consume(self, reservation: str, units: Units, reference: str) -> None:
        known = self._file.get(reservation)
        until = known.until if known else None
        super().consume(reservation, units, reference)
        if known is not None:
            known.until = until


# --- giving back ------------------------------------------------------------------------------------------


@breaks("what_is_released_is_available_again", "what_is_consumed_never_comes_back",
        "confirming_and_releasing_at_once_ends_it")  # fmt: skip
class PutsItOnTheShelf(FakeInventory):
    """With what was never taken off it, and what was."""

    def release(self, reservation: str, units: Units | None = None) -> None:
        known = self._file.get(reservation)
        if units is None and known is not None and not known.over:
            for sku, number in known.units.items():
                FakeInventory.stock(self, known.store, sku, number)
        super().release(reservation, units)


@breaks("nothing_is_released_twice", "a_call_whose_reply_was_lost_has_one_effect",
        "what_is_released_before_it_is_reserved_can_not_be_reserved")  # fmt: skip
class SaysThatItIsGone(FakeInventory):
    def release(self, reservation: str, units: Units | None = None) -> None:
        self._standing(reservation)
        super().release(reservation, units)


@breaks("what_is_released_is_gone", "what_ran_out_and_was_released_is_gone",
        "what_is_released_before_it_is_reserved_can_not_be_reserved")  # fmt: skip
class ForgetsWhatIsOver(FakeInventory):
    def release(self, reservation: str, units: Units | None = None) -> None:
        super().release(reservation, units)
        if units is None:
            del self._file[reservation]


@breaks("some_units_are_released_and_counted_in_all", "a_call_whose_reply_was_lost_has_one_effect",
        "the_same_call_from_many_threads_has_one_effect")  # fmt: skip
class GivesBackMoreAndMore(FakeInventory):
    def release(self, reservation: str, units: Units | None = None) -> None:
        with self._lock:
            known = self._file.get(reservation)
            so_far = known.released if known else {}
            more = None if units is None else {sku: so_far.get(sku, 0) + units[sku] for sku in units}
            super().release(reservation, more)


# --- what never was, and many at once ---------------------------------------------------------------------


@breaks("a_reservation_that_was_never_made_is_gone", "what_is_released_is_gone",
        "what_is_not_confirmed_runs_out_by_itself")  # fmt: skip
class NeverSaysThatItIsGone(FakeInventory):
    def confirm(self, reservation: str) -> None:
        with suppress(ReservationGone):
            super().confirm(reservation)


@breaks("confirming_and_releasing_at_once_ends_it")
class TakesItsTimeToRelease(FakeInventory):
    """And says that it failed, if somebody confirmed meanwhile."""

    def release(self, reservation: str, units: Units | None = None) -> None:
        time.sleep(0.05)
        known = self._file.get(reservation)
        if known is not None and known.until is None:
            raise ReservationGone(reservation=reservation, state="firm")
        super().release(reservation, units)


@breaks("the_same_call_from_many_threads_has_one_effect")
class HasNoLock(FakeInventory):
    def consume(self, reservation: str, units: Units, reference: str) -> None:
        known = self._known(reservation)
        more = self._growing(reservation, known, known.consumed, units)
        time.sleep(0.05)
        for sku, gone in more.items():
            self._on_hand[known.store, sku] -= gone
            known.consumed[sku] = units[sku]


# --- the contract notices ---------------------------------------------------------------------------------


class Contract(OutsideInventoryContract):
    """The contract of one kind of inventory; pytest itself does not collect it."""

    def __init__(self, kind: type[FakeInventory]) -> None:
        self.kind = kind

    def open(self) -> OutsideBench:
        return benched(self.kind)


PROMISES = sorted(name.removeprefix("test_") for name in dir(OutsideInventoryContract) if name.startswith("test_"))


def keeps(kind: type[FakeInventory], promise: str) -> bool:
    """Whether an inventory of this kind passes the test of the promise."""
    contract = Contract(kind)
    try:
        getattr(contract, f"test_{promise}")(OutsideCase(contract.open()))
    except (Exception, pytest.fail.Exception):
        return False
    return True


@pytest.mark.parametrize(("kind", "promises"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_mistake_is_noticed_by_every_promise_that_it_breaks(
    kind: type[FakeInventory], promises: tuple[str, ...]
) -> None:
    assert [promise for promise in promises if keeps(kind, promise)] == []


def test_every_promise_is_broken_by_some_mistake() -> None:
    assert sorted({promise for _, promises in BROKEN for promise in promises}) == PROMISES


@pytest.mark.parametrize("promise", PROMISES)
def test_an_inventory_without_mistakes_keeps_every_promise(promise: str) -> None:
    """So that a failure above is the mistake's, not one of calling a test without pytest."""
    assert keeps(FakeInventory, promise)


@pytest.mark.parametrize(
    "kind",
    [HasNoGuard, NeverHoldsAnew, NeverLetsGo, AddsUp, LeavesItOnTheShelf, GivesBackMoreAndMore,
     ForgetsWhatIsOver],
)  # fmt: skip
def test_the_machine_finds_a_mistake_by_itself(kind: type[FakeInventory]) -> None:
    class Machine(OutsideInventoryMachine):
        def open(self) -> OutsideBench:
            return benched(kind)

    # found, not explained: shrinking it would take longer than finding it
    Machine.TestCase.settings = settings(
        max_examples=1000, phases=[Phase.generate], database=None, derandomize=True, report_multiple_bugs=False
    )
    with pytest.raises((AssertionError, OmniorderError, pytest.fail.Exception)):
        Machine.TestCase().runTest()
