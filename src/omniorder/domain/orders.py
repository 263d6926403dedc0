"""Orders: what was bought, how it is paid, and the pick-up that discharges it, as one aggregate.

The lines of a placed order never change. What happens to them is told beside them, in the pick-up's lines, and
every change is an event through `apply`, one version each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from typing import Any, Final

from attrs import evolve, field, frozen

from omniorder.domain import events as e
from omniorder.domain import ids, pickups
from omniorder.domain import payments as pay
from omniorder.domain.carts import Cart
from omniorder.domain.channels import Channel
from omniorder.domain.corrections import Correction, CorrectionKind, noted, summed
from omniorder.domain.lifecycle import (
    GUARDED,
    ORDER,
    PICKUP,
    Funding,
    Joint,
    OrderState,
    PaymentState,
    PickupState,
    Table,
    advance,
    forbidden,
    funding,
)
from omniorder.domain.money import Money
from omniorder.domain.order_lines import OrderLine as OrderLine
from omniorder.domain.payments import Payment
from omniorder.domain.pickups import Pickup, PickupLine
from omniorder.domain.promises import Promise, TaxPart, tax_parts
from omniorder.domain.text import Metadata
from omniorder.domain.transfers import assigned
from omniorder.errors import IllegalTransition, InvalidMoney, NotFound


class Stage(Enum):
    """What the customer sees: derived from the joint state, stored nowhere."""

    AWAITING_PAYMENT = "awaiting_payment"
    PREPARING = "preparing"
    QUESTION = "question"
    """The store can't do it as promised, and waits for the customer's answer."""
    READY = "ready"
    COLLECTED = "collected"
    BEING_CANCELLED = "being_cancelled"
    CANCELLED = "cancelled"
    NOT_COLLECTED = "not_collected"
    EXPIRED = "expired"
    RETURNED = "returned"


@frozen
class Order:
    """An order. Its `id` is its reference: `SOF01-7K3F9Q`, home store first. `version` counts its events.

    `total` is what was bought, `ceiling` the most that may ever be charged. `pay_by` is the deadline of an order
    that is not funded yet, `hold_until` how long its goods wait for money in flight. `corrections` are fees, refunds
    and goodwill, in the order in which they were granted. `lines` are what was placed, and never change; `added` are
    those that came later: substitutes, and what the customer wanted more.
    """

    id: str
    version: int
    state: OrderState
    owner: str
    cart_id: str
    promise_id: str
    reservation_id: str
    channel: Channel
    total: Money
    ceiling: Money
    lines: tuple[OrderLine, ...]
    pickup: Pickup
    placed_at: datetime
    pay_by: datetime
    payments: tuple[Payment, ...] = ()
    confirmed_at: datetime | None = None
    hold_until: datetime | None = None
    language: str = ""
    metadata: Metadata = field(factory=Metadata)
    corrections: tuple[Correction, ...] = ()
    added: tuple[OrderLine, ...] = ()

    @property
    def store(self) -> str:
        """The home store: fixed at placing, part of the id."""
        return ids.store_of(self.id)

    @property
    def every_line(self) -> tuple[OrderLine, ...]:
        """What was placed and what came later, as the pick-up has them."""
        return (*self.lines, *self.added)

    def line(self, line_id: str) -> OrderLine:
        """The line with this id; raises `NotFound`."""
        for line in self.every_line:
            if line.id == line_id:
                return line
        raise NotFound("line", line_id)

    def payment(self, payment_id: str) -> Payment:
        """The payment with this id; raises `NotFound`."""
        for payment in self.payments:
            if payment.id == payment_id:
                return payment
        raise NotFound("payment", payment_id)

    def next_pickup_id(self) -> str:
        """The id of the pick-up that would take over from this one."""
        return ids.pickup_id(self.id, int(self.pickup.id.rpartition("_")[2]) + 1)

    def next_payment_id(self) -> str:
        """The id of the payment that would come next: derived, so that a repeated decision gives the same."""
        return ids.payment_id(self.id, len(self.payments) + 1)

    def payment_with(self, attempt_id: str) -> Payment:
        """The payment that this attempt belongs to; raises `NotFound`."""
        for payment in self.payments:
            if any(attempt.id == attempt_id for attempt in payment.attempts):
                return payment
        raise NotFound("attempt", attempt_id)

    # --- money ---

    @property
    def kept(self) -> Money:
        """Captured less refunded, all tenders together."""
        return Money(sum(p.net.amount for p in self.payments), self.total.currency)

    @property
    def held(self) -> Money:
        """What is kept and not on its way back."""
        return self.kept - Money(sum(p.refund_pending.amount for p in self.payments), self.total.currency)

    @property
    def fees(self) -> Money:
        """What the shop may keep beside what goods cost."""
        return Money(summed(self.corrections, CorrectionKind.FEE), self.total.currency)

    @property
    def credited(self) -> Money:
        """What the customer need not pay of what goods and fees cost: refunds and goodwill."""
        sums = summed(self.corrections, CorrectionKind.REFUND, CorrectionKind.GOODWILL)
        return Money(sums, self.total.currency)

    @property
    def owed(self) -> Money:
        """What the shop may keep as things stand: the value of what has left, with fees and less what was credited."""
        return self.collected_value + self._corrected

    @property
    def owed_in_all(self) -> Money:
        """The same once everything is collected that is still wanted."""
        return self.wanted_value + self._corrected

    def owed_after(self, units: Iterable[e.Units]) -> Money:
        """The same once these units are collected too."""
        return self.value_after(units) + self._corrected

    @property
    def _corrected(self) -> Money:
        return self.fees - self.credited

    @property
    def collected_value(self) -> Money:
        """The value of the units that have left the store."""
        return self._value(lambda line: line.collected)

    @property
    def wanted_value(self) -> Money:
        """The value of all units that were not cancelled, lapsed or lost."""
        return self._value(lambda line: line.quantity - line.dropped)

    @property
    def leaving_value(self) -> Money:
        """The value of what has left and is about to: the claimed units during a hand-over, else everything."""
        handing_over = self.pickup.state is PickupState.HANDING_OVER
        return self.value_after(self.pickup.claim) if handing_over else self.wanted_value

    def value_after(self, units: Iterable[e.Units]) -> Money:
        """The value of what will have left the store once these units are collected too."""
        more = {part.line: part.quantity for part in units}
        return self._value(lambda line: line.collected + more.get(line.line, 0))

    @property
    def due_in_store(self) -> Money:
        """What is left to be paid at the counter if everything is collected that is still wanted, by its actual weight
        once it is known."""
        due = sum(p.amount.amount for p in self.payments if p.state is PaymentState.DUE_IN_STORE)
        if due:
            aside = sum(
                p.authorised.amount - p.captured.amount for p in self.payments if p.state is PaymentState.AUTHORISED
            )
            due = max(0, min(due, self.owed_in_all.amount - self.held.amount - aside))
        return Money(due, self.total.currency)

    @property
    def to_pay_out(self) -> Money:
        """What the counter is to pay out in cash when the customer comes for it: refunds of what it took in cash."""
        due = sum(a.amount.amount for p in self.payments for a in p.attempts if a.open and p.left_to_people(a))
        return Money(due, self.total.currency)

    @property
    def uncovered(self) -> Money:
        """What no tender stands for, of the most that may ever be charged; nothing when tenders stand for more."""
        covered = self.kept.amount + sum(p.in_sight.amount for p in self.payments)
        return Money(max(0, self.ceiling.amount - covered), self.total.currency)

    @property
    def outcome(self) -> pay.Outcome | None:
        """What a channel needs to know next of the money: of the first payment that the customer must act on, else of
        the last; None for an order that costs nothing."""
        acting = (p for p in self.payments if p.state is PaymentState.ACTION_REQUIRED)
        found = next(acting, self.payments[-1] if self.payments else None)
        return found.outcome if found else None

    @property
    def most(self) -> Money:
        """The most that may be charged now: the ceiling of what was not called off, with what was corrected since."""
        # rounded line by line, so parts that cost as much may be a cent dearer than the whole
        return min(self.may_cost, self.ceiling) + self._corrected

    @property
    def may_cost(self) -> Money:
        """What all that was not called off costs at most, whether the customer has agreed to so much or not."""
        bought = {line.id: line for line in self.every_line}
        amounts = (bought[line.line].at_most(line.bounds[1]).amount for line in self.pickup.lines)
        return Money(sum(amounts), self.total.currency)

    @property
    def funding(self) -> Funding:
        """Where the money stands; a fold over the payments, stored nowhere."""
        return funding(
            self.payments,
            closing=self.state not in (OrderState.PLACED, OrderState.CONFIRMED),
            keep=self.owed.amount,
            leaving=(self.leaving_value + self._corrected).amount,
            wanted=self.owed_in_all.amount,
        )

    @property
    def taxes(self) -> tuple[TaxPart, ...]:
        """The tax that `total` contains, per rate."""
        return tax_parts((line.tax, line.total) for line in self.lines)

    def _value(self, units: Callable[[PickupLine], int]) -> Money:
        lines = {line.id: line for line in self.every_line}
        amounts = [lines[line.line].value(units(line)).amount for line in self.pickup.lines]
        return Money(sum(amounts), self.total.currency)

    # --- where it stands ---

    @property
    def joint(self) -> Joint:
        """The joint state that couplings and guards look at."""
        return Joint(
            order=self.state,
            funding=self.funding,
            pickup=self.pickup.state,
            payments=tuple(p.state for p in self.payments),
            paid=self.held >= self.leaving_value + self._corrected,
            collected=self.pickup.collected,
            left=bool(self.pickup.left),
        )

    @property
    def stage(self) -> Stage:
        """What the customer sees."""
        match self.state:
            case OrderState.PLACED:
                return Stage.AWAITING_PAYMENT
            case OrderState.CONFIRMED:
                if self.pickup.state is PickupState.AWAITING_CUSTOMER or self.pickup.proposals:
                    return Stage.QUESTION
                ready = self.pickup.state in (PickupState.READY, PickupState.HANDING_OVER)
                return Stage.READY if ready else Stage.PREPARING
            case OrderState.COMPLETED:
                return Stage.COLLECTED
            case OrderState.CANCELLING | OrderState.EXPIRING:
                return Stage.BEING_CANCELLED
            case OrderState.CANCELLED:
                return Stage.CANCELLED
            case OrderState.EXPIRED:
                return Stage.NOT_COLLECTED if self.pickup.state is PickupState.LAPSED else Stage.EXPIRED
            case OrderState.RETURNED:
                return Stage.RETURNED

    def units_by_sku(self, units: Iterable[e.Units]) -> dict[str, int]:
        """The same units, summed per SKU, as the stock ledger counts them."""
        sums: dict[str, int] = {}
        for part in units:
            sku = self.line(part.line).sku
            sums[sku] = sums.get(sku, 0) + part.quantity
        return sums


def place(order_id: str, cart: Cart, promise: Promise, *, at: datetime, channel: Channel, pay_by: datetime) -> Order:
    """The order that a promise becomes: unfunded, with a planned pick-up; `OrderPlaced` is still to be applied."""
    wishes = {line.id: line for line in cart.lines}
    lines = tuple(
        OrderLine(q.line, q.sku, q.name, q.unit, q.quantity, q.price, q.per, q.tax, q.total,
                  wishes[q.line].note, wishes[q.line].metadata, q.tolerance, q.handling,
                  consent=wishes[q.line].consent)
        for q in promise.quote.lines
    )  # fmt: skip
    skus = {line.id: line.sku for line in lines}
    awaited, _ = assigned([e.Units(line.id, line.quantity) for line in lines], skus, promise.legs)
    pickup = Pickup(
        id=ids.pickup_id(order_id),
        store=promise.store,
        state=PickupState.PLANNED,
        slot=promise.slot,
        starts=promise.starts,
        ends=promise.ends,
        lines=tuple(PickupLine(line.id, line.quantity, tolerance=line.tolerance) for line in lines),
        zone=promise.zone,
        awaited=awaited,
        collect=promise.collect,
    )
    return Order(
        id=order_id,
        version=0,
        state=OrderState.PLACED,
        owner=promise.owner,
        cart_id=cart.id,
        promise_id=promise.id,
        reservation_id=promise.reservation_id,
        channel=channel,
        total=promise.quote.total,
        ceiling=promise.quote.ceiling,
        lines=lines,
        pickup=pickup,
        placed_at=at,
        pay_by=pay_by,
        language=cart.language,
        metadata=cart.metadata,
    )


def _kinds(table: Table[Any]) -> frozenset[type[e.Event]]:
    return frozenset(kind for row in table.values() for kind in row)


_ORDER_EVENTS: Final = _kinds(ORDER)
_PICKUP_EVENTS: Final = _kinds(PICKUP)


def apply(order: Order, event: e.Event, at: datetime) -> Order:
    """The order after `event`, one version on.

    An event moves every machine whose table knows it: the order, its pick-up, and the payment that it names.
    Raises `IllegalTransition` when a table has no such step or a guard forbids it; nothing has changed then.
    """
    if type(event) in GUARDED and (why := forbidden(event, order.joint)):
        raise IllegalTransition(machine="order", state=order.state.value, event=type(event).__name__, legal=[], why=why)
    if isinstance(event, (e.PaymentEvent, e.AttemptEvent)):
        after = pay.apply(order.payment(event.payment), event, at)
        payments = tuple(after if p.id == after.id else p for p in order.payments)
        return evolve(order, payments=payments, version=order.version + 1)
    kind = type(event)
    state = advance(order.state, event) if kind in _ORDER_EVENTS or kind not in _PICKUP_EVENTS else order.state
    pickup = pickups.apply(order.pickup, event, at) if kind in _PICKUP_EVENTS else order.pickup
    order = evolve(order, state=state, pickup=pickup, version=order.version + 1)
    match event:
        case e.OrderChanged(pay_by=pay_by):
            return evolve(order, pay_by=pay_by or order.pay_by)
        case e.LinesAppended(lines, ceiling=ceiling):
            more = (_with_what_is_private(line, event) for line in lines)
            return evolve(order, added=(*order.added, *more), ceiling=ceiling or order.ceiling)
        case e.PartReturned(units) | e.AllReturned(units):
            return evolve(order, pickup=pickups.bring_back(order.pickup, units))
        case e.GoodsExchanged(lines):
            value = Money(sum(line.total.amount for line in lines), order.total.currency)
            return evolve(
                order,
                added=(*order.added, *lines),
                ceiling=order.ceiling + value,
                pickup=pickups.exchange(order.pickup, event, at),
            )
        case e.LinesCancelled(units):
            return evolve(order, pickup=pickups.call_off(order.pickup, units))
        case e.OrderRerouted():
            return evolve(order, pickup=_successor(order.pickup, event), reservation_id=event.reservation)
        case e.TenderAdded():
            return evolve(order, payments=(*order.payments, pay.create(event, at)))
        case e.PaymentDeadlineExtended(pay_by):
            return evolve(order, pay_by=pay_by)
        case e.OrderConfirmed():
            return evolve(order, confirmed_at=at)
        case e.CancelStarted(hold_until=until) | e.ExpiryStarted(hold_until=until):
            return evolve(order, hold_until=until)
        case e.OrderClaimed(owner=owner):
            return evolve(order, owner=owner)
        case e.CreditGranted() | e.FeeCharged():
            return _corrected(order, event, at)
        case _:
            return order


def _with_what_is_private(line: OrderLine, came: e.LinesAppended) -> OrderLine:
    """The line with what its customer wrote to the picker, and with what somebody can't eat."""
    note = dict(came.notes).get(line.id, line.note)
    excluded = dict(came.without_allergens).get(line.id, line.consent.without_allergens)
    return evolve(line, note=note, consent=evolve(line.consent, without_allergens=excluded))


def _corrected(order: Order, event: e.CreditGranted | e.FeeCharged, at: datetime) -> Order:
    """Raises `InvalidMoney` for nothing or less, and for a credit of more than the shop may keep."""
    if event.amount <= Money(0, order.total.currency):
        raise InvalidMoney("amount", str(event.amount), "must be more than nothing")
    if isinstance(event, e.CreditGranted) and event.amount > order.owed:
        raise InvalidMoney("amount", str(event.amount), f"must be at most {order.owed}")
    return evolve(order, corrections=(*order.corrections, noted(event, at)))


def _successor(pickup: Pickup, event: e.OrderRerouted) -> Pickup:
    """The pick-up that takes over: nothing of it has been done yet, and what was called off stays so."""
    return Pickup(
        id=event.pickup,
        store=event.store,
        state=PickupState.PLANNED,
        slot=event.slot,
        starts=event.starts,
        ends=event.ends,
        lines=tuple(
            PickupLine(
                line.line,
                line.ordered,
                dropped=line.dropped,
                tolerance=line.tolerance,
                replaced=line.replaced,
                instead_of=line.instead_of,
            )
            for line in pickup.lines
        ),
        zone=event.zone,
        collect=pickup.collect,
        holds=pickup.holds,  # over by now, and still its own
        generation=pickup.generation + 1,
        extended=pickup.extended,
        proxy=pickup.proxy,
    )


def told(order: Order, events: Iterable[e.Event], at: datetime) -> Order:
    """The order after all of these events."""
    for event in events:
        order = apply(order, event, at)
    return order
