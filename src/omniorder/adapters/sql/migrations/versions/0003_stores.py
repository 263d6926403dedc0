"""What stores can do and when they are closed, how customers collect, and how many order lines are taken in a slot."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns, with what held for every store, article and slot until now."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    added: list[sa.Column[Any]] = [
        sa.Column("services", sa.Text(), nullable=False, server_default="pickup"),
        sa.Column("transit", WHOLE, nullable=False, server_default="86400"),
        sa.Column("cutoff", sa.Text(), nullable=True),
        sa.Column("slot_lines", WHOLE, nullable=True),
        sa.Column("closed", sa.Text(), nullable=False, server_default="[]"),
    ]
    for column in added:
        op.add_column("omniorder_store", column, schema=schema)
    needs: sa.Column[str] = sa.Column("needs", sa.Text(), nullable=False, server_default="")
    op.add_column("omniorder_article", needs, schema=schema)
    for table in ("omniorder_promise", "omniorder_pickup"):
        collect: sa.Column[str] = sa.Column("collect", KEY, nullable=False, server_default="pickup")
        op.add_column(table, collect, schema=schema)
    if op.get_context().dialect.name == "sqlite":  # it adds a rule to a column, but not to a table
        op.execute(
            "ALTER TABLE omniorder_slot ADD COLUMN lines INTEGER DEFAULT '0' NOT NULL "
            "CONSTRAINT omniorder_slot_lines CHECK (lines >= 0)"
        )
    else:
        lines: sa.Column[int] = sa.Column("lines", WHOLE, nullable=False, server_default="0")
        op.add_column("omniorder_slot", lines, schema=schema)
        op.create_check_constraint(op.f("omniorder_slot_lines"), "omniorder_slot", "lines >= 0", schema=schema)
    op.execute(_count_lines(schema, op.get_context().dialect.name))


def _count_lines(schema: str | None, dialect: str) -> sa.Update:
    """The lines of whatever has a place in a slot: held promises, and pick-ups that are not called off."""
    slot = _table("omniorder_slot", schema, "store_id", "slot", "lines")
    promise = _table("omniorder_promise", schema, "store_id", "slot", "state")
    pickup = _table("omniorder_pickup", schema, "store_id", "id", "slot", "state")
    line = _table("omniorder_pickup_line", schema, "store_id", "pickup_id")
    quoted = "json_array_length(quote, '$.lines')" if dialect == "sqlite" else "jsonb_array_length(quote -> 'lines')"
    in_quote: sa.ColumnElement[int] = sa.literal_column(quoted, sa.Integer())
    one: sa.ColumnElement[int] = sa.literal_column("1", sa.Integer())
    held = sa.select(promise.c.store_id, promise.c.slot, in_quote.label("lines")).where(promise.c.state == "held")
    at_work = (
        sa.select(pickup.c.store_id, pickup.c.slot, one.label("lines"))
        .join(line, sa.and_(line.c.store_id == pickup.c.store_id, line.c.pickup_id == pickup.c.id))
        .where(pickup.c.state.not_in(["cancelled", "lapsed"]))
    )
    each = sa.union_all(held, at_work).subquery("each_place")
    taken = (
        sa.select(each.c.store_id, each.c.slot, sa.func.sum(each.c.lines).label("lines"))
        .group_by(each.c.store_id, each.c.slot)
        .subquery("taken")
    )
    return (
        sa.update(slot)
        .values(lines=taken.c.lines)
        .where(slot.c.store_id == taken.c.store_id, slot.c.slot == taken.c.slot)
    )


def _table(name: str, schema: str | None, *columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns), schema=schema)
