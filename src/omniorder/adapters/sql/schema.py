"""The tables, declared with SQLModel on a metadata of their own, never on `SQLModel.metadata`.

Only the declarations are used: every statement is SQLAlchemy Core on the tables below, and domain objects are
written and read by hand. Every table of a store's side has a primary key that begins with the store, and its
foreign keys stay within that store, so that a database can be divided by store. Constraints are the second line
of defence behind the guards in the statements; states and kinds are text without a list of members, so that a
new member needs no migration. All amounts are minor units of the currency that stands beside them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, MetaData, Table, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from omniorder.adapters.sql.columns import Beginning, Instant, Json, Key, Real, Whole

NEEDED: Final = "0001"
"""The revision of the schema that this version of the code reads and writes."""

METADATA: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(referred_table_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

PrimaryId = Annotated[str, Field(sa_type=Key, primary_key=True)]
PrimaryWhole = Annotated[int, Field(sa_type=Whole, primary_key=True)]
PrimaryInstant = Annotated[datetime, Field(sa_type=Instant, primary_key=True)]
PrimaryBeginning = Annotated[datetime | None, Field(sa_type=Beginning, primary_key=True)]
Id = Annotated[str, Field(sa_type=Key)]
MaybeId = Annotated[str | None, Field(sa_type=Key)]
Words = Annotated[str, Field(sa_type=Text)]
MaybeWords = Annotated[str | None, Field(sa_type=Text)]
Number = Annotated[int, Field(sa_type=Whole)]
MaybeDegrees = Annotated[float | None, Field(sa_type=Real)]
At = Annotated[datetime, Field(sa_type=Instant)]
MaybeAt = Annotated[datetime | None, Field(sa_type=Instant)]
Document = Annotated[Any, Field(sa_type=Json, nullable=False)]
Labels = Annotated[Any, Field(sa_type=Json, nullable=False, sa_column_kwargs={"name": "metadata"})]

_STRICT: Final = {"sqlite_strict": True}


def _check(name: str, rule: str) -> CheckConstraint:
    return CheckConstraint(rule, name=name)


def _within(parent: str, **columns: str) -> ForeignKeyConstraint:
    """A foreign key from these columns to the parent's."""
    return ForeignKeyConstraint(list(columns), [f"{parent}.{name}" for name in columns.values()])


class Row(SQLModel, registry=registry(metadata=METADATA)):
    """The root of all tables."""


# --- the shop ---------------------------------------------------------------------------------------------


class StoreRow(Row, table=True):
    """A store. Durations are in seconds, the place in degrees."""

    __tablename__ = "omniorder_store"
    __table_args__ = (_STRICT,)

    store_id: PrimaryId
    zone: Words
    hours: Words
    name: Words
    lat: MaybeDegrees
    lon: MaybeDegrees
    country: MaybeWords
    lead: Number
    slot_length: Number
    slot_capacity: Number
    pickup_days: Number


class ArticleRow(Row, table=True):
    __tablename__ = "omniorder_article"
    __table_args__ = (_STRICT,)

    sku: PrimaryId
    name: Words
    unit: Id
    labels: Labels


class PriceRow(Row, table=True):
    """A price: an empty store or channel is any, and `valid_from` is 1970 where it has no beginning."""

    __tablename__ = "omniorder_price"
    __table_args__ = (_check("amount", "amount >= 0"), _check("per", "per > 0"), _STRICT)

    sku: PrimaryId
    store_id: PrimaryId
    channel: PrimaryId
    valid_from: PrimaryBeginning
    valid_to: MaybeAt
    amount: Number
    currency: Id
    tax: Words
    per: Number


# --- stock ------------------------------------------------------------------------------------------------


class StockRow(Row, table=True):
    """A level."""

    __tablename__ = "omniorder_stock"
    __table_args__ = (
        _check("on_hand", "on_hand >= 0"),
        _check("reserved", "reserved >= 0"),
        _check("safety", "safety >= 0"),
        Index("omniorder_stock_by_sku", "sku"),
        _STRICT,
    )

    store_id: PrimaryId
    sku: PrimaryId
    on_hand: Number
    reserved: Number
    safety: Number


class MovementRow(Row, table=True):
    __tablename__ = "omniorder_movement"
    __table_args__ = (Index("omniorder_movement_by_level", "store_id", "sku", "id"), _STRICT)

    store_id: PrimaryId
    id: PrimaryId
    sku: Id
    kind: Id
    quantity: Number
    at: At
    channel: Id
    actor: Id
    via: Words
    reason: Words
    reference: Words


class ReservationRow(Row, table=True):
    """A reservation. `moved` counts its units that aren't live any more: it only grows, so it is its version."""

    __tablename__ = "omniorder_reservation"
    __table_args__ = (_check("moved", "moved >= 0"), _STRICT)

    store_id: PrimaryId
    id: PrimaryId
    state: Id
    until: MaybeAt
    moved: Number


class ReservationLineRow(Row, table=True):
    __tablename__ = "omniorder_reservation_line"
    __table_args__ = (
        _within("omniorder_reservation", store_id="store_id", reservation_id="id"),
        _check("quantity", "quantity > 0"),
        _check("resolved", "consumed >= 0 AND released >= 0 AND expired >= 0"),
        _check("live", "consumed + released + expired <= quantity"),
        _STRICT,
    )

    store_id: PrimaryId
    reservation_id: PrimaryId
    sku: PrimaryId
    position: Number
    quantity: Number
    consumed: Number
    released: Number
    expired: Number


class SlotRow(Row, table=True):
    """The places taken in a slot; a slot that nobody booked has no row."""

    __tablename__ = "omniorder_slot"
    __table_args__ = (
        _check("booked", "booked >= 0"),
        Index("omniorder_slot_by_start", "store_id", "starts_at"),
        _STRICT,
    )

    store_id: PrimaryId
    slot: PrimaryId
    starts_at: At
    booked: Number


# --- carts and promises -----------------------------------------------------------------------------------


class CartRow(Row, table=True):
    __tablename__ = "omniorder_cart"
    __table_args__ = (
        _check("version", "version >= 0"),
        Index("omniorder_cart_by_owner", "owner", "state", "changed_at", "id"),
        _STRICT,
    )

    id: PrimaryId
    owner: Id
    state: Id
    version: Number
    lines_version: Number
    started_at: At
    changed_at: At
    language: Words
    labels: Labels
    promise_id: MaybeId
    order_id: MaybeId


class CartLineRow(Row, table=True):
    __tablename__ = "omniorder_cart_line"
    __table_args__ = (
        _within("omniorder_cart", cart_id="id"),
        _check("quantity", "quantity > 0"),
        _STRICT,
    )

    cart_id: PrimaryId
    id: PrimaryId
    position: Number
    sku: Id
    quantity: Number
    version: Number
    labels: Labels


class NoteRow(Row, table=True):
    """What a customer wrote: the only free text of theirs, under their own key, so that it can be erased."""

    __tablename__ = "omniorder_note"
    __table_args__ = (_STRICT,)

    owner: PrimaryId
    subject: PrimaryId
    line_id: PrimaryId
    text: Words


class PromiseRow(Row, table=True):
    __tablename__ = "omniorder_promise"
    __table_args__ = (
        _check("window", "starts_at < ends_at"),
        Index("omniorder_promise_by_cart", "cart_id"),
        _STRICT,
    )

    store_id: PrimaryId
    id: PrimaryId
    cart_id: Id
    owner: Id
    lines_version: Number
    state: Id
    slot: Id
    starts_at: At
    ends_at: At
    zone: Words
    currency: Id
    total: Number
    ceiling: Number
    quote: Document
    reservation_id: Id
    made_at: At
    expires_at: At
    order_id: MaybeId


# --- orders -----------------------------------------------------------------------------------------------


class OrderRow(Row, table=True):
    """An order; its home store is `store_id`. Its pick-up may be at another store."""

    __tablename__ = "omniorder_order"
    __table_args__ = (
        _check("version", "version >= 0"),
        _check("amounts", "total >= 0 AND ceiling >= total"),
        _STRICT,
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


class OrderLineRow(Row, table=True):
    __tablename__ = "omniorder_order_line"
    __table_args__ = (
        _within("omniorder_order", store_id="store_id", order_id="id"),
        _check("quantity", "quantity > 0"),
        _check("price", "price >= 0 AND per > 0"),
        _STRICT,
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


class CustomerOrderRow(Row, table=True):
    """The orders of a customer, beside the customer."""

    __tablename__ = "omniorder_customer_order"
    __table_args__ = (_STRICT,)

    owner: PrimaryId
    placed_at: PrimaryInstant
    order_id: PrimaryId
    store_id: Id


class PaymentRow(Row, table=True):
    __tablename__ = "omniorder_payment"
    __table_args__ = (
        _within("omniorder_order", store_id="store_id", order_id="id"),
        _check("amounts", "amount >= 0 AND authorised >= 0 AND captured >= 0 AND refunded >= 0"),
        _check("refund_pending", "refund_pending >= 0"),
        Index("omniorder_payment_by_order", "store_id", "order_id"),
        _STRICT,
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
    created_at: At
    provider_id: Words
    reason: Words


class AttemptRow(Row, table=True):
    """One operation at the provider, in its payment's currency."""

    __tablename__ = "omniorder_attempt"
    __table_args__ = (
        _within("omniorder_payment", store_id="store_id", payment_id="id"),
        _check("amount", "amount >= 0"),
        Index("omniorder_attempt_by_order", "store_id", "order_id"),
        _STRICT,
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

    __tablename__ = "omniorder_pickup"
    __table_args__ = (
        _check("window", "starts_at < ends_at"),
        _check("generation", "generation > 0"),
        Index("omniorder_pickup_by_start", "store_id", "state", "starts_at", "order_id"),
        _STRICT,
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


class PickupLineRow(Row, table=True):
    __tablename__ = "omniorder_pickup_line"
    __table_args__ = (
        _within("omniorder_pickup", store_id="store_id", pickup_id="id"),
        _check("quantity", "quantity > 0"),
        _check("units", "picked >= 0 AND collected >= 0 AND dropped >= 0"),
        _check("open", "collected + dropped <= quantity"),
        _STRICT,
    )

    store_id: PrimaryId
    pickup_id: PrimaryId
    line_id: PrimaryId
    position: Number
    quantity: Number
    picked: Number
    collected: Number
    dropped: Number


class CodeTriesRow(Row, table=True):
    """Wrong tries of one generation of an order's pick-up code."""

    __tablename__ = "omniorder_code_tries"
    __table_args__ = (_check("tries", "tries > 0"), _STRICT)

    store_id: PrimaryId
    order_id: PrimaryId
    generation: PrimaryWhole
    tries: Number


# --- timers, journal, answers -----------------------------------------------------------------------------


class TimerRow(Row, table=True):
    __tablename__ = "omniorder_timer"
    __table_args__ = (
        Index("omniorder_timer_by_store", "store_id", "due_at", "subject"),
        Index("omniorder_timer_by_due", "due_at", "store_id"),
        _STRICT,
    )

    store_id: PrimaryId
    subject: PrimaryId
    due_at: At
    claimed_until: MaybeAt


class EventRow(Row, table=True):
    """The journal: `home` is a store for orders and the cart itself for carts."""

    __tablename__ = "omniorder_event"
    __table_args__ = (_check("seq", "seq > 0"), _STRICT)

    home: PrimaryId
    stream: PrimaryId
    seq: PrimaryWhole
    name: Id
    at: At
    channel: Id
    actor: Id
    via: Words
    payload: Document


class ConsumerRow(Row, table=True):
    """Somebody to whom every event is to be delivered."""

    __tablename__ = "omniorder_consumer"
    __table_args__ = (_STRICT,)

    name: PrimaryId


class DeliveryRow(Row, table=True):
    """An event that a consumer has not acknowledged; `position` is the order in which they were written."""

    __tablename__ = "omniorder_delivery"
    __table_args__ = (Index("omniorder_delivery_by_position", "consumer", "position"), _STRICT)

    consumer: PrimaryId
    home: PrimaryId
    stream: PrimaryId
    seq: PrimaryWhole
    position: Annotated[int, Field(sa_type=Whole, sa_column_args=[Identity()])]


class AnswerRow(Row, table=True):
    """What a command answered, ids only."""

    __tablename__ = "omniorder_answer"
    __table_args__ = (Index("omniorder_answer_by_age", "at"), _STRICT)

    home: PrimaryId
    scope: PrimaryId
    key: PrimaryId
    request: Id
    result: Id
    at: At


def table(row: type[Row]) -> Table:
    """The Core table that a row class declares."""
    declared: Table = vars(row)["__table__"]
    return declared


CART: Final = table(CartRow)
CART_LINE: Final = table(CartLineRow)
NOTE: Final = table(NoteRow)
PROMISE: Final = table(PromiseRow)
ORDER: Final = table(OrderRow)
ORDER_LINE: Final = table(OrderLineRow)
CUSTOMER_ORDER: Final = table(CustomerOrderRow)
PAYMENT: Final = table(PaymentRow)
ATTEMPT: Final = table(AttemptRow)
PICKUP: Final = table(PickupRow)
PICKUP_LINE: Final = table(PickupLineRow)
CODE_TRIES: Final = table(CodeTriesRow)
RESERVATION: Final = table(ReservationRow)
RESERVATION_LINE: Final = table(ReservationLineRow)
STOCK: Final = table(StockRow)
MOVEMENT: Final = table(MovementRow)
SLOT: Final = table(SlotRow)
TIMER: Final = table(TimerRow)
EVENT: Final = table(EventRow)
CONSUMER: Final = table(ConsumerRow)
DELIVERY: Final = table(DeliveryRow)
ANSWER: Final = table(AnswerRow)
STORE: Final = table(StoreRow)
ARTICLE: Final = table(ArticleRow)
PRICE: Final = table(PriceRow)
