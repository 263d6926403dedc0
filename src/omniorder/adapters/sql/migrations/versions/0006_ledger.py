"""Units in quarantine, and deliveries that are expected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add a number to levels and movements, which is 0 for those that are there, and a table."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    if op.get_context().dialect.name == "sqlite":  # which takes a rule for a new column only together with the column
        op.execute(
            "ALTER TABLE omniorder_stock ADD COLUMN quarantined INTEGER DEFAULT 0 NOT NULL "
            "CONSTRAINT omniorder_stock_quarantined CHECK (quarantined >= 0)"
        )
    else:
        op.add_column("omniorder_stock", _quarantined(), schema=schema)
        rule = op.f("omniorder_stock_quarantined")
        op.create_check_constraint(rule, "omniorder_stock", "quarantined >= 0", schema=schema)
    op.add_column("omniorder_movement", _quarantined(), schema=schema)
    op.create_table(
        "omniorder_expected",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("reference", KEY, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("expected_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "sku", "reference", name="omniorder_expected_pkey"),
        sa.CheckConstraint("quantity >= 0", name=op.f("omniorder_expected_quantity")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_expected_by_sku", "omniorder_expected", ["sku"], schema=schema)


def _quarantined() -> sa.Column[int]:
    return sa.Column("quarantined", WHOLE, nullable=False, server_default=sa.text("0"))
