"""Order lines: what was bought, written once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from omniorder.adapters.sql.columns import exactly, share
from omniorder.adapters.sql.documents import labels
from omniorder.adapters.sql.rows import Values
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, OrderLine
from omniorder.domain.quantities import Unit


def line_rows(order: Order) -> list[Values]:
    """The rows of an order's lines, without their notes."""
    return [
        {
            "store_id": order.store,
            "order_id": order.id,
            "id": line.id,
            "position": place,
            "sku": line.sku,
            "name": line.name,
            "unit": line.unit.value,
            "quantity": line.quantity,
            "price": line.price.amount,
            "per": line.per,
            "tax": f"{line.tax:f}",
            "total": line.total.amount,
            "metadata": dict(line.metadata),
            "tolerance": share(line.tolerance),
        }
        for place, line in enumerate(order.lines)
    ]


def note_rows(order: Order) -> list[Values]:
    """The notes on an order's lines: its own copies, so that the cart's may change."""
    return [
        {"owner": order.owner, "subject": order.id, "line_id": line.id, "text": line.note}
        for line in order.lines
        if line.note
    ]


def line_from(found: dict[str, Any], currency: str) -> OrderLine:
    """The order line of a document."""
    return OrderLine(
        id=found["id"],
        sku=found["sku"],
        name=found["name"],
        unit=Unit(found["unit"]),
        quantity=found["quantity"],
        price=Money(found["price"], currency),
        per=found["per"],
        tax=Decimal(found["tax"]),
        total=Money(found["total"], currency),
        note=found["note"] or "",
        metadata=labels(found["metadata"]),
        tolerance=exactly(found["tolerance"]),
    )
