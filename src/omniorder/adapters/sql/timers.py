"""Timers: rows that say when an order or a promise wants to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, bindparam, delete, func, or_, select, update

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.columns import Instant
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.rows import Values, upsert
from omniorder.adapters.sql.schema import TIMER
from omniorder.ports.writes import Timer, TimerWrite

_SET: Final = upsert(TIMER)
_AT_KEY: Final = and_(TIMER.c.store_id == bindparam("at_store_id"), TIMER.c.subject == bindparam("at_subject"))
_AT_DUE: Final = TIMER.c.due_at == bindparam("at_due_at", type_=Instant())
_CLEAR: Final = delete(TIMER).where(_AT_KEY)
_CLEAR_IF: Final = delete(TIMER).where(_AT_KEY, _AT_DUE)
_SET_IF: Final = (
    update(TIMER).where(_AT_KEY, _AT_DUE).values(due_at=bindparam("new_due_at", type_=Instant()), claimed_until=None)
)
_DUE: Final = TIMER.c.due_at <= bindparam("at", type_=Instant())
_FREE: Final = or_(TIMER.c.claimed_until.is_(None), TIMER.c.claimed_until < bindparam("now", type_=Instant()))
_LONGEST: Final = func.min(TIMER.c.due_at)
_STORES: Final = (
    select(TIMER.c.store_id)
    .where(_DUE, _FREE)
    .group_by(TIMER.c.store_id)
    .order_by(_LONGEST, TIMER.c.store_id)
    .limit(bindparam("most"))
)
# Skipping what others hold works within one store on a divided database too; SQLite has one writer at a time
# and leaves the clause out.
_NEXT: Final = (
    select(TIMER.c.subject)
    .where(TIMER.c.store_id == bindparam("at_store_id"), _DUE, _FREE)
    .order_by(TIMER.c.due_at, TIMER.c.subject)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("next")
)
_CLAIM: Final = (
    update(TIMER)
    .where(TIMER.c.store_id == bindparam("at_store_id"), TIMER.c.subject.in_(select(_NEXT.c.subject)))
    .values(claimed_until=bindparam("until", type_=Instant()))
    .returning(TIMER.c.subject, TIMER.c.due_at)
)


def write(batch: Batch, changes: Sequence[TimerWrite]) -> None:
    """Set and clear timers in the order of their keys. One that is set anew is free: a claim was on the old."""
    ordered = sorted(changes, key=lambda change: (change.store, change.subject))
    if any(change.if_due_at for change in ordered):
        for change in ordered:
            _write(batch, [change])
    else:
        last = {(change.store, change.subject): change for change in ordered}
        _write(batch, list(last.values()))


def _write(batch: Batch, changes: Sequence[TimerWrite]) -> None:
    """Changes of different timers, all of them conditional or none."""
    sets = [change for change in changes if change.due_at is not None]
    clears = [change for change in changes if change.due_at is None]
    conditional = any(change.if_due_at for change in changes)
    batch.change(_CLEAR_IF if conditional else _CLEAR, [_at(change) for change in clears])
    if conditional:
        batch.change(_SET_IF, [_at(change) | {"new_due_at": change.due_at} for change in sets])
    else:
        batch.change(_SET, [_row(change) for change in sets])


def _at(change: TimerWrite) -> Values:
    return {"at_store_id": change.store, "at_subject": change.subject, "at_due_at": change.if_due_at}


def _row(change: TimerWrite) -> Values:
    return {
        "store_id": change.store,
        "subject": change.subject,
        "due_at": change.due_at,
        "claimed_until": None,
    }


def stores_due(link: Link, at: datetime, limit: int) -> tuple[str, ...]:
    """Stores with a timer that is due and free at this instant, the longest overdue first."""
    return tuple(row.store_id for row in link.rows(_STORES, {"at": at, "now": at, "most": limit}))


def claim(link: Link, store: str, at: datetime, *, until: datetime, limit: int, now: datetime) -> tuple[Timer, ...]:
    """Claim due timers of one store that nobody holds, the longest overdue first."""
    params = {"at_store_id": store, "at": at, "until": until, "most": limit, "now": now}
    claimed = [Timer(store, row.subject, row.due_at) for row in link.rows(_CLAIM, params)]
    return tuple(sorted(claimed, key=lambda timer: (timer.due_at, timer.subject)))
