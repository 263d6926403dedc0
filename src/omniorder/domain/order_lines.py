"""Order lines: what was bought, at the price at which it was bought."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from omniorder.domain.handling import USUAL, Handling
from omniorder.domain.money import Money, extend
from omniorder.domain.quantities import EXACT, Unit
from omniorder.domain.text import Metadata


@frozen
class OrderLine:
    """A line as it was bought: name and price are frozen; `price` is for `per` units.

    `tolerance` is by how much the weight that is handed over may differ from `quantity`, as a share. What it weighs
    in the end is told beside it, in the pick-up's line. `instead_of` is the line of which this one is the substitute,
    or for which it was given in exchange.
    """

    id: str
    sku: str
    name: str
    unit: Unit
    quantity: int
    price: Money
    per: int
    tax: Decimal
    total: Money
    note: str = field(default="", repr=False)
    metadata: Metadata = field(factory=Metadata)
    tolerance: Decimal = EXACT
    handling: Handling = USUAL
    instead_of: str = ""

    def value(self, units: int) -> Money:
        """What the first `units` units cost; rounded once, so parts always sum to `total`."""
        return self.total if units == self.quantity else extend(self.price, units, self.per)
