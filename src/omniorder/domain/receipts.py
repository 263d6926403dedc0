"""Receipts: what left the store, what it cost, and the tax in it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from attrs import frozen

from omniorder.domain.events import Units
from omniorder.domain.money import Money, tax_contained
from omniorder.domain.orders import Order
from omniorder.domain.promises import TaxPart


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
    rates: dict[Decimal, Money] = {}
    for part in units:
        bought, collected = order.line(part.line), order.pickup.line(part.line).collected
        total = bought.value(collected) - bought.value(collected - part.quantity)
        lines.append(ReceiptLine(bought.id, bought.sku, bought.name, part.quantity, total))
        rates[bought.tax] = rates.get(bought.tax, Money(0, total.currency)) + total
    taxes = tuple(TaxPart(rate, rates[rate], tax_contained(rates[rate], rate)) for rate in sorted(rates))
    total = Money(sum(line.total.amount for line in lines), order.total.currency)
    return Receipt(order, tuple(lines), total, taxes, at, by)
