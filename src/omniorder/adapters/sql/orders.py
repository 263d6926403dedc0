"""Orders: written as changes of rows, read as one document with lines, payments, attempts and pick-up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, case, delete, exists, func, or_, select, tuple_, update

from omniorder import wire
from omniorder.adapters.sql import carts, payments, pickups
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant, Key, Whole, maybe_moment, moment
from omniorder.adapters.sql.documents import among, by_position, children, document, labels
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.orderlines import line_from, line_rows, note_rows, notes_from
from omniorder.adapters.sql.rows import Rows, Values, changes
from omniorder.adapters.sql.schema import (
    ATTEMPT,
    CUSTOMER_ORDER,
    NOTE,
    ORDER,
    ORDER_LINE,
    PAYMENT,
    PICKUP,
    PICKUP_LINE,
    TIMER,
)
from omniorder.adapters.sql.sharding import home_of
from omniorder.domain.channels import Channel
from omniorder.domain.corrections import Correction
from omniorder.domain.lifecycle import AttemptState, OrderState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import Operation
from omniorder.ports.writes import OrderWrite

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
_LAST: Final = "~"  # behind every id


def _of_order(table: Any) -> Any:
    return and_(table.c.store_id == ORDER.c.store_id, table.c.order_id == ORDER.c.id)


_DOCUMENT: Final = document(
    ORDER,
    lines=children(ORDER_LINE, _of_order(ORDER_LINE)),
    notes=children(NOTE, NOTE.c.owner == ORDER.c.owner, NOTE.c.subject == ORDER.c.id),
    payments=children(PAYMENT, _of_order(PAYMENT)),
    attempts=children(ATTEMPT, _of_order(ATTEMPT)),
    pickup=document(
        PICKUP,
        lines=children(
            PICKUP_LINE,
            PICKUP_LINE.c.store_id == PICKUP.c.store_id,
            PICKUP_LINE.c.pickup_id == PICKUP.c.id,
        ),
    ),
)
WHOLE: Final = select(_DOCUMENT).join_from(
    ORDER, PICKUP, and_(PICKUP.c.store_id == ORDER.c.pickup_store, PICKUP.c.id == ORDER.c.pickup_id)
)
"""Every order, as one document each."""
_BY_ID: Final = WHOLE.where(ORDER.c.store_id == bindparam("store_id"), ORDER.c.id == bindparam("id"))
_OF_OWNER: Final = (
    WHOLE.join(
        CUSTOMER_ORDER,
        and_(CUSTOMER_ORDER.c.store_id == ORDER.c.store_id, CUSTOMER_ORDER.c.order_id == ORDER.c.id),
    )
    .where(
        CUSTOMER_ORDER.c.owner == bindparam("owner"),
        tuple_(CUSTOMER_ORDER.c.placed_at, CUSTOMER_ORDER.c.order_id)
        < tuple_(bindparam("after_at", type_=Instant()), bindparam("after_id", type_=Key())),
    )
    .order_by(CUSTOMER_ORDER.c.placed_at.desc(), CUSTOMER_ORDER.c.order_id.desc())
    .limit(bindparam("most"))
)
_TO_PICK_UP: Final = (
    WHOLE.where(
        PICKUP.c.store_id == bindparam("store_id"),
        among(PICKUP.c.state, "states"),
        PICKUP.c.starts_at >= bindparam("start"),
        PICKUP.c.starts_at < bindparam("end"),
        ORDER.c.store_id == PICKUP.c.home,  # by its key, not by looking through all orders that there ever were
        ORDER.c.id == PICKUP.c.order_id,
        tuple_(PICKUP.c.starts_at, PICKUP.c.order_id)
        > tuple_(bindparam("after_at", type_=Instant()), bindparam("after_id", type_=Key())),
    )
    .order_by(PICKUP.c.starts_at, PICKUP.c.order_id)
    .limit(bindparam("most"))
)
_THERE: Final = case((PICKUP.c.arrived_at.is_not(None), 0), else_=1)
_SINCE: Final = func.coalesce(PICKUP.c.arrived_at, PICKUP.c.expected_at, type_=Instant())
_COMING: Final = (
    WHOLE.where(
        PICKUP.c.store_id == bindparam("store_id"),
        or_(PICKUP.c.expected_at.is_not(None), PICKUP.c.arrived_at.is_not(None)),
        ORDER.c.store_id == PICKUP.c.home,  # by its key, as above
        ORDER.c.id == PICKUP.c.order_id,
        tuple_(_THERE, _SINCE, PICKUP.c.order_id)
        > tuple_(
            bindparam("after_there", type_=Whole()),
            bindparam("after_at", type_=Instant()),
            bindparam("after_id", type_=Key()),
        ),
    )
    .order_by(_THERE, _SINCE, PICKUP.c.order_id)
    .limit(bindparam("most"))
)
_PAID: Final = PAYMENT.alias("paid")
_PAID_BY: Final = (
    select(_PAID.c.id, _DOCUMENT.label("document"))
    .join_from(_PAID, ORDER, and_(ORDER.c.store_id == _PAID.c.store_id, ORDER.c.id == _PAID.c.order_id))
    .join(PICKUP, and_(PICKUP.c.store_id == ORDER.c.pickup_store, PICKUP.c.id == ORDER.c.pickup_id))
    .where(
        _PAID.c.kind == bindparam("kind"),
        _PAID.c.created_at >= bindparam("start"),
        _PAID.c.created_at < bindparam("end"),
        tuple_(_PAID.c.created_at, _PAID.c.id)
        > tuple_(bindparam("after_at", type_=Instant()), bindparam("after_id", type_=Key())),
    )
    .order_by(_PAID.c.created_at, _PAID.c.id)
    .limit(bindparam("most"))
)

_UNRETURNED: Final = (
    WHOLE.where(
        ORDER.c.store_id == bindparam("store_id"),
        ORDER.c.id > bindparam("after"),
        exists().where(TIMER.c.store_id == ORDER.c.store_id, TIMER.c.subject == ORDER.c.id),
        exists().where(
            _of_order(ATTEMPT),
            ATTEMPT.c.operation == Operation.REFUND.value,
            ATTEMPT.c.state != AttemptState.SUCCEEDED.value,
        ),
    )
    .order_by(ORDER.c.id)
    .limit(bindparam("most"))
)
_INSERT: Final = ORDER.insert()
_LIST: Final = CUSTOMER_ORDER.insert()
_UNLIST: Final = delete(CUSTOMER_ORDER).where(
    and_(
        CUSTOMER_ORDER.c.owner == bindparam("at_owner"),
        CUSTOMER_ORDER.c.placed_at == bindparam("at_placed_at", type_=Instant()),
        CUSTOMER_ORDER.c.order_id == bindparam("at_order_id"),
    )
)
_UPDATE: Final = update(ORDER).where(
    and_(
        ORDER.c.store_id == bindparam("at_store_id"),
        ORDER.c.id == bindparam("at_id"),
        ORDER.c.version == bindparam("at_version"),
    )
)
_LINES: Final = Rows(ORDER_LINE, fixed=("position",))


def load(link: Link, order_id: str) -> Order | None:
    """The order with this id."""
    found = link.document(_BY_ID, {"store_id": home_of(order_id), "id": order_id})
    return None if found is None else order_from(found)


def of_owner(link: Link, owner: str, after: tuple[datetime, str] | None, limit: int) -> tuple[Order, ...]:
    """The owner's orders, newest first."""
    at, id = after or (LATEST, _LAST)
    found = link.documents(_OF_OWNER, {"owner": owner, "after_at": at, "after_id": id, "most": limit})
    return tuple(map(order_from, found))


def to_pick_up(
    link: Link,
    store: str,
    start: datetime | None,
    end: datetime | None,
    states: Sequence[str],
    after: tuple[datetime, str] | None,
    limit: int,
) -> tuple[Order, ...]:
    """Orders with a pick-up at this store in one of these states, by the start of its window."""
    at, id = after or (EARLIEST, "")
    params = {
        "store_id": store,
        "states": states,
        "start": start or EARLIEST,
        "end": end or LATEST,
        "after_at": at,
        "after_id": id,
        "most": limit,
    }
    return tuple(map(order_from, link.documents(_TO_PICK_UP, params)))


def coming(link: Link, store: str, after: tuple[bool, datetime, str] | None, limit: int) -> tuple[Order, ...]:
    """Orders whose customers have arrived at this store, by when, and then those on their way, by when they come."""
    there, at, id = after or (True, EARLIEST, "")
    params = {"store_id": store, "after_there": int(not there), "after_at": at, "after_id": id, "most": limit}
    return tuple(map(order_from, link.documents(_COMING, params)))


def paid_by(
    link: Link, kind: str, start: datetime, end: datetime, after: tuple[datetime, str] | None, limit: int
) -> tuple[tuple[str, Order], ...]:
    """Payments of this kind and time, each with its order, by creation."""
    at, id = after or (EARLIEST, "")
    params = {"kind": kind, "start": start, "end": end, "after_at": at, "after_id": id, "most": limit}
    return tuple((row.id, order_from(row.document)) for row in link.rows(_PAID_BY, params))


def unreturned(link: Link, store: str, after: str | None, limit: int) -> tuple[Order, ...]:
    """Orders placed at this store with a refund that did not work (yet), while a timer is set for them."""
    return tuple(map(order_from, link.documents(_UNRETURNED, {"store_id": store, "after": after or "", "most": limit})))


def write(batch: Batch, change: OrderWrite) -> None:
    """Insert or replace an order and its parts; raises `AlreadyThere` or `StaleWrite`."""
    before, order = change.before, change.after
    if before is None:
        batch.insert(_INSERT, {"store_id": order.store, "id": order.id} | _values(order), "order", order.id)
        _LINES.add(batch, line_rows(order), "order", order.id)
        batch.insert(_LIST, _listed(order), "order", order.id)
        carts.write_notes(batch, [], note_rows(order), order.id)
    else:
        at = {"at_store_id": order.store, "at_id": order.id, "at_version": before.version}
        batch.guarded(
            _UPDATE, {"version": order.version} | changes(_values(before), _values(order)) | at, "order", order.id
        )
        if order.owner != before.owner:
            batch.change(_UNLIST, {"at_owner": before.owner, "at_placed_at": order.placed_at, "at_order_id": order.id})
            batch.insert(_LIST, _listed(order), "order", order.id)
        if order.every_line != before.every_line:
            _LINES.sync(batch, line_rows(before), line_rows(order), "order", order.id)
        carts.write_notes(batch, note_rows(before), note_rows(order), order.id)
    payments.write(batch, before, order)
    pickups.write(batch, before, order)


def _listed(order: Order) -> Values:
    return {"owner": order.owner, "placed_at": order.placed_at, "order_id": order.id, "store_id": order.store}


def _values(order: Order) -> Values:
    return {
        "version": order.version,
        "state": order.state.value,
        "owner": order.owner,
        "cart_id": order.cart_id,
        "promise_id": order.promise_id,
        "reservation_id": order.reservation_id,
        "channel": order.channel.value,
        "currency": order.total.currency,
        "total": order.total.amount,
        "ceiling": order.ceiling.amount,
        "placed_at": order.placed_at,
        "pay_by": order.pay_by,
        "confirmed_at": order.confirmed_at,
        "hold_until": order.hold_until,
        "language": order.language,
        "metadata": dict(order.metadata),
        "pickup_store": order.pickup.store,
        "pickup_id": order.pickup.id,
        "corrections": wire.dump(order.corrections),
    }


def order_from(found: dict[str, Any]) -> Order:
    """The order of a document."""
    currency, lines, notes = found["currency"], by_position(found["lines"]), notes_from(found["notes"])
    return Order(
        id=found["id"],
        version=found["version"],
        state=OrderState(found["state"]),
        owner=found["owner"],
        cart_id=found["cart_id"],
        promise_id=found["promise_id"],
        reservation_id=found["reservation_id"],
        channel=Channel(found["channel"]),
        total=Money(found["total"], currency),
        ceiling=Money(found["ceiling"], currency),
        lines=tuple(line_from(line, currency, notes) for line in lines if not line["added"]),
        pickup=pickups.pickup_from(found["pickup"], notes),
        placed_at=moment(found["placed_at"]),
        pay_by=moment(found["pay_by"]),
        payments=payments.payments_from(found["payments"], found["attempts"]),
        confirmed_at=maybe_moment(found["confirmed_at"]),
        hold_until=maybe_moment(found["hold_until"]),
        language=found["language"],
        metadata=labels(found["metadata"]),
        corrections=tuple(wire.load(Correction, one) for one in found["corrections"]),
        added=tuple(line_from(line, currency, notes) for line in lines if line["added"]),
    )
