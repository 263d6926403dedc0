"""Stock, movements and slots: nothing is promised twice, and who is refused learns everything that is short."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from attrs import evolve

from omniorder.domain.ids import slot_id
from omniorder.domain.stock import Level, Movement, MovementKind
from omniorder.errors import AlreadyThere, OmniorderError, OutOfStock, SlotUnavailable
from omniorder.ports.storage import Storage
from omniorder.ports.writes import NOTHING_BOOKED, SlotChange, SlotUse, StockChange, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import (
    StorageBench,
    paged,
    put,
    read,
    refuses,
    repeated,
    together,
)
from omniorder.testing.samples import APPLES, BREAD, MILK, SOFIA, VARNA


def receive(storage: Storage, units: Mapping[str, int], *, store: str = SOFIA, safety: int | None = None) -> None:
    """Put units on the shelf."""
    put(storage, stock=tuple(StockChange(store, sku, on_hand=n, safety=safety) for sku, n in units.items()))


def held(units: Mapping[str, int], *, store: str = SOFIA) -> tuple[StockChange, ...]:
    """The changes of a promise of these units."""
    return tuple(StockChange(store, sku, reserved=n, promise=True) for sku, n in units.items())


def level(storage: Storage, sku: str = MILK, store: str = SOFIA) -> tuple[int, int, int]:
    """On hand, reserved and safety of a level; zeros where there is none."""
    found = read(storage, lambda tx: tx.levels([sku], [store]))
    return (found[0].on_hand, found[0].reserved, found[0].safety) if found else (0, 0, 0)


def short(facts: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """What an `OutOfStock` says is short: SKU, wanted, available; by SKU."""
    listed: list[dict[str, Any]] = facts["short"]
    return sorted((one["sku"], one["wanted"], one["available"]) for one in listed)


def _promise(storage: Storage, units: Mapping[str, int]) -> None:
    repeated(storage, lambda tx: tx.write(Writes(stock=held(units))))


class StockContract(StorageBench):
    """What a storage promises about stock."""

    def test_receiving_makes_a_level_and_adds_to_it(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        receive(storage, {MILK: 2})
        assert read(storage, lambda tx: tx.levels([MILK])) == (Level(SOFIA, MILK, 7),)

    def test_levels_come_by_store_and_sku_and_only_those_that_exist(self, storage: Storage) -> None:
        for store in (VARNA, SOFIA):
            receive(storage, {MILK: 1, BREAD: 2, APPLES: 3}, store=store)
        with storage.reading() as tx:
            found = tx.levels([APPLES, MILK, "NO-SUCH", BREAD])
            assert [(one.store, one.sku) for one in found] == [
                (store, sku) for store in (SOFIA, VARNA) for sku in (BREAD, MILK, APPLES)
            ]
            assert [(one.store, one.sku) for one in tx.levels([MILK], [VARNA, "NONE1"])] == [(VARNA, MILK)]
            assert tx.levels([]) == ()
            assert tx.levels([MILK], []) == ()

    def test_what_may_be_promised_is_told_for_many_levels_as_for_each(self, storage: Storage) -> None:
        receive(storage, {MILK: 9, BREAD: 4}, safety=2)
        receive(storage, {MILK: 3}, store=VARNA)
        put(storage, stock=held({MILK: 5, BREAD: 1}))
        put(storage, stock=(StockChange(SOFIA, BREAD, on_hand=-3),))
        skus = [APPLES, MILK, "NO-SUCH", BREAD]
        with storage.reading() as tx:
            each = {(one.store, one.sku): one.available for one in tx.levels(skus)}
            assert tx.available(skus) == each == {(SOFIA, MILK): 2, (SOFIA, BREAD): 0, (VARNA, MILK): 3}
            assert tx.available([MILK], [VARNA, "NONE1"]) == {(VARNA, MILK): 3}
            assert tx.available([MILK], [SOFIA]) == {(SOFIA, MILK): 2}
            assert tx.available([]) == tx.available([MILK], []) == {}

    def test_what_is_there_may_be_promised_and_no_unit_more(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, stock=held({MILK: 5}))
        assert level(storage) == (5, 5, 0)
        facts = refuses(storage, OutOfStock, stock=held({MILK: 1}))
        assert (facts["store"], short(facts)) == (SOFIA, [(MILK, 1, 0)])
        assert level(storage) == (5, 5, 0)

    def test_safety_stock_is_not_promised(self, storage: Storage) -> None:
        receive(storage, {MILK: 5}, safety=2)
        assert short(refuses(storage, OutOfStock, stock=held({MILK: 4}))) == [(MILK, 4, 3)]
        put(storage, stock=held({MILK: 3}))
        assert level(storage) == (5, 3, 2)

    def test_what_was_never_received_can_not_be_promised(self, storage: Storage) -> None:
        assert short(refuses(storage, OutOfStock, stock=held({MILK: 1}))) == [(MILK, 1, 0)]
        assert read(storage, lambda tx: tx.levels([MILK])) == ()

    def test_stock_of_another_store_does_not_help(self, storage: Storage) -> None:
        receive(storage, {MILK: 5}, store=VARNA)
        refuses(storage, OutOfStock, stock=held({MILK: 1}))
        assert level(storage, store=VARNA) == (5, 0, 0)

    def test_changes_of_one_level_are_summed_first(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        twice = (*held({MILK: 3}), *held({MILK: 3}))
        assert short(refuses(storage, OutOfStock, stock=twice)) == [(MILK, 6, 5)]
        put(storage, stock=(*held({MILK: 2}), *held({MILK: 3})))
        assert level(storage) == (5, 5, 0)

    def test_a_changed_promise_needs_only_the_difference(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, stock=held({MILK: 4}))
        put(storage, stock=(*held({MILK: 5}), StockChange(SOFIA, MILK, reserved=-4)))
        assert level(storage) == (5, 5, 0)

    def test_one_short_sku_refuses_all_of_them(self, storage: Storage) -> None:
        receive(storage, {APPLES: 900, BREAD: 1, MILK: 5})
        refuses(storage, OutOfStock, stock=held({APPLES: 500, BREAD: 2, MILK: 5}))
        assert [level(storage, sku)[1] for sku in (APPLES, BREAD, MILK)] == [0, 0, 0]

    def test_a_refusal_names_every_sku_that_is_short(self, storage: Storage) -> None:
        receive(storage, {BREAD: 2, MILK: 5})
        facts = refuses(storage, OutOfStock, stock=held({MILK: 7, BREAD: 2, APPLES: 100}))
        assert short(facts) == [(MILK, 7, 5), (APPLES, 100, 0)]

    def test_giving_back_is_always_possible(self, storage: Storage) -> None:
        """Also when a count has found less than is reserved, and the safety stock is gone."""
        receive(storage, {MILK: 5}, safety=1)
        put(storage, stock=held({MILK: 4}))
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-3),))
        put(storage, stock=(StockChange(SOFIA, MILK, reserved=-1),))
        put(storage, stock=(StockChange(SOFIA, MILK, reserved=-1, promise=True),))
        assert level(storage) == (2, 2, 1)

    def test_a_count_below_what_is_promised_is_recorded_as_a_shortage(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, stock=held({MILK: 5}))
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-2),))
        (found,) = read(storage, lambda tx: tx.levels([MILK]))
        assert (found.on_hand, found.reserved, found.shortage) == (3, 5, 2)

    def test_units_are_collected_from_shelf_and_reservation_at_once(self, storage: Storage) -> None:
        receive(storage, {MILK: 5}, safety=3)
        put(storage, stock=held({MILK: 2}))
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-2, reserved=-2),))
        assert level(storage) == (3, 0, 3)

    def test_reserved_never_falls_below_zero(self, storage: Storage) -> None:
        receive(storage, {MILK: 5, BREAD: 5})
        put(storage, stock=held({MILK: 1}))
        changes = (StockChange(SOFIA, BREAD, on_hand=1), StockChange(SOFIA, MILK, reserved=-2))
        assert [sku for sku, _, _ in short(refuses(storage, OutOfStock, stock=changes))] == [MILK]
        assert (level(storage), level(storage, BREAD)) == ((5, 1, 0), (5, 0, 0))

    def test_on_hand_never_falls_below_zero(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        changes = (StockChange(SOFIA, MILK, on_hand=-6),)
        assert [sku for sku, _, _ in short(refuses(storage, OutOfStock, stock=changes))] == [MILK]
        refuses(storage, OutOfStock, stock=(StockChange(SOFIA, BREAD, on_hand=-1),))
        assert (level(storage), level(storage, BREAD)) == ((5, 0, 0), (0, 0, 0))

    def test_safety_is_replaced_when_it_is_given_and_kept_when_not(self, storage: Storage) -> None:
        receive(storage, {MILK: 5}, safety=2)
        receive(storage, {MILK: 1})
        assert level(storage) == (6, 0, 2)
        put(storage, stock=(StockChange(SOFIA, MILK, safety=4),))
        assert level(storage) == (6, 0, 4)
        put(storage, stock=(StockChange(SOFIA, MILK, safety=0),))
        assert level(storage) == (6, 0, 0)

    def test_safety_can_be_set_before_the_first_delivery(self, storage: Storage) -> None:
        put(storage, stock=(StockChange(SOFIA, MILK, safety=2),))
        receive(storage, {MILK: 5})
        assert level(storage) == (5, 0, 2)

    def test_of_two_customers_one_gets_the_last_unit(self, shared: Storage) -> None:
        receive(shared, {MILK: 1})
        results = together(*[lambda: _promise(shared, {MILK: 1})] * 2)
        assert sorted(type(result).__name__ for result in results) == ["NoneType", "OutOfStock"]
        assert level(shared) == (1, 1, 0)

    def test_many_customers_never_get_more_than_there_is(self, shared: Storage) -> None:
        """They want the same SKUs in different orders, so that locks taken as they come would block each other."""
        receive(shared, {APPLES: 10, BREAD: 10, MILK: 10})
        wishes = ({APPLES: 1, BREAD: 1}, {MILK: 1, BREAD: 1}, {BREAD: 1, APPLES: 1}, {MILK: 1, APPLES: 1})

        def shopper(wish: Mapping[str, int]) -> int:
            granted = 0
            for _ in range(6):
                try:
                    _promise(shared, wish)
                except OutOfStock:
                    continue
                granted += 1
            return granted

        results = together(*(partial(shopper, wish) for wish in wishes))
        granted = [result for result in results if isinstance(result, int)]
        assert len(granted) == len(wishes), results
        for sku in (APPLES, BREAD, MILK):
            wanted = sum(count for wish, count in zip(wishes, granted, strict=True) if sku in wish)
            assert level(shared, sku) == (10, wanted, 0)
            assert wanted <= 10


def _moved(storage: Storage, movement: Movement) -> Movement:
    change = StockChange(movement.store, movement.sku, on_hand=movement.quantity)
    put(storage, stock=(change,), movements=(movement,))
    return movement


class MovementContract(StorageBench):
    """What a storage promises about the ledger of movements."""

    def test_movements_come_back_as_they_were_written_oldest_first(self, storage: Storage) -> None:
        dented = evolve(samples.movement(2), kind=MovementKind.QUARANTINE, quantity=-2, quarantined=2)
        first, second = _moved(storage, samples.movement(1, quantity=3)), _moved(storage, dented)
        assert read(storage, lambda tx: tx.movements(SOFIA, MILK, after=None, limit=10)) == (first, second)

    def test_movements_of_other_levels_are_left_out(self, storage: Storage) -> None:
        _moved(storage, samples.movement(1, sku=BREAD))
        _moved(storage, samples.movement(2, store=VARNA))
        assert read(storage, lambda tx: tx.movements(SOFIA, MILK, after=None, limit=10)) == ()

    def test_a_movement_is_inserted_once(self, storage: Storage) -> None:
        first = _moved(storage, samples.movement(1))
        refuses(storage, AlreadyThere, stock=(StockChange(SOFIA, MILK, on_hand=1),), movements=(samples.movement(1),))
        assert level(storage) == (first.quantity, 0, 0)

    def test_paging_through_movements_loses_and_repeats_none(self, storage: Storage) -> None:
        moved = tuple(_moved(storage, samples.movement(number)) for number in range(1, 8))

        def page(last: Movement | None) -> tuple[Movement, ...]:
            after = last.id if last else None
            found = read(storage, lambda tx: tx.movements(SOFIA, MILK, after=after, limit=3))
            assert len(found) <= 3
            return found

        assert tuple(paged(page)) == moved


def _slot(
    places: int = 1, *, day: int = 1, store: str = SOFIA, capacity: int = 5, lines: int = 0,
    line_capacity: int | None = None,
) -> SlotChange:  # fmt: skip
    starts = samples.slot_starts(day)
    return SlotChange(store, slot_id(store, starts), starts, places, capacity, lines, line_capacity)


def _used(storage: Storage) -> SlotUse:
    start = samples.slot_starts(1)
    found = read(storage, lambda tx: tx.booked([SOFIA], start, start + samples.MINUTE))
    return found.get(_slot().slot, NOTHING_BOOKED)


def _booked(storage: Storage) -> int:
    return _used(storage).orders


class SlotContract(StorageBench):
    """What a storage promises about places in slots."""

    def test_places_are_taken_until_the_slot_is_full(self, storage: Storage) -> None:
        put(storage, slots=(_slot(capacity=2),))
        put(storage, slots=(_slot(capacity=2),))
        facts = refuses(storage, SlotUnavailable, slots=(_slot(capacity=2),))
        assert facts == {"slot": _slot().slot, "reason": "full", "of": "orders", "wanted": 1, "free": 0}
        assert _booked(storage) == 2

    def test_a_slot_without_capacity_takes_nobody(self, storage: Storage) -> None:
        refuses(storage, SlotUnavailable, slots=(_slot(capacity=0),))
        assert _booked(storage) == 0

    def test_a_place_given_back_can_be_taken_again(self, storage: Storage) -> None:
        put(storage, slots=(_slot(capacity=1),))
        put(storage, slots=(_slot(-1, capacity=1),))
        assert _booked(storage) == 0
        put(storage, slots=(_slot(capacity=1),))
        assert _booked(storage) == 1

    def test_a_place_can_be_exchanged_in_a_full_slot(self, storage: Storage) -> None:
        """Whichever comes first: all changes of one slot count as one."""
        put(storage, slots=(_slot(capacity=1),))
        put(storage, slots=(_slot(-1, capacity=1), _slot(capacity=1)))
        put(storage, slots=(_slot(capacity=1), _slot(-1, capacity=1)))
        assert _booked(storage) == 1

    def test_places_taken_in_one_command_are_summed_first(self, storage: Storage) -> None:
        refuses(storage, SlotUnavailable, slots=(_slot(capacity=1), _slot(capacity=1)))
        assert _booked(storage) == 0

    def test_a_place_is_given_back_also_when_the_capacity_was_lowered(self, storage: Storage) -> None:
        for _ in range(3):
            put(storage, slots=(_slot(capacity=3),))
        put(storage, slots=(_slot(-1, capacity=1),))
        assert _booked(storage) == 2
        refuses(storage, SlotUnavailable, slots=(_slot(capacity=1),))

    def test_booked_is_never_negative(self, storage: Storage) -> None:
        with suppress(OmniorderError):  # refusing is as good as stopping at zero
            put(storage, slots=(_slot(-1),))
        assert _booked(storage) == 0
        put(storage, slots=(_slot(capacity=1),))
        assert _booked(storage) == 1

    def test_booked_are_the_slots_of_these_stores_that_start_from_start_to_before_end(self, storage: Storage) -> None:
        days = {day: _slot(day=day) for day in (1, 2, 3)}
        put(storage, slots=(*days.values(), days[2], _slot(day=2, store=VARNA)))
        start, end = samples.slot_starts(2), samples.slot_starts(3)
        with storage.reading() as tx:
            assert dict(tx.booked([SOFIA], start, end)) == {days[2].slot: SlotUse(2)}
            both = {days[2].slot: SlotUse(2), slot_id(VARNA, start): SlotUse(1)}
            assert dict(tx.booked([SOFIA, VARNA], start, end)) == both
            assert dict(tx.booked([], start, end)) == {}

    def test_lines_are_taken_until_the_slot_holds_no_more_of_them(self, storage: Storage) -> None:
        put(storage, slots=(_slot(lines=3, line_capacity=7),))
        put(storage, slots=(_slot(lines=4, line_capacity=7),))
        assert _used(storage) == SlotUse(2, 7)
        facts = refuses(storage, SlotUnavailable, slots=(_slot(lines=1, line_capacity=7),))
        assert facts == {"slot": _slot().slot, "reason": "full", "of": "lines", "wanted": 1, "free": 0}
        assert _used(storage) == SlotUse(2, 7)

    def test_more_lines_than_a_slot_ever_holds_are_refused(self, storage: Storage) -> None:
        facts = refuses(storage, SlotUnavailable, slots=(_slot(lines=8, line_capacity=7),))
        assert facts == {"slot": _slot().slot, "reason": "full", "of": "lines", "wanted": 8, "free": 7}
        assert _used(storage) == NOTHING_BOOKED

    def test_lines_are_counted_also_where_they_are_not_limited(self, storage: Storage) -> None:
        put(storage, slots=(_slot(lines=10_000),))
        assert _used(storage) == SlotUse(1, 10_000)

    def test_a_slot_full_of_orders_has_no_room_for_lines(self, storage: Storage) -> None:
        """Where both are short, it is the orders that are told."""
        put(storage, slots=(_slot(capacity=1, lines=2, line_capacity=2),))
        facts = refuses(storage, SlotUnavailable, slots=(_slot(capacity=1, lines=1, line_capacity=2),))
        assert (facts["of"], facts["wanted"], facts["free"]) == ("orders", 1, 0)

    def test_lines_are_given_back_with_their_place(self, storage: Storage) -> None:
        put(storage, slots=(_slot(lines=5, line_capacity=5),))
        put(storage, slots=(_slot(-1, lines=-5),))
        assert _used(storage) == NOTHING_BOOKED
        put(storage, slots=(_slot(lines=5, line_capacity=5),))
        assert _used(storage) == SlotUse(1, 5)

    def test_a_larger_basket_in_the_same_place_takes_the_difference(self, storage: Storage) -> None:
        """Also when the slot is full of orders, and never more lines than there is room for."""
        put(storage, slots=(_slot(capacity=1, lines=3, line_capacity=5),))
        swap = (_slot(-1, capacity=1, lines=-3), _slot(capacity=1, lines=5, line_capacity=5))
        put(storage, slots=swap)
        assert _used(storage) == SlotUse(1, 5)
        larger = (_slot(-1, capacity=0, lines=-5), _slot(capacity=0, lines=6, line_capacity=5))
        facts = refuses(storage, SlotUnavailable, slots=larger)
        assert (facts["of"], facts["wanted"], facts["free"]) == ("lines", 1, 0)
        assert _used(storage) == SlotUse(1, 5)

    def test_a_smaller_basket_in_the_same_place_gives_the_difference_back(self, storage: Storage) -> None:
        """Also when both capacities were lowered below what is taken."""
        put(storage, slots=(_slot(lines=5),))
        put(storage, slots=(_slot(-1, lines=-5), _slot(capacity=0, lines=2, line_capacity=0)))
        assert _used(storage) == SlotUse(1, 2)

    def test_booked_lines_are_never_negative(self, storage: Storage) -> None:
        put(storage, slots=(_slot(lines=1),))
        with suppress(OmniorderError):
            put(storage, slots=(_slot(-1, lines=-2),))
        assert _used(storage).lines in (0, 1)
        put(storage, slots=(_slot(lines=3, line_capacity=4),))

    def test_a_full_slot_refuses_the_stock_too(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        refuses(storage, SlotUnavailable, stock=held({MILK: 1}), slots=(_slot(capacity=0),))
        assert level(storage) == (5, 0, 0)

    def test_of_several_customers_one_gets_the_last_place(self, shared: Storage) -> None:
        taken = Writes(slots=(_slot(capacity=1),))
        results = together(*[lambda: repeated(shared, lambda tx: tx.write(taken))] * 4)
        assert sorted(type(result).__name__ for result in results) == ["NoneType", *["SlotUnavailable"] * 3]
        assert _booked(shared) == 1

    def test_of_several_customers_one_gets_the_last_lines(self, shared: Storage) -> None:
        put(shared, slots=(_slot(lines=6, line_capacity=10),))
        taken = Writes(slots=(_slot(lines=4, line_capacity=10),))
        results = together(*[lambda: repeated(shared, lambda tx: tx.write(taken))] * 4)
        assert sorted(type(result).__name__ for result in results) == ["NoneType", *["SlotUnavailable"] * 3]
        assert _used(shared) == SlotUse(2, 10)
