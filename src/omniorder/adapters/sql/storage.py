"""Storage on SQLite and PostgreSQL: connections and transactions."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, final

from sqlalchemy.exc import SQLAlchemyError

from omniorder.adapters.sql import migrating, postgres, sqlite
from omniorder.adapters.sql.faults import fault
from omniorder.adapters.sql.group_commit import GroupCommit
from omniorder.adapters.sql.inspecting import SqlInspection, beginning
from omniorder.adapters.sql.joining import JoinedSqlStorage, Lender
from omniorder.adapters.sql.link import OwnLink, Source
from omniorder.adapters.sql.transaction import SqlTransaction
from omniorder.adapters.sql.urls import parse
from omniorder.adapters.sql.versions import VersionCheck
from omniorder.errors import Misconfigured

MOST_TOGETHER: Final = 64


def connect(url: str, *, schema: str | None = None, **options: Any) -> SqlStorage:
    """The storage at `url`, which is opened when it is first used.

    `sqlite:///shop.db` is a file, `sqlite://` a database in memory that lives as long as the storage;
    `postgresql://user:password@host/name` needs psycopg. `schema` says where the tables are on PostgreSQL.

    Options: `lock_timeout` (5 seconds) is how long a transaction waits for another, `statement_timeout`
    (30 seconds, PostgreSQL) how long a statement may take, `synchronous="NORMAL"` (SQLite) trades the last
    transactions before a power cut for speed. On PostgreSQL statements are prepared on the server; behind a pooler
    that doesn't allow it, `?prepare_threshold=none` in the URL switches that off. `group_commit` (64, PostgreSQL) is
    how many commands that take from the same levels or slots may share a transaction, 1: none; `?group_commit=1` in the
    URL says the same. All others go to SQLAlchemy's `create_engine`, such as `pool_size`.

    Raises `Misconfigured` for a URL or option that makes no sense, `MissingExtra` where psycopg is missing.
    """
    parsed = parse(url)
    options.setdefault("lock_timeout", 5.0)
    try:
        if parsed.get_backend_name() == "postgresql":
            options.setdefault("statement_timeout", 30.0)
            most = _most_together(options.pop("group_commit", parsed.query.get("group_commit", MOST_TOGETHER)))
            parsed = parsed.difference_update_query(["group_commit"])
            return SqlStorage(postgres.opened(parsed, schema, **options), schema, most)
        if schema is None:
            return SqlStorage(sqlite.opened(parsed, **options), None)
    except TypeError as error:
        raise Misconfigured(needs=f"other options for {parsed.get_backend_name()}: {error}") from error
    raise Misconfigured(needs="PostgreSQL for a schema: SQLite has none")


def _most_together(given: object) -> int:
    match given:
        case int() if given >= 1 and given is not True:
            return given
        case str() if given.isascii() and given.isdecimal() and 0 < len(given) < 10 and int(given):
            return int(given)
        case _:
            raise Misconfigured(needs="a group_commit of 1 or more: how many commands may share a transaction")


@final
class SqlStorage:
    """Implements `omniorder.ports.storage.Storage`; made by `connect`."""

    def __init__(self, source: Source, schema: str | None, most_together: int = 1) -> None:
        self._source: Final = source
        self._engine: Final = source.engine
        self._schema: Final = schema
        self._check: Final = VersionCheck(schema)
        self._lender: Final = Lender(schema, self._check)
        self._most_together: Final = most_together
        self._commits = GroupCommit(most_together)
        self._process = os.getpid()

    @contextmanager
    def transaction(self) -> Generator[SqlTransaction]:
        with self._linked() as link, _running(SqlTransaction(link, may_write=True)) as tx:
            link.begin(may_write=True)
            self._check(link)
            yield tx
            self._commits.finish(link, tx)

    @contextmanager
    def reading(self) -> Generator[SqlTransaction]:
        with self._linked() as link, _running(SqlTransaction(link, may_write=False)) as tx:
            link.begin(may_write=False)
            self._check(link)
            yield tx

    @contextmanager
    def inspecting(self) -> Generator[SqlInspection]:
        """See `omniorder.ports.inspection.Inspectable`. Writers go on meanwhile; nothing can be written through it."""
        with self._linked() as link:
            link.begin(may_write=False)
            self._check(link)
            beginning(link)
            yield SqlInspection(link)

    @contextmanager
    def _linked(self) -> Generator[OwnLink]:
        """A connection from the pool; what was not committed on it is rolled back in the end."""
        self._leave_to_the_parent()
        try:
            pooled = self._source.connect()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            raise fault(error) from error
        link = self._source.link(pooled, lambda: self._lender.wrap(pooled.driver_connection))
        usable = False
        try:
            yield link
        finally:
            try:
                usable = link.end()
            finally:
                if usable:
                    pooled.close()
                else:
                    pooled.invalidate()

    def _leave_to_the_parent(self) -> None:
        """After a fork the connections in the pool are our parent's, who goes on using them."""
        if self._process != os.getpid():
            self._engine.dispose(close=False)
            self._commits = GroupCommit(self._most_together)
            self._process = os.getpid()

    def migrate(self) -> None:
        """Bring the tables to this version; several processes may start at once, one of them does it.

        Raises `SchemaOutdated` for tables of a newer version.
        """
        self._leave_to_the_parent()
        migrating.migrate(self._engine, self._schema)
        self._check.forget()

    def joined(self, connection: Any) -> JoinedSqlStorage:
        """The same storage in the caller's transaction on an SQLAlchemy, sqlite3 or psycopg connection.

        The connection must lead to the database in which the tables are. Raises `Misconfigured` for another
        kind of connection, and for one in autocommit mode without a transaction.
        """
        return self._lender.join(connection)

    @property
    def is_joined(self) -> bool:
        return False

    def close(self) -> None:
        """Give all connections back; the storage opens new ones when it is used again."""
        self._engine.dispose()


@contextmanager
def _running(tx: SqlTransaction) -> Generator[SqlTransaction]:
    try:
        yield tx
    finally:
        tx.end()
