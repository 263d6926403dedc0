"""The built-in inventory: levels, reservations and movements in the order's own database and transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from omniorder.domain import events as e
from omniorder.domain import ids, stock
from omniorder.domain.lifecycle import ENDED, ReservationState
from omniorder.domain.stock import Level, Movement, MovementKind, Reservation
from omniorder.errors import ReservationGone
from omniorder.ports.storage import ReservationWrite, StockChange, Transaction, Writes


class Ledger:
    """`TransactionalInventory` over the storage's own levels. `draw` gives 16 time-ordered bytes for an id."""

    def __init__(self, draw: Callable[[], bytes]) -> None:
        self._draw = draw

    def available(
        self, tx: Transaction, skus: Sequence[str], stores: Sequence[str] | None = None
    ) -> Mapping[tuple[str, str], int]:
        return tx.available(skus, stores)

    def reserve(
        self,
        tx: Transaction,
        reservation: str,
        store: str,
        units: Mapping[str, int],
        until: datetime,
        instead_of: str | None = None,
    ) -> None:
        held = stock.reserve(reservation, store, units, until)
        if instead_of is not None:
            self.release(tx, instead_of)
        changes = tuple(StockChange(store, line.sku, reserved=line.quantity, promise=True) for line in held.lines)
        tx.write(Writes(reservations=(ReservationWrite(None, held),), stock=changes))

    def extend(self, tx: Transaction, reservation: str, until: datetime) -> None:
        before = _load(tx, reservation)
        _save(tx, before, stock.apply(before, e.ReservationExtended(until)))

    def confirm(self, tx: Transaction, reservation: str) -> None:
        before = _load(tx, reservation)
        _save(tx, before, stock.apply(before, e.Firmed()))

    def consume(
        self, tx: Transaction, reservation: str, units: Mapping[str, int], reference: str, stamp: e.Stamp
    ) -> None:
        before = _load(tx, reservation)
        after = stock.resolve(before, e.UnitsConsumed(tuple(sorted(units.items()))))
        levels = {level.sku: level for level in tx.levels(sorted(units), [before.store])}
        changes: list[StockChange] = []
        moves: list[Movement] = []
        for sku in sorted(units):
            gone = units[sku]
            # the goods are in the customer's hands: what the books didn't know of was evidently on the shelf
            found = max(0, gone - levels.get(sku, Level(before.store, sku)).on_hand)
            changes.append(StockChange(before.store, sku, on_hand=found - gone, reserved=-gone))
            if found:
                moves.append(self._move(before.store, sku, MovementKind.FOUND, found, stamp, "", reference))
            moves.append(self._move(before.store, sku, MovementKind.COLLECT, -gone, stamp, "", reference))
        _save(tx, before, after, changes, moves)

    def release(
        self, tx: Transaction, reservation: str, units: Mapping[str, int] | None = None, *, expired: bool = False
    ) -> None:
        before = _load(tx, reservation)
        after = _given_back(before, units, expired=expired)
        back = {line.sku: line.live for line in before.lines}
        for line in after.lines:
            back[line.sku] -= line.live
        changes = [StockChange(before.store, sku, reserved=-count) for sku, count in back.items() if count]
        _save(tx, before, after, changes)

    # --- the ledger's own: what an outside inventory does for itself ---

    def receive(
        self, tx: Transaction, store: str, sku: str, units: int, stamp: e.Stamp, reason: str, reference: str
    ) -> None:
        """Units came in."""
        move = self._move(store, sku, MovementKind.RECEIVE, units, stamp, reason, reference)
        tx.write(Writes(stock=(StockChange(store, sku, on_hand=units),), movements=(move,)))

    def adjust(
        self, tx: Transaction, store: str, sku: str, by: int, stamp: e.Stamp, reason: str, reference: str
    ) -> None:
        """The books were wrong by `by` units. May go below what is reserved: that opens a shortage."""
        move = self._move(store, sku, MovementKind.ADJUST, by, stamp, reason, reference)
        tx.write(Writes(stock=(StockChange(store, sku, on_hand=by),), movements=(move,)))

    def keep_back(self, tx: Transaction, store: str, sku: str, units: int) -> None:
        """Keep `units` for walk-in customers: they are never promised."""
        tx.write(Writes(stock=(StockChange(store, sku, safety=units),)))

    def _move(
        self, store: str, sku: str, kind: MovementKind, units: int, stamp: e.Stamp, reason: str, reference: str
    ) -> Movement:
        return Movement(ids.movement_id(store, self._draw()), store, sku, kind, units, stamp, reason, reference)


def _given_back(before: Reservation, units: Mapping[str, int] | None, *, expired: bool) -> Reservation:
    if units is None and before.state is ReservationState.HELD:
        return stock.apply(before, e.ReservationExpired() if expired else e.ReservationReleased())
    wanted = before.live() if units is None else units
    return stock.resolve(before, e.UnitsReleased(tuple(sorted(wanted.items()))))


def _load(tx: Transaction, reservation: str) -> Reservation:
    found = tx.reservation(reservation)
    if found is None or found.state in ENDED:
        raise ReservationGone(reservation=reservation, state=found.state.value if found else "unknown")
    return found


def _save(
    tx: Transaction,
    before: Reservation,
    after: Reservation,
    changes: Iterable[StockChange] = (),
    moves: Iterable[Movement] = (),
) -> None:
    write = ReservationWrite(before, after)
    tx.write(Writes(reservations=(write,), stock=tuple(changes), movements=tuple(moves)))
