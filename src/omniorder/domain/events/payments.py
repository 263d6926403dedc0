"""What happens to payments, one per tender, and to each attempt, one per operation at a provider."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from omniorder.domain.events.root import Event
from omniorder.domain.money import Money

# --- attempts --------------------------------------------------------------------------------------------


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


# --- payments --------------------------------------------------------------------------------------------


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
