"""Units that a store without a network gave away, and that are not paid yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"

JSON = JSONB().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add a column; until now nothing left without a network."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    added = sa.Column("left_offline", JSON, nullable=False, server_default="[]")
    op.add_column("omniorder_pickup", added, schema=schema)
