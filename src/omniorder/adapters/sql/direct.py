"""SQLite's own driver, without SQLAlchemy in between: a statement costs less than what would be around it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, Final, final

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.types import TypeEngine

from omniorder.adapters.sql.columns import Beginning, Instant, Json, Keys, as_text, moment
from omniorder.adapters.sql.compiled import Compiler, Convert, Tongue
from omniorder.adapters.sql.faults import fault
from omniorder.adapters.sql.link import Outcome, OwnLink, Step
from omniorder.domain.instants import iso

_DIALECT: Final = SQLiteDialect_pysqlite()
_instant: Final = lru_cache(256)(iso)  # a command writes the same few over and over


def _write(kind: TypeEngine[Any]) -> Convert | None:
    if isinstance(kind, Instant):
        return _instant
    if isinstance(kind, Json):
        return as_text
    return partial(kind.process_bind_param, dialect=_DIALECT) if isinstance(kind, (Beginning, Keys)) else None


def _read(kind: TypeEngine[Any]) -> Convert | None:
    if isinstance(kind, Instant):
        return moment
    if isinstance(kind, Json):
        return json.loads
    return partial(kind.process_result_value, dialect=_DIALECT) if isinstance(kind, Beginning) else None


TONGUE: Final = Tongue(_DIALECT, _write, _read)


@final
class DirectLink(OwnLink):
    """A connection of `sqlite3`, in autocommit mode: transactions are ours to begin."""

    def __init__(self, driver: sqlite3.Connection, compiler: Compiler, lend: Callable[[], Connection]) -> None:
        super().__init__(compiler.dialect, compiler.schema, lend)
        self._driver: Final = driver
        self._compiler: Final = compiler

    def run(self, step: Step) -> Outcome:
        params = step.params
        try:
            if isinstance(params, Sequence):
                compiled = self._compiler.compiled(step.statement, params[0])
                done = self._driver.executemany(compiled.text, map(compiled.values, params))
                return Outcome(done.rowcount, ())
            compiled = self._compiler.compiled(step.statement, params)
            done = self._driver.execute(compiled.text, compiled.values(params))
            if compiled.returns_rows:
                return Outcome(done.rowcount, [compiled.row(row) for row in done])
            return Outcome(done.rowcount, ())
        except sqlite3.Error as error:
            raise step.told(error) from error

    def begin(self, *, may_write: bool) -> None:
        self._say("BEGIN IMMEDIATE" if may_write else "BEGIN")

    def commit(self) -> None:
        self._say("COMMIT")

    def end(self) -> bool:
        self._give_back()
        with suppress(sqlite3.Error):
            self._driver.rollback()
        return not self._driver.in_transaction

    def _say(self, command: str) -> None:
        try:
            self._driver.execute(command)
        except sqlite3.Error as error:
            raise fault(error) from error
