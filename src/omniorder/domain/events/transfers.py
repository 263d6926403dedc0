"""What happens to goods that one store sends to another."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from omniorder.domain.events.root import Event


@frozen
class TransferRequested(Event):
    """`source` is asked to send these units per SKU to `destination`, where they are expected at this instant.

    They are for `order`, or (None) for the shelf.
    """

    source: str
    destination: str
    units: tuple[tuple[str, int], ...]
    expected_at: datetime
    order: str | None = None


@frozen
class TransferPicked(Event):
    """These units per SKU were taken off the source's shelf: all that there will be."""

    units: tuple[tuple[str, int], ...]


@frozen
class TransferShipped(Event):
    """What was picked has left the source; it is expected at this instant. `reference` is the carrier's, if any."""

    expected_at: datetime
    reference: str = ""


@frozen
class TransferDelayed(Event):
    """The goods are expected at another instant than before."""

    expected_at: datetime
    reason: str


@frozen
class TransferReceived(Event):
    """Everything that was requested has come."""

    units: tuple[tuple[str, int], ...]


@frozen
class TransferShort(Event):
    """Only these units per SKU came, for this reason; nothing more will."""

    units: tuple[tuple[str, int], ...]
    reason: str


@frozen
class TransferCancelled(Event):
    """Nothing is sent: the units are free again at the source."""

    reason: str
