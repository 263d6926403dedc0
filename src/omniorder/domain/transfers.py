"""Transfers: goods that one store sends to another, for an order or for the shelf.

The source does the work first, so a transfer is at home there; its reservation keeps the units until they are sent.
Under way they are on no store's books. What arrives is held for the order that waits for it, and what doesn't arrive
is told to that order at once: see `Awaited`, the order's view of a transfer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.lifecycle import TransferState, advance
from omniorder.domain.quantities import Units
from omniorder.errors import InvalidQuantity, NotFound


@frozen
class PromisedLeg:
    """Units per SKU that `store` will send if the promise is accepted: held there already, expected at this instant."""

    transfer: str
    store: str
    units: tuple[tuple[str, int], ...]
    arrives: datetime

    @property
    def reservation(self) -> str:
        """What holds them at their store."""
        return ids.reservation_of(self.transfer)


@frozen
class Awaited:
    """Units of an order that come to its pick-up's store by `transfer`; `expected_at` is in UTC."""

    transfer: str
    store: str
    units: tuple[Units, ...]
    expected_at: datetime

    @property
    def reservation(self) -> str:
        """What holds them at the store that sends them, until it has sent them."""
        return ids.reservation_of(self.transfer)

    def of(self, line: str) -> int:
        """Units of this line in it."""
        return sum(part.quantity for part in self.units if part.line == line)


@frozen
class TransferLine:
    """Units of one SKU: asked for, taken off the shelf, and arrived."""

    sku: str
    quantity: int
    picked: int = 0
    received: int = 0


@frozen
class Transfer:
    """Goods on their way from `source` to `destination`, for `order` or (None) for the shelf. Instants are UTC.

    `version` counts its events.
    """

    id: str
    version: int
    state: TransferState
    source: str
    destination: str
    order: str | None
    lines: tuple[TransferLine, ...]
    requested_at: datetime
    expected_at: datetime
    shipped_at: datetime | None = None
    reference: str = field(default="")

    @property
    def reservation(self) -> str:
        """What holds the units at the source."""
        return ids.reservation_of(self.id)

    @property
    def requested(self) -> dict[str, int]:
        """Units per SKU that were asked for."""
        return {line.sku: line.quantity for line in self.lines}

    @property
    def picked(self) -> dict[str, int]:
        """Units per SKU that were taken off the shelf: what is sent."""
        return {line.sku: line.picked for line in self.lines if line.picked}

    @property
    def received(self) -> dict[str, int]:
        """Units per SKU that arrived."""
        return {line.sku: line.received for line in self.lines if line.received}


OPEN = frozenset({TransferState.REQUESTED, TransferState.PICKED, TransferState.SHIPPED})
"""States in which something is still to come."""

UNSENT = frozenset({TransferState.REQUESTED, TransferState.PICKED})
"""States in which the source still holds what it is to send."""


def due(transfer: Transfer, patience: timedelta) -> datetime | None:
    """When to give up on goods for the shelf that nobody has sent; never (None) on what an order waits for, since that
    is the order's business, nor on what has left."""
    waits = transfer.order is None and transfer.state in UNSENT
    return transfer.expected_at + patience if waits else None


def request(
    transfer_id: str,
    source: str,
    destination: str,
    units: Mapping[str, int],
    *,
    order: str | None,
    at: datetime,
    expected_at: datetime,
) -> tuple[Transfer, e.TransferRequested]:
    """A new transfer, and the event that says so."""
    lines = tuple(TransferLine(sku, units[sku]) for sku in sorted(units))
    state = TransferState.REQUESTED
    blank = Transfer(transfer_id, 0, state, source, destination, order, lines, at, expected_at)
    event = e.TransferRequested(source, destination, tuple(sorted(units.items())), expected_at, order)
    return apply(blank, event, at), event


def apply(transfer: Transfer, event: e.Event, at: datetime) -> Transfer:
    """The transfer after `event`, one version on.

    Raises `IllegalTransition`, `NotFound` for a SKU that was not asked for, `InvalidQuantity` for more than could be.
    """
    after = evolve(transfer, state=advance(transfer.state, event), version=transfer.version + 1)
    match event:
        case e.TransferPicked(units):
            return evolve(after, lines=_counted(transfer, units, "picked"))
        case e.TransferShipped(expected_at, reference):
            return evolve(after, expected_at=expected_at, shipped_at=at, reference=reference)
        case e.TransferDelayed(expected_at):
            return evolve(after, expected_at=expected_at)
        case e.TransferReceived(units) | e.TransferShort(units):
            return evolve(after, lines=_counted(transfer, units, "received"))
        case _:
            return after


def _counted(transfer: Transfer, units: Iterable[tuple[str, int]], column: str) -> tuple[TransferLine, ...]:
    counted = dict(units)
    if unknown := sorted(counted.keys() - transfer.requested.keys()):
        raise NotFound("article", unknown[0])
    lines: list[TransferLine] = []
    for line in transfer.lines:
        count = counted.get(line.sku, 0)
        most = line.quantity if column == "picked" else line.picked
        if not 0 <= count <= most:
            raise InvalidQuantity("quantity", count, f"{line.sku}: must be from 0 to {most}", least=0, most=most)
        lines.append(evolve(line, picked=count) if column == "picked" else evolve(line, received=count))
    return tuple(lines)


def arrived(transfer: Transfer, units: Mapping[str, int], reason: str) -> e.Event:
    """What to say when these units came: everything that was asked for, or less, for this reason."""
    came = tuple(sorted((sku, count) for sku, count in units.items() if count))
    return e.TransferReceived(came) if dict(came) == transfer.requested else e.TransferShort(came, reason)


def assigned(
    wanted: Iterable[Units], skus: Mapping[str, str], legs: Iterable[PromisedLeg]
) -> tuple[tuple[Awaited, ...], tuple[Units, ...]]:
    """Which units of which lines each leg brings, and the lines' units that are in the store itself.

    `skus` says what each line is of. Legs fill the lines from the last one backwards, so that what is in the store
    goes to the first lines.
    """
    open_units = {part.line: part.quantity for part in wanted}
    made: list[Awaited] = []
    for leg in legs:
        parts: list[Units] = []
        for sku, count in leg.units:
            rest = count
            for line in reversed(open_units):
                take = min(rest, open_units[line]) if skus[line] == sku else 0
                if take:
                    parts.append(Units(line, take))
                    open_units[line] -= take
                    rest -= take
        made.append(Awaited(leg.transfer, leg.store, tuple(reversed(parts)), leg.arrives))
    return tuple(made), tuple(Units(line, count) for line, count in open_units.items() if count)


def shared_out(leg: Awaited, skus: Mapping[str, str], came: Mapping[str, int]) -> tuple[tuple[Units, ...], ...]:
    """The leg's units that came and those that didn't, line by line, when so many of each SKU are in the store."""
    left = dict(came)
    here: list[Units] = []
    missing: list[Units] = []
    for part in leg.units:
        got = min(part.quantity, left.get(skus[part.line], 0))
        left[skus[part.line]] = left.get(skus[part.line], 0) - got
        if got:
            here.append(Units(part.line, got))
        if part.quantity - got:
            missing.append(Units(part.line, part.quantity - got))
    return tuple(here), tuple(missing)
