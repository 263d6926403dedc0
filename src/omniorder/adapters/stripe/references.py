"""Our references on Stripe's objects: what is written into their metadata, and how it is read back.

A PaymentIntent carries the payment, the attempt that created it and the order. What has no object of its own (a
capture, a release, an increase) leaves a note under a name of its own, so that two of them never overwrite each other.
Metadata takes 50 names of 40 characters; Stripe allows 50 captures of one payment, a shop needs a handful.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from attrs import frozen

from omniorder.domain.payments import Operation

__all__ = ["KEY", "LINK", "ORDER", "PAYMENT", "READER", "Note", "metadata", "noted", "notes", "payment_of"]

PAYMENT: Final = "omniorder_payment"
KEY: Final = "omniorder_attempt"
ORDER: Final = "omniorder_order"
READER: Final = "omniorder_reader"
"""The card reader that a payment at the counter was sent to."""

LINK: Final = "omniorder_link"
"""On a payment whose customer chooses how to pay, and may choose again when a card is declined."""

_PREFIX: Final = "omniorder_"
_NOTE: Final = re.compile(r"(capture|void|increase) ([0-9]{1,19})( open)? (\S{1,300})")


@frozen
class Note:
    """An operation that took effect: `units` as Stripe counts. `open`: the capture left room for more."""

    operation: Operation
    units: int
    key: str
    open: bool = False

    @property
    def metadata(self) -> dict[str, str]:
        """The note, under the name that belongs to its key."""
        value = f"{self.operation.value} {self.units}{' open' if self.open else ''} {self.key}"
        return {_name(self.key): value}


def noted(thing: Mapping[str, Any], operation: Operation, key: str) -> Note | None:
    """The note that this operation left on an object, None where it left none."""
    return next((note for note in notes(thing, operation) if note.key == key), None)


def notes(thing: Mapping[str, Any], operation: Operation) -> tuple[Note, ...]:
    """All notes that operations of this kind left on an object."""
    found = (_NOTE.fullmatch(value) for name, value in metadata(thing).items() if name.startswith(_PREFIX))
    read = (Note(Operation(one[1]), int(one[2]), one[4], bool(one[3])) for one in found if one is not None)
    return tuple(note for note in read if note.operation is operation)


def metadata(thing: Mapping[str, Any]) -> dict[str, str]:
    """The metadata of an object that Stripe sent, none where it has none."""
    found = thing.get("metadata")
    if not isinstance(found, dict):
        return {}
    return {name: str(value) for name, value in cast("dict[str, object]", found).items()}


def payment_of(thing: Mapping[str, Any]) -> str:
    """Our payment, empty for an object that is not ours."""
    return metadata(thing).get(PAYMENT, "")


def _name(key: str) -> str:
    return f"{_PREFIX}{hashlib.sha256(key.encode()).hexdigest()[:24]}"
