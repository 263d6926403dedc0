"""Handoffs of carts, and customers as far as something is decided about them as a whole."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index

from omniorder.adapters.sql.schema.base import (
    STRICT,
    At,
    Document,
    Id,
    MaybeAt,
    MaybeId,
    Number,
    PrimaryId,
    Row,
    check,
    table,
)


class CustomerRow(Row, table=True):
    """`version` counts the events of the customer's own stream."""

    __table_args__ = (check("version", "version > 0"), STRICT)

    owner: PrimaryId
    version: Number


class HandoffRow(Row, table=True):
    """`ends_at` is when token or grant end by themselves. Neither the token nor the spoken code is here."""

    __table_args__ = (
        Index("omniorder_handoff_by_cart", "cart_id", "id"),
        Index("omniorder_handoff_by_end", "ends_at"),
        STRICT,
    )

    id: PrimaryId
    cart_id: Id
    scopes: Document
    state: Id
    offered_by: Id
    offered_on: Id
    offered_at: At
    until: At
    key_id: Id
    promise_id: MaybeId
    accepted_by: MaybeId
    accepted_on: MaybeId
    accepted_at: MaybeAt
    granted_until: MaybeAt
    ends_at: At


CUSTOMER: Final = table(CustomerRow)
HANDOFF: Final = table(HandoffRow)
