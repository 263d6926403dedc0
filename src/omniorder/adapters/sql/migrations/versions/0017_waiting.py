"""Goods that wait: when their customer is reminded, who asked for more time, and when what is perishable spoils."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"

JSON = JSONB().with_variant(sa.Text(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; of what waits already nobody is reminded, and nothing of it spoils."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    columns = (
        sa.Column("reminders", JSON, nullable=False, server_default="[]"),
        sa.Column("reminded", WHOLE, nullable=False, server_default="0"),
        sa.Column("extended", WHOLE, nullable=False, server_default="0"),
        sa.Column("spoils_at", INSTANT, nullable=True),
    )
    for column in columns:
        op.add_column("omniorder_pickup", column, schema=schema)
