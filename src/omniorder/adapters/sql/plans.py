"""Where the databases differ: the same step as the statements that suit each.

PostgreSQL is asked in as few round trips as possible, and many writers at once must lock rows in one order.
SQLite is asked in small statements, since they cost nothing there, and has one writer at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from omniorder.adapters.sql import postgres, sqlite
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.stock import Demand


class Plan(Protocol):
    """One database's way."""

    def change_stock(self, link: Link, store: str, demands: Sequence[Demand]) -> Sequence[Demand]:
        """Change these levels of one store, in this order, each guarded; those that a guard refused."""
        ...

    def append(self, link: Link, events: Sequence[Mapping[str, Any]]) -> int:
        """Append journal rows that follow their predecessor without a gap; how many did."""
        ...

    def deliver(self, link: Link, events: Sequence[Mapping[str, Any]]) -> None:
        """Note these events as undelivered for everybody who subscribes by now."""
        ...

    def is_spoilt(self, link: Link) -> bool:
        """Whether a statement failed, so that nothing of this transaction can be committed."""
        ...

    def hold_journal(self, link: Link) -> None:
        """Wait for those who append to the journal just now, and let nobody append until we commit."""
        ...


PLANS: Final[Mapping[str, Plan]] = {"postgresql": postgres.PostgresPlan(), "sqlite": sqlite.SqlitePlan()}
