"""What Adyen's replies mean, as entries for the payment's page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, cast

from attrs import evolve

from omniorder.adapters.adyen.amounts import from_minor
from omniorder.adapters.adyen.entries import Entry, Step
from omniorder.adapters.adyen.lifetimes import lapses
from omniorder.domain.money import Money
from omniorder.errors import GatewayTimeout, InvalidMoney

REASONS: Final[Mapping[str, str]] = {
    "2": "refused",
    "3": "referral",
    "4": "acquirer_error",
    "5": "blocked_card",
    "6": "expired_card",
    "7": "invalid_amount",
    "8": "invalid_card_number",
    "9": "issuer_unavailable",
    "10": "not_supported",
    "11": "not_authenticated",
    "12": "insufficient_funds",
    "14": "acquirer_fraud",
    "15": "cancelled",
    "16": "cancelled_by_shopper",
    "17": "invalid_pin",
    "18": "pin_tries_exceeded",
    "20": "fraud",
    "21": "not_submitted",
    "22": "fraud_cancelled",
    "23": "transaction_not_permitted",
    "24": "cvc_declined",
    "25": "restricted_card",
    "26": "revoked",
    "27": "declined_non_generic",
    "28": "withdrawal_amount_exceeded",
    "29": "withdrawal_count_exceeded",
    "31": "issuer_suspected_fraud",
    "32": "address_declined",
    "33": "pin_required",
    "34": "no_checking_account",
    "38": "authentication_required",
}
"""Adyen's `refusalReasonCode`, in words; others are given as `adyen_` and their number."""

_SHOWN: Final = ("RedirectShopper", "IdentifyShopper", "ChallengeShopper", "PresentToShopper")
_NO: Final = ("Refused", "Error", "Cancelled")
_YES: Final = ("Authorised", "PartiallyAuthorised")
_LATER: Final = ("Pending", "Received")


def payment(sent: Entry, reply: Mapping[str, Any], lifetimes: Mapping[str, timedelta]) -> Entry:
    """What became of an authorisation. Raises `GatewayTimeout` for a reply that says nothing known."""
    psp = text(reply, "pspReference") or sent.psp
    match reply.get("resultCode"):
        case str(code) if code in _YES:
            brand = _brand(reply)
            return evolve(
                sent, step=Step.DONE, psp=psp, amount=_amount(reply, sent.amount), brand=brand,
                until=None if sent.captured else lapses(lifetimes, brand, sent.at), action="",
            )  # fmt: skip
        case str(code) if code in _NO:
            return evolve(sent, step=Step.REFUSED, psp=psp, reason=refusal(reply), action="")
        case str(code) if code in _SHOWN:
            action = object_in(reply, "action")
            return evolve(sent, step=Step.WAITING, psp=psp, action=json.dumps(action), place=text(action, "url"))
        case str(code) if code in _LATER:
            return evolve(sent, step=Step.RECEIVED, psp=psp)
        case _:
            raise GatewayTimeout(gateway="adyen", reason="a reply without a known resultCode")


def link(sent: Entry, reply: Mapping[str, Any]) -> Entry:
    """The payment link that the customer is to be sent."""
    url, number = text(reply, "url"), text(reply, "id")
    if not url or not number:
        raise GatewayTimeout(gateway="adyen", reason="a payment link without its address")
    return evolve(sent, step=Step.WAITING, place=url, action=json.dumps({"type": "link", "id": number, "url": url}))


def received(sent: Entry, reply: Mapping[str, Any]) -> Entry:
    """Adyen has accepted a modification; the outcome comes by notification."""
    if reply.get("status") != "received":
        raise GatewayTimeout(gateway="adyen", reason="a reply that is not received")
    return evolve(sent, step=Step.RECEIVED, psp=text(reply, "pspReference"))


def refusal(reply: Mapping[str, Any]) -> str:
    """The reason of a refusal, by Adyen's code."""
    code = text(reply, "refusalReasonCode")
    return REASONS.get(code, f"adyen_{code}" if code else "refused")


def text(reply: Mapping[str, Any], name: str) -> str:
    """The text under a name, or empty."""
    found: object = reply.get(name)
    return found if isinstance(found, str) else ""


def object_in(reply: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The JSON object under these names, one in the other, or an empty one."""
    for name in names:
        found: object = reply.get(name)
        reply = cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}
    return reply


def _amount(reply: Mapping[str, Any], asked: Money) -> Money:
    match reply.get("amount"):
        case {"value": int(value), "currency": str(currency)}:
            try:
                return from_minor(value, currency)
            except InvalidMoney:
                raise GatewayTimeout(gateway="adyen", reason="an amount that can't be") from None
        case _:
            return asked


def _brand(reply: Mapping[str, Any]) -> str:
    named = text(object_in(reply, "paymentMethod"), "brand")
    return named or text(object_in(reply, "additionalData"), "paymentMethod")
