"""Ids: how they are written, read and checked. The random bytes come from the caller.

Store-side ids carry their home store, so that an id alone finds its shard:

    crt_<26>  ln_<13>                       a cart, a line of one
    hnd_7K3F9Q                              a handoff; people read its number out
    prm_SOF01_<26>  rsv_SOF01_  mov_SOF01_  a promise, a reservation, a stock movement
    trf_SOF01_<26>                          a transfer, by the store that sends it
    gft_<26>  crd_<26>  pst_<26>            a gift card, a customer's store credit, a posting to one of them
    whk_SOF01_<26>  whk_<26>                a webhook about a payment of that store, or about none of ours
    SOF01-7K3F9Q                            an order; people read it out
    pay_SOF01_7K3F9Q_1                      that order's first payment
    att_SOF01_7K3F9Q_1_2                    the second attempt at it
    pup_SOF01_7K3F9Q_1                      the order's first pick-up
    slt_SOF01_20261122T0800Z                a slot, by its start in UTC

The random part is Crockford's base32 (no I, L, O, U), big-endian and of fixed width, so that ids made of
time-ordered bytes sort by time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from omniorder.domain.instants import instant
from omniorder.errors import InvalidId, NotFound

__all__ = [
    "Kind",
    "attempt_id",
    "cart_id",
    "check",
    "customer_id",
    "gift_card_id",
    "handoff_id",
    "line_id",
    "movement_id",
    "order_id",
    "order_of",
    "parse_slot_id",
    "payment_id",
    "pickup_id",
    "posting_id",
    "promise_id",
    "promise_of",
    "reservation_id",
    "reservation_of",
    "same_slot_at",
    "sku",
    "slot_id",
    "spelt",
    "store_credit_id",
    "store_id",
    "store_of",
    "transfer_id",
    "uuid7",
    "webhook_id",
]

Kind = Literal[
    "cart", "line", "handoff", "promise", "order", "payment", "attempt", "pickup", "reservation", "movement", "slot",
    "transfer", "account",
]  # fmt: skip

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]  # two at a time: imports draw ids by the million
HANDOFF_DIGITS = _ALPHABET.upper()
"""What a handoff's number is made of: it is said aloud, so in capitals."""
_STORE = re.compile(r"[A-Z0-9]{2,8}")
_SLOT_TIME = len("20261122T0800Z")
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_SLOT = re.compile(r"slt_([A-Z0-9]{2,8})_([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})Z")
_ORDER = re.compile(r"([A-Z0-9]{2,8})-[0-9A-HJKMNP-TV-Z]{6,12}")
_DRAWN = re.compile(rf"(?:prm|rsv|mov|trf|whk)_([A-Z0-9]{{2,8}})_[{_ALPHABET}]{{26}}")
_OF_ORDER = re.compile(
    r"(?:pay|att|pup)_([A-Z0-9]{2,8})_([0-9A-HJKMNP-TV-Z]{6,12})_[1-9][0-9]{0,5}(?:_[1-9][0-9]{0,5})?"
)

_FORMS: Mapping[Kind, re.Pattern[str]] = MappingProxyType(
    {
        "cart": re.compile(rf"crt_[{_ALPHABET}]{{26}}"),
        "line": re.compile(rf"ln_[{_ALPHABET}]{{13}}"),
        "handoff": re.compile(rf"hnd_[{HANDOFF_DIGITS}]{{6}}"),
        "promise": re.compile(rf"prm_[A-Z0-9]{{2,8}}_[{_ALPHABET}]{{26}}"),
        "payment": re.compile(r"pay_[A-Z0-9]{2,8}_[0-9A-HJKMNP-TV-Z]{6,12}_[1-9][0-9]{0,5}"),
        "attempt": re.compile(r"att_[A-Z0-9]{2,8}_[0-9A-HJKMNP-TV-Z]{6,12}_[1-9][0-9]{0,5}_[1-9][0-9]{0,5}"),
        "pickup": re.compile(r"pup_[A-Z0-9]{2,8}_[0-9A-HJKMNP-TV-Z]{6,12}_[1-9][0-9]{0,5}"),
        "reservation": re.compile(rf"rsv_[A-Z0-9]{{2,8}}_[{_ALPHABET}]{{26}}"),
        "movement": re.compile(rf"mov_[A-Z0-9]{{2,8}}_[{_ALPHABET}]{{26}}"),
        "transfer": re.compile(rf"trf_[A-Z0-9]{{2,8}}_[{_ALPHABET}]{{26}}"),
        "account": re.compile(rf"(?:gft|crd)_[{_ALPHABET}]{{26}}"),
        "order": _ORDER,
        "slot": _SLOT,
    }
)


# --- given by the retailer --------------------------------------------------------------------------------


def store_id(value: object, field: str = "store") -> str:
    """`value` as a store's code: 2 to 8 capitals and digits. Raises InvalidId."""
    if not isinstance(value, str) or not _STORE.fullmatch(value):
        raise InvalidId(field, value, "must be 2 to 8 capital letters and digits (A-Z, 0-9)")
    return value


def sku(value: object, field: str = "sku") -> str:
    """`value` as an article number: up to 64 ASCII letters, digits and `._/-`. Raises InvalidId.

    ASCII only, so that no two SKUs look alike and differ.
    """
    if not isinstance(value, str) or not _SKU.fullmatch(value):
        raise InvalidId(field, value, "must be 1 to 64 of A-Z a-z 0-9 . _ / -, a letter or digit first")
    return value


def customer_id(value: object, field: str = "customer") -> str:
    """`value` as the retailer's own id of a person, in NFC: opaque, 1 to 200 printable characters.

    Raises InvalidId; also for surrounding spaces, since an id is never repaired.
    """
    if isinstance(value, str) and len(value) <= 200:
        composed = unicodedata.normalize("NFC", value)  # a few characters get longer by it
        if 1 <= len(composed) <= 200 and composed.isprintable() and composed == composed.strip():
            return composed
    raise InvalidId(field, value, "must be 1 to 200 printable characters without surrounding spaces")


# --- made here --------------------------------------------------------------------------------------------


def uuid7(unix_ms: int, entropy: bytes) -> bytes:
    """The 16 bytes of a UUID version 7 (RFC 9562): milliseconds since 1970, then 74 of 10 bytes' 80 bits.

    Raises InvalidId when the instant doesn't fit in 48 bits or `entropy` is not of 10 bytes.
    """
    if not 0 <= unix_ms < 2**48:
        raise InvalidId("unix_ms", unix_ms, "must be from 0 to 2**48 - 1")
    random = int.from_bytes(_bytes(entropy, 10)) & (2**74 - 1)
    high, low = random >> 62, random & (2**62 - 1)
    return (unix_ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low).to_bytes(16)


def cart_id(entropy: bytes) -> str:
    """A cart's id from 16 bytes. Raises InvalidId, as its siblings do, when there are more or fewer."""
    return "crt_" + _base32(_bytes(entropy, 16), 26)


def line_id(entropy: bytes) -> str:
    """The id of a line from 8 bytes: unique within its cart and order."""
    return "ln_" + _base32(_bytes(entropy, 8), 13)


def proxy_id(entropy: bytes) -> str:
    """What the name of somebody who collects for a customer is known by, from 8 bytes: unique within the order."""
    return "prx_" + _base32(_bytes(entropy, 8), 13)


def handoff_id(entropy: bytes) -> str:
    """A handoff's id from 4 bytes: short enough to say, so the caller inserts and, on a collision, tries again."""
    return "hnd_" + _base32(_bytes(entropy, 4), 6).upper()


def promise_id(store: str, entropy: bytes) -> str:
    """A promise's id from its store and 16 bytes."""
    return _store_side("prm", store, entropy)


def reservation_id(store: str, entropy: bytes) -> str:
    """A reservation's id from its store and 16 bytes."""
    return _store_side("rsv", store, entropy)


def wave_id(store: str, entropy: bytes) -> str:
    """The id of one walk for several orders from its store and 16 bytes."""
    return _store_side("wav", store, entropy)


def promise_of(reservation_id: str) -> str:
    """The id of the promise that was made with this reservation: the two are drawn together."""
    return f"prm{reservation_id.removeprefix('rsv')}"


def reservation_of(id: str) -> str:
    """The id of the reservation that holds the units of this promise, or of this transfer at the store that sends."""
    return f"rsv{id.removeprefix('prm').removeprefix('trf')}"


def movement_id(store: str, entropy: bytes) -> str:
    """The id of a stock movement from its store and 16 bytes."""
    return _store_side("mov", store, entropy)


def transfer_id(store: str, entropy: bytes) -> str:
    """A transfer's id from the store that sends it and 16 bytes."""
    return _store_side("trf", store, entropy)


def gift_card_id(digest: bytes) -> str:
    """The id of a gift card's account from 16 bytes, which its code leads to and nothing leads back from."""
    return "gft_" + _base32(_bytes(digest, 16), 26)


def store_credit_id(digest: bytes) -> str:
    """The id of the account of a customer's store credit from 16 bytes."""
    return "crd_" + _base32(_bytes(digest, 16), 26)


def posting_id(entropy: bytes) -> str:
    """The id of a posting from 16 bytes."""
    return "pst_" + _base32(_bytes(entropy, 16), 26)


def spelt(entropy: bytes, length: int) -> str:
    """So many capitals and digits, without I, L, O and U, of the last bits of `entropy`: for codes that are typed."""
    return _base32(entropy, length).upper()


def webhook_id(store: str, digest: bytes) -> str:
    """A webhook's id from 16 bytes that tell it apart, so that the same one has the same id; `store` may be empty."""
    return _store_side("whk", store, digest) if store else "whk_" + _base32(_bytes(digest, 16), 26)


def order_id(store: str, entropy: bytes, length: int = 6) -> str:
    """An order's reference: the home store's code and the last 5 x `length` bits of `entropy`.

    Six characters are a thousand million per store: short enough to read out, so the caller inserts and, on
    a collision, tries again. The last bits count, since those of a time-ordered id are the random ones.

    Raises InvalidId unless `length` is 6 to 12 and `entropy` has enough bits.
    """
    if not 6 <= length <= 12:
        raise InvalidId("length", length, "must be from 6 to 12")
    if len(entropy) * 8 < length * 5:
        raise InvalidId("entropy", f"{len(entropy)} bytes", f"must have at least {length * 5} bits")
    return f"{store_id(store)}-{_base32(entropy, length).upper()}"


def payment_id(order_id: str, number: int) -> str:
    """The id of an order's n-th payment, from 1: derived, so that a repeated decision gives the same."""
    return f"pay_{order_id.replace('-', '_', 1)}_{number}"


def attempt_id(payment_id: str, number: int) -> str:
    """The id of the n-th attempt at a payment, from 1; it is the operation's idempotency key at the provider."""
    return f"{payment_id.replace('pay_', 'att_', 1)}_{number}"


def pickup_id(order_id: str, number: int = 1) -> str:
    """The id of an order's n-th pick-up, from 1."""
    return f"pup_{order_id.replace('-', '_', 1)}_{number}"


def slot_id(store: str, starts: datetime) -> str:
    """A slot's id: its store and the minute at which it starts, in UTC.

    Raises InvalidInstant for a naive datetime, InvalidId for one with seconds.
    """
    moment = instant(starts, "starts")
    if moment.second or moment.microsecond:
        raise InvalidId("starts", starts, "a slot starts at a whole minute")
    return f"slt_{store_id(store)}_{_minute(moment)}"


@lru_cache(maxsize=4096)
def _minute(moment: datetime) -> str:
    """Kept: the slots of a whole chain start at the same few minutes."""
    return f"{moment:%Y%m%dT%H%MZ}"


def same_slot_at(store: str, slot: str) -> str:
    """The id of the slot that starts at `store` when `slot` does where it is; both are ids that were made here."""
    return f"slt_{store}_{slot[-_SLOT_TIME:]}"


# --- read again -------------------------------------------------------------------------------------------


def parse_slot_id(value: str) -> tuple[str, datetime]:
    """The store and the start (UTC) that a slot's id names. Raises InvalidId."""
    found = _form(_SLOT, value)
    if found is None:
        raise InvalidId("slot", value, "must look like slt_SOF01_20261122T0800Z")
    store, *parts = found.groups()
    year, month, day, hour, minute = map(int, parts)
    try:
        starts = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        raise InvalidId("slot", value, "must name a minute that exists") from None
    if not 2000 <= year <= 2199:
        raise InvalidId("slot", value, "must be in the years 2000 to 2199")
    return store, starts


def store_of(id: str) -> str:
    """The home store of a store-side id, order or slot. Raises InvalidId for anything else."""
    if found := _form(_ORDER, id) or _form(_DRAWN, id) or _form(_OF_ORDER, id):
        return found[1]
    if _form(_SLOT, id):
        return parse_slot_id(id)[0]
    raise InvalidId("id", id, "must be the id of something that a store holds")


def order_of(id: str) -> str:
    """The order whose payment, attempt or pick-up this is. Raises InvalidId for anything else."""
    found = _form(_OF_ORDER, id)
    if found is None:
        raise InvalidId("id", id, "must be the id of a payment, an attempt or a pick-up")
    return f"{found[1]}-{found[2]}"


def check(kind: Kind, value: object) -> str:
    """`value`, when it has the form of an id of `kind`.

    Raises NotFound otherwise: a malformed id and a missing one get the same answer.
    """
    if not isinstance(value, str) or not _FORMS[kind].fullmatch(value):
        raise NotFound(kind, value)
    if kind == "slot":
        try:
            parse_slot_id(value)
        except InvalidId:
            raise NotFound(kind, value) from None
    return value


def _form(pattern: re.Pattern[str], value: object) -> re.Match[str] | None:
    return pattern.fullmatch(value) if isinstance(value, str) else None


def _store_side(prefix: str, store: str, entropy: bytes) -> str:
    return f"{prefix}_{store_id(store)}_{_base32(_bytes(entropy, 16), 26)}"


def _bytes(entropy: bytes, size: int) -> bytes:
    if len(entropy) != size:
        raise InvalidId("entropy", f"{len(entropy)} bytes", f"must be {size} bytes")
    return entropy


def _base32(entropy: bytes, length: int) -> str:
    number = int.from_bytes(entropy)
    even = length + length % 2
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * even - 10, -1, -10)])[-length:]
