"""The contracts of `omniorder.ports.inventory`: every promise of its two ports, as a test.

`TransactionalInventory`, in the order's database:

    class TestMyInventory(InventoryContract):
        def open(self) -> InventoryBench:
            storage = ...  # fresh, empty and migrated
            return InventoryBench(MyInventory(), storage, stock=...)

Whatever a promise tries, afterwards the books must be right: what is reserved is what reservations hold, what is on
hand is what moved, and every unit of a reservation is in one place. An inventory that keeps levels, movements and
reservations of its own, beside the storage's, says `keeps_levels = False` and is judged by `available` alone; one that
can't serve two threads says `concurrent = False`.

`InventoryMachine` tries what nobody thought of, against a model of a few dictionaries:

    class MyMachine(InventoryMachine):
        def open(self) -> InventoryBench:
            ...

    TestMyMachine = MyMachine.TestCase

`Inventory`, a retailer's own system, has `OutsideInventoryContract` and `OutsideInventoryMachine`, which are used
the same way with an `OutsideBench`.
"""

from __future__ import annotations

from omniorder.testing.contracts.inventory.bench import InventoryBench
from omniorder.testing.contracts.inventory.machine import InventoryMachine
from omniorder.testing.contracts.inventory.outside import OutsideBench, OutsideInventoryContract
from omniorder.testing.contracts.inventory.outside_machine import OutsideInventoryMachine
from omniorder.testing.contracts.inventory.promises import InventoryContract

__all__ = [
    "InventoryBench",
    "InventoryContract",
    "InventoryMachine",
    "OutsideBench",
    "OutsideInventoryContract",
    "OutsideInventoryMachine",
]
