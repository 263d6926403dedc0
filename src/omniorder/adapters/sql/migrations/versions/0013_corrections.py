"""What an order costs more or less than its goods: fees, refunds and goodwill."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"

JSON = JSONB().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add a column; nothing was corrected before."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    op.add_column("omniorder_order", sa.Column("corrections", JSON, nullable=False, server_default="[]"), schema=schema)
