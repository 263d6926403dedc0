"""Payments in the order in which they were created, to be compared with what their provider has on file."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add an index."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    op.create_index("omniorder_payment_by_kind", "omniorder_payment", ["kind", "created_at", "id"], schema=schema)
