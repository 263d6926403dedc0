"""What is put down about a payment at Adyen: what was sent, what was answered, and what a notification told."""

from __future__ import annotations

import json
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from attrs import evolve, field, frozen

from omniorder.domain.instants import iso
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation

__all__ = ["LINK", "Entry", "Step"]

LINK: Final = "link"
"""The `place` of an authorisation that is sent as a payment link."""


class Step(IntEnum):
    """How far an operation has come. The highest that was put down counts, in whatever order news arrived."""

    SENT = 1
    """The call was about to be made: it may or may not have arrived."""
    RECEIVED = 2
    """Adyen has accepted it, and tells the outcome by a notification."""
    WAITING = 3
    """The customer must act first: confirm on a page, present a card, pay by a link."""
    REFUSED = 4
    """Refused for good."""
    DONE = 5
    """It took effect."""
    FAILED = 6
    """It took effect, and was undone later: the card scheme rejected the capture, the bank the refund."""
    RESTORED = 7
    """It failed, and Adyen has made it good by itself: a capture that was captured again."""


@frozen
class Entry:
    """One line of a payment's page.

    `key` is ours for the operation, empty for what is about the payment as a whole: an expired authorisation, a
    dispute. `psp` is Adyen's reference of the operation, `event` the notification's code where one told it. `place` is
    where the customer acts: a card reader, or the address of a page; `action` is what their device is to be shown.
    `captured`: the money is taken at once; `final`: no further capture follows; `brand`: the card's scheme.
    """

    payment: str
    key: str
    operation: Operation | None
    step: Step
    at: datetime
    amount: Money
    psp: str = ""
    reason: str = ""
    event: str = ""
    place: str = ""
    action: str = field(default="", repr=False)
    until: datetime | None = None
    captured: bool = False
    final: bool = False
    brand: str = ""

    def same(self, other: Entry) -> bool:
        """Whether the other tells no more than this one does: a notification that was repeated, say."""
        mine = (self.key, self.operation, self.step, self.psp, self.event, self.action)
        return mine == (other.key, other.operation, other.step, other.psp, other.event, other.action)

    def to_json(self) -> str:
        """As it is stored."""
        told: dict[str, Any] = {
            "key": self.key,
            "operation": self.operation.value if self.operation else None,
            "step": self.step.name,
            "at": iso(self.at),
            "amount": self.amount.amount,
            "currency": self.amount.currency,
            "until": iso(self.until) if self.until else None,
        }
        for name in ("psp", "reason", "event", "place", "action", "captured", "final", "brand"):
            told[name] = getattr(self, name)
        return json.dumps({name: value for name, value in told.items() if value not in (None, "", False)})

    @classmethod
    def from_json(cls, payment: str, text: str) -> Entry:
        """As it was stored."""
        told: dict[str, Any] = json.loads(text)
        until: str | None = told.pop("until", None)
        operation: str | None = told.pop("operation", None)
        entry = cls(
            payment,
            told.pop("key", ""),
            Operation(operation) if operation else None,
            Step[told.pop("step")],
            datetime.fromisoformat(told.pop("at")),
            Money(told.pop("amount", 0), told.pop("currency")),
            until=datetime.fromisoformat(until) if until else None,
        )
        return evolve(entry, **told)
