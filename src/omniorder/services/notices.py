"""Telling the customer: a consumer of the journal like any other, so no message is lost and none comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from omniorder.domain import events as e
from omniorder.domain.events import Event, Recorded, Stamp
from omniorder.domain.orders import Stage
from omniorder.ports.notifications import Message, Notifier, Occasion
from omniorder.services.logs import log
from omniorder.services.parts import Parts
from omniorder.services.units import in_transaction, reading

CONSUMER: Final = "omniorder.notices"

_OCCASIONS: Final[dict[type[Event], Occasion]] = {
    e.OrderConfirmed: Occasion.CONFIRMED,
    e.OrderChanged: Occasion.CHANGED,
    e.CustomerAsked: Occasion.QUESTION,
    e.SubstituteProposed: Occasion.SUBSTITUTE_PROPOSED,
    e.UnitsSubstituted: Occasion.SUBSTITUTED,
    e.SlotMoved: Occasion.MOVED,
    e.OrderRerouted: Occasion.MOVED,
    e.LinesCancelled: Occasion.LESS,
    e.UnitsSpoiled: Occasion.LESS,
    e.MadeReady: Occasion.READY,
    e.Reminded: Occasion.REMINDER,
    e.DeadlineExtended: Occasion.EXTENDED,
    e.OrderCompleted: Occasion.COLLECTED,
    e.OrderCancelled: Occasion.CANCELLED,
    e.OrderExpired: Occasion.EXPIRED,
    e.PartReturned: Occasion.RETURNED,
    e.AllReturned: Occasion.RETURNED,
    e.Refunded: Occasion.REFUNDED,
}
_ONLY_WHEN: Final = {
    Occasion.REFUNDED: (Stage.COLLECTED, Stage.RETURNED),
    Occasion.REMINDER: (Stage.READY,),
    Occasion.EXTENDED: (Stage.READY,),
}
"""What is told of orders in some stages only: of one that was called off, that is told and not what it means; and
nobody is reminded of what they have."""


def deliver(parts: Parts, stamp: Stamp, limit: int, stop: Callable[[], bool]) -> tuple[int, int]:
    """Hand due messages to the notifier, in order per customer's order; how many were sent, and how many failed.

    One that fails is tried again by the next sweep, and holds back only what comes after it on the same order. Once
    `stop` says so, the rest is left to the next sweep too.
    """
    notifier = parts.notifier
    if notifier is None or stop():
        return 0, 0
    entries = reading(parts, lambda tx: tx.undelivered(CONSUMER, limit))
    stuck: set[str] = set()
    done: list[Recorded] = []
    sent = 0
    for entry in entries:
        if stop():
            break
        if entry.stream in stuck:
            continue
        occasion = None if _told_already(parts, entry) else _occasion(entry.event)
        if occasion is not None:
            told = _told(parts, notifier, entry, occasion)
            if told is None:
                stuck.add(entry.stream)
                continue
            sent += told
        done.append(entry)
    if done:
        in_transaction(parts, stamp, lambda unit: unit.tx.acknowledge(CONSUMER, done))
    return sent, len(stuck)


_STEPS: Final = (e.SlotMoved, e.OrderRerouted, e.LinesCancelled)
"""What may be told for itself, or be a step of a change of which the customer is told as a whole."""
_MOST_STEPS: Final = 5


def _told_already(parts: Parts, entry: Recorded) -> bool:
    """Whether it is a step of a change: a little before it in the journal stands of how many steps that is."""
    if not isinstance(entry.event, _STEPS):
        return False
    start = max(0, entry.seq - 1 - _MOST_STEPS)
    before = reading(parts, lambda tx: tx.journal(entry.home, entry.stream, after=start, limit=entry.seq - 1 - start))
    return any(isinstance(one.event, e.OrderChanged) and one.seq + one.event.steps >= entry.seq for one in before)


def _occasion(event: Event) -> Occasion | None:
    if isinstance(event, e.LeftForStore):
        return Occasion.PAY_AT_COUNTER if event.reason else None  # who chose to pay there need not be told
    return _OCCASIONS.get(type(event))


def _told(parts: Parts, notifier: Notifier, entry: Recorded, occasion: Occasion) -> bool | None:
    """Whether the customer was told: not where there is nothing to tell, and None when it failed."""
    order = reading(parts, lambda tx: tx.order(entry.stream))
    if order is None or order.stage not in _ONLY_WHEN.get(occasion, Stage):
        return False
    try:
        notifier.notify(Message(entry.id, occasion, order.owner, order.id, order.language))
    except Exception:
        log().exception("the notifier failed", message_id=entry.id)
        return None
    return True
