"""Stock takes and imports: levels become what was counted, differences are recorded, and progress is guarded."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from attrs import evolve

from omniorder.domain.imports import Import, ImportKind
from omniorder.domain.stock import Level, Movement, MovementKind
from omniorder.errors import AlreadyThere, OmniorderError, StaleWrite
from omniorder.ports.storage import Storage
from omniorder.ports.writes import CountWrite, ImportWrite, StockChange, StockCount, Writes
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, repeated, together
from omniorder.testing.contracts.storage.stock import held, level, receive
from omniorder.testing.samples import APPLES, BREAD, MILK, NOW, SOFIA, VARNA


def counted(*counts: StockCount) -> tuple[CountWrite, ...]:
    """A stock take."""
    return (CountWrite(counts, samples.stamp(), "import", "imp-1"),)


def count(on_hand: int, sku: str = MILK, *, store: str = SOFIA, safety: int | None = None, n: int = 1) -> StockCount:
    """What was counted of one SKU; its movement is the n-th."""
    return StockCount(store, sku, on_hand, samples.movement(n, store=store).id, safety)


def moved(storage: Storage, sku: str = MILK, store: str = SOFIA) -> tuple[Movement, ...]:
    """The movements of a level."""
    return read(storage, lambda tx: tx.movements(store, sku, after=None, limit=100))


def begun(version: int = 1, offset: int = 0) -> Import:
    """An import that has come so far."""
    return Import(
        id="imp-1",
        kind=ImportKind.LEVELS,
        version=version,
        offset=offset,
        line=offset // 10,
        digest="0" * 64,
        taken=offset // 20,
        refused=offset // 30,
        finished=offset > 1_000,
        began_at=NOW,
        changed_at=NOW + timedelta(microseconds=offset),
    )


class StockTakeContract(StorageBench):
    """What a storage promises about stock takes."""

    def test_a_count_sets_the_level_and_records_the_difference(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, counts=counted(count(3)))
        assert level(storage) == (3, 0, 0)
        (found,) = moved(storage)
        told = (found.kind, found.quantity, found.stamp, found.reason, found.reference, found.id)
        assert told == (MovementKind.COUNT, -2, samples.stamp(), "import", "imp-1", count(3).movement)

    def test_a_count_of_what_never_came_makes_its_level(self, storage: Storage) -> None:
        put(storage, counts=counted(count(7, safety=2)))
        assert read(storage, lambda tx: tx.levels([MILK])) == (Level(SOFIA, MILK, 7, 0, 2),)
        assert [move.quantity for move in moved(storage)] == [7]

    def test_a_level_that_is_as_counted_is_left_alone(self, storage: Storage) -> None:
        """Nothing is recorded, and no level of zeros comes into being."""
        receive(storage, {MILK: 5}, safety=1)
        put(storage, counts=counted(count(5), count(5, safety=1, store=VARNA), count(0, BREAD, safety=0, n=2)))
        put(storage, counts=counted(count(5, safety=1, n=3), count(5, store=VARNA, n=3)))
        assert (level(storage), moved(storage)) == ((5, 0, 1), ())
        assert (level(storage, store=VARNA), len(moved(storage, store=VARNA))) == ((5, 0, 1), 1)
        assert (read(storage, lambda tx: tx.levels([BREAD])), moved(storage, BREAD)) == ((), ())

    def test_a_count_keeps_what_is_reserved_and_the_safety_that_it_does_not_name(self, storage: Storage) -> None:
        """Also below what is reserved: that is a shortage, which the store must see."""
        receive(storage, {MILK: 5}, safety=1)
        put(storage, stock=held({MILK: 4}))
        put(storage, counts=counted(count(2)))
        assert level(storage) == (2, 4, 1)
        put(storage, counts=counted(count(0, n=2)))
        assert level(storage) == (0, 4, 1)

    def test_a_count_of_safety_alone_moves_nothing(self, storage: Storage) -> None:
        receive(storage, {MILK: 5})
        put(storage, counts=counted(count(5, safety=3), count(0, BREAD, safety=2, n=2)))
        assert (level(storage), moved(storage)) == ((5, 0, 3), ())
        assert (level(storage, BREAD), moved(storage, BREAD)) == ((0, 0, 2), ())

    def test_counts_of_many_levels_are_one_write(self, storage: Storage) -> None:
        """Some are there and some aren't, at two stores; nothing of it is left when the transaction is undone."""
        receive(storage, {MILK: 5, APPLES: 1})
        take = counted(
            count(6, APPLES), count(2, BREAD, n=2), count(4, MILK, n=3), count(9, MILK, store=VARNA), count(1, APPLES,
            store=VARNA, n=2),
        )  # fmt: skip
        refuses(storage, StaleWrite, counts=take, imports=(ImportWrite(begun(), begun(2)),))
        assert (level(storage), moved(storage)) == ((5, 0, 0), ())
        put(storage, counts=take)
        found = read(storage, lambda tx: tx.levels([MILK, BREAD, APPLES]))
        assert [(one.store, one.sku, one.on_hand) for one in found] == [
            (SOFIA, BREAD, 2), (SOFIA, MILK, 4), (SOFIA, APPLES, 6), (VARNA, MILK, 9), (VARNA, APPLES, 1)
        ]  # fmt: skip
        changes = [move.quantity for sku in (MILK, BREAD, APPLES) for move in moved(storage, sku)]
        assert changes == [-1, 2, 5]

    def test_a_movement_of_a_count_is_recorded_once(self, storage: Storage) -> None:
        put(storage, counts=counted(count(5)))
        refuses(storage, AlreadyThere, counts=counted(count(6)))
        assert (level(storage), len(moved(storage))) == ((5, 0, 0), 1)

    def test_what_is_sold_during_a_count_is_not_lost(self, shared: Storage) -> None:
        """Whoever comes first: the level is what was ever recorded, and what was taken stays taken."""

        def sell(n: int) -> None:
            sale = samples.movement(n, quantity=-1)
            gone = StockChange(SOFIA, MILK, on_hand=-1)
            repeated(shared, lambda tx: tx.write(Writes(stock=(gone,), movements=(sale,))))

        def take(n: int) -> None:
            repeated(shared, lambda tx: tx.write(Writes(counts=counted(count(50 + n, n=100 + n)))))

        put(shared, counts=counted(count(100, n=99)))
        works = [partial(work, n) for n in range(1, 9) for work in (sell, take)]
        refused = [one for one in together(*works) if isinstance(one, OmniorderError)]
        assert refused == []
        assert level(shared)[0] == sum(move.quantity for move in moved(shared))


class ImportContract(StorageBench):
    """What a storage promises about imports."""

    def test_an_import_comes_back_as_it_was_written(self, storage: Storage) -> None:
        assert read(storage, lambda tx: tx.imported("imp-1")) is None
        put(storage, imports=(ImportWrite(None, begun()),))
        assert read(storage, lambda tx: tx.imported("imp-1")) == begun()
        put(storage, imports=(ImportWrite(begun(), begun(2, 2**40)),))
        assert read(storage, lambda tx: tx.imported("imp-1")) == begun(2, 2**40)
        assert read(storage, lambda tx: tx.imported("imp-2")) is None

    def test_an_import_is_begun_once(self, storage: Storage) -> None:
        put(storage, imports=(ImportWrite(None, begun()),))
        facts = refuses(storage, StaleWrite, imports=(ImportWrite(None, begun(1, 60)),), counts=counted(count(5)))
        assert facts == {"kind": "import", "id": "imp-1"}
        assert read(storage, lambda tx: tx.imported("imp-1")) == begun()
        assert level(storage) == (0, 0, 0)

    def test_an_import_that_has_gone_on_elsewhere_refuses_all_that_comes_with_it(self, storage: Storage) -> None:
        put(storage, imports=(ImportWrite(None, begun()),))
        put(storage, imports=(ImportWrite(begun(), begun(2, 60)),))
        late = evolve(begun(2, 90), taken=9)
        refuses(storage, StaleWrite, imports=(ImportWrite(begun(), late),), counts=counted(count(5)))
        assert read(storage, lambda tx: tx.imported("imp-1")) == begun(2, 60)
        assert level(storage) == (0, 0, 0)
