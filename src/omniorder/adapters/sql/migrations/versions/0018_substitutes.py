"""What customers allow to be given instead, and what stores propose to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"

JSON = JSONB().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add columns; nobody allowed a substitute before, and none was proposed."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    for table in ("omniorder_cart_line", "omniorder_order_line"):
        op.add_column(table, sa.Column("consent", JSON, nullable=True), schema=schema)
    proposals = sa.Column("proposals", JSON, nullable=False, server_default="[]")
    op.add_column("omniorder_pickup", proposals, schema=schema)
