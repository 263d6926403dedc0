"""Inspecting SQLite and PostgreSQL: keys from the tables, rows through the adapter's own loaders.

PostgreSQL reads in a read-only transaction of its own that sees one state throughout; SQLite's readers do anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final, TypeVar, cast

from omniorder import wire
from omniorder.adapters.sql import schema
from omniorder.adapters.sql.storage import SqlStorage
from omniorder.adapters.sql.transaction import SqlTransaction
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.channels import Channel
from omniorder.domain.events import Recorded, Stamp
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.stock import Level, Movement, MovementKind, Reservation
from omniorder.domain.stores import Store
from omniorder.errors import Misconfigured, StorageFault
from omniorder.ports.storage import Answer, Storage, Timer
from omniorder.testing.invariants.inspection import BookedSlot, Delivery, Inspection, Listing, Tries

__all__ = ["inspect"]

T = TypeVar("T")

PAGE: Final = 500
"""Rows that are in memory at a time."""


@contextmanager
def inspect(storage: Storage) -> Generator[Inspection]:
    """See `inspection.inspecting`. Writers go on meanwhile."""
    if not isinstance(storage, SqlStorage):
        raise Misconfigured(needs="a storage on SQLite or PostgreSQL")
    with storage.reading() as tx:  # also looks whether the tables are of this version
        if tx.connection.dialect.name != "postgresql":
            yield _Tables(tx)
            return
    with storage.transaction() as tx:
        tx.connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield _Tables(tx)


class _Tables:
    """Implements `Inspection`."""

    def __init__(self, tx: SqlTransaction) -> None:
        self._tx: Final = tx
        # the adapter's link knows in which schema the tables are
        of_link = cast("dict[str, Any]", vars(vars(tx)["_link"])["_options"])
        self._options: Final = {name: value for name, value in of_link.items() if name == "schema_translate_map"}

    def _read(self, table: Any, *order: str) -> Iterator[Any]:
        """All rows of a table, a page in memory at a time."""
        statement = table.select().order_by(*(table.c[name] for name in order))
        options = self._options | {"yield_per": PAGE}
        yield from cast("Iterable[Any]", self._tx.connection.execute(statement, execution_options=options))

    def _each(self, table: Any, load: Callable[[str], T | None]) -> Iterator[T]:
        """Every aggregate with a row in this table, read whole."""
        for row in self._read(table, *(column.name for column in table.primary_key)):
            found = load(row.id)
            if found is None:
                raise StorageFault(reason=f"{row.id} has a row in {table.name} and can't be read")
            yield found

    def stores(self) -> Iterator[Store]:
        return iter(self._tx.stores())

    def articles(self) -> Iterator[Article]:
        for row in self._read(schema.ARTICLE, "sku"):
            yield from self._tx.articles([row.sku]).values()

    def prices(self) -> Iterator[Price]:
        skus = sorted({row.sku for row in self._read(schema.PRICE, "sku")})
        return chain.from_iterable(self._tx.prices([sku]) for sku in skus)

    def levels(self) -> Iterator[Level]:
        for row in self._read(schema.STOCK, "store_id", "sku"):
            yield Level(row.store_id, row.sku, row.on_hand, row.reserved, row.safety)

    def movements(self) -> Iterator[Movement]:
        for row in self._read(schema.MOVEMENT, "store_id", "sku", "id"):
            stamp = Stamp(row.at, Channel(row.channel), row.actor, row.via)
            kind = MovementKind(row.kind)
            yield Movement(row.id, row.store_id, row.sku, kind, row.quantity, stamp, row.reason, row.reference)

    def reservations(self) -> Iterator[Reservation]:
        return self._each(schema.RESERVATION, self.reservation)

    def slots(self) -> Iterator[BookedSlot]:
        for row in self._read(schema.SLOT, "store_id", "slot"):
            yield BookedSlot(row.store_id, row.slot, row.starts_at, row.booked)

    def carts(self) -> Iterator[Cart]:
        return self._each(schema.CART, self.cart)

    def promises(self) -> Iterator[Promise]:
        return self._each(schema.PROMISE, self.promise)

    def orders(self) -> Iterator[Order]:
        return self._each(schema.ORDER, self.order)

    def listings(self) -> Iterator[Listing]:
        for row in self._read(schema.CUSTOMER_ORDER, "owner", "order_id"):
            yield Listing(row.owner, row.order_id)

    def timers(self) -> Iterator[Timer]:
        for row in self._read(schema.TIMER, "store_id", "subject"):
            yield Timer(row.store_id, row.subject, row.due_at)

    def journal(self) -> Iterator[Recorded]:
        return map(_recorded, self._read(schema.EVENT, "home", "stream", "seq"))

    def deliveries(self) -> Iterator[Delivery]:
        for row in self._read(schema.DELIVERY, "consumer", "home", "stream", "seq"):
            yield Delivery(row.consumer, row.home, row.stream, row.seq)

    def consumers(self) -> Iterator[str]:
        for row in self._read(schema.CONSUMER, "name"):
            yield row.name

    def tries(self) -> Iterator[Tries]:
        for row in self._read(schema.CODE_TRIES, "order_id", "generation"):
            yield Tries(row.order_id, row.generation, row.tries)

    def answers(self) -> Iterator[Answer]:
        for row in self._read(schema.ANSWER, "home", "scope", "key"):
            yield Answer(row.home, row.scope, row.key, row.request, row.result, row.at)

    def cart(self, cart_id: str) -> Cart | None:
        return self._tx.cart(cart_id)

    def promise(self, promise_id: str) -> Promise | None:
        return self._tx.promise(promise_id)

    def order(self, order_id: str) -> Order | None:
        return self._tx.order(order_id)

    def reservation(self, reservation_id: str) -> Reservation | None:
        return self._tx.reservation(reservation_id)

    def event(self, home: str, stream: str, seq: int) -> Recorded | None:
        return next(iter(self._tx.journal(home, stream, after=seq - 1, limit=1)), None)


def _recorded(row: Any) -> Recorded:
    stamp = Stamp(row.at, Channel(row.channel), row.actor, row.via)
    return Recorded(row.home, row.stream, row.seq, stamp, wire.unpack(row.name, row.payload))
