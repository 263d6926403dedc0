"""Pick-ups: the work of one store for one order, from the shelf to the customer's hands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from attrs import evolve, frozen

from omniorder.domain import events as e
from omniorder.domain.lifecycle import PickupState, advance
from omniorder.domain.store_services import Service
from omniorder.errors import InvalidQuantity, NotFound


@frozen
class PickupLine:
    """How the units of one order line went: `dropped` are cancelled, lapsed or never found."""

    line: str
    quantity: int
    picked: int = 0
    collected: int = 0
    dropped: int = 0

    @property
    def open(self) -> int:
        """Units that the customer still expects."""
        return self.quantity - self.collected - self.dropped


@frozen
class Pickup:
    """Where the goods are. Times are UTC; [`starts`, `ends`) is the customer's window, `window` the same in the
    store's `zone`, and `collect` the way in which the customer gets them.

    `until` is how long a ready order waits. `claim` are the units of a hand-over under way, and `look_at` is when
    somebody else may finish it. The pick-up code is not here: it is recomputed from `generation` and `key_id`.
    """

    id: str
    store: str
    state: PickupState
    slot: str
    starts: datetime
    ends: datetime
    lines: tuple[PickupLine, ...]
    staged_at: str = ""
    ready_at: datetime | None = None
    until: datetime | None = None
    generation: int = 1
    key_id: str = ""
    claim: tuple[e.Units, ...] = ()
    look_at: datetime | None = None
    zone: str = "UTC"
    collect: Service = Service.PICKUP

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The customer's window in the store's own zone."""
        zone = ZoneInfo(self.zone)
        return self.starts.astimezone(zone), self.ends.astimezone(zone)

    def line(self, line_id: str) -> PickupLine:
        """The line with this id; raises `NotFound`."""
        for line in self.lines:
            if line.line == line_id:
                return line
        raise NotFound("line", line_id)

    def rest(self) -> tuple[e.Units, ...]:
        """All units still open."""
        return tuple(e.Units(line.line, line.open) for line in self.lines if line.open)

    @property
    def collected(self) -> bool:
        """Whether any unit has left the store."""
        return any(line.collected for line in self.lines)

    @property
    def fully_picked(self) -> bool:
        """Whether every open unit has been picked."""
        return all(line.picked - line.collected >= line.open for line in self.lines)


def apply(pickup: Pickup, event: e.Event, at: datetime) -> Pickup:
    """The pick-up after `event`; raises `IllegalTransition`, `NotFound` for a line, `InvalidQuantity`."""
    after = evolve(pickup, state=advance(pickup.state, event))
    match event:
        case e.LinePicked(line, quantity):
            return _each(after, (e.Units(line, quantity),), _picked)
        case e.PickReset():
            return evolve(after, lines=tuple(evolve(line, picked=line.collected) for line in pickup.lines))
        case e.MadeReady(staged_at, until, key_id):
            return evolve(after, staged_at=staged_at, until=until, ready_at=at, key_id=key_id)
        case e.DeadlineExtended(until):
            return evolve(after, until=until)
        case e.CodeReissued(generation, key_id):
            return evolve(after, generation=generation, key_id=key_id)
        case e.HandOverStarted(units, look_at):
            _each(after, units, _collected)  # refuses what could not be collected
            return evolve(after, claim=units, look_at=look_at)
        case e.HandOverFailed():
            return evolve(after, claim=(), look_at=None)
        case e.PartCollected(units) | e.Collected(units):
            return evolve(_each(after, units, _collected), claim=(), look_at=None)
        case e.RestLapsed(units) | e.RestCancelled(units):
            return _each(after, units, _dropped)
        case e.NoShow() | e.PickupCancelled():
            return _each(after, pickup.rest(), _dropped)
        case _:
            return after


def _each(pickup: Pickup, units: tuple[e.Units, ...], change: Callable[[PickupLine, int], PickupLine]) -> Pickup:
    lines = {line.line: line for line in pickup.lines}
    for part in units:
        if part.line not in lines:
            raise NotFound("line", part.line)
        lines[part.line] = change(lines[part.line], part.quantity)
    return evolve(pickup, lines=tuple(lines.values()))


def _picked(line: PickupLine, quantity: int) -> PickupLine:
    wanted = line.open - (line.picked - line.collected)
    if quantity > wanted:
        raise InvalidQuantity("quantity", quantity, f"{wanted} are still to be picked")
    return evolve(line, picked=line.picked + quantity)


def _collected(line: PickupLine, quantity: int) -> PickupLine:
    if not 0 < quantity <= line.open:
        raise InvalidQuantity("quantity", quantity, f"{line.open} are still open")
    return evolve(line, collected=line.collected + quantity)


def _dropped(line: PickupLine, quantity: int) -> PickupLine:
    return evolve(line, dropped=line.dropped + quantity)
