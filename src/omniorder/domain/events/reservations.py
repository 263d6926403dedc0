"""What happens to reservations: the ledger's own; not journalled, the movements and reservation rows are the record."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from omniorder.domain.events.root import Event


@frozen
class ReservationExtended(Event):
    """The units stay held until this later instant."""

    until: datetime


@frozen
class Firmed(Event):
    """The order is funded: the time limit is gone, and the units are the customer's until collected or given back."""


@frozen
class ReservationReleased(Event):
    """All units that were held went back to other customers: replaced, given back or called off."""


@frozen
class ReservationExpired(Event):
    """The time limit passed, and all units that were held went back to other customers."""


@frozen
class UnitsConsumed(Event):
    """These units, as pairs of SKU and quantity, left the store with the customer."""

    units: tuple[tuple[str, int], ...]


@frozen
class UnitsReleased(Event):
    """These units of a firm reservation, as pairs of SKU and quantity, went back to other customers."""

    units: tuple[tuple[str, int], ...]


@frozen
class LastUnitsResolved(Event):
    """No unit is held any more: each was consumed or released."""
