"""Inspecting SQLite and PostgreSQL: whole tables, streamed by the server, and what their rows name in others.

Each table is one statement whose rows come in batches, so that neither side keeps more of it than that. An order by
something that has no index is sorted by the database, on its own disk. What rows name is asked for all of them at
once, with their stores, so that each statement is answered by primary keys.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, TypeVar

from sqlalchemy import Executable, Select, String, Text, and_, func, literal, literal_column, select, true, union_all
from sqlalchemy.exc import SQLAlchemyError

from omniorder.adapters.sql import (
    accounts,
    carts,
    expected,
    handoffs,
    journal,
    orders,
    promises,
    reservations,
    shop,
    stock,
    transfers,
    webhooks,
)  # fmt: skip
from omniorder.adapters.sql.documents import among, length_of
from omniorder.adapters.sql.faults import fault
from omniorder.adapters.sql.link import Link, PerDialect
from omniorder.adapters.sql.schema import (
    ACCOUNT,
    ANSWER,
    ARTICLE,
    BIN,
    CART,
    CODE_TRIES,
    CONSUMER,
    CUSTOMER,
    CUSTOMER_ORDER,
    DELIVERY,
    EVENT,
    EXPECTED,
    HANDOFF,
    HOLD,
    MOVEMENT,
    ORDER,
    PICKUP,
    PICKUP_LINE,
    POSTING,
    PRICE,
    PROMISE,
    RESERVATION,
    RESERVATION_LINE,
    SLOT,
    STOCK,
    STORE,
    TIMER,
    TRANSFER,
    WEBHOOK,
)
from omniorder.adapters.sql.sharding import home_of
from omniorder.domain.accounts import Account, Hold, Posting
from omniorder.domain.articles import Article, Price
from omniorder.domain.carts import Cart
from omniorder.domain.deliveries import ExpectedDelivery
from omniorder.domain.events import Recorded
from omniorder.domain.handoffs import Handoff
from omniorder.domain.lifecycle import PickupState, PromiseState
from omniorder.domain.orders import Order
from omniorder.domain.promises import Promise
from omniorder.domain.staging import WAITING
from omniorder.domain.stock import Level, Movement, Reservation
from omniorder.domain.stores import Store
from omniorder.domain.transfers import Transfer
from omniorder.domain.webhooks import Webhook
from omniorder.errors import InvalidInput, StorageFault
from omniorder.ports.inspection import (
    BookedSlot,
    Booking,
    Claim,
    Delivery,
    Held,
    Known,
    Listing,
    Staged,
    Tries,
    UsedBin,
)
from omniorder.ports.writes import Answer, Timer

T = TypeVar("T")
Pair = tuple[str, str]

_KEYS: Final = ("store_id", "id", "sku", "home", "stream", "seq")
BATCH: Final = 500
"""Rows that the server hands out at a time."""

_LINE: Final = RESERVATION_LINE.c
_HELD: Final = (
    select(_LINE.store_id, _LINE.sku, _LINE.quantity - _LINE.consumed - _LINE.released - _LINE.expired)
    .join(RESERVATION, and_(RESERVATION.c.store_id == _LINE.store_id, RESERVATION.c.id == _LINE.reservation_id))
    .where(RESERVATION.c.outside == 0)
)
_STAGED: Final = select(PICKUP.c.store_id, PICKUP.c.order_id, PICKUP.c.bins).where(
    PICKUP.c.state.in_([state.value for state in WAITING])
)
_PICKED_UP: Final = (
    select(func.count())
    .where(
        PICKUP_LINE.c.store_id == PICKUP.c.store_id,
        PICKUP_LINE.c.pickup_id == PICKUP.c.id,
        PICKUP_LINE.c.instead_of == "",  # a substitute takes the place of what it came for
    )
    .scalar_subquery()
)


def _placed(table: Any, of: str, lines: Any) -> Any:
    columns = [table.c.store_id, table.c.slot, table.c.state, literal(of, String()).label("of"), lines.label("lines")]
    return select(*columns)


_BOOKINGS: Final = union_all(
    _placed(PROMISE, "promise", length_of(PROMISE.c.quote, "lines")), _placed(PICKUP, "pickup", _PICKED_UP)
)


def _held_by(transfer: Any) -> Any:
    """The reservation of a transfer, as `domain.ids.reservation_of` says."""
    return func.replace(transfer, literal_column("'trf_'", Text()), literal_column("'rsv_'", Text()))


def _claimed(elements: Callable[[Any], Any], part: Callable[[Any, str], Any]) -> Executable:
    """Who says that which reservation is theirs; `elements` and `part` are the database's own way with JSON."""
    legs, holds = elements(PROMISE.c.legs), elements(PICKUP.c.holds)
    transfer = part(legs.c.value, "transfer")
    return union_all(
        select(PROMISE.c.store_id, PROMISE.c.reservation_id, PROMISE.c.id),
        select(part(legs.c.value, "store"), _held_by(transfer), transfer).join_from(PROMISE, legs, true()),
        select(TRANSFER.c.store_id, _held_by(TRANSFER.c.id), TRANSFER.c.id),
        select(PICKUP.c.store_id, part(holds.c.value, ""), PICKUP.c.order_id).join_from(PICKUP, holds, true()),
        select(ORDER.c.pickup_store, ORDER.c.reservation_id, ORDER.c.id)
        .join(PROMISE, and_(PROMISE.c.store_id == ORDER.c.store_id, PROMISE.c.id == ORDER.c.promise_id))
        .where(PROMISE.c.reservation_id != ORDER.c.reservation_id),
    ).order_by(literal_column("1"), literal_column("2"))


_CLAIMS: Final = PerDialect(
    _claimed(
        lambda column: func.jsonb_array_elements(column).table_valued("value").render_derived(),
        lambda value, name: value.op("#>>")(literal_column(f"'{{{name}}}'")).cast(Text()).collate("C"),
    ),
    _claimed(
        lambda column: func.json_each(column).table_valued("value"),
        lambda value, name: func.json_extract(value, f"$.{name}") if name else value,
    ),
)

_CARTS_BY_ID: Final = carts.WHOLE.where(among(CART.c.id, "ids"))
_CUSTOMERS: Final = CUSTOMER.select().where(among(CUSTOMER.c.owner, "owners"))
_HANDOFFS_BY_ID: Final = handoffs.WHOLE.where(among(HANDOFF.c.id, "ids"))
_MADE: Final = select(PROMISE.c.cart_id, PROMISE.c.id).where(among(PROMISE.c.cart_id, "ids"))
_LENGTHS: Final = select(EVENT.c.home, EVENT.c.stream, func.max(EVENT.c.seq).label("last")).group_by(
    EVENT.c.home, EVENT.c.stream
)
_AT_STORES: Final = _LENGTHS.where(among(EVENT.c.home, "homes"), among(EVENT.c.stream, "streams"))
_AT_HOME: Final = _LENGTHS.where(among(EVENT.c.home, "homes"), EVENT.c.stream == EVENT.c.home)
_LISTINGS: Final = select(CUSTOMER_ORDER.c.owner, CUSTOMER_ORDER.c.order_id).where(
    among(CUSTOMER_ORDER.c.owner, "owners"), among(CUSTOMER_ORDER.c.order_id, "orders")
)
_HOLDS: Final = HOLD.select().where(among(HOLD.c.account_id, "accounts"), among(HOLD.c.payment_id, "payments"))
_TIMERS: Final = TIMER.select().where(among(TIMER.c.store_id, "stores"), among(TIMER.c.subject, "ids"))


def _by_id(whole: Select[Any], table: Any) -> Select[Any]:
    return whole.where(among(table.c.store_id, "stores"), among(table.c.id, "ids"))


_PROMISES_BY_ID: Final = _by_id(promises.WHOLE, PROMISE)
_ORDERS_BY_ID: Final = _by_id(orders.WHOLE, ORDER)
_TRANSFERS_BY_ID: Final = _by_id(transfers.WHOLE, TRANSFER)
_WEBHOOKS_BY_ID: Final = _by_id(WEBHOOK.select(), WEBHOOK)
_RESERVATIONS_BY_ID: Final = _by_id(reservations.WHOLE, RESERVATION)

_SIZED: Final = {
    "stores": STORE,
    "articles": ARTICLE,
    "prices": PRICE,
    "levels": STOCK,
    "movements": MOVEMENT,
    "expected": EXPECTED,
    "reservations": RESERVATION,
    "carts": CART,
    "customers": CUSTOMER,
    "handoffs": HANDOFF,
    "promises": PROMISE,
    "orders": ORDER,
    "transfers": TRANSFER,
    "webhooks": WEBHOOK,
    "listings": CUSTOMER_ORDER,
    "accounts": ACCOUNT,
    "holds": HOLD,
    "postings": POSTING,
    "timers": TIMER,
    "journal": EVENT,
    "deliveries": DELIVERY,
    "tries": CODE_TRIES,
    "answers": ANSWER,
}


# One state for as long as it takes, which may be long. Where SQLite has begun to read, it sees one state anyway.
_BEGIN: Final = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0
"""


def beginning(link: Link) -> None:
    """Let this link, which reads already, see one state from now on."""
    if link.dialect == "postgresql":
        try:
            link.connection.exec_driver_sql(_BEGIN)
        except SQLAlchemyError as error:
            raise fault(error) from error


class SqlInspection:
    """Implements `omniorder.ports.inspection.Inspection`; made by `SqlStorage.inspecting`."""

    def __init__(self, link: Link) -> None:
        self._link: Final = link
        self._options: Final[dict[str, Any]] = {"yield_per": BATCH}
        if link.schema is not None:
            self._options["schema_translate_map"] = {None: link.schema}

    def _rows(self, statement: Any) -> Iterator[Any]:
        try:
            yield from self._link.connection.execute(statement, execution_options=self._options)
        except SQLAlchemyError as error:
            raise fault(error) from error
        except ValueError as error:  # a column that can't be read as what it should hold
            raise StorageFault(reason=f"a row can't be read: {error}") from error

    def _in_order(self, table: Any, *names: str) -> Iterator[Any]:
        return self._rows(table.select().order_by(*(table.c[name] for name in names)))

    def _documents(self, whole: Select[Any], table: Any) -> Iterator[Any]:
        return (row[0] for row in self._rows(whole.order_by(*table.primary_key)))

    # --- tables ---

    def stores(self) -> Iterator[Store]:
        return _made(shop.store_from, self._in_order(STORE, "store_id"))

    def articles(self) -> Iterator[Article]:
        return _made(shop.article_from, self._in_order(ARTICLE, "sku"))

    def prices(self) -> Iterator[Price]:
        return _made(shop.price_from, self._in_order(PRICE, "sku", "store_id", "channel", "valid_from"))

    def levels(self) -> Iterator[Level]:
        return _made(stock.level_from, self._in_order(STOCK, "store_id", "sku"))

    def movements(self) -> Iterator[Movement]:
        return _made(stock.movement_from, self._in_order(MOVEMENT, "store_id", "sku", "id"))

    def expected(self) -> Iterator[ExpectedDelivery]:
        return _made(expected.expected_from, self._in_order(EXPECTED, "store_id", "sku", "reference"))

    def reservations(self) -> Iterator[Reservation]:
        return _made(reservations.reservation_from, self._documents(reservations.WHOLE, RESERVATION))

    def held(self) -> Iterator[Held]:
        return (Held(*row) for row in self._rows(_HELD.order_by(_LINE.store_id, _LINE.sku)))

    def slots(self) -> Iterator[BookedSlot]:
        for row in self._in_order(SLOT, "store_id", "slot"):
            yield BookedSlot(row.store_id, row.slot, row.starts_at, row.booked, row.lines)

    def bins(self) -> Iterator[UsedBin]:
        return (UsedBin(*row) for row in self._in_order(BIN, "store_id", "code"))

    def staged(self) -> Iterator[Staged]:
        for row in self._rows(_STAGED.order_by(*PICKUP.primary_key)):
            yield Staged(row.store_id, row.order_id, tuple(row.bins))

    def bookings(self) -> Iterator[Booking]:
        for row in self._rows(_BOOKINGS.order_by("store_id", "slot")):
            state = PromiseState(row.state) if row.of == "promise" else PickupState(row.state)
            yield Booking(row.store_id, row.slot, state, row.lines)

    def carts(self) -> Iterator[Cart]:
        return _made(carts.cart_from, self._documents(carts.WHOLE, CART))

    def customers(self) -> Iterator[Known]:
        return (Known(row.owner, row.version) for row in self._in_order(CUSTOMER, "owner"))

    def handoffs(self) -> Iterator[Handoff]:
        return _made(handoffs.handoff_from, self._documents(handoffs.WHOLE, HANDOFF))

    def promises(self) -> Iterator[Promise]:
        return _made(promises.promise_from, self._documents(promises.WHOLE, PROMISE))

    def claims(self) -> Iterator[Claim]:
        return (Claim(*row) for row in self._rows(_CLAIMS.of(self._link.dialect)))

    def orders(self) -> Iterator[Order]:
        return _made(orders.order_from, self._documents(orders.WHOLE, ORDER))

    def transfers(self) -> Iterator[Transfer]:
        return _made(transfers.transfer_from, self._documents(transfers.WHOLE, TRANSFER))

    def webhooks(self) -> Iterator[Webhook]:
        return _made(webhooks.webhook_from, self._in_order(WEBHOOK, "store_id", "id"))

    def listings(self) -> Iterator[Listing]:
        for row in self._in_order(CUSTOMER_ORDER, "owner", "placed_at", "order_id"):
            yield Listing(row.owner, row.order_id)

    def accounts(self) -> Iterator[Account]:
        return _made(accounts.account_from, self._in_order(ACCOUNT, "id"))

    def holds(self) -> Iterator[Hold]:
        return _made(accounts.hold_from, self._in_order(HOLD, "account_id", "payment_id"))

    def postings(self) -> Iterator[Posting]:
        return _made(accounts.posting_from, self._in_order(POSTING, "account_id", "id"))

    def timers(self) -> Iterator[Timer]:
        for row in self._in_order(TIMER, "store_id", "subject"):
            yield Timer(row.store_id, row.subject, row.due_at)

    def journal(self) -> Iterator[Recorded]:
        return _made(journal.recorded_from, self._in_order(EVENT, "home", "stream", "seq"))

    def deliveries(self) -> Iterator[Delivery]:
        for row in self._in_order(DELIVERY, "consumer", "home", "stream", "seq"):
            yield Delivery(row.consumer, row.home, row.stream, row.seq)

    def consumers(self) -> Iterator[str]:
        for row in self._in_order(CONSUMER, "name"):
            yield row.name

    def tries(self) -> Iterator[Tries]:
        for row in self._in_order(CODE_TRIES, "store_id", "order_id", "generation"):
            yield Tries(row.order_id, row.generation, row.tries)

    def answers(self) -> Iterator[Answer]:
        for row in self._in_order(ANSWER, "home", "scope", "key"):
            yield Answer(row.home, row.scope, row.key, row.request, row.result, row.at)

    def sizes(self) -> Mapping[str, int]:
        counted = [select(literal(name, String()), func.count()).select_from(table) for name, table in _SIZED.items()]
        return dict(map(tuple, self._rows(union_all(*counted))))

    # --- what rows name ---

    def find_carts(self, ids: Collection[str]) -> Mapping[str, Cart]:
        found = map(carts.cart_from, self._link.documents(_CARTS_BY_ID, {"ids": list(ids)}))
        return {cart.id: cart for cart in found}

    def find_customers(self, owners: Collection[str]) -> Mapping[str, int]:
        return {row.owner: row.version for row in self._link.rows(_CUSTOMERS, {"owners": list(owners)})}

    def find_handoffs(self, ids: Collection[str]) -> Mapping[str, Handoff]:
        found = map(handoffs.handoff_from, self._link.documents(_HANDOFFS_BY_ID, {"ids": list(ids)}))
        return {handoff.id: handoff for handoff in found}

    def find_promises(self, ids: Collection[str]) -> Mapping[str, Promise]:
        found = map(promises.promise_from, self._link.documents(_PROMISES_BY_ID, _at_home(ids)))
        return {promise.id: promise for promise in found}

    def find_orders(self, ids: Collection[str]) -> Mapping[str, Order]:
        found = map(orders.order_from, self._link.documents(_ORDERS_BY_ID, _at_home(ids)))
        return {order.id: order for order in found}

    def find_transfers(self, ids: Collection[str]) -> Mapping[str, Transfer]:
        found = map(transfers.transfer_from, self._link.documents(_TRANSFERS_BY_ID, _at_home(ids)))
        return {transfer.id: transfer for transfer in found}

    def find_webhooks(self, ids: Collection[str]) -> Mapping[str, Webhook]:
        found = map(webhooks.webhook_from, self._link.rows(_WEBHOOKS_BY_ID, _at_home(ids)))
        return {webhook.id: webhook for webhook in found}

    def find_reservations(self, ids: Collection[str]) -> Mapping[str, Reservation]:
        found = map(reservations.reservation_from, self._link.documents(_RESERVATIONS_BY_ID, _at_home(ids)))
        return {reservation.id: reservation for reservation in found}

    def find_holds(self, keys: Collection[Pair]) -> Mapping[Pair, Hold]:
        rows = self._link.rows(_HOLDS, _lists(keys, "accounts", "payments"))
        wanted = set(keys)
        found = map(accounts.hold_from, rows)
        return {key: hold for hold in found if (key := (hold.account, hold.payment)) in wanted}

    def find_timers(self, keys: Collection[Pair]) -> Mapping[Pair, Timer]:
        rows = self._link.rows(_TIMERS, _lists(keys, "stores", "ids"))
        return {(row.store_id, row.subject): Timer(row.store_id, row.subject, row.due_at) for row in rows}

    def find_listings(self, keys: Collection[Pair]) -> Mapping[Pair, int]:
        rows = self._link.rows(_LISTINGS, _lists(keys, "owners", "orders"))
        return Counter((row.owner, row.order_id) for row in rows)

    def find_made(self, carts: Collection[str]) -> Mapping[str, frozenset[str]]:
        made: defaultdict[str, set[str]] = defaultdict(set)
        for row in self._link.rows(_MADE, {"ids": list(carts)}):
            made[row.cart_id].add(row.id)
        return {cart: frozenset(ids) for cart, ids in made.items()}

    def find_lengths(self, streams: Collection[Pair]) -> Mapping[Pair, int]:
        # carts and customers are their own home: as pairs they would be looked for at each other's
        at_home = [home for home, stream in streams if home == stream]
        at_stores = [(home, stream) for home, stream in streams if home != stream]
        found = chain(
            self._link.rows(_AT_HOME, {"homes": at_home}) if at_home else (),
            self._link.rows(_AT_STORES, _lists(at_stores, "homes", "streams")) if at_stores else (),
        )
        return {(row.home, row.stream): row.last for row in found}


def _made(make: Callable[[Any], T], found: Iterable[Any]) -> Iterator[T]:
    """What rows or documents hold. One that can't be read is named, since nobody would find it among a million."""
    for one in found:
        try:
            yield make(one)
        except (ValueError, KeyError, TypeError, InvalidInput) as error:
            values: Mapping[str, Any] = getattr(one, "_mapping", one)
            key = ", ".join(f"{name} {values[name]}" for name in _KEYS if name in values)
            raise StorageFault(
                reason=f"{make.__name__.removesuffix('_from')} ({key}) can't be read: {error}"
            ) from error


def _at_home(ids: Collection[str]) -> dict[str, list[str]]:
    return {"stores": sorted({home_of(id) for id in ids}), "ids": list(ids)}


def _lists(pairs: Collection[Pair], first: str, second: str) -> dict[str, list[str]]:
    """Both halves: what is found by any two of them may be more than was asked for, which harms nobody."""
    return {first: sorted({one for one, _ in pairs}), second: sorted({two for _, two in pairs})}
