"""Transfers between stores, what a pick-up awaits from them, and what its customer is asked."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
JSON_DATA = JSONB().with_variant(sa.Text(), "sqlite")


def _list(name: str) -> sa.Column[Any]:
    """An empty list in every row that is there."""
    return sa.Column(name, JSON_DATA, nullable=False, server_default="[]")


def upgrade() -> None:
    """Add columns, for orders that await nothing and promises whose goods are all in their store; and two tables."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    added: dict[str, list[sa.Column[Any]]] = {
        "omniorder_promise": [_list("legs")],
        "omniorder_pickup": [
            _list("awaited"),
            _list("holds"),
            sa.Column("question", JSON_DATA, nullable=True),
            sa.Column("trouble", sa.Text(), nullable=False, server_default=""),
        ],
        "omniorder_pickup_line": [sa.Column("short", WHOLE, nullable=False, server_default="0")],
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column, schema=schema)
    op.create_table(
        "omniorder_transfer",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("destination", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=True),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("expected_at", INSTANT, nullable=False),
        sa.Column("shipped_at", INSTANT, nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_transfer_pkey"),
        sa.CheckConstraint("version > 0", name="omniorder_transfer_version"),
        sa.CheckConstraint("store_id <> destination", name="omniorder_transfer_way"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index(
        "omniorder_transfer_by_source",
        "omniorder_transfer",
        ["store_id", "state", "expected_at", "id"],
        schema=schema,
    )
    op.create_index(
        "omniorder_transfer_by_destination",
        "omniorder_transfer",
        ["destination", "state", "expected_at", "id"],
        schema=schema,
    )
    parent = "omniorder_transfer" if schema is None else f"{schema}.omniorder_transfer"
    op.create_table(
        "omniorder_transfer_line",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("transfer_id", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("picked", WHOLE, nullable=False),
        sa.Column("received", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "transfer_id", "sku", name="omniorder_transfer_line_pkey"),
        sa.ForeignKeyConstraint(
            ["store_id", "transfer_id"],
            [f"{parent}.store_id", f"{parent}.id"],
            name="omniorder_transfer_line_omniorder_transfer_fkey",
        ),
        sa.CheckConstraint("quantity > 0", name="omniorder_transfer_line_quantity"),
        sa.CheckConstraint("picked >= 0 AND picked <= quantity", name="omniorder_transfer_line_picked"),
        sa.CheckConstraint("received >= 0 AND received <= picked", name="omniorder_transfer_line_received"),
        schema=schema,
        sqlite_strict=True,
    )
