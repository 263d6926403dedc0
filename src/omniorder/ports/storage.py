"""Storage: where carts, promises, orders, stock and the journal live, and the one way to change them.

A command reads what it needs, decides, and hands the storage **one value**, `Writes`: everything that it changes.
`Transaction.write` only notes it; the adapter carries all of it out when the transaction ends, in the global lock
order (customer, cart, handoff, promise or order, transfer, webhook, reservation, stock by store and SKU, what is
expected, slots, bins, accounts, holds, timers, journal), each write guarded in its own statement. Either all of it
happens or none of it. Because a command's effect is a value, every adapter can choose its own plan for it (one
statement, many, or a dictionary), and any two adapters can be compared write by write.

What a guard refuses is told by the error raised at the end of the transaction:

- `StaleWrite` - an aggregate is at another version than `before`, a level has another number on hand than
  `if_on_hand`, or an account can't give what a `BalanceChange` takes: the caller runs the transaction again
- `AlreadyThere` - an insert met its own key
- `OutOfStock` - a `StockChange` found too few units; facts name every SKU that is short
- `SlotUnavailable` - a `SlotChange` found too little room (`reason="full"`); facts say of what
- `BinFull` - a `BinChange` found no room
- `StorageUnavailable`, `StorageFull`, `SchemaOutdated` - see their docstrings

Reads see one consistent state of an aggregate. A transaction does not see its own pending writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

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
from omniorder.ports.writes import Answer, SlotUse, Timer, Writes


class Transaction(Protocol):
    """One unit of work. Leaves nothing behind when the block raises."""

    @property
    def connection(self) -> Any:
        """What a handler may use for its own database work: an SQLAlchemy connection, or None in memory."""
        ...

    def write(self, writes: Writes) -> None:
        """Note what is to be written when the transaction ends; several notes are summed."""
        ...

    def flush(self) -> None:
        """Carry out what was noted so far; called by the adapter at the end, or before handlers run."""
        ...

    # --- aggregates, None when missing ---

    def cart(self, cart_id: str) -> Cart | None:
        """The cart with its lines and notes."""
        ...

    def open_cart(self, owner: str) -> Cart | None:
        """The owner's open cart that was changed last."""
        ...

    def carts_of(self, owner: str, *, limit: int) -> tuple[Cart, ...]:
        """The owner's carts in whatever state, oldest first."""
        ...

    def customer(self, owner: str) -> int:
        """How many events the customer's own stream has; 0 for a customer of whom nothing was told."""
        ...

    def handoff(self, handoff_id: str) -> Handoff | None:
        """The handoff, whatever became of it."""
        ...

    def handoffs(self, cart_id: str) -> tuple[Handoff, ...]:
        """All handoffs of a cart, by their ids."""
        ...

    def promise(self, promise_id: str) -> Promise | None:
        """The promise with its quote, live or ended."""
        ...

    def order(self, order_id: str) -> Order | None:
        """The order with its lines, payments, attempts and pick-up."""
        ...

    def reservation(self, reservation_id: str) -> Reservation | None:
        """The reservation with its lines, live or ended."""
        ...

    def transfer(self, transfer_id: str) -> Transfer | None:
        """The transfer with its lines, whatever became of it."""
        ...

    def webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook, until it is forgotten."""
        ...

    def answer(self, home: str, scope: str, key: str) -> Answer | None:
        """What was answered under this idempotency key, until it is forgotten."""
        ...

    def imported(self, import_id: str) -> Import | None:
        """How far the import has come."""
        ...

    # --- gift cards and store credit ---

    def account(self, account_id: str) -> Account | None:
        """The account with its balance, in whatever state."""
        ...

    def hold(self, account_id: str, payment: str) -> Hold | None:
        """What this payment holds on this account, whatever became of it."""
        ...

    def holds_of(self, payment: str) -> tuple[Hold, ...]:
        """The same on whichever account, by account: for a payment whose answer was lost before it told which. Where a
        database is divided, this asks all of it."""
        ...

    def holds(
        self, start: datetime, end: datetime, *, after: tuple[datetime, str, str] | None, limit: int
    ) -> tuple[Hold, ...]:
        """Holds that were placed within [start, end), keyed by (placed_at, account, payment) and in that order."""
        ...

    def postings(self, account_id: str, *, after: str | None, limit: int) -> tuple[Posting, ...]:
        """Postings to one account, oldest first, keyed by id (ids are ordered by time)."""
        ...

    # --- the shop ---

    def stores(self, ids: Sequence[str] | None = None) -> tuple[Store, ...]:
        """Stores by id, or all of them; ordered by id."""
        ...

    def articles(self, skus: Sequence[str]) -> Mapping[str, Article]:
        """The articles by SKU; unknown ones are left out."""
        ...

    def prices(self, skus: Sequence[str]) -> tuple[Price, ...]:
        """All prices of these SKUs, ordered by SKU, store, channel and validity."""
        ...

    def levels(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> tuple[Level, ...]:
        """Levels of these SKUs at these stores, or at all; only those that exist; ordered by store and SKU."""
        ...

    def available(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> Mapping[tuple[str, str], int]:
        """What may be promised of these levels, by (store, SKU): `Level.available`, for tens of thousands at once."""
        ...

    def shortages(self, store: str, *, after: str | None, limit: int) -> tuple[Level, ...]:
        """Levels of this store at which more is reserved than is on hand, keyed by SKU and in its order."""
        ...

    def endangered(self, store: str, skus: Sequence[str]) -> Mapping[str, tuple[Endangered, ...]]:
        """The orders whose reservation at this store holds live units of these SKUs, by SKU; SKUs that no order holds
        are left out. The latest pick-up window first, then by order id. Only open pick-ups of the store are read."""
        ...

    def expected(self, skus: Sequence[str], stores: Sequence[str] | None = None) -> tuple[ExpectedDelivery, ...]:
        """What is expected of these SKUs at these stores, or at all; by store, SKU, instant and reference."""
        ...

    def booked(self, stores: Sequence[str], start: datetime, end: datetime) -> Mapping[str, SlotUse]:
        """What is taken per slot id, for slots that start within [start, end); only of those ever booked."""
        ...

    def in_bins(self, store: str) -> Mapping[str, int]:
        """How many orders lie in each bin of this store, by its code; only of those ever used."""
        ...

    # --- lists by keyset: `after` is the last item's key of the page before; None begins ---

    def orders_of(self, owner: str, *, after: tuple[datetime, str] | None, limit: int) -> tuple[Order, ...]:
        """The owner's orders, newest first, keyed by (placed_at, id)."""
        ...

    def paid_by(
        self, kind: str, *, start: datetime, end: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> tuple[tuple[str, Order], ...]:
        """Payments of this kind of tender that were created within [start, end), at whichever store: their ids, each
        with its order; by the instant of creation and payment id, which are the key."""
        ...

    def pickups(
        self,
        store: str,
        *,
        start: datetime | None,
        end: datetime | None,
        states: Sequence[str],
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> tuple[Order, ...]:
        """Orders to be picked up at `store`, with a pick-up in one of `states` (values) and a window that starts
        within [start, end) where given; by window start and order id."""
        ...  # fmt: skip

    def coming(self, store: str, *, after: tuple[bool, datetime, str] | None, limit: int) -> tuple[Order, ...]:
        """Orders picked up at `store` whose customer has said that they come: first those who have arrived, by when,
        then those on their way, by when they are expected; keyed by (arrived, that instant, order id)."""
        ...

    def unreturned(self, store: str, *, after: str | None, limit: int) -> tuple[Order, ...]:
        """Orders placed at `store` that have a timer and an attempt to refund that has not succeeded; by order id."""
        ...

    def transfers(
        self, store: str, *, incoming: bool, states: Sequence[str], after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Transfer, ...]:
        """Transfers that this store sends, or (`incoming`) gets, in one of `states` (values); by `expected_at` and
        id."""
        ...

    def journal(self, home: str, stream: str, *, after: int, limit: int) -> tuple[Recorded, ...]:
        """Events of one stream with seq > `after`, in order."""
        ...

    def journal_of_store(
        self, home: str, start: datetime, end: datetime, *, after: tuple[datetime, str, int] | None, limit: int
    ) -> tuple[Recorded, ...]:
        """Events within [start, end) of every stream at `home` (of a store: of the orders placed there, and of what it
        sends to others), keyed by (instant, stream, seq) and in that order."""
        ...

    def movements(self, store: str, sku: str, *, after: str | None, limit: int) -> tuple[Movement, ...]:
        """Movements of one level, oldest first, keyed by id (ids are ordered by time)."""
        ...

    # --- timers ---

    def stores_due(self, at: datetime, limit: int) -> tuple[str, ...]:
        """Stores with an unclaimed timer due at or before `at`, longest overdue first."""
        ...

    def claim_timers(
        self, store: str, at: datetime, *, until: datetime, limit: int, now: datetime
    ) -> tuple[Timer, ...]:
        """Claim due timers of one store that nobody holds until `until`; written at once, committed with the rest.

        Due means due_at <= `at`; free means not claimed, or claimed until before `now`.
        """
        ...

    # --- wrong codes ---

    def count_try(self, subject: str, generation: int, most: int) -> int | None:
        """Count one try of a code of this order (and its generation), or of another subject; the count, or None when
        `most` were counted before."""
        ...

    def forget_tries(self, subject: str, generation: int) -> None:
        """The right code was shown: start counting anew."""
        ...

    def forget_old_tries(self, start: str, before: int, limit: int) -> int:
        """Forget up to `limit` counts of subjects that begin with `start`, of generations below `before`; how many."""
        ...

    # --- consumers of the journal ---

    def subscribe(self, consumer: str, *, from_start: bool) -> None:
        """Deliver every event that commits from now on (and, `from_start`, all earlier ones) to `consumer`.

        Safe beside running commands: none that commits after this is missed. Repeating it changes nothing.
        """
        ...

    def undelivered(self, consumer: str, limit: int) -> tuple[Recorded, ...]:
        """Events not yet acknowledged by `consumer`: the oldest first, each stream in order without holes."""
        ...

    def acknowledge(self, consumer: str, events: Iterable[Recorded]) -> None:
        """Deliver these events to `consumer` no more."""
        ...

    # --- housekeeping ---

    def forget_answers(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` idempotency answers older than `before`; how many."""
        ...

    def forget_handoffs(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` handoffs that ended before `before` (`Handoff.ends`), those that ended first, with what
        `count_try` counted for them (as generation 0); how many."""
        ...

    def forget_webhooks(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` webhooks that were received before `before` and are not parked, the oldest first; how
        many."""
        ...


class Storage(Protocol):
    """A database of omniorder's own, or the caller's."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A read-write transaction, committed when the block ends, undone when it raises.

        Raises `StaleWrite` and `StorageUnavailable` for what a repetition can cure: the caller repeats, this
        method never does. Thread-safe: each call is a transaction of its own.
        """
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that only reads; `write` raises."""
        ...

    def migrate(self) -> None:
        """Bring the tables to this version; safe when several processes start at once."""
        ...

    def joined(self, connection: Any) -> Storage:
        """The same storage inside the caller's own transaction on `connection` (SQLAlchemy or DB-API).

        Each transaction is a savepoint there; committing stays with the caller.
        """
        ...

    @property
    def is_joined(self) -> bool:
        """Whether this is somebody else's transaction: nothing may be repeated or called outside."""
        ...

    def close(self) -> None:
        """Give all connections back."""
        ...
