"""The built-in inventory: levels, reservations and movements in the order's own database and transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from omniorder.domain import events as e
from omniorder.domain import ids, stock
from omniorder.domain.lifecycle import ENDED, ReservationState
from omniorder.domain.stock import Level, Movement, MovementKind, Reservation
from omniorder.errors import Misconfigured, ReservationGone
from omniorder.ports.storage import ReservationWrite, StockChange, Transaction, Writes
from omniorder.services.parts import Parts


class Ledger:
    """`TransactionalInventory` over the storage's own levels. `draw` gives 16 time-ordered bytes for an id."""

    def __init__(self, draw: Callable[[], bytes]) -> None:
        self._draw = draw

    def available(
        self, tx: Transaction, skus: Sequence[str], stores: Sequence[str] | None = None
    ) -> Mapping[tuple[str, str], int]:
        return {(level.store, level.sku): level.available for level in tx.levels(skus, stores)}

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
        before = _load(tx, reservation)
        _save(tx, before, stock.apply(before, e.ReservationExtended(until)))

    def confirm(self, tx: Transaction, reservation: str) -> None:
        before = _load(tx, reservation)
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
            before = _load(tx, reservation)
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

    def miss(
        self, tx: Transaction, store: str, units: Mapping[str, int], stamp: e.Stamp, reason: str, reference: str
    ) -> None:
        """These units per SKU were looked for and not found: they go off the books, as far as they are on them.

        They stay reserved for whoever was to have them: that is a shortage until it is decided what becomes of it.
        """
        for level in tx.levels(sorted(units), [store]):
            if gone := min(units[level.sku], level.on_hand):
                self.adjust(tx, store, level.sku, -gone, stamp, reason, reference)

    # --- between stores ---

    def ship_out(
        self, tx: Transaction, reservation: str, units: Mapping[str, int], reference: str, stamp: e.Stamp
    ) -> None:
        """These units per SKU of a firm reservation left for another store. Raises `ReservationGone`."""
        self._gone(tx, {reservation: units}, MovementKind.TRANSFER_OUT, reference, stamp)

    def bring_in(
        self,
        tx: Transaction,
        store: str,
        units: Mapping[str, int],
        reference: str,
        stamp: e.Stamp,
        *,
        hold: tuple[str, Mapping[str, int]] | None = None,
    ) -> None:
        """These units per SKU came from another store, to be sold.

        `hold` is a new reservation and what it holds from now on, which may be more than came: the rest is a shortage.
        """
        changes = [StockChange(store, sku, on_hand=count) for sku, count in units.items() if count]
        moves = [
            self._move(store, sku, MovementKind.TRANSFER_IN, count, stamp, "", reference)
            for sku, count in sorted(units.items())
            if count
        ]
        held: tuple[ReservationWrite, ...] = ()
        if hold is not None:
            reservation, wanted = hold
            held = (ReservationWrite(None, stock.reserve(reservation, store, wanted, None)),)
            changes += [StockChange(store, sku, reserved=count) for sku, count in wanted.items()]
        tx.write(Writes(reservations=held, stock=tuple(changes), movements=tuple(moves)))

    def keep_back(self, tx: Transaction, store: str, sku: str, units: int) -> None:
        """Keep `units` for walk-in customers: they are never promised."""
        tx.write(Writes(stock=(StockChange(store, sku, safety=units),)))

    def _move(
        self, store: str, sku: str, kind: MovementKind, units: int, stamp: e.Stamp, reason: str, reference: str
    ) -> Movement:
        return Movement(ids.movement_id(store, self._draw()), store, sku, kind, units, stamp, reason, reference)


def ledger_of(parts: Parts) -> Ledger:
    """The built-in ledger; raises `Misconfigured` for a hub that was opened with an inventory of its own."""
    if not isinstance(parts.inventory, Ledger):
        raise Misconfigured(needs="the built-in ledger: this hub was opened with an inventory of its own")
    return parts.inventory


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
