"""Inspection: a whole database in one state, for those who ask whether it is right.

`Storage` reads what commands need: one cart, one order. Invariants need everything, so a storage may offer a second,
read-only way in. Tables are streamed in a declared order, because they may be larger than memory; what some rows of
one table name in others is looked up for all of them at once. Nothing can be written through it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import frozen

from omniorder.domain.accounts import Account, Hold, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Recorded
from omniorder.domain.handoffs import Handoff
from omniorder.domain.lifecycle import PickupState, PromiseState
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook
from omniorder.ports.writes import Answer, Timer


@frozen
class BookedSlot:
    """A slot in which places were taken at some time, and how many are now, with how many order lines."""

    store: str
    slot: str
    starts: datetime
    booked: int
    lines: int


@frozen
class UsedBin:
    """A bin in which an order ever lay, and how many lie there now."""

    store: str
    bin: str
    orders: int


@frozen
class Staged:
    """A ready order, and the bins of the store in which it lies."""

    store: str
    order: str
    bins: tuple[str, ...]


@frozen
class Booking:
    """A promise or a pick-up in a slot, its order lines, and its state, which says whether it takes a place."""

    store: str
    slot: str
    state: PromiseState | PickupState
    lines: int


@frozen
class Held:
    """The live units of one SKU in one reservation of our own levels; none when it has ended."""

    store: str
    sku: str
    live: int


@frozen
class Claim:
    """A reservation, and the id of the promise, order, pick-up or transfer that says it is its own."""

    store: str
    reservation: str
    by: str


@frozen
class Known:
    """A customer of whom something was told as a whole, and how many events of their own stream."""

    owner: str
    version: int


@frozen
class Tries:
    """Wrong codes that were shown for a handoff, or for one generation of an order's code."""

    subject: str
    generation: int
    tries: int


@frozen
class Delivery:
    """An event that a consumer has not acknowledged."""

    consumer: str
    home: str
    stream: str
    seq: int


@frozen
class Listing:
    """An order as it is listed beside its owner."""

    owner: str
    order: str


class Inspection(Protocol):
    """One state of a whole database."""

    # --- tables: each call reads anew, row by row, in this order ---

    def stores(self) -> Iterator[Store]:
        """Every store that takes part, by id."""
        ...

    def articles(self) -> Iterator[Article]:
        """Everything that is sold, by SKU."""
        ...

    def prices(self) -> Iterator[Price]:
        """For how much, by SKU, store, channel and beginning."""
        ...

    def levels(self) -> Iterator[Level]:
        """Stock, by store and SKU."""
        ...

    def movements(self) -> Iterator[Movement]:
        """What came and went, by store, SKU and id."""
        ...

    def expected(self) -> Iterator[ExpectedDelivery]:
        """What is on its way, by store, SKU and reference."""
        ...

    def reservations(self) -> Iterator[Reservation]:
        """Every reservation, live or ended, by store and id."""
        ...

    def held(self) -> Iterator[Held]:
        """The lines of all reservations of our own levels, by store and SKU."""
        ...

    def slots(self) -> Iterator[BookedSlot]:
        """Every slot in which a place was ever taken, by store and slot."""
        ...

    def bins(self) -> Iterator[UsedBin]:
        """Every bin in which an order ever lay, by store and code."""
        ...

    def staged(self) -> Iterator[Staged]:
        """Every pick-up that is ready or being handed over, by store and id."""
        ...

    def bookings(self) -> Iterator[Booking]:
        """Every promise and pick-up, by store and slot."""
        ...

    def carts(self) -> Iterator[Cart]:
        """Every cart, in whatever state, by id."""
        ...

    def customers(self) -> Iterator[Known]:
        """Customers of whom something was told as a whole, by journal name."""
        ...

    def handoffs(self) -> Iterator[Handoff]:
        """Every handoff that is not forgotten, by id."""
        ...

    def promises(self) -> Iterator[Promise]:
        """Every promise, live or ended, by store and id."""
        ...

    def claims(self) -> Iterator[Claim]:
        """All that names a reservation as its own, by store and reservation; a transfer may do so twice."""
        ...

    def orders(self) -> Iterator[Order]:
        """Every order, in whatever state, by store and id."""
        ...

    def transfers(self) -> Iterator[Transfer]:
        """Every transfer, in whatever state, by source and id."""
        ...

    def webhooks(self) -> Iterator[Webhook]:
        """Every webhook that is not forgotten, by store and id."""
        ...

    def listings(self) -> Iterator[Listing]:
        """Which orders are listed for whom, by owner."""
        ...

    def accounts(self) -> Iterator[Account]:
        """Every gift card and all store credit, by id."""
        ...

    def holds(self) -> Iterator[Hold]:
        """What payments ever held on accounts, by account and payment."""
        ...

    def postings(self) -> Iterator[Posting]:
        """What was credited and debited, by account and id."""
        ...

    def timers(self) -> Iterator[Timer]:
        """Every timer that is set, claimed or not, by store and subject."""
        ...

    def journal(self) -> Iterator[Recorded]:
        """Every event, by home, stream and sequence number."""
        ...

    def deliveries(self) -> Iterator[Delivery]:
        """What consumers have not acknowledged yet, by consumer and event."""
        ...

    def consumers(self) -> Iterator[str]:
        """The names of all that subscribed, in order."""
        ...

    def tries(self) -> Iterator[Tries]:
        """Wrong codes, by what they are for and its generation."""
        ...

    def answers(self) -> Iterator[Answer]:
        """Answers that are kept under idempotency keys, by home, scope and key."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """How many rows each table has, by the name of its method above: to show how far a reader has come."""
        ...

    # --- what rows name: those of the given that are there ---

    def find_carts(self, ids: Collection[str]) -> Mapping[str, Cart]:
        """Carts by id."""
        ...

    def find_customers(self, owners: Collection[str]) -> Mapping[str, int]:
        """How many events the customers' own streams should have, by journal name."""
        ...

    def find_handoffs(self, ids: Collection[str]) -> Mapping[str, Handoff]:
        """Handoffs by id."""
        ...

    def find_promises(self, ids: Collection[str]) -> Mapping[str, Promise]:
        """Promises by id."""
        ...

    def find_orders(self, ids: Collection[str]) -> Mapping[str, Order]:
        """Orders by id."""
        ...

    def find_transfers(self, ids: Collection[str]) -> Mapping[str, Transfer]:
        """Transfers by id."""
        ...

    def find_webhooks(self, ids: Collection[str]) -> Mapping[str, Webhook]:
        """Webhooks by id."""
        ...

    def find_reservations(self, ids: Collection[str]) -> Mapping[str, Reservation]:
        """Reservations by id."""
        ...

    def find_holds(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Hold]:
        """Holds by account and payment."""
        ...

    def find_timers(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Timer]:
        """Timers by store and subject."""
        ...

    def find_listings(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        """How often an order is listed, by owner and order."""
        ...

    def find_made(self, carts: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The promises of a cart, by its id."""
        ...

    def find_lengths(self, streams: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        """The last number of a stream, by home and name."""
        ...


@runtime_checkable
class Inspectable(Protocol):
    """A storage that can be inspected."""

    def inspecting(self) -> AbstractContextManager[Inspection]:
        """One state of everything, for as long as the block runs; commands go on meanwhile where they can."""
        ...
