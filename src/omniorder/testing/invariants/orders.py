"""Orders, carts, promises and slots: every step is of the tables, and what belongs together agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from omniorder.domain import ids
from omniorder.domain.accounts import tries_of
from omniorder.domain.lifecycle import (
    CartState,
    OrderState,
    PickupState,
    PromiseState,
    ReservationState,
    is_legal,
)
from omniorder.domain.orders import Order
from omniorder.domain.quantities import weight_bounds
from omniorder.domain.stock import Reservation
from omniorder.ports.inspection import Booking, Tries
from omniorder.ports.writes import NOTHING_BOOKED, SlotUse
from omniorder.testing.invariants.checking import View, invariant, whole
from omniorder.testing.invariants.rows import beside


@invariant
def joint_states_are_legal(view: View) -> Iterator[str]:
    """O1: order, funding, pick-up and reservation are in a joint state that the couplings admit."""
    for order in view.rows.orders():
        reservation = view.rows.reservation(order.reservation_id)
        if reservation is None:
            yield f"{order.id}: its reservation {order.reservation_id} is missing"
        elif not is_legal(order.joint, held := _held(view, order, reservation)):
            joint = order.joint
            yield (
                f"{order.id}: order {joint.order.value}, funding {joint.funding.value}, pick-up {joint.pickup.value}, "
                f"reservation {held.value}, payments {[p.value for p in joint.payments]}"
            )


def _held(view: View, order: Order, reservation: Reservation) -> ReservationState:
    """The state of all that holds the order's units: firm as long as anything does that has come, or is to come."""
    if reservation.state is ReservationState.SETTLED:
        arrived = map(view.rows.reservation, order.pickup.holds)
        if order.pickup.awaited or any(one is not None and one.live() for one in arrived):
            return ReservationState.FIRM
    return reservation.state


def reopens_its_cart(order: Order) -> bool:
    """Whether it ended before it was confirmed: then its cart is open again."""
    return order.confirmed_at is None and order.state in (OrderState.CANCELLED, OrderState.EXPIRED)


@invariant
def a_cart_is_ordered_once(view: View) -> Iterator[str]:
    """O2: a cart has at most one order that did not end before it was confirmed, and points to it."""
    for order in view.rows.orders():
        cart = view.rows.cart(order.cart_id)
        if cart is None:
            yield f"{order.id} is of cart {order.cart_id}, which is missing"
        elif not reopens_its_cart(order) and cart.order_id != order.id:
            yield f"{order.id} stands, and its cart {cart.id} ({cart.state.value}) points to {cart.order_id}"
    for cart in view.rows.carts():
        pointed = view.rows.order(cart.order_id) if cart.order_id else None
        stands = pointed is not None and pointed.cart_id == cart.id and not reopens_its_cart(pointed)
        if stands != (cart.order_id is not None) or stands != (cart.state is CartState.ORDERED):
            yield f"{cart.id} is {cart.state.value} and points to {cart.order_id}"


@invariant
def a_promise_is_its_carts(view: View) -> Iterator[str]:
    """O4: a cart has at most one live promise, and points to it; an accepted promise and its order name each other."""
    for promise in view.rows.promises():
        order = view.rows.order(promise.order_id) if promise.order_id else None
        accepted = promise.state is PromiseState.ACCEPTED
        if accepted != (order is not None) or (order and order.promise_id != promise.id):
            yield f"{promise.id} is {promise.state.value} and names order {promise.order_id}"
        cart = view.rows.cart(promise.cart_id)
        if cart is None:
            yield f"{promise.id} is of cart {promise.cart_id}, which is missing"
        elif promise.state is PromiseState.HELD and (cart.state, cart.promise_id) != (CartState.OPEN, promise.id):
            yield f"{promise.id} is live, and its cart {cart.id} ({cart.state.value}) points to {cart.promise_id}"
    for cart in view.rows.carts():
        if cart.promise_id and cart.state is CartState.OPEN:
            live = view.rows.promise(cart.promise_id)
            if live is None or live.state is not PromiseState.HELD or live.cart_id != cart.id:
                yield f"{cart.id} points to {live or cart.promise_id}"
    for order in view.rows.orders():
        stands_on = view.rows.promise(order.promise_id)
        if stands_on is None or stands_on.order_id != order.id:
            yield f"{order.id} stands on {order.promise_id}, which says otherwise"


@invariant
def orders_are_listed_beside_their_owner(view: View) -> Iterator[str]:
    """O2: a customer's list holds every order of theirs once, and no other."""
    for order in view.rows.orders():
        if view.rows.listed(order.owner, order.id) != 1:
            yield f"{order.id} is not listed once for its owner"
    for listing in view.rows.listings():
        listed = view.rows.order(listing.order)
        if listed is None or listed.owner != listing.owner:
            yield f"{listing.order} is listed for somebody whose order it is not"


@invariant
def no_more_is_collected_than_bought(view: View) -> Iterator[str]:
    """O3: of each line, what was collected and what was dropped is at most what was bought, or what it weighs within
    the agreed tolerance; only ready goods leave."""
    for order in view.rows.orders():
        if [line.id for line in order.every_line] != [line.line for line in order.pickup.lines]:
            yield f"{order.id}: other lines are picked up than were bought"
            continue
        for bought, line in zip(order.every_line, order.pickup.lines, strict=True):
            called_off = line.dropped if line.open else 0  # of what is over, what lapsed by weight is in it too
            least, heaviest = weight_bounds(bought.quantity, bought.tolerance)
            agreed = (bought.quantity, bought.tolerance) == (line.ordered, line.tolerance)
            _, most = weight_bounds(bought.quantity - called_off, bought.tolerance)
            most = max(most, line.quantity - called_off)  # some was refused after it had been weighed
            fits = (
                line.replaced <= line.dropped
                and 0 <= line.returned <= line.collected
                and least <= line.quantity <= heaviest
                and line.open >= 0 <= min(line.collected, line.dropped)
            )
            if not agreed or not fits:
                yield f"{order.id}: bought {bought.quantity} of {bought.id}, but {line}"
            elif not line.collected <= line.picked <= most:
                yield f"{order.id}: {line}"
        if (order.pickup.state is PickupState.HANDING_OVER) != bool(order.pickup.claim):
            yield f"{order.id}: {order.pickup.state.value} with claim {order.pickup.claim}"
        if order.pickup.state is PickupState.COLLECTED and order.pickup.rest():
            yield f"{order.id}: collected, and {order.pickup.rest()} still open"


@whole
def slots_count_their_bookings(view: View) -> Iterator[str]:
    """O4: the places and lines taken in a slot are those of its held promises and of the orders that were not called
    off or lapsed."""
    slots = (((slot.store, slot.slot), SlotUse(slot.booked, slot.lines)) for slot in view.rows.slots())
    by_slot = groupby(view.rows.bookings(), key=lambda one: (one.store, one.slot))
    taken = ((key, _taken(bookings)) for key, bookings in by_slot)
    for (_, slot_id), booked, counted in beside(slots, taken):
        kept, found = booked or NOTHING_BOOKED, counted or NOTHING_BOOKED
        if kept.orders != found.orders:
            yield f"{slot_id}: {kept.orders} places are booked, {found.orders} are taken"
        if kept.lines != found.lines:
            yield f"{slot_id}: {kept.lines} lines are booked, {found.lines} are taken"


def _taken(bookings: Iterable[Booking]) -> SlotUse:
    lines = [one.lines for one in bookings if _takes_a_place(one.state)]
    return SlotUse(len(lines), sum(lines))


def _takes_a_place(state: PromiseState | PickupState) -> bool:
    if isinstance(state, PromiseState):
        return state is PromiseState.HELD
    return state not in (PickupState.CANCELLED, PickupState.LAPSED, PickupState.REROUTED)


@whole
def slots_are_not_overbooked(view: View) -> Iterator[str]:
    """O4: no slot holds more than its store's capacity, of orders and of lines; one that was lowered since shows here
    until it is over."""
    stores = {store.id: store for store in view.rows.stores()}
    for slot in view.rows.slots():
        store = stores.get(slot.store)
        if store is not None and slot.starts > view.now:
            if slot.booked > store.slot_capacity:
                yield f"{slot.slot}: {slot.booked} of {store.slot_capacity} places are booked"
            if store.slot_lines is not None and slot.lines > store.slot_lines:
                yield f"{slot.slot}: {slot.lines} of {store.slot_lines} lines are booked"
        if ids.slot_id(slot.store, slot.starts) != slot.slot:
            yield f"{slot.slot} starts at {slot.starts}"


@whole
def bins_count_their_orders(view: View) -> Iterator[str]:
    """O4: as many orders are counted in a bin as ready ones lie there."""
    lying = Counter((one.store, code) for one in view.rows.staged() for code in one.bins)
    counted = Counter({(one.store, one.bin): one.orders for one in view.rows.bins()})
    for store, code in sorted(lying.keys() | counted.keys()):
        if counted[store, code] != lying[store, code]:
            yield f"{store}: {counted[store, code]} orders are counted in {code}, {lying[store, code]} lie there"


@invariant
def wrong_codes_are_limited(view: View) -> Iterator[str]:
    """O5: no code was tried more often than the settings allow, and only of handoffs, ready orders, gift cards."""
    for counted in view.rows.tries():
        if not _is_said(view, counted):
            yield f"{counted}: there is no such code"
        elif not 0 < counted.tries <= view.settings.code_tries:
            yield f"{counted}: at most {view.settings.code_tries} tries are allowed"


def _is_said(view: View, counted: Tries) -> bool:
    """Whether there is or was a code that could be tried wrongly."""
    if counted.subject.startswith(tries_of("")):
        return True  # a wrong code of a gift card names none: it is counted for whoever showed it
    order = view.rows.order(counted.subject)
    if order is None:
        return counted.generation == 0 and view.rows.handoff(counted.subject) is not None
    return 0 < counted.generation <= order.pickup.generation and order.pickup.ready_at is not None
