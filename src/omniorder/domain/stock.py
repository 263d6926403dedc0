"""Stock at one store: levels, movements, and reservations of it.

A level is three numbers that change and one that staff sets: what is on the shelf and can be sold (`on_hand`), what of
it is spoken for (`reserved`), what lies beside it because it can't be sold (`quarantined`), and what the shop keeps
back for walk-in customers (`safety`). What may be promised is the rest; see `availability`. Movements are the ledger of
`on_hand` and `quarantined`: append-only, and their sum is the level. Reservations are the ledger of `reserved`: per
SKU, every unit is live, consumed, released or expired, and never two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum

from attrs import evolve, frozen

from omniorder.domain import events as e
from omniorder.domain.availability import available_to_promise
from omniorder.domain.lifecycle import ReservationState, advance
from omniorder.errors import ReservationGone


@frozen
class Level:
    """Stock of one SKU at one store, in the article's unit.

    `on_hand` counts what can be sold; damaged or doubtful units are `quarantined`, beside it and never promised.
    """

    store: str
    sku: str
    on_hand: int = 0
    reserved: int = 0
    safety: int = 0
    quarantined: int = 0

    @property
    def available(self) -> int:
        """Units that may be promised now."""
        return available_to_promise(self.on_hand, self.reserved, self.safety)

    @property
    def shortage(self) -> int:
        """Units that are reserved but not there, after a count below what was promised."""
        return max(0, self.reserved - self.on_hand)


@frozen
class Endangered:
    """An order that holds `quantity` units of a SKU that is short; its pick-up window starts at `starts`."""

    order: str
    quantity: int
    starts: datetime


@frozen
class Shortage:
    """A level at which more is reserved than is there, and the open orders that hold its units.

    Those that are picked up last come first: there is most time left to ask these customers. Orders are not named for
    units that a transfer brought for them.
    """

    level: Level
    orders: tuple[Endangered, ...]


class MovementKind(Enum):
    """Why units came or went; see `movements.fits` for which way each kind goes."""

    RECEIVE = "receive"
    """A delivery came in."""
    ADJUST = "adjust"
    """The books were wrong by so many."""
    COUNT = "count"
    """A stock take: the books became what was counted; 0 when they were right."""
    TRANSFER_OUT = "transfer_out"
    """Sent to another store."""
    TRANSFER_IN = "transfer_in"
    """Came from another store."""
    COLLECT = "collect"
    """Handed to the customer."""
    FOUND = "found"
    """Was on the shelf after all, since it was handed over."""
    RETURN = "return"
    """Came back from a customer, to the shelf or to quarantine."""
    WRITE_OFF = "write_off"
    """Thrown away or lost for good, from the shelf or out of quarantine."""
    QUARANTINE = "quarantine"
    """Taken from the shelf because it can't be sold, or not yet."""
    CLEAR = "clear"
    """Back from quarantine to the shelf."""


@frozen
class Movement:
    """Units that came to the shelf (`quantity` > 0) or went from it (< 0), and the same for quarantine (`quarantined`).

    `reference` is the order, delivery note or transfer, if any.
    """

    id: str
    store: str
    sku: str
    kind: MovementKind
    quantity: int
    stamp: e.Stamp
    reason: str = ""
    reference: str = ""
    quarantined: int = 0


@frozen
class ReservedLine:
    """Units of one SKU in a reservation: what is not consumed, released or expired is live."""

    sku: str
    quantity: int
    consumed: int = 0
    released: int = 0
    expired: int = 0

    @property
    def live(self) -> int:
        """Units still held back from other customers."""
        return self.quantity - self.consumed - self.released - self.expired


@frozen
class Reservation:
    """Units held at one store under one id; `until` is its time limit, None once it is firm.

    `outside`: they are of a retailer's own system, which follows what stands here, and in no level of ours.
    """

    id: str
    store: str
    state: ReservationState
    lines: tuple[ReservedLine, ...]
    until: datetime | None
    outside: bool = False

    def live(self) -> dict[str, int]:
        """Live units per SKU."""
        return {line.sku: line.live for line in self.lines if line.live}


def reserve(
    reservation_id: str, store: str, demand: Mapping[str, int], until: datetime | None, *, outside: bool = False
) -> Reservation:
    """A new reservation of these units per SKU; without a time limit it is firm from the beginning."""
    lines = tuple(ReservedLine(sku, demand[sku]) for sku in sorted(demand))
    held = Reservation(reservation_id, store, ReservationState.HELD, lines, until, outside)
    return held if until is not None else confirmed(held)


def confirmed(reservation: Reservation) -> Reservation:
    """The reservation without its time limit; one of nothing, whose units all come from elsewhere, is settled."""
    firm = apply(reservation, e.Firmed())
    return firm if firm.live() else apply(firm, e.LastUnitsResolved())


def apply(reservation: Reservation, event: e.Event) -> Reservation:
    """The reservation after `event`; raises `IllegalTransition`, or `ReservationGone` for units it hasn't got."""
    after = evolve(reservation, state=advance(reservation.state, event))
    match event:
        case e.ReservationExtended(until):
            return evolve(after, until=until)
        case e.Firmed():
            return evolve(after, until=None)
        case e.UnitsConsumed(units):
            return _moved(after, units, "consumed")
        case e.UnitsReleased(units):
            return _moved(after, units, "released")
        case e.ReservationReleased():
            return evolve(_moved(after, after.live().items(), "released"), until=None)
        case e.ReservationExpired():
            return evolve(_moved(after, after.live().items(), "expired"), until=None)
        case _:
            return after


def _moved(reservation: Reservation, units: Iterable[tuple[str, int]], column: str) -> Reservation:
    wanted = dict(units)
    lines: list[ReservedLine] = []
    for line in reservation.lines:
        count = wanted.pop(line.sku, 0)
        if not 0 <= count <= line.live:
            raise ReservationGone(reservation=reservation.id, state=f"down to {line.live} of {line.sku}")
        lines.append(evolve(line, **{column: getattr(line, column) + count}) if count else line)
    if wanted:
        raise ReservationGone(reservation=reservation.id, state=f"without {', '.join(sorted(wanted))}")
    return evolve(reservation, lines=tuple(lines))


def resolve(reservation: Reservation, event: e.UnitsConsumed | e.UnitsReleased) -> Reservation:
    """Apply `event`, and settle the reservation when no unit is live any more."""
    after = apply(reservation, event)
    return after if after.live() else apply(after, e.LastUnitsResolved())


def given_back(reservation: Reservation, units: Mapping[str, int] | None, *, expired: bool) -> Reservation:
    """The reservation without these units per SKU, or all that are live (None); `expired` when time took them.

    Raises as `apply`.
    """
    if units is None and reservation.state is ReservationState.HELD:
        return apply(reservation, e.ReservationExpired() if expired else e.ReservationReleased())
    wanted = reservation.live() if units is None else units
    return resolve(reservation, e.UnitsReleased(tuple(sorted(wanted.items()))))
