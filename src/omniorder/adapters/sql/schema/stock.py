"""Stock: levels, movements, what is expected, reservations, and the places in pick-up slots and bins."""

from __future__ import annotations

from typing import Annotated, Final

from sqlalchemy import Index

from omniorder.adapters.sql.columns import Whole
from omniorder.adapters.sql.schema.base import (
    STRICT,
    At,
    Flag,
    Id,
    LaterNumber,
    MaybeAt,
    Number,
    PrimaryId,
    Row,
    Words,
    check,
    table,
    with_default,
    within,
)


class StockRow(Row, table=True):
    """A level."""

    __table_args__ = (
        check("on_hand", "on_hand >= 0"),
        check("reserved", "reserved >= 0"),
        check("safety", "safety >= 0"),
        check("quarantined", "quarantined >= 0"),
        Index("omniorder_stock_by_sku", "sku"),
        STRICT,
    )

    store_id: PrimaryId
    sku: PrimaryId
    on_hand: Number
    reserved: Number
    safety: Number
    quarantined: LaterNumber


class MovementRow(Row, table=True):
    __table_args__ = (Index("omniorder_movement_by_level", "store_id", "sku", "id"), STRICT)

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
    quarantined: LaterNumber


class ExpectedRow(Row, table=True):
    """What is still to come under one reference. What has come as a whole has no row."""

    __table_args__ = (check("quantity", "quantity >= 0"), Index("omniorder_expected_by_sku", "sku"), STRICT)

    store_id: PrimaryId
    sku: PrimaryId
    reference: PrimaryId
    quantity: Number
    expected_at: At


class ReservationRow(Row, table=True):
    """A reservation. `moved` counts its units that aren't live any more: it only grows, so it is its version.

    `outside` is 1 where the units are of a retailer's own system, 0 where they are of our levels.
    """

    __table_args__ = (check("moved", "moved >= 0"), STRICT)

    store_id: PrimaryId
    id: PrimaryId
    state: Id
    until: MaybeAt
    moved: Number
    outside: Flag


class ReservationLineRow(Row, table=True):
    __table_args__ = (
        within("omniorder_reservation", store_id="store_id", reservation_id="id"),
        check("quantity", "quantity > 0"),
        check("resolved", "consumed >= 0 AND released >= 0 AND expired >= 0"),
        check("live", "consumed + released + expired <= quantity"),
        STRICT,
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
    """The places and order lines taken in a slot; a slot that nobody booked has no row."""

    __table_args__ = (
        check("booked", "booked >= 0"),
        check("lines", "lines >= 0"),
        Index("omniorder_slot_by_start", "store_id", "starts_at"),
        STRICT,
    )

    store_id: PrimaryId
    slot: PrimaryId
    starts_at: At
    booked: Number
    lines: Annotated[int, with_default(Whole, "0")]


class BinRow(Row, table=True):
    """How many orders lie in a bin; one that was never used has no row."""

    __table_args__ = (check("orders", "orders >= 0"), STRICT)

    store_id: PrimaryId
    code: PrimaryId
    orders: Number


STOCK: Final = table(StockRow)
MOVEMENT: Final = table(MovementRow)
EXPECTED: Final = table(ExpectedRow)
RESERVATION: Final = table(ReservationRow)
RESERVATION_LINE: Final = table(ReservationLineRow)
SLOT: Final = table(SlotRow)
BIN: Final = table(BinRow)
