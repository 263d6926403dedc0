"""The test cards of Stripe, as far as a shop needs them: https://docs.stripe.com/testing.

Online they are named by a token; at a reader the same cards are told by their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import frozen

__all__ = ["CARDS", "NUMBERS", "Card"]


@frozen
class Card:
    """What a card does. `code` and `decline_code` are why it is declined, `action` whether the customer is asked."""

    brand: str = "visa"
    code: str = ""
    decline_code: str = ""
    action: bool = False
    refund_fails: bool = False
    disputed: bool = False
    wallet: str = ""


def _declined(decline_code: str, code: str = "card_declined") -> Card:
    return Card(code=code, decline_code=decline_code)


CARDS: Final[Mapping[str, Card]] = MappingProxyType(
    {
        "pm_card_visa": Card(),
        "pm_card_visa_debit": Card(),
        "pm_card_mastercard": Card("mastercard"),
        "pm_card_amex": Card("amex"),
        "pm_card_discover": Card("discover"),
        "pm_card_jcb": Card("jcb"),
        "pm_card_chargeDeclined": _declined("generic_decline"),
        "pm_card_visa_chargeDeclined": _declined("generic_decline"),
        "pm_card_chargeDeclinedInsufficientFunds": _declined("insufficient_funds"),
        "pm_card_visa_chargeDeclinedInsufficientFunds": _declined("insufficient_funds"),
        "pm_card_visa_chargeDeclinedLostCard": _declined("lost_card"),
        "pm_card_visa_chargeDeclinedStolenCard": _declined("stolen_card"),
        "pm_card_chargeDeclinedExpiredCard": _declined("", "expired_card"),
        "pm_card_chargeDeclinedIncorrectCvc": _declined("", "incorrect_cvc"),
        "pm_card_chargeDeclinedProcessingError": _declined("", "processing_error"),
        "pm_card_chargeDeclinedFraudulent": _declined("fraudulent"),
        "pm_card_authenticationRequired": Card(action=True),
        "pm_card_threeDSecure2Required": Card(action=True),
        "pm_card_refundFail": Card(refund_fails=True),
        "pm_card_createDispute": Card(disputed=True),
    }
)

NUMBERS: Final[Mapping[str, Card]] = MappingProxyType(
    {
        "4242424242424242": Card(),
        "5555555555554444": Card("mastercard"),
        "4000000000000002": _declined("generic_decline"),
        "4000000000009995": _declined("insufficient_funds"),
    }
)
