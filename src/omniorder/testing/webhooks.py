"""Webhooks of the fake provider: signed, and read with every suspicion that a real one deserves.

Whoever can reach the address may post to it. So nothing is looked at before its signature is verified, a
signature counts for five minutes only (before and after, since a timestamp from the future could be replayed
for as long as it lies ahead), and the body is measured before it is parsed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NoReturn

from omniorder.domain.money import Money
from omniorder.errors import BadWebhook, InvalidInput
from omniorder.ports.payments import Notice

__all__ = ["HEADER", "MOST_BYTES", "MOST_DEPTH", "TOLERANCE", "read", "sign"]

HEADER: Final = "Fake-Signature"
"""`t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body", in hex>`, where `v1` may come more than once."""

TOLERANCE: Final = 300
"""Seconds by which the sender's clock may differ, either way."""

MOST_BYTES: Final = 256 * 1024
MOST_DEPTH: Final = 32

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def sign(secret: bytes, body: bytes, at: datetime) -> str:
    """The value of `HEADER` for `body`, sent at `at`."""
    moment = int(at.timestamp())
    return f"t={moment},v1={_mac(secret, str(moment), body)}"


def read(secret: bytes, headers: Mapping[str, str], body: bytes, now: datetime, *, account: str) -> Notice:
    """What a webhook tells. Unknown kinds are read as well; what to do with them is the reader's business.

    One secret may sign for several accounts: what is meant for another `account` than this is refused.

    Raises `BadWebhook`, whose reason never repeats what was sent.
    """
    if len(body) > MOST_BYTES:
        raise _bad("too_large")
    _verify(secret, headers, body, now)
    if _depth(body) > MOST_DEPTH:
        raise _bad("too_deep")
    try:
        text = body.decode()
        told = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except ValueError:
        raise _bad("not_json") from None
    match told:
        case {"account": other} if other != account:
            raise _bad("wrong_account")
        case {"type": str(kind), "data": {"payment": str(payment), "disputed": [amount, currency]}}:
            return Notice(payment, kind, _id(told), _money(amount, currency))
        case {"type": str(kind), "data": {"payment": str(payment)}}:
            return Notice(payment, kind, _id(told))
        case {"type": str(kind)}:
            return Notice("", kind, _id(told))
        case _:
            raise _bad("not_a_notice")


def _id(told: Mapping[str, Any]) -> str:
    return str(told.get("id", ""))


def _money(amount: Any, currency: Any) -> Money:
    try:
        return Money(amount, currency)
    except InvalidInput:
        raise _bad("not_an_amount") from None


def _verify(secret: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    given = [value for name, value in headers.items() if name.lower() == HEADER.lower()]
    if len(given) != 1:
        raise _bad("no_signature")
    parts = [part.strip().partition("=") for part in given[0].split(",")]
    moments = [value for name, _, value in parts if name == "t"]
    if len(moments) != 1 or not _TIMESTAMP.fullmatch(moments[0]):
        raise _bad("no_timestamp")
    expected = _mac(secret, moments[0], body).encode()
    # compare_digest refuses text outside ASCII with a TypeError, but bytes may hold anything
    shown = [value.encode("utf-8", "backslashreplace") for name, _, value in parts if name == "v1"]
    if not any(hmac.compare_digest(one, expected) for one in shown):
        raise _bad("bad_signature")
    age = now.timestamp() - int(moments[0])
    if age > TOLERANCE:
        raise _bad("too_old")
    if age < -TOLERANCE:
        raise _bad("from_the_future")


def _depth(body: bytes) -> int:
    """How deep the brackets outside of strings are nested; the parser would recurse as often."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(body):
        if found[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in b"]}":
            depth -= 1
    return deepest


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of `{"a": 1, "a": 2}` may see different values; nobody sends that by accident."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _bad("duplicate_key")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _mac(secret: bytes, moment: str, body: bytes) -> str:
    return hmac.new(secret, moment.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()


def _bad(reason: str) -> BadWebhook:
    return BadWebhook(gateway="fake", reason=reason)
