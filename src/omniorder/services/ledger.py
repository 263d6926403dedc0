"""The built-in inventory: levels, reservations and movements in the order's own database and transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from omniorder.domain import events as e
from omniorder.domain import stock
from omniorder.domain.lifecycle import ENDED
from omniorder.domain.stock import Level, Movement, MovementKind, Reservation
from omniorder.errors import Misconfigured, ReservationGone
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import ReservationWrite, StockChange, Writes
from omniorder.services.parts import Parts
from omniorder.services.shelves import Shelves


class Ledger(Shelves):
    """`TransactionalInventory` over the storage's own levels, which staff and deliveries change by `Shelves`."""

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
        until: datetime | None,
        instead_of: str | None = None,
    ) -> None:
        held = stock.reserve(reservation, store, units, until)
        if instead_of is not None:
            self.release(tx, instead_of)
        changes = tuple(StockChange(store, line.sku, reserved=line.quantity, promise=True) for line in held.lines)
        tx.write(Writes(reservations=(ReservationWrite(None, held),), stock=changes))

    def extend(self, tx: Transaction, reservation: str, until: datetime) -> None:
        before = live(tx, reservation)
        _save(tx, before, stock.apply(before, e.ReservationExtended(until)))

    def confirm(self, tx: Transaction, reservation: str) -> None:
        before = live(tx, reservation)
        _save(tx, before, stock.confirmed(before))

    def consume(
        self, tx: Transaction, reservation: str, units: Mapping[str, int], reference: str, stamp: e.Stamp
    ) -> None:
        self.consume_all(tx, {reservation: units}, reference, stamp)

    def consume_all(
        self, tx: Transaction, shares: Mapping[str, Mapping[str, int]], reference: str, stamp: e.Stamp
    ) -> None:
        """The same for several reservations of one store: what each gives, per SKU."""
        self._gone(tx, shares, MovementKind.COLLECT, reference, stamp)

    def _gone(
        self,
        tx: Transaction,
        shares: Mapping[str, Mapping[str, int]],
        kind: MovementKind,
        reference: str,
        stamp: e.Stamp,
    ) -> None:
        """These units left the store: they are neither held nor on hand any more."""
        sums: Counter[str] = Counter()
        store = ""
        for reservation, units in shares.items():
            before = live(tx, reservation)
            _save(tx, before, stock.resolve(before, e.UnitsConsumed(tuple(sorted(units.items())))))
            store = before.store
            sums.update(units)
        levels = {level.sku: level for level in tx.levels(sorted(sums), [store])}
        changes: list[StockChange] = []
        moves: list[Movement] = []
        for sku, gone in sorted(sums.items()):
            # the goods are in somebody's hands: what the books didn't know of was evidently on the shelf
            found = max(0, gone - levels.get(sku, Level(store, sku)).on_hand)
            changes.append(StockChange(store, sku, on_hand=found - gone, reserved=-gone))
            if found:
                moves.append(self._move(store, sku, MovementKind.FOUND, found, stamp, "", reference))
            moves.append(self._move(store, sku, kind, -gone, stamp, "", reference))
        tx.write(Writes(stock=tuple(changes), movements=tuple(moves)))

    def ship_out(
        self, tx: Transaction, reservation: str, units: Mapping[str, int], reference: str, stamp: e.Stamp
    ) -> None:
        """These units per SKU left for another store under this transfer's id. Raises as `consume` does."""
        self._gone(tx, {reservation: units}, MovementKind.TRANSFER_OUT, reference, stamp)

    def hold(self, tx: Transaction, reservation: str, store: str, units: Mapping[str, int]) -> None:
        """Keep these units per SKU for whoever waits for them, there or not: what the shelf lacks is a shortage."""
        held = stock.reserve(reservation, store, units, None)
        changes = tuple(StockChange(store, sku, reserved=count) for sku, count in units.items())
        tx.write(Writes(reservations=(ReservationWrite(None, held),), stock=changes))

    def release(
        self, tx: Transaction, reservation: str, units: Mapping[str, int] | None = None, *, expired: bool = False
    ) -> None:
        before = live(tx, reservation)
        after = stock.given_back(before, units, expired=expired)
        back = {line.sku: line.live for line in before.lines}
        for line in after.lines:
            back[line.sku] -= line.live
        changes = [StockChange(before.store, sku, reserved=-count) for sku, count in back.items() if count]
        _save(tx, before, after, changes)


def ledger_of(parts: Parts) -> Ledger:
    """The built-in ledger; raises `Misconfigured` for a hub that was opened with an inventory of its own."""
    if not isinstance(parts.inventory, Ledger):
        raise Misconfigured(needs="the built-in ledger: this hub was opened with an inventory of its own")
    return parts.inventory


def live(tx: Transaction, reservation: str) -> Reservation:
    """The reservation, while it holds something; raises `ReservationGone` when it doesn't any more."""
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
