"""Tries of a code that is said, an order's or a handoff's: each counted by one statement, before it is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from omniorder.adapters.sql.columns import Key, Whole
from omniorder.adapters.sql.link import Link, PerDialect
from omniorder.adapters.sql.rows import Values
from omniorder.adapters.sql.schema import CODE_TRIES
from omniorder.adapters.sql.sharding import home_of


def _counting(insert: Any) -> Any:
    counted = insert(CODE_TRIES).on_conflict_do_update(
        index_elements=list(CODE_TRIES.primary_key),
        set_={"tries": CODE_TRIES.c.tries + 1},
        where=CODE_TRIES.c.tries < bindparam("most", type_=Whole()),
    )
    return counted.returning(CODE_TRIES.c.tries)


_COUNT: Final = PerDialect(_counting(postgresql.insert), _counting(sqlite.insert))
_FORGET: Final = delete(CODE_TRIES).where(
    and_(
        CODE_TRIES.c.store_id == bindparam("store_id"),
        CODE_TRIES.c.order_id == bindparam("order_id"),
        CODE_TRIES.c.generation == bindparam("generation"),
    )
)

_KEY: Final = (CODE_TRIES.c.store_id, CODE_TRIES.c.order_id, CODE_TRIES.c.generation)
_OLD: Final = (
    select(*_KEY)
    .where(
        CODE_TRIES.c.store_id >= bindparam("start", type_=Key()),
        CODE_TRIES.c.store_id < bindparam("end", type_=Key()),
        CODE_TRIES.c.generation < bindparam("before", type_=Whole()),
    )
    .order_by(*_KEY)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_FORGET_OLD: Final = delete(CODE_TRIES).where(tuple_(*_KEY).in_(select(_OLD))).returning(CODE_TRIES.c.order_id)
_LAST: Final = chr(0x10FFFF)
"""Greater than any character of a subject: what begins with a text is below the text and this."""


def count_try(link: Link, subject: str, generation: int, most: int) -> int | None:
    """Count one try; None when `most` were counted before."""
    if most < 1:
        return None
    rows = link.rows(_COUNT, _key(subject, generation) | {"tries": 1, "most": most})
    return rows[0].tries if rows else None


def forget_tries(link: Link, subject: str, generation: int) -> None:
    """Start counting anew."""
    link.change(_FORGET, _key(subject, generation))


def forget_old(link: Link, start: str, before: int, limit: int) -> int:
    """Forget counts of generations that are over, of subjects that no store holds and that begin alike; how many."""
    params = {"start": start, "end": start + _LAST, "before": before, "most": limit}
    return len(link.rows(_FORGET_OLD, params))


def forget_all(link: Link, subjects: Sequence[str]) -> None:
    """Nothing is left to be tried: these handoffs are forgotten themselves."""
    link.change(_FORGET, [_key(subject, 0) for subject in subjects])


def _key(subject: str, generation: int) -> Values:
    """An order's tries are counted at its store, a handoff's (which no store holds) by itself."""
    return {"store_id": home_of(subject) or subject, "order_id": subject, "generation": generation}
