"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

# What a column holds, as PostgreSQL and as SQLite's STRICT tables keep it.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.Double[float] = sa.Double[float]().with_variant(sa.REAL(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
JSON_DATA = JSONB().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make everything."""
    schema: str | None = op.get_context().opts["omniorder_schema"]
    parent = "" if schema is None else f"{schema}."
    op.create_table(
        "omniorder_answer",
        sa.Column("home", KEY, nullable=False),
        sa.Column("scope", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("request", KEY, nullable=False),
        sa.Column("result", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("home", "scope", "key", name="omniorder_answer_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_answer_by_age", "omniorder_answer", ["at"], schema=schema)
    op.create_table(
        "omniorder_article",
        sa.Column("sku", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", KEY, nullable=False),
        sa.Column("metadata", JSON_DATA, nullable=False),
        sa.PrimaryKeyConstraint("sku", name="omniorder_article_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_cart",
        sa.Column("id", KEY, nullable=False),
        sa.Column("owner", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("lines_version", WHOLE, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("metadata", JSON_DATA, nullable=False),
        sa.Column("promise_id", KEY, nullable=True),
        sa.Column("order_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name="omniorder_cart_pkey"),
        sa.CheckConstraint("version >= 0", name=op.f("omniorder_cart_version")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_cart_by_owner", "omniorder_cart", ["owner", "state", "changed_at", "id"], schema=schema)
    op.create_table(
        "omniorder_code_tries",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("tries", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "order_id", "generation", name="omniorder_code_tries_pkey"),
        sa.CheckConstraint("tries > 0", name=op.f("omniorder_code_tries_tries")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_consumer",
        sa.Column("name", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name="omniorder_consumer_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_customer_order",
        sa.Column("owner", KEY, nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("store_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("owner", "placed_at", "order_id", name="omniorder_customer_order_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_delivery",
        sa.Column("consumer", KEY, nullable=False),
        sa.Column("home", KEY, nullable=False),
        sa.Column("stream", KEY, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("position", WHOLE, sa.Identity(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "home", "stream", "seq", name="omniorder_delivery_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_delivery_by_position", "omniorder_delivery", ["consumer", "position"], schema=schema)
    op.create_table(
        "omniorder_event",
        sa.Column("home", KEY, nullable=False),
        sa.Column("stream", KEY, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("actor", KEY, nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("payload", JSON_DATA, nullable=False),
        sa.PrimaryKeyConstraint("home", "stream", "seq", name="omniorder_event_pkey"),
        sa.CheckConstraint("seq > 0", name=op.f("omniorder_event_seq")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_movement",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("actor", KEY, nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_movement_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_movement_by_level", "omniorder_movement", ["store_id", "sku", "id"], schema=schema)
    op.create_table(
        "omniorder_note",
        sa.Column("owner", KEY, nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "subject", "line_id", name="omniorder_note_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_order",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("owner", KEY, nullable=False),
        sa.Column("cart_id", KEY, nullable=False),
        sa.Column("promise_id", KEY, nullable=False),
        sa.Column("reservation_id", KEY, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("ceiling", WHOLE, nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("pay_by", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("hold_until", INSTANT, nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("metadata", JSON_DATA, nullable=False),
        sa.Column("pickup_store", KEY, nullable=False),
        sa.Column("pickup_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_order_pkey"),
        sa.CheckConstraint("total >= 0 AND ceiling >= total", name=op.f("omniorder_order_amounts")),
        sa.CheckConstraint("version >= 0", name=op.f("omniorder_order_version")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_pickup",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("home", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("slot", KEY, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("staged_at", sa.Text(), nullable=False),
        sa.Column("ready_at", INSTANT, nullable=True),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("claim", JSON_DATA, nullable=False),
        sa.Column("look_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_pickup_pkey"),
        sa.CheckConstraint("generation > 0", name=op.f("omniorder_pickup_generation")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("omniorder_pickup_window")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index(
        "omniorder_pickup_by_start",
        "omniorder_pickup",
        ["store_id", "state", "starts_at", "order_id"],
        schema=schema,
    )
    op.create_table(
        "omniorder_price",
        sa.Column("sku", KEY, nullable=False),
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT, nullable=True),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("tax", sa.Text(), nullable=False),
        sa.Column("per", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("sku", "store_id", "channel", "valid_from", name="omniorder_price_pkey"),
        sa.CheckConstraint("amount >= 0", name=op.f("omniorder_price_amount")),
        sa.CheckConstraint("per > 0", name=op.f("omniorder_price_per")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_promise",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("cart_id", KEY, nullable=False),
        sa.Column("owner", KEY, nullable=False),
        sa.Column("lines_version", WHOLE, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("slot", KEY, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("ceiling", WHOLE, nullable=False),
        sa.Column("quote", JSON_DATA, nullable=False),
        sa.Column("reservation_id", KEY, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("order_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_promise_pkey"),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("omniorder_promise_window")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_promise_by_cart", "omniorder_promise", ["cart_id"], schema=schema)
    op.create_table(
        "omniorder_reservation",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("moved", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_reservation_pkey"),
        sa.CheckConstraint("moved >= 0", name=op.f("omniorder_reservation_moved")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_slot",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("slot", KEY, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("booked", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "slot", name="omniorder_slot_pkey"),
        sa.CheckConstraint("booked >= 0", name=op.f("omniorder_slot_booked")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_slot_by_start", "omniorder_slot", ["store_id", "starts_at"], schema=schema)
    op.create_table(
        "omniorder_stock",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("on_hand", WHOLE, nullable=False),
        sa.Column("reserved", WHOLE, nullable=False),
        sa.Column("safety", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "sku", name="omniorder_stock_pkey"),
        sa.CheckConstraint("on_hand >= 0", name=op.f("omniorder_stock_on_hand")),
        sa.CheckConstraint("reserved >= 0", name=op.f("omniorder_stock_reserved")),
        sa.CheckConstraint("safety >= 0", name=op.f("omniorder_stock_safety")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_stock_by_sku", "omniorder_stock", ["sku"], schema=schema)
    op.create_table(
        "omniorder_store",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lat", REAL, nullable=True),
        sa.Column("lon", REAL, nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("lead", WHOLE, nullable=False),
        sa.Column("slot_length", WHOLE, nullable=False),
        sa.Column("slot_capacity", WHOLE, nullable=False),
        sa.Column("pickup_days", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", name="omniorder_store_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_timer",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("claimed_until", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("store_id", "subject", name="omniorder_timer_pkey"),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_timer_by_due", "omniorder_timer", ["due_at", "store_id"], schema=schema)
    op.create_index("omniorder_timer_by_store", "omniorder_timer", ["store_id", "due_at", "subject"], schema=schema)
    op.create_table(
        "omniorder_cart_line",
        sa.Column("cart_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("metadata", JSON_DATA, nullable=False),
        sa.PrimaryKeyConstraint("cart_id", "id", name="omniorder_cart_line_pkey"),
        sa.ForeignKeyConstraint(
            ["cart_id"], [f"{parent}omniorder_cart.id"], name="omniorder_cart_line_omniorder_cart_fkey"
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("omniorder_cart_line_quantity")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_order_line",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", KEY, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("price", WHOLE, nullable=False),
        sa.Column("per", WHOLE, nullable=False),
        sa.Column("tax", sa.Text(), nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("metadata", JSON_DATA, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "order_id", "id", name="omniorder_order_line_pkey"),
        sa.ForeignKeyConstraint(
            ["store_id", "order_id"],
            [f"{parent}omniorder_order.store_id", f"{parent}omniorder_order.id"],
            name="omniorder_order_line_omniorder_order_fkey",
        ),
        sa.CheckConstraint("price >= 0 AND per > 0", name=op.f("omniorder_order_line_price")),
        sa.CheckConstraint("quantity > 0", name=op.f("omniorder_order_line_quantity")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_payment",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("currency", KEY, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("authorised", WHOLE, nullable=False),
        sa.Column("captured", WHOLE, nullable=False),
        sa.Column("refunded", WHOLE, nullable=False),
        sa.Column("refund_pending", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_payment_pkey"),
        sa.ForeignKeyConstraint(
            ["store_id", "order_id"],
            [f"{parent}omniorder_order.store_id", f"{parent}omniorder_order.id"],
            name="omniorder_payment_omniorder_order_fkey",
        ),
        sa.CheckConstraint(
            "amount >= 0 AND authorised >= 0 AND captured >= 0 AND refunded >= 0",
            name=op.f("omniorder_payment_amounts"),
        ),
        sa.CheckConstraint("refund_pending >= 0", name=op.f("omniorder_payment_refund_pending")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_payment_by_order", "omniorder_payment", ["store_id", "order_id"], schema=schema)
    op.create_table(
        "omniorder_pickup_line",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("pickup_id", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("picked", WHOLE, nullable=False),
        sa.Column("collected", WHOLE, nullable=False),
        sa.Column("dropped", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "pickup_id", "line_id", name="omniorder_pickup_line_pkey"),
        sa.ForeignKeyConstraint(
            ["store_id", "pickup_id"],
            [f"{parent}omniorder_pickup.store_id", f"{parent}omniorder_pickup.id"],
            name="omniorder_pickup_line_omniorder_pickup_fkey",
        ),
        sa.CheckConstraint("collected + dropped <= quantity", name=op.f("omniorder_pickup_line_open")),
        sa.CheckConstraint("quantity > 0", name=op.f("omniorder_pickup_line_quantity")),
        sa.CheckConstraint("picked >= 0 AND collected >= 0 AND dropped >= 0", name=op.f("omniorder_pickup_line_units")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_reservation_line",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("reservation_id", KEY, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("consumed", WHOLE, nullable=False),
        sa.Column("released", WHOLE, nullable=False),
        sa.Column("expired", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("store_id", "reservation_id", "sku", name="omniorder_reservation_line_pkey"),
        sa.ForeignKeyConstraint(
            ["store_id", "reservation_id"],
            [f"{parent}omniorder_reservation.store_id", f"{parent}omniorder_reservation.id"],
            name="omniorder_reservation_line_omniorder_reservation_fkey",
        ),
        sa.CheckConstraint("consumed + released + expired <= quantity", name=op.f("omniorder_reservation_line_live")),
        sa.CheckConstraint("quantity > 0", name=op.f("omniorder_reservation_line_quantity")),
        sa.CheckConstraint(
            "consumed >= 0 AND released >= 0 AND expired >= 0",
            name=op.f("omniorder_reservation_line_resolved"),
        ),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_table(
        "omniorder_attempt",
        sa.Column("store_id", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", KEY, nullable=False),
        sa.Column("payment_id", KEY, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("operation", KEY, nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("look_at", INSTANT, nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name="omniorder_attempt_pkey"),
        sa.ForeignKeyConstraint(
            ["store_id", "payment_id"],
            [f"{parent}omniorder_payment.store_id", f"{parent}omniorder_payment.id"],
            name="omniorder_attempt_omniorder_payment_fkey",
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("omniorder_attempt_amount")),
        schema=schema,
        sqlite_strict=True,
    )
    op.create_index("omniorder_attempt_by_order", "omniorder_attempt", ["store_id", "order_id"], schema=schema)
