"""The store's desk for pick-ups: what is due, picking and ready; the rest happens at the counter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from attrs import evolve, frozen

from omniorder.domain import events as e
from omniorder.domain import ids, waiting
from omniorder.domain.actors import Associate, plain
from omniorder.domain.bins import declared
from omniorder.domain.hours import day_of
from omniorder.domain.instants import iso
from omniorder.domain.lifecycle import ENDED_PICKUPS, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.pickups import Pickup
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.stores import Store
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import reason as valid_reason
from omniorder.errors import AlreadyClaimed, InvalidInput, InvalidInstant, NotFound, NotReady
from omniorder.services import payments, rerouting, substituting
from omniorder.services.access import look, work_for
from omniorder.services.counter import Counter
from omniorder.services.ledger import Ledger
from omniorder.services.logs import command
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.picks import Pick, some, units_of
from omniorder.services.ripples import carry_on
from omniorder.services.surface import given
from omniorder.services.units import Unit, in_transaction, reading

MOST_PLACES = 200
"""Characters of all the places where one order lies."""


@frozen
class Pickups(Counter):
    """Pick-ups of one store, worked on by its associates. Orders of other stores don't exist here."""

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
            over = [e.SubstituteWithdrawn(one.id) for one in order.pickup.proposals] if units is None else []
            short = [e.ShortPicked(part.line, part.quantity, why) for part in units or order.pickup.rest()]
            if not on_shelf and isinstance(self.parts.inventory, Ledger):
                missed = order.units_by_sku(e.Units(event.line, event.quantity) for event in short)
                if over:  # those went off the books when something else was proposed for them
                    known = order.units_by_sku(e.Units(one.line, one.quantity) for one in order.pickup.proposals)
                    missed = {sku: count - known.get(sku, 0) for sku, count in missed.items()}
                self.parts.inventory.miss(unit.tx, order.pickup.store, missed, stamp, why, order.id)
                unit.goods_left = True
            return [*over, *([e.PickReset()] if reset else []), *short]

        order = self._do("pickups.reject", order_id, decide, key, why, units, on_shelf)
        return order if self.parts.storage.is_joined else rerouting.settle(self.parts, order, stamp)

    @command("pickups.substitute")
    def substitute(
        self,
        order_id: str,
        line_id: str,
        quantity: int,
        sku: str,
        *,
        price: Money | None = None,
        reason: str = "not_found",
        on_shelf: bool = False,
        key: str | None = None,
    ) -> Order:
        """Give `sku` instead of so many units of this line that can't be had: one for one, gram for gram.

        What the customer said in the basket decides (`OrderLine.consent`). Where it allows the substitute, it comes at
        once, as a line of its own to be picked; where they want to be asked, it is held for them and proposed
        (`order.pickup.proposals`) for `Settings.substitute_patience`, while the rest is picked on. `price` gives it for
        less than its price, for as many units as that is for. Units that were looked for and not found go off the
        books, as `reject` says. Of a substitute that is missing too, something else may be given in the same way.

        Raises `NotFound` (also an unknown article), `NoPrice`, `SubstituteRefused`, `OutOfStock`, `InvalidQuantity`
        (more than are still to be picked), `InvalidMoney` (a `price` above the price), `InvalidInput` (the same
        article), `IllegalTransition` (not being picked), `Misconfigured` (stock outside can't be held from here).
        """
        wanted = Pick(line_id, quantity)
        return substituting.substitute(
            self.parts, self.touch, order_id, e.Units(wanted.line, wanted.quantity), sku, price,
            valid_reason(reason), on_shelf, key,
        )  # fmt: skip

    @command("pickups.withdraw_substitute")
    def withdraw_substitute(self, order_id: str, proposal_id: str, *, key: str | None = None) -> Order:
        """Propose it no more: the units are to be picked as before, or something else is given or done about them.

        Raises `NotFound` (the order, or a proposal that is not open any more).
        """

        def decide(unit: Unit, order: Order) -> list[e.Event]:
            return [e.SubstituteWithdrawn(order.pickup.proposal(proposal_id).id)]

        return self._do("pickups.withdraw_substitute", order_id, decide, key, proposal_id)

    @command("pickups.ready")
    def ready(self, order_id: str, *, staged_at: str | Sequence[str] = "", key: str | None = None) -> Order:
        """Everything is picked and lies at `staged_at`, in one place or several; saying so twice changes nothing.

        The order then waits until the store closes on its `pickup_days`-th opening day after the customer's window, and
        what is perishable as `Settings.no_show` says.
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
            policy, now = self.parts.settings.no_show, unit.stamp.at
            ready = waiting.made_ready(order, store, policy, now, staged_at=places, key_id=ring.current)
            return [*pickup.weighed(), evolve(ready, bins=_bins(unit, store, places))]

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

    @command("pickups.extend")
    def extend(self, order_id: str, *, until: date, key: str | None = None) -> Order:
        """Keep the goods until the store closes on the day `until` of its own calendar; perishable ones wait no longer.

        The customer's own extension is left to them. Raises `NotFound`, `NotReady`, `InvalidInstant`, and
        `NotExtended`: the store is closed that day, it is no later than before, further ahead than
        `NoShowPolicy.staff_days`, or all is perishable.
        """
        day = _date(until, "until")
        store, policy = store_of(self.parts, self.touch), self.parts.settings.no_show

        def decide(unit: Unit, order: Order) -> list[e.Event]:
            return [waiting.kept(order, store, policy, unit.stamp.at, day)]

        return self._do("pickups.extend", order_id, decide, key, day.isoformat())

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


def claimed_already(order: Order) -> AlreadyClaimed:
    """The refusal that names those who pick this order."""
    pickers = order.pickup.pickers
    return AlreadyClaimed(order=order.id, pickers=", ".join(pickers), who=", ".join(plain(one) for one in pickers))


def begun(order: Order, who: str) -> list[e.Event]:
    """The events by which an associate may pick this order, if it is theirs or nobody's; raises `AlreadyClaimed`."""
    pickup = order.pickup
    if pickup.pickers and who not in pickup.pickers:
        raise claimed_already(order)
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
        if line.proposed:
            return "its customer is asked whether they take a substitute"
        if line.tolerance and line.picked < line.bounds[0]:
            return f"{line.line} weighs {line.picked} g, and at least {line.bounds[0]} g were agreed on"
    return "not every unit has been picked"


def _picks(what: str | Sequence[Pick], quantity: int | None) -> tuple[Pick, ...]:
    if isinstance(what, str):
        return (Pick(what, valid_quantity(quantity)),)
    if quantity is not None:
        raise InvalidInput("picks", what, "a line's id and a quantity, or a list of Pick")
    return some(what)


def _date(day: object, field: str) -> date:
    if not isinstance(day, date) or isinstance(day, datetime):
        raise InvalidInstant(field, day, "must be a date")
    if not 2000 < day.year < 2199:
        raise InvalidInstant(field, day, "must be in the years 2001 to 2198")
    return day
