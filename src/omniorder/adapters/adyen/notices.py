"""Adyen's notifications: signed, and read with every suspicion.

Each item of a notification carries a signature over eight of its fields, and nothing else in it is vouched for: not
its date, so a notification has no age (Adyen itself brings one again for a month); not the "live" flag; not the
additional data. Only signed fields decide what is put down.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, cast

from Adyen.util import generate_notification_sig
from attrs import field, frozen

from omniorder.adapters.adyen.amounts import from_minor
from omniorder.adapters.adyen.reading import object_in, text
from omniorder.domain.money import Money
from omniorder.errors import BadWebhook, InvalidMoney

MOST_BYTES: Final = 256 * 1024
_PRINTED: Final = re.compile(r"[\x20-\x7e]{0,80}")


@frozen
class Item:
    """One item of a notification, as far as it is signed, and the scheme of its card."""

    event: str
    success: bool
    psp: str
    original: str
    reference: str
    amount: Money
    reason: str
    brand: str

    @property
    def restored(self) -> bool:
        """Whether a capture that failed was made good: it is told under the reference of the first time."""
        return self.event == "CAPTURE" and self.success and "recaptured" in self.reason.lower()

    @property
    def id(self) -> str:
        """The same however often it is sent."""
        return f"{self.psp}:{self.event}:{'restored' if self.restored else str(self.success).lower()}"


@frozen
class Verifier:
    """Who may send notifications: whoever has one of the HMAC keys, about this account, in this mode.

    `login` is the user and password of basic authentication, where the webhook was set up with them.
    """

    keys: Sequence[str] = field(repr=False)
    merchant_account: str
    live: bool
    login: tuple[str, str] | None = field(default=None, repr=False)

    def read(self, headers: Mapping[str, str], body: bytes) -> tuple[Item, ...]:
        """The items of a genuine notification. Raises `BadWebhook`, whose reason never repeats what was sent."""
        self._let_in(headers)
        if len(body) > MOST_BYTES:
            raise _bad("too_large")
        try:
            told: object = json.loads(body.decode(), object_pairs_hook=_once_each, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise _bad("not_json") from None
        document = _object(told)
        items: object = document.get("notificationItems")
        if not isinstance(items, list) or not items:
            raise _bad("not_a_notification")
        read = tuple(self._item(_object(each)) for each in cast("list[object]", items))
        if document.get("live") != str(self.live).lower():
            raise _bad("wrong_mode")
        return read

    def _let_in(self, headers: Mapping[str, str]) -> None:
        if self.login is None:
            return
        given = [value for name, value in headers.items() if name.lower() == "authorization"]
        expected = b"Basic " + base64.b64encode(":".join(self.login).encode())
        # compare_digest refuses text outside ASCII with a TypeError, but bytes may hold anything
        if len(given) != 1 or not hmac.compare_digest(given[0].encode("utf-8", "backslashreplace"), expected):
            raise _bad("bad_login")

    def _item(self, wrapped: Mapping[str, Any]) -> Item:
        item = object_in(wrapped, "NotificationRequestItem")
        match item:
            case {
                "pspReference": str(psp),
                "merchantAccountCode": str(account),
                "eventCode": str(event),
                "success": "true" | "false" as success,
                "amount": {"value": int(value), "currency": str(currency)},
            }:
                pass
            case _:
                raise _bad("not_a_notification")
        original, reference = text(item, "originalReference"), text(item, "merchantReference")
        self._verify(item)
        if account != self.merchant_account:
            raise _bad("wrong_account")
        if not all(_PRINTED.fullmatch(part) for part in (psp, original, reference, event)):
            raise _bad("not_a_notification")
        try:
            amount = from_minor(value, currency)
        except InvalidMoney:
            raise _bad("no_money") from None
        return Item(
            event, success == "true", psp, original, reference, amount,
            reason=text(item, "reason"), brand=text(item, "paymentMethod"),
        )  # fmt: skip

    def _verify(self, item: Mapping[str, Any]) -> None:
        """The signature is made over the fields as they were sent; a null would sign as the word None."""
        given = text(object_in(item, "additionalData"), "hmacSignature").encode("utf-8", "backslashreplace")
        signed = {name: value for name, value in item.items() if value is not None and name != "additionalData"}
        try:
            expected = [generate_notification_sig(signed, key) for key in self.keys]
        except UnicodeEncodeError:
            raise _bad("not_text") from None
        if not any(hmac.compare_digest(given, one) for one in expected):
            raise _bad("bad_signature")


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of `{"a": 1, "a": 2}` may see different values; nobody sends that by accident."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _bad(reason: str) -> BadWebhook:
    return BadWebhook(gateway="adyen", reason=reason)
