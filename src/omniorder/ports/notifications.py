"""Telling the customer. The library hands over ids and the retailer resolves addresses, so none are stored here."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from attrs import frozen


class Occasion(Enum):
    """Why the customer is told something."""

    CONFIRMED = "confirmed"
    READY = "ready"
    COLLECTED = "collected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@frozen
class Message:
    """One thing to tell one customer. `id` is the event's id: the same occasion is never told under two ids."""

    id: str
    occasion: Occasion
    owner: str
    order: str
    language: str


class Notifier(Protocol):
    """Sends messages, at least once, outside of any transaction."""

    def notify(self, message: Message) -> None: ...
