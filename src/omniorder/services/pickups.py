"""The store's desk for pick-ups: what is due, picking, ready, and the hand-over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import cast

from attrs import field, frozen

from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.actors import Associate
from omniorder.domain.bins import declared
from omniorder.domain.capturing import Taken, Terminal
from omniorder.domain.events import Units
from omniorder.domain.hours import keep_until
from omniorder.domain.instants import iso
from omniorder.domain.lifecycle import ENDED_PICKUPS, PickupState
from omniorder.domain.orders import Order
from omniorder.domain.pickups import Pickup
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.receipts import Receipt
from omniorder.domain.stores import Store
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import AlreadyClaimed, InvalidInput, InvalidInstant, NotFound, NotReady
from omniorder.services import handing_over, payments, rerouting
from omniorder.services.access import look, work_for
from omniorder.services.ledger import Ledger
from omniorder.services.logs import command
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.surface import given, several
from omniorder.services.units import Unit, in_transaction, reading

MOST_LINES = 1000
"""Lines picked or handed over in one call."""

MOST_PLACES = 200
"""Characters of all the places where one order lies."""


@frozen
class Pick:
    """`quantity` units of a line (grams, where it is weighed), taken off the shelf or handed over."""

    line: str
    quantity: int = field(converter=valid_quantity)


@frozen
class Pickups:
    """Pick-ups of one store, worked on by its associates. Orders of other stores don't exist here."""

    parts: Parts
    touch: Touch

    def due(
        self, *, day: date | None = None, stage: PickupState | None = None, after: str | None = None, limit: int = 50
    ) -> Page[Order]:
        """Orders to be worked on, by the start of their window; `day` in the store's own calendar.

        Without `stage`, all whose pick-up has not ended.
        """
        most = limited(limit, self.parts.settings.page_limit)
        store = store_of(self.parts, self.touch)
        start, end = (None, None) if day is None else day_of(store, day)
        if stage is not None:
            given(stage, PickupState, "stage", "a PickupState")
        wanted = [stage] if stage else [state for state in PickupState if state not in ENDED_PICKUPS]
        states = [state.value for state in wanted]
        place = position(after, datetime, str)
        found = reading(
            self.parts,
            lambda tx: tx.pickups(store.id, start=start, end=end, states=states, after=place, limit=most + 1),
        )
        last = found[:most][-1] if found else None
        return page(found, most, cursor(iso(last.pickup.starts), last.id) if last else None)

    def get(self, order_id: str) -> Order:
        """The order, if it is picked up at this store; raises `NotFound`."""
        return look(self.parts, self.touch, order_id)

    @command("pickups.pick")
    def pick(
        self, order_id: str, what: str | Sequence[Pick], quantity: int | None = None, *, key: str | None = None
    ) -> Order:
        """Units of a line (`pick(order, line, 2)`) or of several (`pick(order, [Pick(line, 2), ...])`) were picked.

        They add to what was picked before; of a weighed line they are the grams that the scales show, as often as
        need be. Raises `NotFound`, `InvalidQuantity` (more than are still to be picked), `WeightOutOfTolerance` (more
        than was agreed on), `AlreadyClaimed` (by somebody whom the associate has not joined), `IllegalTransition` (not
        paid yet, ready already, ...).
        """
        picks = _picks(what, quantity)
        this = ids.check("order", order_id)
        home = ids.store_of(this)
        stamp = self.touch.stamp(self.parts.clock)

        def work(unit: Unit) -> Order:
            request = list(picks)
            seen = unit.earlier(key, "pickups.pick", home=home, subject=this, request=request, result=this)
            before = work_for(self.touch, unit.tx, this)
            if seen:
                return before
            first = begun(before, self.touch.actor.name)
            return carry_on(unit, before, [*first, *(e.LinePicked(pick.line, pick.quantity) for pick in picks)])

        return in_transaction(self.parts, stamp, work)

    @command("pickups.reset")
    def reset(self, order_id: str, *, key: str | None = None) -> Order:
        """Put everything back on the shelf and start again. Raises `NotFound`, `IllegalTransition`."""
        return self._do("pickups.reset", order_id, lambda unit, order: [e.PickReset()], key)

    @command("pickups.reject")
    def reject(
        self,
        order_id: str,
        lines: Sequence[Pick] | None = None,
        *,
        reason: str,
        on_shelf: bool = False,
        key: str | None = None,
    ) -> Order:
        """The store can't give these lines' units, or (None) nothing of the order, for this `reason` (a stable code).

        What becomes of them is the policy's to say (`Settings.rerouting`): the order comes back decided, or with a
        question to its customer. Units that were looked for and not found go off the books; `on_shelf` says that they
        are there and only can't be had now. What was picked of a whole order is put back.

        Raises `NotFound`, `InvalidQuantity` (more than are still to be picked), `IllegalTransition`, `InvalidText`.
        """
        why = valid_reason(reason)
        units = None if lines is None else units_of(lines)
        stamp = self.touch.stamp(self.parts.clock)

        def decide(unit: Unit, order: Order) -> list[e.Event]:
            reset = units is None and order.pickup.state is PickupState.PICKING
            short = [e.ShortPicked(part.line, part.quantity, why) for part in units or order.pickup.rest()]
            if not on_shelf and isinstance(self.parts.inventory, Ledger):
                missed = order.units_by_sku(e.Units(event.line, event.quantity) for event in short)
                self.parts.inventory.miss(unit.tx, order.pickup.store, missed, stamp, why, order.id)
                unit.goods_left = True
            return [*([e.PickReset()] if reset else []), *short]

        order = self._do("pickups.reject", order_id, decide, key, why, units, on_shelf)
        return order if self.parts.storage.is_joined else rerouting.settle(self.parts, order, stamp)

    @command("pickups.ready")
    def ready(self, order_id: str, *, staged_at: str | Sequence[str] = "", key: str | None = None) -> Order:
        """Everything is picked and lies at `staged_at`, in one place or several; saying so twice changes nothing.

        The order then waits until the store closes on its `pickup_days`-th open day after the customer's window.
        From now on a weighed line is what it weighs, and that is what the customer pays. The store never sees the
        code. Raises `NotFound`, `NotReady` (units are missing, or grams), `BinFull` (of the places that the store has
        declared, `Store.bins`), `InvalidText`, `IllegalTransition`.
        """
        places = _places(staged_at, least=0)
        ring = self.parts.key_ring()
        store = store_of(self.parts, self.touch)

        def decide(unit: Unit, order: Order) -> list[e.Event]:
            pickup = order.pickup
            if pickup.state is PickupState.READY and places in ("", pickup.staged_at):
                return []
            if pickup.state is PickupState.PICKING and not pickup.fully_picked:
                lacking = sum(not line.enough for line in pickup.lines)
                raise NotReady(order=order.id, reason=_missing(pickup), lines=lacking)
            until = keep_until(store, max(pickup.ends, self.parts.clock.now()), store.pickup_days)
            return [*pickup.weighed(), e.MadeReady(places, until, ring.current, _bins(unit, store, places))]

        order = self._do("pickups.ready", order_id, decide, key, places)
        if self.parts.storage.is_joined:
            return order  # a provider is not asked in here: the sweep does it
        return payments.settle_increases(self.parts, order, self.touch.stamp(self.parts.clock))

    @command("pickups.restage")
    def restage(self, order_id: str, staged_at: str | Sequence[str], *, key: str | None = None) -> Order:
        """A ready order lies at `staged_at` now, and nowhere else.

        Raises `NotFound`, `BinFull`, `InvalidText`, `IllegalTransition`.
        """
        places = _places(staged_at)
        store = store_of(self.parts, self.touch)

        def decide(unit: Unit, order: Order) -> list[e.Event]:
            return [e.Restaged(places, _bins(unit, store, places))]

        return self._do("pickups.restage", order_id, decide, key, places)

    @command("pickups.unready")
    def unready(self, order_id: str, *, reason: str, key: str | None = None) -> Order:
        """Something is wrong with what was ready: back to picking.

        Not once a part was collected: then the rest is handed over or called off. Raises `NotFound`,
        `IllegalTransition`.
        """
        why = valid_reason(reason)
        return self._do("pickups.unready", order_id, lambda unit, order: [e.Unreadied(why)], key, why)

    @command("pickups.reissue")
    def reissue(self, order_id: str, *, key: str | None = None) -> Order:
        """A new code for the customer: the old one is dead, wrong tries are forgotten. The new one is not shown here.

        Raises `NotFound`, `IllegalTransition` unless the order is ready.
        """
        ring = self.parts.key_ring()

        def decide(unit: Unit, order: Order) -> list[e.Event]:
            return [e.CodeReissued(order.pickup.generation + 1, ring.current)]

        return self._do("pickups.reissue", order_id, decide, key)

    @command("pickups.hand_over")
    def hand_over(
        self,
        order_id: str,
        *,
        code: str,
        lines: Sequence[Pick] | None = None,
        taken: Taken | Terminal | None = None,
        key: str | None = None,
    ) -> Receipt:
        """Give the goods to whoever shows the order's code (said, or scanned as token); all, or only `lines`.

        The money is captured first. What is due in the store is `taken` by the till (`Taken`), or to be taken now by
        the provider's card reader (`Terminal`), through the gateway given as "terminal". When the outcome is unknown,
        or the reader waits for the customer's card, the goods stay, `StillRunning` is raised, and the same call again
        (or the sweep, or a webhook) finds out; `stop_payment` ends the waiting. After `NotPaid` the code is still good
        for another try: with a `key` the same call again says so, without one it is that try.

        Raises `NotFound`, `NotReady`, `WrongCode`, `CodeLocked`, `NotPaid`, `InvalidQuantity`, `StillRunning`,
        `TenderUnsupported` (no card readers), `NeedsOwnTransaction`.
        """
        units = units_of(lines) if lines is not None else None
        if taken is not None and not isinstance(cast("object", taken), (Taken, Terminal)):
            raise InvalidInput("taken", taken, "a Taken or a Terminal")
        return handing_over.hand_over(self.parts, self.touch, order_id, code, units, taken, key)

    @command("pickups.stop_payment")
    def stop_payment(self, order_id: str, *, key: str | None = None) -> Order:
        """Stop the card reader that waits for this order's customer: what is due is then due at the counter again.

        A card may have been quicker: then the money was taken, and the order comes back as collected. Where no reader
        waits nothing changes. Raises `NotFound`, `StillRunning` (the reader is being asked just now, or does not say
        whether it stopped: the same call again, or the sweep, finds out), `NeedsOwnTransaction`.
        """
        return handing_over.stop_payment(self.parts, self.touch, order_id, key)

    def _do(
        self,
        name: str,
        order_id: str,
        decide: Callable[[Unit, Order], Sequence[e.Event]],
        key: str | None,
        *request: object,
    ) -> Order:
        this = ids.check("order", order_id)
        home = ids.store_of(this)

        def work(unit: Unit) -> Order:
            seen = unit.earlier(key, name, home=home, subject=this, request=request, result=this)
            before = work_for(self.touch, unit.tx, this)
            return before if seen else carry_on(unit, before, decide(unit, before))

        return in_transaction(self.parts, self.touch.stamp(self.parts.clock), work)


def store_of(parts: Parts, touch: Touch) -> Store:
    """The associate's own store; raises `NotFound`."""
    name = touch.actor.store if isinstance(touch.actor, Associate) else ""
    store = parts.stores.store(name)
    if store is None:
        raise NotFound("store", name)
    return store


def begun(order: Order, who: str) -> list[e.Event]:
    """The events by which an associate may pick this order, if it is theirs or nobody's; raises `AlreadyClaimed`."""
    pickup = order.pickup
    if pickup.pickers and who not in pickup.pickers:
        raise AlreadyClaimed(order=order.id, pickers=", ".join(pickup.pickers))
    if pickup.state is PickupState.TO_PICK:
        return [e.PickStarted("" if pickup.pickers else who)]
    return [] if pickup.pickers or pickup.state is not PickupState.PICKING else [e.PickClaimed(who)]


def _places(staged_at: str | Sequence[str], least: int = 1) -> str:
    """Where goods lie, as it is shown: the names of several places with commas between."""
    if isinstance(staged_at, (list, tuple)):
        names = [valid_line(name, "staged_at", most=40) for name in staged_at]
        return valid_line(", ".join(names), "staged_at", most=MOST_PLACES, least=least)
    return valid_line(staged_at, "staged_at", most=40, least=least)


def _bins(unit: Unit, store: Store, places: str) -> tuple[str, ...]:
    """Which of these places the store has declared; the unit learns how many orders they hold."""
    unit.room = {one.code: one.holds for one in store.bins}
    return declared(places, store.bins)


def _missing(pickup: Pickup) -> str:
    """Why a pick-up is not fully picked."""
    for line in pickup.lines:
        if line.tolerance and line.picked < line.bounds[0]:
            return f"{line.line} weighs {line.picked} g, and at least {line.bounds[0]} g were agreed on"
    return "not every unit has been picked"


def _picks(what: str | Sequence[Pick], quantity: int | None) -> tuple[Pick, ...]:
    if isinstance(what, str):
        return (Pick(what, valid_quantity(quantity)),)
    if quantity is not None:
        raise InvalidInput("picks", what, "a line's id and a quantity, or a list of Pick")
    return _some(what)


def units_of(lines: Sequence[Pick]) -> tuple[Units, ...]:
    """These picks, summed per line. Raises `InvalidInput` for none, `TooMany`."""
    sums: dict[str, int] = {}
    for pick in _some(lines):
        sums[pick.line] = sums.get(pick.line, 0) + pick.quantity
    return tuple(Units(line, count) for line, count in sums.items())


def _some(picks: Sequence[Pick]) -> tuple[Pick, ...]:
    if not picks:
        raise InvalidInput("lines", picks, "at least one line")
    return several(picks, Pick, "lines", "a list of Pick", most=MOST_LINES)


def day_of(store: Store, day: object) -> tuple[datetime, datetime]:
    """The day's first and last instant in the store's zone: 23 or 25 hours apart when the clocks change."""
    if not isinstance(day, date) or isinstance(day, datetime):
        raise InvalidInstant("day", day, "must be a date")
    if not 2000 < day.year < 2199:
        raise InvalidInstant("day", day, "must be in the years 2001 to 2198")
    begins = datetime.combine(day, clock_time(), store.tz)
    return begins, datetime.combine(day + timedelta(days=1), clock_time(), store.tz)
