"""What comes to a store's shelves and goes from them by other hands than a customer's, movement by movement.

A level never changes without the movement that says why: here each movement is the change, so the two can't differ.
Taking away what is reserved is allowed, because the shelf is right and the books follow it: that opens a shortage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import evolve

from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.stock import Level, Movement, MovementKind
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import Arrived, Expect, StockChange, Writes


class Shelves:
    """Levels and their movements in the storage. `draw` gives 16 time-ordered bytes for an id.

    `OutOfStock` is raised, when the transaction ends, for what would leave less than nothing. What staff does is
    answered with the movement that it became.
    """

    def __init__(self, draw: Callable[[], bytes]) -> None:
        self._draw = draw

    def receive(
        self, tx: Transaction, store: str, sku: str, units: int, stamp: e.Stamp, reason: str, reference: str,
        *, final: bool = False,
    ) -> Movement:  # fmt: skip
        """Units came in; those that were expected under this reference are expected no more, or (`final`) none is."""
        arrived = [Arrived(store, sku, reference, None if final else units)] if reference else []
        move = self._move(store, sku, MovementKind.RECEIVE, units, stamp, reason, reference)
        return _book(tx, move, arrived)

    def adjust(
        self, tx: Transaction, store: str, sku: str, by: int, stamp: e.Stamp, reason: str, reference: str
    ) -> Movement:
        """The books were wrong by `by` units."""
        return _book(tx, self._move(store, sku, MovementKind.ADJUST, by, stamp, reason, reference))

    def count(
        self, tx: Transaction, store: str, sku: str, counted: int, stamp: e.Stamp, reason: str, reference: str
    ) -> Movement:
        """So many are on the shelf. Raises `StaleWrite`, at the end, when the level has changed since it is read here.

        A count that finds the books right is written down too: it is known since when they are.
        """
        level = next(iter(tx.levels([sku], [store])), Level(store, sku))
        move = self._move(store, sku, MovementKind.COUNT, counted - level.on_hand, stamp, reason, reference)
        change = evolve(_change(move), if_on_hand=level.on_hand)
        tx.write(Writes(stock=(change,), movements=(move,)))
        return move

    def write_off(
        self, tx: Transaction, store: str, sku: str, units: int, stamp: e.Stamp, reason: str, reference: str,
        *, from_quarantine: bool,
    ) -> Movement:  # fmt: skip
        """Units are lost for good, from the shelf or out of quarantine."""
        shelf, quarantine = (0, -units) if from_quarantine else (-units, 0)
        return _book(tx, self._move(store, sku, MovementKind.WRITE_OFF, shelf, stamp, reason, reference, quarantine))

    def quarantine(
        self, tx: Transaction, store: str, sku: str, units: int, stamp: e.Stamp, reason: str, reference: str
    ) -> Movement:
        """Units can't be sold, or not yet: they are taken from the shelf."""
        return _book(tx, self._move(store, sku, MovementKind.QUARANTINE, -units, stamp, reason, reference, units))

    def clear(
        self, tx: Transaction, store: str, sku: str, units: int, stamp: e.Stamp, reason: str, reference: str
    ) -> Movement:
        """Units in quarantine can be sold after all."""
        return _book(tx, self._move(store, sku, MovementKind.CLEAR, units, stamp, reason, reference, -units))

    def take_back(
        self, tx: Transaction, store: str, sku: str, units: int, stamp: e.Stamp, reason: str, reference: str,
        *, resellable: bool,
    ) -> Movement:  # fmt: skip
        """Units came back from a customer: to the shelf, or else to quarantine."""
        shelf, quarantine = (units, 0) if resellable else (0, units)
        return _book(tx, self._move(store, sku, MovementKind.RETURN, shelf, stamp, reason, reference, quarantine))

    def miss(
        self, tx: Transaction, store: str, units: Mapping[str, int], stamp: e.Stamp, reason: str, reference: str
    ) -> None:
        """These units per SKU were looked for and not found: they go off the books, as far as they are on them.

        They stay reserved for whoever was to have them: that is a shortage until it is decided what becomes of it.
        """
        for level in tx.levels(sorted(units), [store]):
            if gone := min(units[level.sku], level.on_hand):
                self.adjust(tx, store, level.sku, -gone, stamp, reason, reference)

    def put_away(
        self, tx: Transaction, store: str, units: Mapping[str, int], stamp: e.Stamp, reason: str, reference: str,
        *, keep: bool,
    ) -> None:  # fmt: skip
        """These units per SKU are not sold again, as far as the books have them: thrown away, or kept in quarantine."""
        for level in tx.levels(sorted(units), [store]):
            gone = min(units[level.sku], level.on_hand)
            if gone and keep:
                self.quarantine(tx, store, level.sku, gone, stamp, reason, reference)
            elif gone:
                self.write_off(tx, store, level.sku, gone, stamp, reason, reference, from_quarantine=False)

    def bring_in(self, tx: Transaction, store: str, units: Mapping[str, int], reference: str, stamp: e.Stamp) -> None:
        """Units per SKU came from another store under this transfer's id; they are expected no more."""
        for sku in sorted(sku for sku, count in units.items() if count):
            move = self._move(store, sku, MovementKind.TRANSFER_IN, units[sku], stamp, "", reference)
            _book(tx, move, [Arrived(store, sku, reference, units[sku])])

    def expect(self, tx: Transaction, delivery: ExpectedDelivery) -> None:
        """This is on its way, whatever was said of it before; nothing is, when it is of 0 units."""
        tx.write(Writes(expected=(Expect(delivery),)))

    def keep_back(self, tx: Transaction, store: str, sku: str, units: int) -> None:
        """Keep `units` for walk-in customers: they are never promised."""
        tx.write(Writes(stock=(StockChange(store, sku, safety=units),)))

    def _move(
        self,
        store: str,
        sku: str,
        kind: MovementKind,
        units: int,
        stamp: e.Stamp,
        reason: str,
        reference: str,
        quarantined: int = 0,
    ) -> Movement:
        made = ids.movement_id(store, self._draw())
        return Movement(made, store, sku, kind, units, stamp, reason, reference, quarantined)


def _change(move: Movement) -> StockChange:
    return StockChange(move.store, move.sku, on_hand=move.quantity, quarantined=move.quarantined)


def _book(tx: Transaction, move: Movement, arrived: Iterable[Arrived] = ()) -> Movement:
    tx.write(Writes(stock=(_change(move),), movements=(move,), expected=tuple(arrived)))
    return move
