"""Customers, as far as something is decided about them as a whole: the count of their own stream."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.link import Link, PerDialect
from omniorder.adapters.sql.schema import CUSTOMER
from omniorder.ports.writes import CustomerWrite

_VERSION: Final = select(CUSTOMER.c.version).where(CUSTOMER.c.owner == bindparam("owner"))
_INSERT: Final = PerDialect(
    postgresql.insert(CUSTOMER).on_conflict_do_nothing(), sqlite.insert(CUSTOMER).on_conflict_do_nothing()
)
_UPDATE: Final = update(CUSTOMER).where(
    and_(CUSTOMER.c.owner == bindparam("at_owner"), CUSTOMER.c.version == bindparam("at_version"))
)


def version(link: Link, owner: str) -> int:
    """How many events the customer's own stream has."""
    rows = link.rows(_VERSION, {"owner": owner})
    return rows[0].version if rows else 0


def write(batch: Batch, change: CustomerWrite) -> None:
    """Count on; raises `StaleWrite` when somebody else did."""
    if change.before:
        at = {"at_owner": change.owner, "at_version": change.before}
        batch.guarded(_UPDATE, {"version": change.after} | at, "customer", change.owner)
    else:
        batch.guarded(_INSERT, {"owner": change.owner, "version": change.after}, "customer", change.owner)
