"""One call to Stripe: what it answered as plain data, or what its error means.

| what came back | what it means | raised |
|---|---|---|
| 402, and 400 or 404 about this payment | Stripe decided against it; nothing happened | `Refused` |
| 400 about the request, 401, 403, 429, a key reused | surely nothing happened; ours to mend | `GatewayFault` |
| 409, 5xx, no connection, time-out, no JSON | it may have happened | `GatewayTimeout` |

A 500 is remembered by Stripe under the idempotency key: repeating the call repeats the 500, so what became of it is
read by our own reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import stripe

from omniorder.errors import GatewayFault, GatewayTimeout

__all__ = ["NO_SUCH_PAYMENT", "Refused", "ask", "read", "timeout"]

NO_SUCH_PAYMENT: Final = "no_such_payment"

_OURS: Final = (
    "api_key_expired",
    "account_",
    "idempotency_key_in_use",
    "livemode_mismatch",
    "not_allowed_on_standard_account",
    "parameter_",
    "platform_",
    "secret_key_required",
    "testmode_charges_only",
    "tls_version_unsupported",
    "url_invalid",
)
"""Codes that blame the request or the account, or begin so. What they refuse could be asked again, put right."""

_NO_ANSWER: Final = "terminal_reader_timeout"
"""The code of a 400 that leaves the outcome open: the reader may have got the request."""


class Refused(Exception):
    """Stripe decided against it. `intent` is the payment as it stands, where Stripe said so."""

    def __init__(self, reason: str, intent: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.intent: Final = intent


def ask(call: Callable[[], object]) -> dict[str, Any]:
    """What Stripe answered; raises `Refused`, `GatewayFault`, `GatewayTimeout`."""
    try:
        answer = call()
    except stripe.CardError as declined:
        raise Refused(_decline(declined), _intent(declined)) from declined
    except stripe.InvalidRequestError as invalid:
        raise _meaning(invalid) from invalid
    except (
        stripe.AuthenticationError,
        stripe.PermissionError,
        stripe.RateLimitError,
        stripe.IdempotencyError,
    ) as refused:
        raise GatewayFault(gateway="stripe", reason=type(refused).__name__) from refused
    except stripe.StripeError as silence:
        status = f" {silence.http_status}" if silence.http_status else ""
        raise timeout(f"{type(silence).__name__}{status}") from silence
    told = answer.to_dict() if isinstance(answer, stripe.StripeObject) else {}
    if "object" not in told:
        # whatever stands in between and says 200 is not Stripe
        raise timeout("an answer that can't be read")
    return told


def read(call: Callable[[], object]) -> dict[str, Any]:
    """The same for a question without effect: when that is refused, the question was wrong."""
    try:
        return ask(call)
    except Refused as why:
        raise GatewayFault(gateway="stripe", reason=why.reason) from why


def timeout(reason: str) -> GatewayTimeout:
    """Nobody can say what became of it."""
    return GatewayTimeout(gateway="stripe", reason=reason)


def _meaning(invalid: stripe.InvalidRequestError) -> Exception:
    """What a 400 or 404 is about. Without a code it is about the parameter that it names, or about the request."""
    named: object = invalid.param
    code, param = str(invalid.code or ""), str(named or "")
    if code == _NO_ANSWER:
        return timeout(code)
    if code == "resource_missing" and param in ("intent", "payment_intent"):
        return Refused(NO_SUCH_PAYMENT)
    if code and not code.startswith(_OURS):
        return Refused(code, _intent(invalid))
    if not code and param.startswith("amount"):
        return Refused("amount_invalid", _intent(invalid))
    return GatewayFault(gateway="stripe", reason=f"{code or 'InvalidRequestError'} {param}".strip())


def _decline(declined: stripe.CardError) -> str:
    """Why: the bank's word where there is one, and otherwise Stripe's."""
    bank = declined.error.decline_code if declined.error is not None else None
    return str(bank or declined.code or "card_declined")


def _intent(error: stripe.StripeError) -> Mapping[str, Any] | None:
    body = cast("Mapping[str, Mapping[str, Any]]", error.json_body)
    intent = body["error"].get("payment_intent")
    return cast("Mapping[str, Any]", intent) if isinstance(intent, dict) else None
