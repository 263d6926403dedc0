"""Webhooks from Stripe: verified, and then read only for which payment they are about.

stripe-python's own check is not used: it takes a timestamp that lies years ahead, reads the machine's clock, and trips
over letters outside of ASCII. A webhook for another account, or of the other mode, is refused: it was sent to the
wrong address.

What may lack our reference (a dispute, a reader, a refund made by hand) names a PaymentIntent, which is fetched.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast

from attrs import field, frozen

from omniorder.adapters.stripe.references import payment_of
from omniorder.domain.money import Money
from omniorder.errors import BadWebhook
from omniorder.ports.payments import Notice

__all__ = ["HEADER", "MOST_BYTES", "TOLERANCE", "Address", "notice", "signature", "verified"]

HEADER: Final = "Stripe-Signature"

TOLERANCE: Final = 300
"""Seconds by which Stripe's clock may differ from ours, either way."""

MOST_BYTES: Final = 1024 * 1024

_NAMELESS: Final = frozenset({"dispute", "refund", "terminal.reader"})
"""Objects of our payments that may lack our reference. Charges have it: Stripe copies it from their PaymentIntent."""

_MOMENT: Final = re.compile(r"[0-9]{1,12}")


@frozen
class Address:
    """Whose webhooks are expected: signed with `secret`, about `account` (empty: the key's own), of this mode."""

    secret: str = field(repr=False)
    account: str = ""
    livemode: bool | None = None


def verified(address: Address, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
    """The event that only Stripe can have sent. Raises `BadWebhook`, whose reason never repeats what came."""
    if len(body) > MOST_BYTES:
        raise _bad("too_large")
    given = [value for name, value in headers.items() if name.lower() == HEADER.lower()]
    if len(given) != 1 or not given[0].isascii():
        raise _bad("no_signature")
    parts = [part.partition("=") for part in given[0].split(",")]
    moments = [value for name, _, value in parts if name == "t"]
    if len(moments) != 1 or not _MOMENT.fullmatch(moments[0]):
        raise _bad("no_timestamp")
    expected = signature(address.secret, moments[0], body)
    # more than one while the secret is being rolled
    if not any(hmac.compare_digest(value, expected) for name, _, value in parts if name == "v1"):
        raise _bad("bad_signature")
    age = now.timestamp() - int(moments[0])
    if age > TOLERANCE:
        raise _bad("too_old")
    if age < -TOLERANCE:
        raise _bad("from_the_future")
    try:
        event: object = json.loads(body)
    except (ValueError, RecursionError):
        raise _bad("not_json") from None
    if not isinstance(event, dict):
        raise _bad("not_an_event")
    return _ours(address, cast("dict[str, Any]", event))


def signature(secret: str, moment: str, body: bytes) -> str:
    """What Stripe signs a body with, sent so many seconds after 1970: its scheme v1."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def _ours(address: Address, event: dict[str, Any]) -> dict[str, Any]:
    """The event, when it is for this gateway."""
    if (event.get("account") or "") != address.account:
        raise _bad("wrong_account")
    if address.livemode is not None and event.get("livemode") is not address.livemode:
        raise _bad("wrong_mode")
    return event


def notice(
    event: Mapping[str, Any],
    fetched: Callable[[str], Mapping[str, Any] | None],
    disputed: Callable[[str], Money | None],
) -> Notice:
    """What an event is about; of a kind that nobody knows too.

    `fetched` is the payment of that number as Stripe has it now, `disputed` what is in dispute of it, all in all.
    """
    number, kind = str(event.get("id") or ""), str(event.get("type") or "")
    match event:
        case {"data": {"object": {"object": str()} as thing}}:
            about = cast("dict[str, Any]", thing)
        case _:
            return Notice("", kind, number)
    payment, intent = payment_of(about), _intent(about)
    if not payment and intent and about["object"] in _NAMELESS:
        payment = payment_of(fetched(intent) or {})
    if about.get("object") != "dispute" or not payment:
        return Notice(payment, kind, number)
    return Notice(payment, kind, number, disputed(intent))


def _intent(thing: Mapping[str, Any]) -> str:
    """The number of the PaymentIntent that an object belongs to."""
    match thing:
        case {"payment_intent": str(number)}:
            return number
        case {"object": "terminal.reader", "action": {"process_payment_intent": {"payment_intent": str(number)}}}:
            return number
        case _:
            return ""


def _bad(reason: str) -> BadWebhook:
    return BadWebhook(gateway="stripe", reason=reason)
