"""Handoffs, claims, and carts that were merged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
JSON_DATA = JSONB().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add a column to carts, and two tables."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    op.add_column("omniorder_cart", sa.Column("merged_into", KEY, nullable=True), schema=schema)
    op.create_table(
        "omniorder_customer",
        sa.Column("owner", KEY, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="omniorder_customer_pkey"),
        sa.CheckConstraint("version > 0", name="omniorder_customer_version"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_handoff",
        sa.Column("id", KEY, nullable=False),
        sa.Column("cart_id", KEY, nullable=False),
        sa.Column("scopes", JSON_DATA, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("offered_by", KEY, nullable=False),
        sa.Column("offered_on", KEY, nullable=False),
        sa.Column("offered_at", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("key_id", KEY, nullable=False),
        sa.Column("promise_id", KEY, nullable=True),
        sa.Column("accepted_by", KEY, nullable=True),
        sa.Column("accepted_on", KEY, nullable=True),
        sa.Column("accepted_at", INSTANT, nullable=True),
        sa.Column("granted_until", INSTANT, nullable=True),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="omniorder_handoff_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_handoff_by_cart", "omniorder_handoff", ["cart_id", "id"], schema=schema)
    op.create_index("omniorder_handoff_by_end", "omniorder_handoff", ["ends_at"], schema=schema)
