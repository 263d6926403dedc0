"""Gift cards and store credit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
JSON = JSONB().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add tables."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    op.create_table(
        "omniorder_account",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("balance", WHOLE, nullable=False),
        sa.Column("held", WHOLE, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("owner", KEY, nullable=True),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("ending", KEY, nullable=False),
        sa.Column("seed", KEY, nullable=False),
        sa.Column("key_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="omniorder_account_pkey"),
        sa.CheckConstraint("held >= 0 AND held <= balance", name="omniorder_account_held"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_hold",
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("payment_id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("captured", WHOLE, nullable=False),
        sa.Column("refunded", WHOLE, nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("steps", JSON, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "payment_id", name="omniorder_hold_pkey"),
        sa.CheckConstraint("version > 0", name="omniorder_hold_version"),
        sa.CheckConstraint("captured >= 0 AND captured <= amount", name="omniorder_hold_captured"),
        sa.CheckConstraint("refunded >= 0 AND refunded <= captured", name="omniorder_hold_refunded"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_hold_by_payment", "omniorder_hold", ["payment_id"], schema=schema)
    op.create_index(
        "omniorder_hold_by_time", "omniorder_hold", ["placed_at", "account_id", "payment_id"], schema=schema
    )
    op.create_table(
        "omniorder_posting",
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("debit", KEY, nullable=False),
        sa.Column("credit", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("actor", KEY, nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="omniorder_posting_pkey"),
        sa.CheckConstraint("amount > 0", name="omniorder_posting_amount"),
        sa.CheckConstraint("debit <> credit AND account_id IN (debit, credit)", name="omniorder_posting_sides"),
        schema=schema,
        sqlite_strict=True,
    )
