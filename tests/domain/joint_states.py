"""Every joint state that a small order can reach, found by trying everything that anybody could do next.

A `World` is an order, its reservation and the instant. `Explorer` starts from the placed order and tries, breadth
first, every answer of the provider to every attempt (late ones too), every step of store and customer, every
deadline that may pass, and the sweep. The steps are the domain's own functions, joined as the services join them.
Worlds that differ only in what decides nothing (ids, instants, attempts that are over) count as one, which keeps
them finite.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import assert_never

from attrs import evolve, field, frozen

from omniorder.domain import (
    answers,
    authorisations,
    capturing,
    carts,
    coupling,
    crediting,
    ids,
    orders,
    pickups,
    promises,
    stock,
    waiting,
)
from omniorder.domain import events as e
from omniorder.domain.answers import Absent, Answer, Approved, Denied, NeedsAction, NoAnswer
from omniorder.domain.articles import Article, Price
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.capturing import Taken, Terminal
from omniorder.domain.carts import Cart
from omniorder.domain.channels import Channel
from omniorder.domain.lifecycle import (
    BUSY_PAYMENTS,
    AttemptState,
    CartState,
    OrderState,
    PaymentState,
    PickupState,
    PromiseState,
    ReservationState,
)
from omniorder.domain.money import Money
from omniorder.domain.no_show_policy import NoShowPolicy
from omniorder.domain.orders import Order
from omniorder.domain.payments import Action, Attempt, Operation, Payment
from omniorder.domain.promises import Promise
from omniorder.domain.quantities import Unit
from omniorder.domain.questions import Alternative, Option, Question
from omniorder.domain.stock import Reservation
from omniorder.domain.terms import Terms
from omniorder.errors import OmniorderError

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
STORE = "SOF01"
OWNER = "customer:anna"
LOOK_AGAIN = timedelta(seconds=30)
HOLD = timedelta(minutes=30)
WAITS = timedelta(days=3)
PATIENCE = timedelta(hours=4)
LASTS = timedelta(days=2)
MARGIN = timedelta(hours=6)
OPTIONS = (
    Option("later", Alternative.LATER, STORE, ids.slot_id(STORE, NOW + WAITS), NOW + WAITS, NOW + WAITS + HOLD),
    Option("less", Alternative.LESS),
    Option("nothing", Alternative.NOTHING),
)


class By(Enum):
    """Who takes a step."""

    PROVIDER = "provider"
    CLOCK = "clock"
    STAFF = "staff"
    CUSTOMER = "customer"


@frozen
class Setting:
    """One small order: `units` per line, the price of a unit, and how it may be paid.

    `tenders` are brought one at a time, or two at once ("card+card"), each for a half. `tries` is how many payments the
    customer may begin; `late`: what was thought lost or was called
    off may turn up after all. `weighed`: each line may be half as much again, or half of it. `rejects`: the store may
    not have what was promised, and asks. `readers` is how many payments may be tried at a card reader. `ends`: what the
    customer had set aside lapses after `LASTS`. `raises`: of what is weighed only the price of what was ordered is set
    aside. `corrects`: the shop may refund, show goodwill and call off for a fee, at most two of them; and a refund may
    come back, once by each payment. `fee` is kept when nobody comes. `spoils`: the first line is perishable, and waits
    for less long than the others.
    """

    name: str
    units: tuple[int, ...] = (1,)
    tenders: tuple[str, ...] = ("card",)
    capabilities: Capabilities = field(factory=Capabilities)
    price: int = 100
    tries: int = 1
    late: bool = False
    weighed: bool = False
    rejects: bool = False
    readers: int = 0
    ends: bool = False
    raises: bool = False
    corrects: bool = False
    fee: int = 0
    spoils: bool = False

    @property
    def terms(self) -> Terms:
        fee = Money(self.fee, "EUR") if self.fee else None
        return Terms({"card": self.capabilities}, MARGIN, no_show=NoShowPolicy(fee=fee))


@frozen
class World:
    """Where one order stands, and its reservation beside it.

    `taken` is what providers and counter say they took for each payment, less what they say they gave back: it is
    written down as they say it, whatever the order makes of it. `terms` are those of the setting.
    """

    order: Order
    reservation: Reservation
    now: datetime
    terms: Terms
    taken: Mapping[str, int] = field(factory=dict[str, int])


@frozen
class Step:
    """Something that happens: who does it, what it is, and the world after it."""

    by: By
    what: str
    world: World


Key = tuple[object, ...]


class Explorer:
    """All worlds of one setting, and the steps between them.

    `steps` are those from each world, `refused` is news that the domain did not take: there should be none.
    """

    def __init__(self, setting: Setting) -> None:
        self.worlds: dict[Key, World] = {}
        self.steps: dict[Key, list[tuple[By, Key]]] = {}
        self.refused: list[tuple[Key, str]] = []
        self._setting = setting
        self._came_from: dict[Key, tuple[str, Key | None]] = {}
        waiting: deque[Key] = deque()
        for tender in setting.tenders:
            self._meet(placed(setting, tender), f"placed, {tender}", None, waiting)
        while waiting:
            key = waiting.popleft()
            self.steps[key] = []
            for step in self._next(key, self.worlds[key]):
                found = self._meet(step.world, f"{step.by.value}: {step.what}", key, waiting)
                self.steps[key].append((step.by, found))

    def _meet(self, world: World, how: str, before: Key | None, waiting: deque[Key]) -> Key:
        key = essence(world)
        if key not in self.worlds:
            self.worlds[key] = world
            self._came_from[key] = (how, before)
            waiting.append(key)
        return key

    def story(self, key: Key) -> str:
        """The shortest way to this world, step by step: what a failing test shows."""
        told: list[str] = []
        at: Key | None = key
        while at is not None:
            how, before = self._came_from[at]
            told.append(f"{how}\n        {summary(self.worlds[at])}")
            at = before
        return "\n".join(reversed(told))

    # --- what may happen next ---

    def _next(self, key: Key, world: World) -> Iterator[Step]:
        yield from self._news(key, world)
        yield from self._time(key, world)
        if self._setting.corrects:
            yield from self._bounces(key, world)
            yield from _taken(world, By.STAFF, _corrections(world))
        if world.order.state in (OrderState.PLACED, OrderState.CONFIRMED):
            yield from _taken(world, By.STAFF, _work(world))
            if self._setting.rejects:
                yield from _taken(world, By.STAFF, _rejections(world))
                yield from _taken(world, By.CUSTOMER, _replies(world))
            yield from _taken(world, By.CUSTOMER, self._wishes(world))

    def _news(self, key: Key, world: World) -> Iterator[Step]:
        """What the provider may say."""
        for payment in world.order.payments:
            for attempt in payment.attempts:
                for answer in self._answers(world, payment, attempt):
                    what = f"{attempt.operation.value} {answer}"
                    yield from self._must(key, By.PROVIDER, what, partial(heard, world, attempt, answer))

    def _bounces(self, key: Key, world: World) -> Iterator[Step]:
        for payment in world.order.payments:
            if payment.refunded.amount and payment.state is PaymentState.CAPTURED and not _came_back(payment):
                yield from self._must(key, By.PROVIDER, f"{payment.id} bounces", partial(bounced, world, payment))

    def _answers(self, world: World, payment: Payment, attempt: Attempt) -> tuple[Answer, ...]:
        """Nothing that contradicts what the provider said before."""
        asked = attempt.amount
        # what is authorised anew stays, or the worlds would never come to an end
        until = world.now + LASTS if self._setting.ends and not payment.replaces else None
        if answers.may_turn_up(attempt) and attempt.operation is Operation.COLLECT and self._setting.late:
            return (Approved(asked, "pi", captured=True),) if payment.gateway else ()
        if answers.may_turn_up(attempt) and attempt.operation is Operation.AUTHORISE and self._setting.late:
            return (Approved(asked, "pi"), Approved(asked, "pi", captured=True))
        if attempt.state is AttemptState.SUCCEEDED and self._setting.late and answers.may_change(payment, attempt):
            return (Denied(answers.AUTHORISATION_EXPIRED),)
        if not attempt.open:
            return ()
        always = (Denied("refused"), NoAnswer(), Absent())
        match attempt.operation:
            case Operation.AUTHORISE:
                taken = Approved(asked, "pi", captured=True)
                return (Approved(asked, "pi", until=until), taken, NeedsAction(Action("secret")), *always)
            case Operation.CAPTURE:
                opened = [Approved(asked, "ch", open=True)] if self._setting.capabilities.several_captures else []
                return (Approved(asked, "ch"), *opened, Denied(answers.AUTHORISATION_EXPIRED), *always)
            case Operation.VOID:
                found = payment.captured if payment.captured.amount else payment.amount
                return (Approved(asked), Denied("captured", found), *always)
            case Operation.REFUND | Operation.COLLECT if not payment.gateway:
                return (Approved(asked),)  # what people did is a fact
            case Operation.COLLECT:
                return (Approved(asked, "pi", captured=True), NeedsAction(Action()), *always)
            case Operation.REFUND | Operation.INCREASE | Operation.EXTEND:
                return (Approved(asked), *always)
            case Operation.EXTEND | Operation.INCREASE:
                return (Approved(asked, until=until), *always)
            case _:
                assert_never(attempt.operation)

    def _time(self, key: Key, world: World) -> Iterator[Step]:
        for name, deadline in deadlines(world).items():
            if deadline > world.now:
                yield Step(By.CLOCK, f"{name} passes", evolve(world, now=deadline))
        yield from self._must(key, By.CLOCK, "sweep", partial(swept, world))

    def _must(self, key: Key, by: By, what: str, step: Callable[[], World]) -> Iterator[Step]:
        """A step that nobody may refuse: the provider's news, and what time does."""
        try:
            yield Step(by, what, step())
        except OmniorderError as refusal:
            self.refused.append((key, f"{by.value}: {what}: {refusal}"))

    def _wishes(self, world: World) -> Iterator[tuple[str, Callable[[], Sequence[e.Event]]]]:
        order = world.order
        yield "cancel", partial(coupling.cancel, order, "changed my mind", world.now + HOLD)
        busy = any(p.state in BUSY_PAYMENTS for p in order.payments)
        another = order.state is OrderState.PLACED and world.now < order.pay_by and not busy
        if another and len(order.payments) < self._setting.tries:
            for tender in self._setting.tenders:
                yield f"pay by {tender}", partial(tendered, order, tender, self._setting.raises)
        parts = {line.line: (e.Units(line.line, 1),) for line in order.pickup.lines if line.open}
        for name, units in {"everything": order.pickup.rest(), **parts}.items():
            due = order.owed_after(units) - order.held
            at_reader = (Terminal("tmr_1"),) if len(order.payments) <= self._setting.readers else ()
            for taken in (None, Taken(due), *at_reader) if due.amount > 0 else (None,):
                claim = partial(
                    capturing.hand_over, order, units, capabilities={"card": self._setting.capabilities},
                    taken=taken, look_at=world.now + LOOK_AGAIN,
                )  # fmt: skip
                how = {Taken: " and pay here", Terminal: " and pay at the reader"}.get(type(taken), "")
                yield f"collect {name}{how}", claim


def _work(world: World) -> Iterator[tuple[str, Callable[[], Sequence[e.Event]]]]:
    pickup = world.order.pickup
    first = (e.PickStarted(),) if pickup.state is PickupState.TO_PICK else ()
    for line in pickup.lines:
        if line.bounds[1] > line.picked + line.dropped:
            yield f"pick {line.line}", partial(tuple[e.Event, ...], (*first, e.LinePicked(line.line, 1)))
    if pickup.fully_picked:
        spoils_at = world.now + WAITS / 3 if waiting.perishables(world.order, pickup.rest()) else None
        made = e.MadeReady("C4", world.now + WAITS, "1", spoils_at=spoils_at)
        yield "ready", partial(tuple[e.Event, ...], (*pickup.weighed(), made))
    yield "stop the reader", partial(capturing.stop, world.order, world.now)
    yield "put back", partial(tuple[e.Event, ...], (e.PickReset(),))
    yield "not ready after all", partial(tuple[e.Event, ...], (e.Unreadied("broken"),))


def _rejections(world: World) -> Iterator[tuple[str, Callable[[], Sequence[e.Event]]]]:
    """What the store can't give, line by line: the customer is asked at once."""
    for line in world.order.pickup.lines:
        if count := line.open - line.short - (line.picked - line.collected):
            about = (e.Units(line.line, count),)
            question = Question(about, "not_found", OPTIONS, "less", world.now + PATIENCE)
            events = (e.ShortPicked(line.line, count, "not_found"), e.CustomerAsked(question))
            yield f"give up {line.line}", partial(tuple[e.Event, ...], events)


def _replies(world: World) -> Iterator[tuple[str, Callable[[], Sequence[e.Event]]]]:
    """What the customer may choose."""
    question, order = world.order.pickup.question, world.order
    for option in question.options if question else ():
        if question is not None:
            follows = coupling.go_on(order, option, question.about, question.reason, world.now + HOLD)
            yield f"answer {option.id}", partial(tuple[e.Event, ...], (e.QuestionAnswered(option.id), *follows))


def _corrections(world: World) -> Iterator[tuple[str, Callable[[], Sequence[e.Event]]]]:
    """What the shop may forgo, and keep for its trouble."""
    order, at, terms = world.order, world.now, world.terms
    some = Money(30, order.total.currency)
    if len(order.corrections) < 2:
        yield "goodwill", partial(crediting.goodwill, order, some, at=at, terms=terms, reason="late")
        yield "refund all", partial(crediting.refund, order, at=at, terms=terms, reason="bad")
        yield (
            "call off for a fee",
            partial(crediting.cancel, order, at=at, terms=terms, reason="late", hold_until=at + HOLD, fee=some),
        )


def _taken(world: World, by: By, decisions: Iterator[tuple[str, Callable[[], Sequence[e.Event]]]]) -> Iterator[Step]:
    """The steps that the domain allows; what it refuses, it refuses with an error of its own."""
    for what, decide in decisions:
        try:
            after = carried_on(world, decide())
        except OmniorderError:
            continue
        yield Step(by, what, after)


# --- the domain's functions, joined as the services join them ---------------------------------------------


def placed(setting: Setting, tender: str) -> World:
    """The order just placed, with its first tender."""
    cart = Cart(ids.cart_id(bytes(16)), OWNER, CartState.OPEN, 0, (), NOW, NOW)
    for number, units in enumerate(setting.units, 1):
        cart = carts.apply(cart, e.LineAdded(f"ln_{number}", f"SKU-{number}", units), NOW)
    skus = [line.sku for line in cart.lines]
    price = Money(setting.price, "EUR")
    articles = {sku: Article(sku, sku) for sku in skus}
    if setting.weighed:
        articles = {sku: Article(sku, sku, Unit.GRAM, tolerance="0.5") for sku in skus}
    if setting.spoils:
        articles[skus[0]] = Article(skus[0], skus[0], perishable=True)
    quote = promises.quote(cart, articles, {sku: Price(sku, price, tax=Decimal("0.2")) for sku in skus})
    until = NOW + timedelta(minutes=15)
    promise = Promise(
        ids.promise_id(STORE, bytes(16)), STORE, cart.id, OWNER, cart.lines_version, PromiseState.HELD,
        ids.slot_id(STORE, NOW), NOW, NOW + timedelta(hours=1), quote, ids.reservation_id(STORE, bytes(16)), NOW, until,
    )  # fmt: skip
    blank = orders.place(ids.order_id(STORE, bytes(8)), cart, promise, at=NOW, channel=Channel.APP, pay_by=until)
    begun = e.OrderPlaced(cart.id, promise.id, OWNER, quote.total, quote.ceiling, until)
    reservation = stock.reserve(promise.reservation_id, STORE, promises.holds(quote), until)
    world = World(blank, reservation, NOW, setting.terms)
    return carried_on(world, (begun, *tendered(blank, tender, setting.raises)))


def tendered(order: Order, kinds: str, raises: bool = False) -> tuple[e.Event, ...]:
    """Tenders for what is not covered yet: one, or two at once ("card+in_store") of which each gives a half."""
    events: list[e.Event] = []
    names = kinds.split("+")
    missing = order.uncovered - (order.ceiling - order.total) if raises else order.uncovered
    parts = [missing.amount // len(names)] * (len(names) - 1)
    for number, (kind, part) in enumerate(zip(names, [*parts, missing.amount - sum(parts)], strict=True)):
        if part > 0:
            new, amount = ids.payment_id(order.id, len(order.payments) + number + 1), Money(part, order.total.currency)
            asked = e.AuthoriseRequested(new, ids.attempt_id(new, 1), amount)
            token = "pm" if kind == "card" else ""
            added = e.TenderAdded(new, kind, amount, token)
            events += added, e.LeftForStore(new, amount) if kind == "in_store" else asked
    return tuple(events)


def heard(world: World, attempt: Attempt, answer: Answer) -> World:
    """The world after the provider answered. That it knows nothing is believed only of what was asked before, so an
    unanswered question goes first: a planned and an unanswered capture, void or refund are the same world here."""
    if isinstance(answer, Absent) and attempt.operation is not Operation.AUTHORISE:
        world = heard(world, attempt, NoAnswer())
    payment = world.order.payment_with(attempt.id)
    after = carried_on(world, answers.heard(world.order, attempt.id, answer, look_at=world.now + LOOK_AGAIN))
    before = world.taken.get(payment.id, 0)
    return evolve(after, taken={**world.taken, payment.id: _taken_now(before, payment, attempt, answer)})


def _taken_now(before: int, payment: Payment, attempt: Attempt, answer: Answer) -> int:
    """What was taken for a payment once the provider has said this. A whole payment is taken once, however often
    and on whichever question it is told."""
    match attempt.operation, answer:
        case Operation.REFUND, Denied() if attempt.state is AttemptState.SUCCEEDED:
            return before + attempt.amount.amount  # it came back
        case Operation.AUTHORISE, Approved(amount=amount, captured=True):
            return max(before, amount.amount - payment.refunded.amount)
        case Operation.VOID, Denied(captured=Money(amount=amount)):
            return max(before, amount - payment.refunded.amount)
        case ((Operation.CAPTURE | Operation.COLLECT), Approved(amount=amount)):
            return before + amount.amount
        case Operation.REFUND, Approved(amount=amount):
            return before - amount.amount
        case _:
            return before


def bounced(world: World, payment: Payment) -> World:
    """The world after the last refund by this payment that had arrived came back."""
    done = [a for a in payment.attempts if a.operation is Operation.REFUND and a.state is AttemptState.SUCCEEDED]
    last = next(attempt for attempt in reversed(done) if not attempt.reason)
    after = carried_on(world, (e.RefundBounced(payment.id, last.amount, "account_closed", last.id),))
    more = world.taken.get(payment.id, 0) + last.amount.amount
    return evolve(after, taken={**world.taken, payment.id: more})


def swept(world: World) -> World:
    """The world after the sweep let time act on it."""
    return carried_on(world, coupling.overdue(world.order, world.now, world.now + HOLD, world.terms))


def carried_on(world: World, events: Sequence[e.Event]) -> World:
    """The world after these events and all that follows from them, for the stock too."""
    order, more = coupling.follow(orders.told(world.order, events, world.now), world.now, world.terms)
    reservation = world.reservation
    for event in (*events, *more):
        reservation = _rippled(reservation, world.order, order, event)
    return evolve(world, order=order, reservation=reservation)


def _rippled(held: Reservation, was: Order, order: Order, event: e.Event) -> Reservation:
    match event:
        case e.OrderConfirmed():
            return stock.apply(held, e.Firmed())
        case e.Collected(units) | e.PartCollected(units):
            held = stock.resolve(held, e.UnitsConsumed(tuple(sorted(order.units_by_sku(units).items()))))
            spared = order.units_by_sku(pickups.spared(was.pickup, units))
            return stock.resolve(held, e.UnitsReleased(tuple(sorted(spared.items())))) if spared else held
        case (
            e.RestLapsed(units)
            | e.RestCancelled(units)
            | e.LinesCancelled(units)
            | e.UnitsSpoiled(units)
            | e.UnitsRefused(units)
        ):
            back = order.units_by_sku(pickups.freed(was.pickup, units))
            return stock.resolve(held, e.UnitsReleased(tuple(sorted(back.items()))))
        case e.PickupCancelled() | e.NoShow() if held.state is ReservationState.HELD:
            expired = order.state in (OrderState.EXPIRING, OrderState.EXPIRED)
            return stock.apply(held, e.ReservationExpired() if expired else e.ReservationReleased())
        case e.PickupCancelled() | e.NoShow():
            return stock.resolve(held, e.UnitsReleased(tuple(sorted(held.live().items()))))
        case _:
            return held


# --- which worlds are the same ----------------------------------------------------------------------------


def deadlines(world: World) -> dict[str, datetime]:
    """The instants at which time alone changes what may happen to this order."""
    order = world.order
    found: dict[str, datetime] = {}
    if order.state is OrderState.PLACED:
        found["pay by"] = order.pay_by
    if order.state in coupling.CLOSING and order.hold_until:
        found["hold"] = order.hold_until
    if order.state is OrderState.CONFIRMED and order.pickup.state is PickupState.READY and order.pickup.until:
        found["pick-up deadline"] = order.pickup.until
        if order.pickup.spoils_at and waiting.perishables(order, order.pickup.rest()):
            found["spoils"] = order.pickup.spoils_at
    if order.state is OrderState.CONFIRMED and order.pickup.question is not None:
        found["answer"] = order.pickup.question.until
    for payment in order.payments:
        if failed := failed_refund(payment):
            found[f"refund again {payment.id}"] = failed.asked_at + coupling.REFUND_AGAIN
        ends = authorisations.ends_before(payment, MARGIN)
        if payment.state is PaymentState.AUTHORISED and payment.until is not None and ends is not None:
            found[f"almost the end of {payment.id}"] = ends
            found[f"the end of {payment.id}"] = payment.until
    return found


def failed_refund(payment: Payment) -> Attempt | None:
    """The payment's last attempt, if it is a refund that has not worked (yet), or not for long."""
    last = payment.attempts[-1] if payment.attempts else None
    if last is None or last.operation is not Operation.REFUND:
        return None
    return last if last.state is not AttemptState.SUCCEEDED or last.reason else None


def essence(world: World) -> Key:
    """What of a world decides how it may go on."""
    order, pickup = world.order, world.order.pickup
    money = tuple(
        (
            p.kind,
            p.gateway,
            p.state,
            p.amount,
            p.authorised,
            p.captured,
            p.refunded,
            p.refund_pending,
            tuple(_open_ends(p)),
            p.replaces,
            _way(world, p),
        )
        for p in order.payments
    )
    lines = tuple((line.quantity, line.short, line.picked, line.collected, line.dropped) for line in pickup.lines)
    held = tuple((line.consumed, line.released, line.expired) for line in world.reservation.lines)
    late = frozenset(name for name, deadline in deadlines(world).items() if deadline <= world.now)
    confirmed = order.confirmed_at is not None
    taken = sum(world.taken.values())
    return (
        order.state,
        confirmed,
        money,
        taken,
        tuple((one.kind, one.amount, one.units) for one in order.corrections),
        bool(order.corrections) and any(_came_back(p) for p in order.payments),
        pickup.state,
        lines,
        pickup.claim,
        pickup.question and pickup.question.about,
        world.reservation.state,
        held,
        late,
    )


def _way(world: World, payment: Payment) -> object:
    """What is to be done about its end, and what was tried already."""
    step = authorisations.way(world.order, payment, world.terms)
    refused = (AttemptState.REFUSED, AttemptState.ABSENT)
    adjusting = (Operation.EXTEND, Operation.INCREASE) if payment.state is PaymentState.AUTHORISED else ()
    tried = frozenset(a.operation for a in payment.attempts if a.operation in adjusting and a.state in refused)
    return step and (type(step), step.at is not None and step.at <= world.now), tried


def _open_ends(payment: Payment) -> Iterator[tuple[object, ...]]:
    """The payment's attempts that may still change something, and no more of each than does."""
    for attempt in payment.attempts:
        match attempt.operation:
            case Operation.AUTHORISE | Operation.COLLECT if answers.may_turn_up(attempt):
                yield (attempt.operation, attempt.state, attempt.amount)
            case Operation.AUTHORISE if attempt.open:
                yield (attempt.operation, attempt.state)
            case Operation.VOID if attempt.open and payment.state is PaymentState.VOIDING:
                yield (attempt.operation,)
            case Operation.EXTEND | Operation.INCREASE if attempt.open and payment.state is PaymentState.AUTHORISED:
                yield (attempt.operation, attempt.amount)
            case Operation.CAPTURE | Operation.REFUND | Operation.COLLECT if attempt.open:
                yield (attempt.operation, attempt.amount)
            case Operation.REFUND if attempt is failed_refund(payment):
                yield (attempt.operation, "failed")
            case Operation.REFUND if answers.may_change(payment, attempt):
                yield (attempt.operation, attempt.amount, "done")
            case _:
                pass


def _came_back(payment: Payment) -> bool:
    return any(attempt.reason and attempt.state is AttemptState.SUCCEEDED for attempt in payment.attempts)


def summary(world: World) -> str:
    """The world in one line. Of each payment: authorised / captured / refunded + on its way back."""
    order = world.order
    states = (order.state, order.funding, order.pickup.state, world.reservation.state)
    money: list[str] = []
    for p in order.payments:
        amounts = f"{p.authorised.amount}/{p.captured.amount}/{p.refunded.amount}+{p.refund_pending.amount}"
        money.append(f"{p.kind} {p.state.value} {amounts}")
    return ", ".join([*(state.value for state in states), *money])
