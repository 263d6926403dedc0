"""Orders with their payments and pick-ups."""

from __future__ import annotations

from typing import Annotated, Any, Final

from sqlalchemy import Index, Text, text

from omniorder.adapters.sql.columns import Json, Key, Whole
from omniorder.adapters.sql.schema.base import (
    STRICT,
    At,
    Document,
    Flag,
    Id,
    Labels,
    LaterNumber,
    MaybeAt,
    MaybeDocument,
    MaybeNumber,
    MaybeWords,
    Number,
    PrimaryId,
    PrimaryInstant,
    PrimaryWhole,
    Row,
    Words,
    check,
    table,
    with_default,
    within,
)

_COMING: Final = text("expected_at IS NOT NULL OR arrived_at IS NOT NULL")
"""Pick-ups for which somebody is on their way or there: few of a store's at any time."""


class OrderRow(Row, table=True):
    """An order; its home store is `store_id`. Its pick-up may be at another store."""

    __table_args__ = (
        check("version", "version >= 0"),
        check("amounts", "total >= 0 AND ceiling >= total"),
        STRICT,
    )

    store_id: PrimaryId
    id: PrimaryId
    version: Number
    state: Id
    owner: Id
    cart_id: Id
    promise_id: Id
    reservation_id: Id
    channel: Id
    currency: Id
    total: Number
    ceiling: Number
    placed_at: At
    pay_by: At
    confirmed_at: MaybeAt
    hold_until: MaybeAt
    language: Words
    labels: Labels
    pickup_store: Id
    pickup_id: Id
    corrections: Annotated[Any, with_default(Json, "[]")]


class OrderLineRow(Row, table=True):
    """A line as it was bought; no `tolerance` is none, no `handling` the usual one. `added`: after placing."""

    __table_args__ = (
        within("omniorder_order", store_id="store_id", order_id="id"),
        check("quantity", "quantity > 0"),
        check("price", "price >= 0 AND per > 0"),
        STRICT,
    )

    store_id: PrimaryId
    order_id: PrimaryId
    id: PrimaryId
    position: Number
    sku: Id
    name: Words
    unit: Id
    quantity: Number
    price: Number
    per: Number
    tax: Words
    total: Number
    labels: Labels
    tolerance: MaybeWords
    handling: MaybeDocument
    instead_of: Annotated[str, with_default(Key, "")]
    added: Flag
    consent: MaybeDocument


class CustomerOrderRow(Row, table=True):
    """The orders of a customer, beside the customer."""

    __table_args__ = (STRICT,)

    owner: PrimaryId
    placed_at: PrimaryInstant
    order_id: PrimaryId
    store_id: Id


class PaymentRow(Row, table=True):
    __table_args__ = (
        within("omniorder_order", store_id="store_id", order_id="id"),
        check("amounts", "amount >= 0 AND authorised >= 0 AND captured >= 0 AND refunded >= 0"),
        check("refund_pending", "refund_pending >= 0"),
        Index("omniorder_payment_by_order", "store_id", "order_id"),
        Index("omniorder_payment_by_kind", "kind", "created_at", "id"),
        STRICT,
    )

    store_id: PrimaryId
    id: PrimaryId
    order_id: Id
    position: Number
    kind: Id
    token: Words
    state: Id
    currency: Id
    amount: Number
    authorised: Number
    captured: Number
    refunded: Number
    refund_pending: Number
    disputed: LaterNumber
    created_at: At
    provider_id: Words
    reason: Words
    method: Annotated[str, with_default(Text, "")]
    now: Flag
    until: MaybeAt
    replaces: Annotated[str, with_default(Key, "")]
    means: Annotated[str, with_default(Text, "")]


class AttemptRow(Row, table=True):
    """One operation at the provider, in its payment's currency."""

    __table_args__ = (
        within("omniorder_payment", store_id="store_id", payment_id="id"),
        check("amount", "amount >= 0"),
        Index("omniorder_attempt_by_order", "store_id", "order_id"),
        STRICT,
    )

    store_id: PrimaryId
    id: PrimaryId
    order_id: Id
    payment_id: Id
    position: Number
    operation: Id
    state: Id
    amount: Number
    asked_at: At
    look_at: At
    provider_id: Words
    reason: Words


class PickupRow(Row, table=True):
    """The work of one store for one order, whose home may be another store: hence no foreign key."""

    __table_args__ = (
        check("window", "starts_at < ends_at"),
        check("generation", "generation > 0"),
        Index("omniorder_pickup_by_start", "store_id", "state", "starts_at", "order_id"),
        Index("omniorder_pickup_by_arrival", "store_id", postgresql_where=_COMING, sqlite_where=_COMING),
        STRICT,
    )

    store_id: PrimaryId
    id: PrimaryId
    home: Id
    order_id: Id
    state: Id
    slot: Id
    starts_at: At
    ends_at: At
    zone: Words
    staged_at: Words
    ready_at: MaybeAt
    until: MaybeAt
    generation: Number
    key_id: Words
    claim: Document
    look_at: MaybeAt
    awaited: Annotated[Any, with_default(Json, "[]")]
    holds: Annotated[Any, with_default(Json, "[]")]
    question: MaybeDocument
    trouble: Annotated[str, with_default(Text, "")]
    collect: Annotated[str, with_default(Key, "pickup")]
    pickers: Annotated[Any, with_default(Json, "[]")]
    wave: Annotated[str, with_default(Key, "")]
    tote: Annotated[int, with_default(Whole, "0")]
    bins: Annotated[Any, with_default(Json, "[]")]
    reminders: Annotated[Any, with_default(Json, "[]")]
    reminded: Annotated[int, with_default(Whole, "0")]
    extended: Flag
    spoils_at: MaybeAt
    proposals: Annotated[Any, with_default(Json, "[]")]
    left_offline: Annotated[Any, with_default(Json, "[]")]
    proxy: Annotated[str, with_default(Key, "")]
    expected_at: MaybeAt
    arrived_at: MaybeAt
    bay: Annotated[str, with_default(Text, "")]
    attended_by: Annotated[str, with_default(Key, "")]


class PickupLineRow(Row, table=True):
    """How a line went. `ordered` is set where that is not `quantity`: something weighs more or less than it should."""

    __table_args__ = (
        within("omniorder_pickup", store_id="store_id", pickup_id="id"),
        check("quantity", "quantity > 0"),
        check("units", "picked >= 0 AND collected >= 0 AND dropped >= 0"),
        check("open", "collected + dropped <= quantity"),
        STRICT,
    )

    store_id: PrimaryId
    pickup_id: PrimaryId
    line_id: PrimaryId
    position: Number
    quantity: Number
    picked: Number
    collected: Number
    dropped: Number
    short: Annotated[int, with_default(Whole, "0")]
    tolerance: MaybeWords
    ordered: MaybeNumber
    replaced: Annotated[int, with_default(Whole, "0")]
    instead_of: Annotated[str, with_default(Key, "")]
    returned: Annotated[int, with_default(Whole, "0")]
    collected_at: MaybeAt


class CodeTriesRow(Row, table=True):
    """Wrong tries of a code that is said: of one generation of an order's pick-up code, of a handoff's, or of what one
    actor takes for gift cards' on one day.

    What is no store's stands in both columns, so that its tries are kept by themselves.
    """

    __table_args__ = (check("tries", "tries > 0"), STRICT)

    store_id: PrimaryId
    order_id: PrimaryId
    generation: PrimaryWhole
    tries: Number


ORDER: Final = table(OrderRow)
ORDER_LINE: Final = table(OrderLineRow)
CUSTOMER_ORDER: Final = table(CustomerOrderRow)
PAYMENT: Final = table(PaymentRow)
ATTEMPT: Final = table(AttemptRow)
PICKUP: Final = table(PickupRow)
PICKUP_LINE: Final = table(PickupLineRow)
CODE_TRIES: Final = table(CodeTriesRow)
