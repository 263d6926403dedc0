"""Writes: what one command changes, as values; and the answers and timers that a storage keeps for it.

How a storage carries them out, and what it raises where a guard refuses one, is told by `ports.storage`.
"""

from __future__ import annotations

from datetime import datetime
from operator import add, attrgetter
from typing import Final

from attrs import fields_dict, frozen

from omniorder.domain.accounts import Account, Hold, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Event, Stamp
from omniorder.domain.handoffs import Handoff
from omniorder.domain.imports import Import
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook


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
class WebhookWrite:
    """Insert (`before` is None) or replace a webhook; guarded by `before.state` and `before.tries`."""

    before: Webhook | None
    after: Webhook


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
class BinChange:
    """Lay an order (`orders` = 1) into a bin that holds so many, or take it out (-1).

    Several changes of one bin are summed first; of these the last one's `holds` counts. What grows then is guarded:
    never more orders than the bin holds. It never falls below zero, and what shrinks is never refused.
    """

    store: str
    bin: str
    orders: int
    holds: int = 0


@frozen
class AccountWrite:
    """Insert an account as it is, or (with `before`) replace its state, and nothing else; guarded by `before.state`."""

    before: Account | None
    after: Account


@frozen
class BalanceChange:
    """Add to what is on an account and to what is held there, in minor units of its currency.

    What is held is never below zero, and never above the balance; with `spends`, only an open account is changed.
    A change that would break this raises `StaleWrite`, since whoever decided on it has read another account: they are
    to read again. Several changes of one account are carried out in the order in which they were noted.
    """

    account: str
    balance: int = 0
    held: int = 0
    spends: bool = False


@frozen
class HoldWrite:
    """Insert or replace what a payment holds on an account; guarded by `before.version`."""

    before: Hold | None
    after: Hold


@frozen
class TimerWrite:
    """Set the one timer of `subject` (an order, promise, transfer or webhook) to `due_at`, or clear it (None); nobody
    holds it then.

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
    bins: tuple[BinChange, ...] = ()
    accounts: tuple[AccountWrite, ...] = ()
    balances: tuple[BalanceChange, ...] = ()
    holds: tuple[HoldWrite, ...] = ()
    postings: tuple[Posting, ...] = ()
    movements: tuple[Movement, ...] = ()
    expected: tuple[Expect | Arrived, ...] = ()
    timers: tuple[TimerWrite, ...] = ()
    journal: tuple[JournalEntry, ...] = ()
    answers: tuple[Answer, ...] = ()
    stores: tuple[Store, ...] = ()
    articles: tuple[Article, ...] = ()
    prices: tuple[Price, ...] = ()
    imports: tuple[ImportWrite, ...] = ()
    webhooks: tuple[WebhookWrite, ...] = ()

    def __add__(self, other: Writes) -> Writes:
        """Both, in this order."""
        return Writes(*map(add, _fields(self), _fields(other)))


_fields = attrgetter(*fields_dict(Writes))
