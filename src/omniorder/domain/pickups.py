"""Pick-ups: the work of one store for one order, from the shelf to the customer's hands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from attrs import evolve, frozen

from omniorder.domain import arrivals, pickup_lines
from omniorder.domain import events as e
from omniorder.domain.arrivals import Arrival, Proxy
from omniorder.domain.lifecycle import PickupState, advance
from omniorder.domain.pickup_lines import PickupLine as PickupLine
from omniorder.domain.proposals import Proposal
from omniorder.domain.questions import TRANSFER_SHORT, Question
from omniorder.domain.store_services import Service
from omniorder.domain.transfers import Awaited
from omniorder.errors import NotFound


@frozen
class Pickup:
    """Where the goods are. Times are UTC; [`starts`, `ends`) is the customer's window, `window` the same in the
    store's `zone`, and `collect` the way in which the customer gets them.

    `awaited` is what comes from other stores and is not here yet; `holds` are the reservations of what came or is
    proposed, beside the order's own. `trouble` is why units are short (a stable code), and `question` what the customer
    is asked meanwhile; `proposals` are what they are asked to take instead. `until` is how long a ready order waits,
    and `spoils_at` how long what is perishable in it does; `reminders` are when its customer is reminded, of which
    `reminded` have passed, and `extended` whether they had the deadline moved. `claim` are the units of a hand-over
    under way, and `look_at` is when somebody else may finish it. `left` are units that a store without a network gave
    away and that are not paid yet. `pickers` are the associates who pick it (their journal names), on the walk `wave`,
    where it is number `tote`. Ready goods lie at `staged_at`; `bins` are those of these places that the store has
    declared, and count as taken until the goods are gone.
    The pick-up code is not here: it is recomputed from `generation` and `key_id`.
    `proxy` is who collects in the customer's place, `arrival` what is known of whoever comes, until they leave.
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
    awaited: tuple[Awaited, ...] = ()
    holds: tuple[str, ...] = ()
    question: Question | None = None
    trouble: str = ""
    collect: Service = Service.PICKUP
    pickers: tuple[str, ...] = ()
    wave: str = ""
    tote: int = 0
    bins: tuple[str, ...] = ()
    reminders: tuple[datetime, ...] = ()
    reminded: int = 0
    extended: bool = False
    spoils_at: datetime | None = None
    proposals: tuple[Proposal, ...] = ()
    left: tuple[e.Units, ...] = ()
    proxy: Proxy | None = None
    arrival: Arrival | None = None

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

    def proposal(self, proposal_id: str) -> Proposal:
        """The open proposal with this id; raises `NotFound`."""
        for proposal in self.proposals:
            if proposal.id == proposal_id:
                return proposal
        raise NotFound("proposal", proposal_id)

    def rest(self) -> tuple[e.Units, ...]:
        """All units still open."""
        return tuple(e.Units(line.line, line.open) for line in self.lines if line.open)

    def held(self) -> tuple[e.Units, ...]:
        """All units that are kept for it: those still open, of what is weighed as many as it may weigh."""
        return tuple(e.Units(line.line, line.held) for line in self.lines if line.held)

    def leg(self, transfer_id: str) -> Awaited | None:
        """What this transfer brings, if it is still awaited."""
        return next((leg for leg in self.awaited if leg.transfer == transfer_id), None)

    @property
    def short(self) -> tuple[e.Units, ...]:
        """Units that the store can't give as things stand."""
        return tuple(e.Units(line.line, line.short) for line in self.lines if line.short)

    @property
    def places(self) -> int:
        """Lines that count against the slot's capacity: a substitute takes the place of what it came for."""
        return sum(not line.instead_of for line in self.lines)

    @property
    def collected(self) -> bool:
        """Whether any unit has left the store."""
        return any(line.collected for line in self.lines)

    @property
    def fully_picked(self) -> bool:
        """Whether every open unit has been picked, and of what is weighed at least what was agreed on."""
        return all(line.enough for line in self.lines)

    def weighed(self) -> tuple[e.LineWeighed, ...]:
        """What making it ready settles: the weights of its weighed lines, as they were picked."""
        return tuple(e.LineWeighed(line.line, line.picked) for line in self.lines if line.tolerance and line.open)


_PICKED: Final = frozenset({PickupState.TO_PICK, PickupState.PICKING})
"""Where a pick-up may be somebody's to pick."""
_LEAVING: Final = (
    e.PartCollected, e.Collected, e.RestLapsed, e.RestCancelled, e.NoShow, e.PickupCancelled, e.PickRerouted,
)  # fmt: skip
"""Whoever came has left, with goods or without, or is not to come here any more."""

_LYING: Final = frozenset({PickupState.READY, PickupState.HANDING_OVER})
"""Where its goods lie in bins."""


def apply(pickup: Pickup, event: e.Event, at: datetime) -> Pickup:
    """The pick-up after `event`; raises `IllegalTransition`, `NotFound` for a line, `InvalidQuantity`."""
    after = evolve(pickup, state=advance(pickup.state, event))
    if pickup.state is PickupState.AWAITING_CUSTOMER and after.state is not PickupState.AWAITING_CUSTOMER:
        after = evolve(after, question=None)
    if after.state not in _PICKED and pickup.pickers:
        after = evolve(after, pickers=(), wave="", tote=0)
    if after.state not in _LYING and pickup.bins:
        after = evolve(after, bins=())
    if isinstance(event, _LEAVING):
        after = evolve(after, arrival=None)
    match event:
        case e.PickStarted(by) if by and not pickup.pickers:
            return evolve(after, pickers=(by,))
        case e.PickClaimed(by, wave, tote):
            return evolve(after, pickers=(by,), wave=wave, tote=tote)
        case e.PickJoined(by):
            return evolve(after, pickers=(*(one for one in pickup.pickers if one != by), by))
        case e.PickLeft(by):
            others = tuple(one for one in pickup.pickers if one != by)
            return evolve(after, pickers=others) if others else evolve(after, pickers=(), wave="", tote=0)
        case e.LinePutBack(line, quantity):
            return _each(after, (e.Units(line, quantity),), pickup_lines.put_one_back)
        case e.Restaged(staged_at, bins):
            return evolve(after, staged_at=staged_at, bins=bins)
        case e.LinePicked(line, quantity):
            return _each(after, (e.Units(line, quantity),), pickup_lines.picked)
        case e.LinesAppended(lines, hold):
            more = tuple(PickupLine(line.id, line.quantity, tolerance=line.tolerance, instead_of=line.instead_of)
                         for line in lines)  # fmt: skip
            holds = pickup.holds if hold in pickup.holds else (*pickup.holds, hold)
            return evolve(after, lines=(*pickup.lines, *more), holds=holds)
        case e.PickReset():
            return _put_back(evolve(after, pickers=(), wave="", tote=0))
        case e.LineWeighed(line, grams):
            return _each(after, (e.Units(line, grams),), pickup_lines.weighed)
        case e.Unreadied():
            return evolve(after, lines=tuple(map(pickup_lines.as_ordered, pickup.lines)))
        case e.MadeReady(staged_at, until, key_id, reminders, spoils_at, bins=bins):
            ready = evolve(after, staged_at=staged_at, until=until, ready_at=at, key_id=key_id)
            return evolve(ready, reminders=reminders, reminded=0, spoils_at=spoils_at, bins=bins)
        case e.DeadlineExtended(until, reminders, asked):
            extended = pickup.extended or asked
            return evolve(after, until=until, reminders=reminders, reminded=0, extended=extended)
        case e.Reminded(number):
            return evolve(after, reminded=number)
        case e.CodeReissued(generation, key_id):
            return evolve(after, generation=generation, key_id=key_id)
        case e.ProxyNamed(proxy, name):
            return evolve(after, proxy=Proxy(proxy, name), generation=pickup.generation + 1)
        case e.ProxyWithdrawn():
            return evolve(after, proxy=None, generation=pickup.generation + 1)
        case e.CustomerOnTheWay() | e.CustomerArrived() | e.CustomerAttended() | e.ArrivalWithdrawn():
            return evolve(after, arrival=arrivals.apply(pickup.arrival, event, at))
        case e.HandOverStarted(units, look_at):
            _each(after, units, pickup_lines.collected)  # refuses what could not be collected
            return evolve(after, claim=units, look_at=look_at)
        case e.LeftOffline(units, at=gone_at):
            _each(after, (*pickup.left, *units), pickup_lines.collected)  # refuses what could not be collected
            gone = _each(after, units, partial(pickup_lines.left_at, at=gone_at))
            return evolve(gone, left=(*pickup.left, *units))
        case e.HandOverFailed():
            return evolve(after, claim=(), look_at=None)
        case e.PartCollected(units) | e.Collected(units):
            counted, now_gone = _each(after, units, pickup_lines.collected), _in_hand(pickup.left, units)
            gone = _each(counted, now_gone, partial(pickup_lines.left_at, at=at))
            return evolve(gone, claim=(), look_at=None, left=_still_left(pickup.left, units))
        case e.RestLapsed(units) | e.RestCancelled(units) | e.UnitsSpoiled(units):
            return _each(after, units, pickup_lines.dropped)
        case e.UnitsRefused(units):
            return _each(after, units, pickup_lines.refused)
        case e.NoShow() | e.PickupCancelled():
            return evolve(_each(_without_proposals(after), pickup.rest(), pickup_lines.dropped), awaited=())
        case e.SubstituteProposed(proposal):
            open_ = _each(after, (e.Units(proposal.line, proposal.quantity),), pickup_lines.proposed)
            return evolve(open_, proposals=(*pickup.proposals, proposal), holds=(*pickup.holds, proposal.hold))
        case e.UnitsSubstituted(line, quantity, proposal=answered):
            return _each(
                _answered(after, answered) if answered else after, (e.Units(line, quantity),), pickup_lines.replaced
            )
        case e.SubstituteDeclined(declined):
            proposal = pickup.proposal(declined)
            missing = _each(
                _answered(after, declined), (e.Units(proposal.line, proposal.quantity),), pickup_lines.short
            )
            return evolve(missing, trouble=proposal.reason)
        case e.SubstituteWithdrawn(withdrawn):
            return _answered(after, withdrawn)
        case _:
            return _rearranged(after, event)


def _answered(pickup: Pickup, proposal_id: str) -> Pickup:
    """The pick-up in which this is no longer proposed; raises `NotFound`."""
    over = pickup.proposal(proposal_id)
    asked = _each(pickup, (e.Units(over.line, over.quantity),), pickup_lines.no_longer_proposed)
    return evolve(asked, proposals=tuple(one for one in pickup.proposals if one != over))


def _without_proposals(pickup: Pickup) -> Pickup:
    """The pick-up in which nothing is proposed any more, since nothing of it will be given."""
    return evolve(pickup, lines=tuple(evolve(line, proposed=0) for line in pickup.lines), proposals=())


def _rearranged(pickup: Pickup, event: e.Event) -> Pickup:
    """What happens when units can't be had as promised, or come from elsewhere."""
    match event:
        case e.ShortPicked(line, quantity, reason):
            return evolve(_each(pickup, (e.Units(line, quantity),), pickup_lines.short), trouble=reason)
        case e.CustomerAsked(question):
            return evolve(pickup, question=question)
        case e.SlotMoved(slot, starts, ends):
            # the store tries again then, also what it could not give now
            lines = tuple(evolve(line, short=0) for line in pickup.lines)
            return evolve(pickup, slot=slot, starts=starts, ends=ends, lines=lines)
        case e.Requeued() | e.StockAwaited():
            return _put_back(pickup)
        case e.UnitsSent(transfer, store, units, expected_at):
            leg = Awaited(transfer, store, units, expected_at)
            return evolve(_each(pickup, units, pickup_lines.no_longer_short), awaited=(*pickup.awaited, leg))
        case e.UnitsArrived(transfer, units, missing, hold):
            legs = _without(pickup.awaited, (*units, *missing), transfer)
            here = evolve(_each(pickup, missing, pickup_lines.short), awaited=legs, holds=(*pickup.holds, hold))
            return evolve(here, trouble=TRANSFER_SHORT) if missing else here
        case e.ArrivalMoved(transfer, expected_at):
            legs = tuple(evolve(leg, expected_at=expected_at) if leg.transfer == transfer else leg
                         for leg in pickup.awaited)  # fmt: skip
            return evolve(pickup, awaited=legs)
        case e.PickRerouted():
            return evolve(_without_proposals(pickup), awaited=())
        case _:
            return pickup


def nameless(pickup: Pickup) -> Pickup:
    """The pick-up without what is personal: the name of whoever collects, and what they come in."""
    proxy, arrival = pickup.proxy, pickup.arrival
    return evolve(
        pickup,
        proxy=proxy and evolve(proxy, name=""),
        arrival=arrival and evolve(arrival, vehicle=""),
    )


def call_off(pickup: Pickup, units: tuple[e.Units, ...]) -> Pickup:
    """The pick-up without these units: first those that the store can't give, then those that are still awaited.

    Raises `NotFound` for a line, `InvalidQuantity` for more than are open.
    """
    legs = _without(pickup.awaited, called_off_elsewhere(pickup, units))
    return evolve(_each(pickup, units, pickup_lines.dropped), awaited=legs)


def _without(
    awaited: tuple[Awaited, ...], units: tuple[e.Units, ...], transfer: str | None = None
) -> tuple[Awaited, ...]:
    """What is still awaited when these units aren't any more: of one transfer, or of whichever brings them."""
    rest: Counter[str] = Counter()
    for part in units:
        rest[part.line] += part.quantity
    legs: list[Awaited] = []
    for leg in awaited:
        kept: list[e.Units] = []
        for part in leg.units:
            gone = min(part.quantity, rest[part.line]) if transfer in (None, leg.transfer) else 0
            rest[part.line] -= gone
            if part.quantity - gone:
                kept.append(e.Units(part.line, part.quantity - gone))
        if kept:
            legs.append(evolve(leg, units=tuple(kept)))
    return tuple(legs)


def called_off_elsewhere(pickup: Pickup, units: tuple[e.Units, ...]) -> tuple[e.Units, ...]:
    """Which of these units, called off, are awaited from other stores: what is short here goes first."""
    found: list[e.Units] = []
    for part in units:
        coming = sum(leg.of(part.line) for leg in pickup.awaited)
        if away := min(coming, max(0, part.quantity - pickup.line(part.line).short)):
            found.append(e.Units(part.line, away))
    return tuple(found)


def freed(pickup: Pickup, units: tuple[e.Units, ...]) -> tuple[e.Units, ...]:
    """What is no longer held once these units are called off: of what is weighed, the most that they might weigh."""
    return _no_longer_held(pickup, _each(pickup, units, pickup_lines.dropped))


def replaced(pickup: Pickup, event: e.UnitsSubstituted, at: datetime) -> tuple[e.Units, ...]:
    """The same once they are replaced."""
    return _no_longer_held(pickup, apply(pickup, event, at))


def spared(pickup: Pickup, units: tuple[e.Units, ...]) -> tuple[e.Units, ...]:
    """What is held beyond these units and no longer needed once they are collected: with the last gram of a weighed
    line, what it might have weighed more."""
    gone = Counter[str]()
    for part in units:
        gone[part.line] += part.quantity
    found = _no_longer_held(pickup, _each(pickup, units, pickup_lines.collected))
    return tuple(e.Units(part.line, more) for part in found if (more := part.quantity - gone[part.line]))


def _in_hand(left: tuple[e.Units, ...], units: tuple[e.Units, ...]) -> tuple[e.Units, ...]:
    """What of these units leaves only now, since it had not left before."""
    return _still_left(units, left)


def _still_left(left: tuple[e.Units, ...], units: tuple[e.Units, ...]) -> tuple[e.Units, ...]:
    """What left and is not settled by these units, which are."""
    settled = Counter[str]()
    for part in units:
        settled[part.line] += part.quantity
    rest: list[e.Units] = []
    for part in left:
        gone = min(part.quantity, settled[part.line])
        settled[part.line] -= gone
        if more := part.quantity - gone:
            rest.append(e.Units(part.line, more))
    return tuple(rest)


def _no_longer_held(before: Pickup, after: Pickup) -> tuple[e.Units, ...]:
    lines = zip(before.lines, after.lines, strict=True)
    return tuple(e.Units(was.line, was.held - now.held) for was, now in lines if was.held != now.held)


def _each(pickup: Pickup, units: tuple[e.Units, ...], change: Callable[[PickupLine, int], PickupLine]) -> Pickup:
    lines = {line.line: line for line in pickup.lines}
    for part in units:
        if part.line not in lines:
            raise NotFound("line", part.line)
        lines[part.line] = change(lines[part.line], part.quantity)
    return evolve(pickup, lines=tuple(lines.values()))


def _put_back(pickup: Pickup) -> Pickup:
    return evolve(
        pickup, lines=tuple(evolve(pickup_lines.as_ordered(line), picked=line.collected) for line in pickup.lines)
    )


def bring_back(pickup: Pickup, units: tuple[e.Units, ...]) -> Pickup:
    """The pick-up once the customer has brought these units back.

    Raises `NotFound` for a line, `InvalidQuantity` for more than are with the customer.
    """
    return _each(pickup, units, pickup_lines.returned)


def exchange(pickup: Pickup, event: e.GoodsExchanged, at: datetime) -> Pickup:
    """The pick-up with what the customer was given instead, which they have already."""
    given = tuple(
        PickupLine(
            line.id,
            line.quantity,
            picked=line.quantity,
            collected=line.quantity,
            instead_of=event.back,
            collected_at=at,
        )
        for line in event.lines
    )
    return evolve(pickup, lines=(*pickup.lines, *given), holds=(*pickup.holds, event.hold))
