"""The lines of a pick-up: how the units of one order line go, step by step, each step refused where it can't be.

Each function is one step of one line; `pickups.apply` says which event takes which.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from attrs import Factory, evolve, frozen

from omniorder.domain.quantities import EXACT, weight_bounds
from omniorder.errors import InvalidQuantity, WeightOutOfTolerance


def _as_quantity(line: PickupLine) -> int:
    return line.quantity


@frozen
class PickupLine:
    """How the units of one order line went: `dropped` are cancelled or lapsed.

    `quantity` less `dropped` is what the customer gets. `quantity` is what was `ordered`, until a weighed line is made
    ready: from then on the actual weight of what was not dropped takes its place. `tolerance` is by how much that may
    differ, as a share. `short` are open units that the store can't give as things stand: it is to be decided what
    becomes of them. `proposed` are open units for which the customer is asked to take a substitute: nobody picks them
    meanwhile. `replaced` are those of the dropped ones for which one came, in a line of its own that is `instead_of`
    this one. `returned` are those of the collected ones that the customer brought back; the last of
    those that left the store did so at `collected_at`, also if it isn't counted as collected until it is paid.
    """

    line: str
    quantity: int
    picked: int = 0
    collected: int = 0
    dropped: int = 0
    short: int = 0
    tolerance: Decimal = EXACT
    ordered: int = Factory(_as_quantity, takes_self=True)
    replaced: int = 0
    instead_of: str = ""
    returned: int = 0
    collected_at: datetime | None = None
    proposed: int = 0

    @property
    def open(self) -> int:
        """Units that the customer still expects."""
        return self.quantity - self.collected - self.dropped

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the most that may be handed over, all in all, of what was ordered and not called off."""
        return weight_bounds(max(0, self.ordered - self.dropped), self.tolerance)

    @property
    def wanted(self) -> int:
        """Units of what was ordered that were not called off, that the store can give, and for which nothing else is
        proposed."""
        return max(0, self.ordered - self.dropped - self.short - self.proposed)

    @property
    def missing(self) -> int:
        """The most units of which the store may say now that it hasn't got them."""
        return max(0, self.open - (self.picked - self.collected) - self.short - self.proposed)

    @property
    def to_pick(self) -> tuple[int, int]:
        """The least and the most that is still to be picked, without what the store can't give."""
        least, most = weight_bounds(self.wanted, self.tolerance)
        return max(0, least - self.picked), max(0, most - self.picked)

    @property
    def enough(self) -> bool:
        """Whether it may be made ready: at least what was agreed on is picked, and nothing is left to be decided."""
        return self.picked >= self.bounds[0] and not self.short and not self.proposed

    @property
    def most(self) -> int:
        """The most that the customer may get of it: what it may weigh, and never less than what it does weigh."""
        return max(self.bounds[1], self.quantity - self.dropped)

    @property
    def held(self) -> int:
        """Units that are kept on the shelf for this line: while any is open, the most that it may still weigh."""
        return self.most - self.collected if self.open else 0


def picked(line: PickupLine, quantity: int) -> PickupLine:
    """Taken off the shelf, at most what is wanted. Raises `InvalidQuantity`, `WeightOutOfTolerance`."""
    _, most = line.to_pick
    if quantity > most:
        if line.tolerance and line.wanted:
            raise _out_of_tolerance(line, line.picked + quantity)
        raise InvalidQuantity("quantity", quantity, f"{most} are still to be picked")
    return evolve(line, picked=line.picked + quantity)


def put_one_back(line: PickupLine, quantity: int) -> PickupLine:
    """Back on the shelf, of what was picked and not collected. Raises `InvalidQuantity`."""
    most = line.picked - line.collected
    if not 0 < quantity <= most:
        raise InvalidQuantity("quantity", quantity, f"{most} are picked")
    return evolve(line, picked=line.picked - quantity)


def weighed(line: PickupLine, grams: int) -> PickupLine:
    """All of it weighs so many grams. Raises `WeightOutOfTolerance`."""
    least, most = line.bounds
    if not least <= grams <= most:
        raise _out_of_tolerance(line, grams)
    return evolve(line, quantity=grams + line.dropped)


def as_ordered(line: PickupLine) -> PickupLine:
    """What is picked anew may weigh something else."""
    return evolve(line, quantity=line.ordered) if line.tolerance else line


def _out_of_tolerance(line: PickupLine, grams: int) -> WeightOutOfTolerance:
    ordered = line.wanted
    least, most = weight_bounds(ordered, line.tolerance)
    return WeightOutOfTolerance(line=line.line, ordered=ordered, weighed=grams, least=least, most=most)


def collected(line: PickupLine, quantity: int) -> PickupLine:
    """Gone with the customer, of what is open. Raises `InvalidQuantity`."""
    if not 0 < quantity <= line.open:
        raise InvalidQuantity("quantity", quantity, f"{line.open} are still open")
    return evolve(line, collected=line.collected + quantity)


def left_at(line: PickupLine, quantity: int, at: datetime) -> PickupLine:
    """Units of it left the store at this instant, if none left later; what is counted as collected stays."""
    return evolve(line, collected_at=at if line.collected_at is None else max(line.collected_at, at))


def returned(line: PickupLine, quantity: int) -> PickupLine:
    """Brought back, of what the customer has. Raises `InvalidQuantity`."""
    left = line.collected - line.returned
    if not 0 < quantity <= left:
        raise InvalidQuantity("quantity", quantity, f"the customer has {left}")
    return evolve(line, returned=line.returned + quantity)


def short(line: PickupLine, quantity: int) -> PickupLine:
    """Not to be had here, of what is still to be picked. Raises `InvalidQuantity`."""
    return evolve(line, short=line.short + _missing(line, quantity))


def _missing(line: PickupLine, quantity: int) -> int:
    if not 0 < quantity <= line.missing:
        raise InvalidQuantity("quantity", quantity, f"{line.missing} are still to be picked")
    return quantity


def proposed(line: PickupLine, quantity: int) -> PickupLine:
    """The customer is asked to take something else for these. Raises `InvalidQuantity`."""
    return evolve(line, proposed=line.proposed + _missing(line, quantity))


def no_longer_proposed(line: PickupLine, quantity: int) -> PickupLine:
    """They are not asked any more."""
    return evolve(line, proposed=line.proposed - quantity)


def replaced(line: PickupLine, quantity: int) -> PickupLine:
    """Something else came for these. Raises `InvalidQuantity`."""
    count = _missing(line, quantity)
    return evolve(line, dropped=line.dropped + count, replaced=line.replaced + count)


def no_longer_short(line: PickupLine, quantity: int) -> PickupLine:
    """They are to be had after all, or from elsewhere."""
    return evolve(line, short=line.short - min(line.short, quantity))


def dropped(line: PickupLine, quantity: int) -> PickupLine:
    """Called off, lapsed or refused, of what is open and not proposed. Raises `InvalidQuantity`."""
    most = line.open - line.proposed
    if not 0 < quantity <= most:
        raise InvalidQuantity("quantity", quantity, f"{most} are still open")
    return evolve(line, dropped=line.dropped + quantity, short=line.short - min(line.short, quantity))


def refused(line: PickupLine, quantity: int) -> PickupLine:
    """Called off at the counter: what was picked lies on the shelf again, or nowhere any more. Raises as `dropped`."""
    return evolve(dropped(line, quantity), picked=line.picked - quantity)
