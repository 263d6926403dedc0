"""Stock: nothing is promised twice, nothing leaves twice, and every unit that is held is held for somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from omniorder.domain.events import Units
from omniorder.domain.lifecycle import ENDED_PICKUPS, PromiseState, ReservationState
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Reservation
from omniorder.testing.invariants.checking import View, invariant, whole
from omniorder.testing.invariants.rows import beside


@whole
def stock_is_the_sum_of_its_movements(view: View) -> Iterator[str]:
    """S1, S4: what is on hand is what ever came, less what ever went."""
    on_hand = (((level.store, level.sku), level.on_hand) for level in view.rows.levels())
    by_level = groupby(view.rows.movements(), key=lambda move: (move.store, move.sku))
    moved = ((key, sum(move.quantity for move in moves)) for key, moves in by_level)
    for (store, sku), there, came in beside(on_hand, moved):
        if there is None:
            yield f"{store} {sku}: movements of {came}, and no level"
        elif there != (came or 0):
            yield f"{store} {sku}: {there} on hand, its movements sum to {came or 0}"


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
    """S3: on hand, reserved and safety are never below zero."""
    for level in view.rows.levels():
        if min(level.on_hand, level.reserved, level.safety) < 0:
            yield str(level)


@invariant
def no_unit_leaves_twice(view: View) -> Iterator[str]:
    """S5: of each reservation line, live, consumed, released and expired units are the quantity, none negative."""
    ended = (ReservationState.SETTLED, ReservationState.RELEASED, ReservationState.EXPIRED)
    for reservation in view.rows.reservations():
        for line in reservation.lines:
            parts = (line.live, line.consumed, line.released, line.expired)
            if line.quantity <= 0 or min(parts) < 0 or sum(parts) != line.quantity:
                yield f"{reservation.id}: {line}"
        if (reservation.state in ended) == bool(reservation.live()):
            yield f"{reservation.id} is {reservation.state.value} with {reservation.live()} live"


@invariant
def collected_goods_left_the_books(view: View) -> Iterator[str]:
    """S5: what a reservation says was consumed is what the order says was collected."""
    for order in view.rows.orders():
        reservation = view.rows.reservation(order.reservation_id)
        consumed = {line.sku: line.consumed for line in reservation.lines if line.consumed} if reservation else {}
        gone = order.units_by_sku(Units(line.line, line.collected) for line in order.pickup.lines if line.collected)
        if consumed != gone:
            yield f"{order.id}: collected {gone}, but consumed {consumed}"


@invariant
def open_units_are_held(view: View) -> Iterator[str]:
    """S6: what customers still expect is held for them, unit by unit, and an ended order holds nothing."""
    for order in view.rows.orders():
        wanted: dict[str, int] = {}
        if order.pickup.state not in ENDED_PICKUPS:
            wanted = order.units_by_sku(order.pickup.rest())
        reservation = view.rows.reservation(order.reservation_id)
        held = reservation.live() if reservation else {}
        if held != wanted:
            yield f"{order.id} ({order.state.value}, {order.pickup.state.value}): wants {wanted}, holds {held}"


@invariant
def reservations_belong_to_promises(view: View) -> Iterator[str]:
    """S6: the reservation of each promise is made of what that promised, and ends as it ended."""
    for promise in view.rows.promises():
        reservation = view.rows.reservation(promise.reservation_id)
        if reservation is None:
            yield f"{promise.id}: its reservation {promise.reservation_id} is missing"
        elif why := _unlike(promise, reservation):
            yield f"{promise.id} ({promise.state.value}): {reservation} {why}"


@whole
def a_reservation_is_of_one_promise(view: View) -> Iterator[str]:
    """S6: no reservation is without its promise, and none serves two.

    Of an id that was given up before its promise was made only the id is left, so that none can be made of it.
    """
    reservations = (((one.store, one.id), 1) for one in view.rows.reservations() if one.lines or not one.outside)
    by_reservation = groupby(view.rows.claims(), key=lambda claim: (claim.store, claim.reservation))
    claimed = ((key, sum(1 for _ in claims)) for key, claims in by_reservation)
    for (_, reservation_id), there, count in beside(reservations, claimed):
        if there is not None and count != 1:
            yield f"{reservation_id} belongs to {count or 0} promises"


_ENDS = {
    PromiseState.HELD: {ReservationState.HELD},
    PromiseState.REPLACED: {ReservationState.RELEASED},
    PromiseState.WITHDRAWN: {ReservationState.RELEASED},
    # a lapsed promise that is replaced before a sweep comes by is released with the others
    PromiseState.LAPSED: {ReservationState.EXPIRED, ReservationState.RELEASED},
    PromiseState.ACCEPTED: set(ReservationState),
}


def _unlike(promise: Promise, reservation: Reservation) -> str:
    promised: Counter[str] = Counter()
    for line in promise.quote.lines:
        promised[line.sku] += line.quantity
    if {line.sku: line.quantity for line in reservation.lines} != promised:
        return f"is not of {dict(promised)}"
    if reservation.store != promise.store:
        return f"is not at {promise.store}"
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
        held = view.rows.reservation(order.reservation_id)
        if held and held.until not in (None, order.pay_by):
            yield f"{order.id} is to be paid by {order.pay_by}, its units are held until {held.until}"
