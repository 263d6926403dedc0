"""Webhooks that were received, each once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add a table."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    op.create_table(
        "omniorder_webhook",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("gateway", KEY, nullable=False),
        sa.Column("event", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("payment_id", KEY, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("tries", WHOLE, nullable=False),
        sa.Column("disputed", WHOLE, nullable=True),
        sa.Column("currency", KEY, nullable=True),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_webhook_pkey"),
        sa.CheckConstraint("tries >= 0", name="omniorder_webhook_tries"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_webhook_by_age", "omniorder_webhook", ["received_at"], schema=schema)
