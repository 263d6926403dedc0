"""Reservations in a retailer's own system, as rows of ours that say how they are to stand there.

A command only writes the row and sets its timer: the system outside is told after the commit, by `outside.follow`. So
what an order holds is known here whoever fails, and the same guards refuse what can't be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from omniorder.domain import events as e
from omniorder.domain import stock
from omniorder.domain.stock import Reservation
from omniorder.errors import NeedsOwnTransaction
from omniorder.ports.inventory import TransactionalInventory
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import ReservationWrite, TimerWrite, Writes
from omniorder.services.ledger import live


class Mirror:
    """`TransactionalInventory` of a hub whose stock is outside.

    `due` is when a change is to be told. Reservations that were made before the stock went outside stay with `ledger`.
    """

    def __init__(self, ledger: TransactionalInventory, due: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._due = due

    def available(
        self, tx: Transaction, skus: Sequence[str], stores: Sequence[str] | None = None
    ) -> Mapping[tuple[str, str], int]:
        """Never asked: what is available is asked outside, before a transaction begins."""
        raise NeedsOwnTransaction(command="inventory.available")

    def reserve(
        self,
        tx: Transaction,
        reservation: str,
        store: str,
        units: Mapping[str, int],
        until: datetime | None,
        instead_of: str | None = None,
    ) -> None:
        """Note what is held outside already (`outside.held`)."""
        if instead_of is not None:
            self.release(tx, instead_of)
        held = stock.reserve(reservation, store, units, until, outside=True)
        told = TimerWrite(store, reservation, None)
        tx.write(Writes(reservations=(ReservationWrite(None, held),), timers=(told,)))

    def extend(self, tx: Transaction, reservation: str, until: datetime) -> None:
        before = live(tx, reservation)
        if not before.outside:
            self._ledger.extend(tx, reservation, until)
            return
        self._save(tx, before, stock.apply(before, e.ReservationExtended(until)))

    def confirm(self, tx: Transaction, reservation: str) -> None:
        before = live(tx, reservation)
        if not before.outside:
            self._ledger.confirm(tx, reservation)
            return
        self._save(tx, before, stock.apply(before, e.Firmed()))

    def consume(
        self, tx: Transaction, reservation: str, units: Mapping[str, int], reference: str, stamp: e.Stamp
    ) -> None:
        before = live(tx, reservation)
        if not before.outside:
            self._ledger.consume(tx, reservation, units, reference, stamp)
            return
        self._save(tx, before, stock.resolve(before, e.UnitsConsumed(tuple(sorted(units.items())))))

    def release(
        self, tx: Transaction, reservation: str, units: Mapping[str, int] | None = None, *, expired: bool = False
    ) -> None:
        before = live(tx, reservation)
        if not before.outside:
            self._ledger.release(tx, reservation, units, expired=expired)
            return
        self._save(tx, before, stock.given_back(before, units, expired=expired))

    def _save(self, tx: Transaction, before: Reservation, after: Reservation) -> None:
        tell = TimerWrite(after.store, after.id, self._due())
        tx.write(Writes(reservations=(ReservationWrite(before, after),), timers=(tell,)))
