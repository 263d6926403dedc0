"""The picker's desk: what to pick next, whose it is, the walk through the store, and what the scanner read.

An order is claimed by the event that says so, guarded by the order's version: of two who want it at once one gets it,
and the other the next one. What a claim is for is in the orders themselves, so nothing is lost with a handheld.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias, TypeVar, cast

from attrs import field, frozen

from omniorder.domain import barcodes, ids, picking, staging
from omniorder.domain import events as e
from omniorder.domain.actors import Associate
from omniorder.domain.articles import Article
from omniorder.domain.bins import Bin
from omniorder.domain.handling import Temperature
from omniorder.domain.hours import day_of
from omniorder.domain.instants import iso
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.orders import Order
from omniorder.domain.picking import PICKABLE, Task, Walk
from omniorder.domain.quantities import Unit as Measure
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.staging import BinUse
from omniorder.errors import InvalidInput, NotToPick
from omniorder.ports.storage import Transaction
from omniorder.services.access import look, work_for
from omniorder.services.logs import command
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.pickups import begun, claimed_already, store_of
from omniorder.services.ripples import carry_on
from omniorder.services.surface import given
from omniorder.services.units import Unit, in_transaction, reading

T = TypeVar("T")
Times: TypeAlias = tuple[datetime | None, datetime | None]

MOST_ORDERS = 50
"""Orders on one walk."""

_OPEN = [state.value for state in PICKABLE]
_AT_ONCE = 500


@frozen
class Picked:
    """What a scan was: so many units of a line, to be put into the `tote` of that number; `left` are still to come.

    `units` and `left` are grams where the article is weighed; `units` is 0 for a scan that was counted before.
    """

    order: Order = field(repr=False)
    line: str
    sku: str
    units: int
    tote: int
    left: int


@frozen
class Picking:
    """What associates of one store pick."""

    parts: Parts
    touch: Touch

    def work(self, *, day: date | None = None, after: str | None = None, limit: int = 50) -> Page[Task]:
        """Orders to be picked, by when their customers may come; `day` in the store's own calendar."""
        most = limited(limit, self.parts.settings.page_limit)
        store = store_of(self.parts, self.touch)
        start, end = (None, None) if day is None else day_of(store, day)
        place = position(after, datetime, str)
        found = reading(
            self.parts, lambda tx: tx.pickups(store.id, start=start, end=end, states=_OPEN, after=place, limit=most + 1)
        )
        last = found[:most][-1] if found else None
        now, pace = self.parts.clock.now(), self.parts.settings.pace
        tasks = [picking.task(order, now, pace) for order in found]
        return page(tasks, most, cursor(iso(last.pickup.starts), last.id) if last else None)

    @command("picking.claim")
    def claim(self, order_id: str) -> Order:
        """The order is this associate's to pick; claiming one's own again changes nothing.

        Raises `NotFound`, `AlreadyClaimed`, `IllegalTransition` (not paid yet, ready already, ...).
        """
        return self._each([order_id], "")[0]

    @command("picking.wave")
    def wave(
        self,
        orders: Sequence[str] | None = None,
        *,
        most: int = 4,
        day: date | None = None,
        key: str | None = None,
    ) -> Walk:
        """Claim several orders at once, to pick them on one walk: these, or (None) the next free ones, up to `most`.

        All of these or, when any of them is somebody else's, none; of the next ones, those that nobody was faster to
        take. The walk is empty when there is nothing to pick. `day` (in the store's own calendar) looks no further than
        the orders of that day. Named orders get their totes in the sequence given; totes are numbered on from those
        that the associate holds. Repeated with the same `key`, it claims nothing more.

        Raises as `claim` does, `InvalidInput`, `InvalidQuantity`, `InvalidInstant`.
        """
        count = valid_quantity(most, "most", most=MOST_ORDERS)
        name = ids.wave_id(self._here, self.parts.time_ordered())
        if orders is None:
            self._wave_next(name, count, day, key)
        else:
            self._each(_named(orders), name, key)
        return self.walk()

    @command("picking.claim_next")
    def claim_next(self, *, day: date | None = None, key: str | None = None) -> Order | None:
        """The next order that nobody has claimed is this associate's; None when there is none.

        `day` (in the store's own calendar) looks no further than the orders of that day. Repeated with the same `key`,
        it is the same order. Raises `InvalidInstant`.
        """
        store, times = self._here, self._times(day)

        def work(unit: Unit) -> Order | None:
            before = next(iter(_free(unit.tx, store, times)), None)
            noted = before.id if before else "-"
            seen = unit.earlier(key, "picking.claim_next", home=store, subject=store, request=[day], result=noted)
            if seen:
                return None if seen == "-" else work_for(self.touch, unit.tx, seen)
            return carry_on(unit, before, [e.PickClaimed(self.touch.actor.name)]) if before else None

        return self._in(work)

    @command("picking.join")
    def join(self, order_id: str) -> Order:
        """Help to pick an order that somebody has claimed, or that nobody has. Raises as `claim`, but for the claim."""
        who = self.touch.actor.name

        def work(unit: Unit) -> Order:
            before = work_for(self.touch, unit.tx, order_id)
            if who in before.pickup.pickers:
                return before
            return carry_on(unit, before, [e.PickJoined(who)])

        return self._in(work)

    @command("picking.leave")
    def leave(self, order_id: str) -> Order:
        """This associate doesn't pick the order any more; what they picked stays picked. Raises `NotFound`."""
        who = self.touch.actor.name

        def work(unit: Unit) -> Order:
            before = work_for(self.touch, unit.tx, order_id)
            return carry_on(unit, before, [e.PickLeft(who)]) if who in before.pickup.pickers else before

        return self._in(work)

    def walk(self) -> Walk:
        """What this associate has still to pick of all that they have claimed, in the order of the aisles."""
        store = store_of(self.parts, self.touch)
        mine = reading(self.parts, self._mine)
        return picking.walk(mine, self._articles(mine), store)

    @command("picking.scan")
    def scan(
        self, barcode: str, *, order_id: str | None = None, quantity: int | None = None, key: str | None = None
    ) -> Picked:
        """What the scanner read was picked: a unit of the first step of the walk that wants it, or what its label says.

        `order_id` says for which order, which is claimed by that if nobody has it; `quantity` how many units
        (or grams, of what is weighed elsewhere). Give each scan a `key`: then a scan that is sent twice counts once.

        Raises `InvalidBarcode` (misread), `NotToPick` (not ordered, or scanned once too often), `WeightOutOfTolerance`,
        `InvalidQuantity`, `NotFound`, `IllegalTransition`, `AlreadyClaimed`.
        """
        found = barcodes.read(barcode, self.parts.settings.scale_labels)
        count = None if quantity is None else valid_quantity(quantity)
        only = None if order_id is None else ids.check("order", order_id)
        store = self._here
        who = self.touch.actor.name
        seen_before = reading(
            self.parts, lambda tx: self._mine(tx) if only is None else (work_for(self.touch, tx, only),)
        )
        articles = self._articles(seen_before)

        def work(unit: Unit) -> Picked:
            if only is None:
                again = [unit.tx.order(one.id) for one in seen_before]
                held = [one for one in again if one and self._has(one)]
            else:
                held = [work_for(self.touch, unit.tx, only)]
            fits = [(order, line) for order in held for line in picking.matches(found, order, articles)]
            wants = [(order, line) for order, line in fits if order.pickup.line(line).to_pick[1]]
            takes = [
                (one, line) for one, line in wants if _has_room(one, line, count or picking.weight(found, one, line))
            ]
            order, line = next(iter(takes or wants or fits), (None, ""))
            noted = f"{order.id}|{line}" if order else "-"
            request = [barcode, only, count]
            seen = unit.earlier(key, "picking.scan", home=store, subject=store, request=request, result=noted)
            if seen:
                before, _, line = seen.partition("|")
                return _picked(work_for(self.touch, unit.tx, before), line, 0)
            if only is not None:
                begun(held[0], who)
            if order is None or not wants:
                raise _unwanted(bool(held), order, line)
            units = count or picking.weight(found, order, line)
            if units is None and order.line(line).unit is not Measure.PIECE:
                raise InvalidInput("quantity", quantity, "the grams that the scales show")
            events = [*begun(order, who), e.LinePicked(line, units or 1)]
            return _picked(carry_on(unit, order, events), line, units or 1)

        return self._in(work)

    @command("picking.put_back")
    def put_back(self, order_id: str, line: str, quantity: int, *, key: str | None = None) -> Order:
        """So many units of a line that had been picked are on the shelf again: a mistake, or a better one was found.

        Raises `NotFound`, `InvalidQuantity` (more than are picked), `AlreadyClaimed`, `IllegalTransition`.
        """
        count = valid_quantity(quantity)
        this = ids.check("order", order_id)

        def work(unit: Unit) -> Order:
            home = ids.store_of(this)
            seen = unit.earlier(key, "picking.put_back", home=home, subject=this, request=[line, count], result=this)
            before = work_for(self.touch, unit.tx, this)
            if seen:
                return before
            return carry_on(unit, before, [*begun(before, self.touch.actor.name), e.LinePutBack(line, count)])

        return self._in(work)

    def bins(self, temperature: Temperature | None = None) -> tuple[BinUse, ...]:
        """The store's bins and lockers (`Store.bins`), or those of one temperature, with the orders in each."""
        if temperature is not None:
            given(temperature, Temperature, "temperature", "a Temperature")
        bins = store_of(self.parts, self.touch).bins
        wanted = [one for one in bins if temperature in (None, one.temperature)]
        if not wanted:
            return ()
        return staging.use(wanted, reading(self.parts, lambda tx: _all(tx, self._here, staging.WAITING)))

    def suggest(self, order_id: str) -> dict[Temperature, Bin | None]:
        """Where to lay an order: for each temperature of its goods a bin with room, None where there is none.

        Lockers are for those who collect from lockers. Nothing is held by this: who makes an order ready takes the
        bins, and learns then whether somebody was faster. Raises `NotFound`.
        """
        store = store_of(self.parts, self.touch)
        order = look(self.parts, self.touch, order_id)
        return staging.suggestion(order, store.bins, reading(self.parts, lambda tx: tx.in_bins(store.id)))

    def _articles(self, orders: Sequence[Order]) -> Mapping[str, Article]:
        return self.parts.catalogue.articles(sorted({line.sku for order in orders for line in order.every_line}))

    @property
    def _here(self) -> str:
        return self.touch.actor.store if isinstance(self.touch.actor, Associate) else ""

    def _mine(self, tx: Transaction) -> tuple[Order, ...]:
        who = self.touch.actor.name
        return tuple(order for order in _all(tx, self._here) if who in order.pickup.pickers)

    def _has(self, order: Order) -> bool:
        pickup = order.pickup
        return self.touch.may_change(order) and pickup.state in PICKABLE and self.touch.actor.name in pickup.pickers

    def _times(self, day: date | None) -> Times:
        return (None, None) if day is None else day_of(store_of(self.parts, self.touch), day)

    def _each(self, orders: Sequence[str], wave: str, key: str | None = None) -> list[Order]:
        who, store = self.touch.actor.name, self._here

        def work(unit: Unit) -> list[Order]:
            claimed: list[Order] = []
            if unit.earlier(key, "picking.wave", home=store, subject=store, request=list(orders), result=wave):
                return claimed
            last = _last_tote(self._mine(unit.tx)) if wave else 0
            totes = {order_id: last + place for place, order_id in enumerate(orders, 1)}
            for order_id in sorted(orders):  # two waves that want the same orders meet at the first of them
                before = work_for(self.touch, unit.tx, order_id)
                pickup = before.pickup
                if pickup.pickers and pickup.pickers != (who,):
                    raise claimed_already(before)
                if pickup.pickers and not wave:
                    claimed.append(before)
                    continue
                tote = pickup.tote or totes[order_id]  # what lies in a tote stays in it
                claimed.append(carry_on(unit, before, [e.PickClaimed(who, wave, tote if wave else 0)]))
            return claimed

        return self._in(work)

    def _wave_next(self, wave: str, most: int, day: date | None, key: str | None) -> None:
        who, store, times = self.touch.actor.name, self._here, self._times(day)

        def work(unit: Unit) -> None:
            request = [None, most, day]
            if unit.earlier(key, "picking.wave", home=store, subject=store, request=request, result=wave):
                return
            last = _last_tote(self._mine(unit.tx))
            for tote, before in enumerate(_free(unit.tx, store, times)[:most], last + 1):
                carry_on(unit, before, [e.PickClaimed(who, wave, tote)])

        self._in(work)

    def _in(self, work: Callable[[Unit], T]) -> T:
        return in_transaction(self.parts, self.touch.stamp(self.parts.clock), work)


def _all(
    tx: Transaction, store: str, states: Sequence[PickupState] = PICKABLE, times: Times = (None, None)
) -> tuple[Order, ...]:
    """Everything in these states (that may be picked) at this store, by when it is wanted."""
    values = [state.value for state in states]
    found: list[Order] = []
    after: tuple[datetime, str] | None = None
    while True:
        some = tx.pickups(store, start=times[0], end=times[1], states=values, after=after, limit=_AT_ONCE)
        found += some
        if len(some) < _AT_ONCE:
            return tuple(found)
        after = (some[-1].pickup.starts, some[-1].id)


def _free(tx: Transaction, store: str, times: Times) -> list[Order]:
    return [one for one in _all(tx, store, times=times) if not one.pickup.pickers and _something(one)]


def _last_tote(orders: Sequence[Order]) -> int:
    return max((order.pickup.tote for order in orders), default=0)


def _named(orders: object) -> list[str]:
    rule = f"1 to {MOST_ORDERS} orders, none twice"
    if isinstance(orders, (str, bytes)) or not isinstance(orders, Sequence):
        raise InvalidInput("orders", orders, rule)
    found = [given(one, str, "orders", rule) for one in cast("Sequence[object]", orders)]
    if not 1 <= len(found) <= MOST_ORDERS or len(set(found)) < len(found):
        raise InvalidInput("orders", found, rule)
    return [ids.check("order", one) for one in found]


def _something(order: Order) -> bool:
    return any(line.to_pick[0] for line in order.pickup.lines)


def _has_room(order: Order, line: str, units: int | None) -> bool:
    """Whether the line takes so many: of two lines of one article the second may, where the first does not."""
    return (units or 1) <= order.pickup.line(line).to_pick[1]


def _picked(order: Order, line: str, units: int) -> Picked:
    left = order.pickup.line(line).to_pick[1]
    return Picked(order, line, order.line(line).sku, units, order.pickup.tote, left)


def _unwanted(claimed: bool, order: Order | None, line: str) -> NotToPick:
    if order is None:
        return NotToPick(reason="not_ordered" if claimed else "no_orders")
    return NotToPick(order=order.id, sku=order.line(line).sku, reason="all_picked")
