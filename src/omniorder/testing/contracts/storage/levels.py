"""The other numbers of a level: what is quarantined, what a count was decided on, and what is short."""

from __future__ import annotations

from itertools import pairwise

from omniorder.domain.stock import Endangered, Level
from omniorder.errors import OutOfStock, StaleWrite
from omniorder.ports.storage import Storage, Transaction
from omniorder.ports.writes import OrderWrite, ReservationWrite, StockChange, Writes
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
from omniorder.testing.contracts.storage.stock import held, receive, short
from omniorder.testing.samples import APPLES, BREAD, MILK, SOFIA, VARNA


def _levels(storage: Storage) -> tuple[Level, ...]:
    return read(storage, lambda tx: tx.levels([MILK]))


class QuarantineContract(StorageBench):
    """What a storage promises about units that can't be sold."""

    def test_what_is_quarantined_stands_beside_what_is_on_hand(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-2, quarantined=2),))
        assert _levels(storage) == (Level(SOFIA, MILK, 3, quarantined=2),)

    def test_what_is_quarantined_is_not_promised(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-2, quarantined=2),))
        assert short(refuses(storage, OutOfStock, stock=held({MILK: 4}))) == [(MILK, 4, 3)]

    def test_quarantined_never_falls_below_zero(self, storage: Storage) -> None:
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=5, quarantined=2),))
        changes = (StockChange(SOFIA, MILK, on_hand=3, quarantined=-3),)
        assert short(refuses(storage, OutOfStock, stock=changes)) == [(MILK, 3, 2)]
        assert _levels(storage) == (Level(SOFIA, MILK, 5, quarantined=2),)

    def test_a_level_may_begin_in_quarantine(self, storage: Storage) -> None:
        put(storage, stock=(StockChange(SOFIA, MILK, quarantined=2),))
        assert _levels(storage) == (Level(SOFIA, MILK, quarantined=2),)


def _double(tx: Transaction) -> None:
    (level,) = tx.levels([MILK], [SOFIA])
    tx.write(Writes(stock=(StockChange(SOFIA, MILK, on_hand=level.on_hand, if_on_hand=level.on_hand),)))


class CountContract(StorageBench):
    """What a storage promises to whoever decides on a number that they have read."""

    def test_a_level_is_changed_if_as_many_are_on_hand_as_were_seen(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-2, if_on_hand=5),))
        assert _levels(storage) == (Level(SOFIA, MILK, 3),)

    def test_a_level_that_was_changed_meanwhile_is_not_changed(self, storage: Storage) -> None:
        receive(storage, {BREAD: 1, MILK: 7})
        changes = (StockChange(SOFIA, BREAD, on_hand=1), StockChange(SOFIA, MILK, on_hand=-2, if_on_hand=5))
        refuses(storage, StaleWrite, stock=changes)
        with storage.reading() as tx:
            assert tx.levels([BREAD, MILK]) == (Level(SOFIA, BREAD, 1), Level(SOFIA, MILK, 7))

    def test_a_look_that_changes_nothing_is_guarded_too(self, storage: Storage) -> None:
        """A count that finds the books right says so of the books as they are when it is written."""
        receive(storage, {MILK: 5})
        put(storage, stock=(StockChange(SOFIA, MILK, if_on_hand=5),))
        refuses(storage, StaleWrite, stock=(StockChange(SOFIA, MILK, if_on_hand=4),))

    def test_what_is_not_there_was_seen_as_none(self, storage: Storage) -> None:
        refuses(storage, StaleWrite, stock=(StockChange(SOFIA, MILK, if_on_hand=1),))
        assert _levels(storage) == ()
        put(storage, stock=(StockChange(SOFIA, MILK, if_on_hand=0),))
        assert _levels(storage) == (Level(SOFIA, MILK),)

    def test_promises_do_not_disturb_a_count(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, stock=held({MILK: 5}))
        put(storage, stock=(StockChange(SOFIA, MILK, on_hand=-2, if_on_hand=5),))
        assert _levels(storage) == (Level(SOFIA, MILK, 3, 5),)

    def test_what_was_seen_was_seen_before_all_changes_of_the_command(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        changes = (StockChange(SOFIA, MILK, on_hand=2), StockChange(SOFIA, MILK, on_hand=-1, if_on_hand=5))
        put(storage, stock=changes)
        assert _levels(storage) == (Level(SOFIA, MILK, 6),)

    def test_who_saw_old_numbers_is_told_so_and_not_that_there_is_too_little(self, storage: Storage) -> None:
        """What was decided on them means nothing, so what it lacks means nothing either."""
        receive(storage, {MILK: 5})
        refuses(storage, StaleWrite, stock=(StockChange(SOFIA, MILK, on_hand=-7, if_on_hand=7),))

    def test_who_decide_at_once_decide_one_after_the_other(self, shared: Storage) -> None:
        receive(shared, {MILK: 1})
        together(*[lambda: repeated(shared, _double)] * 6)
        assert _levels(shared) == (Level(SOFIA, MILK, 2**6),)


def _order(storage: Storage, number: int, *, day: int = 1, units: int = 2, sku: str = MILK, store: str = SOFIA) -> str:
    """An order to be picked up on this day, and its reservation; its id."""
    order = samples.order(number, store=store, starts=samples.slot_starts(day))
    reservation = samples.reservation(number, store=store, units={sku: units})
    put(storage, orders=(OrderWrite(None, order),), reservations=(ReservationWrite(None, reservation),))
    return order.id


class ShortageContract(StorageBench):
    """What a storage promises about levels at which more is reserved than is there."""

    def test_a_level_is_short_when_more_is_reserved_than_is_on_hand(self, storage: Storage) -> None:
        receive(storage, {APPLES: 5, BREAD: 5, MILK: 5})
        receive(storage, {MILK: 5}, store=VARNA)
        put(storage, stock=(*held({APPLES: 5, BREAD: 5, MILK: 3}), *held({MILK: 5}, store=VARNA)))
        gone = [(SOFIA, APPLES, -2), (SOFIA, MILK, -2), (VARNA, MILK, -1)]
        put(storage, stock=tuple(StockChange(store, sku, on_hand=by) for store, sku, by in gone))
        found = read(storage, lambda tx: tx.shortages(SOFIA, after=None, limit=9))
        assert found == (Level(SOFIA, APPLES, 3, 5),)

    def test_paging_through_shortages_loses_and_repeats_none(self, storage: Storage) -> None:
        skus = [f"SKU-{number}" for number in range(1, 8)]
        receive(storage, dict.fromkeys(reversed(skus), 2))
        put(storage, stock=held(dict.fromkeys(skus, 2)))
        put(storage, stock=tuple(StockChange(SOFIA, sku, on_hand=-1) for sku in skus))

        def page(last: Level | None) -> tuple[Level, ...]:
            after = last.sku if last else None
            found = read(storage, lambda tx: tx.shortages(SOFIA, after=after, limit=3))
            assert len(found) <= 3
            return found

        assert [level.sku for level in paged(page)] == skus

    def test_orders_that_hold_a_sku_come_by_the_latest_pickup_first(self, storage: Storage) -> None:
        days = {1: 2, 2: 1, 3: 4, 4: 2}
        orders = {number: _order(storage, number, day=day, units=number) for number, day in reversed(days.items())}
        found = read(storage, lambda tx: tx.endangered(SOFIA, [MILK, BREAD]))
        assert dict(found) == {
            MILK: tuple(Endangered(orders[n], n, samples.slot_starts(days[n])) for n in (3, 1, 4, 2)),
        }

    def test_only_orders_that_hold_the_sku_at_this_store_are_endangered(self, storage: Storage) -> None:
        mine = _order(storage, 1)
        bread = _order(storage, 2, sku=BREAD)
        _order(storage, 3, store=VARNA)
        with storage.reading() as tx:
            starts = samples.slot_starts()
            assert dict(tx.endangered(SOFIA, [MILK])) == {MILK: (Endangered(mine, 2, starts),)}
            assert dict(tx.endangered(SOFIA, [BREAD, APPLES])) == {BREAD: (Endangered(bread, 2, starts),)}
            assert dict(tx.endangered(SOFIA, [])) == {}

    def test_an_order_is_endangered_by_the_units_that_it_still_holds(self, storage: Storage) -> None:
        """What it has got, has given back or never will get is nobody's to ask about."""
        life = samples.every_reservation(1)
        order = samples.order(1)
        put(storage, orders=(OrderWrite(None, order),), reservations=(ReservationWrite(None, life["held"]),))
        seen: list[int] = []
        steps = ("held", "firm", "partly consumed", "partly released", "settled")
        for before, after in pairwise(steps):
            put(storage, reservations=(ReservationWrite(life[before], life[after]),))
            found = read(storage, lambda tx: tx.endangered(SOFIA, [MILK]))
            seen.append(sum(one.quantity for one in found.get(MILK, ())))
        assert seen == [2, 1, 1, 0]

    def test_an_order_whose_pickup_has_ended_is_not_endangered(self, storage: Storage) -> None:
        cancelled = samples.every_order(1)["cancelled"]
        put(
            storage,
            orders=(OrderWrite(None, cancelled),),
            reservations=(ReservationWrite(None, samples.reservation()),),
        )
        assert dict(read(storage, lambda tx: tx.endangered(SOFIA, [MILK]))) == {}
