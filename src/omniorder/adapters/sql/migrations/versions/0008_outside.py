"""Reservations of stock that is in a retailer's own system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a column to reservations: those that there are hold units of our own levels."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    outside = sa.Column("outside", WHOLE, nullable=False, server_default="0")
    op.add_column("omniorder_reservation", outside, schema=schema)
