"""The journal: it tells everything that happened, nothing that did not, and told again it gives what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from attrs import evolve

from omniorder.domain import carts, handoffs, ids, orders, promises, transfers
from omniorder.domain import events as e
from omniorder.domain.carts import Cart
from omniorder.domain.consents import without_allergens
from omniorder.domain.events import Recorded, Stamp
from omniorder.domain.handoffs import Handoff, Scope
from omniorder.domain.lifecycle import AttemptState, CartState, HandoffState, OrderState, PickupState, PromiseState
from omniorder.domain.orders import Order
from omniorder.domain.payments import Operation, Payment
from omniorder.domain.pickups import Pickup, PickupLine, nameless
from omniorder.domain.promises import Promise
from omniorder.domain.proofs import CheckKind, Proof
from omniorder.domain.text import Metadata
from omniorder.domain.transfers import Transfer
from omniorder.errors import OmniorderError
from omniorder.testing.invariants.checking import View, invariant


@invariant
def streams_have_no_gaps(view: View) -> Iterator[str]:
    """E1: each stream counts 1..n to the version of its cart, order, transfer or customer, and each of those has its
    stream."""
    for stream in view.rows.streams():
        seqs = [entry.seq for entry in stream.events]
        if seqs != list(range(1, len(seqs) + 1)):
            yield f"{stream.name} counts {seqs}"
        cart, order = view.rows.cart(stream.name), view.rows.order(stream.name)
        transfer = view.rows.transfer(stream.name)
        found = cart or order or transfer
        version = found.version if found else view.rows.customer(stream.name)
        home = order.store if order else transfer.source if transfer else stream.name
        if stream.home != home or version != len(seqs):
            at = "missing" if version is None else f"at version {version}"
            yield f"{stream.name} at {stream.home}: {len(seqs)} events, its aggregate is {at}"
    for cart in view.rows.carts():
        if view.rows.length(cart.id, cart.id) != cart.version:
            yield f"{cart.id} is at version {cart.version}, its stream ends elsewhere"
    for order in view.rows.orders():
        if view.rows.length(order.store, order.id) != order.version:
            yield f"{order.id} is at version {order.version}, its stream ends elsewhere"
    for transfer in view.rows.transfers():
        if view.rows.length(transfer.source, transfer.id) != transfer.version:
            yield f"{transfer.id} is at version {transfer.version}, its stream ends elsewhere"
    for customer in view.rows.customers():
        if view.rows.length(customer.owner, customer.owner) != customer.version:
            yield f"{customer.owner} is at version {customer.version}, their stream ends elsewhere"


@invariant
def carts_are_what_the_journal_tells(view: View) -> Iterator[str]:
    """O1, E1: the events of a cart, each a row of its table, lead from an empty cart to the one that is stored."""
    for stream in view.rows.streams():
        cart = view.rows.cart(stream.name)
        if cart is None:
            continue
        try:
            folded = _cart(stream.name, stream.events)
        except OmniorderError as refused:
            yield f"{stream.name}: {refused}"
            continue
        if folded != _without_notes(cart):
            yield f"{stream.name}: told is {folded}, stored is {cart}"


def _cart(cart_id: str, events: Iterable[Recorded]) -> Cart | None:
    cart: Cart | None = None
    for entry in events:
        if cart is None:
            if not isinstance(entry.event, e.CartStarted):
                return None
            at, owner = entry.stamp.at, entry.event.owner
            cart = Cart(cart_id, owner, CartState.OPEN, 0, (), at, at, entry.event.language)
        cart = carts.apply(cart, entry.event, entry.stamp.at)
    return cart


def _without_notes(cart: Cart) -> Cart:
    """The cart without what the journal leaves out."""
    lines = tuple(evolve(line, note="", consent=without_allergens(line.consent)) for line in cart.lines)
    return evolve(cart, lines=lines, metadata=Metadata())


_OF_PROMISES = (e.PromiseAccepted, e.PromiseReplaced, e.PromiseWithdrawn, e.PromiseLapsed)


@invariant
def promises_are_what_the_journal_tells(view: View) -> Iterator[str]:
    """O1, E1: a promise was made once, as told in its cart's stream, and is in the state that the events lead to."""
    for stream in view.rows.streams():
        made: dict[str, e.PromiseMade] = {}
        state: dict[str, PromiseState] = {}
        for entry in stream.events:
            event = entry.event
            if isinstance(event, e.PromiseMade):
                made[event.promise], state[event.promise] = event, PromiseState.HELD
            elif isinstance(event, _OF_PROMISES):
                stored = view.rows.promise(event.promise)
                if stored is None or event.promise not in state:
                    yield f"{entry.id}: {event} of a promise that was never made"
                    continue
                try:
                    before = evolve(stored, state=state[event.promise])
                    state[event.promise] = promises.apply(before, event).state
                except OmniorderError as refused:
                    yield f"{entry.id}: {refused}"
        for promise_id, event in made.items():
            stored = view.rows.promise(promise_id)
            if stored is None or not _agree(stored, event, stream.name, state[promise_id]):
                yield f"{stream.name}: {event} led to {state[promise_id].value}, stored is {stored}"
        for promise_id in sorted(view.rows.made(stream.name) - made.keys()):
            yield f"{stream.name}: nothing is told of its promise {promise_id}"


def _agree(stored: Promise, made: e.PromiseMade, cart_id: str, state: PromiseState) -> bool:
    quote = stored.quote
    kept = (stored.store, stored.slot, quote.total, quote.ceiling, stored.expires_at, stored.cart_id, stored.state)
    return kept == (made.store, made.slot, made.total, made.ceiling, made.expires_at, cart_id, state)


@invariant
def handoffs_are_what_the_journal_tells(view: View) -> Iterator[str]:
    """O1, E1: a handoff was offered, used (at most once) and taken back as its cart's stream tells, until forgotten."""
    for stream in view.rows.streams():
        told: dict[str, Handoff] = {}
        for entry in stream.events:
            try:
                match entry.event:
                    case e.HandoffOffered(handoff=handoff_id):
                        if stored := view.rows.handoff(handoff_id):
                            told[handoff_id] = _offered(stored, stream.name, entry.event, entry.stamp)
                    case e.HandoffAccepted(handoff=handoff_id) | e.HandoffWithdrawn(handoff=handoff_id):
                        if before := told.get(handoff_id):
                            on, at = entry.stamp.channel, entry.stamp.at
                            told[handoff_id] = handoffs.apply(before, entry.event, on=on, at=at)
                    case _:
                        pass
            except OmniorderError as refused:
                yield f"{entry.id}: {refused}"
        for handoff_id, folded in told.items():
            stored = view.rows.handoff(handoff_id)
            if folded != stored:
                yield f"{stream.name}: told is {folded}, stored is {stored}"


def _offered(stored: Handoff, cart_id: str, event: e.HandoffOffered, stamp: Stamp) -> Handoff:
    """The handoff as it was when it was offered; only its key is taken as it is stored."""
    scopes = tuple(map(Scope, event.scopes))
    by, on, at = stamp.actor, stamp.channel, stamp.at
    return Handoff(
        stored.id, cart_id, scopes, HandoffState.OFFERED, by, on, at, event.until, stored.key_id, event.promise
    )


@invariant
def orders_are_what_the_journal_tells(view: View) -> Iterator[str]:
    """O1, E1: the events of an order, each a row of the tables, lead from its promise to what is stored."""
    for stream in view.rows.streams():
        order = view.rows.order(stream.name)
        promise = view.rows.promise(order.promise_id) if order else None
        if order is None or promise is None:
            continue
        placed = stream.events[0].event
        folded = _blank(order, promise, placed)
        try:
            for entry in stream.events:
                folded = orders.apply(folded, entry.event, entry.stamp.at)
        except OmniorderError as refused:
            yield f"{stream.name}: {refused}"
            continue
        kept = _without_what_is_private(order)
        if folded != kept:
            yield f"{stream.name}: told is {folded}, stored is {kept}"


def _without_what_is_private(order: Order) -> Order:
    """The order without what the journal leaves out: of tokens it tells only that of the counter's card reader, and
    nothing of what a customer wrote to the picker, or can't eat."""
    payments = tuple(p if p.means else evolve(p, token="") for p in order.payments)
    added = tuple(evolve(line, note="", consent=without_allergens(line.consent)) for line in order.added)
    return evolve(order, payments=payments, added=added, pickup=nameless(order.pickup))


def _blank(order: Order, promise: Promise, placed: e.Event) -> Order:
    """The order as it was before anything happened to it; what never changes is taken as it is stored."""
    owner, pay_by = order.owner, order.pay_by
    if isinstance(placed, e.OrderPlaced):
        owner, pay_by = placed.owner, placed.pay_by
    wanted = [e.Units(line.id, line.quantity) for line in order.lines]
    awaited, _ = transfers.assigned(wanted, {line.id: line.sku for line in order.lines}, promise.legs)
    lines = tuple(PickupLine(line.id, line.quantity, tolerance=line.tolerance) for line in order.lines)
    pickup = Pickup(
        ids.pickup_id(order.id), promise.store, PickupState.PLANNED, promise.slot, promise.starts, promise.ends,
        lines, zone=promise.zone, awaited=awaited, collect=promise.collect,
    )  # fmt: skip
    return evolve(
        order, version=0, state=OrderState.PLACED, owner=owner, pay_by=pay_by, cart_id=promise.cart_id,
        reservation_id=promise.reservation_id, total=promise.quote.total, ceiling=promise.quote.ceiling,
        pickup=pickup, payments=(), confirmed_at=None, hold_until=None, corrections=(), added=(),
    )  # fmt: skip


@invariant
def transfers_are_what_the_journal_tells(view: View) -> Iterator[str]:
    """O1, E1: the events of a transfer, each a row of its table, lead to what is stored."""
    for stream in view.rows.streams():
        transfer = view.rows.transfer(stream.name)
        if transfer is None:
            continue
        try:
            folded = _transfer(transfer.id, stream.events)
        except OmniorderError as refused:
            yield f"{stream.name}: {refused}"
            continue
        if folded != transfer:
            yield f"{stream.name}: told is {folded}, stored is {transfer}"


def _transfer(transfer_id: str, events: Iterable[Recorded]) -> Transfer | None:
    transfer: Transfer | None = None
    for entry in events:
        if transfer is not None:
            transfer = transfers.apply(transfer, entry.event, entry.stamp.at)
        elif isinstance(entry.event, e.TransferRequested):
            asked = entry.event
            transfer, _ = transfers.request(
                transfer_id, asked.source, asked.destination, dict(asked.units), order=asked.order,
                at=entry.stamp.at, expected_at=asked.expected_at,
            )  # fmt: skip
        else:
            return None
    return transfer


@invariant
def hand_overs_have_an_actor_and_a_place(view: View) -> Iterator[str]:
    """O3: whatever left was claimed before, by an associate of the store that had it ready, against a proof; without a
    code that is a signature and an identity check that passed."""
    for stream in view.rows.streams():
        order = view.rows.order(stream.name)
        claimed: tuple[e.Units, ...] | None = None
        known: Stamp | None = None
        staff = f"@{order.store}" if order else "@"
        for entry in stream.events:
            match entry.event:
                case e.OrderRerouted(store=store):
                    staff = f"@{store}"
                case e.PersonChecked(CheckKind.IDENTITY, True):
                    known = entry.stamp
                case e.HandOverStarted(units, _, proof, signature):
                    claimed = units
                    if proof is Proof.SIGNATURE and not (signature and known == entry.stamp):
                        yield f"{entry.id}: handed over against a signature of nobody known"
                    by = entry.stamp.actor
                    if not (by.startswith("associate:") and by.endswith(staff)) or not (order and order.pickup.key_id):
                        yield f"{entry.id}: handed over by {by}"
                case e.Collected(units) | e.PartCollected(units):
                    if units != claimed:
                        yield f"{entry.id}: {units} left, claimed were {claimed}"
                    claimed = None
                case e.HandOverFailed():
                    claimed = None
                case _:
                    pass


@invariant
def an_answer_has_its_effect_once(view: View) -> Iterator[str]:
    """E3: each attempt ended at most once, and each payment moved as often as its attempts succeeded."""
    for stream in view.rows.streams():
        order = view.rows.order(stream.name)
        if order is None:
            continue
        ended: Counter[str] = Counter()
        moved: Counter[tuple[str, Operation]] = Counter()
        for entry in stream.events:
            match entry.event:
                case e.AttemptSucceeded(attempt=attempt) | e.FoundLate(attempt=attempt):
                    ended[attempt] += 1
                case e.AttemptRefused(attempt=attempt):
                    ended[attempt] += 1
                case e.Captured(payment=payment) | e.PartCaptured(payment=payment):
                    moved[payment, Operation.CAPTURE] += 1
                case e.Refunded(payment=payment):
                    moved[payment, Operation.REFUND] += 1
                case _:
                    pass
        yield from (f"{attempt} ended {times} times" for attempt, times in ended.items() if times > 1)
        for p in order.payments:
            for operation in (Operation.CAPTURE, Operation.REFUND):
                times, done = moved[p.id, operation], _succeeded(p, operation)
                if times != done:
                    yield f"{p.id} moved {times} times, {done} attempts to {operation.value} succeeded"


def _succeeded(payment: Payment, operation: Operation) -> int:
    done = AttemptState.SUCCEEDED
    return sum(1 for one in payment.attempts if one.operation is operation and one.state is done)


@invariant
def deliveries_are_of_events(view: View) -> Iterator[str]:
    """E2: what is put down for a consumer is an event that was recorded, for a consumer that subscribed."""
    for delivery in view.rows.deliveries():
        known = 0 < delivery.seq <= view.rows.length(delivery.home, delivery.stream)
        if not known or not view.rows.subscribed(delivery.consumer):
            yield str(delivery)
