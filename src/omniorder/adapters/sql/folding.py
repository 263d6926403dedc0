"""Many rows as one statement on PostgreSQL: they travel as one JSON text, which the server makes rows of again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Executable,
    FromClause,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from omniorder.adapters.sql.columns import Instant, Json, Whole
from omniorder.adapters.sql.link import Statement, Step
from omniorder.domain.instants import iso

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=iso)


def table_of(name: str, /, **columns: TypeEngine[Any]) -> FromClause:
    """The rows of the parameter that `rows_of` gives, with these columns."""
    given = cast(bindparam("rows", type_=Text()), JSON())
    rows = func.json_to_recordset(given).table_valued(*(column(key, kind) for key, kind in columns.items()))
    return rows.render_derived(name=name, with_types=True)


def rows_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """These rows as the parameter of a `table_of`, which takes the columns that it knows."""
    return {"rows": _ENCODER.encode(rows)}


def folded(step: Step) -> Step:
    """The step as one execution, when it inserts several rows of a table as they are."""
    rows, statement = step.params, step.statement
    if not isinstance(rows, Sequence) or len(rows) == 1 or type(statement) is not Insert:
        return step
    return step._replace(statement=_inserting(statement.table, tuple(rows[0])), params=rows_of(rows))


@cache
def _inserting(table: Table, names: tuple[str, ...]) -> Executable:
    new = table_of("new", **{name: _in_json(table.c[name].type) for name in names})
    return insert(table).from_select(list(names), select(new))


def _in_json(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(kind, Whole):
        return BigInteger()
    if isinstance(kind, Instant):
        return DateTime(timezone=True)
    return JSONB() if isinstance(kind, Json) else Text()


def gathered(steps: Iterable[Step]) -> list[Step]:
    """The same steps, but those that insert rows into one table as they are in one, where the first of them was."""
    kept: list[Step] = []
    inserted: dict[tuple[Statement, tuple[str, ...]], list[Mapping[str, Any]]] = {}
    for step in steps:
        if step.judge is not None or type(step.statement) is not Insert:
            kept.append(step)
            continue
        rows = step.params if isinstance(step.params, Sequence) else [step.params]
        key = (step.statement, tuple(rows[0]))
        if key in inserted:
            inserted[key] += rows
        else:
            inserted[key] = [*rows]
            kept.append(step._replace(params=inserted[key]))
    return kept
