"""Substitutes: none that nobody agreed to, none above what was agreed to; what is proposed is kept for its customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from omniorder.domain import events as e
from omniorder.domain.consents import ConsentMode
from omniorder.domain.lifecycle import OrderState, PickupState, ReservationState
from omniorder.domain.money import extend
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order
from omniorder.domain.quantities import weight_bounds
from omniorder.domain.substitutes import ordered_line
from omniorder.testing.invariants.checking import View, invariant

_UNPREPARED = frozenset(
    {PickupState.TO_PICK, PickupState.PICKING, PickupState.AWAITING_STOCK, PickupState.AWAITING_CUSTOMER}
)


@invariant
def substitutes_were_agreed_to(view: View) -> Iterator[str]:
    """M2: a substitute is of a line whose customer allows it, and costs no more than they allow; the line and all that
    came instead of it cost, whatever they weigh, no more than the line's part of the ceiling."""
    for order, exchanged in _orders(view):
        sums: dict[str, int] = {}
        came = [line for line in order.every_line if line.id not in exchanged]
        for line in came:
            if line.instead_of and (why := _not_agreed_to(ordered_line(order, line.id), line)):
                yield f"{order.id}: {line} {why}"
        for line in came:
            ordered = ordered_line(order, line.id).id
            sums[ordered] = sums.get(ordered, 0) + line.value(order.pickup.line(line.id).bounds[1]).amount
        for ordered_id, amount in sums.items():
            line = order.line(ordered_id)
            _, most = weight_bounds(line.quantity, line.tolerance)
            if amount > line.at_most(most).amount:
                yield f"{order.id}: {ordered_id} and its substitutes cost {amount}, agreed was {line.at_most(most)}"


def _orders(view: View) -> Iterator[tuple[Order, frozenset[str]]]:
    """Each order, and its lines that were given in exchange for what came back: those are no substitutes."""
    for stream in view.rows.streams():
        order = view.rows.order(stream.name)
        if order is not None:
            swaps = (entry.event for entry in stream.events if isinstance(entry.event, e.GoodsExchanged))
            yield order, frozenset(line.id for swap in swaps for line in swap.lines)


def _not_agreed_to(ordered: OrderLine, came: OrderLine) -> str:
    consent = ordered.consent
    if consent.mode is ConsentMode.REFUSE or (consent.mode is ConsentMode.NAMED and came.sku != consent.sku):
        return f"instead of {ordered.id}, which allows {consent}"
    if came.unit is not ordered.unit or came.tolerance > ordered.tolerance:
        return f"is measured otherwise than {ordered.id}"
    if came.total > extend(ordered.cap, came.quantity, ordered.per):
        return f"costs more than the {ordered.cap} of {ordered.id}"
    return ""


@invariant
def what_was_replaced_came_otherwise(view: View) -> Iterator[str]:
    """S6: of each line as many units were substituted away as came instead of it, one for one."""
    for order, exchanged in _orders(view):
        came = Counter[str]()
        for line in order.added:
            if line.instead_of and line.id not in exchanged:
                came[line.instead_of] += line.quantity
        replaced = {line.line: line.replaced for line in order.pickup.lines if line.replaced}
        if replaced != came:
            yield f"{order.id}: replaced are {replaced}, came {dict(came)}"


@invariant
def what_is_proposed_is_held(view: View) -> Iterator[str]:
    """S6: what a customer is asked to take is firmly held for them, of what is weighed the most that it may weigh, and
    what it would replace is neither picked nor given up meanwhile; of ready goods and ended orders nothing is asked."""
    for order in view.rows.orders():
        pickup = order.pickup
        if pickup.proposals and (order.state is not OrderState.CONFIRMED or pickup.state not in _UNPREPARED):
            yield f"{order.id} ({order.state.value}, {pickup.state.value}) still asks about {pickup.proposals}"
        proposed = Counter[str]()
        for proposal in pickup.proposals:
            proposed[proposal.line] += proposal.quantity
            if why := _not_held(view, order, proposal.hold, proposal.coming):
                yield f"{order.id}: {proposal} {why}"
        if proposed != {line.line: line.proposed for line in pickup.lines if line.proposed}:
            yield f"{order.id}: proposed is {dict(proposed)}, noted {pickup.lines}"


def _not_held(view: View, order: Order, hold: str, coming: OrderLine) -> str:
    reservation = view.rows.reservation(hold)
    _, most = weight_bounds(coming.quantity, coming.tolerance)
    if reservation is None or hold not in order.pickup.holds:
        return "is held by nobody"
    held = (reservation.state, reservation.store, reservation.live())
    return "" if held == (ReservationState.FIRM, order.pickup.store, {coming.sku: most}) else f"is held as {held}"
