"""What happens while somebody comes for an order: who it is, on their way, there, attended to."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from omniorder.domain.events.root import PRIVATE, Event


@frozen
class ProxyNamed(Event):
    """Another person collects: `proxy` is what the name is known by here. A pick-up code shown before is dead."""

    proxy: str
    name: str = field(default="", repr=False, metadata=PRIVATE)


@frozen
class ProxyWithdrawn(Event):
    """The customer collects in person again. A pick-up code shown before is dead."""


@frozen
class CustomerOnTheWay(Event):
    """Whoever collects is expected at this instant."""

    expected_at: datetime


@frozen
class CustomerArrived(Event):
    """Whoever collects is there, in this `bay` where there is one; told again when bay or vehicle changed."""

    bay: str = ""
    vehicle: str = field(default="", repr=False, metadata=PRIVATE)


@frozen
class CustomerAttended(Event):
    """An associate, by the name that the journal has for them, takes care of whoever arrived."""

    by: str


@frozen
class ArrivalWithdrawn(Event):
    """Whoever was on their way does not come now, or left without the goods."""
