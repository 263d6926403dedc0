"""Orders, carts, promises and slots: every step is of the tables, and what belongs together agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from omniorder.domain import ids
from omniorder.domain.lifecycle import (
    CartState,
    OrderState,
    PickupState,
    PromiseState,
    is_legal,
)
from omniorder.domain.orders import Order
from omniorder.testing.invariants.checking import View, invariant


@invariant
def joint_states_are_legal(view: View) -> Iterator[str]:
    """O1: order, funding, pick-up and reservation are in a joint state that the couplings admit."""
    for order in view.rows.orders():
        reservation = view.rows.reservation(order.reservation_id)
        if reservation is None:
            yield f"{order.id}: its reservation {order.reservation_id} is missing"
        elif not is_legal(order.joint, reservation.state):
            joint = order.joint
            yield (
                f"{order.id}: order {joint.order.value}, funding {joint.funding.value}, pick-up {joint.pickup.value}, "
                f"reservation {reservation.state.value}, payments {[p.value for p in joint.payments]}"
            )


def reopens_its_cart(order: Order) -> bool:
    """Whether it ended before it was confirmed: then its cart is open again."""
    return order.confirmed_at is None and order.state in (OrderState.CANCELLED, OrderState.EXPIRED)


@invariant
def a_cart_is_ordered_once(view: View) -> Iterator[str]:
    """O2: a cart has at most one order that did not end before it was confirmed, and points to it."""
    standing: dict[str, list[str]] = {}
    for order in view.rows.orders():
        if not reopens_its_cart(order):
            standing.setdefault(order.cart_id, []).append(order.id)
    for cart in view.rows.carts():
        orders = standing.pop(cart.id, [])
        pointed = [cart.order_id] if cart.order_id else []
        if len(orders) > 1 or orders != pointed or bool(orders) != (cart.state is CartState.ORDERED):
            yield f"{cart.id} is {cart.state.value} and points to {pointed}, its orders are {orders}"
    for cart_id, orders in standing.items():
        yield f"{orders} are of cart {cart_id}, which is missing"


@invariant
def a_promise_is_its_carts(view: View) -> Iterator[str]:
    """O4: a cart has at most one live promise, and points to it; an accepted promise and its order name each other."""
    live: dict[str, list[str]] = {}
    for promise in view.rows.promises():
        if promise.state is PromiseState.HELD:
            live.setdefault(promise.cart_id, []).append(promise.id)
        order = view.rows.order(promise.order_id) if promise.order_id else None
        accepted = promise.state is PromiseState.ACCEPTED
        if accepted != (order is not None) or (order and order.promise_id != promise.id):
            yield f"{promise.id} is {promise.state.value} and names order {promise.order_id}"
    for cart in view.rows.carts():
        promises = live.pop(cart.id, [])
        pointed = [cart.promise_id] if cart.promise_id and cart.state is CartState.OPEN else []
        if promises != pointed:
            yield f"{cart.id} ({cart.state.value}) points to promise {pointed}, live are {promises}"
    for cart_id, promises in live.items():
        yield f"{promises} are of cart {cart_id}, which is missing"
    for order in view.rows.orders():
        stands_on = view.rows.promise(order.promise_id)
        if stands_on is None or stands_on.order_id != order.id:
            yield f"{order.id} stands on {order.promise_id}, which says otherwise"


@invariant
def orders_are_listed_beside_their_owner(view: View) -> Iterator[str]:
    """O2: a customer's list holds every order of theirs once, and no other."""
    listed = Counter((one.owner, one.order) for one in view.rows.listings())
    for order in view.rows.orders():
        if listed.pop((order.owner, order.id), 0) != 1:
            yield f"{order.id} is not listed once for its owner"
    for _, order_id in listed:
        yield f"{order_id} is listed for somebody whose order it is not"


@invariant
def no_more_is_collected_than_bought(view: View) -> Iterator[str]:
    """O3: of each line, what was collected and what was dropped is at most what was bought; only ready goods leave."""
    for order in view.rows.orders():
        if [line.id for line in order.lines] != [line.line for line in order.pickup.lines]:
            yield f"{order.id}: other lines are picked up than were bought"
            continue
        for bought, line in zip(order.lines, order.pickup.lines, strict=True):
            if line.quantity != bought.quantity or line.open < 0 or min(line.collected, line.dropped) < 0:
                yield f"{order.id}: bought {bought.quantity} of {bought.id}, but {line}"
            elif not line.collected <= line.picked <= line.quantity:
                yield f"{order.id}: {line}"
        if (order.pickup.state is PickupState.HANDING_OVER) != bool(order.pickup.claim):
            yield f"{order.id}: {order.pickup.state.value} with claim {order.pickup.claim}"
        if order.pickup.state is PickupState.COLLECTED and order.pickup.rest():
            yield f"{order.id}: collected, and {order.pickup.rest()} still open"


@invariant
def slots_count_their_bookings(view: View) -> Iterator[str]:
    """O4: the places taken in a slot are its held promises and the orders that were not called off or lapsed."""
    taken: Counter[tuple[str, str]] = Counter()
    for promise in view.rows.promises():
        if promise.state is PromiseState.HELD:
            taken[promise.store, promise.slot] += 1
    for order in view.rows.orders():
        if order.pickup.state not in (PickupState.CANCELLED, PickupState.LAPSED):
            taken[order.pickup.store, order.pickup.slot] += 1
    for slot in view.rows.slots():
        booked = taken.pop((slot.store, slot.slot), 0)
        if slot.booked != booked:
            yield f"{slot.slot}: {slot.booked} places are booked, {booked} are taken"
        if ids.slot_id(slot.store, slot.starts) != slot.slot:
            yield f"{slot.slot} starts at {slot.starts}"
    for (_, slot_id), count in taken.items():
        yield f"{slot_id}: {count} places are taken, none is booked"


@invariant
def slots_are_not_overbooked(view: View) -> Iterator[str]:
    """O4: no slot holds more than its store's capacity; one that was lowered since shows here until it is over."""
    capacity = {store.id: store.slot_capacity for store in view.rows.stores()}
    for slot in view.rows.slots():
        if slot.booked > capacity.get(slot.store, slot.booked) and slot.starts > view.now:
            yield f"{slot.slot}: {slot.booked} of {capacity[slot.store]} places are booked"


@invariant
def wrong_codes_are_limited(view: View) -> Iterator[str]:
    """O5: no code was tried more often than the settings allow, and only codes of orders that were ready."""
    for counted in view.rows.tries():
        order = view.rows.order(counted.order)
        if order is None or not 0 < counted.generation <= order.pickup.generation or order.pickup.ready_at is None:
            yield f"{counted}: there is no such code"
        elif not 0 < counted.tries <= view.settings.code_tries:
            yield f"{counted}: at most {view.settings.code_tries} tries are allowed"
