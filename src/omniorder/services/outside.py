"""Stock in a retailer's own system: the one place that calls an `Inventory`, always between transactions.

**Reserve, commit.** Before a promise is committed its units are held outside under an id of ours, and before that a
timer for that id is committed. Whatever happens in between - a crash, a lost reply, a commit that fails - the timer
finds an id without a reservation and has it released. It first takes the id in our own database, so that a promise
that is only slow can't be committed any more.

**Follow.** From then on the reservation's row says how it is to stand. Each change sets its timer, and `follow` tells
the system outside the whole of it, in numbers that count in all: whoever dies in between is succeeded by the next
sweep, which tells the same again.

**Gone.** What ended outside before its time is held anew, if it is still there. If not, the order says so (`HoldLost`),
it is tried again and again, and the order says when it is well (`HoldRestored`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.events import Stamp
from omniorder.domain.handoffs import Scope
from omniorder.domain.lifecycle import OrderState, PromiseState, ReservationState
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Reservation
from omniorder.errors import (
    AlreadyThere,
    InventoryFault,
    InventoryUnavailable,
    Misconfigured,
    OutOfStock,
    ReservationGone,
)
from omniorder.ports.inventory import Inventory
from omniorder.ports.storage import Transaction
from omniorder.ports.writes import ReservationWrite, Timer, TimerWrite, Writes
from omniorder.services.access import promise_for
from omniorder.services.logs import log
from omniorder.services.parts import Parts, Touch
from omniorder.services.payments import own_transaction
from omniorder.services.ripples import carry_on
from omniorder.services.units import Unit, in_transaction, reading

PATIENCE: Final = timedelta(minutes=1)
"""How long a promise may take from the first word outside to its commit, before it is taken for dead."""

TRY_AGAIN: Final = timedelta(minutes=5)
"""How long a hold that was lost, and can't be had back yet, waits for its next try."""

Missing: TypeAlias = tuple[tuple[str, int], ...]
"""Units per SKU that are held nowhere."""


def available(parts: Parts, stores: Sequence[str], skus: Sequence[str]) -> Mapping[tuple[str, str], int] | None:
    """What the system outside says may be promised, per (store, SKU); None for a hub whose stock is its own."""
    if parts.outside is None:
        return None
    own_transaction(parts, "checkout.offers")
    return parts.outside.available(stores, skus)


# --- reserve, commit --------------------------------------------------------------------------------------


@contextmanager
def held(parts: Parts, stamp: Stamp, new: Promise, units: Mapping[str, int], instead_of: str | None) -> Generator[None]:
    """Hold a promise's units outside while the block commits it; given back when that fails.

    `instead_of` is the cart's former promise, if any: also one whose time is up, and that no sweep came for yet.

    Raises `OutOfStock`, `InventoryFault`, and `InventoryUnavailable` when it is not known whether they are held.
    """
    if parts.outside is None:
        yield
        return
    own_transaction(parts, "checkout.promise")
    intent = Timer(new.store, new.reservation_id, stamp.at + PATIENCE)
    _set(parts, stamp, intent, intent.due_at)
    limit = new.expires_at + parts.settings.outside_margin
    old = ids.reservation_of(instead_of) if instead_of else None
    try:
        parts.outside.reserve(new.reservation_id, new.store, units, limit, old)
    except InventoryUnavailable:
        raise  # it may be held: the timer finds out
    except (OutOfStock, InventoryFault):
        _set(parts, stamp, intent, None)
        raise
    except ReservationGone as refused:
        _set(parts, stamp, intent, None)
        raise InventoryFault(inventory=_name(parts.outside), reason="it refused an id that was never used") from refused
    try:
        yield
    except AlreadyThere as taken:
        if taken.facts["kind"] != "reservation":
            raise
        raise InventoryUnavailable(inventory=_name(parts.outside), reason="the promise took too long") from taken
    except Exception:
        _try_to_follow(parts, intent, stamp)
        raise


def still_held(parts: Parts, touch: Touch, promise_id: str, stamp: Stamp) -> bool:
    """Make sure, before anybody pays, that a promise's units are held outside for as long as paying may take.

    False when they are lost. While the system outside is silent its last word counts, as long as that reaches.

    Raises `NotFound`, `NotAllowed`, `InventoryFault`, `InventoryUnavailable`.
    """
    if parts.outside is None:
        return True
    own_transaction(parts, "checkout.place")
    at, settings = stamp.at, parts.settings
    promise, row = reading(parts, lambda tx: _promised(touch, tx, promise_id, at))
    if row is None or not row.outside or promise.state is not PromiseState.HELD or at >= promise.expires_at:
        return True
    pay_by = min(max(promise.expires_at, at + settings.pay_within), promise.ends)
    try:
        return not _hold(parts.outside, row, pay_by + settings.outside_margin)
    except InventoryUnavailable:
        if pay_by > promise.expires_at + settings.outside_margin:
            raise
        log().warning("no answer from the inventory; its last word counts", promise=promise.id)
        return True


def _promised(touch: Touch, tx: Transaction, promise_id: str, at: datetime) -> tuple[Promise, Reservation | None]:
    promise = promise_for(touch, tx, promise_id, Scope.PAY, at)
    return promise, tx.reservation(promise.reservation_id)


# --- follow -----------------------------------------------------------------------------------------------


def follow(parts: Parts, timer: Timer, stamp: Stamp) -> list[str]:
    """Tell the system outside how this reservation is to stand; the names of what happened to its order by that.

    Raises `InventoryFault`, `InventoryUnavailable`, `Misconfigured`.
    """
    if parts.outside is None:
        raise Misconfigured(
            needs="the retailer's own inventory, in which something is held: OrderHub.open(outside=...)"
        )
    row = _row(parts, timer, stamp)
    order = reading(parts, lambda tx: _order_on(tx, row.id))
    missing = _tell(parts, parts.outside, row, order.id if order else "", stamp)
    return in_transaction(parts, stamp, lambda unit: _told(unit, timer, row, missing))


def put_off(parts: Parts, timer: Timer, stamp: Stamp, fault: InventoryFault) -> None:
    """What could not be told waits, so that it holds up nothing else."""
    pause = parts.settings.look_again if fault.retry else TRY_AGAIN
    _set(parts, stamp, timer, stamp.at + pause)


def _try_to_follow(parts: Parts, timer: Timer, stamp: Stamp) -> None:
    """What fails here is left to the sweep."""
    try:
        follow(parts, timer, stamp)
    except Exception:
        log().warning("could not give back what was reserved", reservation=timer.subject, exc_info=True)


def _row(parts: Parts, timer: Timer, stamp: Stamp) -> Reservation:
    """How it is to stand. An id that no promise was committed for is taken now, so that none will be."""
    try:
        return in_transaction(parts, stamp, lambda unit: _found_or_given_up(unit, timer))
    except AlreadyThere:  # the promise was committed this very moment
        return in_transaction(parts, stamp, lambda unit: _found_or_given_up(unit, timer))


def _found_or_given_up(unit: Unit, timer: Timer) -> Reservation:
    found = unit.tx.reservation(timer.subject)
    if found is not None:
        return found
    nothing = Reservation(timer.subject, timer.store, ReservationState.RELEASED, (), None, outside=True)
    unit.tx.write(Writes(reservations=(ReservationWrite(None, nothing),)))
    return nothing


def _tell(parts: Parts, outside: Inventory, row: Reservation, order_id: str, stamp: Stamp) -> Missing:
    margin = parts.settings.outside_margin
    match row.state:
        case ReservationState.RELEASED | ReservationState.EXPIRED:
            outside.release(row.id)
            return ()
        case ReservationState.HELD:
            return _hold(outside, row, (row.until or stamp.at) + margin)
        case ReservationState.FIRM:
            missing = _hold(outside, row, None, again_until=stamp.at + margin)
            _count_out(outside, row, order_id)
            if not missing and (back := {line.sku: line.released for line in row.lines if line.released}):
                outside.release(row.id, back)
            return missing
        case ReservationState.SETTLED:
            _count_out(outside, row, order_id)
            outside.release(row.id)
            return ()


def _hold(
    outside: Inventory, row: Reservation, until: datetime | None, *, again_until: datetime | None = None
) -> Missing:
    """Extend (or, without `until`, confirm) what is held, and hold anew what has ended there; what can't be had."""
    try:
        _set_limit(outside, row.id, until)
        return ()
    except ReservationGone:
        pass
    limit = until or again_until
    assert limit is not None
    try:
        outside.reserve(row.id, row.store, {line.sku: line.quantity for line in row.lines}, limit)
        _set_limit(outside, row.id, until)
    except OutOfStock as short:
        return tuple((one["sku"], one["wanted"] - one["available"]) for one in short.facts["short"])
    except ReservationGone:  # somebody released it there: it can't be had back under its id
        return tuple(sorted(row.live().items()))
    return ()


def _set_limit(outside: Inventory, reservation: str, until: datetime | None) -> None:
    if until is None:
        outside.confirm(reservation)
    else:
        outside.extend(reservation, until)


def _count_out(outside: Inventory, row: Reservation, order_id: str) -> None:
    """The goods are with the customer, whatever the system outside makes of it."""
    gone = {line.sku: line.consumed for line in row.lines if line.consumed}
    if not gone:
        return
    try:
        outside.consume(row.id, gone, order_id)
    except ReservationGone as unknown:
        log().error("goods left that the inventory does not hold", reservation=row.id, order=order_id, units=gone,
                    outcome=unknown.code)  # fmt: skip


def _told(unit: Unit, timer: Timer, row: Reservation, missing: Missing) -> list[str]:
    """Note that it was told, unless it was changed meanwhile: then its timer was set anew, and it is told again."""
    if unit.tx.reservation(row.id) != row:
        return []
    lost = bool(missing) and row.state is ReservationState.FIRM
    again = unit.stamp.at + TRY_AGAIN if lost else None
    set_anew = TimerWrite(timer.store, timer.subject, again, if_due_at=timer.due_at)
    unit.tx.write(Writes(reservations=(ReservationWrite(row, row),), timers=(set_anew,)))  # guarded as it was read
    order = _order_on(unit.tx, row.id) if row.state is ReservationState.FIRM else None
    if order is None or order.state is not OrderState.CONFIRMED or lost == _is_lost(unit.tx, order):
        return []
    event = e.HoldLost(row.id, missing) if lost else e.HoldRestored(row.id)
    if lost:
        log().error("the inventory lost what an order holds", order=order.id, reservation=row.id)
    carry_on(unit, order, [event])
    return [type(event).__name__]


def _is_lost(tx: Transaction, order: Order) -> bool:
    """What its journal said last."""
    lost = False
    for entry in tx.journal(order.store, order.id, after=0, limit=order.version):
        if isinstance(entry.event, e.HoldLost | e.HoldRestored):
            lost = isinstance(entry.event, e.HoldLost)
    return lost


def _order_on(tx: Transaction, reservation_id: str) -> Order | None:
    promise = tx.promise(ids.promise_of(reservation_id))
    return tx.order(promise.order_id) if promise and promise.order_id else None


def _set(parts: Parts, stamp: Stamp, timer: Timer, due: datetime | None) -> None:
    """Set the timer anew, unless somebody else has meanwhile."""
    before = None if due == timer.due_at else timer.due_at
    write = TimerWrite(timer.store, timer.subject, due, if_due_at=before)
    in_transaction(parts, stamp, lambda unit: unit.tx.write(Writes(timers=(write,))))


def _name(outside: Inventory) -> str:
    return type(outside).__name__
