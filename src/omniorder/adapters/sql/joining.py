"""Working inside somebody else's transaction: on their connection, in a savepoint, never committing.

An SQLAlchemy connection is used as it is. A connection of sqlite3 or psycopg (Django's, say) is lent to an engine
of our own behind a wrapper that keeps the engine from ending the transaction or changing any settings of it.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import local
from typing import Any, Final, final

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from omniorder.adapters.sql.faults import fault
from omniorder.adapters.sql.link import JoinedLink
from omniorder.adapters.sql.plans import PLANS
from omniorder.adapters.sql.transaction import SqlTransaction
from omniorder.adapters.sql.versions import VersionCheck
from omniorder.errors import Misconfigured, NeedsOwnTransaction


class _Lent:
    """A driver's connection that is only used: whatever would end, commit or reconfigure it does nothing."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None:
        """Left to the owner."""

    def rollback(self) -> None:
        """Left to the owner."""

    def close(self) -> None:
        """Left to the owner."""

    def create_function(self, *_: Any, **__: Any) -> None:
        """SQLAlchemy would replace the owner's REGEXP."""

    def add_notice_handler(self, _: Any) -> None:
        """The owner hears the server's notices, or nobody does."""


class _LentSqlite(_Lent):
    def cursor(self) -> Any:
        cursor = self._connection.cursor()
        cursor.row_factory = None  # plain tuples, whatever the owner likes to read
        return cursor


class _LentPsycopg(_Lent):
    def cursor(self, *_: Any, **__: Any) -> Any:
        from psycopg import Cursor
        from psycopg.rows import tuple_row
        from psycopg.types.datetime import TimestamptzLoader

        cursor = Cursor(self._connection, row_factory=tuple_row)
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)  # aware, whatever the owner likes
        return cursor


@final
class Lender:
    """Makes joined storages. Engines are made once per kind of driver, so that compiled statements are kept."""

    def __init__(self, schema: str | None, check: VersionCheck) -> None:
        self._schema: Final = schema
        self._check: Final = check
        self._engines: Final[dict[tuple[bool, type[_Lent]], Engine]] = {}
        self._lending: Final = local()

    def join(self, connection: Any) -> JoinedSqlStorage:
        """The storage on this connection; raises `Misconfigured`."""
        if isinstance(connection, Connection):
            if connection.dialect.name not in PLANS:
                raise Misconfigured(needs="a connection to SQLite or PostgreSQL")
        elif not isinstance(connection, sqlite3.Connection) and not _is_psycopg(connection):
            raise Misconfigured(needs="a connection of SQLAlchemy, sqlite3 or psycopg")
        return JoinedSqlStorage(connection, self, self._schema, self._check)

    @contextmanager
    def lend(self, connection: Any) -> Generator[Connection]:
        """The connection as SQLAlchemy's, in a transaction that its owner ends."""
        if isinstance(connection, Connection):
            if not connection.in_transaction():
                connection.begin()
            _begin_if_needed(connection.connection.driver_connection)
            yield connection
            return
        _begin_if_needed(connection)
        lent = self.wrap(connection, _LentSqlite if isinstance(connection, sqlite3.Connection) else _LentPsycopg)
        try:
            yield lent
        finally:
            with suppress(SQLAlchemyError):
                lent.close()

    def wrap(self, connection: Any, wrapper: type[_Lent] = _Lent) -> Connection:
        """A connection of a driver as one of SQLAlchemy's, as it is; by itself our own are read as drivers do."""
        on_sqlite = isinstance(connection, sqlite3.Connection)
        key = (on_sqlite, wrapper)
        if key not in self._engines:
            self._engines[key] = create_engine(
                "sqlite://" if on_sqlite else "postgresql+psycopg://",
                creator=lambda: wrapper(self._lending.connection),
                poolclass=NullPool,
                pool_reset_on_return=None,
                hide_parameters=True,
                **({} if on_sqlite else {"use_native_hstore": False}),
            )
        self._lending.connection = connection
        try:
            return self._engines[key].connect()
        except SQLAlchemyError as error:
            raise fault(error) from error
        finally:
            del self._lending.connection


@final
class JoinedSqlStorage:
    """Implements `omniorder.ports.storage.Storage` on the caller's connection; made by `SqlStorage.joined`."""

    def __init__(self, connection: Any, lender: Lender, schema: str | None, check: VersionCheck) -> None:
        self._connection: Final = connection
        self._lender: Final = lender
        self._schema: Final = schema
        self._check: Final = check

    @contextmanager
    def transaction(self) -> Generator[SqlTransaction]:
        with self._savepoint(may_write=True) as tx:
            yield tx

    @contextmanager
    def reading(self) -> Generator[SqlTransaction]:
        with self._savepoint(may_write=False) as tx:
            yield tx

    @contextmanager
    def _savepoint(self, *, may_write: bool) -> Generator[SqlTransaction]:
        with self._lender.lend(self._connection) as connection:
            link = JoinedLink(connection, self._schema)
            try:
                savepoint = connection.begin_nested()
            except SQLAlchemyError as error:
                raise fault(error) from error
            tx = SqlTransaction(link, may_write=may_write)
            try:
                self._check(link)
                yield tx
                tx.flush()
                try:
                    savepoint.commit()
                except SQLAlchemyError as error:
                    raise fault(error) from error
            except BaseException:
                with suppress(SQLAlchemyError):
                    savepoint.rollback()
                raise
            finally:
                tx.end()

    def migrate(self) -> None:
        """Raises `NeedsOwnTransaction`: tables are not made on the side of somebody else's work."""
        raise NeedsOwnTransaction(command="migrate")

    def joined(self, connection: Any) -> JoinedSqlStorage:
        """The same on another connection."""
        return self._lender.join(connection)

    @property
    def is_joined(self) -> bool:
        return True

    def close(self) -> None:
        """The connection is the caller's: it stays open."""


def _is_psycopg(connection: Any) -> bool:
    # a connection can only be psycopg's when somebody has imported it
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(connection, psycopg.Connection)


def _begin_if_needed(connection: Any) -> None:
    """See to it that there is a transaction for our savepoint to be in, which its owner will end.

    psycopg begins one by itself. sqlite3 does so only before INSERT and the like, so that releasing a savepoint
    without one would commit.
    """
    if isinstance(connection, sqlite3.Connection):
        if connection.in_transaction:
            return
        if connection.isolation_level is None or getattr(connection, "autocommit", None) is True:  # Python 3.12
            raise Misconfigured(needs="a transaction to join: this connection is in autocommit mode")
        connection.execute("BEGIN IMMEDIATE")
    elif _is_psycopg(connection) and connection.autocommit and connection.info.transaction_status.name == "IDLE":
        raise Misconfigured(needs="a transaction to join: this connection is in autocommit mode")
