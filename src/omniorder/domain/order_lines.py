"""Order lines: what was bought, at the price at which it was bought."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from omniorder.domain.consents import REFUSED, Consent, at_most
from omniorder.domain.handling import USUAL, Handling
from omniorder.domain.money import Money, extend
from omniorder.domain.quantities import EXACT, Unit
from omniorder.domain.text import Metadata


@frozen
class OrderLine:
    """A line as it was bought: name and price are frozen; `price` is for `per` units.

    `tolerance` is by how much the weight that is handed over may differ from `quantity`, as a share. What it weighs
    in the end is told beside it, in the pick-up's line. `instead_of` is the line of which this one is the substitute.
    `consent` is what may be given instead; what that is for a substitute, the line that was ordered says.
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
    consent: Consent = REFUSED

    def value(self, units: int) -> Money:
        """What the first `units` units cost; rounded once, so parts always sum to `total`."""
        return self.total if units == self.quantity else extend(self.price, units, self.per)

    @property
    def cap(self) -> Money:
        """The most that may be given instead of it may cost, for `per` units."""
        return self.consent.limit(self.price)

    def at_most(self, units: int) -> Money:
        """The most that `units` units may cost, or what is given instead of them."""
        return at_most(self.price, self.consent.raised(self.price), units, self.per)
