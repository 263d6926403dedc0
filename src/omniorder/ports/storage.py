"""Storage: where carts, promises, orders, stock and the journal live, and the one way to change them.

A command reads what it needs, decides, and hands the storage **one value**, `Writes`: everything that it changes.
`Transaction.write` only notes it; the adapter carries all of it out when the transaction ends, in the global lock
order (customer, cart, handoff, promise or order, transfer, reservation, stock by store and SKU, what is expected,
slots, timers, journal), each write guarded in its own statement. Either all of it happens or none of it. Because a
command's effect is a value, every adapter can choose its own plan for it (one statement, many, or a dictionary), and
any two adapters can be compared write by write.

What a guard refuses is told by the error raised at the end of the transaction:

- `StaleWrite` - an aggregate is at another version than `before`, or a level has another number on hand than
  `if_on_hand`: the caller runs the transaction again
- `AlreadyThere` - an insert met its own key
- `OutOfStock` - a `StockChange` found too few units; facts name every SKU that is short
- `SlotUnavailable` - a `SlotChange` found too little room (`reason="full"`); facts say of what
- `StorageUnavailable`, `StorageFull`, `SchemaOutdated` - see their docstrings

Reads see one consistent state of an aggregate. A transaction does not see its own pending writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from operator import add, attrgetter
from typing import Any, Final, Protocol

from attrs import fields_dict, frozen

from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Event, Recorded, Stamp
from omniorder.domain.handoffs import Handoff
from omniorder.domain.imports import Import
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Endangered, Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer


@frozen
class CartWrite:
    """Insert (`before` is None) or replace a cart; guarded by `before.version`."""

    before: Cart | None
    after: Cart


@frozen
class CustomerWrite:
    """Count the events of a customer's stream: from `before` (0: none yet) to `after`; guarded by `before`.

    `owner` is the customer's journal name. Whoever decides about all of a customer's carts at once writes this, so
    that no two of them decide at the same time.
    """

    owner: str
    before: int
    after: int


@frozen
class HandoffWrite:
    """Insert or replace a handoff; guarded by `before.state`."""

    before: Handoff | None
    after: Handoff


@frozen
class PromiseWrite:
    """Insert or replace a promise; guarded by `before.state`."""

    before: Promise | None
    after: Promise


@frozen
class OrderWrite:
    """Insert or replace an order with its lines, payments, attempts and pick-up; guarded by `before.version`.

    An insert also lists the order under its owner (`Transaction.orders_of`), and a new owner takes it over there.
    """

    before: Order | None
    after: Order


@frozen
class ReservationWrite:
    """Insert or replace a reservation; guarded by every column of `before`'s lines and its state."""

    before: Reservation | None
    after: Reservation


@frozen
class TransferWrite:
    """Insert or replace a transfer with its lines; guarded by `before.version`."""

    before: Transfer | None
    after: Transfer


@frozen
class StockChange:
    """Add to the numbers of a level, which comes into being when `on_hand` or `quarantined` is added to nothing.

    With `promise`, `reserved` grows only while on hand - reserved - safety allows it. Always: reserved, on hand and
    quarantined never fall below zero; a change that would make them raises `OutOfStock`. Several changes of one level
    are summed first. `safety`, when given, replaces the level's. With `if_on_hand`, only a level that has exactly so
    many on hand is changed (a level that isn't there has 0, and comes into being): otherwise somebody has changed it
    since it was read, and the change raises `StaleWrite`. The last one given for a level counts.
    """

    store: str
    sku: str
    on_hand: int = 0
    reserved: int = 0
    promise: bool = False
    safety: int | None = None
    quarantined: int = 0
    if_on_hand: int | None = None


@frozen
class Expect:
    """Expect this delivery, whatever was expected under its store, SKU and reference before; 0 units call it off."""

    delivery: ExpectedDelivery


@frozen
class Arrived:
    """So many units came of what is expected under this store, SKU and reference: never fewer than 0 are left.

    Without `quantity` nothing more is expected. What was not expected at all may arrive too, and changes nothing here.
    """

    store: str
    sku: str
    reference: str
    quantity: int | None


@frozen
class StockCount:
    """What was counted of one SKU at one store: `on_hand` units, and `safety` to be kept back (None: as before).

    `movement` is the id of the movement that the difference is recorded as, if there is one.
    """

    store: str
    sku: str
    on_hand: int
    movement: str
    safety: int | None = None


@frozen
class CountWrite:
    """Set levels to what was counted, whatever they are when they are locked; each level stands in it at most once.

    A level whose `on_hand` differs is set, and the difference recorded as a movement of kind COUNT, both by what the
    level is at that moment: nothing that commits meanwhile is lost. A level that is as counted is not written, and one
    that isn't there is as if it were there with zeros. `reserved` stays: a count below it is a shortage.
    """

    counts: tuple[StockCount, ...]
    stamp: Stamp
    reason: str = ""
    reference: str = ""


@frozen
class ImportWrite:
    """Insert or replace how far an import has come; guarded by `before.version`, and with it all that was taken."""

    before: Import | None
    after: Import


@frozen
class SlotChange:
    """Take (`places` = 1) or give back (-1) a place in a slot that holds `capacity`, and `lines` order lines with it.

    Several changes of one slot are summed first. What grows then is guarded: orders never beyond `capacity`, lines
    never beyond `line_capacity`, unless that is None; of several changes the last one's capacities hold. Neither ever
    falls below zero. A refusal has the facts `of` ("orders" or "lines"), `wanted` and `free`; where both are short
    it is about the orders.
    """

    store: str
    slot: str
    starts: datetime
    places: int
    capacity: int
    lines: int = 0
    line_capacity: int | None = None


@frozen
class SlotUse:
    """What is taken of a slot: so many orders, with so many order lines."""

    orders: int = 0
    lines: int = 0


NOTHING_BOOKED: Final = SlotUse()
"""What is taken of a slot that `Transaction.booked` leaves out."""


@frozen
class TimerWrite:
    """Set the one timer of `subject` (an order or promise) to `due_at`, or clear it (None); nobody holds it then.

    With `if_due_at` only a timer that is still due at that instant is touched: otherwise somebody has set it anew.
    """

    store: str
    subject: str
    due_at: datetime | None
    if_due_at: datetime | None = None


@frozen
class Timer:
    """A claimed timer: `subject` wants to be looked at."""

    store: str
    subject: str
    due_at: datetime


@frozen
class JournalEntry:
    """Events of one stream, to be numbered from `first_seq` on without gaps."""

    home: str
    stream: str
    first_seq: int
    stamp: Stamp
    events: tuple[Event, ...]


@frozen
class Answer:
    """What a command with an idempotency key answered: ids only, never codes or personal data.

    Unique by (`home`, `scope`, `key`); `scope` is actor, command and aggregate. `request` is a hash of the
    request. `result` is the id of the aggregate that the command returned.
    """

    home: str
    scope: str
    key: str
    request: str
    result: str
    at: datetime


@frozen
class Writes:
    """Everything that one command changes."""

    customers: tuple[CustomerWrite, ...] = ()
    carts: tuple[CartWrite, ...] = ()
    handoffs: tuple[HandoffWrite, ...] = ()
    promises: tuple[PromiseWrite, ...] = ()
    orders: tuple[OrderWrite, ...] = ()
    transfers: tuple[TransferWrite, ...] = ()
    reservations: tuple[ReservationWrite, ...] = ()
    stock: tuple[StockChange, ...] = ()
    counts: tuple[CountWrite, ...] = ()
    slots: tuple[SlotChange, ...] = ()
    movements: tuple[Movement, ...] = ()
    expected: tuple[Expect | Arrived, ...] = ()
    timers: tuple[TimerWrite, ...] = ()
    journal: tuple[JournalEntry, ...] = ()
    answers: tuple[Answer, ...] = ()
    stores: tuple[Store, ...] = ()
    articles: tuple[Article, ...] = ()
    prices: tuple[Price, ...] = ()
    imports: tuple[ImportWrite, ...] = ()

    def __add__(self, other: Writes) -> Writes:
        """Both, in this order."""
        return Writes(*map(add, _fields(self), _fields(other)))


_fields = attrgetter(*fields_dict(Writes))


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

    def answer(self, home: str, scope: str, key: str) -> Answer | None:
        """What was answered under this idempotency key, until it is forgotten."""
        ...

    def imported(self, import_id: str) -> Import | None:
        """How far the import has come."""
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

    # --- lists by keyset: `after` is the last item's key of the page before; None begins ---

    def orders_of(self, owner: str, *, after: tuple[datetime, str] | None, limit: int) -> tuple[Order, ...]:
        """The owner's orders, newest first, keyed by (placed_at, id)."""
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

    def transfers(
        self, store: str, *, incoming: bool, states: Sequence[str], after: tuple[datetime, str] | None, limit: int
    ) -> tuple[Transfer, ...]:
        """Transfers that this store sends, or (`incoming`) gets, in one of `states` (values); by `expected_at` and
        id."""
        ...

    def journal(self, home: str, stream: str, *, after: int, limit: int) -> tuple[Recorded, ...]:
        """Events of one stream with seq > `after`, in order."""
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
        """Count one try of a code of this order (and its generation) or handoff; the count, or None when `most` were
        counted before."""
        ...

    def forget_tries(self, subject: str, generation: int) -> None:
        """The right code was shown: start counting anew."""
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
