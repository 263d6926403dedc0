"""Facts, in the past tense, frozen: the only way in which a cart, promise, order, payment or pick-up changes.

A command decides which events happen; `apply` (beside each aggregate) says what they do to it; the journal
keeps them. So the journal can't forget a change, and a change can't happen without its entry.

Events hold identifiers, amounts and instants, never personal data. A field marked `PRIVATE` travels inside
the process only and is left out of the journal: the text of a note lives in a row of its own that can be
erased without breaking history.

Amounts are `Money`, in minor units of the order's one currency; quantities are whole numbers of the article's own
unit; instants are aware and in UTC; and what is named without more (`line`, `order`, `payment`) is its id. `Units`
count per order line, reservations per SKU.

The tables know more than the commands of this release do: carts that are put away, returns and disputes have their
events here, because nothing is harder to add to a journal later.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import field, frozen

from omniorder.domain.channels import Channel
from omniorder.domain.money import Money
from omniorder.domain.quantities import Units as Units  # what events say of lines; counted as quantities are
from omniorder.domain.questions import Question
from omniorder.domain.text import Metadata

PRIVATE: Final = {"private": True}


@frozen
class Event:
    """The root of all facts."""


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
    """An empty cart came into being for `owner` (an actor's journal name); `language` is its BCP 47 tag, if any."""

    owner: str
    language: str = ""


@frozen
class LineAdded(Event):
    """`quantity` units of `sku` were put into the cart as a line of their own; `note` is for the picker."""

    line: str
    sku: str
    quantity: int
    metadata: Metadata = field(factory=Metadata)
    note: str = field(default="", repr=False, metadata=PRIVATE)


@frozen
class LineChanged(Event):
    """This many units of the line are wanted now, in place of what was wanted before."""

    line: str
    quantity: int


@frozen
class LineNoted(Event):
    """The picker's note on this line was replaced, or taken away by an empty one."""

    line: str
    note: str = field(default="", repr=False, metadata=PRIVATE)


@frozen
class LineRemoved(Event):
    """The line was taken out of the cart."""

    line: str


@frozen
class CartOrdered(Event):
    """The cart became this order, and can't be edited while the order stands."""

    order: str


@frozen
class CartReopened(Event):
    """This order ended before it was confirmed: the cart is open again, with all of its lines."""

    order: str


@frozen
class CartMerged(Event):
    """The lines went `into` another cart, and this one has ended."""

    into: str


@frozen
class CartAbsorbed(Event):
    """The lines of this other `cart` came into this one; the line events beside it say what the rule made of each."""

    cart: str


@frozen
class CartClaimed(Event):
    """The cart is `owner`'s from now on, who can prove that `former` were they, or was given it by them."""

    owner: str
    former: str


@frozen
class CartAbandoned(Event):
    """Nobody touched the cart for so long that it was put away."""


@frozen
class CartResumed(Event):
    """The owner came back to an abandoned cart."""


# --- handoffs (told in the cart's stream) -----------------------------------------------------------------


@frozen
class HandoffOffered(Event):
    """A token that opens the cart to whoever brings it before `until`, within these scopes (their values).

    `promise` is the one that it lets them pay, where it lets them do nothing else.
    """

    handoff: str
    scopes: tuple[str, ...]
    until: datetime
    promise: str | None = None


@frozen
class HandoffAccepted(Event):
    """The token was used, by `actor` (their journal name), who may act within its scopes `until` then."""

    handoff: str
    actor: str
    until: datetime


@frozen
class HandoffWithdrawn(Event):
    """The owner took it back: the token opens nothing any more, and whoever used it may do nothing more."""

    handoff: str


# --- customers --------------------------------------------------------------------------------------------


@frozen
class GuestClaimed(Event):
    """`guest` (a journal name) turned out to be this customer: their carts and orders are the customer's now."""

    guest: str


# --- promises (told in the cart's stream) -----------------------------------------------------------------


@frozen
class PromiseMade(Event):
    """Units, place and price were held for the cart as a whole, until `expires_at`.

    `slot` is the slot's id; `total` is what the lines cost, `ceiling` the most that may ever be charged for them.
    """

    promise: str
    store: str
    slot: str
    total: Money
    ceiling: Money
    expires_at: datetime


@frozen
class PromiseAccepted(Event):
    """The promise was placed as this order, which now keeps what was held."""

    promise: str
    order: str


@frozen
class PromiseReplaced(Event):
    """The promise `by` was made for the cart instead; what it does not need of this one is free again."""

    promise: str
    by: str


@frozen
class PromiseWithdrawn(Event):
    """The customer gave the promise back before its time was up."""

    promise: str


@frozen
class PromiseLapsed(Event):
    """The promise's time was up: units and slot are free for others again."""

    promise: str


# --- reservations (the ledger's own; not journalled, the movements and reservation rows are the record) ----


@frozen
class ReservationExtended(Event):
    """The units stay held until this later instant."""

    until: datetime


@frozen
class Firmed(Event):
    """The order is funded: the time limit is gone, and the units are the customer's until collected or given back."""


@frozen
class ReservationReleased(Event):
    """All units that were held went back to other customers: replaced, given back or called off."""


@frozen
class ReservationExpired(Event):
    """The time limit passed, and all units that were held went back to other customers."""


@frozen
class UnitsConsumed(Event):
    """These units, as pairs of SKU and quantity, left the store with the customer."""

    units: tuple[tuple[str, int], ...]


@frozen
class UnitsReleased(Event):
    """These units of a firm reservation, as pairs of SKU and quantity, went back to other customers."""

    units: tuple[tuple[str, int], ...]


@frozen
class LastUnitsResolved(Event):
    """No unit is held any more: each was consumed or released."""


# --- attempts: one operation at a provider ----------------------------------------------------------------


@frozen
class AttemptEvent(Event):
    """The root of what happens to one `attempt` of a `payment`. The attempt's id is its idempotency key."""

    payment: str
    attempt: str


@frozen
class AttemptSucceeded(AttemptEvent):
    """The provider did it; `provider_id` is what it calls the operation or its payment."""

    provider_id: str = ""


@frozen
class AttemptRefused(AttemptEvent):
    """The provider refused for good; `reason` is its own code."""

    reason: str = ""


@frozen
class AttemptUnanswered(AttemptEvent):
    """The outcome is open: no reply came, or the customer must act first. `look_at` is when to ask again."""

    look_at: datetime


@frozen
class AttemptWithdrawn(AttemptEvent):
    """A planned call that nobody needs any more will not be made."""


@frozen
class ProvedAbsent(AttemptEvent):
    """The provider was asked and has no such operation: it had no effect."""


@frozen
class FoundLate(AttemptEvent):
    """An operation that had been taken for absent did happen at the provider."""

    provider_id: str = ""


# --- payments: one per tender -----------------------------------------------------------------------------


@frozen
class PaymentEvent(Event):
    """The root of what happens to one payment. Amounts are Money in the order's currency."""

    payment: str


@frozen
class AuthoriseRequested(PaymentEvent):
    """The provider is to set `amount` aside, by the attempt planned here."""

    attempt: str
    amount: Money


@frozen
class LeftForStore(PaymentEvent):
    """Nothing is asked for now: `amount` is due at the counter.

    `reason` is why it must be paid there although the customer chose otherwise (a stable code, such as
    "authorisation_expired"); empty where they chose it.
    """

    amount: Money
    reason: str = ""


@frozen
class PaymentWithdrawn(PaymentEvent):
    """The order ended before anything was asked of this tender."""


@frozen
class ActionRequired(PaymentEvent):
    """The customer must act (3-D Secure, say) before the provider decides."""


@frozen
class Authorised(PaymentEvent):
    """The provider has set `amount` aside, all in all, until `until` if that has an end; nothing is taken yet."""

    amount: Money
    provider_id: str = ""
    until: datetime | None = None


@frozen
class Paid(PaymentEvent):
    """`amount` was taken in one step, by the provider or at the counter, without a capture of its own."""

    amount: Money
    provider_id: str = ""


@frozen
class Declined(PaymentEvent):
    """The tender came to nothing; `reason` is the provider's code, `never_arrived` when it never heard of it."""

    reason: str


@frozen
class VoidRequested(PaymentEvent):
    """What is set aside, or may yet turn out to be, is to be given back by the attempt planned here."""

    attempt: str


@frozen
class IncreaseRequested(PaymentEvent):
    """The provider is to raise what is set aside to `amount`, by the attempt planned here."""

    attempt: str
    amount: Money


@frozen
class Increased(PaymentEvent):
    """The provider raised what is set aside to `amount`."""

    amount: Money


@frozen
class IncreaseRefused(PaymentEvent):
    """What is set aside is still what it was; `reason` as in `Declined`."""

    reason: str


@frozen
class ExtensionRequested(PaymentEvent):
    """The provider is to keep the money set aside for longer, by the attempt planned here."""

    attempt: str


@frozen
class AuthorisationExtended(PaymentEvent):
    """The provider keeps the money set aside until `until`; None where it named no end."""

    until: datetime | None = None


@frozen
class ExtensionRefused(PaymentEvent):
    """The money is set aside for as long as before, and no longer; `reason` as in `Declined`."""

    reason: str


@frozen
class CaptureRequested(PaymentEvent):
    """`amount` of what is set aside is to be taken, by the attempt planned here, for goods that are claimed, or
    that are ready when what is set aside is about to end."""

    attempt: str
    amount: Money


@frozen
class AuthorisationLapsed(PaymentEvent):
    """The authorisation grew too old: what was not captured is the customer's again."""


@frozen
class Captured(PaymentEvent):
    """This capture took `amount`, beside what earlier ones took, and closed the authorisation."""

    amount: Money


@frozen
class PartCaptured(PaymentEvent):
    """This capture took `amount`, and the rest stays set aside for later ones."""

    amount: Money


@frozen
class CaptureRefused(PaymentEvent):
    """Nothing was taken, and the money is still set aside; `reason` as in `Declined`."""

    reason: str


@frozen
class Voided(PaymentEvent):
    """The provider gave back all that was set aside."""


@frozen
class FoundCaptured(PaymentEvent):
    """The void came too late or found a part taken: `amount` was captured, all in all."""

    amount: Money


@frozen
class CounterStarted(PaymentEvent):
    """The counter says that it took `amount`; the attempt planned here stands for that, and goods are claimed for it.

    `means` is how ("cash", "terminal"), `reference` the till's own number for it. Where a card reader takes it,
    `reader` says which one, and whether it was taken is still to be seen.
    """

    attempt: str
    amount: Money
    means: str = ""
    reference: str = ""
    reader: str = ""


@frozen
class CounterFailed(PaymentEvent):
    """Nothing was taken at the counter, and the money is still due there."""

    reason: str


@frozen
class Waived(PaymentEvent):
    """What was due at the counter is not asked for any more."""


@frozen
class RefundRequested(PaymentEvent):
    """`amount` of what was captured is to go back, by the attempt planned here."""

    attempt: str
    amount: Money


@frozen
class Refunded(PaymentEvent):
    """The provider sent `amount` back: what this one refund asked for, not the sum of all."""

    amount: Money


@frozen
class RefundFailed(PaymentEvent):
    """The provider refused this refund of `amount`, which the shop still holds; another try follows later."""

    amount: Money
    reason: str


@frozen
class RefundBounced(PaymentEvent):
    """A refund of `amount` that had succeeded came back: the shop holds it again, and another try follows later."""

    amount: Money
    reason: str
    attempt: str = ""


@frozen
class Disputed(PaymentEvent):
    """The customer's bank took `amount` back, or threatens to: all in all, whatever was said of it before."""

    amount: Money


@frozen
class LateAuthorised(PaymentEvent):
    """A payment that was given up turned out to have `amount` set aside; the void planned here gives it back."""

    attempt: str
    amount: Money
    provider_id: str = ""


@frozen
class LateCaptured(PaymentEvent):
    """A payment that was given up turned out to have taken `amount`, all in all; what is not due goes back."""

    amount: Money
    provider_id: str = ""


# --- orders -----------------------------------------------------------------------------------------------


@frozen
class OrderPlaced(Event):
    """A promise became an order, which must be funded by `pay_by`.

    `total` is what was bought, `ceiling` the most that may ever be charged.
    """

    cart: str
    promise: str
    owner: str
    total: Money
    ceiling: Money
    pay_by: datetime


@frozen
class TenderAdded(Event):
    """The customer (or the rest of a bill at the counter) brought a new payment of `amount`; `kind` is the tender's.

    `method` is the wallet that was chosen. `now`: it is taken at once rather than when goods leave. `replaces` is the
    payment whose authorisation is renewed by this one.
    """

    payment: str
    kind: str
    amount: Money
    token: str = field(default="", repr=False, metadata=PRIVATE)
    method: str = ""
    now: bool = False
    replaces: str = ""


@frozen
class TenderFailed(Event):
    """This payment was declined; the order waits for another one until its `pay_by`."""

    payment: str


@frozen
class PaymentDeadlineExtended(Event):
    """The order may be paid until `pay_by`: another kind of tender takes longer than the one before."""

    pay_by: datetime


@frozen
class OrderConfirmed(Event):
    """The money is covered: the units are firm, and the store may begin."""


@frozen
class CancelStarted(Event):
    """The order is called off.

    `hold_until` is how long the goods of an unconfirmed one wait for money in flight to be undone.
    """

    reason: str
    hold_until: datetime


@frozen
class ExpiryStarted(Event):
    """`pay_by` passed without funds; the goods wait until `hold_until` for money in flight to be undone."""

    hold_until: datetime


@frozen
class NoShowStarted(Event):
    """Nobody came for a ready order in time: its money goes back."""


@frozen
class LinesCancelled(Event):
    """These units of a confirmed order are not wanted any more."""

    units: tuple[Units, ...]
    reason: str


@frozen
class OrderRerouted(Event):
    """Another `pickup`, by its id, discharges the order from now on: at `store`, in this slot and window (UTC).

    `reservation` holds the units there; `zone` is the store's time zone.
    """

    pickup: str
    store: str
    slot: str
    starts: datetime
    ends: datetime
    zone: str
    reservation: str


@frozen
class FundingLost(Event):
    """Money that a confirmed order counted on can't be had any more: nothing leaves until it is paid anew."""


@frozen
class HoldLost(Event):
    """The retailer's own system gave up what it held for this confirmed order, and hasn't got it any more.

    `units` are missing there, as pairs of SKU and quantity. They are asked for again until they are held anew.
    """

    reservation: str
    units: tuple[tuple[str, int], ...]


@frozen
class HoldRestored(Event):
    """The retailer's own system holds all units of this order again."""

    reservation: str


@frozen
class CreditGranted(Event):
    """The customer pays `amount` less than what their goods cost: for these `units`, which they have, or for whatever
    `reason` says. `goodwill`: it has nothing to do with the goods."""

    amount: Money
    reason: str
    units: tuple[Units, ...] = ()
    goodwill: bool = False


@frozen
class FeeCharged(Event):
    """The shop may keep `amount` beside what goods cost, for a cancellation for example."""

    amount: Money
    reason: str


@frozen
class OrderClaimed(Event):
    """The order is `owner`'s from now on, who can prove that `former` were they, or was given it by them."""

    owner: str
    former: str


@frozen
class OrderCompleted(Event):
    """The customer has everything that they will get; the rest of the money goes back."""


@frozen
class OrderCancelled(Event):
    """The order is undone everywhere: no goods are held for it. Money left over from late news still goes back."""


@frozen
class OrderExpired(Event):
    """The order ended by time, unpaid or not collected, and no goods are held for it any more."""


@frozen
class PartReturned(Event):
    """The customer brought these units back, and others are still with them."""

    units: tuple[Units, ...]


@frozen
class AllReturned(Event):
    """The customer has brought everything back."""


# --- pick-ups ---------------------------------------------------------------------------------------------


@frozen
class PickReleased(Event):
    """The store may take the goods off the shelf."""


@frozen
class StockAwaited(Event):
    """Goods are not in this store yet: picking waits for them."""


@frozen
class UnitsSent(Event):
    """Units that can't be had here are to come from another store by `transfer`, expected at this instant.

    They are no longer held here but there.
    """

    transfer: str
    store: str
    units: tuple[Units, ...]
    expected_at: datetime


@frozen
class StockArrived(Event):
    """The awaited goods are here, and picking may begin."""


@frozen
class SlotMoved(Event):
    """The customer comes in another window, [`starts`, `ends`) in UTC: `slot` is its id."""

    slot: str
    starts: datetime
    ends: datetime


@frozen
class CustomerAsked(Event):
    """Something needs the customer's decision, for which the store waits until the question's time limit."""

    question: Question


@frozen
class QuestionAnswered(Event):
    """The customer, or somebody for them, chose this option of the question."""

    option: str


@frozen
class QuestionLapsed(Event):
    """Nobody answered in time: this option is taken, as the question said."""

    option: str


@frozen
class QuestionWithdrawn(Event):
    """What the question was about has come right by itself: nothing is asked any more."""


@frozen
class UnitsArrived(Event):
    """What `transfer` brought for the order is in the store: `units` of its lines; `missing` ones did not come.

    The reservation `hold` keeps all of them there from now on, those that are missing as a shortage.
    """

    transfer: str
    units: tuple[Units, ...]
    missing: tuple[Units, ...]
    hold: str


@frozen
class ArrivalMoved(Event):
    """What `transfer` brings for the order is expected at another instant than before."""

    transfer: str
    expected_at: datetime


@frozen
class PickStarted(Event):
    """An associate has begun to pick."""


@frozen
class LinePicked(Event):
    """So many more units of this line (grams, where it is weighed) were taken off the shelf."""

    line: str
    quantity: int


@frozen
class LineWeighed(Event):
    """All that was picked of this line weighs so many grams: what the customer gets and pays, in place of what was
    ordered."""

    line: str
    grams: int


@frozen
class ShortPicked(Event):
    """So many units of this line can't be had here, for this reason (a stable code).

    The order still wants them, and they stay reserved: what the shelf lacks is a shortage until it is decided what
    becomes of them.
    """

    line: str
    quantity: int
    reason: str


@frozen
class PickReset(Event):
    """Everything not yet collected went back on the shelf, to be picked anew."""


@frozen
class PickResumed(Event):
    """The customer decided, and picking goes on."""


@frozen
class Requeued(Event):
    """The customer decided, and the order is in the queue for picking again."""


@frozen
class PickRerouted(Event):
    """Another pick-up takes over; this one has ended."""


@frozen
class MadeReady(Event):
    """Everything is picked and lies at `staged_at`, where it waits until `until`.

    `key_id` names the secret from which the pick-up code is computed; the code itself is told nowhere.
    """

    staged_at: str
    until: datetime
    key_id: str


@frozen
class Unreadied(Event):
    """Something is wrong with what was ready: the store picks again."""

    reason: str


@frozen
class DeadlineExtended(Event):
    """The goods wait until this instant instead."""

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
    """The goods stayed and the code is still good; `reason` is the provider's, or `not_paid`."""

    reason: str


@frozen
class PartCollected(Event):
    """These units left with the customer, and others are still waiting."""

    units: tuple[Units, ...]


@frozen
class Collected(Event):
    """These units, the last that were open, left with the customer."""

    units: tuple[Units, ...]


@frozen
class NoShow(Event):
    """Nobody came while the goods were ready: all of them go back on sale."""


@frozen
class RestLapsed(Event):
    """These units, the rest after a part was collected, were not collected in time and go back on sale."""

    units: tuple[Units, ...]


@frozen
class RestCancelled(Event):
    """These units, the rest after a part was collected, were called off and go back on sale."""

    units: tuple[Units, ...]


@frozen
class PickupCancelled(Event):
    """The order is called off: goods and its place in the slot are free for others again."""

    reason: str


# --- transfers --------------------------------------------------------------------------------------------


@frozen
class TransferRequested(Event):
    """`source` is asked to send these units per SKU to `destination`, where they are expected at this instant.

    They are for `order`, or (None) for the shelf.
    """

    source: str
    destination: str
    units: tuple[tuple[str, int], ...]
    expected_at: datetime
    order: str | None = None


@frozen
class TransferPicked(Event):
    """These units per SKU were taken off the source's shelf: all that there will be."""

    units: tuple[tuple[str, int], ...]


@frozen
class TransferShipped(Event):
    """What was picked has left the source; it is expected at this instant. `reference` is the carrier's, if any."""

    expected_at: datetime
    reference: str = ""


@frozen
class TransferDelayed(Event):
    """The goods are expected at another instant than before."""

    expected_at: datetime
    reason: str


@frozen
class TransferReceived(Event):
    """Everything that was requested has come."""

    units: tuple[tuple[str, int], ...]


@frozen
class TransferShort(Event):
    """Only these units per SKU came, for this reason; nothing more will."""

    units: tuple[tuple[str, int], ...]
    reason: str


@frozen
class TransferCancelled(Event):
    """Nothing is sent: the units are free again at the source."""

    reason: str


_ROOTS: Final = (Event, PaymentEvent, AttemptEvent)
EVENTS: Final[dict[str, type[Event]]] = {
    name: kind
    for name, kind in list(globals().items())
    if isinstance(kind, type) and issubclass(kind, Event) and kind not in _ROOTS
}
"""Every event that can happen, by the name under which the journal stores it."""
