"""An inventory on the bench, and calls to it by short names, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeAlias, TypeVar

import pytest
from attrs import frozen

from omniorder.domain import ids
from omniorder.domain.stock import Reservation
from omniorder.errors import ReservationGone
from omniorder.ports.inventory import TransactionalInventory
from omniorder.ports.storage import Storage, Transaction
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import repeated
from omniorder.testing.samples import MILK, NOW, SOFIA

T = TypeVar("T")
Units: TypeAlias = Mapping[str, int]

UNTIL: Final = NOW + timedelta(minutes=15)
MANY: Final = 10_000


@frozen
class InventoryBench:
    """An inventory on the bench, the storage whose transactions it joins, and a way to fill its shelves.

    `stock(store, sku, units)` puts so many more units on the shelf; the first of them make the level.
    """

    inventory: TransactionalInventory
    storage: Storage
    stock: Callable[[str, str, int], None]


class Case:
    """One inventory under test. Reservations go by short names here; each call is a transaction of its own.

    `run` tells apart the reservations of several cases on one storage.
    """

    def __init__(self, bench: InventoryBench, *, keeps_levels: bool, run: int = 0) -> None:
        self.bench = bench
        self.inventory = bench.inventory
        self._keeps_levels = keeps_levels
        self._run = run
        self._reserved: dict[str, str] = {}
        self._stocked: set[tuple[str, str]] = set()

    def stock(self, units: Units, store: str = SOFIA) -> None:
        for sku, number in units.items():
            self.bench.stock(store, sku, number)
            self._stocked.add((store, sku))

    def id(self, name: str, store: str = SOFIA) -> str:
        """The reservation's id; which store it is at is settled when it is first named."""
        number = self._run << 32 | len(self._reserved) + 1
        return self._reserved.setdefault(name, ids.reservation_id(store, number.to_bytes(16)))

    def do(self, work: Callable[[Transaction], T]) -> T:
        """Do this in one transaction, again while the storage says that a repetition may help."""
        return repeated(self.bench.storage, work)

    def available(self, sku: str = MILK, store: str = SOFIA) -> int:
        with self.bench.storage.reading() as tx:
            return self.inventory.available(tx, [sku], [store]).get((store, sku), 0)

    def reserve(self, name: str, units: Units, store: str = SOFIA, *, instead_of: str | None = None) -> None:
        old = None if instead_of is None else self.id(instead_of)
        new = self.id(name, store)
        self.do(lambda tx: self.inventory.reserve(tx, new, store, units, UNTIL, old))

    def extend(self, name: str, until: datetime = UNTIL) -> None:
        self.do(lambda tx: self.inventory.extend(tx, self.id(name), until))

    def confirm(self, name: str) -> None:
        self.do(lambda tx: self.inventory.confirm(tx, self.id(name)))

    def consume(self, name: str, units: Units) -> None:
        stamp = samples.stamp()
        self.do(lambda tx: self.inventory.consume(tx, self.id(name), units, "SOF01-7K3F9Q", stamp))

    def release(self, name: str, units: Units | None = None, *, expired: bool = False) -> None:
        self.do(lambda tx: self.inventory.release(tx, self.id(name), units, expired=expired))

    def firm(self, name: str, units: Units, store: str = SOFIA) -> None:
        """Reserved and confirmed."""
        self.reserve(name, units, store)
        self.confirm(name)

    def check(self) -> None:
        """The books are right: S2 to S5, as far as the storage has them."""
        if not self._keeps_levels:
            return
        with self.bench.storage.reading() as tx:
            found = [tx.reservation(reservation) for reservation in self._reserved.values()]
            for store, sku in sorted(self._stocked):
                _check_level(tx, store, sku, [one for one in found if one is not None])


def _check_level(tx: Transaction, store: str, sku: str, reservations: list[Reservation]) -> None:
    (level,) = tx.levels([sku], [store])
    assert level.reserved == sum(one.live().get(sku, 0) for one in reservations if one.store == store)
    assert level.on_hand == sum(move.quantity for move in tx.movements(store, sku, after=None, limit=MANY))
    assert min(level.on_hand, level.reserved) >= 0
    for one in reservations:
        for line in one.lines:
            assert min(line.live, line.consumed, line.released, line.expired) >= 0


def gone(call: Callable[[], None]) -> None:
    """Assert that this is refused because the reservation has ended or has too few units."""
    with pytest.raises(ReservationGone):
        call()
