"""What requests may hold: the fields of Adyen's Checkout API, version 72, and of the Terminal API that we know of.

Adyen's Python library ships no models, so these lists stand in for them: a field that Adyen doesn't have is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

_PAYMENT: Final = """
    accountInfo additionalAmount additionalData amount applicationInfo authenticationData bankAccount
    billingAddress browserInfo captureDelayHours channel checkoutAttemptId company countryCode dateOfBirth
    dccQuote deliverAt deliveryAddress deliveryDate deviceFingerprint enableOneClick enablePayOut
    enableRecurring enhancedSchemeData entityType fraudOffset fundOrigin fundRecipient industryUsage
    installments lineItems localizedShopperStatement mandate mcc merchantAccount merchantOrderReference
    merchantRiskIndicator metadata mpiData order orderReference origin paymentMethod paymentValidations
    platformChargebackLogic recurringExpiry recurringFrequency recurringProcessingModel redirectFromIssuerMethod
    redirectToIssuerMethod reference returnUrl riskData sessionValidity shopperEmail shopperIP
    shopperInteraction shopperLocale shopperName shopperReference shopperStatement shopperTaxInfo
    socialSecurityNumber splits store storePaymentMethod subMerchants surcharge telephoneNumber
    threeDS2RequestData threeDSAuthenticationOnly trustedShopper
"""
_LINK: Final = """
    allowedPaymentMethods amount applicationInfo billingAddress blockedPaymentMethods captureDelayHours
    countryCode dateOfBirth deliverAt deliveryAddress description expiresAt fundOrigin fundRecipient
    installmentOptions lineItems manualCapture mcc merchantAccount merchantOrderReference metadata
    platformChargebackLogic recurringProcessingModel reference requiredShopperFields returnUrl reusable riskData
    shopperEmail shopperLocale shopperName shopperReference shopperStatement showRemovePaymentMethodButton
    socialSecurityNumber splitCardFundingSources splits store storePaymentMethodMode telephoneNumber themeId
    threeDS2RequestData
"""
_DETAILS: Final = ("authenticationData", "details", "paymentData", "threeDSAuthenticationOnly")
_MODIFICATION: Final = ("amount", "applicationInfo", "lineItems", "merchantAccount", "reference", "splits")

_BODIES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "payments": (tuple(_PAYMENT.split()), ("amount", "merchantAccount", "paymentMethod", "reference", "returnUrl")),
    "details": (_DETAILS, ("details",)),
    "paymentLinks": (tuple(_LINK.split()), ("amount", "merchantAccount", "reference")),
    "closeLink": (("status",), ("status",)),
    "captures": ((*_MODIFICATION, "enhancedSchemeData", "platformChargebackLogic", "subMerchants"),
                 ("amount", "merchantAccount")),
    "refunds": ((*_MODIFICATION, "capturePspReference", "merchantRefundReason", "store"),
                ("amount", "merchantAccount")),
    "cancels": (("applicationInfo", "enhancedSchemeData", "merchantAccount", "reference"), ("merchantAccount",)),
    "cancel": (("applicationInfo", "enhancedSchemeData", "merchantAccount", "paymentReference", "reference"),
               ("merchantAccount", "paymentReference")),
    "amountUpdates": ((*_MODIFICATION, "industryUsage"), ("amount", "merchantAccount")),
}  # fmt: skip
_HEADER: Final = ("MessageCategory", "MessageClass", "MessageType", "POIID", "ProtocolVersion", "SaleID", "ServiceID")


def complaint(kind: str, body: Mapping[str, Any], key: str) -> str:
    """What Adyen would say against this request, or empty."""
    known, needed = _BODIES[kind]
    for name in body:
        if name not in known:
            return f"Structure of {kind} contains the following unknown fields: {name}"
    for name in needed:
        if body.get(name) in (None, "", {}):
            return f"Required field '{name}' is not provided."
    if len(key) > 64:
        return "The idempotency key is too long."
    if len(str(body.get("reference", ""))) > 80:
        return "Reference may not exceed 80 characters"
    return _amount(body.get("amount")) or _metadata(body.get("metadata")) or _values(kind, body)


def complaint_of_terminal(message: object) -> str:
    """What the cloud would say against a message to a card reader, or empty."""
    request = _object(_object(message).get("SaleToPOIRequest"))
    header = _object(request.get("MessageHeader"))
    if sorted(header) != sorted(_HEADER) or not all(isinstance(value, str) and value for value in header.values()):
        return "the MessageHeader is not complete"
    if not re.fullmatch(r"[A-Za-z0-9]{1,10}", str(header["ServiceID"])):
        return "a ServiceID has one to ten letters and digits"
    bodies = [name for name in request if name != "MessageHeader"]
    return "" if bodies == [f"{header['MessageCategory']}Request"] else "the body is not of its category"


def _amount(amount: object) -> str:
    told = _object(amount)
    value, currency = told.get("value"), told.get("currency")
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    named = isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)
    return "" if amount is None or (whole and named and len(told) == 2) else "Invalid amount specified"


def _metadata(metadata: object) -> str:
    pairs = _object(metadata)
    if len(pairs) > 20 or any(len(name) > 20 for name in pairs):
        return "Metadata size exceeds limit"
    return "" if all(isinstance(value, str) and len(value) <= 80 for value in pairs.values()) else "Metadata too long"


def _object(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _values(kind: str, body: Mapping[str, Any]) -> str:
    if kind == "payments":
        more = body.get("additionalData", {})
        return "" if all(isinstance(value, str) for value in more.values()) else "additionalData holds text only"
    if kind == "paymentLinks":
        expires = body.get("expiresAt", "2026-01-01T00:00:00+00:00")
        dated = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", expires)
        return "" if dated else "expiresAt must be a date with an offset"
    if kind == "amountUpdates":
        return (
            "" if body.get("industryUsage") in ("delayedCharge", "installment", "noShow") else "Invalid industryUsage"
        )
    return ""
