"""Verifying signed pick-up passes without a network, a database or a hub. Needs the extra `pass`.

A store's device has the public keys (`SigningKeys.public`, which may be published), its own store's id and a clock that
is about right. It remembers which orders it handed over, and brings that to `pickups.sync` when the network is back.
`examples/verify_pass.py` does the same without omniorder.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Container, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from omniorder.domain.instants import instant
from omniorder.domain.signed_passes import SKEW, Holder, PassFlaw, SignedPass, refused, said_by, split
from omniorder.errors import InvalidInput
from omniorder.signing import is_signed_by

__all__ = ["SKEW", "Holder", "PassFlaw", "SignedPass", "read", "verify"]

_KEYS: Final = "must be a JWK set as SigningKeys.public() makes it"


def verify(
    signed: str,
    *,
    keys: Mapping[str, Any],
    store: str,
    now: datetime,
    skew: timedelta = SKEW,
    seen: Container[str] = (),
) -> SignedPass:
    """What a signed pass says, if goods may be given for it now, in this store.

    `signed` is what was scanned, `keys` the public keys as a JWK set, `skew` by how much this clock may be wrong, and
    `seen` the orders that were handed over here already. What the shop decided since the pass was shown (a new code, a
    cancelled order) can't be known here.

    Raises `PassRefused`, whose fact `reason` is that of a `PassFlaw`; `InvalidInput` for keys that are none,
    `InvalidInstant`, `MissingExtra`.
    """
    said = read(signed, keys=keys, now=now)
    said.check(store=store, now=instant(now, "now"), skew=skew)
    if said.order in seen:
        raise refused(PassFlaw.USED, said.order)
    return said


def read(signed: str, *, keys: Mapping[str, Any], now: datetime) -> SignedPass:
    """What a signed pass says, whatever the time and the store: only that it was signed by a key that counts.

    Raises as `verify` does.
    """
    at = instant(now, "now")
    signing_input, signature, key_id = split(signed)
    key = _key(keys, key_id)
    if key is None:
        raise refused(PassFlaw.UNKNOWN_KEY)
    public, end = key
    if not is_signed_by(public, signature, signing_input.encode()):
        raise refused(PassFlaw.FORGED)
    said = said_by(signing_input, key_id)
    if end is not None and at >= end:
        raise refused(PassFlaw.RETIRED_KEY, said.order)
    return said


def _key(keys: Mapping[str, Any], key_id: str) -> tuple[bytes, datetime | None] | None:
    """The public key with this id, and when it ends."""
    match keys:
        case {"keys": [*every]}:
            pass
        case _:
            raise InvalidInput("keys", type(keys).__name__, _KEYS)
    for jwk in every:
        match jwk:
            case {"kty": "OKP", "crv": "Ed25519", "kid": str(name), "x": str(x)} if name == key_id:
                try:
                    public = urlsafe_b64decode(f"{x}=")
                    end = jwk.get("exp")
                    return _of_32(public), None if end is None else datetime.fromtimestamp(end, UTC)
                except (ValueError, TypeError, OverflowError):
                    raise InvalidInput("keys", key_id, _KEYS) from None
            case _:
                pass
    return None


def _of_32(public: bytes) -> bytes:
    if len(public) != 32:
        raise ValueError("a public key of Ed25519 has 32 bytes")
    return public
