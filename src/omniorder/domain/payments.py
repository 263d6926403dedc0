"""Payments: one per tender, each with its attempts at the provider.

A payment says where the money stands, an attempt where one call to the provider stands. An attempt is committed
before the provider is called and carries the idempotency key (its own id), so that a crash, a lost reply or a
second worker can never charge twice: whoever comes next asks again under the same key.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar, Final

from attrs import evolve, field, frozen

from omniorder.domain import events as e
from omniorder.domain import ids
from omniorder.domain.capabilities import Capabilities
from omniorder.domain.lifecycle import AttemptState, PaymentState, advance
from omniorder.domain.money import Money
from omniorder.domain.text import line as valid_line
from omniorder.domain.text import looks_like_card_number
from omniorder.errors import CardNumberRefused, InvalidInput, InvalidMoney, InvalidText, NotFound


def _token(value: object) -> str:
    text = valid_line(value, "token", most=255, least=0)
    if looks_like_card_number(text):
        raise CardNumberRefused("token", "(hidden)", "a card number, where only the provider's token may stand")
    return text


def _wallet(value: object) -> str:
    return valid_line(value, "wallet", most=40)


def _at_most(value: object) -> Money | None:
    if value is not None and not (isinstance(value, Money) and value.amount > 0):
        raise InvalidMoney("amount", value, "the most that this tender is to give, as Money above nothing")
    return value


def _is_now(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput("now", value, "True for money that is taken at once, False for money that is set aside")
    return value


@frozen
class Tender:
    """A way to pay. Subclass it with a `kind` of your own and give the hub a gateway for that kind.

    `token` is what the gateway knows it by. Beside other tenders `amount` is the most that this one is to give; without
    it, it gives all that is missing. `now`: the money is taken when the order is placed, as a deposit is, rather than
    when the goods leave. Raises `InvalidText`, `CardNumberRefused`, `InvalidMoney`, `InvalidInput`.
    """

    kind: ClassVar[str] = ""
    token: str = field(default="", converter=_token, repr=False)
    amount: Money | None = field(default=None, kw_only=True, converter=_at_most)
    now: bool = field(default=False, kw_only=True, converter=_is_now)

    @property
    def method(self) -> str:
        """The wallet that the customer chose, or empty."""
        return ""

    def unsupported(self, can: Capabilities) -> str:
        """Why a gateway that can do this can't take it; empty when it can."""
        return ""


def _without_token(tender: Tender) -> None:
    if tender.token:
        raise InvalidText("token", "(hidden)", f"must be empty: {tender.kind} is not known by a token")


@frozen
class Card(Tender):
    """A card by the provider's token, such as Stripe's `pm_...`; refuses card numbers."""

    kind: ClassVar[str] = "card"

    def __attrs_post_init__(self) -> None:
        valid_line(self.token, "token", most=255)


@frozen
class GiftCard(Tender):
    """A gift card of ours by its code, which is never stored: a payment names the account that the code opens."""

    kind: ClassVar[str] = "gift_card"

    def __attrs_post_init__(self) -> None:
        valid_line(self.token, "token", most=255)


@frozen
class StoreCredit(Tender):
    """The store credit of the customer who pays: a known one, or who an agent acts for."""

    kind: ClassVar[str] = "store_credit"


@frozen
class Wallet(Tender):
    """A card in a wallet ("apple_pay"), by the provider's token; without one the customer confirms on their device.

    Taken by the gateway for cards. Raises `InvalidText`, `CardNumberRefused`.
    """

    kind: ClassVar[str] = Card.kind
    wallet: str = field(default="", kw_only=True, converter=_wallet)

    @property
    def method(self) -> str:
        """The wallet's name."""
        return self.wallet

    def unsupported(self, can: Capabilities) -> str:
        """Why a gateway that can do this can't take it; empty when it can."""
        if self.wallet not in can.wallets:
            return f"the gateway does not take {self.wallet}"
        return "" if self.token or can.links else "the gateway needs a token"


@frozen
class PayLink(Tender):
    """The customer pays on a device of their own, after an agent has placed the order for them, by what they choose
    there. Taken by the gateway for cards, unless there is one for this kind. Raises `InvalidText` for a token."""

    kind: ClassVar[str] = "pay_link"

    def __attrs_post_init__(self) -> None:
        _without_token(self)

    def unsupported(self, can: Capabilities) -> str:
        """Why a gateway that can do this can't take it; empty when it can."""
        return "" if can.links else "the gateway has no links to pay by"


@frozen
class BankTransfer(Tender):
    """The customer sends the money from their bank, with the order's id as reference; people see it arrive.

    Raises `InvalidText` for a token.
    """

    kind: ClassVar[str] = "bank_transfer"

    def __attrs_post_init__(self) -> None:
        _without_token(self)


@frozen
class PayInStore(Tender):
    """Nothing now: cash or the store's terminal when the goods are handed over."""

    kind: ClassVar[str] = "in_store"

    def __attrs_post_init__(self) -> None:
        if self.now:
            raise InvalidInput("now", self.now, "what is paid in the store is not taken at once")


AUTHORISATION_EXPIRED: Final = "authorisation_expired"
"""The reason with which a gateway denies a capture that came too late."""
SERVED_BY: Final = {PayLink.kind: Card.kind}
"""Kinds of tender that another kind's gateway takes where they have none of their own."""
TERMINAL: Final = "terminal"
"""The kind of gateway that has the card readers at the counter, and how the counter takes money by one."""
STOPPED: Final = "stopped"
"""Why a card reader took nothing, when the store stopped waiting for the card."""

CALL_TAKES: Final = timedelta(seconds=30)
"""How long a call to the provider may be under way before somebody else makes it again, under the same key."""


class Operation(Enum):
    """What an attempt asks the provider for. COLLECT is money taken at the counter, EXTEND more time, INCREASE more
    of it set aside."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"
    COLLECT = "collect"
    INCREASE = "increase"
    EXTEND = "extend"


@frozen
class Attempt:
    """One operation at the provider. `id` is its idempotency key; `look_at` is when to ask (again).

    `reason` is why it was refused, or why a refund that had succeeded came back.
    """

    id: str
    operation: Operation
    amount: Money
    state: AttemptState
    asked_at: datetime
    look_at: datetime
    provider_id: str = ""
    reason: str = ""

    @property
    def open(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.state in (AttemptState.PLANNED, AttemptState.UNKNOWN)


@frozen
class Action:
    """What the customer must do next (3-D Secure, say). Shown, never stored: a secret of the provider.

    `instructions` say it in words, where people do the rest: where to send the money, and with which reference.
    """

    client_secret: str = field(default="", repr=False)
    redirect_url: str = ""
    instructions: str = ""


@frozen
class IsAuthorised:
    """The money is set aside; it is captured when the goods are handed over."""

    amount: Money


@frozen
class IsActionRequired:
    """The customer must act first; on any channel. Empty fields: ask the provider again with `resume`."""

    client_secret: str = field(repr=False)
    redirect_url: str
    instructions: str = ""


@frozen
class IsDueInStore:
    """To be paid at the counter."""

    amount: Money


@frozen
class IsUnanswered:
    """The provider did not answer yet; the sweep finds out."""


@frozen
class IsSettled:
    """Taken, given back or declined: `state` says which."""

    state: PaymentState


Outcome = IsAuthorised | IsActionRequired | IsDueInStore | IsUnanswered | IsSettled


@frozen
class Payment:
    """One tender of an order. All amounts in the order's currency.

    `amount` is what it was asked for, `authorised` what the provider set aside, `captured` what was taken,
    `refunded` and `refund_pending` what went and is going back, `disputed` what the customer's bank wants back.

    `method` is the wallet that was chosen, `now` whether it is taken at once (a deposit). `until` is when what is set
    aside lapses, where it does. `replaces` is the payment that this one was authorised instead of. `means` is how the
    counter took it ("cash", "terminal"); the `token` of what a card reader takes is that reader.
    """

    id: str
    kind: str
    token: str = field(repr=False)
    amount: Money
    state: PaymentState
    authorised: Money
    captured: Money
    refunded: Money
    refund_pending: Money
    disputed: Money
    attempts: tuple[Attempt, ...]
    created_at: datetime
    provider_id: str = ""
    reason: str = ""
    method: str = ""
    now: bool = False
    until: datetime | None = None
    replaces: str = ""
    means: str = ""
    action: Action | None = field(default=None, eq=False, repr=False, metadata=e.PRIVATE)

    @property
    def outcome(self) -> Outcome:
        """What a channel needs to know next, as one of five small types to `match` on."""
        match self.state:
            case PaymentState.AUTHORISED:
                return IsAuthorised(self.authorised)
            case PaymentState.ACTION_REQUIRED:
                action = self.action or Action()
                return IsActionRequired(action.client_secret, action.redirect_url, action.instructions)
            case PaymentState.DUE_IN_STORE:
                return IsDueInStore(self.amount)
            case PaymentState.CAPTURED | PaymentState.DECLINED | PaymentState.VOIDED | PaymentState.LAPSED:
                return IsSettled(self.state)
            case _:
                return IsUnanswered()

    @property
    def in_sight(self) -> Money:
        """What it may still bring in, beyond what was captured: set aside, asked for, or due at the counter."""
        match self.state:
            case PaymentState.AUTHORISED | PaymentState.CAPTURING:
                return self.authorised - self.captured
            case (
                PaymentState.CREATED
                | PaymentState.AUTHORISING
                | PaymentState.ACTION_REQUIRED
                | PaymentState.DUE_IN_STORE
                | PaymentState.COLLECTING
            ):
                return self.amount
            case _:
                return Money(0, self.amount.currency)

    @property
    def gateway(self) -> str:
        """The kind of tender or `TERMINAL` whose gateway moves its money; empty where the counter does it by hand."""
        if self.kind != PayInStore.kind:
            return self.kind
        return TERMINAL if self.token else ""

    def left_to_people(self, attempt: Attempt) -> bool:
        """Whether nobody can be asked about it: what the counter took in cash it pays out, when the customer comes."""
        return attempt.operation is Operation.REFUND and not self.gateway

    @property
    def net(self) -> Money:
        """What the shop holds of it: captured less refunded."""
        return self.captured - self.refunded

    @property
    def returnable(self) -> Money:
        """What can still be refunded: nothing that is on its way back already."""
        return self.captured - self.refunded - self.refund_pending

    @property
    def aside(self) -> Money:
        """What is set aside and may still be taken."""
        if self.state is PaymentState.AUTHORISED:
            return self.authorised - self.captured
        return Money(0, self.amount.currency)

    @property
    def being_taken(self) -> Money:
        """What the provider was asked to take and has not answered yet."""
        asked = (a.amount.amount for a in self.attempts if a.open and a.operation is Operation.CAPTURE)
        return Money(sum(asked) if self.state is PaymentState.CAPTURING else 0, self.amount.currency)

    @property
    def being_raised(self) -> bool:
        """Whether the provider was asked to set more aside and has not answered yet: how much it is nobody knows."""
        return any(attempt.open and attempt.operation is Operation.INCREASE for attempt in self.attempts)

    def call_off(self) -> tuple[e.Event, ...]:
        """Attempts that nobody made yet need not be made any more."""
        planned = (attempt for attempt in self.attempts if attempt.state is AttemptState.PLANNED)
        return tuple(e.AttemptWithdrawn(self.id, attempt.id) for attempt in planned)

    @property
    def refused_capture(self) -> bool:
        """Whether the last thing that this authorised payment did was to refuse a capture."""
        last = self.attempts[-1] if self.attempts else None
        refused = last is not None and (last.operation, last.state) == (Operation.CAPTURE, AttemptState.REFUSED)
        return refused and self.state is PaymentState.AUTHORISED

    def attempt(self, attempt_id: str) -> Attempt:
        """The attempt with this id; raises `NotFound`."""
        for attempt in self.attempts:
            if attempt.id == attempt_id:
                return attempt
        raise NotFound("attempt", attempt_id)

    def next_attempt_id(self) -> str:
        """The id of the attempt that would come next: derived, so that a repeated decision gives the same."""
        return ids.attempt_id(self.id, len(self.attempts) + 1)


def create(added: e.TenderAdded, at: datetime) -> Payment:
    """A payment that has asked for nothing yet."""
    none = Money(0, added.amount.currency)
    return Payment(
        added.payment, added.kind, added.token, added.amount, PaymentState.CREATED, none, none, none, none, none,
        (), at, method=added.method, now=added.now, replaces=added.replaces,
    )  # fmt: skip


def apply(payment: Payment, event: e.PaymentEvent | e.AttemptEvent, at: datetime) -> Payment:
    """The payment after `event`; raises `IllegalTransition` when a table has no such step."""
    if isinstance(event, e.AttemptEvent):
        return _apply_to_attempt(payment, event)
    after = evolve(payment, state=advance(payment.state, event))
    if attempt := _planned(payment, event, at):
        after = evolve(after, attempts=(*payment.attempts, attempt))
    match event:
        case e.Authorised(amount=amount, provider_id=provider_id, until=until):
            return evolve(after, authorised=amount, provider_id=provider_id or payment.provider_id, until=until)
        case e.Increased(amount=amount):
            return evolve(after, authorised=amount, amount=max(payment.amount, amount))
        case e.AuthorisationExtended(until=until):
            return evolve(after, until=until)
        case e.LateAuthorised(amount=amount, provider_id=provider_id):
            return evolve(after, authorised=amount, provider_id=provider_id or payment.provider_id)
        case e.Paid(amount=amount, provider_id=provider_id) | e.LateCaptured(amount=amount, provider_id=provider_id):
            return evolve(
                after, authorised=max(payment.authorised, amount), captured=amount,
                provider_id=provider_id or payment.provider_id,
            )  # fmt: skip
        case e.Captured(amount=amount) | e.PartCaptured(amount=amount):
            return evolve(after, captured=payment.captured + amount)
        case e.FoundCaptured(amount=amount):
            return evolve(after, authorised=max(payment.authorised, amount), captured=amount, reason="")
        case e.VoidRequested() if payment.state is PaymentState.COLLECTING:
            return evolve(after, reason=STOPPED)
        case e.Declined(reason=reason) | e.CaptureRefused(reason=reason) | e.CounterFailed(reason=reason):
            return evolve(after, reason=reason)
        case e.AuthorisationLapsed():
            return evolve(after, reason=AUTHORISATION_EXPIRED)
        case e.RefundRequested(amount=amount):
            return evolve(after, refund_pending=payment.refund_pending + amount)
        case e.Refunded(amount=amount):
            pending = payment.refund_pending - amount
            return evolve(after, refund_pending=pending, refunded=payment.refunded + amount)
        case e.RefundFailed(amount=amount, reason=reason):
            return evolve(after, refund_pending=payment.refund_pending - amount, reason=reason)
        case e.RefundBounced(amount=amount, reason=reason):
            return _bounced(evolve(after, refunded=payment.refunded - amount, reason=reason), event)
        case e.Disputed(amount=amount):
            return evolve(after, disputed=amount)
        case e.CounterStarted(means=means, reader=reader):
            return evolve(after, means=means, token=reader, reason="")
        case _:
            return after


def _bounced(payment: Payment, event: e.RefundBounced) -> Payment:
    """The attempt stays what it was, a success, with the reason for which that did not last: it bounces once."""
    attempts = (evolve(a, reason=event.reason) if a.id == event.attempt else a for a in payment.attempts)
    return evolve(payment, attempts=tuple(attempts))


def _planned(payment: Payment, event: e.PaymentEvent, at: datetime) -> Attempt | None:
    """The attempt that this event commits, if it does: the intent before the call."""
    match event:
        case e.AuthoriseRequested(attempt=attempt, amount=amount):
            return _plan(attempt, Operation.AUTHORISE, amount, at)
        case e.CaptureRequested(attempt=attempt, amount=amount):
            return _plan(attempt, Operation.CAPTURE, amount, at)
        case e.VoidRequested(attempt=attempt):
            return _plan(attempt, Operation.VOID, payment.authorised, at)
        case e.LateAuthorised(attempt=attempt, amount=amount):
            return _plan(attempt, Operation.VOID, amount, at)
        case e.RefundRequested(attempt=attempt, amount=amount):
            return _plan(attempt, Operation.REFUND, amount, at)
        case e.IncreaseRequested(attempt=attempt, amount=amount):
            return _plan(attempt, Operation.INCREASE, amount, at)
        case e.ExtensionRequested(attempt=attempt):
            return _plan(attempt, Operation.EXTEND, payment.authorised, at)
        case e.CounterStarted(attempt=attempt, amount=amount, reference=reference):
            return evolve(_plan(attempt, Operation.COLLECT, amount, at), provider_id=reference)
        case _:
            return None


def _plan(attempt: str, operation: Operation, amount: Money, at: datetime) -> Attempt:
    return Attempt(attempt, operation, amount, AttemptState.PLANNED, at, at + CALL_TAKES)


def _apply_to_attempt(payment: Payment, event: e.AttemptEvent) -> Payment:
    before = payment.attempt(event.attempt)
    after = evolve(before, state=advance(before.state, event))
    match event:
        case e.AttemptSucceeded(provider_id=provider_id) | e.FoundLate(provider_id=provider_id):
            after = evolve(after, provider_id=provider_id)
        case e.AttemptRefused(reason=reason):
            after = evolve(after, reason=reason)
        case e.AttemptUnanswered(look_at=look_at):
            after = evolve(after, look_at=look_at)
        case _:
            pass
    attempts = tuple(after if attempt.id == after.id else attempt for attempt in payment.attempts)
    return evolve(payment, attempts=attempts)
