"""Changing a confirmed order: the new promise replaces the old in one transaction, before the store begins to pick.

What is possible and what it costs is looked up first, outside of any transaction; then one transaction does it to the
very version of the order that was looked at, or not at all. Its guards stand in the statements: the new place is taken
before the old one is free, only the difference of what is held moves, and an associate who begins to pick at the same
moment, or anything else that happens to the order, makes it look again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from typing import Final

from attrs import evolve, frozen

from omniorder.domain import changing, ids, planning
from omniorder.domain import events as e
from omniorder.domain.carts import Add, Change, Remove
from omniorder.domain.changing import Move, OrderChange, OrderEdit, PaidBy, Wanted
from omniorder.domain.consents import ConsentMode
from omniorder.domain.events import Stamp
from omniorder.domain.lifecycle import Funding, PaymentState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import Tender
from omniorder.domain.slots import Slot
from omniorder.domain.stores import Store
from omniorder.domain.tenders import Brought, shares
from omniorder.errors import (
    InvalidInput,
    NotAllowed,
    NotCovered,
    NotFound,
    OutOfStock,
    PaymentDeclined,
    Refused,
    ServiceMissing,
    SlotUnavailable,
    StillRunning,
)
from omniorder.ports.writes import NOTHING_BOOKED, SlotChange, Writes
from omniorder.services import payments, quoting, tendering
from omniorder.services.access import look, work_for
from omniorder.services.free_windows import free_windows, slot_of, store_of
from omniorder.services.ledger import ledger_of
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.surface import several
from omniorder.services.units import Unit, in_transaction, reading

MOST_CHANGES_MEANWHILE: Final = 20
MOST_EDITS: Final = 1000
_EDITS: Final = (Add, Change, Remove)


class _MovedOn(Exception):
    """The order is not what was looked at any more."""


@frozen
class _Asked:
    """What the customer wants, as it was given, checked."""

    slot: str | None
    edits: tuple[OrderEdit, ...]
    expect: Money | None = None
    pay: tuple[Tender, ...] = ()

    @classmethod
    def of(cls, slot: str | None, edits: object, expect: object = None, pay: object = None) -> _Asked:
        rule = "a list of Add, Change and Remove"
        return cls(
            None if slot is None else ids.check("slot", slot),
            several(edits, _EDITS, "edits", rule, most=MOST_EDITS),
            quoting.money(expect),
            () if pay is None else tendering.brought(pay),
        )


@frozen
class _Planned:
    """What is to happen to an order, worked out on the order as it was: its goods and windows, not its money yet."""

    order: Order
    events: tuple[e.Event, ...]
    places: tuple[SlotChange, ...]
    after: Order
    view: OrderChange

    @property
    def dearer(self) -> bool:
        """Whether it may cost more than before."""
        return self.after.most > self.order.most


# --- the three commands -----------------------------------------------------------------------------------


def slots(parts: Parts, touch: Touch, order_id: str, store_id: str | None) -> tuple[Slot, ...]:
    """See `Orders.slots`."""
    order = look(parts, touch, order_id)
    changing.possible(order)
    store = parts.stores.store(order.pickup.store if store_id is None else store_id)
    if store is None:
        raise NotFound("store", store_id)
    now = parts.clock.now()
    legs = order.pickup.awaited if store.id == order.pickup.store else ()
    ready = max([now, *(leg.expected_at for leg in legs)])
    most = parts.settings.slots_offered
    return free_windows(parts, store, lines=order.pickup.places, at=now, ready=ready, most=most)


def quote(parts: Parts, touch: Touch, order_id: str, slot: str | None, edits: object) -> OrderChange:
    """See `Orders.quote_change`."""
    asked = _Asked.of(slot, edits)
    stamp = touch.stamp(parts.clock)
    planned = _planned(parts, touch, _allowed(parts, touch, order_id), asked, stamp)
    _refuse_what_is_gone(parts, planned)
    return planned.view


def change(
    parts: Parts,
    touch: Touch,
    order_id: str,
    slot: str | None,
    edits: object,
    expect: object,
    pay: object,
    key: str | None,
) -> Order:
    """See `Orders.change`."""
    asked = _Asked.of(slot, edits, expect, pay)
    stamp = touch.stamp(parts.clock)
    for _ in range(MOST_CHANGES_MEANWHILE):
        order = _allowed(parts, touch, order_id)
        try:
            after = _decided(parts, touch, order, asked, key, stamp)
        except _MovedOn:
            continue
        except (InvalidInput, NotFound, Refused):
            done = None if key is None else _done_before(parts, touch, order.id, asked, key, stamp)
            if done is None:
                raise
            after = done
        return _answer(order, payments.drive(parts, after, stamp))
    raise StillRunning(command="orders.change", id=order_id)


def _allowed(parts: Parts, touch: Touch, order_id: str) -> Order:
    """The order, where this actor may change it. Raises `NotFound`, `NotAllowed`, `NeedsOwnTransaction`."""
    order = look(parts, touch, order_id)
    if not touch.may_change(order):
        raise NotAllowed(actor=touch.actor.name, action=f"change order {order.id}")
    for kind in {p.gateway for p in order.payments} - {""}:
        payments.own_transaction(parts, "orders.change")
        parts.gateway(kind)
    return order


def _decided(parts: Parts, touch: Touch, order: Order, asked: _Asked, key: str | None, stamp: Stamp) -> Order:
    """The order as it is after the transaction that changes it."""
    planned = _planned(parts, touch, order, asked, stamp)
    quoting.as_seen(asked.expect, planned.view.quote)
    if not touch.owns(order.owner) and (planned.dearer or asked.pay):
        raise NotAllowed(actor=touch.actor.name, action=f"have the customer of order {order.id} pay more")
    events = (*planned.events, *_paid(parts, touch, planned, asked, stamp))

    def work(unit: Unit) -> Order:
        seen = unit.earlier(key, "orders.change", home=order.store, subject=order.id, request=[asked], result=order.id)
        before = work_for(touch, unit.tx, order.id)
        if seen:
            return before
        if before.version != order.version:
            raise _MovedOn
        if planned.places:
            unit.tx.write(Writes(slots=planned.places))
        return carry_on(unit, before, events)

    return in_transaction(parts, stamp, work)


def _done_before(parts: Parts, touch: Touch, order_id: str, asked: _Asked, key: str, stamp: Stamp) -> Order | None:
    """The order, if this very change was made under the key. Raises `KeyReused`."""

    def work(unit: Unit) -> Order:
        home = ids.store_of(order_id)
        seen = unit.earlier(key, "orders.change", home=home, subject=order_id, request=[asked], result=order_id)
        if not seen:
            raise _MovedOn  # so that nothing is noted
        return work_for(touch, unit.tx, order_id)

    try:
        return in_transaction(parts, stamp, work)
    except _MovedOn:
        return None


def _answer(before: Order, order: Order) -> Order:
    """The order, unless it is short of money because what was brought for it was declined."""
    for p in order.payments[len(before.payments) :]:
        if p.state is PaymentState.DECLINED and order.funding is Funding.SHORT:
            until = order.pickup.window[0].isoformat()
            raise PaymentDeclined(order, reason=p.reason, until=until)
    return order


# --- what is to happen ------------------------------------------------------------------------------------


def _planned(parts: Parts, touch: Touch, order: Order, asked: _Asked, stamp: Stamp) -> _Planned:
    changing.possible(order)
    fresh = [ids.line_id(parts.entropy.bytes(8)) for _ in asked.edits]
    limits = parts.settings
    found = changing.wanted(order, asked.edits, fresh=fresh, most=limits.max_lines, most_units=limits.max_quantity)
    _refuse_unknown_substitutes(parts, asked.edits)
    slot = None if asked.slot in (None, order.pickup.slot) else asked.slot
    store = store_of(parts, slot or order.pickup.slot)
    elsewhere = store.id != order.pickup.store
    if found.added or elsewhere:
        ledger_of(parts)  # units that come, and units elsewhere, are held in our own books
    move = None
    if slot is not None:
        move = Move(slot_of(parts, store, slot), ids.reservation_id(store.id, parts.time_ordered()))
        _refuse_what_would_wait(order, store, move)
    elif found.added:
        slot_of(parts, store, order.pickup.slot)  # there must be time to prepare them
    if elsewhere:
        _refuse_what_is_not_done(parts, order, found, store)
    priced = quoting.priced(parts, touch.channel, store, found.added) if found.added else ()
    hold = ids.reservation_id(store.id, parts.time_ordered())
    steps = changing.steps(order, found, changing.new_lines(found.added, priced), move, hold)
    return _worked_out(parts, order, asked, steps, move, store, len(found.added), stamp)


def _worked_out(
    parts: Parts,
    order: Order,
    asked: _Asked,
    steps: tuple[e.Event, ...],
    move: Move | None,
    store: Store,
    lines: int,
    stamp: Stamp,
) -> _Planned:
    at, terms = stamp.at, parts.terms
    after = told(order, steps, at)
    if (more := changing.ceiling(after)) is not None:
        steps = tuple(evolve(one, ceiling=more) if isinstance(one, e.LinesAppended) else one for one in steps)
    quoted = changing.quote(after)
    longest = max((parts.settings.time_to_pay(tender.kind) for tender in asked.pay), default=None)
    pay_by = None if longest is None else min(at + longest, after.pickup.starts)
    events = (e.OrderChanged(quoted.total, len(steps), pay_by), *steps) if steps else ()
    after = told(order, events, at)
    if move is not None:
        planning.refuse_to_wait(after, terms)
    left = changing.missing(after, terms, raises=parts.settings.raises_authorisations)
    pickup = after.pickup
    view = OrderChange(
        order.id,
        pickup.store,
        pickup.slot,
        pickup.starts,
        pickup.ends,
        quoted,
        quoted.total - order.wanted_value,
        left,
        changing.way_to_pay(after, left, terms) if after.most > order.most else PaidBy.NOTHING,
        pickup.zone,
    )
    return _Planned(order, events, _places(order, store, move, lines), after, view)


def _places(order: Order, store: Store, move: Move | None, lines: int) -> tuple[SlotChange, ...]:
    """What is taken of the new slot, or more of the old one; the old place is given back by what follows from a move.

    Lines that were called off count on: of what a slot holds no more is known than how many lines were promised.
    """
    pickup = order.pickup
    if move is not None:
        took = pickup.places + lines
        slot, starts = move.slot, move.window[0]
        return (SlotChange(slot.store, slot.id, starts, 1, slot.capacity, took, slot.lines_capacity),)
    if not lines:
        return ()
    return (SlotChange(pickup.store, pickup.slot, pickup.starts, 0, store.slot_capacity, lines, store.slot_lines),)


def _paid(parts: Parts, touch: Touch, planned: _Planned, asked: _Asked, stamp: Stamp) -> tuple[e.Event, ...]:
    """The events by which what is missing is paid. Raises `NotCovered`, `PlanImpossible`, `TenderUnsupported`."""
    left, after, terms = planned.view.missing, planned.after, parts.terms
    if not left.amount or not (planned.dearer or asked.pay):
        return ()  # what was missing before is looked after already
    if asked.pay:
        tendering.taken_here(parts, asked.pay)
        brought: Sequence[Brought] = tendering.presented(parts, touch, after.promise_id, asked.pay)
        events = tendering.asked(after, shares(left, brought))
        planning.refuse(told(after, events, stamp.at), terms, stamp.at)
        return events
    match planned.view.paid_by:
        case PaidBy.RAISED if (payment := changing.raisable(after, terms)) is not None:
            return changing.raised(payment, left)
        case PaidBy.COUNTER:
            return changing.left_for_the_counter(after, left)
        case _:
            raise NotCovered(missing=str(left), of=str(planned.after.most))


# --- what can't be ----------------------------------------------------------------------------------------


def _refuse_unknown_substitutes(parts: Parts, edits: Sequence[OrderEdit]) -> None:
    """Raise `NotFound` for an article that is named as a substitute and that the catalogue doesn't have."""
    wishes = (edit.substitutes for edit in edits if isinstance(edit, Add))
    named = sorted({consent.sku for consent in wishes if consent.mode is ConsentMode.NAMED})
    known = parts.catalogue.articles(named) if named else {}
    for sku in named:
        if sku not in known:
            raise NotFound("article", sku)


def _refuse_what_would_wait(order: Order, store: Store, move: Move) -> None:
    """Goods that are still on their way here must be there, and prepared, when the new window begins."""
    if store.id != order.pickup.store:
        return
    starts = move.window[0]
    if any(leg.expected_at + store.lead > starts for leg in order.pickup.awaited):
        raise SlotUnavailable(slot=move.slot.id, reason="before_arrival")


def _refuse_what_is_not_done(parts: Parts, order: Order, found: Wanted, store: Store) -> None:
    """Another store must hand the goods over likewise, and be able to sell what stays."""
    if order.pickup.collect not in store.services:
        raise ServiceMissing(store=store.id, missing=[{"service": order.pickup.collect.value}])
    gone = Counter({part.line: part.quantity for part in found.dropped})
    kept = sorted({order.line(part.line).sku for part in order.pickup.rest() if part.quantity > gone[part.line]})
    quoting.served(store, parts.catalogue.articles(kept))


def _refuse_what_is_gone(parts: Parts, planned: _Planned) -> None:
    """What the guards of the transaction would refuse, as things stand. Raises `OutOfStock`, `SlotUnavailable`."""
    store, pickup = planned.after.pickup.store, planned.order.pickup
    more = Counter(planned.after.units_by_sku(planned.after.pickup.held()))
    if store == pickup.store:
        away = Counter[str]()
        for leg in planned.after.pickup.awaited:
            away.update(planned.after.units_by_sku(leg.units))
        here = Counter(planned.order.units_by_sku(pickup.held()))
        for leg in pickup.awaited:
            here.subtract(planned.order.units_by_sku(leg.units))
        more.subtract(away)
        more.subtract(here)
    demand = {sku: units for sku, units in sorted(more.items()) if units > 0}
    if demand:
        there = reading(parts, lambda tx: parts.inventory.available(tx, list(demand), [store]))
        short = [
            {"sku": sku, "wanted": units, "available": max(0, there.get((store, sku), 0))}
            for sku, units in demand.items()
            if there.get((store, sku), 0) < units
        ]
        if short:
            raise OutOfStock(store=store, short=short)
    for place in planned.places:
        _refuse_a_full_slot(parts, place)


def _refuse_a_full_slot(parts: Parts, place: SlotChange) -> None:
    starts = place.starts.astimezone(UTC)
    booked = reading(parts, lambda tx: tx.booked([place.store], starts, starts + parts.settings.slot_horizon))
    now = booked.get(place.slot, NOTHING_BOOKED)
    free = place.capacity - now.orders
    if place.places > free:
        raise SlotUnavailable(slot=place.slot, reason="full", of="orders", wanted=place.places, free=max(0, free))
    if place.line_capacity is not None and place.lines > place.line_capacity - now.lines:
        free = max(0, place.line_capacity - now.lines)
        raise SlotUnavailable(slot=place.slot, reason="full", of="lines", wanted=place.lines, free=free)
