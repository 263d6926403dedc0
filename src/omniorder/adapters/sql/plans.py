"""Where the databases differ: the same step as the statements that suit each.

PostgreSQL is asked in as few round trips as possible, and many writers at once must lock rows in one order.
SQLite is asked in small statements, since they cost nothing there, and has one writer at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from omniorder.adapters.sql import postgres, sqlite
from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.link import Link, Params, Statement
from omniorder.adapters.sql.stock import Demand
from omniorder.ports.writes import CountWrite


class Plan(Protocol):
    """One database's way."""

    def change_stock(self, batch: Batch, store: str, demands: Sequence[Demand]) -> None:
        """Change these levels of one store, in this order, each guarded; raises `OutOfStock` for all that are short."""
        ...

    def count_stock(self, batch: Batch, write: CountWrite) -> None:
        """Set these levels, and record the differences as movements; raises `AlreadyThere`."""
        ...

    def append(self, events: Sequence[Mapping[str, Any]]) -> tuple[Statement, Params | Sequence[Params]]:
        """What appends journal rows that follow their predecessor without a gap, and leaves out the others."""
        ...

    def deliver(self, batch: Batch, events: Sequence[Mapping[str, Any]]) -> None:
        """Note these events as undelivered for everybody who subscribes by now."""
        ...

    def hold_journal(self, link: Link) -> None:
        """Wait for those who append to the journal just now, and let nobody append until we commit."""
        ...


PLANS: Final[Mapping[str, Plan]] = {"postgresql": postgres.PostgresPlan(), "sqlite": sqlite.SqlitePlan()}
