"""Lines that come to an order after it was placed, and how articles are to be handled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = JSONB().with_variant(sa.Text(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns; no line came later before, and nothing needed special care."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    columns = {
        "omniorder_article": (
            sa.Column("temperature", KEY, nullable=False, server_default="ambient"),
            sa.Column("perishable", WHOLE, nullable=False, server_default="0"),
            sa.Column("brand", sa.Text(), nullable=False, server_default=""),
            sa.Column("allergens", JSON, nullable=False, server_default="[]"),
        ),
        "omniorder_order_line": (
            sa.Column("handling", JSON, nullable=True),
            sa.Column("instead_of", KEY, nullable=False, server_default=""),
            sa.Column("added", WHOLE, nullable=False, server_default="0"),
        ),
        "omniorder_pickup_line": (
            sa.Column("replaced", WHOLE, nullable=False, server_default="0"),
            sa.Column("instead_of", KEY, nullable=False, server_default=""),
        ),
    }
    for table, added in columns.items():
        for column in added:
            op.add_column(table, column, schema=schema)
