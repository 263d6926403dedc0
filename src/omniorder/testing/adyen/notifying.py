"""Notifications as Adyen sends them: one signed item each."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from Adyen.util import generate_notification_sig
from attrs import frozen

from omniorder.testing.adyen.state import AtAdyen


@frozen
class Notifier:
    """Who sends notifications: with this key, about this account."""

    hmac_key: str
    merchant_account: str
    login: tuple[str, str] | None

    def item(
        self, payment: AtAdyen, event: str, at: datetime, *, success: bool = True, amount: int | None = None,
        psp: str = "", reference: str = "", reason: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """An item about a payment; `psp` is the modification's own reference, where it is about one."""
        item: dict[str, Any] = {
            "amount": {"value": payment.authorised if amount is None else amount, "currency": payment.currency},
            "eventCode": event,
            "eventDate": at.isoformat(timespec="seconds"),
            "merchantAccountCode": self.merchant_account,
            "merchantReference": reference or payment.reference,
            "paymentMethod": payment.brand,
            "pspReference": psp or payment.psp,
            "reason": reason,
            "success": "true" if success else "false",
        }
        if psp:
            item["originalReference"] = payment.psp
        more = {f"metadata.{name}": value for name, value in payment.metadata.items()}
        return {**item, "additionalData": more}

    def sign(self, *items: Mapping[str, Any], live: bool = False) -> tuple[dict[str, str], bytes]:
        """Headers and body of a notification with these items."""
        signed = [self._signed(item) for item in items]
        told = {"live": str(live).lower(), "notificationItems": [{"NotificationRequestItem": item} for item in signed]}
        headers = {"Content-Type": "application/json"}
        if self.login is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        return headers, json.dumps(told).encode()

    def _signed(self, item: Mapping[str, Any]) -> dict[str, Any]:
        plain = {name: value for name, value in item.items() if name != "additionalData"}
        signature = generate_notification_sig(plain, self.hmac_key).decode()
        return {**item, "additionalData": {**item.get("additionalData", {}), "hmacSignature": signature}}
