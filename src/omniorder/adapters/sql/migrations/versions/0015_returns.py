"""What customers bring back, and since when they had it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; nothing was returned before, and when it was collected only the journal knows."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    for column in (
        sa.Column("returned", WHOLE, nullable=False, server_default="0"),
        sa.Column("collected_at", INSTANT, nullable=True),
    ):
        op.add_column("omniorder_pickup_line", column, schema=schema)
