"""A connection as this package uses it: our statements go in, rows and errors of ours come out.

On connections of our own statements go straight to the driver: see `direct` for SQLite and `pipeline` for PostgreSQL.
On the caller's they go through SQLAlchemy, whatever driver is behind it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, final

from attrs import frozen
from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from omniorder.adapters.sql.faults import fault
from omniorder.errors import AlreadyThere, OmniorderError, StaleWrite

Params = Mapping[str, Any]


@frozen
class PerDialect:
    """One statement in two tongues, where SQLAlchemy has no common one."""

    postgresql: Executable
    sqlite: Executable

    def of(self, dialect: str) -> Executable:
        """The statement for the dialect of this name."""
        return self.postgresql if dialect == "postgresql" else self.sqlite


Statement = Executable | PerDialect


class Outcome(NamedTuple):
    """What a statement did: how many rows it changed, and the rows that it returned."""

    changed: int
    rows: Sequence[Any]


class Step(NamedTuple):
    """A statement to be run with `params`, or once for each of several.

    `kind` and `id` name what is written, for the `clash` that is raised when it meets a key that is taken. `judge`
    raises when the outcome is not what it should be; it may ask the database why. `due` is how many rows it must change
    then, for a database that counts by itself.
    """

    statement: Statement
    params: Params | Sequence[Params]
    kind: str = "row"
    id: str = ""
    clash: type[AlreadyThere | StaleWrite] = AlreadyThere
    judge: Callable[[Outcome, Link], None] | None = None
    due: int = 1

    def told(self, error: Exception) -> OmniorderError:
        """The driver's complaint about this statement as an error of ours."""
        found = fault(error, self.kind, self.id)
        return self.clash(kind=self.kind, id=self.id) if isinstance(found, AlreadyThere) else found


class Link(ABC):
    """What the modules beside this one work with.

    What goes wrong in a statement of ours is told as a `StorageFault`. The caller's own statements on the same
    connection are none of its business.
    """

    dialect: str
    schema: str | None
    """Where our tables are; None: where the connection looks first."""

    @property
    @abstractmethod
    def connection(self) -> Connection:
        """The same connection as SQLAlchemy's, in the same transaction."""

    @abstractmethod
    def run(self, step: Step) -> Outcome:
        """Run it at once, without judging."""

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Run them in this order; the first refusal ends it."""
        for step in steps:
            outcome = self.run(step)
            if step.judge is not None:
                step.judge(outcome, self)

    def rows(self, statement: Statement, params: Params | None = None) -> Sequence[Any]:
        """All rows, with their columns as attributes."""
        return self.run(Step(statement, params or {})).rows

    def document(self, statement: Statement, params: Params) -> dict[str, Any] | None:
        """The one JSON document, or None."""
        rows = self.rows(statement, params)
        found: dict[str, Any] | None = rows[0][0] if rows else None
        return found

    def documents(self, statement: Statement, params: Params) -> Sequence[dict[str, Any]]:
        """All JSON documents, in the statement's order."""
        return [row[0] for row in self.rows(statement, params)]

    def change(self, statement: Statement, params: Params | Sequence[Params] | None = None) -> int:
        """Run it, once for each of `params`; how many rows were changed."""
        if isinstance(params, Sequence) and not params:
            return 0
        return self.run(Step(statement, params or {})).changed


class OwnLink(Link):
    """A connection of ours, with the transaction on it. `lend` makes it one of SQLAlchemy's when that is asked for."""

    def __init__(self, dialect: str, schema: str | None, lend: Callable[[], Connection]) -> None:
        self.dialect = dialect
        self.schema = schema
        self._lend: Final = lend
        self._lent: Connection | None = None

    @property
    def connection(self) -> Connection:
        if self._lent is None:
            self._lent = self._lend()
        return self._lent

    @abstractmethod
    def begin(self, *, may_write: bool) -> None:
        """Begin a transaction, which may be as late as with the first statement."""

    def finish(self, steps: Sequence[Step]) -> None:
        """Carry out the last steps and commit. `StorageUnavailable` leaves open whether it was."""
        self.carry_out(steps)
        self.commit()

    @property
    def has_only_read(self) -> bool:
        """Whether it makes no difference when what this transaction writes is written in another one."""
        return False

    def finish_if_granted(self, steps: Sequence[Step]) -> bool:
        """Carry out these steps and commit, where `has_only_read` and no guard refuses; else nothing is done.

        `StorageUnavailable` leaves open whether it was committed.
        """
        return False

    @abstractmethod
    def commit(self) -> None:
        """Commit what was done."""

    @abstractmethod
    def end(self) -> bool:
        """Roll back what was not committed; whether the connection can be used again."""

    def _give_back(self) -> None:
        if self._lent is not None:
            with suppress(SQLAlchemyError):
                self._lent.close()


@frozen
class Source:
    """Where connections of ours come from: `connect` takes one from the engine's pool, and `link` works on it."""

    engine: Engine
    connect: Callable[[], PoolProxiedConnection]
    link: Callable[[PoolProxiedConnection, Callable[[], Connection]], OwnLink]


@final
class JoinedLink(Link):
    """A connection of the caller's, through SQLAlchemy."""

    def __init__(self, connection: Connection, schema: str | None) -> None:
        self.dialect = connection.dialect.name
        self.schema = schema
        self._connection: Final = connection
        self._options: Final[dict[str, Any]] = {"preserve_rowcount": True}
        if schema is not None:
            self._options["schema_translate_map"] = {None: schema}

    @property
    def connection(self) -> Connection:
        return self._connection

    def run(self, step: Step) -> Outcome:
        statement = step.statement
        if isinstance(statement, PerDialect):
            statement = statement.of(self.dialect)
        try:
            result = self._connection.execute(statement, step.params or None, execution_options=self._options)
            return Outcome(result.rowcount, result.all() if result.returns_rows else ())
        except SQLAlchemyError as error:
            raise step.told(error) from error
