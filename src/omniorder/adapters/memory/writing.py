"""How `Writes` are carried out: one function per kind of write, each with its guard, in the lock order.

A function stops at the first guard that refuses, and the transaction takes back what was written until then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from attrs import evolve, fields, frozen

from omniorder.adapters.memory.database import Booked, Database, Due, Entry
from omniorder.domain.accounts import AccountState, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.events import EVENTS, Event, Recorded
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.stock import Level, Movement, MovementKind, Reservation
from omniorder.domain.stores import Store
from omniorder.errors import AlreadyThere, BinFull, OutOfStock, SlotUnavailable, StaleWrite
from omniorder.ports.writes import (
    AccountWrite,
    Answer,
    Arrived,
    BalanceChange,
    BinChange,
    CartWrite,
    CountWrite,
    CustomerWrite,
    Expect,
    HandoffWrite,
    HoldWrite,
    ImportWrite,
    JournalEntry,
    OrderWrite,
    PromiseWrite,
    ReservationWrite,
    SlotChange,
    StockChange,
    TimerWrite,
    TransferWrite,
    WebhookWrite,
    Writes,
)

T = TypeVar("T")


def carry_out(db: Database, writes: Writes) -> None:
    """Write everything, or raise for the first guard that refuses."""
    for name, write in STEPS.items():
        write(db, getattr(writes, name))


# --- aggregates -------------------------------------------------------------------------------------------


def _guard(kind: str, id: str, before: T | None, now: T | None, seen: Callable[[T], object]) -> None:
    """What is new must not be there; what is replaced must look, to `seen`, as it did before."""
    if before is None:
        if now is not None:
            raise AlreadyThere(kind=kind, id=id)
    elif now is None or seen(now) != seen(before):
        raise StaleWrite(kind=kind, id=id)


def carts(db: Database, writes: Iterable[CartWrite]) -> None:
    for write in writes:
        cart = write.after
        _guard("cart", cart.id, write.before, db.carts.get(cart.id), lambda one: one.version)
        db.carts.put(cart.id, cart)


def customers(db: Database, writes: Iterable[CustomerWrite]) -> None:
    for write in writes:
        if (db.customers.get(write.owner) or 0) != write.before:
            raise StaleWrite(kind="customer", id=write.owner)
        db.customers.put(write.owner, write.after)


def handoffs(db: Database, writes: Iterable[HandoffWrite]) -> None:
    for write in writes:
        handoff = write.after
        _guard("handoff", handoff.id, write.before, db.handoffs.get(handoff.id), lambda one: one.state)
        db.handoffs.put(handoff.id, handoff)


def promises(db: Database, writes: Iterable[PromiseWrite]) -> None:
    for write in writes:
        promise = write.after
        _guard("promise", promise.id, write.before, db.promises.get(promise.id), lambda one: one.state)
        db.promises.put(promise.id, promise)


def orders(db: Database, writes: Iterable[OrderWrite]) -> None:
    for write in writes:
        order, now = write.after, db.orders.get(write.after.id)
        _guard("order", order.id, write.before, now, lambda one: one.version)
        if now is None or now.owner != order.owner:
            if now is not None:
                db.orders_of.drop((now.owner, order.id))
            db.orders_of.put((order.owner, order.id), order.id)
        db.orders.put(order.id, _without_actions(order))


def _without_actions(order: Order) -> Order:
    """What the customer must do next is the provider's secret: shown once, and stored nowhere."""
    if all(payment.action is None for payment in order.payments):
        return order
    return evolve(order, payments=tuple(evolve(payment, action=None) for payment in order.payments))


def transfers(db: Database, writes: Iterable[TransferWrite]) -> None:
    for write in writes:
        transfer = write.after
        _guard("transfer", transfer.id, write.before, db.transfers.get(transfer.id), lambda one: one.version)
        db.transfers.put(transfer.id, transfer)


def webhooks(db: Database, writes: Iterable[WebhookWrite]) -> None:
    for write in writes:
        webhook = write.after
        now = db.webhooks.get(webhook.id)
        _guard("webhook", webhook.id, write.before, now, lambda one: (one.state, one.tries))
        db.webhooks.put(webhook.id, webhook)


def reservations(db: Database, writes: Iterable[ReservationWrite]) -> None:
    for write in writes:
        reservation = write.after
        _guard("reservation", reservation.id, write.before, db.reservations.get(reservation.id), _held)
        db.reservations.put(reservation.id, reservation)


def _held(reservation: Reservation) -> tuple[object, object]:
    return (reservation.state, {line.sku: line for line in reservation.lines})


# --- stock and slots --------------------------------------------------------------------------------------


@frozen
class _Demand:
    """All changes of one level in one."""

    on_hand: int = 0
    reserved: int = 0
    promise: bool = False
    safety: int | None = None
    quarantined: int = 0
    if_on_hand: int | None = None

    def __add__(self, change: StockChange) -> _Demand:
        safety = self.safety if change.safety is None else change.safety
        on_hand, reserved = self.on_hand + change.on_hand, self.reserved + change.reserved
        quarantined = self.quarantined + change.quarantined
        if_on_hand = self.if_on_hand if change.if_on_hand is None else change.if_on_hand
        return _Demand(on_hand, reserved, self.promise or change.promise, safety, quarantined, if_on_hand)


def stock(db: Database, writes: Iterable[StockChange]) -> None:
    demands: dict[tuple[str, str], _Demand] = defaultdict(_Demand)
    for change in writes:
        demands[change.store, change.sku] += change
    short: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (store, sku), demand in sorted(demands.items()):
        level = db.levels.get((store, sku)) or Level(store, sku)
        if demand.if_on_hand not in (None, level.on_hand):
            raise StaleWrite(kind="level", id=f"{store} {sku}")
        if (lack := _lack(level, demand)) is not None:
            short[store].append({"sku": sku, "wanted": lack[0], "available": lack[1]})
    for store, skus in short.items():
        raise OutOfStock(store=store, short=skus)
    for (store, sku), demand in demands.items():
        before = db.levels.get((store, sku))
        after = _changed(before or Level(store, sku), demand)
        counted = before is None and demand.if_on_hand is not None
        if counted or after != (before or Level(store, sku)):
            db.levels.put((store, sku), after)


def _changed(level: Level, demand: _Demand) -> Level:
    return evolve(
        level,
        on_hand=level.on_hand + demand.on_hand,
        reserved=level.reserved + demand.reserved,
        safety=level.safety if demand.safety is None else demand.safety,
        quarantined=level.quarantined + demand.quarantined,
    )


def _lack(level: Level, demand: _Demand) -> tuple[int, int] | None:
    """How many units were wanted and how many there are, when the level can't give them."""
    after = _changed(level, demand)
    if demand.promise and demand.reserved > 0 and after.on_hand - after.reserved < after.safety:
        return demand.reserved, evolve(after, reserved=level.reserved).available
    if after.on_hand < 0:
        return -demand.on_hand, level.on_hand
    if after.reserved < 0:
        return -demand.reserved, level.reserved
    if after.quarantined < 0:
        return -demand.quarantined, level.quarantined
    return None


def counts(db: Database, writes: Iterable[CountWrite]) -> None:
    for write in writes:
        found: list[Movement] = []
        for one in write.counts:
            before = db.levels.get((one.store, one.sku)) or Level(one.store, one.sku)
            after = evolve(before, on_hand=one.on_hand, safety=before.safety if one.safety is None else one.safety)
            if after != before:
                db.levels.put((one.store, one.sku), after)
            if difference := after.on_hand - before.on_hand:
                at, kind = (one.movement, one.store, one.sku), MovementKind.COUNT
                found.append(Movement(*at, kind, difference, write.stamp, write.reason, write.reference))
        movements(db, found)


def slots(db: Database, writes: Iterable[SlotChange]) -> None:
    """All changes of one slot count as one: whoever gives a place back and takes it again keeps it."""
    sums: dict[tuple[str, str], SlotChange] = {}
    for change in writes:
        before = sums.get((change.store, change.slot))
        places = change.places + (before.places if before else 0)
        lines = change.lines + (before.lines if before else 0)
        sums[change.store, change.slot] = evolve(change, places=places, lines=lines)
    for key, change in sorted(sums.items(), key=lambda item: item[0]):
        now = db.slots.get(key) or Booked(change.starts, 0)
        after = Booked(change.starts, now.places + change.places, now.lines + change.lines)
        if change.places > 0 and after.places > change.capacity:
            raise _full(change.slot, "orders", change.places, change.capacity - now.places)
        if change.lines > 0 and change.line_capacity is not None and after.lines > change.line_capacity:
            raise _full(change.slot, "lines", change.lines, change.line_capacity - now.lines)
        if change.places > 0 or change.lines > 0 or db.slots.get(key) is not None:
            db.slots.put(key, Booked(change.starts, max(0, after.places), max(0, after.lines)))


def _full(slot: str, of: str, wanted: int, free: int) -> SlotUnavailable:
    return SlotUnavailable(slot=slot, reason="full", of=of, wanted=wanted, free=max(0, free))


def bins(db: Database, writes: Iterable[BinChange]) -> None:
    """All changes of one bin count as one: an order that is taken out and laid back stays."""
    sums: dict[tuple[str, str], BinChange] = {}
    for change in writes:
        before = sums.get((change.store, change.bin))
        sums[change.store, change.bin] = evolve(change, orders=change.orders + (before.orders if before else 0))
    for key, change in sorted(sums.items(), key=lambda item: item[0]):
        now = db.bins.get(key)
        after = (now or 0) + change.orders
        if change.orders > 0 and after > change.holds:
            raise BinFull(store=change.store, bin=change.bin, holds=change.holds)
        if change.orders > 0 or now:
            db.bins.put(key, max(0, after))


def movements(db: Database, writes: Iterable[Movement]) -> None:
    for movement in writes:
        if db.movements.get(movement.id) is not None:
            raise AlreadyThere(kind="movement", id=movement.id)
        db.movements.put(movement.id, movement)


def expected(db: Database, writes: Iterable[Expect | Arrived]) -> None:
    for write in writes:
        match write:
            case Expect(delivery):
                key = (delivery.store, delivery.sku, delivery.reference)
                db.expected.drop(key)
                if delivery.quantity:
                    db.expected.put(key, delivery)
            case Arrived(store, sku, reference, quantity):
                waited = db.expected.get((store, sku, reference))
                if waited is None:
                    continue
                left = 0 if quantity is None else max(0, waited.quantity - quantity)
                db.expected.drop((store, sku, reference))
                if left:
                    db.expected.put((store, sku, reference), evolve(waited, quantity=left))


# --- gift cards and store credit --------------------------------------------------------------------------


def accounts(db: Database, writes: Iterable[AccountWrite]) -> None:
    for write in writes:
        now = db.accounts.get(write.after.id)
        _guard("account", write.after.id, write.before, now, lambda one: one.state)
        db.accounts.put(write.after.id, write.after if now is None else evolve(now, state=write.after.state))


def balances(db: Database, writes: Iterable[BalanceChange]) -> None:
    for write in writes:
        now = db.accounts.get(write.account)
        if now is None or (write.spends and now.state is not AccountState.OPEN):
            raise StaleWrite(kind="account", id=write.account)
        currency = now.balance.currency
        balance, held = now.balance + Money(write.balance, currency), now.held + Money(write.held, currency)
        if not 0 <= held.amount <= balance.amount:
            raise StaleWrite(kind="account", id=write.account)
        db.accounts.put(write.account, evolve(now, balance=balance, held=held))


def holds(db: Database, writes: Iterable[HoldWrite]) -> None:
    for write in writes:
        hold = write.after
        key = (hold.account, hold.payment)
        _guard("hold", hold.id, write.before, db.holds.get(key), lambda one: one.version)
        db.holds.put(key, hold)


def postings(db: Database, writes: Iterable[Posting]) -> None:
    for posting in writes:
        key = (posting.account, posting.id)
        if db.postings.get(key) is not None:
            raise AlreadyThere(kind="posting", id=posting.id)
        db.postings.put(key, posting)


# --- timers, journal, answers -----------------------------------------------------------------------------


def timers(db: Database, writes: Iterable[TimerWrite]) -> None:
    """A timer that is set anew is nobody's: a worker's claim was on the old one."""
    for write in writes:
        key = (write.store, write.subject)
        now = db.timers.get(key)
        if write.if_due_at is not None and (now is None or now.at != write.if_due_at):
            continue
        if write.due_at is None:
            db.timers.drop(key)
        else:
            db.timers.put(key, Due(write.due_at))


def journal(db: Database, writes: Iterable[JournalEntry]) -> None:
    for entry in writes:
        if entry.first_seq != len(db.journal.of((entry.home, entry.stream))) + 1:
            raise StaleWrite(kind="journal", id=entry.stream)
        for seq, event in enumerate(entry.events, entry.first_seq):
            recorded = Recorded(entry.home, entry.stream, seq, entry.stamp, _public(event))
            key, row = (entry.home, entry.stream, seq), Entry(len(db.journal), recorded)
            db.journal.put(key, row)
            for consumer in db.consumers:
                db.deliveries.put((consumer, key), row)


_PRIVATE: Final = {kind for kind in EVENTS.values() if any(f.metadata.get("private") for f in fields(kind))}
"""Events with a field that the journal leaves out."""


def _public(event: Event) -> Event:
    """The event as a reader of the journal will see it: private fields come back as their defaults."""
    kind = type(event)
    if kind not in _PRIVATE:
        return event
    kept = [field.name for field in fields(kind) if not field.metadata.get("private")]
    return kind(**{name: getattr(event, name) for name in kept})


def answers(db: Database, writes: Iterable[Answer]) -> None:
    for answer in writes:
        key = (answer.home, answer.scope, answer.key)
        if db.answers.get(key) is not None:
            raise AlreadyThere(kind="answer", id=answer.key)
        db.answers.put(key, answer)


# --- the shop ---------------------------------------------------------------------------------------------


def stores(db: Database, writes: Iterable[Store]) -> None:
    for store in writes:
        db.stores.put(store.id, store)


def articles(db: Database, writes: Iterable[Article]) -> None:
    for article in writes:
        db.articles.put(article.sku, article)


def prices(db: Database, writes: Iterable[Price]) -> None:
    """One price per SKU, store, channel and beginning: writing it again replaces it."""
    for price in writes:
        channel = "" if price.channel is None else price.channel.value
        db.prices.put((price.sku, price.store or "", channel, price.valid_from), price)


def imports(db: Database, writes: Iterable[ImportWrite]) -> None:
    for write in writes:
        before, now = write.before, db.imports.get(write.after.id)
        if (now and now.version) != (before and before.version):
            raise StaleWrite(kind="import", id=write.after.id)
        db.imports.put(write.after.id, write.after)


STEPS: Final[dict[str, Callable[[Database, Any], None]]] = {
    "stores": stores,
    "articles": articles,
    "prices": prices,
    "imports": imports,
    "customers": customers,
    "carts": carts,
    "handoffs": handoffs,
    "promises": promises,
    "orders": orders,
    "transfers": transfers,
    "webhooks": webhooks,
    "reservations": reservations,
    "stock": stock,
    "counts": counts,
    "expected": expected,
    "slots": slots,
    "bins": bins,
    "accounts": accounts,
    "balances": balances,
    "holds": holds,
    "postings": postings,
    "timers": timers,
    "movements": movements,
    "journal": journal,
    "answers": answers,
}
"""The fields of `Writes` in the global lock order, and what carries each out."""
