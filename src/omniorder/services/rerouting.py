"""What becomes of units that can't be had as promised: found out, decided by policy, or put to the customer.

What is possible is looked up first, outside of any transaction; then one transaction decides on the very version of the
order that was looked at. Nothing is held for an option in between: a guard may still refuse it, and then the next one
is tried, or the customer is asked anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from omniorder.domain import coupling, ids
from omniorder.domain import events as e
from omniorder.domain.events import Stamp, Units
from omniorder.domain.lifecycle import OrderState, PickupState, advance
from omniorder.domain.offers import distance
from omniorder.domain.orders import Order
from omniorder.domain.payments import PayInStore
from omniorder.domain.questions import TRANSFER_LATE, Alternative, MissingUnits, Option, Question
from omniorder.domain.rerouting import ALWAYS, Rerouting
from omniorder.domain.slots import Slot
from omniorder.domain.stores import Store
from omniorder.errors import IllegalTransition, NotAllowed, NotFound, OutOfStock, SlotUnavailable, StillRunning
from omniorder.ports.writes import Writes
from omniorder.services import payments
from omniorder.services.access import look, order_for
from omniorder.services.free_windows import Work, free_windows, moved_if_over, still_in_time, with_a_window
from omniorder.services.ledger import Ledger
from omniorder.services.parts import Parts, Touch
from omniorder.services.places import moved_to
from omniorder.services.ripples import carry_on
from omniorder.services.sending import arrivals, from_others
from omniorder.services.units import Unit, in_transaction

MOST_CHANGES_MEANWHILE: Final = 20
SHORTEST: Final = timedelta(minutes=30)
"""No window is offered that must be chosen sooner than this, or than the policy's patience if that is less."""
_MINUTE: Final = timedelta(minutes=1)


class _MovedOn(Exception):
    """The order is not what was looked at any more."""


@frozen
class _Trouble:
    """Units that can't be had as promised, why, and which articles these are."""

    about: tuple[Units, ...]
    reason: str
    missing: tuple[MissingUnits, ...]


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
    if store is None or question is None or question.reason != TRANSFER_LATE:
        return settle(parts, order, stamp)
    late = _late(order, store, stamp.at)
    if late is None:
        events = [e.QuestionWithdrawn(), e.StockAwaited()]
        order = in_transaction(parts, stamp, lambda unit: carry_on(unit, _unmoved(unit, order), events))
        return settle(parts, order, stamp)
    if late.missing != question.missing:
        _ask_anew(parts, order, late, stamp)
    return payments.load(parts, order.id)


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
                _ask_anew(parts, order, _Trouble(question.about, question.reason, question.missing), stamp)
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


def _ask_anew(parts: Parts, order: Order, trouble: _Trouble, stamp: Stamp) -> None:
    """What was offered can't be had any more: ask again, with what still can."""
    store, question = parts.stores.store(order.pickup.store), order.pickup.question
    if store is None or question is None:
        return
    fresh = _question(parts, _possible(parts, order, store, trouble, stamp.at), trouble, stamp.at)
    if fresh is None:
        return
    again = evolve(fresh, until=min(question.until, fresh.until))

    def work(unit: Unit) -> None:
        before = unit.tx.order(order.id)
        if before is not None and before.version == order.version:
            carry_on(unit, before, [e.CustomerAsked(again)])

    in_transaction(parts, stamp, work)


# --- what is wrong ----------------------------------------------------------------------------------------


def _trouble(order: Order, store: Store, at: datetime) -> _Trouble | None:
    if order.state is not OrderState.CONFIRMED:
        return None
    pickup = order.pickup
    if coupling.undecided(pickup):
        return _Trouble(pickup.short, pickup.trouble, _missing(order, pickup.short))
    return _late(order, store, at) if pickup.state is PickupState.AWAITING_STOCK else None


def _late(order: Order, store: Store, at: datetime) -> _Trouble | None:
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
    return _Trouble(about, TRANSFER_LATE, tuple(missing))


def _missing(order: Order, about: tuple[Units, ...], arrives: datetime | None = None) -> tuple[MissingUnits, ...]:
    """These units, summed per article."""
    measured = {line.sku: line.unit for line in order.lines}
    return tuple(MissingUnits(sku, n, measured[sku], arrives) for sku, n in order.units_by_sku(about).items())


def _settled(parts: Parts, order: Order, store: Store, trouble: _Trouble, stamp: Stamp) -> Order:
    possible = _possible(parts, order, store, trouble, stamp.at)
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


def _done(parts: Parts, order: Order, option: Option, trouble: _Trouble, stamp: Stamp) -> Order:
    act = _prepared(parts, order, option, trouble.about, trouble.reason, stamp)
    return _in_transaction(
        parts, order, option, stamp, lambda unit, window: act(unit, _unmoved(unit, order), (), window)
    )


def _unmoved(unit: Unit, order: Order) -> Order:
    before = unit.tx.order(order.id)
    if before is None or before.version != order.version:
        raise _MovedOn
    return before


def _question(parts: Parts, possible: tuple[_Way, ...], trouble: _Trouble, at: datetime) -> Question | None:
    """What may be chosen, for as long as the policy's patience, and as any of it can still be done in its window."""
    policy = parts.settings.rerouting
    options = policy.chosen(way.option for way in possible)
    always = [one.id for one in options if one.alternative is policy.silence]
    always += [one.id for one in options if one.alternative in ALWAYS]
    if not always:
        return None
    until = min([at + policy.patience, *(way.by for way in possible if way.by is not None)])
    return Question(trouble.about, trouble.reason, options, always[0], until, trouble.missing)


# --- what is possible -------------------------------------------------------------------------------------


@frozen
class _Way:
    """Something that could be done, and (where it has a window) by when at the latest it must be chosen."""

    option: Option
    by: datetime | None = None


def _possible(parts: Parts, order: Order, store: Store, trouble: _Trouble, at: datetime) -> tuple[_Way, ...]:
    """Everything that the policy lists and that could be done now, and what always can."""
    wanted = set(parts.settings.rerouting.alternatives)
    found: list[_Way] = []
    own_stock = isinstance(parts.inventory, Ledger)
    sendable = own_stock and trouble.reason != TRANSFER_LATE and not _weighed(order, trouble.about)
    if Alternative.LATER in wanted and (ready := _ready_here(parts, order, store, trouble, at)) is not None:
        later = max(ready, order.pickup.starts + _MINUTE - store.lead)  # than the window that was promised
        option, wait = Option("later", Alternative.LATER), _another_way(parts, order, trouble.reason, at)
        found += _in_a_window(parts, order, store, option, at, ready=later, wait=wait)
    if sendable and Alternative.SENT in wanted:
        found += _sent(parts, order, store, trouble, at)
    if own_stock and Alternative.OTHER_STORE in wanted and not order.pickup.collected:
        found += _elsewhere(parts, order, store, parts.settings.rerouting, at)
    if sorted(trouble.about, key=repr) != sorted(order.pickup.rest(), key=repr):
        found.append(_Way(Option("less", Alternative.LESS)))
    found.append(_Way(Option("nothing", Alternative.NOTHING)))
    return tuple(found)


def _weighed(order: Order, about: tuple[Units, ...]) -> bool:
    """Whether any of it is weighed when it is picked: that is never sent, since its weight is not known before."""
    return any(order.line(part.line).tolerance for part in about)


def _ready_here(parts: Parts, order: Order, store: Store, trouble: _Trouble, at: datetime) -> datetime | None:
    """From when on everything can be had at the pick-up's own store; None when nobody knows."""
    dates = [at, *(leg.expected_at for leg in order.pickup.awaited)]
    if trouble.reason == TRANSFER_LATE:
        return max(dates)
    skus = sorted(order.units_by_sku(trouble.about))
    if not isinstance(parts.inventory, Ledger):
        return None
    with parts.storage.reading() as tx:
        there = {level.sku: level for level in tx.levels(skus, [store.id])}
        coming = tx.expected(skus, [store.id])
    for sku in skus:
        lacking = there[sku].shortage if sku in there else order.units_by_sku(trouble.about)[sku]
        for delivery in sorted((one for one in coming if one.sku == sku and one.at > at), key=lambda one: one.at):
            if lacking > 0:
                lacking -= delivery.quantity
                dates.append(delivery.at)
        if lacking > 0:
            return None
    return max(dates)


def _another_way(parts: Parts, order: Order, reason: str, at: datetime) -> timedelta:
    """How long goods that should have come already may take from whenever they are waited for anew."""
    overdue = reason == TRANSFER_LATE and any(leg.expected_at <= at for leg in order.pickup.awaited)
    return _longest_transit(parts, order) if overdue else timedelta(0)


def _longest_transit(parts: Parts, order: Order) -> timedelta:
    found = (parts.stores.store(leg.store) for leg in order.pickup.awaited)
    return max((store.transit for store in found if store is not None), default=timedelta(0))


def _in_a_window(
    parts: Parts, order: Order, store: Store, option: Option, at: datetime, *, ready: datetime, wait: timedelta
) -> list[_Way]:
    """The option in the first free window of this store for goods that are ready, or `wait` after it is chosen."""
    ready = max(ready, at + _to_think(parts) + wait)
    return [
        _Way(
            evolve(
                option,
                store=store.id,
                slot=slot.id,
                starts=slot.starts.astimezone(UTC),
                ends=slot.ends.astimezone(UTC),
            ),
            slot.starts.astimezone(UTC) - store.lead - wait,
        )
        for slot in free_windows(parts, store, lines=len(order.pickup.lines), at=at, ready=ready)
    ]


def _to_think(parts: Parts) -> timedelta:
    """How long every window that is offered can be chosen at least."""
    policy = parts.settings.rerouting
    return min(policy.patience, SHORTEST) if policy.ask else timedelta(0)


def _sent(parts: Parts, order: Order, store: Store, trouble: _Trouble, at: datetime) -> list[_Way]:
    plan = from_others(parts, store, order.units_by_sku(trouble.about))
    if not plan.full:
        return []
    option, wait = Option("sent", Alternative.SENT, store.id), plan.arrives_in
    others = max([at, *(leg.expected_at for leg in order.pickup.awaited)])
    if max(others, at + _to_think(parts) + wait) + store.lead <= order.pickup.starts:
        return [_Way(option, order.pickup.starts - store.lead - wait)]  # in time for the window that was promised
    return _in_a_window(parts, order, store, option, at, ready=others, wait=wait)


def _elsewhere(parts: Parts, order: Order, store: Store, policy: Rerouting, at: datetime) -> list[_Way]:
    """The nearest stores that have everything that is still open, may hand it over likewise, and a free window."""
    demand = order.units_by_sku(order.pickup.held())
    articles = parts.catalogue.articles(sorted(demand)).values()
    needed = {order.pickup.collect}.union(*(article.needs for article in articles))
    near: list[tuple[float, Store]] = []
    for other in parts.stores.all():
        far = distance(store.place, other)
        if other.id != store.id and needed <= other.services and far is not None and far <= policy.within_km:
            near.append((far, other))
    near.sort(key=lambda one: (one[0], one[1].id))
    names = [other.id for _, other in near]
    with parts.storage.reading() as tx:
        there: Mapping[tuple[str, str], int] = parts.inventory.available(tx, sorted(demand), names) if names else {}
    found: list[_Way] = []
    for _, other in near:
        if len(found) < policy.stores and all(there.get((other.id, sku), 0) >= n for sku, n in demand.items()):
            option = Option(f"at {other.id}", Alternative.OTHER_STORE)
            found += _in_a_window(parts, order, other, option, at, ready=at, wait=timedelta(0))
    return found


# --- doing it ---------------------------------------------------------------------------------------------

_Act = Callable[[Unit, Order, tuple[e.Event, ...], Slot | None], Order]


def _prepared(parts: Parts, order: Order, option: Option, about: tuple[Units, ...], reason: str, stamp: Stamp) -> _Act:
    """What carries the option out in a transaction: everything from outside of it is looked up here."""
    store = parts.stores.store(option.store) if option.store else None
    found: tuple[e.Event, ...] = ()
    wait = _another_way(parts, order, reason, stamp.at) if option.alternative is Alternative.LATER else timedelta(0)
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
    anew = at + _longest_transit(parts, order)
    return tuple(e.ArrivalMoved(leg.transfer, anew) for leg in order.pickup.awaited if leg.expected_at <= at)
