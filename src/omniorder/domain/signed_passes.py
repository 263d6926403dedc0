"""The signed pass: what a store without a network needs to know, as text for a QR code, signed by the shop.

It is a JWS in compact form (RFC 7515) over the claims of a JWT (RFC 7519), signed with Ed25519 (RFC 8037):

    header     alg "EdDSA", kid the key's id, typ "omni-pass"
    payload    sub the order, aud the store, jti the pass's id, hld "owner" or "proxy",
               iat, nbf, exp in whole seconds since 1970,
               chk what is to be checked before goods are given, if anything: "identity", "age"

About 340 characters with what the QR code says before it, and 375 with both checks: a QR code of version 12 or 13.
Whoever shows it is told by role alone: no name, no article and no amount is in it. It is computed when it is shown and
stored nowhere, as the spoken code is.

Here is the text and what may be said of it at some instant; keys are the business of `omniorder.signing`.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final, cast

from attrs import frozen

from omniorder.domain.orders import Order
from omniorder.domain.proofs import CheckKind
from omniorder.errors import PassRefused

TYPE: Final = "omni-pass"
"""What the header says of itself, so that no other text under the same key is taken for a pass (RFC 8725, 3.11)."""
LONGEST: Final = 800
"""Characters: more than any pass has, and few enough to be read without care."""
SKEW: Final = timedelta(minutes=5)
"""By how much the clock of a store's device may be wrong, unless somebody says otherwise."""

_PART: Final = re.compile(r"[A-Za-z0-9_-]+")


class Holder(Enum):
    """Whose pass it is, by role: no name leaves the shop on it."""

    OWNER = "owner"
    """The one who ordered."""
    PROXY = "proxy"
    """Somebody whom they send."""


class PassFlaw(Enum):
    """Why a signed pass is refused: the fact `reason` of `PassRefused`."""

    MALFORMED = "malformed"
    """It is no signed pass at all, or a part of one."""
    FORGED = "forged"
    """The signature is not that of the key that it names."""
    UNKNOWN_KEY = "unknown_key"
    """It names a key that is not among the public keys here."""
    RETIRED_KEY = "retired_key"
    """The key that signed it has come to its end."""
    OTHER_STORE = "other_store"
    """The goods are in another store."""
    NOT_YET_VALID = "not_yet_valid"
    """It begins later, by more than the clocks may differ."""
    EXPIRED = "expired"
    """The time for collecting is over."""
    USED = "used"
    """The order was handed over here already."""
    REPLACED = "replaced"
    """A newer pass of the order has taken its place."""
    OTHER_ORDER = "other_order"
    """It is the pass of another order."""


@frozen
class SignedPass:
    """What a signed pass says. `id` is the pick-up's with the generation; it is good within [`starts`, `until`].

    `holder` is who shows it, `key_id` the key that signed it. Goods are given to whoever passes all the `checks`; what
    they are needed for is not told. Instants are UTC, in whole seconds.
    """

    id: str
    order: str
    store: str
    holder: Holder
    issued_at: datetime
    starts: datetime
    until: datetime
    key_id: str
    checks: tuple[CheckKind, ...] = ()

    @property
    def claims(self) -> dict[str, Any]:
        """The payload, under the names that JWTs have for it."""
        return {
            "sub": self.order,
            "aud": self.store,
            "jti": self.id,
            "hld": self.holder.value,
            "iat": int(self.issued_at.timestamp()),
            "nbf": int(self.starts.timestamp()),
            "exp": int(self.until.timestamp()),
        } | ({"chk": [kind.value for kind in self.checks]} if self.checks else {})

    @property
    def signing_input(self) -> str:
        """What is signed: header and payload, each in base64 (RFC 7515, 5.1)."""
        header = {"alg": "EdDSA", "kid": self.key_id, "typ": TYPE}
        return f"{_encoded(_packed(header))}.{_encoded(_packed(self.claims))}"

    def check(self, *, store: str, now: datetime, skew: timedelta) -> None:
        """Raises `PassRefused`: the goods are in another store, or it is too early or too late for it."""
        if self.store != store:
            raise refused(PassFlaw.OTHER_STORE, self.order)
        if now < self.starts - skew:
            raise refused(PassFlaw.NOT_YET_VALID, self.order)
        if now > self.until + skew:
            raise refused(PassFlaw.EXPIRED, self.order)


def refused(flaw: PassFlaw, order: str = "") -> PassRefused:
    """The error for this flaw; `order` is only told once the signature was found to be good."""
    return PassRefused(reason=flaw.value, **({"order": order} if order else {}))


def pass_for(
    order: Order, holder: Holder, key_id: str, now: datetime, checks: tuple[CheckKind, ...] = ()
) -> SignedPass:
    """The pass of an order that is ready: from when it was made ready, until its goods no longer wait."""
    pickup = order.pickup
    if pickup.ready_at is None or pickup.until is None:
        raise ValueError(f"order {order.id} is not ready")
    starts, until = _second(pickup.ready_at), _second(pickup.until)
    return SignedPass(pass_id(order), order.id, pickup.store, holder, _second(now), starts, until, key_id, checks)


def pass_id(order: Order) -> str:
    """The id of the order's pass as things stand: a new pick-up or a new generation has another."""
    return f"{order.pickup.id}_{order.pickup.generation}"


def is_signed(shown: str) -> bool:
    """Whether what was shown has the form of a signed pass, rather than that of a spoken code or a token."""
    return bare(shown).count(".") == 2 and len(shown) > 100


def bare(shown: str) -> str:
    """The signed text alone, of what a scanner read."""
    return shown.strip().rpartition(":")[2]


def split(shown: str) -> tuple[str, bytes, str]:
    """What was signed, its signature, and the id of the key that it names. Raises `PassRefused` (malformed)."""
    parts = bare(shown).split(".") if isinstance(cast("object", shown), str) and len(shown) <= LONGEST else []
    if len(parts) != 3 or not all(map(_PART.fullmatch, parts)):
        raise refused(PassFlaw.MALFORMED)
    header, payload, last = parts
    match _unpacked(header):
        case {"alg": "EdDSA", "typ": "omni-pass", "kid": str(key_id)}:
            pass
        case _:
            raise refused(PassFlaw.MALFORMED)
    signature = _decoded(last)
    if _encoded(signature) != last:  # bits that no byte needs: two texts for one signature
        raise refused(PassFlaw.MALFORMED)
    return f"{header}.{payload}", signature, key_id


def said_by(signing_input: str, key_id: str) -> SignedPass:
    """What a pass says, once its signature was found to be good. Raises `PassRefused` (malformed)."""
    at = partial(datetime.fromtimestamp, tz=UTC)
    try:
        payload = _unpacked(signing_input.partition(".")[2])
        match payload:
            case {
                "sub": str(order), "aud": str(store), "jti": str(name), "hld": str(holder),
                "iat": int(issued), "nbf": int(starts), "exp": int(until),
            }:  # fmt: skip
                checks = _checks(payload)
                return SignedPass(name, order, store, Holder(holder), at(issued), at(starts), at(until), key_id, checks)
            case _:
                raise refused(PassFlaw.MALFORMED)
    except (ValueError, OverflowError, OSError):
        raise refused(PassFlaw.MALFORMED) from None


def _checks(claims: object) -> tuple[CheckKind, ...]:
    """What is to be checked; a kind that is not known here is none to be left out, so it raises `ValueError`."""
    kinds = cast("dict[str, object]", claims).get("chk", [])
    if not isinstance(kinds, list):
        raise ValueError("chk must be a list")
    return tuple(CheckKind(kind) for kind in cast("list[object]", kinds))


def joined(signing_input: str, signature: bytes) -> str:
    """The whole text."""
    return f"{signing_input}.{_encoded(signature)}"


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _packed(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _unpacked(part: str) -> object:
    try:
        return json.loads(_decoded(part))
    except (ValueError, RecursionError):
        raise refused(PassFlaw.MALFORMED) from None


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise refused(PassFlaw.MALFORMED) from None
