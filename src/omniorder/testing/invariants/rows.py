"""What an invariant reads: a page of one table and whatever that page names, or everything.

Most claims are about one aggregate and what belongs to it. They are asked about a page of rows at a time, all of them
about the same page, and what its rows name in other tables is read for the whole page at once: so a database is read
a few times rather than once per claim, and never more of it is held than a few pages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from typing import Any, Final, TypeVar, final

from attrs import frozen

from omniorder.domain.accounts import Account, Hold, Posting
from omniorder.domain.articles import Article
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Recorded
from omniorder.domain.handoffs import Handoff
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook
from omniorder.ports.inspection import (
    BookedSlot,
    Booking,
    Claim,
    Delivery,
    Held,
    Inspection,
    Known,
    Listing,
    Staged,
    Tries,
    UsedBin,
)
from omniorder.ports.writes import Answer, Timer

__all__ = ["PAGED", "Rows", "Stream", "beside", "pages"]

T = TypeVar("T")
U = TypeVar("U")
K = TypeVar("K", bound=Any)

PAGED: Final = (
    "stores", "articles", "levels", "movements", "expected", "reservations", "carts", "customers", "handoffs",
    "promises", "orders", "transfers", "webhooks", "accounts", "holds", "postings", "streams", "listings", "timers",
    "deliveries", "tries", "answers",
)  # fmt: skip
"""The tables that are read page by page, by the method that gives them."""


@frozen
class Stream:
    """All events of one cart, order or customer, in order."""

    home: str
    name: str
    events: tuple[Recorded, ...]


@final
class Rows:
    """One page of one table, every other table being empty; or, without a page, everything.

    What is named is found in both cases: each kind is looked up once for all rows of the page.
    """

    def __init__(self, everything: Inspection, table: str = "", page: Sequence[Any] = ()) -> None:
        self._everything: Final = everything
        self._table: Final = table
        self._page: Final = page
        self._asked: Final[dict[str, set[Any]]] = {}
        self._found: Final[dict[str, dict[Any, Any]]] = {}

    @property
    def judged(self) -> int:
        """How many rows of the journal or of another table are in this page."""
        return sum(len(row.events) if isinstance(row, Stream) else 1 for row in self._page)

    def _all(self, name: str, read: Callable[[], Iterator[T]]) -> Iterator[T]:
        if not self._table:
            return read()
        return iter(self._page if name == self._table else ())

    # --- tables ---

    def stores(self) -> Iterator[Store]:
        """Every store that takes part."""
        return self._all("stores", self._everything.stores)

    def articles(self) -> Iterator[Article]:
        """Everything that is sold."""
        return self._all("articles", self._everything.articles)

    def levels(self) -> Iterator[Level]:
        """Stock, by store and SKU."""
        return self._all("levels", self._everything.levels)

    def movements(self) -> Iterator[Movement]:
        """What came and went, by store, SKU and id."""
        return self._all("movements", self._everything.movements)

    def expected(self) -> Iterator[ExpectedDelivery]:
        """What is on its way, by store, SKU and reference."""
        return self._all("expected", self._everything.expected)

    def reservations(self) -> Iterator[Reservation]:
        """Every reservation, by store and id."""
        return self._all("reservations", self._everything.reservations)

    def held(self) -> Iterator[Held]:
        """The lines of all reservations, by store and SKU; never in a page."""
        return self._all("held", self._everything.held)

    def slots(self) -> Iterator[BookedSlot]:
        """Slots in which a place was ever taken, by store and slot; never in a page."""
        return self._all("slots", self._everything.slots)

    def bins(self) -> Iterator[UsedBin]:
        """Bins in which an order ever lay, by store and code; never in a page."""
        return self._all("bins", self._everything.bins)

    def staged(self) -> Iterator[Staged]:
        """Ready orders and where they lie, by store; never in a page."""
        return self._all("staged", self._everything.staged)

    def bookings(self) -> Iterator[Booking]:
        """Promises and pick-ups, by store and slot; never in a page."""
        return self._all("bookings", self._everything.bookings)

    def carts(self) -> Iterator[Cart]:
        """Every cart."""
        return self._all("carts", self._everything.carts)

    def customers(self) -> Iterator[Known]:
        """Customers of whom something was told as a whole."""
        return self._all("customers", self._everything.customers)

    def handoffs(self) -> Iterator[Handoff]:
        """Every handoff."""
        return self._all("handoffs", self._everything.handoffs)

    def promises(self) -> Iterator[Promise]:
        """Every promise."""
        return self._all("promises", self._everything.promises)

    def claims(self) -> Iterator[Claim]:
        """Who names which reservation as their own, by store and reservation; never in a page."""
        return self._all("claims", self._everything.claims)

    def orders(self) -> Iterator[Order]:
        """Every order."""
        return self._all("orders", self._everything.orders)

    def transfers(self) -> Iterator[Transfer]:
        """Every transfer."""
        return self._all("transfers", self._everything.transfers)

    def webhooks(self) -> Iterator[Webhook]:
        """Every webhook that is not forgotten."""
        return self._all("webhooks", self._everything.webhooks)

    def listings(self) -> Iterator[Listing]:
        """Which orders are listed for whom."""
        return self._all("listings", self._everything.listings)

    def accounts(self) -> Iterator[Account]:
        """Gift cards and store credit, by id."""
        return self._all("accounts", self._everything.accounts)

    def holds(self) -> Iterator[Hold]:
        """What payments hold on accounts, by account and payment."""
        return self._all("holds", self._everything.holds)

    def postings(self) -> Iterator[Posting]:
        """What accounts were credited and debited, by account and id."""
        return self._all("postings", self._everything.postings)

    def timers(self) -> Iterator[Timer]:
        """Every timer that is set."""
        return self._all("timers", self._everything.timers)

    def streams(self) -> Iterator[Stream]:
        """Each stream of the journal, whole."""
        return self._all("streams", lambda: _streams(self._everything))

    def deliveries(self) -> Iterator[Delivery]:
        """What consumers have not acknowledged yet."""
        return self._all("deliveries", self._everything.deliveries)

    def tries(self) -> Iterator[Tries]:
        """Wrong codes."""
        return self._all("tries", self._everything.tries)

    def answers(self) -> Iterator[Answer]:
        """Answers under idempotency keys, by home, scope and key."""
        return self._all("answers", self._everything.answers)

    # --- what rows name; None when it isn't there ---

    def cart(self, cart_id: str) -> Cart | None:
        """The cart with this id."""
        return self._one("cart", cart_id, self._everything.find_carts)

    def customer(self, owner: str) -> int | None:
        """How many events the customer's own stream should have."""
        return self._one("customer", owner, self._everything.find_customers)

    def handoff(self, handoff_id: str) -> Handoff | None:
        """The handoff with this id."""
        return self._one("handoff", handoff_id, self._everything.find_handoffs)

    def promise(self, promise_id: str) -> Promise | None:
        """The promise with this id."""
        return self._one("promise", promise_id, self._everything.find_promises)

    def order(self, order_id: str) -> Order | None:
        """The order with this id."""
        return self._one("order", order_id, self._everything.find_orders)

    def transfer(self, transfer_id: str) -> Transfer | None:
        """The transfer with this id."""
        return self._one("transfer", transfer_id, self._everything.find_transfers)

    def webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook with this id."""
        return self._one("webhook", webhook_id, self._everything.find_webhooks)

    def reservation(self, reservation_id: str) -> Reservation | None:
        """The reservation with this id."""
        return self._one("reservation", reservation_id, self._everything.find_reservations)

    def hold(self, account: str, payment: str) -> Hold | None:
        """What this payment holds on this account."""
        return self._one("hold", (account, payment), self._everything.find_holds)

    def timer(self, store: str, subject: str) -> Timer | None:
        """The timer of this order, promise, transfer or webhook."""
        return self._one("timer", (store, subject), self._everything.find_timers)

    def listed(self, owner: str, order_id: str) -> int:
        """How often this order is listed for this owner."""
        return self._one("listed", (owner, order_id), self._everything.find_listings) or 0

    def made(self, cart_id: str) -> frozenset[str]:
        """The promises that were made of this cart."""
        return self._one("made", cart_id, self._everything.find_made) or frozenset()

    def length(self, home: str, stream: str) -> int:
        """The last number of this stream; 0 when there is none."""
        return self._one("length", (home, stream), self._everything.find_lengths) or 0

    def subscribed(self, consumer: str) -> bool:
        """Whether a consumer of this name subscribed."""
        return bool(self._one("subscribed", consumer, lambda _: dict.fromkeys(self._everything.consumers(), True)))

    def _one(self, kind: str, key: K, find: Callable[[Collection[K]], Mapping[K, T]]) -> T | None:
        asked = self._asked.setdefault(kind, set())
        if key not in asked:
            found = self._found.setdefault(kind, {})
            known = () if asked else chain(self._page, *(one.values() for one in self._found.values()))
            wanted = {key, *(name for row in known for one, name in _names(row) if one == kind and name)}
            asked |= wanted
            found.update(find(wanted))
        return self._found[kind].get(key)


def _names(row: object) -> Iterator[tuple[str, Any]]:
    """What a row names elsewhere: kinds, as `Rows` calls them, and keys."""
    match row:
        case Cart():
            yield from (("promise", row.promise_id), ("order", row.order_id), ("cart", row.merged_into))
            yield "length", (row.id, row.id)
        case Promise():
            yield from (("cart", row.cart_id), ("reservation", row.reservation_id), ("timer", (row.store, row.id)))
            yield "order", row.order_id
            yield from (("reservation", leg.reservation) for leg in row.legs)
        case Transfer():
            yield from (("reservation", row.reservation), ("order", row.order), ("timer", (row.source, row.id)))
            yield "length", (row.source, row.id)
        case Webhook():
            yield "timer", (row.store, row.id)
        case Order():
            yield from (("cart", row.cart_id), ("promise", row.promise_id), ("reservation", row.reservation_id))
            yield from (("timer", (row.store, row.id)), ("listed", (row.owner, row.id)))
            yield from (("reservation", hold) for hold in row.pickup.holds)
            yield from (("hold", (payment.token, payment.id)) for payment in row.payments)
            for leg in row.pickup.awaited:
                yield from (("transfer", leg.transfer), ("reservation", leg.reservation))
            yield "length", (row.store, row.id)
        case Hold():
            yield "order", row.order
        case Known():
            yield "length", (row.owner, row.owner)
        case Stream():
            yield from (("cart", row.name), ("order", row.name), ("customer", row.name), ("made", row.name))
            yield "transfer", row.name
            for entry in row.events:
                yield "promise", getattr(entry.event, "promise", None)
                yield "handoff", getattr(entry.event, "handoff", None)
        case Timer():
            yield from (("promise", row.subject), ("order", row.subject), ("webhook", row.subject))
        case Delivery():
            yield "length", (row.home, row.stream)
        case Listing():
            yield "order", row.order
        case Tries():
            yield from (("order", row.subject), ("handoff", row.subject))
        case _:
            pass


def _streams(everything: Inspection) -> Iterator[Stream]:
    for (home, name), events in groupby(everything.journal(), key=lambda entry: (entry.home, entry.stream)):
        yield Stream(home, name, tuple(events))


def pages(everything: Inspection, table: str, most: int) -> Iterator[Rows]:
    """The rows of one of the `PAGED` tables, at most so many at a time."""
    rows: Iterator[Any] = getattr(Rows(everything), table)()
    while page := tuple(islice(rows, most)):
        yield Rows(everything, table, page)


def beside(left: Iterable[tuple[K, T]], right: Iterable[tuple[K, U]]) -> Iterator[tuple[K, T | None, U | None]]:
    """Two sides by their keys, each in order and without repetition: what both have, and what one has alone."""
    lefts, rights = iter(left), iter(right)
    one, two = next(lefts, None), next(rights, None)
    while one is not None or two is not None:
        if two is None or (one is not None and one[0] < two[0]):
            assert one is not None
            yield one[0], one[1], None
            one = next(lefts, None)
        elif one is None or two[0] < one[0]:
            yield two[0], None, two[1]
            two = next(rights, None)
        else:
            yield one[0], one[1], two[1]
            one, two = next(lefts, None), next(rights, None)
