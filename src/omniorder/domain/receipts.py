"""Receipts: what left the store, what it cost, and the tax in it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from attrs import frozen

from omniorder.domain.events import Units
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.promises import TaxPart, tax_parts


@frozen
class ReceiptLine:
    """Units of one line that were handed over, and what they cost."""

    line: str
    sku: str
    name: str
    quantity: int
    total: Money


@frozen
class Receipt:
    """One hand-over. `order` is the order as it is now, `total` the value of what left, `by` who handed it over."""

    order: Order
    lines: tuple[ReceiptLine, ...]
    total: Money
    taxes: tuple[TaxPart, ...]
    at: datetime
    by: str


def receipt(order: Order, units: tuple[Units, ...], at: datetime, by: str) -> Receipt:
    """The receipt for `units`, the last that were collected of `order`."""
    lines: list[ReceiptLine] = []
    values: list[tuple[Decimal, Money]] = []
    for part in units:
        bought, collected = order.line(part.line), order.pickup.line(part.line).collected
        total = bought.value(collected) - bought.value(collected - part.quantity)
        lines.append(ReceiptLine(bought.id, bought.sku, bought.name, part.quantity, total))
        values.append((bought.tax, total))
    total = Money(sum(line.total.amount for line in lines), order.total.currency)
    return Receipt(order, tuple(lines), total, tax_parts(values), at, by)
