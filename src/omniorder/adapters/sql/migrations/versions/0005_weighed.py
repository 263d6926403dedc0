"""Weighed goods: the tolerance of articles and lines, and what was ordered where the weight differs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; what was stored before has no tolerance."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    for name in ("omniorder_article", "omniorder_order_line", "omniorder_pickup_line"):
        op.add_column(name, sa.Column("tolerance", sa.Text(), nullable=True), schema=schema)
    op.add_column("omniorder_pickup_line", sa.Column("ordered", WHOLE, nullable=True), schema=schema)
