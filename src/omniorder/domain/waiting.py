"""Goods that are ready wait for their customer: until when, when that is told, and what time alone makes of them.

Every instant is worked out from the store's opening hours when goods are made ready or their deadline is moved, and
kept on the pick-up: `due` and `passed` need no calendar. Whoever acts when one of them has come looks at the store's
hours once more (`moved`), because a store may have closed since for a day on which it was to be open.

What is perishable has a deadline of its own, which is never moved. An order of nothing else has only that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from attrs import evolve

from omniorder.domain import events as e
from omniorder.domain import fees, hours
from omniorder.domain.lifecycle import OrderState, PaymentState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.no_show_policy import NoShowPolicy, RemindAfter, Reminder
from omniorder.domain.orders import Order, told
from omniorder.domain.stores import Store
from omniorder.domain.terms import Terms
from omniorder.errors import NotExtended, NotReady

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_CLAIMED = (PaymentState.CAPTURING, PaymentState.COLLECTING)
NOT_COLLECTED = "not_collected"
"""Why a fee is kept and perishable goods are thrown away: nobody came."""


# --- until when -------------------------------------------------------------------------------------------


def made_ready(
    order: Order, store: Store, policy: NoShowPolicy, now: datetime, *, staged_at: str, key_id: str
) -> e.MadeReady:
    """How goods begin to wait: until the store closes on its `pickup_days`-th opening day after the window, or `now`.

    What was ready before waits at least as long as its customer was told then.
    """
    pickup = order.pickup
    since = max(pickup.ends, now)
    until = hours.keep_until(store, since, store.pickup_days)
    spoils_at: datetime | None = None
    if perishable := perishables(order, pickup.rest()):
        spoils_at = min(until, _spoil_at(store, since, now, policy.perishable_days))
    if perishable and perishable == pickup.rest():
        until = spoils_at or until
    elif pickup.until is not None:
        until = max(until, pickup.until)
    plan = reminders(store, policy.reminders, now, until, spoils_at)
    return e.MadeReady(staged_at, until, key_id, plan, spoils_at, pickup.starts)


def _spoil_at(store: Store, since: datetime, now: datetime, days: int) -> datetime:
    """Closing time of the `days`-th opening day after `since`; for 0 of the day on which that is, if it is not over."""
    if days:
        return hours.keep_until(store, since, days)
    today = (since - _SECOND).astimezone(store.tz).date()
    for day in (today - _DAY, today):  # an evening past midnight belongs to the day on which it began
        closes = hours.closing_on(store, day)
        if closes is not None and closes >= since and closes > now:
            return closes
    return hours.keep_until(store, since, 1)


def reminders(
    store: Store, rules: Iterable[Reminder], now: datetime, until: datetime, spoils_at: datetime | None = None
) -> tuple[datetime, ...]:
    """When the customer is to be reminded: after `now` and before the deadline, each instant once.

    What is to be so long before the deadline is so before the one of perishable goods, too.
    """
    ends = {until} if spoils_at is None else {until, spoils_at}
    found: set[datetime] = set()
    for rule in rules:
        match rule:
            case RemindAfter(open_days):
                later = {hours.same_time_later(store, now, open_days)}
            case _ if rule.by_clock:
                later = {end - rule.lasts for end in ends}
            case _:
                later = {hours.open_time_before(store, end, rule.lasts, now) for end in ends}
        found |= {at for at in later if at is not None and now < at < until}
    return tuple(sorted(found))


def perishables(order: Order, units: Iterable[e.Units]) -> tuple[e.Units, ...]:
    """Which of these units are perishable."""
    return tuple(part for part in units if order.line(part.line).handling.perishable)


# --- longer -----------------------------------------------------------------------------------------------


def extended(order: Order, store: Store, policy: NoShowPolicy, now: datetime) -> e.DeadlineExtended:
    """The customer may have the goods kept for some more opening days, once. Raises `NotReady`, `NotExtended`."""
    until = _extensible(order)
    if not policy.extension_days:
        raise _not_extended(order, until, "never")
    if order.pickup.extended:
        raise _not_extended(order, until, "used")
    later = hours.keep_longer(store, max(until, now), policy.extension_days)
    if later is None:
        raise _not_extended(order, until, "closed")
    return _extension(order, store, policy, now, later, asked=True)


def kept(order: Order, store: Store, policy: NoShowPolicy, now: datetime, day: date) -> e.DeadlineExtended:
    """The store keeps the goods until it closes on this `day` of its own calendar. Raises as `extended` does."""
    until = _extensible(order)
    if day > now.astimezone(store.tz).date() + policy.staff_days * _DAY:
        raise _not_extended(order, until, "too_long")
    later = hours.closing_on(store, day)
    if later is None:
        raise _not_extended(order, until, "closed")
    if later <= max(until, now):
        raise _not_extended(order, until, "not_later")
    return _extension(order, store, policy, now, later)


def moved(order: Order, store: Store, policy: NoShowPolicy, at: datetime) -> tuple[e.Event, ...]:
    """The deadline, when it or a reminder of it has come and the store turns out to be closed then: moved to the next
    closing time, if there is any. A deadline that was told is never moved nearer."""
    pickup, until = order.pickup, waits_until(order)
    if until is None or not any(one <= at for one in (until, *_yet_to_come(order))) or _only_perishable(order):
        return ()
    if pickup.store != store.id or hours.is_open(store, until - _SECOND):
        return ()
    later = hours.keep_longer(store, max(until, at), 1)
    return () if later is None else (_extension(order, store, policy, at, later),)


def _extensible(order: Order) -> datetime:
    pickup = order.pickup
    if order.state is not OrderState.CONFIRMED or pickup.state is not PickupState.READY or pickup.until is None:
        state = pickup.state.value
        raise NotReady(order=order.id, reason=f"its pick-up is {state}", state=state)
    if _only_perishable(order):
        raise _not_extended(order, pickup.until, "perishable")
    return pickup.until


def _not_extended(order: Order, until: datetime, reason: str) -> NotExtended:
    there = until.astimezone(ZoneInfo(order.pickup.zone))
    return NotExtended(order=order.id, reason=reason, until=there.isoformat())


def _only_perishable(order: Order) -> bool:
    rest = order.pickup.rest()
    return perishables(order, rest) == rest


def _extension(
    order: Order, store: Store, policy: NoShowPolicy, now: datetime, until: datetime, *, asked: bool = False
) -> e.DeadlineExtended:
    spoils_at = order.pickup.spoils_at if _spoiling(order) else None
    return e.DeadlineExtended(until, reminders(store, policy.reminders, now, until, spoils_at), asked)


# --- what time makes of them ------------------------------------------------------------------------------


def waits_until(order: Order) -> datetime | None:
    """How long ready goods wait for the customer; without an end while money for them is being taken, or once they are
    with the customer and only the money is missing."""
    waits = order.pickup.state is PickupState.READY and not order.pickup.left
    ready = order.state is OrderState.CONFIRMED and waits
    return order.pickup.until if ready and not any(p.state in _CLAIMED for p in order.payments) else None


def due(order: Order) -> list[datetime]:
    """When time does something to goods that wait: a reminder, the end of what is perishable, the end of all."""
    until, spoils_at = waits_until(order), order.pickup.spoils_at
    if until is None:
        return []
    return [until, *_yet_to_come(order)[:1], *([spoils_at] if spoils_at is not None and _spoiling(order) else [])]


def passed(order: Order, at: datetime, terms: Terms) -> tuple[e.Event, ...]:
    """What time has done to goods that wait. Of several reminders that were missed one is told, and none once it is too
    late to come."""
    until = waits_until(order)
    if until is None:
        return ()
    pickup, rest = order.pickup, order.pickup.rest()
    spoiled = pickup.spoils_at is not None and at >= pickup.spoils_at
    gone = perishables(order, rest) if spoiled else ()
    if at >= until or (gone and gone == rest):
        if pickup.collected:
            return (e.RestLapsed(rest), e.OrderCompleted())
        return (*_fee(order, at, terms), e.NoShowStarted(), e.NoShow())
    missed = sum(one <= at for one in pickup.reminders)
    reminded = (e.Reminded(missed),) if missed > pickup.reminded else ()
    return (*((e.UnitsSpoiled(gone),) if gone else ()), *reminded)


def fair(order: Order, store: Store, terms: Terms) -> Terms:
    """The same terms, but for the fee where the store was closed at the deadline: its customer could not come."""
    ends = order.pickup.spoils_at if _only_perishable(order) else order.pickup.until
    if ends is None or hours.is_open(store, ends - _SECOND):
        return terms
    return evolve(terms, no_show=evolve(terms.no_show, fee=None, fee_share="0"))


def _yet_to_come(order: Order) -> tuple[datetime, ...]:
    return order.pickup.reminders[order.pickup.reminded :]


def _spoiling(order: Order) -> bool:
    return order.pickup.spoils_at is not None and bool(perishables(order, order.pickup.rest()))


def _fee(order: Order, at: datetime, terms: Terms) -> tuple[e.Event, ...]:
    """What the shop keeps, as far as the tenders can give it: an order to be paid at the counter gives nothing."""
    wanted = terms.no_show.charge(order.wanted_value)
    charged = min(wanted.amount, fees.most(order, terms).amount)
    if charged <= 0:
        return ()
    fee = e.FeeCharged(Money(charged, wanted.currency), NOT_COLLECTED)
    after = told(order, (fee, e.NoShowStarted(), e.NoShow()), at)
    return () if fees.stranded(after, terms) else (fee,)
