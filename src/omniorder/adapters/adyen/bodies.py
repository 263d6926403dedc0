"""The bodies of requests to the Checkout API, version 72, as pure functions of what is asked for.

Our payment's id is the payment's `reference`, which every notification about it carries under Adyen's signature. A
modification's reference is that id and our key, so that its outcome is found although its reply was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from attrs import frozen

from omniorder.adapters.adyen.amounts import to_minor
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.ports.payments import Authorise

_WALLETS: Final = {"apple_pay": "applepay", "google_pay": "googlepay"}


@frozen
class Account:
    """What every request says of the shop."""

    merchant_account: str
    return_url: str
    preauthorises: bool


def reference(payment: str, key: str) -> str:
    """Our reference of a modification, at most 80 characters."""
    return f"{payment}.{key}"


def split(reference: str) -> tuple[str, str]:
    """The payment and the key that a reference names; the key is empty for that of the payment itself."""
    payment, _, key = reference.partition(".")
    return payment, key


def stored_card(token: str, method: str) -> Mapping[str, Any]:
    """What `/payments` is told of a tender by default: the token is `shopper:stored`, a shopper's reference and the id
    of a payment method that Adyen stores for them."""
    shopper, _, stored = token.rpartition(":")
    return {
        "paymentMethod": {"type": _WALLETS.get(method, "scheme"), "storedPaymentMethodId": stored},
        "shopperReference": shopper,
        "shopperInteraction": "ContAuth",
        "recurringProcessingModel": "CardOnFile",
    }


def payment(account: Account, request: Authorise, details: Mapping[str, Any]) -> dict[str, Any]:
    """`POST /payments`. `details` is what the shop's front end collected: the payment method, the browser."""
    more: Mapping[str, Any] = details.get("additionalData", {})
    body: dict[str, Any] = {
        "channel": "Web",
        **details,
        **_common(account, request),
        "returnUrl": _returns_to(account, request.payment),
    }
    if request.now:
        return {**body, "captureDelayHours": 0}
    manual = {"manualCapture": "true"}
    if account.preauthorises:
        manual["authorisationType"] = "PreAuth"
    return {**body, "additionalData": {**more, **manual}}


def link(account: Account, request: Authorise, expires_at: datetime) -> dict[str, Any]:
    """`POST /paymentLinks`: a page of Adyen's, where the customer chooses how to pay."""
    capture: dict[str, Any] = {"captureDelayHours": 0} if request.now else {"manualCapture": True}
    return {
        **_common(account, request),
        **capture,
        "expiresAt": expires_at.isoformat(timespec="seconds"),
        "reusable": False,
        "returnUrl": _returns_to(account, request.payment),
    }


def modification(account: Account, operation: Operation, payment: str, key: str, amount: Money) -> dict[str, Any]:
    """`POST /payments/{pspReference}/captures`, `refunds`, `cancels` or `amountUpdates`."""
    body: dict[str, Any] = {"merchantAccount": account.merchant_account, "reference": reference(payment, key)}
    if operation is not Operation.VOID:
        body["amount"] = to_minor(amount)
    if operation in (Operation.INCREASE, Operation.EXTEND):
        body["industryUsage"] = "delayedCharge"
    return body


def cancel_by_reference(account: Account, payment: str, key: str) -> dict[str, Any]:
    """`POST /cancels`: call off a payment of which no answer ever came."""
    return {
        "merchantAccount": account.merchant_account,
        "paymentReference": payment,
        "reference": reference(payment, key),
    }


def _common(account: Account, request: Authorise) -> dict[str, Any]:
    return {
        "merchantAccount": account.merchant_account,
        "amount": to_minor(request.amount),
        "reference": request.payment,
        "merchantOrderReference": request.order,
        "metadata": {"payment": request.payment, "key": request.key, "order": request.order},
    }


def _returns_to(account: Account, payment: str) -> str:
    mark = "&" if "?" in account.return_url else "?"
    return f"{account.return_url}{mark}{urlencode({'payment': payment})}"
