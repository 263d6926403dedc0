"""The journal and its consumers, timers, and answers to idempotency keys."""

from __future__ import annotations

from typing import Annotated, Final

from sqlalchemy import Identity, Index
from sqlmodel import Field

from omniorder.adapters.sql.columns import Whole
from omniorder.adapters.sql.schema.base import (
    STRICT,
    At,
    Document,
    Id,
    MaybeAt,
    PrimaryId,
    PrimaryWhole,
    Row,
    Words,
    check,
    table,
)


class TimerRow(Row, table=True):
    __table_args__ = (
        Index("omniorder_timer_by_store", "store_id", "due_at", "subject"),
        Index("omniorder_timer_by_due", "due_at", "store_id"),
        STRICT,
    )

    store_id: PrimaryId
    subject: PrimaryId
    due_at: At
    claimed_until: MaybeAt


class EventRow(Row, table=True):
    """The journal: `home` is a store for orders and the cart itself for carts."""

    __table_args__ = (
        check("seq", "seq > 0"),
        Index("omniorder_event_by_time", "home", "at", "stream", "seq"),
        STRICT,
    )

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

    __table_args__ = (STRICT,)

    name: PrimaryId


class DeliveryRow(Row, table=True):
    """An event that a consumer has not acknowledged; `position` is the order in which they were written."""

    __table_args__ = (Index("omniorder_delivery_by_position", "consumer", "position"), STRICT)

    consumer: PrimaryId
    home: PrimaryId
    stream: PrimaryId
    seq: PrimaryWhole
    position: Annotated[int, Field(sa_type=Whole, sa_column_args=[Identity()])]


class AnswerRow(Row, table=True):
    """What a command answered, ids only."""

    __table_args__ = (Index("omniorder_answer_by_age", "at"), STRICT)

    home: PrimaryId
    scope: PrimaryId
    key: PrimaryId
    request: Id
    result: Id
    at: At


TIMER: Final = table(TimerRow)
EVENT: Final = table(EventRow)
CONSUMER: Final = table(ConsumerRow)
DELIVERY: Final = table(DeliveryRow)
ANSWER: Final = table(AnswerRow)
