"""Where ready goods wait: a store's bins, which orders lie in them, and how many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = JSONB().with_variant(sa.Text(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """No store had declared any: what lies somewhere lies there as free text."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    bins = sa.Column("bins", sa.Text(), nullable=False, server_default="[]")
    op.add_column("omniorder_store", bins, schema=schema)
    op.add_column("omniorder_pickup", sa.Column("bins", JSON, nullable=False, server_default="[]"), schema=schema)
    op.create_table(
        "omniorder_bin",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("orders", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "code", name="omniorder_bin_pkey"),
        sa.CheckConstraint("orders >= 0", name=op.f("omniorder_bin_orders")),
        schema=schema,
        sqlite_strict=True,
    )
