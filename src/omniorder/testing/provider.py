"""The fake provider's rules: what a payment on its file is, what a card's token means, what may be done when.

What the provider does is chosen by the card's token, as in a provider's test mode:

    pm_card_visa, pm_card_mastercard   approved, for as long as the lifetime of that kind of card
    pm_card_instant                    approved and captured at once
    pm_card_3ds                        the customer must act: until `complete_action` or `fail_action`
    pm_card_pending                    no answer for now: until `complete_action` or `fail_action`
    pm_card_declined                   declined as `card_declined`
    pm_card_declined_<reason>          declined as `<reason>`, `insufficient_funds` for example
    pm_card_timeout                    no answer, ever, and no effect
    pm_card_timeout_after              it takes effect, and the reply is lost
    (empty)                            the customer chooses on their own device: as with `pm_card_3ds`

The last four with a name also with `capture_`, `void_`, `refund_`, `increase_` or `extend_` before the behaviour
(`pm_card_capture_timeout`): the card is then approved, and only that operation misbehaves. Any other token is declined
as `unknown_token`: a fake that approves what it doesn't know would hide mistakes.

Card readers likewise, by their id:

    tmr_1, tmr_123 (any number)        it waits for a card: until `present_card`, `decline_card` or `walk_away`
    tmr_visa                           a card is there already: approved
    tmr_declined                       a card is there already: declined as `card_declined`
    tmr_timeout                        no answer, ever, and no effect
    tmr_timeout_after                  it waits for a card, and the reply is lost

and any other reader is denied as `no_such_reader`.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from typing import Final, assert_never

from attrs import evolve, field, frozen

from omniorder.domain.money import Money
from omniorder.domain.payments import Action, Operation
from omniorder.ports.payments import Answer, Approved, Capabilities, Denied, NeedsAction, NoAnswer

__all__ = [
    "VOIDABLE",
    "Luck",
    "ProviderOperation",
    "ProviderPayment",
    "ProviderState",
    "approved",
    "brand",
    "luck_at",
    "luck_of",
    "not_adjustable",
    "not_authorisable",
    "not_capturable",
    "not_refundable",
    "standing",
]


class ProviderState(Enum):
    """Where a payment stands at the provider."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    DECLINED = "declined"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


@frozen
class ProviderOperation:
    """An operation as the provider has it on file under our key; `answer` is what it answered."""

    key: str
    operation: Operation
    answer: Answer


@frozen
class ProviderPayment:
    """A payment as the provider has it on file, tagged with our `payment`.

    `amount` was asked for; `authorised`, `captured` and `refunded` are what happened of it, in total. `instant`: it is
    captured once it is approved. `until` is when what is set aside lapses; `reader` is the card reader that asked.
    """

    id: str
    payment: str
    order: str
    token: str = field(repr=False)
    amount: Money
    state: ProviderState
    authorised: Money
    captured: Money
    refunded: Money
    created_at: datetime
    instant: bool = False
    until: datetime | None = None
    method: str = ""
    reader: str = ""
    reason: str = ""
    operations: tuple[ProviderOperation, ...] = ()

    @property
    def open(self) -> Money:
        """What can still be captured."""
        if self.state is ProviderState.AUTHORISED:
            return self.authorised - self.captured
        return Money(0, self.amount.currency)


_OPERATION = r"(?:(capture|void|refund|increase|extend)_)?"
_TOKEN = re.compile(rf"pm_card_{_OPERATION}(?:(timeout|timeout_after)|declined(?:_([a-z_]+))?)")
_KNOWN: Final = frozenset(
    {"", "pm_card_visa", "pm_card_mastercard", "pm_card_instant", "pm_card_3ds", "pm_card_pending"}
)
_READER = re.compile(r"tmr_(?:[0-9]+|visa|declined|(timeout|timeout_after))")


@frozen
class Luck:
    """How one call goes. `unheard`: it never arrives; `lost`: its reply doesn't; the rest are reasons."""

    unheard: bool = False
    lost: bool = False
    denied: str = ""
    failed: str = ""
    remembered: bool = False


def luck_of(token: str, operation: Operation) -> Luck:
    """How a token lets this operation go."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return Luck() if token in _KNOWN else Luck(denied="unknown_token")
    if (found[1] or "authorise") != operation.value:
        return Luck()
    if found[2]:
        return Luck(unheard=found[2] == "timeout", lost=found[2] == "timeout_after")
    return Luck(denied=found[3] or "card_declined")


def luck_at(reader: str) -> Luck:
    """How a card reader lets a request go."""
    found = _READER.fullmatch(reader)
    if found is None:
        return Luck(denied="no_such_reader")
    if found[1]:
        return Luck(unheard=found[1] == "timeout", lost=found[1] == "timeout_after")
    return Luck(denied="card_declined" if reader == "tmr_declined" else "")


def brand(token: str) -> str:
    """The kind of card that a token stands for, as lifetimes name it; empty for a card of no particular kind."""
    kind = token.removeprefix("pm_card_")
    return kind if kind in ("visa", "mastercard") else ""


VOIDABLE: Final = frozenset({ProviderState.PENDING, ProviderState.REQUIRES_ACTION, ProviderState.AUTHORISED})


def approved(asked: ProviderPayment) -> ProviderPayment:
    if asked.instant:
        return evolve(asked, state=ProviderState.CAPTURED, authorised=asked.amount, captured=asked.amount)
    return evolve(asked, state=ProviderState.AUTHORISED, authorised=asked.amount)


def standing(found: ProviderPayment) -> Approved | NeedsAction | Denied | NoAnswer:
    """What became of the authorisation, as things stand now."""
    match found.state:
        case ProviderState.PENDING:
            return NoAnswer()
        case ProviderState.REQUIRES_ACTION:
            action = Action(f"{found.id}_secret", f"https://provider.example/{found.id}")
            return NeedsAction(action, found.id)
        case ProviderState.DECLINED:
            return Denied(found.reason)
        case ProviderState.VOIDED if not found.captured.amount:
            return Denied("voided")
        case ProviderState.EXPIRED if not found.captured.amount:
            return Denied("authorisation_expired")
        case ProviderState.AUTHORISED | ProviderState.CAPTURED | ProviderState.VOIDED | ProviderState.EXPIRED:
            until = None if found.instant else found.until
            return Approved(found.amount, found.id, captured=found.instant, until=until)
        case _:
            assert_never(found.state)


def not_authorisable(token: str, method: str, amount: Money, can: Capabilities, *, now: bool) -> str:
    """Why this can't be asked of a card; empty when it can."""
    if amount.amount <= 0:
        return "amount_invalid"
    if now and not can.immediate:
        return "immediate_unsupported"
    if method and method not in can.wallets:
        return "wallet_unsupported"
    return "links_unsupported" if not token and not can.links else ""


def not_adjustable(found: ProviderPayment, amount: Money, can: Capabilities, *, raises: bool) -> str:
    """Why no more can be set aside, or for no longer; empty when it can."""
    if not (can.incremental if raises else can.extension):
        return "increase_unsupported" if raises else "extension_unsupported"
    if found.state is not ProviderState.AUTHORISED:
        return "authorisation_expired" if found.state is ProviderState.EXPIRED else "not_authorised"
    foreign = amount.currency != found.amount.currency
    return "amount_invalid" if raises and (foreign or amount <= found.authorised) else ""


def not_capturable(found: ProviderPayment, amount: Money, can: Capabilities) -> str:
    """Why this much can't be captured; empty when it can."""
    match found.state:
        case ProviderState.AUTHORISED if amount.currency != found.amount.currency or amount.amount <= 0:
            return "amount_invalid"
        case ProviderState.AUTHORISED if amount > found.open:
            return "amount_too_large"
        case ProviderState.AUTHORISED if amount < found.open and not can.partial_capture:
            return "partial_capture_unsupported"
        case ProviderState.AUTHORISED:
            return ""
        case ProviderState.CAPTURED:
            return "already_captured"
        case ProviderState.EXPIRED:
            return "authorisation_expired"
        case _:
            return "not_authorised"


def not_refundable(found: ProviderPayment, amount: Money, can: Capabilities) -> str:
    """Why this much can't be refunded; empty when it can."""
    rest = found.captured - found.refunded
    if amount.currency != rest.currency or amount.amount <= 0:
        return "amount_invalid"
    if amount > rest:
        return "amount_too_large"
    if amount < rest and not can.partial_refund:
        return "partial_refund_unsupported"
    return ""
