"""Transfers between stores, at home at the store that sends."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index

from omniorder.adapters.sql.schema.base import (
    STRICT,
    At,
    Id,
    MaybeAt,
    MaybeId,
    Number,
    PrimaryId,
    Row,
    Words,
    check,
    table,
    within,
)


class TransferRow(Row, table=True):
    """A transfer. Its destination and its order may be another store's: hence no foreign keys."""

    __table_args__ = (
        check("version", "version > 0"),
        check("way", "store_id <> destination"),
        Index("omniorder_transfer_by_source", "store_id", "state", "expected_at", "id"),
        Index("omniorder_transfer_by_destination", "destination", "state", "expected_at", "id"),
        STRICT,
    )

    store_id: PrimaryId
    id: PrimaryId
    version: Number
    state: Id
    destination: Id
    order_id: MaybeId
    requested_at: At
    expected_at: At
    shipped_at: MaybeAt
    reference: Words


class TransferLineRow(Row, table=True):
    __table_args__ = (
        within("omniorder_transfer", store_id="store_id", transfer_id="id"),
        check("quantity", "quantity > 0"),
        check("picked", "picked >= 0 AND picked <= quantity"),
        check("received", "received >= 0 AND received <= picked"),
        STRICT,
    )

    store_id: PrimaryId
    transfer_id: PrimaryId
    sku: PrimaryId
    position: Number
    quantity: Number
    picked: Number
    received: Number


TRANSFER: Final = table(TransferRow)
TRANSFER_LINE: Final = table(TransferLineRow)
