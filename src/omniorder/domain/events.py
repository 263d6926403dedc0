"""Facts, in the past tense, frozen: the only way in which a cart, promise, order, payment or pick-up changes.

A command decides which events happen; `apply` (beside each aggregate) says what they do to it; the journal
keeps them. So the journal can't forget a change, and a change can't happen without its entry.

Events hold identifiers, amounts and instants, never personal data. A field marked `PRIVATE` travels inside
the process only and is left out of the journal: the text of a note lives in a row of its own that can be
erased without breaking history.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import field, frozen

from omniorder.domain.channels import Channel
from omniorder.domain.money import Money
from omniorder.domain.text import Metadata

PRIVATE: Final = {"private": True}


@frozen
class Event:
    """The root of all facts."""


@frozen
class Units:
    """So many units of one order line."""

    line: str
    quantity: int


@frozen
class Stamp:
    """Who did something, when and through which channel: put on every event of a command.

    `actor` is the actor's journal name (`customer:anna`), `via` the caller's free text (`ios/5.2`).
    """

    at: datetime
    channel: Channel
    actor: str
    via: str = ""


@frozen
class Recorded:
    """An event as the journal keeps it.

    `home` is the key of the journal's shard (a store for orders, the cart itself for carts), `stream` the
    aggregate's id, `seq` counts 1..n within the stream without gaps.
    """

    home: str
    stream: str
    seq: int
    stamp: Stamp
    event: Event

    @property
    def id(self) -> str:
        """Unique, and the same each time that the event is delivered."""
        return f"{self.stream}/{self.seq}"

    @property
    def name(self) -> str:
        """The event's class name, as the journal stores it."""
        return type(self.event).__name__


# --- carts ------------------------------------------------------------------------------------------------


@frozen
class CartStarted(Event):
    owner: str
    language: str = ""


@frozen
class LineAdded(Event):
    line: str
    sku: str
    quantity: int
    metadata: Metadata = field(factory=Metadata)
    note: str = field(default="", repr=False, metadata=PRIVATE)


@frozen
class LineChanged(Event):
    line: str
    quantity: int


@frozen
class LineNoted(Event):
    line: str
    note: str = field(default="", repr=False, metadata=PRIVATE)


@frozen
class LineRemoved(Event):
    line: str


@frozen
class CartOrdered(Event):
    order: str


@frozen
class CartReopened(Event):
    order: str


@frozen
class CartMerged(Event):
    into: str


@frozen
class CartAbandoned(Event):
    pass


@frozen
class CartResumed(Event):
    pass


# --- promises (told in the cart's stream) -----------------------------------------------------------------


@frozen
class PromiseMade(Event):
    promise: str
    store: str
    slot: str
    total: Money
    ceiling: Money
    expires_at: datetime


@frozen
class PromiseAccepted(Event):
    promise: str
    order: str


@frozen
class PromiseReplaced(Event):
    promise: str
    by: str


@frozen
class PromiseWithdrawn(Event):
    promise: str


@frozen
class PromiseLapsed(Event):
    promise: str


# --- reservations (the ledger's own; not journalled, the movements and reservation rows are the record) ----


@frozen
class ReservationExtended(Event):
    until: datetime


@frozen
class Firmed(Event):
    pass


@frozen
class ReservationReleased(Event):
    pass


@frozen
class ReservationExpired(Event):
    pass


@frozen
class UnitsConsumed(Event):
    units: tuple[tuple[str, int], ...]


@frozen
class UnitsReleased(Event):
    units: tuple[tuple[str, int], ...]


@frozen
class LastUnitsResolved(Event):
    pass


# --- attempts: one operation at a provider ----------------------------------------------------------------


@frozen
class AttemptEvent(Event):
    payment: str
    attempt: str


@frozen
class AttemptSucceeded(AttemptEvent):
    provider_id: str = ""


@frozen
class AttemptRefused(AttemptEvent):
    reason: str = ""


@frozen
class AttemptUnanswered(AttemptEvent):
    """The outcome is open: no reply came, or the customer must act first. `look_at` is when to ask again."""

    look_at: datetime


@frozen
class AttemptWithdrawn(AttemptEvent):
    pass


@frozen
class ProvedAbsent(AttemptEvent):
    pass


@frozen
class FoundLate(AttemptEvent):
    provider_id: str = ""


# --- payments: one per tender -----------------------------------------------------------------------------


@frozen
class PaymentEvent(Event):
    payment: str


@frozen
class AuthoriseRequested(PaymentEvent):
    attempt: str
    amount: Money


@frozen
class LeftForStore(PaymentEvent):
    amount: Money


@frozen
class PaymentWithdrawn(PaymentEvent):
    pass


@frozen
class ActionRequired(PaymentEvent):
    pass


@frozen
class Authorised(PaymentEvent):
    amount: Money
    provider_id: str = ""


@frozen
class Paid(PaymentEvent):
    amount: Money
    provider_id: str = ""


@frozen
class Declined(PaymentEvent):
    reason: str


@frozen
class VoidRequested(PaymentEvent):
    attempt: str


@frozen
class Increased(PaymentEvent):
    amount: Money


@frozen
class AuthorisationExtended(PaymentEvent):
    pass


@frozen
class CaptureRequested(PaymentEvent):
    attempt: str
    amount: Money


@frozen
class AuthorisationLapsed(PaymentEvent):
    pass


@frozen
class Captured(PaymentEvent):
    amount: Money


@frozen
class PartCaptured(PaymentEvent):
    amount: Money


@frozen
class CaptureRefused(PaymentEvent):
    reason: str


@frozen
class Voided(PaymentEvent):
    pass


@frozen
class FoundCaptured(PaymentEvent):
    amount: Money


@frozen
class CounterStarted(PaymentEvent):
    attempt: str
    amount: Money


@frozen
class CounterFailed(PaymentEvent):
    reason: str


@frozen
class Waived(PaymentEvent):
    pass


@frozen
class RefundRequested(PaymentEvent):
    attempt: str
    amount: Money


@frozen
class Refunded(PaymentEvent):
    amount: Money


@frozen
class RefundFailed(PaymentEvent):
    amount: Money
    reason: str


@frozen
class Disputed(PaymentEvent):
    amount: Money


@frozen
class LateAuthorised(PaymentEvent):
    attempt: str
    amount: Money
    provider_id: str = ""


@frozen
class LateCaptured(PaymentEvent):
    amount: Money
    provider_id: str = ""


# --- orders -----------------------------------------------------------------------------------------------


@frozen
class OrderPlaced(Event):
    cart: str
    promise: str
    owner: str
    total: Money
    ceiling: Money
    pay_by: datetime


@frozen
class TenderAdded(Event):
    payment: str
    kind: str
    amount: Money
    token: str = field(default="", repr=False, metadata=PRIVATE)


@frozen
class TenderFailed(Event):
    payment: str


@frozen
class OrderConfirmed(Event):
    pass


@frozen
class CancelStarted(Event):
    """`hold_until` is how long the goods of an unconfirmed order wait for money in flight to be undone."""

    reason: str
    hold_until: datetime


@frozen
class ExpiryStarted(Event):
    hold_until: datetime


@frozen
class NoShowStarted(Event):
    pass


@frozen
class LinesCancelled(Event):
    units: tuple[Units, ...]
    reason: str


@frozen
class OrderRerouted(Event):
    pickup: str


@frozen
class FundingLost(Event):
    pass


@frozen
class OrderCompleted(Event):
    pass


@frozen
class OrderCancelled(Event):
    pass


@frozen
class OrderExpired(Event):
    pass


@frozen
class PartReturned(Event):
    units: tuple[Units, ...]


@frozen
class AllReturned(Event):
    pass


# --- pick-ups ---------------------------------------------------------------------------------------------


@frozen
class PickReleased(Event):
    pass


@frozen
class StockAwaited(Event):
    pass


@frozen
class StockArrived(Event):
    pass


@frozen
class SlotMoved(Event):
    slot: str


@frozen
class CustomerAsked(Event):
    until: datetime


@frozen
class PickStarted(Event):
    pass


@frozen
class LinePicked(Event):
    line: str
    quantity: int


@frozen
class ShortPicked(Event):
    line: str
    quantity: int
    reason: str


@frozen
class PickReset(Event):
    pass


@frozen
class PickResumed(Event):
    pass


@frozen
class Requeued(Event):
    pass


@frozen
class PickRerouted(Event):
    pass


@frozen
class MadeReady(Event):
    staged_at: str
    until: datetime
    key_id: str


@frozen
class Unreadied(Event):
    reason: str


@frozen
class DeadlineExtended(Event):
    until: datetime


@frozen
class CodeReissued(Event):
    """A new generation of the pick-up code: the old one is dead and the wrong tries are forgotten."""

    generation: int
    key_id: str


@frozen
class HandOverStarted(Event):
    """The pick-up is claimed for these units; `look_at` is when the sweep takes over from a dead claimant."""

    units: tuple[Units, ...]
    look_at: datetime


@frozen
class HandOverFailed(Event):
    reason: str


@frozen
class PartCollected(Event):
    units: tuple[Units, ...]


@frozen
class Collected(Event):
    units: tuple[Units, ...]


@frozen
class NoShow(Event):
    pass


@frozen
class RestLapsed(Event):
    units: tuple[Units, ...]


@frozen
class RestCancelled(Event):
    units: tuple[Units, ...]


@frozen
class PickupCancelled(Event):
    reason: str


_ROOTS: Final = (Event, PaymentEvent, AttemptEvent)
EVENTS: Final[dict[str, type[Event]]] = {
    name: kind
    for name, kind in list(globals().items())
    if isinstance(kind, type) and issubclass(kind, Event) and kind not in _ROOTS
}
"""Every event that can happen, by the name under which the journal stores it."""
