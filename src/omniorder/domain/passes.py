"""The pick-up pass: a code to say and a token to scan, computed from a secret and stored nowhere.

Both are HMACs of (secret, order, generation). The database holds the generation and the id of the key, so a stolen
copy of it opens no order, and a lost code is re-issued by raising the generation. The spoken code is digits, which
every language can say; seven of them are 23 bits, and a handful of tries makes guessing hopeless.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, cast

from attrs import field, frozen

from omniorder.domain import wallets
from omniorder.domain.proofs import Proof
from omniorder.domain.stores import Point
from omniorder.errors import Misconfigured

SHORTEST_CODE = 7
"""Digits: the fewest that carry 20 bits."""

_SECRET: Final = "a secret of at least 16 bytes"


@frozen
class KeyRing:
    """Secrets by id; the last one signs, the others still verify what was signed before.

    Made from one secret or a mapping of them, oldest first. Raises `Misconfigured` for one shorter than 16 bytes, and
    for what is neither text nor bytes.
    """

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, secret: str | bytes | Mapping[str, str | bytes]) -> KeyRing:
        """A ring of one secret, or of several by key id."""
        ring = cast("Mapping[object, object]", secret if isinstance(secret, Mapping) else {"1": secret})
        keys: dict[str, bytes] = {}
        for name, key in ring.items():
            if not isinstance(name, str) or not name:
                raise Misconfigured(needs="key ids that are text")
            keys[name] = _key(key)
        if not keys:
            raise Misconfigured(needs=_SECRET)
        return cls(MappingProxyType(keys))

    @property
    def current(self) -> str:
        """The id of the key that signs."""
        return list(self.keys)[-1]

    def secret(self, key_id: str) -> bytes:
        """The secret with this id; raises `Misconfigured` when it was taken off the ring."""
        if key_id not in self.keys:
            raise Misconfigured(needs=f"the secret with key id {key_id!r}")
        return self.keys[key_id]


def _key(secret: object) -> bytes:
    """The bytes of one secret, which no error repeats."""
    try:
        key = secret.encode() if isinstance(secret, str) else secret
    except UnicodeEncodeError:
        raise Misconfigured(needs=_SECRET) from None
    if not isinstance(key, bytes) or len(key) < 16:
        raise Misconfigured(needs=_SECRET)
    return key


@frozen
class PickupPass:
    """What the customer shows at the counter: say `code`, or let the QR code be scanned.

    `qr` is what the QR code holds: the order, and `signed`, which a store without a network can verify too, or `token`
    of a hub without signing keys. `until` is how long the goods wait, None before they are ready. What is left is for
    the wallet of a phone: when the window `starts`, the name of the `store` and its `place`, the labels' `language`.
    """

    order: str
    code: str = field(repr=False)
    token: str = field(repr=False)
    until: datetime | None
    signed: str = field(default="", repr=False)
    starts: datetime | None = None
    store: str = ""
    place: Point | None = None
    language: str = ""

    @property
    def qr(self) -> str:
        """The content of the QR code."""
        return f"OMNI:{self.order}:{self.signed or self.token}"

    @property
    def wallet(self) -> dict[str, dict[str, Any]]:
        """The pass for a wallet: fields of `apple`'s pass.json and of `google`'s generic object, as JSON values.

        Nothing in it is secret but the QR code and the spoken code. Who issues the pass, and how it looks, is to be
        added by whoever signs it for the wallet.
        """
        return wallets.payload(
            order=self.order, code=self.code, qr=self.qr, starts=self.starts, until=self.until,
            store=self.store, place=self.place, language=self.language,
        )  # fmt: skip


def code(secret: bytes, order_id: str, generation: int, length: int) -> str:
    """The spoken code: `length` digits."""
    number = int.from_bytes(_mac(secret, "code", order_id, generation))
    return str(number % 10**length).zfill(length)


def token(secret: bytes, order_id: str, generation: int) -> str:
    """The scanned token: 128 bits as 26 characters of base 32."""
    return b32encode(_mac(secret, "token", order_id, generation)[:16]).decode().rstrip("=")


def matches(shown: str, secret: bytes, order_id: str, generation: int, length: int) -> Proof | None:
    """As what this order's pass was shown: said or scanned; None for neither. Takes the same time either way."""
    scanned = shown.strip().rpartition(":")[2].upper()
    said = "".join(character for character in shown if character not in " -.")
    right_code = hmac.compare_digest(_bytes(said), _bytes(code(secret, order_id, generation, length)))
    right_token = hmac.compare_digest(_bytes(scanned), _bytes(token(secret, order_id, generation)))
    return (Proof.CODE if right_code else None) or (Proof.TOKEN if right_token else None)


def _bytes(text: str) -> bytes:
    """The text as bytes, whatever was typed: half a surrogate pair is no reason to fail."""
    return text.encode(errors="replace")


def _mac(secret: bytes, purpose: str, order_id: str, generation: int) -> bytes:
    return hmac.new(secret, f"omniorder:{purpose}:{order_id}:{generation}".encode(), hashlib.sha256).digest()
