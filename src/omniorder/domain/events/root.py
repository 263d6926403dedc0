"""The roots of all facts: an event, who stamped it, and how the journal keeps it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import frozen

from omniorder.domain.channels import Channel

PRIVATE: Final = {"private": True}


@frozen
class Event:
    """The root of all facts."""


@frozen
class Stamp:
    """Who did something, when and through which channel: put on every event of a command.

    `actor` is the actor's journal name (`customer:anna`), `via` the caller's free text (`ios/5.2`).
    """

    at: datetime
    channel: Channel
    actor: str
    via: str = ""


@frozen
class Recorded:
    """An event as the journal keeps it.

    `home` is the key of the journal's shard (a store for orders, the cart itself for carts), `stream` the
    aggregate's id, `seq` counts 1..n within the stream without gaps.
    """

    home: str
    stream: str
    seq: int
    stamp: Stamp
    event: Event

    @property
    def id(self) -> str:
        """Unique, and the same each time that the event is delivered."""
        return f"{self.stream}/{self.seq}"

    @property
    def name(self) -> str:
        """The event's class name, as the journal stores it."""
        return type(self.event).__name__
