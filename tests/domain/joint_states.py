"""Every joint state that a small order can reach, found by trying everything that anybody could do next.

A `World` is an order, its reservation and the instant. `Explorer` starts from the placed order and tries, breadth
first, every answer of the provider to every attempt (late ones too), every step of store and customer, every deadline
that may pass, and the sweep. The steps are the domain's own functions, joined as the services join them. Worlds that
differ only in what decides nothing (ids, instants, attempts that are over) count as one, which keeps them finite.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from attrs import evolve, field, frozen

from omniorder.domain import answers, capturing, carts, coupling, ids, orders, promises, stock
from omniorder.domain import events as e
from omniorder.domain.answers import Absent, Answer, Approved, Denied, NeedsAction, NoAnswer
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.channels import Channel
from omniorder.domain.lifecycle import (
    AttemptState,
    CartState,
    OrderState,
    PaymentState,
    PickupState,
    PromiseState,
    ReservationState,
)
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import Action, Attempt, Operation, Payment, payment_id
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Reservation
from omniorder.errors import OmniorderError


NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
STORE = "SOF01"
OWNER = "customer:anna"
LOOK_AGAIN = timedelta(seconds=30)
HOLD = timedelta(minutes=30)
WAITS = timedelta(days=3)

PROVIDER, CLOCK, STORE_STAFF, CUSTOMER = "provider", "clock", "staff", "customer"
"""Who takes a step."""


@frozen
class Setting:
    """One small order: units per line, the price of a unit, and how it may be paid."""

    name: str
    units: tuple[int, ...]
    tenders: tuple[str, ...]
    capabilities: capturing.Capabilities = field(factory=capturing.Capabilities)
    price: int = 100
    late: bool = True


@frozen
class World:
    """Where one order stands. `reservation` follows it as the ledger would."""

    order: Order
    reservation: Reservation
    now: datetime


@frozen
class Step:
    """Something that happened: who did it, what it was, and the world after it."""

    by: str
    what: str
    world: World


Key = tuple[object, ...]


class Explorer:
    """All worlds of one setting, and the steps between them."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.worlds: dict[Key, World] = {}
        self.steps: dict[Key, list[tuple[str, str, Key]]] = {}
        self.came_from: dict[Key, tuple[str, Key] | None] = {}
        self.crashes: list[tuple[str, Key, OmniorderError]] = []
        waiting: deque[Key] = deque()
        for tender in setting.tenders:
            self._meet(self._placed(tender), None, waiting)
        while waiting:
            key = waiting.popleft()
            world = self.worlds[key]
            self.steps[key] = []
            for step in self._next(world):
                found = self._meet(step.world, (f"{step.by}: {step.what}", key), waiting)
                self.steps[key].append((step.by, step.what, found))

    def _meet(self, world: World, how: tuple[str, Key] | None, waiting: deque[Key]) -> Key:
        key = _canonical(world)
        if key not in self.worlds:
            self.worlds[key] = world
            self.came_from[key] = how
            waiting.append(key)
        return key

    def story(self, key: Key) -> str:
        """How this world was reached first, step by step."""
        told: list[str] = []
        at: Key | None = key
        while at is not None:
            how = self.came_from[at]
            told.append(f"    {how[0] if how else 'placed'}  ->  {summary(self.worlds[at])}")
            at = how[1] if how else None
        return "\n".join(reversed(told))

    # --- the beginning ---

    def _placed(self, tender: str) -> World:
        cart = Cart(ids.cart_id(bytes(16)), OWNER, CartState.OPEN, 0, (), NOW, NOW)
        for number, units in enumerate(self.setting.units, 1):
            cart = carts.apply(cart, e.LineAdded(f"ln_{number}", f"SKU-{number}", units), NOW)
        skus = [line.sku for line in cart.lines]
        quote = promises.quote(
            cart,
            {sku: Article(sku, sku) for sku in skus},
            {sku: Price(sku, Money(self.setting.price, "EUR"), tax=Decimal("0.2")) for sku in skus},
        )
        until = NOW + timedelta(minutes=15)
        promise = Promise(
            ids.promise_id(STORE, bytes(16)), STORE, cart.id, OWNER, cart.lines_version, PromiseState.HELD,
            ids.slot_id(STORE, NOW), NOW, NOW + timedelta(hours=1), quote, ids.reservation_id(STORE, bytes(16)),
            NOW, until,
        )  # fmt: skip
        reservation = stock.reserve(promise.reservation_id, STORE, cart.demand(), until)
        blank = orders.place(
            ids.order_id(STORE, bytes(8)), cart, promise, at=NOW, channel=Channel.APP, pay_by=until
        )
        placed = e.OrderPlaced(cart.id, promise.id, OWNER, quote.total, quote.ceiling, until)
        world = World(blank, reservation, NOW)
        return carried_on(world, (placed, *_tendered(blank, tender)))

    # --- what may happen next ---

    def _next(self, world: World) -> Iterator[Step]:
        yield from self._provider(world)
        yield from self._clock(world)
        yield from self._staff(world)
        yield from self._customer(world)

    def _provider(self, world: World) -> Iterator[Step]:
        for payment in world.order.payments:
            for attempt in payment.attempts:
                for answer in self.answers_to(payment, attempt):
                    yield from self._must(world, PROVIDER, attempt, answer)

    def answers_to(self, payment: Payment, attempt: Attempt) -> Sequence[Answer]:
        """What a provider may say about this attempt now; nothing that contradicts what is known."""
        if attempt.state is AttemptState.ABSENT and self.setting.late:
            if attempt.operation is not Operation.AUTHORISE:
                return (Approved(attempt.amount),)
            return (Approved(attempt.amount, "pi"), Approved(attempt.amount, "pi", captured=True))
        if not attempt.open:
            return ()
        always = (Denied("refused"), NoAnswer(), Absent())
        match attempt.operation:
            case Operation.AUTHORISE:
                yes = (Approved(attempt.amount, "pi"), Approved(attempt.amount, "pi", captured=True))
                return (*yes, NeedsAction(Action("secret")), *always)
            case Operation.CAPTURE:
                opens = (False, True) if self.setting.capabilities.several_captures else (False,)
                yes = tuple(Approved(attempt.amount, "ch", open=opened) for opened in opens)
                return (*yes, Denied("authorisation_expired"), *always)
            case Operation.VOID:
                found = payment.captured if payment.captured.amount else payment.amount
                return (Approved(attempt.amount), Denied("captured", found), *always)
            case Operation.REFUND | Operation.COLLECT:
                return (Approved(attempt.amount), *always)

    def _clock(self, world: World) -> Iterator[Step]:
        for name, deadline in deadlines(world).items():
            if deadline > world.now:
                yield Step(CLOCK, f"{name} passes", evolve(world, now=deadline))
        late = coupling.overdue(world.order, world.now, world.now + HOLD)
        yield from self._must(world, CLOCK, "sweep", late)

    def _staff(self, world: World) -> Iterator[Step]:
        order = world.order
        decisions: dict[str, Callable[[], Sequence[e.Event]]] = {
            "reset": lambda: [e.PickReset()],
            "unready": lambda: [e.Unreadied("broken")],
        }
        first: list[e.Event] = [e.PickStarted()] if order.pickup.state is PickupState.TO_PICK else []
        for line in order.pickup.lines:
            if line.open > line.picked - line.collected:
                decisions[f"pick {line.line}"] = lambda name=line.line: [*first, e.LinePicked(name, 1)]
        if order.pickup.fully_picked:
            decisions["ready"] = lambda: [e.MadeReady("C4", world.now + WAITS, "1")]
        yield from self._allowed(world, STORE_STAFF, decisions)

    def _customer(self, world: World) -> Iterator[Step]:
        order = world.order
        decisions: dict[str, Callable[[], Sequence[e.Event]]] = {
            "cancel": lambda: coupling.cancel(order, "changed my mind", world.now + HOLD)
        }
        last = order.payments[-1] if order.payments else None
        refused = (PaymentState.DECLINED, PaymentState.LAPSED, PaymentState.VOIDED)
        if order.state is OrderState.PLACED and world.now < order.pay_by and last and last.state in refused:
            for tender in self.setting.tenders:
                if len(order.payments) < 2:
                    decisions[f"pays by {tender}"] = lambda kind=tender: _tendered(order, kind)
        claims = {"everything": order.pickup.rest()}
        for line in order.pickup.lines:
            if line.open:
                claims[f"one of {line.line}"] = (e.Units(line.line, 1),)
        for name, units in claims.items():
            due = order.value_after(units) - order.kept
            for taken in (None, capturing.Taken(due)) if due.amount > 0 else (None,):
                decisions[f"collects {name}{', pays' if taken else ''}"] = (
                    lambda units=units, taken=taken: self._hand_over(world, units, taken)
                )
        yield from self._allowed(world, CUSTOMER, decisions)

    def _hand_over(
        self, world: World, units: tuple[e.Units, ...], taken: capturing.Taken | None
    ) -> tuple[e.Event, ...]:
        return capturing.hand_over(
            world.order, units, capabilities={"card": self.setting.capabilities}, taken=taken,
            look_at=world.now + LOOK_AGAIN,
        )  # fmt: skip

    def _must(self, world: World, by: str, what: str, events: Sequence[e.Event]) -> Iterator[Step]:
        """A step that nobody may refuse: news from outside, and what time does."""
        try:
            yield Step(by, what, carried_on(world, events))
        except OmniorderError as crash:
            self.crashes.append((f"{by}: {what}", _canonical(world), crash))

    def _allowed(
        self, world: World, by: str, decisions: Mapping[str, Callable[[], Sequence[e.Event]]]
    ) -> Iterator[Step]:
        """Steps that the domain takes; a refusal must come as a typed error."""
        for what, decide in decisions.items():
            try:
                after = carried_on(world, decide())
            except OmniorderError:
                continue
            yield Step(by, what, after)


def carried_on(world: World, events: Sequence[e.Event]) -> World:
    """The world after these events and all that follows from them, for the stock too."""
    order = orders.told(world.order, events, world.now)
    order, more = coupling.follow(order, world.now)
    reservation = world.reservation
    for event in (*events, *more):
        reservation = _spread(reservation, order, event)
    return World(order, reservation, world.now)


def _spread(reservation: Reservation, order: Order, event: e.Event) -> Reservation:
    match event:
        case e.OrderConfirmed():
            return stock.apply(reservation, e.Firmed())
        case e.Collected(units) | e.PartCollected(units):
            return stock.resolve(reservation, e.UnitsConsumed(_per_sku(order, units)))
        case e.RestLapsed(units) | e.RestCancelled(units):
            return stock.resolve(reservation, e.UnitsReleased(_per_sku(order, units)))
        case e.PickupCancelled() | e.NoShow() if reservation.state is ReservationState.HELD:
            expired = order.state in (OrderState.EXPIRING, OrderState.EXPIRED)
            return stock.apply(reservation, e.ReservationExpired() if expired else e.ReservationReleased())
        case e.PickupCancelled() | e.NoShow():
            return stock.resolve(reservation, e.UnitsReleased(tuple(sorted(reservation.live().items()))))
        case _:
            return reservation


def _per_sku(order: Order, units: Sequence[e.Units]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(order.units_by_sku(units).items()))


def _tendered(order: Order, kind: str) -> tuple[e.Event, ...]:
    missing = order.ceiling - order.kept
    if missing.amount <= 0:
        return ()
    new = payment_id(order.id, len(order.payments) + 1)
    added = e.TenderAdded(new, kind, missing)
    if kind == "in_store":
        return (added, e.LeftForStore(new, missing))
    return (added, e.AuthoriseRequested(new, f"{new.replace('pay_', 'att_', 1)}_1", missing))


def deadlines(world: World) -> dict[str, datetime]:
    """The instants at which time alone changes what may happen to this order."""
    order = world.order
    found: dict[str, datetime | None] = {"pay by": order.pay_by if order.state is OrderState.PLACED else None}
    if order.state in coupling.CLOSING:
        found["hold"] = order.hold_until
    if order.state is OrderState.CONFIRMED and order.pickup.state is PickupState.READY:
        found["pick-up deadline"] = order.pickup.until
    for payment in order.payments:
        last = payment.attempts[-1] if payment.attempts else None
        if last is not None and last.operation is Operation.REFUND and last.state is not AttemptState.SUCCEEDED:
            found[f"refund again {payment.id}"] = last.asked_at + coupling.REFUND_AGAIN
    return {name: instant for name, instant in found.items() if instant is not None}


def _canonical(world: World) -> Key:
    order = world.order
    late = frozenset(name for name, deadline in deadlines(world).items() if deadline <= world.now)
    money = tuple(
        (
            p.kind, p.state, p.amount.amount, p.authorised.amount, p.captured.amount, p.refunded.amount,
            p.refund_pending.amount, tuple(_matters(p)),
        )
        for p in order.payments
    )  # fmt: skip
    pickup = order.pickup
    lines = tuple((line.picked, line.collected, line.dropped) for line in pickup.lines)
    held = tuple((line.consumed, line.released, line.expired) for line in world.reservation.lines)
    return (
        order.state, pickup.state, lines, pickup.claim, order.confirmed_at is None, money,
        world.reservation.state, held, late,
    )  # fmt: skip


def _matters(payment: Payment) -> Iterator[tuple[object, ...]]:
    """Of a payment's attempts, those that may still change something, and no more of them than does."""
    for attempt in payment.attempts:
        match attempt.operation:
            case Operation.AUTHORISE if attempt.open or attempt.state is AttemptState.ABSENT:
                yield (attempt.operation, attempt.state)
            case Operation.VOID if attempt.open and payment.state is PaymentState.VOIDING:
                yield (attempt.operation,)
            case Operation.CAPTURE | Operation.REFUND | Operation.COLLECT if attempt.open:
                yield (attempt.operation, attempt.amount.amount)
            case Operation.REFUND if attempt is payment.attempts[-1] and attempt.state is not AttemptState.SUCCEEDED:
                yield ("refund failed",)
            case _:
                pass


def summary(world: World) -> str:
    """The world in one line, for a failing test."""
    order = world.order
    money = " ".join(
        f"{p.kind}:{p.state.value}({p.authorised.amount}/{p.captured.amount}/{p.refunded.amount}+{p.refund_pending.amount})"
        for p in order.payments
    )
    return (
        f"{order.state.value}/{order.funding.value}/{order.pickup.state.value}/{world.reservation.state.value} {money}"
    )
