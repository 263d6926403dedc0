"""Carts, the notes that customers write, and promises."""

from __future__ import annotations

from typing import Annotated, Any, Final

from sqlalchemy import Index

from omniorder.adapters.sql.columns import Json, Key
from omniorder.adapters.sql.schema.base import (
    STRICT,
    At,
    Document,
    Id,
    Labels,
    MaybeDocument,
    MaybeId,
    Number,
    PrimaryId,
    Row,
    Words,
    check,
    table,
    with_default,
    within,
)


class CartRow(Row, table=True):
    __table_args__ = (
        check("version", "version >= 0"),
        Index("omniorder_cart_by_owner", "owner", "state", "changed_at", "id"),
        STRICT,
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
    merged_into: MaybeId


class CartLineRow(Row, table=True):
    __table_args__ = (
        within("omniorder_cart", cart_id="id"),
        check("quantity", "quantity > 0"),
        STRICT,
    )

    cart_id: PrimaryId
    id: PrimaryId
    position: Number
    sku: Id
    quantity: Number
    version: Number
    labels: Labels
    consent: MaybeDocument


class NoteRow(Row, table=True):
    """What a customer wrote: the only free text of theirs, under their own key, so that it can be erased.

    Beside the notes on lines an order has the name of whoever collects, and the vehicle in which they come.
    """

    __table_args__ = (STRICT,)

    owner: PrimaryId
    subject: PrimaryId
    line_id: PrimaryId
    text: Words


class PromiseRow(Row, table=True):
    __table_args__ = (
        check("window", "starts_at < ends_at"),
        Index("omniorder_promise_by_cart", "cart_id"),
        STRICT,
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
    legs: Annotated[Any, with_default(Json, "[]")]
    collect: Annotated[str, with_default(Key, "pickup")]


CART: Final = table(CartRow)
CART_LINE: Final = table(CartLineRow)
NOTE: Final = table(NoteRow)
PROMISE: Final = table(PromiseRow)
