"""Changes of a confirmed order by its customer before the store begins to pick: what they want, and what that makes.

The order is the promise that was accepted: firm units, a place in a window, prices that don't change. A change replaces
it by another one in one piece: `OrderChanged`, and right after it the events that tell what is different. What was
bought and stays keeps its price; what is wanted more comes as a line of its own, at the price of now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo

from attrs import evolve, frozen

from omniorder.domain import events as e
from omniorder.domain.authorisations import raisable
from omniorder.domain.carts import Add, CartLine, Change, Remove
from omniorder.domain.consents import without_allergens
from omniorder.domain.lifecycle import advance
from omniorder.domain.money import Money
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order
from omniorder.domain.payments import Operation, PayInStore, Payment
from omniorder.domain.pickups import PickupLine
from omniorder.domain.planning import to_set_aside
from omniorder.domain.promises import Quote, QuoteLine, summed
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.slots import Slot
from omniorder.domain.terms import Terms
from omniorder.errors import InvalidInput, NotFound, PaymentInFlight, TooMany

__all__ = [
    "CHANGED",
    "Move",
    "OrderChange",
    "OrderEdit",
    "PaidBy",
    "Wanted",
    "ceiling",
    "left_for_the_counter",
    "missing",
    "new_lines",
    "possible",
    "quote",
    "raisable",
    "raised",
    "steps",
    "wanted",
    "way_to_pay",
]

CHANGED: Final = "changed"
"""Why units were called off that the customer doesn't want any more."""

OrderEdit = Add | Change | Remove
"""What can be done to the lines of an order: as to those of a cart, but no notes and consents for what is there."""


class PaidBy(Enum):
    """How what a change costs more would be paid."""

    NOTHING = "nothing"
    """It needs no more than is set aside, paid or due in the store."""
    RAISED = "raised"
    """More is set aside on the tender that was brought: its provider is asked to raise it."""
    COUNTER = "counter"
    """It is due in the store."""
    TENDER = "tender"
    """Another tender is needed: `pay=`."""


@frozen
class OrderChange:
    """What an order would be after a change. Nothing is held for it.

    `quote` is everything that would be wanted then, and what it costs: what stays at the price at which it was bought,
    what comes at the price of now. `difference` is by how much that is more (or less) than now, `missing` what no
    tender stands for, and `paid_by` how that would be paid. [`starts`, `ends`) is the window in UTC, `window` the same
    in the store's `zone`.
    """

    order: str
    store: str
    slot: str
    starts: datetime
    ends: datetime
    quote: Quote
    difference: Money
    missing: Money
    paid_by: PaidBy
    zone: str = "UTC"

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The window in the store's own zone."""
        zone = ZoneInfo(self.zone)
        return self.starts.astimezone(zone), self.ends.astimezone(zone)


def possible(order: Order) -> None:
    """Raise `IllegalTransition` unless the order is paid, and waits to be picked."""
    event = e.OrderChanged(order.total, 0)
    advance(order.state, event)
    advance(order.pickup.state, event)


# --- what is wanted ---------------------------------------------------------------------------------------


@frozen
class Wanted:
    """What edits of an order's lines come to: units that are called off, and wishes that come."""

    dropped: tuple[e.Units, ...] = ()
    added: tuple[CartLine, ...] = ()


def wanted(order: Order, edits: Sequence[OrderEdit], *, fresh: Iterable[str], most: int, most_units: int) -> Wanted:
    """These edits, one after the other. `fresh` are ids for lines to come.

    `most` is how many lines an order may have, with those that were called off, and `most_units` how many units of one
    SKU it may want. Raises `NotFound` for a line that isn't there any more, `InvalidQuantity`, `TooMany`,
    `InvalidInput` where nothing would be left.
    """
    had = {line.line: line.open for line in order.pickup.lines if line.open}
    now, wishes = dict(had), dict[tuple[object, ...], Add]()
    for edit in edits:
        match edit:
            case Add(sku, quantity, note, labels, consent):
                before = wishes.get((sku, note, labels, consent))
                total = quantity + (before.quantity if before else 0)
                wishes[sku, note, labels, consent] = evolve(edit, quantity=total)
            case Change(line, quantity):
                now[_known(had, line)] = quantity
            case Remove(line):
                now[_known(had, line)] = 0
    more = [
        Add(line.sku, now[line.id] - had[line.id], line.note, line.metadata, line.consent)
        for line in order.every_line
        if now.get(line.id, 0) > had.get(line.id, 0)
    ]
    ids_to_come = iter(fresh)
    found = Wanted(
        tuple(e.Units(line, count - now[line]) for line, count in had.items() if now[line] < count),
        tuple(CartLine(next(ids_to_come), one.sku, one.quantity, one.note, one.metadata, consent=one.substitutes)
              for one in (*more, *wishes.values())),
    )  # fmt: skip
    _within_limits(order, found, now, most, most_units)
    return found


def _known(had: dict[str, int], line: str) -> str:
    if line not in had:
        raise NotFound("line", line)
    return line


def _within_limits(order: Order, found: Wanted, now: dict[str, int], most: int, most_units: int) -> None:
    if not found.added and not any(now.values()):
        raise InvalidInput("edits", "nothing", "must leave something to be collected: call the order off instead")
    lines = len(order.every_line) + len(found.added)
    if found.added and lines > most:
        raise TooMany("lines", lines, f"an order has at most {most} lines, with those that were called off")
    skus = Counter[str]()
    for line in order.every_line:
        skus[line.sku] += min(now.get(line.id, 0), order.pickup.line(line.id).open)
    for wish in found.added:
        valid_quantity(skus[wish.sku] + wish.quantity, f"units of {wish.sku}", most=most_units)
        skus[wish.sku] += wish.quantity


def new_lines(added: Sequence[CartLine], priced: Sequence[QuoteLine]) -> tuple[OrderLine, ...]:
    """The lines of these wishes at these prices, without their notes and what somebody can't eat."""
    return tuple(
        OrderLine(q.line, q.sku, q.name, q.unit, q.quantity, q.price, q.per, q.tax, q.total,
                  metadata=wish.metadata, tolerance=q.tolerance, handling=q.handling,
                  consent=without_allergens(wish.consent))
        for wish, q in zip(added, priced, strict=True)
    )  # fmt: skip


# --- what happens -----------------------------------------------------------------------------------------


@frozen
class Move:
    """Where the goods are to be collected instead. Another store's units are held by `reservation`."""

    slot: Slot
    reservation: str

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The window in UTC."""
        return self.slot.starts.astimezone(UTC), self.slot.ends.astimezone(UTC)


def steps(
    order: Order, found: Wanted, lines: tuple[OrderLine, ...], move: Move | None, hold: str
) -> tuple[e.Event, ...]:
    """The events by which the order becomes what is wanted; what comes is kept by the reservation `hold`."""
    happens = [*_dropped(found), *(() if move is None else _moved(order, move))]
    if lines:
        notes = tuple((wish.id, wish.note) for wish in found.added if wish.note)
        excluded = ((wish.id, wish.consent.without_allergens) for wish in found.added)
        without = tuple((line, allergens) for line, allergens in excluded if allergens)
        happens.append(e.LinesAppended(lines, hold, notes=notes, without_allergens=without))
    return tuple(happens)


def _dropped(found: Wanted) -> Iterator[e.Event]:
    if found.dropped:
        yield e.LinesCancelled(found.dropped, CHANGED)


def _moved(order: Order, move: Move) -> Iterator[e.Event]:
    slot, (starts, ends) = move.slot, move.window
    if slot.store == order.pickup.store:
        yield e.SlotMoved(slot.id, starts, ends)
        return
    zone = str(slot.starts.tzinfo)
    yield e.PickRerouted()
    yield e.OrderRerouted(order.next_pickup_id(), slot.store, slot.id, starts, ends, zone, move.reservation)
    yield e.PickReleased()


def quote(order: Order) -> Quote:
    """Everything that is still wanted of the order, at the prices at which it was bought."""
    kept = {line.line: line for line in order.pickup.lines if line.open}
    return summed([_quoted(line, kept[line.id]) for line in order.every_line if line.id in kept])


def _quoted(line: OrderLine, now: PickupLine) -> QuoteLine:
    units = now.ordered - now.dropped
    return QuoteLine(line.id, line.sku, line.name, line.unit, units, line.price, line.per, line.tax,
                     line.value(units), line.tolerance, line.handling, line.consent.raised(line.price))  # fmt: skip


# --- what it costs ----------------------------------------------------------------------------------------


def ceiling(order: Order) -> Money | None:
    """The most that may be charged from now on, where what is wanted may cost more than the customer agreed to.

    What they agreed to once is not taken back when they want less: what is set aside is kept, and less captured.
    """
    return order.may_cost if order.may_cost > order.ceiling else None


def missing(order: Order, terms: Terms, *, raises: bool) -> Money:
    """What no tender stands for, of what is to be set aside for the order.

    Raises `PaymentInFlight` while more is asked for already: nobody knows yet how much will be set aside.
    """
    last = raisable(order, terms)
    needed = order.most if last is None else to_set_aside(order, terms.of(last), raises=raises)
    covered = order.held.amount + sum(p.in_sight.amount + _asked_for(p) for p in order.payments)
    left = max(0, needed.amount - covered)
    if left and any(p.being_raised for p in order.payments):
        raise PaymentInFlight(order=order.id)
    return Money(left, needed.currency)


def _asked_for(payment: Payment) -> int:
    """How much more its provider was asked to set aside, and has not answered yet."""
    if not payment.being_raised:
        return 0
    most = max(a.amount.amount for a in payment.attempts if a.open and a.operation is Operation.INCREASE)
    return max(0, most - payment.authorised.amount)


def way_to_pay(order: Order, left: Money, terms: Terms) -> PaidBy:
    """How that is paid where the customer brings no other tender.

    What was to be paid in the store all along is paid there too.
    """
    if not left.amount:
        return PaidBy.NOTHING
    if raisable(order, terms) is not None:
        return PaidBy.RAISED
    in_store = {p.kind for p in order.payments} == {PayInStore.kind}
    return PaidBy.COUNTER if terms.counter or in_store else PaidBy.TENDER


def raised(payment: Payment, left: Money) -> tuple[e.Event, ...]:
    """The events of asking for more on this payment."""
    return (e.IncreaseRequested(payment.id, payment.next_attempt_id(), payment.authorised + left),)


def left_for_the_counter(order: Order, left: Money) -> tuple[e.Event, ...]:
    """The events of having it paid in the store."""
    new = order.next_payment_id()
    return (e.TenderAdded(new, PayInStore.kind, left), e.LeftForStore(new, left))
