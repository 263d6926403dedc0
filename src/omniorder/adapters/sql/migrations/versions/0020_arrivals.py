"""Who collects and who has arrived, and a store's journal in the order of time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
COMING = sa.text("expected_at IS NOT NULL OR arrived_at IS NOT NULL")


def upgrade() -> None:
    """Add columns and indexes; nobody said before that they come."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    for column in (
        sa.Column("proxy", KEY, nullable=False, server_default=""),
        sa.Column("expected_at", INSTANT, nullable=True),
        sa.Column("arrived_at", INSTANT, nullable=True),
        sa.Column("bay", sa.Text(), nullable=False, server_default=""),
        sa.Column("attended_by", KEY, nullable=False, server_default=""),
    ):
        op.add_column("omniorder_pickup", column, schema=schema)
    op.create_index(
        "omniorder_pickup_by_arrival",
        "omniorder_pickup",
        ["store_id"],
        schema=schema,
        postgresql_where=COMING,
        sqlite_where=COMING,
    )
    op.create_index("omniorder_event_by_time", "omniorder_event", ["home", "at", "stream", "seq"], schema=schema)
