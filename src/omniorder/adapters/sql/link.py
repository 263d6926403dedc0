"""A connection as this package uses it: our statements go in, rows and errors of ours come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final

from attrs import frozen
from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy import Row as ResultRow
from sqlalchemy.exc import SQLAlchemyError

from omniorder.adapters.sql.faults import fault
from omniorder.errors import StaleWrite

Params = Mapping[str, Any]


@frozen
class PerDialect:
    """One statement in two tongues, where SQLAlchemy has no common one."""

    postgresql: Executable
    sqlite: Executable


Statement = Executable | PerDialect


@final
class Link:
    """`connection`, our tables being in `schema` (None: where the connection looks first).

    What goes wrong in a statement of ours is told as a `StorageFault`. The caller's own statements on the same
    connection are none of its business.
    """

    def __init__(self, connection: Connection, schema: str | None) -> None:
        self.connection: Final = connection
        self.dialect: Final = connection.dialect.name
        self._options: Final[dict[str, Any]] = {"preserve_rowcount": True}
        if schema is not None:
            self._options["schema_translate_map"] = {None: schema}

    def rows(self, statement: Statement, params: Params | None = None) -> Sequence[ResultRow[Any]]:
        """All rows."""
        return self._run(statement, params).all()

    def document(self, statement: Statement, params: Params) -> dict[str, Any] | None:
        """The one JSON document, or None."""
        found: dict[str, Any] | None = self._run(statement, params).scalar()
        return found

    def documents(self, statement: Statement, params: Params) -> Sequence[dict[str, Any]]:
        """All JSON documents, in the statement's order."""
        return self._run(statement, params).scalars().all()

    def change(self, statement: Statement, params: Params | Sequence[Params] | None = None) -> int:
        """Run it, once for each of `params`; how many rows were changed."""
        if isinstance(params, Sequence) and not params:
            return 0
        return self._run(statement, params).rowcount

    def insert(self, statement: Statement, params: Params | Sequence[Params], kind: str, id: str) -> int:
        """The same, for rows that must be new: raises `AlreadyThere` for this kind and id."""
        if isinstance(params, Sequence) and not params:
            return 0
        return self._run(statement, params, kind, id).rowcount

    def guarded(self, statement: Statement, params: Params, kind: str, id: str) -> None:
        """The same, for one row in a state that was read before: raises `StaleWrite` when it is in another."""
        if self.change(statement, params) != 1:
            raise StaleWrite(kind=kind, id=id)

    def _run(
        self,
        statement: Statement,
        params: Params | Sequence[Params] | None,
        kind: str = "row",
        id: str = "",
    ) -> CursorResult[Any]:
        if isinstance(statement, PerDialect):
            statement = statement.postgresql if self.dialect == "postgresql" else statement.sqlite
        try:
            return self.connection.execute(statement, params, execution_options=self._options)
        except SQLAlchemyError as error:
            raise fault(error, kind, id) from error
