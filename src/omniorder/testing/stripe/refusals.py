"""Errors as Stripe answers them: a status, a type, a code, and what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

__all__ = ["Refusal", "declined", "invalid", "missing", "unexpected"]


@frozen
class Refusal(Exception):
    """An answer with a status of 400 or above. `kept`: it is remembered under the idempotency key."""

    status: int
    error: Mapping[str, Any]
    kept: bool = True

    def __str__(self) -> str:
        return f"{self.status} {self.error.get('code')} {self.error.get('param', '')}".strip()

    @property
    def reason(self) -> str:
        """The bank's word, or Stripe's."""
        return str(self.error.get("decline_code") or self.error.get("code") or "")


def invalid(code: str, param: str = "") -> Refusal:
    """The request itself is wrong: nothing of it is remembered."""
    return Refusal(400, {"type": "invalid_request_error", "code": code, "param": param, "message": code}, kept=False)


def missing(param: str, number: str) -> Refusal:
    """There is no such object."""
    status = 400 if param == "payment_method" else 404
    told = {"type": "invalid_request_error", "code": "resource_missing", "param": param}
    return Refusal(status, {**told, "message": f"No such {param}: '{number}'"})


def unexpected(intent: Mapping[str, Any], code: str = "payment_intent_unexpected_state", param: str = "") -> Refusal:
    """The payment is in no state for that."""
    told = {"type": "invalid_request_error", "code": code, "message": f"status {intent.get('status')}"}
    return Refusal(400, {**told, **({"param": param} if param else {}), "payment_intent": dict(intent)})


def declined(intent: Mapping[str, Any], code: str, decline_code: str) -> Refusal:
    """The bank said no."""
    told = {"type": "card_error", "code": code, "message": "Your card was declined."}
    return Refusal(402, {**told, "decline_code": decline_code or None, "payment_intent": dict(intent)})
