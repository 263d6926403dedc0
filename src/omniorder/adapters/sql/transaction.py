"""One unit of work on a database: reads at once, writes at its end, in the global lock order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, final

from sqlalchemy import Connection

from omniorder.adapters.sql import (
    accounts,
    answers,
    bins,
    carts,
    codes,
    customers,
    expected,
    handoffs,
    imports,
    journal,
    orders,
    promises,
    reservations,
    shop,
    shortages,
    slots,
    stock,
    timers,
    transfers,
    webhooks,
)
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.link import Link, Step
from omniorder.adapters.sql.plans import PLANS, Plan
from omniorder.domain.accounts import Account, Hold, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Recorded
from omniorder.domain.handoffs import Handoff
from omniorder.domain.imports import Import
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Endangered, Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook
from omniorder.errors import OmniorderError
from omniorder.ports.writes import Answer, SlotUse, Timer, Writes


@final
class SqlTransaction:
    """Implements `omniorder.ports.storage.Transaction`; made by `SqlStorage`, which commits it."""

    def __init__(self, link: Link, *, may_write: bool) -> None:
        self._link: Final = link
        self._plan: Final = PLANS[link.dialect]
        self._may_write: Final = may_write
        self._noted = Writes()
        self._failure: OmniorderError | None = None
        self._running = True

    @property
    def connection(self) -> Connection:
        return self._link.connection

    @property
    def schema(self) -> str | None:
        """Where our tables are; None: where the connection looks first."""
        return self._link.schema

    def end(self) -> None:
        """Refuse everything from now on."""
        self._running = False

    def write(self, writes: Writes) -> None:
        self._writing()
        self._noted += writes

    def flush(self) -> None:
        """Carry out what was noted; a guard that refuses spoils the whole transaction."""
        if self._failure is not None:
            raise self._failure
        try:
            self._planned().send()
        except OmniorderError as error:
            self._failure = error
            raise

    @property
    def noted(self) -> Writes:
        """What is still to be carried out; raises what spoilt the transaction."""
        if self._failure is not None:
            raise self._failure
        return self._noted

    def rest(self) -> Sequence[Step]:
        """The plan of what is still to be carried out; raises what spoilt the transaction."""
        if self._failure is not None:
            raise self._failure
        return self._planned().take()

    def _planned(self) -> Batch:
        writes, self._noted = self._noted, Writes()
        return plan(Batch(self._link), self._plan, writes)

    def _reading(self) -> None:
        if not self._running:
            raise RuntimeError("this transaction has ended")

    def _writing(self) -> None:
        self._reading()
        if not self._may_write:
            raise RuntimeError("this transaction only reads")

    # --- aggregates ---

    def cart(self, cart_id: str) -> Cart | None:
        return carts.load(self._link, cart_id)

    def open_cart(self, owner: str) -> Cart | None:
        return carts.load_open(self._link, owner)

    def carts_of(self, owner: str, *, limit: int) -> tuple[Cart, ...]:
        return carts.load_all(self._link, owner, limit)

    def customer(self, owner: str) -> int:
        return customers.version(self._link, owner)

    def handoff(self, handoff_id: str) -> Handoff | None:
        return handoffs.load(self._link, handoff_id)

    def handoffs(self, cart_id: str) -> tuple[Handoff, ...]:
        return handoffs.of_cart(self._link, cart_id)

    def promise(self, promise_id: str) -> Promise | None:
        return promises.load(self._link, promise_id)

    def order(self, order_id: str) -> Order | None:
        return orders.load(self._link, order_id)

    def reservation(self, reservation_id: str) -> Reservation | None:
        return reservations.load(self._link, reservation_id)

    def transfer(self, transfer_id: str) -> Transfer | None:
        return transfers.load(self._link, transfer_id)

    def webhook(self, webhook_id: str) -> Webhook | None:
        return webhooks.load(self._link, webhook_id)

    def answer(self, home: str, scope: str, key: str) -> Answer | None:
        return answers.load(self._link, home, scope, key)

    def imported(self, import_id: str) -> Import | None:
        return imports.load(self._link, import_id)

    # --- gift cards and store credit ---

    def account(self, account_id: str) -> Account | None:
        return accounts.load(self._link, account_id)

    def hold(self, account_id: str, payment: str) -> Hold | None:
        return accounts.hold(self._link, account_id, payment)

    def holds_of(self, payment: str) -> tuple[Hold, ...]:
        return accounts.holds_of(self._link, payment)

    def holds(
        self, start: datetime, end: datetime, *, after: tuple[datetime, str, str] | None, limit: int
    ) -> tuple[Hold, ...]:
        return accounts.holds(self._link, start, end, after, limit)

    def postings(self, account_id: str, *, after: str | None, limit: int) -> tuple[Posting, ...]:
        return accounts.postings(self._link, account_id, after, limit)

    # --- the shop ---

    def stores(self, ids: Sequence[str] | None = None) -> tuple[Store, ...]:
        return shop.stores(self._link, ids)

    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        return shop.articles(self._link, skus)

    def prices(self, skus: Sequence[str]) -> tuple[Price, ...]:
        return shop.prices(self._link, skus)

    def levels(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> tuple[Level, ...]:
        return stock.levels(self._link, skus, stores)

    def available(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> Mapping[tuple[str, str], int]:
        return stock.available(self._link, skus, stores)

    def shortages(self, store: str, *, after: str | None, limit: int) -> tuple[Level, ...]:
        return shortages.shortages(self._link, store, after, limit)

    def endangered(self, store: str, skus: Sequence[str]) -> Mapping[str, tuple[Endangered, ...]]:
        return shortages.endangered(self._link, store, skus)

    def expected(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> tuple[ExpectedDelivery, ...]:
        return expected.expected(self._link, skus, stores)

    def booked(self, stores: Sequence[str], start: datetime, end: datetime) -> Mapping[str, SlotUse]:
        return slots.booked(self._link, stores, start, end)

    def in_bins(self, store: str) -> Mapping[str, int]:
        return bins.in_bins(self._link, store)

    # --- lists by keyset ---

    def orders_of(self, owner: str, *, after: tuple[datetime, str] | None, limit: int) -> tuple[Order, ...]:
        return orders.of_owner(self._link, owner, after, limit)

    def coming(self, store: str, *, after: tuple[bool, datetime, str] | None, limit: int) -> tuple[Order, ...]:
        return orders.coming(self._link, store, after, limit)

    def paid_by(
        self, kind: str, *, start: datetime, end: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[tuple[str, Order], ...]:
        return orders.paid_by(self._link, kind, start, end, after, limit)

    def pickups(
        self, store: str, *, start: datetime | None, end: datetime | None, states: Sequence[str],
        after: tuple[datetime, str] | None, limit: int,
    ) -> tuple[Order, ...]:  # fmt: skip
        return orders.to_pick_up(self._link, store, start, end, states, after, limit)

    def unreturned(self, store: str, *, after: str | None, limit: int) -> tuple[Order, ...]:
        return orders.unreturned(self._link, store, after, limit)

    def transfers(
        self, store: str, *, incoming: bool, states: Sequence[str], after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Transfer, ...]:
        start = after or (orders.EARLIEST, "")
        return transfers.listed(self._link, store, states, start, limit, incoming=incoming)

    def journal(self, home: str, stream: str, *, after: int, limit: int) -> tuple[Recorded, ...]:
        return journal.stream(self._link, home, stream, after, limit)

    def journal_of_store(
        self, home: str, start: datetime, end: datetime, *, after: tuple[datetime, str, int] | None, limit: int
    ) -> tuple[Recorded, ...]:
        return journal.of_store(self._link, home, start, end, after, limit)

    def movements(self, store: str, sku: str, *, after: str | None, limit: int) -> tuple[Movement, ...]:
        return stock.movements(self._link, store, sku, after, limit)

    # --- timers ---

    def stores_due(self, at: datetime, limit: int) -> tuple[str, ...]:
        return timers.stores_due(self._link, at, limit)

    def claim_timers(
        self, store: str, at: datetime, *, until: datetime, limit: int, now: datetime
    ) -> tuple[Timer, ...]:
        self._writing()
        return timers.claim(self._link, store, at, until=until, limit=limit, now=now)

    # --- wrong codes ---

    def count_try(self, subject: str, generation: int, most: int) -> int | None:
        self._writing()
        return codes.count_try(self._link, subject, generation, most)

    def forget_tries(self, subject: str, generation: int) -> None:
        self._writing()
        codes.forget_tries(self._link, subject, generation)

    def forget_old_tries(self, start: str, before: int, limit: int) -> int:
        self._writing()
        return codes.forget_old(self._link, start, before, limit)

    # --- consumers of the journal ---

    def subscribe(self, consumer: str, *, from_start: bool) -> None:
        self._writing()
        journal.subscribe(self._link, self._plan, consumer, from_start=from_start)

    def undelivered(self, consumer: str, limit: int) -> tuple[Recorded, ...]:
        return journal.undelivered(self._link, consumer, limit)

    def acknowledge(self, consumer: str, events: Iterable[Recorded]) -> None:
        self._writing()
        journal.acknowledge(self._link, consumer, events)

    # --- housekeeping ---

    def forget_answers(self, before: datetime, limit: int) -> int:
        self._writing()
        return answers.forget(self._link, before, limit)

    def forget_handoffs(self, before: datetime, limit: int) -> int:
        self._writing()
        return handoffs.forget(self._link, before, limit)

    def forget_webhooks(self, before: datetime, limit: int) -> int:
        self._writing()
        return webhooks.forget(self._link, before, limit)


def plan(batch: Batch, way: Plan, writes: Writes) -> Batch:
    """The plan of every command: aggregates by their ids first, then what many commands share.

    Everybody locks in this order, so nobody waits in a circle. Within a table rows are taken by their keys,
    except that two writes of one aggregate stay in the order in which they were noted.
    """
    imports.write(batch, writes.imports)
    shop.put_stores(batch, writes.stores)
    shop.put_articles(batch, writes.articles)
    shop.put_prices(batch, writes.prices)
    for customer in sorted(writes.customers, key=lambda write: write.owner):
        customers.write(batch, customer)
    for cart in sorted(writes.carts, key=lambda write: write.after.id):
        carts.write(batch, cart)
    for handoff in sorted(writes.handoffs, key=lambda write: write.after.id):
        handoffs.write(batch, handoff)
    for order in sorted(writes.orders, key=lambda write: write.after.id):
        orders.write(batch, order)
    for promise in sorted(writes.promises, key=lambda write: write.after.id):
        promises.write(batch, promise)
    for transfer in sorted(writes.transfers, key=lambda write: write.after.id):
        transfers.write(batch, transfer)
    for webhook in sorted(writes.webhooks, key=lambda write: write.after.id):
        webhooks.write(batch, webhook)
    for reservation in sorted(writes.reservations, key=lambda write: write.after.id):
        reservations.write(batch, reservation)
    for store, demands in stock.demands(writes.stock).items():
        way.change_stock(batch, store, demands)
    for count in writes.counts:
        way.count_stock(batch, count)
    expected.write(batch, writes.expected)
    slots.change(batch, writes.slots)
    bins.change(batch, writes.bins)
    accounts.write(batch, sorted(writes.accounts, key=lambda write: write.after.id))
    accounts.change(batch, writes.balances)
    for hold in sorted(writes.holds, key=lambda write: write.after.id):
        accounts.write_hold(batch, hold)
    accounts.post(batch, writes.postings)
    timers.write(batch, writes.timers)
    stock.record(batch, writes.movements)
    journal.append(batch, way, writes.journal)
    answers.write(batch, writes.answers)
    return batch
