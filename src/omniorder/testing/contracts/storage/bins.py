"""Bins: an order is never laid where there is no room, and what is taken out makes room again."""

from __future__ import annotations

from omniorder.errors import BinFull
from omniorder.ports.storage import Storage
from omniorder.ports.writes import BinChange, Writes
from omniorder.testing.contracts.storage.bench import StorageBench, put, read, refuses, repeated, together
from omniorder.testing.samples import SOFIA, VARNA


def _lay(orders: int = 1, *, code: str = "C4", store: str = SOFIA, holds: int = 2) -> BinChange:
    return BinChange(store, code, orders, holds)


def _lying(storage: Storage, store: str = SOFIA) -> dict[str, int]:
    return {code: orders for code, orders in read(storage, lambda tx: tx.in_bins(store)).items() if orders}


class BinContract(StorageBench):
    """What a storage promises about bins."""

    def test_orders_are_laid_into_a_bin_until_it_is_full(self, storage: Storage) -> None:
        put(storage, bins=(_lay(),))
        put(storage, bins=(_lay(),))
        facts = refuses(storage, BinFull, bins=(_lay(),))
        assert facts == {"store": SOFIA, "bin": "C4", "holds": 2}
        assert _lying(storage) == {"C4": 2}

    def test_a_bin_that_holds_nothing_takes_nobody(self, storage: Storage) -> None:
        refuses(storage, BinFull, bins=(_lay(holds=0),))
        assert _lying(storage) == {}

    def test_bins_are_each_stores_own(self, storage: Storage) -> None:
        put(storage, bins=(_lay(holds=1), _lay(code="F2", holds=1), _lay(store=VARNA, holds=1)))
        assert (_lying(storage), _lying(storage, VARNA)) == ({"C4": 1, "F2": 1}, {"C4": 1})

    def test_one_full_bin_of_several_takes_none_of_them(self, storage: Storage) -> None:
        put(storage, bins=(_lay(code="F2", holds=1),))
        refuses(storage, BinFull, bins=(_lay(), _lay(code="F2", holds=1)))
        assert _lying(storage) == {"F2": 1}

    def test_what_is_taken_out_makes_room(self, storage: Storage) -> None:
        put(storage, bins=(_lay(holds=1),))
        put(storage, bins=(_lay(-1),))
        assert _lying(storage) == {}
        put(storage, bins=(_lay(holds=1),))

    def test_orders_are_laid_and_taken_out_at_once_in_a_full_bin(self, storage: Storage) -> None:
        """Whichever comes first: all changes of one bin count as one."""
        put(storage, bins=(_lay(holds=1),))
        put(storage, bins=(_lay(-1), _lay(holds=1)))
        put(storage, bins=(_lay(holds=1), _lay(-1)))
        assert _lying(storage) == {"C4": 1}

    def test_an_order_is_taken_out_also_when_the_bin_was_made_smaller(self, storage: Storage) -> None:
        put(storage, bins=(_lay(2),))
        put(storage, bins=(_lay(-1, holds=0),))
        assert _lying(storage) == {"C4": 1}

    def test_a_bin_never_owes_an_order(self, storage: Storage) -> None:
        put(storage, bins=(_lay(holds=1),))
        put(storage, bins=(_lay(-2), _lay(-1, code="F2")))
        assert _lying(storage) == {}
        put(storage, bins=(_lay(holds=1),))
        refuses(storage, BinFull, bins=(_lay(holds=1),))

    def test_of_several_orders_one_gets_the_locker(self, shared: Storage) -> None:
        laid = Writes(bins=(_lay(holds=1),))
        results = together(*[lambda: repeated(shared, lambda tx: tx.write(laid))] * 4)
        assert sorted(type(result).__name__ for result in results) == [*["BinFull"] * 3, "NoneType"]
        assert _lying(shared) == {"C4": 1}
