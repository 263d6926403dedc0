"""The keys that sign pick-up passes, and the public halves by which stores verify them. Needs the extra `pass`.

A private key is 32 bytes of Ed25519 (RFC 8032), written as text as in a JWK (RFC 8037): 43 characters that fit into an
environment variable. It is read when a hub is opened and goes nowhere else.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import field, frozen

from omniorder.domain.instants import instant
from omniorder.domain.signed_passes import SignedPass, joined
from omniorder.errors import Misconfigured, MissingExtra

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,20}")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_key() -> str:
    """A new private key, to be kept where secrets are kept. Raises `MissingExtra`."""
    return _text(_private().private_bytes_raw())


def _keys(given: Mapping[str, str]) -> Mapping[str, bytes]:
    keys: dict[str, bytes] = {}
    for name, key in cast("Mapping[object, object]", given).items():
        if not isinstance(name, str) or not _KEY_ID.fullmatch(name):
            raise Misconfigured(needs="ids of signing keys of 1 to 20 characters of A-Z a-z 0-9 _ -")
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise Misconfigured(needs=f"a private key as omniorder.signing.new_key() makes them, for {name!r}")
        keys[name] = urlsafe_b64decode(f"{key}=")
    if not keys:
        raise Misconfigured(needs="at least one signing key")
    return MappingProxyType(keys)


def _ends(given: Mapping[str, datetime]) -> Mapping[str, datetime]:
    return MappingProxyType({name: instant(end, "ends") for name, end in given.items()})


@frozen
class SigningKeys:
    """Private keys by id, oldest first: the last one signs, the others only verify what was signed before.

    `ends` says from when a key's passes are refused, signed before or not: for one that was retired, or stolen. Raises
    `Misconfigured` for what is no key, for no key at all, and for an end of an unknown key or of the one that signs;
    `MissingExtra`.
    """

    keys: Mapping[str, bytes] = field(converter=_keys, repr=False)
    ends: Mapping[str, datetime] = field(factory=dict[str, datetime], converter=_ends)

    def __attrs_post_init__(self) -> None:
        _private(self.keys[self.current])  # raises `MissingExtra` now rather than before a customer
        older = self.keys.keys() - {self.current}
        if wrong := sorted(self.ends.keys() - older):
            raise Misconfigured(needs=f"an older signing key than the current one for the end of {wrong[0]!r}")

    @property
    def current(self) -> str:
        """The id of the key that signs."""
        return list(self.keys)[-1]

    def sign(self, said: SignedPass) -> str:
        """The pass as text, signed by the key that it names."""
        signature = _private(self.keys[said.key_id]).sign(said.signing_input.encode())
        return joined(said.signing_input, signature)

    def public(self) -> dict[str, Any]:
        """The public halves as a JWK set, for stores: JSON values, safe to be published.

        A key that has an end says so as `exp`, in seconds since 1970.
        """
        return {"keys": [self._jwk(name) for name in self.keys]}

    def _jwk(self, name: str) -> dict[str, Any]:
        public = _private(self.keys[name]).public_key().public_bytes_raw()
        jwk = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": name, "x": _text(public)}
        return {**jwk, "exp": int(self.ends[name].timestamp())} if name in self.ends else jwk


def _private(key: bytes | None = None) -> Ed25519PrivateKey:
    """The private key of these bytes, or a new one."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise MissingExtra(needs="cryptography", extra="pass") from None
    return Ed25519PrivateKey.generate() if key is None else Ed25519PrivateKey.from_private_bytes(key)


def is_signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether this signature of `message` was made with the private half of `public`. Raises `MissingExtra`."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise MissingExtra(needs="cryptography", extra="pass") from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
