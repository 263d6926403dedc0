"""Payments in depth: what is taken at once, what lapses when, and by what the counter took it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; what was taken at the counter before was taken by means that only the journal knows."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    for column in (
        sa.Column("disputed", WHOLE, nullable=False, server_default=sa.text("0")),
        sa.Column("method", sa.Text(), nullable=False, server_default=""),
        sa.Column("now", WHOLE, nullable=False, server_default="0"),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("replaces", KEY, nullable=False, server_default=""),
        sa.Column("means", sa.Text(), nullable=False, server_default=""),
    ):
        op.add_column("omniorder_payment", column, schema=schema)
