"""What stores can do, and how long their goods travel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns, with what every store did until now: hand over orders, and send nothing anywhere."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    added: list[sa.Column[str] | sa.Column[int]] = [
        sa.Column("services", sa.Text(), nullable=False, server_default="pickup"),
        sa.Column("transit", WHOLE, nullable=False, server_default="86400"),
    ]
    for column in added:
        op.add_column("omniorder_store", column, schema=schema)
