"""The fake provider's rules: what a payment on its file is, what a card's token means, what may be done when.

What the provider does is chosen by the card's token, as in a provider's test mode:

    pm_card_visa, pm_card_mastercard   approved
    pm_card_instant                    approved and captured at once
    pm_card_3ds                        the customer must act: until `complete_action` or `fail_action`
    pm_card_pending                    no answer for now: until `complete_action` or `fail_action`
    pm_card_declined                   declined as `card_declined`
    pm_card_declined_<reason>          declined as `<reason>`, `insufficient_funds` for example
    pm_card_timeout                    no answer, ever, and no effect
    pm_card_timeout_after              it takes effect, and the reply is lost

The last four also with `capture_`, `void_` or `refund_` before the behaviour (`pm_card_capture_timeout`): the
card is then approved, and only that operation misbehaves. Any other token is declined as `unknown_token`:
a fake that approves what it doesn't know would hide mistakes.
"""

from __future__ import annotations

import re
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
    "luck_of",
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

    `amount` was asked for; `authorised`, `captured` and `refunded` are what happened of it, in total.
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
    instant: bool = False
    reason: str = ""
    operations: tuple[ProviderOperation, ...] = ()

    @property
    def open(self) -> Money:
        """What can still be captured."""
        if self.state is ProviderState.AUTHORISED:
            return self.authorised - self.captured
        return Money(0, self.amount.currency)


_TOKEN = re.compile(r"pm_card_(?:(capture|void|refund)_)?(?:(timeout|timeout_after)|declined(?:_([a-z_]+))?)")
_KNOWN: Final = frozenset({"pm_card_visa", "pm_card_mastercard", "pm_card_instant", "pm_card_3ds", "pm_card_pending"})


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
            return Approved(found.authorised, found.id, captured=found.instant)
        case _:
            assert_never(found.state)


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
