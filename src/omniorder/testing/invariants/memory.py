"""Inspecting the storage in memory: under its lock, straight from its tables."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.events import Recorded
from omniorder.domain.ids import store_of
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.errors import Misconfigured
from omniorder.ports.storage import Answer, Storage, Timer
from omniorder.testing.invariants.inspection import BookedSlot, Delivery, Inspection, Listing, Tries

__all__ = ["inspect"]


@contextmanager
def inspect(storage: Storage) -> Generator[Inspection]:
    """See `inspection.inspecting`. Nobody else reads or writes meanwhile."""
    with storage.reading() as tx:
        if not isinstance(tx, MemoryTransaction):
            raise Misconfigured(needs="a storage in memory")
        yield _Tables(tx.database)


class _Tables:
    """Implements `Inspection`."""

    def __init__(self, db: Database) -> None:
        self._db: Final = db

    def stores(self) -> Iterator[Store]:
        return iter(sorted(self._db.stores.rows(), key=lambda store: store.id))

    def articles(self) -> Iterator[Article]:
        return iter(sorted(self._db.articles.rows(), key=lambda article: article.sku))

    def prices(self) -> Iterator[Price]:
        return iter(sorted(self._db.prices.rows(), key=lambda price: price.sku))

    def levels(self) -> Iterator[Level]:
        return iter(sorted(self._db.levels.rows(), key=lambda level: (level.store, level.sku)))

    def movements(self) -> Iterator[Movement]:
        return iter(sorted(self._db.movements.rows(), key=lambda move: (move.store, move.sku, move.id)))

    def reservations(self) -> Iterator[Reservation]:
        return iter(sorted(self._db.reservations.rows(), key=lambda one: (one.store, one.id)))

    def slots(self) -> Iterator[BookedSlot]:
        rows = sorted(self._db.slots.items(), key=lambda item: item[0])
        return (BookedSlot(store, slot, row.starts, row.places) for (store, slot), row in rows)

    def carts(self) -> Iterator[Cart]:
        return iter(sorted(self._db.carts.rows(), key=lambda cart: cart.id))

    def promises(self) -> Iterator[Promise]:
        return iter(sorted(self._db.promises.rows(), key=lambda promise: (promise.store, promise.id)))

    def orders(self) -> Iterator[Order]:
        return iter(sorted(self._db.orders.rows(), key=lambda order: (store_of(order.id), order.id)))

    def listings(self) -> Iterator[Listing]:
        return (Listing(owner, order) for owner, order in sorted(self._db.orders_of))

    def timers(self) -> Iterator[Timer]:
        rows = sorted(self._db.timers.items(), key=lambda item: item[0])
        return (Timer(store, subject, due.at) for (store, subject), due in rows)

    def journal(self) -> Iterator[Recorded]:
        rows = sorted(self._db.journal.items(), key=lambda item: item[0])
        return (entry.recorded for _, entry in rows)

    def deliveries(self) -> Iterator[Delivery]:
        return (Delivery(consumer, *event) for consumer, event in sorted(self._db.deliveries))

    def consumers(self) -> Iterator[str]:
        return iter(sorted(self._db.consumers))

    def tries(self) -> Iterator[Tries]:
        return (Tries(*key, count) for key, count in sorted(self._db.tries.items()))

    def answers(self) -> Iterator[Answer]:
        return iter(sorted(self._db.answers.rows(), key=lambda answer: (answer.home, answer.scope, answer.key)))

    def cart(self, cart_id: str) -> Cart | None:
        return self._db.carts.get(cart_id)

    def promise(self, promise_id: str) -> Promise | None:
        return self._db.promises.get(promise_id)

    def order(self, order_id: str) -> Order | None:
        return self._db.orders.get(order_id)

    def reservation(self, reservation_id: str) -> Reservation | None:
        return self._db.reservations.get(reservation_id)

    def event(self, home: str, stream: str, seq: int) -> Recorded | None:
        entry = self._db.journal.get((home, stream, seq))
        return entry.recorded if entry else None
