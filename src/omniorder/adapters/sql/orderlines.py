"""Order lines: what was bought, written once; and what the customer wrote, for whoever picks or hands over."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

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


PROXY: Final = "proxy"
VEHICLE: Final = "vehicle"
"""What stands in place of a line's id (`ln_...`) for the name of whoever collects, and for what they come in."""


def note_rows(order: Order) -> list[Values]:
    """The notes on an order's lines (its own copies, so that the cart's may change), and what else is personal."""
    pickup = order.pickup
    notes = {line.id: line.note for line in order.every_line}
    notes[PROXY] = pickup.proxy.name if pickup.proxy else ""
    notes[VEHICLE] = pickup.arrival.vehicle if pickup.arrival else ""
    return [
        {"owner": order.owner, "subject": order.id, "line_id": about, "text": text}
        for about, text in notes.items()
        if text
    ]


def notes_from(found: list[dict[str, Any]] | None) -> dict[str, str]:
    """The texts of these rows, by what they are about; none are null on PostgreSQL."""
    return {row["line_id"]: row["text"] for row in found or ()}


def line_from(found: dict[str, Any], currency: str, notes: Mapping[str, str]) -> OrderLine:
    """The order line of a document, with its note."""
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
        note=notes.get(found["id"], ""),
        metadata=labels(found["metadata"]),
        tolerance=exactly(found["tolerance"]),
        handling=USUAL if found["handling"] is None else wire.load(Handling, found["handling"]),
        instead_of=found["instead_of"],
        consent=REFUSED if found["consent"] is None else wire.load(Consent, found["consent"]),
    )
