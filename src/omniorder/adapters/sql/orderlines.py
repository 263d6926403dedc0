"""Order lines: what was bought, written once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from omniorder import wire
from omniorder.adapters.sql.columns import exactly, share
from omniorder.adapters.sql.documents import labels
from omniorder.adapters.sql.rows import Values
from omniorder.domain.consents import REFUSED, Consent
from omniorder.domain.handling import USUAL, Handling
from omniorder.domain.money import Money
from omniorder.domain.order_lines import OrderLine
from omniorder.domain.orders import Order
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
            "handling": None if line.handling == USUAL else wire.dump(line.handling),
            "instead_of": line.instead_of,
            "consent": None if line.consent == REFUSED else wire.dump(line.consent),
            "added": int(place >= len(order.lines)),
        }
        for place, line in enumerate(order.every_line)
    ]


def note_rows(order: Order) -> list[Values]:
    """The notes on an order's lines: its own copies, so that the cart's may change."""
    return [
        {"owner": order.owner, "subject": order.id, "line_id": line.id, "text": line.note}
        for line in order.every_line
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
        handling=USUAL if found["handling"] is None else wire.load(Handling, found["handling"]),
        instead_of=found["instead_of"],
        consent=REFUSED if found["consent"] is None else wire.load(Consent, found["consent"]),
    )
