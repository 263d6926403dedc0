"""Who picks which order, and where articles stand and what their barcodes are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = JSONB().with_variant(sa.Text(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; nobody had claimed anything before, and no aisle or barcode was known."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    columns: dict[str, tuple[sa.Column[Any], ...]] = {
        "omniorder_pickup": (
            sa.Column("pickers", JSON, nullable=False, server_default="[]"),
            sa.Column("wave", KEY, nullable=False, server_default=""),
            sa.Column("tote", WHOLE, nullable=False, server_default="0"),
        ),
        "omniorder_article": (
            sa.Column("aisle", sa.Text(), nullable=False, server_default=""),
            sa.Column("gtins", JSON, nullable=False, server_default="[]"),
            sa.Column("scale_item", KEY, nullable=False, server_default=""),
        ),
        "omniorder_store": (sa.Column("walk", sa.Text(), nullable=False, server_default="[]"),),
    }
    for table, added in columns.items():
        for column in added:
            op.add_column(table, column, schema=schema)
