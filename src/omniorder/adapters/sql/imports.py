"""How far imports have come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from omniorder.adapters.sql.batch import Batch
from omniorder.adapters.sql.link import Link, PerDialect
from omniorder.adapters.sql.schema import IMPORT
from omniorder.domain.imports import Import, ImportKind
from omniorder.ports.writes import ImportWrite

_LOAD: Final = select(IMPORT).where(IMPORT.c.id == bindparam("at_id"))
_BEGIN: Final = PerDialect(
    postgresql.insert(IMPORT).on_conflict_do_nothing(), sqlite.insert(IMPORT).on_conflict_do_nothing()
)
_GO_ON: Final = update(IMPORT).where(IMPORT.c.id == bindparam("at_id"), IMPORT.c.version == bindparam("at_version"))


def load(link: Link, import_id: str) -> Import | None:
    """How far this one has come."""
    rows = link.rows(_LOAD, {"at_id": import_id})
    return import_from(rows[0]) if rows else None


def write(batch: Batch, writes: Iterable[ImportWrite]) -> None:
    """Insert or replace; raises `StaleWrite`, also for one that somebody else began meanwhile."""
    for one in writes:
        row, id = _row(one.after), one.after.id
        if one.before is None:
            batch.guarded(_BEGIN, row, "import", id)
        else:
            batch.guarded(_GO_ON, row | {"at_id": id, "at_version": one.before.version}, "import", id)


def _row(one: Import) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "version": one.version,
        "position": one.offset,
        "line": one.line,
        "digest": one.digest,
        "taken": one.taken,
        "refused": one.refused,
        "finished": int(one.finished),
        "began_at": one.began_at,
        "changed_at": one.changed_at,
    }


def import_from(row: Any) -> Import:
    """The import of a row."""
    return Import(
        id=row.id,
        kind=ImportKind(row.kind),
        version=row.version,
        offset=row.position,
        line=row.line,
        digest=row.digest,
        taken=row.taken,
        refused=row.refused,
        finished=bool(row.finished),
        began_at=row.began_at,
        changed_at=row.changed_at,
    )
