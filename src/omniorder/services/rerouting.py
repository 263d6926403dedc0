"""What becomes of units that can't be had as promised: found out, decided by policy, or put to the customer.

What is possible is looked up first, outside of any transaction; then one transaction decides on the very version of the
order that was looked at. Nothing is held for an option in between: a guard may still refuse it, and then the next one
is tried, or the customer is asked anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from omniorder.domain import coupling, ids
from omniorder.domain import events as e
from omniorder.domain.events import Stamp, Units
from omniorder.domain.lifecycle import OrderState, PickupState, advance
from omniorder.domain.orders import Order
from omniorder.domain.payments import PayInStore
from omniorder.domain.questions import TRANSFER_LATE, Alternative, MissingUnits, Option, Question
from omniorder.domain.rerouting import ALWAYS
from omniorder.domain.slots import Slot
from omniorder.domain.stores import Store
from omniorder.errors import IllegalTransition, NotAllowed, NotFound, OutOfStock, SlotUnavailable, StillRunning
from omniorder.ports.writes import Writes
from omniorder.services import payments
from omniorder.services.access import look, order_for
from omniorder.services.alternatives import Trouble, Way, longest_transit, possible_ways, wait_anew
from omniorder.services.free_windows import Work, moved_if_over, still_in_time, with_a_window
from omniorder.services.parts import Parts, Touch
from omniorder.services.places import moved_to
from omniorder.services.ripples import carry_on
from omniorder.services.sending import arrivals, from_others
from omniorder.services.units import Unit, in_transaction

MOST_CHANGES_MEANWHILE: Final = 20


class _MovedOn(Exception):
    """The order is not what was looked at any more."""


def settle(parts: Parts, order: Order, stamp: Stamp) -> Order:
    """Decide what is undecided about this order, or ask; safe to repeat, and to be done by anybody."""
    for _ in range(MOST_CHANGES_MEANWHILE):
        store = parts.stores.store(order.pickup.store)
        trouble = _trouble(order, store, stamp.at) if store is not None else None
        if store is None or trouble is None:
            return order
        try:
            return payments.drive(parts, _settled(parts, order, store, trouble, stamp), stamp)
        except _MovedOn:
            order = payments.load(parts, order.id)
    raise StillRunning(command="pickups.reject", id=order.id)


def heard(parts: Parts, order: Order, stamp: Stamp) -> Order:
    """The same after news of a transfer, about which the customer may have been asked what is no longer so."""
    store, question = parts.stores.store(order.pickup.store), order.pickup.question
    if store is not None and question is not None and question.reason == TRANSFER_LATE:
        late = _late(order, store, stamp.at)
        if late is None:
            _withdraw(parts, order, stamp)
        elif late.missing != question.missing:
            _ask_anew(parts, order, late, stamp)
        order = payments.load(parts, order.id)
    return settle(parts, order, stamp)


def answer(parts: Parts, touch: Touch, order_id: str, option_id: str, key: str | None) -> Order:
    """See `Orders.answer`."""
    stamp = touch.stamp(parts.clock)
    for _ in range(MOST_CHANGES_MEANWHILE):
        order = look(parts, touch, order_id)
        question = order.pickup.question
        try:
            option = _chosen(order, question, option_id)
        except (IllegalTransition, NotFound):
            if key is None:
                raise
            return _answered_before(parts, touch, order, option_id, key, stamp)
        if not touch.may_see(order):
            raise NotAllowed(actor=touch.actor.name, action=f"answer for order {order.id}")
        if option.alternative in ALWAYS and any(p.kind != PayInStore.kind for p in order.payments):
            payments.own_transaction(parts, "orders.answer")  # money may have to go back
        try:
            return payments.drive(parts, _answered(parts, touch, order, question, option, key, stamp), stamp)
        except _MovedOn:
            continue
        except (OutOfStock, SlotUnavailable):
            if question is not None:
                _ask_anew(parts, order, Trouble(question.about, question.reason, question.missing), stamp)
            raise
    raise StillRunning(command="orders.answer", id=order_id)


def _answered_before(parts: Parts, touch: Touch, order: Order, option_id: str, key: str, stamp: Stamp) -> Order:
    """The order, if this very answer was given under the key; the question is over by now."""

    def work(unit: Unit) -> Order:
        home, this = order.store, order.id
        if not unit.earlier(key, "orders.answer", home=home, subject=this, request=option_id, result=this):
            _chosen(order, order.pickup.question, option_id)  # refuses it
        return order_for(touch, unit.tx, this)

    return in_transaction(parts, stamp, work)


def _chosen(order: Order, question: Question | None, option_id: str) -> Option:
    if question is None:
        advance(order.pickup.state, e.QuestionAnswered(option_id))  # refused, but for the moment in which it is asked
        raise NotFound("option", option_id)
    return question.option(option_id)


def _answered(
    parts: Parts, touch: Touch, order: Order, question: Question | None, option: Option, key: str | None, stamp: Stamp
) -> Order:
    about, reason = (question.about, question.reason) if question else ((), "")
    act = _prepared(parts, order, option, about, reason, stamp)

    def work(unit: Unit, window: Slot | None) -> Order:
        home, this = order.store, order.id
        seen = unit.earlier(key, "orders.answer", home=home, subject=this, request=option.id, result=this)
        before = order_for(touch, unit.tx, order.id)
        if seen:
            return before
        if before.version != order.version:
            raise _MovedOn
        return act(unit, before, (e.QuestionAnswered(option.id),), window)

    return _in_transaction(parts, order, option, stamp, work)


def _in_transaction(parts: Parts, order: Order, option: Option, stamp: Stamp, work: Work[Order]) -> Order:
    """Where the window stays as it was promised, it may be over by now, and then there is another for it."""
    stays = option.alternative is Alternative.LESS
    return with_a_window(parts, order if stays else None, stamp, work)


def _ask_anew(parts: Parts, order: Order, trouble: Trouble, stamp: Stamp) -> None:
    """What was offered can't be had any more: ask again, with what still can."""
    store, question = parts.stores.store(order.pickup.store), order.pickup.question
    if store is None or question is None:
        return
    fresh = _question(parts, possible_ways(parts, order, store, trouble, stamp.at), trouble, stamp.at)
    if fresh is None:
        return
    again = evolve(fresh, until=min(question.until, fresh.until))
    _unless_moved(parts, order, stamp, [e.CustomerAsked(again)])


def _withdraw(parts: Parts, order: Order, stamp: Stamp) -> None:
    """Nothing is late any more: the goods are waited for, and the customer is asked nothing."""
    _unless_moved(parts, order, stamp, [e.QuestionWithdrawn(), e.StockAwaited()])


def _unless_moved(parts: Parts, order: Order, stamp: Stamp, events: Sequence[e.Event]) -> None:
    """Let this happen to the very version of the order that was looked at; what happened meanwhile has decided it."""

    def work(unit: Unit) -> None:
        before = unit.tx.order(order.id)
        if before is not None and before.version == order.version:
            carry_on(unit, before, events)

    in_transaction(parts, stamp, work)


# --- what is wrong ----------------------------------------------------------------------------------------


def _trouble(order: Order, store: Store, at: datetime) -> Trouble | None:
    if order.state is not OrderState.CONFIRMED:
        return None
    pickup = order.pickup
    if coupling.undecided(pickup):
        return Trouble(pickup.short, pickup.trouble, _missing(order, pickup.short))
    return _late(order, store, at) if pickup.state is PickupState.AWAITING_STOCK else None


def _late(order: Order, store: Store, at: datetime) -> Trouble | None:
    """What is awaited and won't be there in time for the window, or should be there by now."""
    pickup = order.pickup
    late = [leg for leg in pickup.awaited if leg.expected_at <= at or leg.expected_at + store.lead > pickup.starts]
    if not late:
        return None
    sums: dict[str, int] = {}
    for leg in late:
        for part in leg.units:
            sums[part.line] = sums.get(part.line, 0) + part.quantity
    about = tuple(Units(line, count) for line, count in sums.items())
    missing = (
        one for leg in late for one in _missing(order, leg.units, leg.expected_at if leg.expected_at > at else None)
    )
    return Trouble(about, TRANSFER_LATE, tuple(missing))


def _missing(order: Order, about: tuple[Units, ...], arrives: datetime | None = None) -> tuple[MissingUnits, ...]:
    """These units, summed per article."""
    measured = {line.sku: line.unit for line in order.every_line}
    return tuple(MissingUnits(sku, n, measured[sku], arrives) for sku, n in order.units_by_sku(about).items())


def _settled(parts: Parts, order: Order, store: Store, trouble: Trouble, stamp: Stamp) -> Order:
    possible = possible_ways(parts, order, store, trouble, stamp.at)
    policy = parts.settings.rerouting
    # a later window without asking, again and again, would be silence for ever
    unheard_of = {Alternative.LATER} if any(one.arrives is None for one in trouble.missing) else set[Alternative]()
    ask = policy.ask | unheard_of if trouble.reason == TRANSFER_LATE else policy.ask
    for option in policy.chosen(way.option for way in possible):
        question = None
        if option.alternative in ask and len(possible) > 1:
            question = _question(parts, possible, trouble, stamp.at)
        try:
            if question is not None:
                return _asked(parts, order, question, stamp)
            return _done(parts, order, option, trouble, stamp)
        except (OutOfStock, SlotUnavailable):
            continue  # somebody was faster: what is liked next
    return order


def _asked(parts: Parts, order: Order, question: Question, stamp: Stamp) -> Order:
    return in_transaction(parts, stamp, lambda unit: carry_on(unit, _unmoved(unit, order), [e.CustomerAsked(question)]))


def _done(parts: Parts, order: Order, option: Option, trouble: Trouble, stamp: Stamp) -> Order:
    act = _prepared(parts, order, option, trouble.about, trouble.reason, stamp)
    return _in_transaction(
        parts, order, option, stamp, lambda unit, window: act(unit, _unmoved(unit, order), (), window)
    )


def _unmoved(unit: Unit, order: Order) -> Order:
    before = unit.tx.order(order.id)
    if before is None or before.version != order.version:
        raise _MovedOn
    return before


def _question(parts: Parts, possible: tuple[Way, ...], trouble: Trouble, at: datetime) -> Question | None:
    """What may be chosen, for as long as the policy's patience, and as any of it can still be done in its window."""
    policy = parts.settings.rerouting
    options = policy.chosen(way.option for way in possible)
    always = [one.id for one in options if one.alternative is policy.silence]
    always += [one.id for one in options if one.alternative in ALWAYS]
    if not always:
        return None
    until = min([at + policy.patience, *(way.by for way in possible if way.by is not None)])
    return Question(trouble.about, trouble.reason, options, always[0], until, trouble.missing)


# --- doing it ---------------------------------------------------------------------------------------------

_Act = Callable[[Unit, Order, tuple[e.Event, ...], Slot | None], Order]


def _prepared(parts: Parts, order: Order, option: Option, about: tuple[Units, ...], reason: str, stamp: Stamp) -> _Act:
    """What carries the option out in a transaction: everything from outside of it is looked up here."""
    store = parts.stores.store(option.store) if option.store else None
    found: tuple[e.Event, ...] = ()
    wait = wait_anew(parts, order, reason, stamp.at) if option.alternative is Alternative.LATER else timedelta(0)
    if option.alternative is Alternative.SENT and store is not None:
        plan = from_others(parts, store, order.units_by_sku(about))
        if not plan.full:
            short = [{"sku": sku, "wanted": units, "available": 0} for sku, units in plan.missing]
            raise OutOfStock(store=store.id, short=short)
        wait = plan.arrives_in
        found = arrivals(parts, order, about, plan, stamp.at)
    if option.alternative is Alternative.OTHER_STORE and store is not None:
        found = (_rerouted(parts, order, store, option),)
    if option.alternative is Alternative.LATER:
        found = _expected_anew(parts, order, stamp.at)
    if store is not None:
        still_in_time(parts, store, option.starts or order.pickup.starts, stamp.at, wait)
    hold_until = stamp.at + parts.settings.hold_unknown_money

    def act(unit: Unit, before: Order, first: tuple[e.Event, ...], window: Slot | None) -> Order:
        if store is not None and option.slot is not None and option.starts is not None:
            unit.tx.write(Writes(slots=(moved_to(before.pickup, store, option.slot, option.starts),)))
        events = (*first, *coupling.go_on(before, option, about, reason, hold_until, found))
        return carry_on(unit, before, (*events, *moved_if_over(unit, before, events, window)))

    return act


def _rerouted(parts: Parts, order: Order, store: Store, option: Option) -> e.OrderRerouted:
    if option.slot is None or option.starts is None or option.ends is None:
        raise NotFound("slot", option.id)
    reservation = ids.reservation_id(store.id, parts.time_ordered())
    return e.OrderRerouted(
        order.next_pickup_id(), store.id, option.slot, option.starts, option.ends, store.zone, reservation
    )


def _expected_anew(parts: Parts, order: Order, at: datetime) -> tuple[e.Event, ...]:
    """What should have come already is expected after the longest way once more, or it would be late again at once."""
    anew = at + longest_transit(parts, order)
    return tuple(e.ArrivalMoved(leg.transfer, anew) for leg in order.pickup.awaited if leg.expected_at <= at)
