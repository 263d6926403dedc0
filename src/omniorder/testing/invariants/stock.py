"""Stock: nothing is promised twice, nothing leaves twice, and every unit that is held is held for somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from omniorder.domain.events import Units
from omniorder.domain.lifecycle import ENDED_PICKUPS, PromiseState, ReservationState, TransferState
from omniorder.domain.movements import fits, rebuilt
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise, holds
from omniorder.domain.quantities import weight_bounds
from omniorder.domain.stock import Level, Reservation
from omniorder.domain.transfers import OPEN
from omniorder.testing.invariants.checking import View, invariant, whole
from omniorder.testing.invariants.rows import beside


@whole
def stock_is_the_sum_of_its_movements(view: View) -> Iterator[str]:
    """S1, S4: what is on hand is what ever came, less what ever went; so is what is quarantined."""
    stored = (((level.store, level.sku), level) for level in view.rows.levels())
    moved = (((level.store, level.sku), level) for level in rebuilt(view.rows.movements()))
    for (store, sku), there, made in beside(stored, moved):
        right = made or Level(store, sku)
        if there is None:
            yield f"{store} {sku}: its movements give {_numbers(right)}, and there is no level"
        elif (there.on_hand, there.quarantined) != (right.on_hand, right.quarantined):
            yield f"{store} {sku}: stored as {_numbers(there)}, its movements give {_numbers(right)}"


def _numbers(level: Level) -> str:
    return f"{level.on_hand} on hand and {level.quarantined} quarantined"


@invariant
def movements_go_their_kinds_way(view: View) -> Iterator[str]:
    """S1: what is received comes, what is collected goes, and what is quarantined goes from one to the other."""
    for move in view.rows.movements():
        if not fits(move):
            yield f"{move.id} ({move.kind.value}): {move.quantity} at the shelf, {move.quarantined} in quarantine"


@whole
def reserved_is_what_reservations_hold(view: View) -> Iterator[str]:
    """S2: `reserved` is the sum of the live units of all reservations, but those that are held outside."""
    reserved = (((level.store, level.sku), level.reserved) for level in view.rows.levels())
    by_level = groupby(view.rows.held(), key=lambda one: (one.store, one.sku))
    held = ((key, sum(one.live for one in lines)) for key, lines in by_level)
    for (store, sku), noted, live in beside(reserved, held):
        if noted is None and live:
            yield f"{store} {sku}: reservations hold {live}, and there is no level"
        elif noted is not None and noted != (live or 0):
            yield f"{store} {sku}: {noted} reserved, reservations hold {live or 0}"


@invariant
def levels_are_never_negative(view: View) -> Iterator[str]:
    """S3: on hand, reserved, safety and quarantined are never below zero, and what is expected is something."""
    for level in view.rows.levels():
        if min(level.on_hand, level.reserved, level.safety, level.quarantined) < 0:
            yield str(level)
    for delivery in view.rows.expected():
        if delivery.quantity <= 0:
            yield str(delivery)


@invariant
def no_unit_leaves_twice(view: View) -> Iterator[str]:
    """S5: of each reservation line, live, consumed, released and expired units are the quantity, none negative."""
    ended = (ReservationState.SETTLED, ReservationState.RELEASED, ReservationState.EXPIRED)
    for reservation in view.rows.reservations():
        for line in reservation.lines:
            parts = (line.live, line.consumed, line.released, line.expired)
            if line.quantity <= 0 or min(parts) < 0 or sum(parts) != line.quantity:
                yield f"{reservation.id}: {line}"
        live = bool(reservation.live())
        if live == (reservation.state in ended) and (live or reservation.lines):  # one of nothing holds nothing
            yield f"{reservation.id} is {reservation.state.value} with {reservation.live()} live"


@invariant
def collected_goods_left_the_books(view: View) -> Iterator[str]:
    """S5: what a reservation says was consumed is what the order says was collected."""
    for order in view.rows.orders():
        consumed: Counter[str] = Counter()
        for held in _here(view, order):
            consumed.update({line.sku: line.consumed for line in held.lines if line.consumed})
        gone = order.units_by_sku(Units(line.line, line.collected) for line in order.pickup.lines if line.collected)
        if consumed != gone:
            yield f"{order.id}: collected {gone}, but consumed {consumed}"


@invariant
def open_units_are_held(view: View) -> Iterator[str]:
    """S6: what customers still expect is held for them, unit by unit, of what is weighed the most that it may weigh,
    here, or to be sent here, and so is what is proposed to them; an ended order holds nothing."""
    for order in view.rows.orders():
        wanted = Counter[str]()
        if order.pickup.state not in ENDED_PICKUPS:
            wanted.update(order.units_by_sku(order.pickup.held()))
        for proposal in order.pickup.proposals:
            wanted[proposal.coming.sku] += weight_bounds(proposal.quantity, proposal.coming.tolerance)[1]
        held: Counter[str] = Counter()
        for reservation in _here(view, order):
            held.update(reservation.live())
        for leg in order.pickup.awaited:
            held.update(order.units_by_sku(leg.units))
        if held != wanted:
            yield f"{order.id} ({order.state.value}, {order.pickup.state.value}): wants {wanted}, holds {held}"


@invariant
def reservations_belong_to_promises(view: View) -> Iterator[str]:
    """S6: the reservations of each promise are made of what that promised, and end as it ended."""
    for promise in view.rows.promises():
        promised = Counter(holds(promise.quote))
        parts = {leg.reservation: (leg.store, Counter(dict(leg.units))) for leg in promise.legs}
        for _, units in parts.values():
            promised.subtract(units)
        parts[promise.reservation_id] = (promise.store, +promised)
        for reservation_id, (store, units) in parts.items():
            reservation = view.rows.reservation(reservation_id)
            if reservation is None:
                yield f"{promise.id}: its reservation {reservation_id} is missing"
            elif why := _unlike(promise, reservation, store, units):
                yield f"{promise.id} ({promise.state.value}): {reservation} {why}"


@whole
def a_reservation_is_somebodys(view: View) -> Iterator[str]:
    """S6: no reservation is without the promise, order, pick-up or transfer that it serves, and none serves two.

    What an order held at a store that it was moved away from has ended, and serves nobody any more. Of an id that was
    given up before its promise was made only the id is left, so that none can be made of it.
    """
    rows = (one for one in view.rows.reservations() if one.lines or not one.outside)
    reservations = (((one.store, one.id), one) for one in rows)
    by_reservation = groupby(view.rows.claims(), key=lambda claim: (claim.store, claim.reservation))
    claimed = ((key, len({claim.by for claim in claims})) for key, claims in by_reservation)
    for (_, reservation_id), there, count in beside(reservations, claimed):
        if there is not None and count != 1 and not (count is None and _was_moved(there)):
            yield f"{reservation_id} is claimed by {count or 0}"


def _was_moved(reservation: Reservation) -> bool:
    """Whether all that it held firmly was given back, as an order's units are that go to another store."""
    settled = reservation.state is ReservationState.SETTLED
    return settled and all(line.released == line.quantity for line in reservation.lines)


_ENDS = {
    PromiseState.HELD: {ReservationState.HELD},
    PromiseState.REPLACED: {ReservationState.RELEASED},
    PromiseState.WITHDRAWN: {ReservationState.RELEASED},
    # a lapsed promise that is replaced before a sweep comes by is released with the others
    PromiseState.LAPSED: {ReservationState.EXPIRED, ReservationState.RELEASED},
    PromiseState.ACCEPTED: set(ReservationState),
}


def _here(view: View, order: Order) -> list[Reservation]:
    """What holds an order's units in its pick-up's store, live or ended."""
    found = map(view.rows.reservation, (order.reservation_id, *order.pickup.holds))
    return [one for one in found if one is not None]


def _unlike(promise: Promise, reservation: Reservation, store: str, units: Counter[str]) -> str:
    if {line.sku: line.quantity for line in reservation.lines} != units:
        return f"is not of {dict(units)}"
    if reservation.store != store:
        return f"is not at {store}"
    if reservation.state not in _ENDS[promise.state]:
        return "ended otherwise"
    if promise.state is PromiseState.HELD and reservation.until != promise.expires_at:
        return f"does not end at {promise.expires_at}"
    return ""


@invariant
def what_is_held_has_a_limit(view: View) -> Iterator[str]:
    """S7: a reservation has a time limit exactly while it is held for something unpaid."""
    for reservation in view.rows.reservations():
        if (reservation.until is not None) != (reservation.state is ReservationState.HELD):
            yield f"{reservation.id} is {reservation.state.value} until {reservation.until}"
    for order in view.rows.orders():
        awaited = (leg.reservation for leg in order.pickup.awaited)
        for held in map(view.rows.reservation, (order.reservation_id, *awaited)):
            if held and held.until not in (None, order.pay_by):
                yield f"{order.id} is to be paid by {order.pay_by}, its units are held until {held.until}"


@invariant
def transfers_hold_what_they_send(view: View) -> Iterator[str]:
    """S5, S6: a transfer's units are held at its source until they are sent, are sent once, and arrive at most once."""
    for transfer in view.rows.transfers():
        reservation = view.rows.reservation(transfer.reservation)
        if reservation is None:
            yield f"{transfer.id}: its reservation is missing"
            continue
        sent = transfer.picked if transfer.shipped_at is not None else {}
        kept = {TransferState.REQUESTED: transfer.requested, TransferState.PICKED: transfer.picked}
        consumed = {line.sku: line.consumed for line in reservation.lines if line.consumed}
        if reservation.live() != kept.get(transfer.state, {}) or consumed != sent:
            yield f"{transfer.id} ({transfer.state.value}) is of {transfer.lines}, held is {reservation}"


@invariant
def what_is_awaited_is_on_its_way(view: View) -> Iterator[str]:
    """S6: what an order awaits is in a transfer to its store that has not ended; an unpaid one's is held for it."""
    for order in view.rows.orders():
        for leg in order.pickup.awaited:
            units, transfer = order.units_by_sku(leg.units), view.rows.transfer(leg.transfer)
            if order.confirmed_at is None:
                held = view.rows.reservation(leg.reservation)
                if held is None or held.live() != units or transfer is not None:
                    yield f"{order.id} awaits {units}, held is {held}, and {transfer}"
                continue
            coming = {} if transfer is None else transfer.requested
            if transfer is not None and transfer.state is not TransferState.REQUESTED:
                coming = transfer.picked
            whose = transfer and (transfer.order, transfer.destination, transfer.state in OPEN)
            if whose != (order.id, order.pickup.store, True) or any(coming.get(s, 0) < n for s, n in units.items()):
                yield f"{order.id} awaits {units} by {transfer}"
