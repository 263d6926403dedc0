"""What is kept: one table per kind of thing, and the rows that aren't domain objects."""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from attrs import frozen

from omniorder.adapters.memory.tables import Table, Undo
from omniorder.domain.accounts import Account, Hold, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Recorded
from omniorder.domain.handoffs import Handoff
from omniorder.domain.imports import Import
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook
from omniorder.ports.writes import Answer


@frozen
class Booked:
    """How many places of a slot are taken, and how many order lines."""

    starts: datetime
    places: int
    lines: int = 0


@frozen
class Due:
    """A timer, and until when a worker has claimed it."""

    at: datetime
    claimed_until: datetime | None = None

    def free(self, now: datetime) -> bool:
        """Whether it may be claimed: it never was, or the claim has run out."""
        return self.claimed_until is None or self.claimed_until < now


@frozen
class Entry:
    """A journal entry, and its `place` in the order in which entries were written."""

    place: int
    recorded: Recorded


PriceKey = tuple[str, str, str, datetime | None]
"""SKU, store, channel (empty where the price holds everywhere) and the instant from which it holds."""

ExpectedKey = tuple[str, str, str]
"""Store, SKU and reference."""

EventKey = tuple[str, str, int]
"""Home, stream and sequence number."""


class Database:
    """All tables, the log that takes back what was written, and the lock that lets one transaction in."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.holder: int | None = None
        """The thread whose transaction is running."""
        self.undo = Undo()
        undo = self.undo
        self.stores: Table[str, Store] = Table(undo)
        self.articles: Table[str, Article] = Table(undo)
        self.prices: Table[PriceKey, Price] = Table(undo, lambda key, _: key[0])
        self.carts: Table[str, Cart] = Table(undo, lambda _, cart: cart.owner)
        self.customers: Table[str, int] = Table(undo)
        """A customer's journal name -> how many events their own stream has."""
        self.handoffs: Table[str, Handoff] = Table(undo, lambda _, handoff: handoff.cart_id)
        self.promises: Table[str, Promise] = Table(undo)
        self.orders: Table[str, Order] = Table(undo, lambda _, order: order.pickup.store)
        self.orders_of: Table[tuple[str, str], str] = Table(undo, lambda key, _: key[0])
        """(owner, order id) -> order id, written when the order is placed, and when it gets another owner."""
        self.transfers: Table[str, Transfer] = Table(undo)
        self.reservations: Table[str, Reservation] = Table(undo)
        self.levels: Table[tuple[str, str], Level] = Table(undo, lambda key, _: key[1])
        self.movements: Table[str, Movement] = Table(undo, lambda _, row: (row.store, row.sku))
        self.expected: Table[ExpectedKey, ExpectedDelivery] = Table(undo, lambda key, _: key[1])
        self.slots: Table[tuple[str, str], Booked] = Table(undo, lambda key, _: key[0])
        self.bins: Table[tuple[str, str], int] = Table(undo, lambda key, _: key[0])
        """(store, code) -> how many orders lie there."""
        self.accounts: Table[str, Account] = Table(undo)
        self.holds: Table[tuple[str, str], Hold] = Table(undo, lambda key, _: key[1])
        """(account id, payment) -> hold."""
        self.postings: Table[tuple[str, str], Posting] = Table(undo, lambda key, _: key[0])
        """(account id, id) -> posting."""
        self.timers: Table[tuple[str, str], Due] = Table(undo, lambda key, _: key[0])
        self.journal: Table[EventKey, Entry] = Table(undo, lambda key, _: key[:2])
        self.consumers: Table[str, str] = Table(undo)
        self.deliveries: Table[tuple[str, EventKey], Entry] = Table(undo, lambda key, _: key[0])
        self.tries: Table[tuple[str, int], int] = Table(undo)
        self.answers: Table[tuple[str, str, str], Answer] = Table(undo)
        self.imports: Table[str, Import] = Table(undo)
        self.webhooks: Table[str, Webhook] = Table(undo)
