"""Lives of orders: random walks that take one decision after the other, each by the domain's own functions.

A walk goes where customers, staff, providers and time may lead an order, in any order and at any moment; what the
tables or guards refuse is left out, as it would be in a shop. So what comes out is strange at times, and never
impossible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final, TypeVar

from attrs import field, frozen
from hypothesis import strategies as st

from omniorder.domain import coupling, crediting, ids, substitutes
from omniorder.domain import events as e
from omniorder.domain.answers import (
    AUTHORISATION_EXPIRED,
    Absent,
    Answer,
    Approved,
    Denied,
    NeedsAction,
    NoAnswer,
    heard,
)
from omniorder.domain.articles import Article, Price
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.capturing import Taken, Terminal, hand_over
from omniorder.domain.consents import ConsentMode
from omniorder.domain.events import Event
from omniorder.domain.lifecycle import BUSY_PAYMENTS, PICKUP, AttemptState, OrderState, PaymentState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order, told
from omniorder.domain.payments import Action, Attempt, Operation, Payment
from omniorder.domain.proposals import Proposal
from omniorder.domain.questions import Alternative, Option, Question
from omniorder.domain.substitutes import Offered
from omniorder.domain.terms import PLAIN
from omniorder.errors import OmniorderError

__all__ = ["Turn", "answers_to", "below", "card_asked", "one_of", "walk"]

T = TypeVar("T")

Events = tuple[Event, ...]
Fits = Callable[[Order], bool]
Decision = Callable[[st.DrawFn, Order, datetime], Events]

_LENGTHS: Final = (0, 2, 6, 12, 20)
_HOLD: Final = timedelta(minutes=30)
_SECONDS: Final = st.integers(0, 3600)
_YES_OR_NO: Final = st.booleans()
_REASONS: Final = ("card_declined", "insufficient_funds", AUTHORISATION_EXPIRED)


@frozen
class Turn:
    """One transaction in the life of an order: the events that were decided and all that followed from them.

    Only the events are shown: a failing example with a dozen whole orders in it could not be read.
    """

    before: Order = field(repr=False)
    events: Events
    after: Order = field(repr=False)
    at: datetime


@cache
def below(count: int) -> st.SearchStrategy[int]:
    """Numbers from 0 on, so many of them. Kept: making a strategy takes longer than drawing from it."""
    return st.integers(0, count - 1)


def one_of(draw: st.DrawFn, options: Sequence[T]) -> T:
    """One of these, each as likely as the others."""
    return options[draw(below(len(options)))]


def walk(draw: st.DrawFn, order: Order, at: datetime) -> tuple[Turn, ...]:
    """Steps of this order's life, from the instant `at` on; refused decisions are no steps."""
    steps: list[Turn] = []
    for _ in range(one_of(draw, _LENGTHS)):
        at += timedelta(seconds=draw(_SECONDS))
        decide = one_of(draw, [decide for decide, weight, fits in _DECISIONS if fits(order) for _ in range(weight)])
        try:
            events = decide(draw, order, at)
            after, more = coupling.follow(told(order, events, at), at)
        except OmniorderError:  # the shop says no: nothing happened
            continue
        if events or more:
            steps.append(Turn(order, (*events, *more), after, at))
            order = after
    return tuple(steps)


# --- the provider -----------------------------------------------------------------------------------------


def answers_to(payment: Payment, attempt: Attempt) -> tuple[Answer, ...]:
    """What a provider may answer this attempt, at any time. What is usual comes more than once."""
    number = f"prv_{attempt.id}"
    done = Approved(attempt.amount, number)
    options: list[Answer] = [done, done, *(Denied(reason) for reason in _REASONS), NoAnswer(), Absent()]
    match attempt.operation:
        case Operation.AUTHORISE:
            options.append(Approved(attempt.amount, number, captured=True))
            options.append(NeedsAction(Action("secret", "https://provider.example"), number))
        case Operation.CAPTURE:
            if payment.captured + attempt.amount < payment.authorised:
                options += [Approved(attempt.amount, number, open=True)] * 3
        case Operation.VOID if payment.authorised.amount:
            options.append(Denied("already_captured", payment.authorised))
        case _:
            pass
    return tuple(options)


def _answered(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    waiting = [(p, a) for p in order.payments for a in p.attempts if a.open or a.state is AttemptState.ABSENT]
    payment, attempt = one_of(draw, waiting)
    answer = one_of(draw, answers_to(payment, attempt))
    return heard(order, attempt.id, answer, look_at=at + timedelta(minutes=1))


def _asked(order: Order) -> bool:
    return any(a.open or a.state is AttemptState.ABSENT for p in order.payments for a in p.attempts)


def _expired(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    """An authorisation grew too old before anybody captured it."""
    lost = one_of(draw, [p for p in order.payments if p.state is PaymentState.AUTHORISED])
    return (e.AuthorisationLapsed(lost.id), e.FundingLost())


def _disputed(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    taken = one_of(draw, [p for p in order.payments if p.state is PaymentState.CAPTURED])
    return (e.Disputed(taken.id, taken.captured),)


# --- the customer -----------------------------------------------------------------------------------------


def _tendered(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    open_money = sum(
        p.authorised.amount - p.captured.amount for p in order.payments if p.state is PaymentState.AUTHORISED
    )
    due = sum(p.amount.amount for p in order.payments if p.state is PaymentState.DUE_IN_STORE)
    missing = order.ceiling.amount - order.kept.amount - open_money - due
    part = 1 + draw(below(max(1, missing))) if draw(below(4)) == 0 else missing
    amount = Money(part, order.total.currency)
    if draw(_YES_OR_NO):
        return card_asked(order, amount)
    new = order.next_payment_id()
    return (e.TenderAdded(new, "in_store", amount), e.LeftForStore(new, amount))


def card_asked(order: Order, amount: Money) -> Events:
    """A card is tendered for this much, and its provider is to be asked."""
    new = order.next_payment_id()
    asked = ids.attempt_id(new, 1)
    return (e.TenderAdded(new, "card", amount, "pm_card_visa"), e.AuthoriseRequested(new, asked, amount))


def _unpaid(order: Order) -> bool:
    return order.state is OrderState.PLACED and not any(p.state in BUSY_PAYMENTS for p in order.payments)


def _cancelled(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    if order.state is OrderState.CONFIRMED and draw(_YES_OR_NO):
        fee = Money(1 + draw(below(200)), order.total.currency)
        return crediting.cancel(order, at=at, terms=PLAIN, reason="too late", hold_until=at + _HOLD, fee=fee)
    return coupling.cancel(order, "customer", at + _HOLD)


def _claimed(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    """It came to light whose order it was."""
    return (e.OrderClaimed(one_of(draw, ("customer:anna", "customer:boris")), order.owner),)


def _returned(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    if draw(_YES_OR_NO):
        return (e.AllReturned(),)
    return (e.PartReturned((e.Units(order.lines[0].id, 1),)),)


# --- the store --------------------------------------------------------------------------------------------


def _picked(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    first: Events = (e.PickStarted(),) if order.pickup.state is PickupState.TO_PICK else ()
    wanted: list[e.LinePicked] = []
    for line in order.pickup.lines:
        least, most = line.to_pick
        if most > 0:  # of what is weighed anything that was agreed on
            wanted.append(e.LinePicked(line.line, max(1, most - draw(below(most - least + 1)))))
    everything = draw(_YES_OR_NO)
    if everything or not wanted:
        return (*first, *wanted)
    one = one_of(draw, wanted)
    return (*first, e.LinePicked(one.line, 1 + draw(below(one.quantity))))


def _made_ready(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    pickup = order.pickup
    if not pickup.fully_picked:
        return ()
    return (*pickup.weighed(), e.MadeReady("C4", at + timedelta(days=3), "1", (at + timedelta(days=2),)))


def _ready_again(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    pickup = order.pickup
    events: list[Event] = [
        e.Unreadied("wrong bag"),
        e.CodeReissued(pickup.generation + 1, "2"),
        e.DeadlineExtended(at + timedelta(days=5), (at + timedelta(days=4),), asked=not pickup.extended),
    ]
    if pickup.reminded < len(pickup.reminders):
        events.append(e.Reminded(pickup.reminded + 1))
    return (one_of(draw, events),)


def _worked(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    """What may happen between the shelf and the staging area."""
    events: list[Event] = [
        e.PickReset(),
        e.SlotMoved(order.pickup.slot, order.pickup.starts, order.pickup.ends),
        *(e.ShortPicked(line.line, line.missing, "not_found") for line in order.pickup.lines if line.missing),
    ]
    return (one_of(draw, [event for event in events if type(event) in PICKUP[order.pickup.state]]),)


def _held_up(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    """It waits for the customer or for goods, or no longer does."""
    events: list[Event] = [
        e.CustomerAsked(_question(order, at)),
        e.StockAwaited(),
        e.StockArrived(),
        e.PickResumed(),
        e.Requeued(),
    ]
    return (one_of(draw, [event for event in events if type(event) in PICKUP[order.pickup.state]]),)


def _substituted(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    """Something else is given, or proposed, for units that the shelf lacks; for any price, as the consent may allow."""
    line = order.line(one_of(draw, [line for line in order.pickup.lines if line.missing]).line)
    number, units = len(order.added) + len(order.pickup.proposals), order.pickup.line(line.id).missing
    price = Money(draw(below(line.price.amount + 1)), line.price.currency)
    article = Article("SUBSTITUTE", "Something else", line.unit)
    offered = Offered(ids.line_id(number.to_bytes(8)), article, Price("SUBSTITUTE", price, tax="0.20", per=line.per))
    some, hold = 1 + draw(below(units)), ids.reservation_id(order.pickup.store, (number + 1).to_bytes(16))
    coming = substitutes.coming(order, line.id, some, offered)
    if substitutes.ordered_line(order, line.id).consent.mode is ConsentMode.ASK:
        until, silence = at + timedelta(minutes=15), draw(_YES_OR_NO)
        return (e.SubstituteProposed(Proposal(line.id, some, coming, hold, until, "not_found", silence)),)
    return (e.LinesAppended((coming,), hold), e.UnitsSubstituted(line.id, some, coming.id))


def _answered_to_proposal(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    proposal = one_of(draw, order.pickup.proposals)
    if draw(below(4)) == 0:
        return (e.SubstituteWithdrawn(proposal.id),)
    return substitutes.answered(order, proposal, accepted=draw(_YES_OR_NO))


def _lacks_some(order: Order) -> bool:
    consents = (substitutes.ordered_line(order, line.line).consent for line in order.pickup.lines if line.missing)
    return order.pickup.state is PickupState.PICKING and any(one.mode is not ConsentMode.REFUSE for one in consents)


def _question(order: Order, at: datetime) -> Question:
    about = order.pickup.short or order.pickup.rest()
    options = (Option("less", Alternative.LESS), Option("nothing", Alternative.NOTHING))
    return Question(about, "not_found", options, "less", at + timedelta(hours=4))


def _decided(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    """The customer, or time, decided what becomes of units that the store hasn't got."""
    question = order.pickup.question or _question(order, at)
    option = one_of(draw, question.options)
    told: tuple[Event, ...] = (e.QuestionAnswered(option.id), e.QuestionLapsed(option.id))
    first = (one_of(draw, told),) if order.pickup.question else ()
    return (*first, *coupling.go_on(order, option, question.about, question.reason, at + _HOLD))


def _came(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    """Somebody comes for it, or says who will."""
    events: list[Event] = [
        e.CustomerOnTheWay(at + timedelta(minutes=20)),
        e.CustomerArrived("P3", "blue Skoda, CB 1234"),
        e.CustomerAttended("associate:ivan@SOF01"),
        e.ArrivalWithdrawn(),
        e.ProxyNamed("prx_1", "Ivan Petrov"),
        e.ProxyWithdrawn(),
    ]
    happened = one_of(draw, events)
    nobody = order.pickup.arrival is None or order.pickup.arrival.arrived_at is None
    there = isinstance(happened, e.CustomerAttended) and nobody
    return (e.CustomerArrived(), happened) if there else (happened,)


def _handed_over(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    units = order.pickup.rest()
    if draw(_YES_OR_NO):
        one = one_of(draw, units)
        units = (e.Units(one.line, 1 + draw(below(one.quantity))),)
    can = one_of(draw, _CAPABILITIES)
    due = order.owed_after(units) - order.held
    ways: tuple[Taken | Terminal, ...] = (Taken(due, "cash", "till 4/17"), Terminal("tmr_1"))
    taken = one_of(draw, ways) if order.due_in_store.amount else None
    return hand_over(order, units, capabilities={"card": can}, taken=taken, look_at=at + timedelta(minutes=2))


def _corrected(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    """Goods are refunded, by the unit or for an amount, or the shop forgoes money; sometimes for a fee."""
    few = Money(1 + draw(below(200)), order.total.currency)
    fee = few if draw(below(4)) == 0 else None
    match draw(below(4)):
        case 0:
            return crediting.goodwill(order, few, at=at, terms=PLAIN, reason="late")
        case 1:
            return crediting.refund(order, at=at, terms=PLAIN, reason="dented", amount=few)
        case 2:
            one = one_of(draw, order.pickup.lines)
            units = (e.Units(one.line, 1 + draw(below(max(1, one.collected)))),)
            return crediting.refund(order, at=at, terms=PLAIN, reason="brought back", units=units, fee=fee)
        case _:
            return crediting.refund(order, at=at, terms=PLAIN, reason="all wrong", fee=fee)


def _timed_out(draw: st.DrawFn, order: Order, at: datetime) -> Events:
    late = max(at, order.pay_by, order.pickup.until or at)
    return coupling.overdue(order, late, late + _HOLD)


_CAPABILITIES: Final = (
    Capabilities(),
    Capabilities(several_captures=True),
    Capabilities(partial_capture=False),
)
_PREPARED: Final = (PickupState.TO_PICK, PickupState.PICKING)
_WAITING: Final = (PickupState.AWAITING_STOCK, PickupState.AWAITING_CUSTOMER)


def _at_pickup(*states: PickupState) -> Fits:
    return lambda order: order.state is OrderState.CONFIRMED and order.pickup.state in states


def _in_state(*states: OrderState) -> Fits:
    return lambda order: order.state in states


def _has(state: PaymentState) -> Fits:
    return lambda order: any(p.state is state for p in order.payments)


_DECISIONS: Final[tuple[tuple[Decision, int, Fits], ...]] = (
    (_tendered, 8, _unpaid),
    (_answered, 12, _asked),
    (_picked, 8, _at_pickup(*_PREPARED)),
    (_made_ready, 8, _at_pickup(PickupState.PICKING)),
    (_handed_over, 12, _at_pickup(PickupState.READY)),
    (_ready_again, 3, _at_pickup(PickupState.READY)),
    (_worked, 3, _at_pickup(*_PREPARED)),
    (_substituted, 3, _lacks_some),
    (_answered_to_proposal, 4, lambda order: bool(order.pickup.proposals)),
    (_held_up, 4, _at_pickup(*_PREPARED)),
    (_held_up, 8, _at_pickup(*_WAITING)),
    (_decided, 8, lambda order: order.pickup.state in (*_PREPARED, *_WAITING) and bool(order.pickup.rest())),
    (_came, 4, _at_pickup(*_PREPARED, *_WAITING, PickupState.READY)),
    (_expired, 1, _has(PaymentState.AUTHORISED)),
    (_disputed, 1, _has(PaymentState.CAPTURED)),
    (_corrected, 4, _in_state(OrderState.COMPLETED)),
    (_corrected, 2, lambda order: order.state is OrderState.CONFIRMED and order.pickup.collected),
    (_returned, 2, _in_state(OrderState.COMPLETED)),
    (_claimed, 1, lambda order: True),
    (_cancelled, 1, lambda order: True),
    (_timed_out, 2, lambda order: True),
    (_timed_out, 3, _at_pickup(PickupState.READY)),
)
"""Decisions, how likely each is beside the others, and when it makes sense at all."""
