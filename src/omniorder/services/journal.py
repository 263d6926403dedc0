"""The journal as a feed: every event that commits, to every consumer, at least once and in order per stream.

A consumer is a name. From `subscribe` on, each event is put down for it in the transaction that records the event
and stays there until it is acknowledged, so nothing is skipped, whatever order transactions commit in and however long
the consumer was away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen

from omniorder.domain.actors import System
from omniorder.domain.channels import Channel
from omniorder.domain.events import Recorded, Stamp
from omniorder.domain.quantities import quantity as valid_quantity
from omniorder.domain.text import key as valid_name
from omniorder.services.parts import Parts
from omniorder.services.surface import several
from omniorder.services.units import Unit, in_transaction, reading

MOST = 10_000


@frozen
class Journal:
    """Pull events, do something with them, acknowledge them. One puller per consumer name at a time."""

    parts: Parts

    def subscribe(self, consumer: str, *, from_start: bool = True) -> None:
        """Put down every event for `consumer` from now on; with `from_start` all earlier ones too. Repeatable."""
        name = valid_name(consumer)
        self._write(lambda unit: unit.tx.subscribe(name, from_start=from_start))

    def pull(self, consumer: str, *, limit: int = 100) -> tuple[Recorded, ...]:
        """Events that `consumer` has not acknowledged: each stream in order, the same again until acknowledged."""
        name, most = valid_name(consumer), valid_quantity(limit, "limit", most=1000)
        return reading(self.parts, lambda tx: tx.undelivered(name, most))

    def acknowledge(self, consumer: str, events: Iterable[Recorded]) -> None:
        """These are done with: `consumer` will not see them again."""
        name = valid_name(consumer)
        done = several(list(events), Recorded, "events", "must be what `pull` gave", most=MOST)
        self._write(lambda unit: unit.tx.acknowledge(name, done))

    def _write(self, work: Callable[[Unit], None]) -> None:
        stamp = Stamp(self.parts.clock.now(), Channel.SYSTEM, System("journal").name)
        in_transaction(self.parts, stamp, work)
