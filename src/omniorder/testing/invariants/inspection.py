"""Reading a whole database, table by table, to see whether it is right.

The storage port reads what commands need: one cart, one order. Invariants need everything, so each adapter gets a
second, read-only view of its tables here, made of what the adapter itself reads with. All rows come from one state of
the database and in a declared order, one at a time: what is read may be larger than memory.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar, cast

from attrs import frozen

from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.events import Recorded
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.errors import Misconfigured
from omniorder.ports.storage import Answer, Storage, Timer

__all__ = ["BookedSlot", "Delivery", "Inspection", "Listing", "Remembered", "Tries", "inspecting"]

T = TypeVar("T")


@frozen
class BookedSlot:
    """A slot in which places were taken at some time, and how many are now."""

    store: str
    slot: str
    starts: datetime
    booked: int


@frozen
class Tries:
    """Wrong codes that were shown for one generation of an order's code."""

    order: str
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
    """One state of a whole database. Each call reads its table anew; only where it says so, rows are in order."""

    def stores(self) -> Iterator[Store]:
        """Every store that takes part."""
        ...

    def articles(self) -> Iterator[Article]:
        """Everything that is sold."""
        ...

    def prices(self) -> Iterator[Price]:
        """Every price, valid or not."""
        ...

    def levels(self) -> Iterator[Level]:
        """Stock by store and SKU."""
        ...

    def movements(self) -> Iterator[Movement]:
        """By store, SKU and id."""
        ...

    def reservations(self) -> Iterator[Reservation]:
        """Every reservation, live or ended."""
        ...

    def slots(self) -> Iterator[BookedSlot]:
        """Every slot in which a place was ever taken."""
        ...

    def carts(self) -> Iterator[Cart]:
        """Every cart, in whatever state."""
        ...

    def promises(self) -> Iterator[Promise]:
        """Every promise, live or ended."""
        ...

    def orders(self) -> Iterator[Order]:
        """Every order, in whatever state."""
        ...

    def listings(self) -> Iterator[Listing]:
        """Which orders are listed for whom."""
        ...

    def timers(self) -> Iterator[Timer]:
        """Every timer that is set, claimed or not."""
        ...

    def journal(self) -> Iterator[Recorded]:
        """By home, stream and sequence number."""
        ...

    def deliveries(self) -> Iterator[Delivery]:
        """What consumers have not acknowledged yet."""
        ...

    def consumers(self) -> Iterator[str]:
        """The names of all that subscribed."""
        ...

    def tries(self) -> Iterator[Tries]:
        """Wrong codes, per order and generation of its code."""
        ...

    def answers(self) -> Iterator[Answer]:
        """Answers that are kept under idempotency keys."""
        ...

    # --- what another row names; None when it isn't there ---

    def cart(self, cart_id: str) -> Cart | None:
        """The cart with this id."""
        ...

    def promise(self, promise_id: str) -> Promise | None:
        """The promise with this id."""
        ...

    def order(self, order_id: str) -> Order | None:
        """The order with this id."""
        ...

    def reservation(self, reservation_id: str) -> Reservation | None:
        """The reservation with this id."""
        ...

    def event(self, home: str, stream: str, seq: int) -> Recorded | None:
        """The event at this place in the journal."""
        ...


Inspect = Callable[[Storage], AbstractContextManager[Inspection]]
"""What a module that can inspect one kind of storage offers as `inspect`."""


_INSPECTORS: Final = {
    "omniorder.adapters.memory": "omniorder.testing.invariants.memory",
    "omniorder.adapters.sql": "omniorder.testing.invariants.sql",
}
"""By the package of the storage's class; named, not imported, so that memory alone loads no SQL."""


def inspecting(storage: Storage) -> AbstractContextManager[Inspection]:
    """One state of everything in `storage`; raises `Misconfigured` for an adapter that isn't ours."""
    for kind in type(storage).__mro__:
        for package, module in _INSPECTORS.items():
            if kind.__module__.startswith(package):
                inspect: Inspect = importlib.import_module(module).inspect
                return inspect(storage)
    raise Misconfigured(needs=f"a way to inspect {type(storage).__name__}")


class Remembered:
    """An inspection that reads each table once and keeps it: faster than the one it wraps, for a small database.

    What each method gives is told there, in `Inspection`.
    """

    def __init__(self, rows: Inspection) -> None:
        self._rows: Final = rows
        self._kept: Final[dict[str, tuple[Any, ...]]] = {}
        self._found: Final[dict[str, dict[Any, Any]]] = {}

    def _all(self, name: str, read: Callable[[], Iterator[T]]) -> Iterator[T]:
        if name not in self._kept:
            self._kept[name] = tuple(read())
        return iter(cast("tuple[T, ...]", self._kept[name]))

    def _one(self, name: str, key: object, keyed: Callable[[], Iterator[tuple[object, T]]]) -> T | None:
        if name not in self._found:
            self._found[name] = dict(keyed())
        return cast("T | None", self._found[name].get(key))

    def stores(self) -> Iterator[Store]:
        return self._all("stores", self._rows.stores)

    def articles(self) -> Iterator[Article]:
        return self._all("articles", self._rows.articles)

    def prices(self) -> Iterator[Price]:
        return self._all("prices", self._rows.prices)

    def levels(self) -> Iterator[Level]:
        return self._all("levels", self._rows.levels)

    def movements(self) -> Iterator[Movement]:
        return self._all("movements", self._rows.movements)

    def reservations(self) -> Iterator[Reservation]:
        return self._all("reservations", self._rows.reservations)

    def slots(self) -> Iterator[BookedSlot]:
        return self._all("slots", self._rows.slots)

    def carts(self) -> Iterator[Cart]:
        return self._all("carts", self._rows.carts)

    def promises(self) -> Iterator[Promise]:
        return self._all("promises", self._rows.promises)

    def orders(self) -> Iterator[Order]:
        return self._all("orders", self._rows.orders)

    def listings(self) -> Iterator[Listing]:
        return self._all("listings", self._rows.listings)

    def timers(self) -> Iterator[Timer]:
        return self._all("timers", self._rows.timers)

    def journal(self) -> Iterator[Recorded]:
        return self._all("journal", self._rows.journal)

    def deliveries(self) -> Iterator[Delivery]:
        return self._all("deliveries", self._rows.deliveries)

    def consumers(self) -> Iterator[str]:
        return self._all("consumers", self._rows.consumers)

    def tries(self) -> Iterator[Tries]:
        return self._all("tries", self._rows.tries)

    def answers(self) -> Iterator[Answer]:
        return self._all("answers", self._rows.answers)

    def cart(self, cart_id: str) -> Cart | None:
        return self._one("carts", cart_id, lambda: ((cart.id, cart) for cart in self.carts()))

    def promise(self, promise_id: str) -> Promise | None:
        return self._one("promises", promise_id, lambda: ((promise.id, promise) for promise in self.promises()))

    def order(self, order_id: str) -> Order | None:
        return self._one("orders", order_id, lambda: ((order.id, order) for order in self.orders()))

    def reservation(self, reservation_id: str) -> Reservation | None:
        return self._one("reservations", reservation_id, lambda: ((one.id, one) for one in self.reservations()))

    def event(self, home: str, stream: str, seq: int) -> Recorded | None:
        place = (home, stream, seq)
        return self._one("journal", place, lambda: (((e.home, e.stream, e.seq), e) for e in self.journal()))
