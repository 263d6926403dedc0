"""Who comes for an order: what customers say of it, and the store's queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from omniorder.domain import arrivals, ids
from omniorder.domain import events as e
from omniorder.domain.actors import Associate
from omniorder.domain.instants import iso
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.orders import Order
from omniorder.domain.pickups import Pickup
from omniorder.errors import NotAllowed, NotFound
from omniorder.services.access import look, work_for
from omniorder.services.logs import command
from omniorder.services.paging import Page, cursor, limited, page, position
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.units import Unit, in_transaction, reading

Decide = Callable[[Pickup], Sequence[e.Event]]


@frozen
class Waiting:
    """A customer in the store's queue; `order.pickup.arrival` says since when, where and in what.

    `waits` is for how long they have waited so far: nothing for one who is on their way. `ready`: their goods are.
    """

    order: Order
    waits: timedelta
    ready: bool


@frozen
class Arrivals:
    """Who comes to a store, and who takes care of them: for its associates."""

    parts: Parts
    touch: Touch

    def page(self, *, after: str | None = None, limit: int = 50) -> Page[Waiting]:
        """The queue: who arrived first comes first, then those on their way, by when they are expected.

        Whoever came for an order that isn't ready keeps their place. Raises `InvalidQuantity`, `InvalidId`.
        """
        most = limited(limit, self.parts.settings.page_limit)
        store, now = self._store(), self.parts.clock.now()
        place = position(after, int, datetime, str)
        start = None if place is None else (bool(place[0]), place[1], place[2])
        found = reading(self.parts, lambda tx: tx.coming(store, after=start, limit=most + 1))
        last = found[:most][-1] if found else None
        return page([_waiting(order, now) for order in found], most, _place(last) if last else None)

    @command("arrivals.arrived")
    def arrived(self, order_id: str, *, bay: str = "", vehicle: str = "", key: str | None = None) -> Order:
        """Somebody came in without having said so; said again it changes nothing but bay and vehicle, where given.

        Raises `NotFound`, `IllegalTransition` (not paid yet, or ended), `InvalidText`, `CardNumberRefused`.
        """
        return arrived(self.parts, self.touch, order_id, bay, vehicle, key, name="arrivals.arrived")

    @command("arrivals.attend")
    def attend(self, order_id: str, *, take_over: bool = False, key: str | None = None) -> Order:
        """Take care of this customer, so that nobody else does; saying so twice changes nothing.

        Whoever is attended to has arrived, if they didn't say so. `take_over` takes them over from a colleague.
        Raises `AlreadyAttended`, `NotFound`, `IllegalTransition` (not paid yet, being handed over, or ended).
        """
        by = self.touch.actor.name

        def decide(pickup: Pickup) -> Sequence[e.Event]:
            return arrivals.attended(pickup.arrival, order_id, by, take_over=take_over)

        return _do(self.parts, self.touch, "arrivals.attend", order_id, decide, key, take_over)

    @command("arrivals.left")
    def left(self, order_id: str, *, key: str | None = None) -> Order:
        """Whoever came has left without the goods, or isn't expected any more. Raises `NotFound`."""
        return left(self.parts, self.touch, order_id, key, name="arrivals.left")

    def _store(self) -> str:
        name = self.touch.actor.store if isinstance(self.touch.actor, Associate) else ""
        if self.parts.stores.store(name) is None:
            raise NotFound("store", name)
        return name


def _waiting(order: Order, now: datetime) -> Waiting:
    arrival = order.pickup.arrival
    since = arrival.arrived_at if arrival and arrival.arrived_at else now
    ready = order.pickup.state in (PickupState.READY, PickupState.HANDING_OVER)
    return Waiting(order, max(now - since, timedelta()), ready)


def _place(order: Order) -> str:
    arrival = order.pickup.arrival or arrivals.Arrival()
    at = arrival.arrived_at or arrival.expected_at or order.placed_at
    return cursor(int(arrival.arrived_at is not None), iso(at), order.id)


# --- what customers say, and staff for them ---------------------------------------------------------------


def on_my_way(
    parts: Parts, touch: Touch, order_id: str, arrives: datetime | None, within: timedelta | None, key: str | None
) -> Order:
    """Whoever collects says when they come."""
    at = arrivals.expected(parts.clock.now(), arrives, within)
    asked = within if arrives is None else at  # a span is the same request whenever it is repeated
    return _do(
        parts, touch, "orders.on_my_way", order_id, lambda pickup: arrivals.on_the_way(pickup.arrival, at), key, asked
    )


def arrived(
    parts: Parts, touch: Touch, order_id: str, bay: str, vehicle: str, key: str | None, *, name: str = "orders.arrived"
) -> Order:
    """Whoever collects is there."""
    at, car = arrivals.bay(bay), arrivals.vehicle(vehicle)
    return _do(parts, touch, name, order_id, lambda pickup: arrivals.here(pickup.arrival, at, car), key, at, car)


def left(parts: Parts, touch: Touch, order_id: str, key: str | None, *, name: str = "orders.left") -> Order:
    """Whoever collects does not come, or went away."""
    return _do(parts, touch, name, order_id, lambda pickup: arrivals.away(pickup.arrival), key)


def name_proxy(parts: Parts, touch: Touch, order_id: str, name: str, key: str | None) -> Order:
    """Somebody else collects."""
    who, new = arrivals.name(name), ids.proxy_id(parts.entropy.bytes(8))

    def decide(pickup: Pickup) -> Sequence[e.Event]:
        return arrivals.proxy_named(pickup.proxy, new, who)

    return _do(parts, touch, "orders.name_proxy", order_id, decide, key, who)


def withdraw_proxy(parts: Parts, touch: Touch, order_id: str, key: str | None) -> Order:
    """The customer collects in person again."""
    return _do(
        parts, touch, "orders.withdraw_proxy", order_id, lambda pickup: arrivals.proxy_withdrawn(pickup.proxy), key
    )


def _do(
    parts: Parts, touch: Touch, name: str, order_id: str, decide: Decide, key: str | None, *request: object
) -> Order:
    """Raises `NotFound`, `NotAllowed` for somebody who only follows the order."""
    order = look(parts, touch, order_id)
    if not touch.may_see(order):
        raise NotAllowed(actor=touch.actor.name, action=f"say who comes for order {order.id}")

    def work(unit: Unit) -> Order:
        seen = unit.earlier(key, name, home=order.store, subject=order.id, request=request, result=order.id)
        before = work_for(touch, unit.tx, order.id)
        return before if seen else carry_on(unit, before, decide(before.pickup))

    return in_transaction(parts, touch.stamp(parts.clock), work)
