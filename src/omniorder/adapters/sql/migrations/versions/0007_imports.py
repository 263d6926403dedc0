"""How far imports have come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add a table."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    op.create_table(
        "omniorder_import",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("line", WHOLE, nullable=False),
        sa.Column("digest", KEY, nullable=False),
        sa.Column("taken", WHOLE, nullable=False),
        sa.Column("refused", WHOLE, nullable=False),
        sa.Column("finished", WHOLE, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="omniorder_import_pkey"),
        sa.CheckConstraint("version > 0", name="omniorder_import_version"),
        sa.CheckConstraint("position >= 0 AND line >= 0 AND taken >= 0 AND refused >= 0", name="omniorder_import_rows"),
        schema=schema,
        sqlite_strict=True,
    )
