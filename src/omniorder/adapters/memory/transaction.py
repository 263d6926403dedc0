"""One unit of work in memory: reads from the tables, and what is to be written at its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from attrs import evolve

from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.writing import carry_out
from omniorder.domain.accounts import Account, Hold, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Recorded
from omniorder.domain.handoffs import Handoff
from omniorder.domain.imports import Import
from omniorder.domain.lifecycle import ENDED_PICKUPS, AttemptState, CartState
from omniorder.domain.orders import Order
from omniorder.domain.payments import Operation
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Endangered, Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook, WebhookState
from omniorder.errors import OmniorderError
from omniorder.ports.writes import Answer, SlotUse, Timer, Writes

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class MemoryTransaction:
    """Implements `omniorder.ports.storage.Transaction`; made by `MemoryStorage`, which holds the lock."""

    def __init__(self, db: Database, *, may_write: bool) -> None:
        self._db = db
        self._may_write = may_write
        self._noted = Writes()
        self._failure: OmniorderError | None = None
        self.running = True

    @property
    def connection(self) -> None:
        """There is no connection in memory."""
        return None

    @property
    def database(self) -> Database:
        """The tables that this transaction works on."""
        return self._db

    def write(self, writes: Writes) -> None:
        self._writing()
        self._noted += writes

    def flush(self) -> None:
        """Carry out what was noted; a guard that refuses spoils the whole transaction, as in a database."""
        if self._failure is not None:
            raise self._failure
        noted, self._noted = self._noted, Writes()
        if noted == Writes():
            return
        mark = self._db.undo.mark()
        try:
            carry_out(self._db, noted)
        except OmniorderError as error:
            self._db.undo.back_to(mark)
            self._failure = error
            raise

    @property
    def writable(self) -> bool:
        """Whether it is still running, and not only for reading."""
        return self.running and self._may_write

    def _writing(self) -> None:
        if not self.writable:
            raise RuntimeError("this transaction only reads" if self.running else "this transaction has ended")

    # --- aggregates ---

    def cart(self, cart_id: str) -> Cart | None:
        return self._db.carts.get(cart_id)

    def open_cart(self, owner: str) -> Cart | None:
        carts = [cart for cart in self._db.carts.of(owner).values() if cart.state is CartState.OPEN]
        return max(carts, key=lambda cart: (cart.changed_at, cart.id), default=None)

    def carts_of(self, owner: str, *, limit: int) -> tuple[Cart, ...]:
        carts = self._db.carts.of(owner)
        return tuple(carts[id] for id in sorted(carts)[:limit])

    def customer(self, owner: str) -> int:
        return self._db.customers.get(owner) or 0

    def handoff(self, handoff_id: str) -> Handoff | None:
        return self._db.handoffs.get(handoff_id)

    def handoffs(self, cart_id: str) -> tuple[Handoff, ...]:
        found = self._db.handoffs.of(cart_id)
        return tuple(found[id] for id in sorted(found))

    def promise(self, promise_id: str) -> Promise | None:
        return self._db.promises.get(promise_id)

    def order(self, order_id: str) -> Order | None:
        return self._db.orders.get(order_id)

    def reservation(self, reservation_id: str) -> Reservation | None:
        return self._db.reservations.get(reservation_id)

    def transfer(self, transfer_id: str) -> Transfer | None:
        return self._db.transfers.get(transfer_id)

    def webhook(self, webhook_id: str) -> Webhook | None:
        return self._db.webhooks.get(webhook_id)

    def answer(self, home: str, scope: str, key: str) -> Answer | None:
        return self._db.answers.get((home, scope, key))

    def imported(self, import_id: str) -> Import | None:
        return self._db.imports.get(import_id)

    # --- gift cards and store credit ---

    def account(self, account_id: str) -> Account | None:
        return self._db.accounts.get(account_id)

    def hold(self, account_id: str, payment: str) -> Hold | None:
        return self._db.holds.get((account_id, payment))

    def holds_of(self, payment: str) -> tuple[Hold, ...]:
        rows = self._db.holds.of(payment)
        return tuple(rows[key] for key in sorted(rows))

    def holds(
        self, start: datetime, end: datetime, *, after: tuple[datetime, str, str] | None, limit: int
    ) -> tuple[Hold, ...]:
        keyed = {
            (one.placed_at, one.account, one.payment): one
            for one in self._db.holds.rows()
            if start <= one.placed_at < end
        }
        keys = sorted(key for key in keyed if after is None or key > after)
        return tuple(keyed[key] for key in keys[:limit])

    def postings(self, account_id: str, *, after: str | None, limit: int) -> tuple[Posting, ...]:
        rows = self._db.postings.of(account_id)
        keys = sorted(key for key in rows if after is None or key[1] > after)
        return tuple(rows[key] for key in keys[:limit])

    # --- the shop ---

    def stores(self, ids: Sequence[str] | None = None) -> tuple[Store, ...]:
        wanted = sorted(self._db.stores if ids is None else set(ids))
        return tuple(store for id in wanted if (store := self._db.stores.get(id)) is not None)

    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return {sku: article for sku in skus if (article := self._db.articles.get(sku)) is not None}

    def prices(self, skus: Sequence[str]) -> tuple[Price, ...]:
        rows = {key: price for sku in set(skus) for key, price in self._db.prices.of(sku).items()}
        return tuple(rows[key] for key in sorted(rows, key=lambda key: (*key[:3], key[3] or LONG_AGO)))

    def levels(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> tuple[Level, ...]:
        if stores is None:
            rows = {key: level for sku in set(skus) for key, level in self._db.levels.of(sku).items()}
            return tuple(rows[key] for key in sorted(rows))
        keys = sorted({(store, sku) for store in stores for sku in skus})
        return tuple(level for key in keys if (level := self._db.levels.get(key)) is not None)

    def available(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> Mapping[tuple[str, str], int]:
        return {(level.store, level.sku): level.available for level in self.levels(skus, stores)}

    def shortages(self, store: str, *, after: str | None, limit: int) -> tuple[Level, ...]:
        levels = {
            level.sku: level for (where, _), level in self._db.levels.items() if where == store and level.shortage
        }
        skus = sorted(sku for sku in levels if after is None or sku > after)
        return tuple(levels[sku] for sku in skus[:limit])

    def endangered(self, store: str, skus: Sequence[str]) -> Mapping[str, tuple[Endangered, ...]]:
        found: dict[str, list[Endangered]] = {}
        for order in self._db.orders.of(store).values():
            reservation = self._db.reservations.get(order.reservation_id)
            if order.pickup.state in ENDED_PICKUPS or reservation is None or reservation.store != store:
                continue
            for sku, units in reservation.live().items():
                if sku in skus:
                    found.setdefault(sku, []).append(Endangered(order.id, units, order.pickup.starts))
        for orders in found.values():
            orders.sort(key=lambda one: one.order)
            orders.sort(key=lambda one: one.starts, reverse=True)
        return {sku: tuple(orders) for sku, orders in found.items()}

    def expected(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> tuple[ExpectedDelivery, ...]:
        rows = [one for sku in set(skus) for one in self._db.expected.of(sku).values()]
        wanted = [one for one in rows if stores is None or one.store in stores]
        return tuple(sorted(wanted, key=lambda one: (one.store, one.sku, one.at, one.reference)))

    def booked(self, stores: Sequence[str], start: datetime, end: datetime) -> Mapping[str, SlotUse]:
        return {
            slot: SlotUse(row.places, row.lines)
            for store in set(stores)
            for (_, slot), row in self._db.slots.of(store).items()
            if start <= row.starts < end
        }

    def in_bins(self, store: str) -> Mapping[str, int]:
        return {code: orders for (_, code), orders in self._db.bins.of(store).items()}

    # --- lists by keyset ---

    def orders_of(self, owner: str, *, after: tuple[datetime, str] | None, limit: int) -> tuple[Order, ...]:
        found = [order for id in self._db.orders_of.of(owner).values() if (order := self._db.orders.get(id))]
        keyed = {(order.placed_at, order.id): order for order in found}
        keys = sorted((key for key in keyed if after is None or key < after), reverse=True)
        return tuple(keyed[key] for key in keys[:limit])

    def paid_by(
        self, kind: str, *, start: datetime, end: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[tuple[str, Order], ...]:
        keyed = {
            (payment.created_at, payment.id): (payment.id, order)
            for order in self._db.orders.rows()
            for payment in order.payments
            if payment.kind == kind and start <= payment.created_at < end
        }
        keys = sorted(key for key in keyed if after is None or key > after)
        return tuple(keyed[key] for key in keys[:limit])

    def pickups(
        self, store: str, *, start: datetime | None, end: datetime | None, states: Sequence[str],
        after: tuple[datetime, str] | None, limit: int,
    ) -> tuple[Order, ...]:  # fmt: skip
        keyed = {
            (order.pickup.starts, order.id): order
            for order in self._db.orders.of(store).values()
            if order.pickup.state.value in states
            and (start is None or start <= order.pickup.starts)
            and (end is None or order.pickup.starts < end)
        }
        keys = sorted(key for key in keyed if after is None or key > after)
        return tuple(keyed[key] for key in keys[:limit])

    def coming(self, store: str, *, after: tuple[bool, datetime, str] | None, limit: int) -> tuple[Order, ...]:
        keyed = {
            (arrival.arrived_at is None, at, order.id): order
            for order in self._db.orders.of(store).values()
            if (arrival := order.pickup.arrival) and (at := arrival.arrived_at or arrival.expected_at)
        }
        place = None if after is None else (not after[0], *after[1:])
        keys = sorted(key for key in keyed if place is None or key > place)
        return tuple(keyed[key] for key in keys[:limit])

    def unreturned(self, store: str, *, after: str | None, limit: int) -> tuple[Order, ...]:
        found = {
            order.id: order
            for (home, subject) in self._db.timers.of(store)
            if (order := self._db.orders.get(subject)) is not None and home == order.store and _unreturned(order)
        }
        return tuple(found[id] for id in sorted(found) if after is None or id > after)[:limit]

    def transfers(
        self, store: str, *, incoming: bool, states: Sequence[str], after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Transfer, ...]:
        keyed = {
            (one.expected_at, one.id): one
            for one in self._db.transfers.rows()
            if (one.destination if incoming else one.source) == store and one.state.value in states
        }
        keys = sorted(key for key in keyed if after is None or key > after)
        return tuple(keyed[key] for key in keys[:limit])

    def journal(self, home: str, stream: str, *, after: int, limit: int) -> tuple[Recorded, ...]:
        last = min(after + limit, len(self._db.journal.of((home, stream))))
        entries = (self._db.journal.get((home, stream, seq)) for seq in range(after + 1, last + 1))
        return tuple(entry.recorded for entry in entries if entry is not None)

    def journal_of_store(
        self, home: str, start: datetime, end: datetime, *, after: tuple[datetime, str, int] | None, limit: int
    ) -> tuple[Recorded, ...]:
        keyed = {
            (one.stamp.at, one.stream, one.seq): one
            for one in (entry.recorded for entry in self._db.journal.rows())
            if one.home == home and start <= one.stamp.at < end
        }
        keys = sorted(key for key in keyed if after is None or key > after)
        return tuple(keyed[key] for key in keys[:limit])

    def movements(self, store: str, sku: str, *, after: str | None, limit: int) -> tuple[Movement, ...]:
        rows = self._db.movements.of((store, sku))
        ids = sorted(id for id in rows if after is None or id > after)
        return tuple(rows[id] for id in ids[:limit])

    # --- timers ---

    def stores_due(self, at: datetime, limit: int) -> tuple[str, ...]:
        timers = self._db.timers
        longest = {
            store: min(waiting)
            for store in {store for store, _ in timers}
            if (waiting := [due.at for due in timers.of(store).values() if due.at <= at and due.free(at)])
        }
        return tuple(sorted(longest, key=lambda store: (longest[store], store))[:limit])

    def claim_timers(
        self, store: str, at: datetime, *, until: datetime, limit: int, now: datetime
    ) -> tuple[Timer, ...]:
        self._writing()
        waiting = sorted(
            (due.at, subject)
            for (_, subject), due in self._db.timers.of(store).items()
            if due.at <= at and due.free(now)
        )
        claimed = tuple(Timer(store, subject, due_at) for due_at, subject in waiting[:limit])
        for timer in claimed:
            key = (store, timer.subject)
            due = self._db.timers.get(key)
            if due is not None:
                self._db.timers.put(key, evolve(due, claimed_until=until))
        return claimed

    # --- wrong codes ---

    def count_try(self, subject: str, generation: int, most: int) -> int | None:
        self._writing()
        counted = self._db.tries.get((subject, generation)) or 0
        if counted >= most:
            return None
        self._db.tries.put((subject, generation), counted + 1)
        return counted + 1

    def forget_tries(self, subject: str, generation: int) -> None:
        self._writing()
        self._db.tries.drop((subject, generation))

    def forget_old_tries(self, start: str, before: int, limit: int) -> int:
        self._writing()
        old = sorted(key for key in self._db.tries if key[0].startswith(start) and key[1] < before)
        for key in old[:limit]:
            self._db.tries.drop(key)
        return len(old[:limit])

    # --- consumers of the journal ---

    def subscribe(self, consumer: str, *, from_start: bool) -> None:
        self._writing()
        if self._db.consumers.get(consumer) is not None:
            return
        self._db.consumers.put(consumer, consumer)
        if from_start:
            for key, entry in self._db.journal.items():
                self._db.deliveries.put((consumer, key), entry)

    def undelivered(self, consumer: str, limit: int) -> tuple[Recorded, ...]:
        entries = sorted(self._db.deliveries.of(consumer).values(), key=lambda entry: entry.place)
        return tuple(entry.recorded for entry in entries[:limit])

    def acknowledge(self, consumer: str, events: Iterable[Recorded]) -> None:
        self._writing()
        for event in events:
            self._db.deliveries.drop((consumer, (event.home, event.stream, event.seq)))

    # --- housekeeping ---

    def forget_answers(self, before: datetime, limit: int) -> int:
        self._writing()
        old = sorted((answer.at, key) for key, answer in self._db.answers.items() if answer.at < before)
        for _, key in old[:limit]:
            self._db.answers.drop(key)
        return len(old[:limit])

    def forget_handoffs(self, before: datetime, limit: int) -> int:
        self._writing()
        ended = sorted((one.ends, id) for id, one in self._db.handoffs.items() if one.ends < before)
        for _, id in ended[:limit]:
            self._db.handoffs.drop(id)
            self._db.tries.drop((id, 0))
        return len(ended[:limit])

    def forget_webhooks(self, before: datetime, limit: int) -> int:
        self._writing()
        old = sorted(
            (one.received_at, id)
            for id, one in self._db.webhooks.items()
            if one.received_at < before and one.state is not WebhookState.PARKED
        )
        for _, id in old[:limit]:
            self._db.webhooks.drop(id)
        return len(old[:limit])


def _unreturned(order: Order) -> bool:
    attempts = (attempt for payment in order.payments for attempt in payment.attempts)
    return any(one.operation is Operation.REFUND and one.state is not AttemptState.SUCCEEDED for one in attempts)
