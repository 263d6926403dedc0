"""Guards that PostgreSQL keeps by itself: statements that fail when they don't change what they should.

Whoever sends a COMMIT along with what it commits can't look in between at how many rows were changed. So the server
counts them, and divides by zero when it is not the number that was due: that ends the transaction before the COMMIT.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Executable, Integer, bindparam, cast, func, literal_column, select

from omniorder.adapters.sql.link import PerDialect, Statement, Step

DIVISION_BY_ZERO: Final = b"22012"
_DUE: Final = "rows_due"


def reads(text: str) -> bool:
    """Whether a statement only looks, so that running it again does no harm: no CTE, which may write, and no lock."""
    return text.startswith("SELECT") and "FOR UPDATE" not in text and "FOR NO KEY" not in text


def can_be_strict(step: Step) -> bool:
    """Whether the server can count for itself what a step must change: it can when the step is run once."""
    return step.judge is None or not isinstance(step.params, Sequence)


def strictly(step: Step) -> Step:
    """The step with a statement that fails unless it changes as many rows as are due."""
    if step.judge is None or isinstance(step.params, Sequence):
        return step
    statement = _strict(step.statement, tuple(step.params))
    return step._replace(statement=statement, params={**step.params, _DUE: step.due}, judge=None)


@cache
def _strict(statement: Statement, names: tuple[str, ...]) -> Executable:
    single = _for_postgres(statement)
    if not single.is_select:
        single = _with_values(single, names).returning(literal_column("1").label("changed"))
    enough = cast(func.count(literal_column("changed")) == bindparam(_DUE, type_=BigInteger()), Integer())
    return select(literal_column("1", Integer()) // enough).select_from(single.cte("done"))


def _with_values(single: Any, names: tuple[str, ...]) -> Any:
    """The INSERT or UPDATE with the values said that otherwise go by the names of the parameters."""
    if single.is_insert and single.select is not None:
        return single
    columns = single.table.c
    return single.values({name: bindparam(name, type_=columns[name].type) for name in names if name in columns})


def _for_postgres(statement: Statement) -> Any:
    return statement.of("postgresql") if isinstance(statement, PerDialect) else statement
