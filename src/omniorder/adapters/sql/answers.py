"""Answers: what a command with an idempotency key returned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from attrs import asdict
from sqlalchemy import bindparam, delete, select, tuple_

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.schema import ANSWER
from omniorder.ports.writes import Answer

_BY_KEY: Final = select(ANSWER).where(
    ANSWER.c.home == bindparam("home"), ANSWER.c.scope == bindparam("scope"), ANSWER.c.key == bindparam("key")
)
_INSERT: Final = ANSWER.insert()
_OLD: Final = (
    select(ANSWER.c.home, ANSWER.c.scope, ANSWER.c.key)
    .where(ANSWER.c.at < bindparam("before"))
    .order_by(ANSWER.c.at)
    .limit(bindparam("most"))
)
_FORGET: Final = delete(ANSWER).where(tuple_(ANSWER.c.home, ANSWER.c.scope, ANSWER.c.key).in_(_OLD))


def load(link: Link, home: str, scope: str, key: str) -> Answer | None:
    """The answer to this key."""
    for row in link.rows(_BY_KEY, {"home": home, "scope": scope, "key": key}):
        return Answer(row.home, row.scope, row.key, row.request, row.result, row.at)
    return None


def write(batch: Batch, answers: Sequence[Answer]) -> None:
    """Keep answers; raises `AlreadyThere`."""
    for answer in answers:
        batch.insert(_INSERT, asdict(answer), "answer", answer.key)


def forget(link: Link, before: datetime, limit: int) -> int:
    """Delete up to `limit` answers older than `before`; how many."""
    return link.change(_FORGET, {"before": before, "most": limit})
