"""Storage on SQLite and PostgreSQL: connections and transactions."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from omniorder.adapters.sql import migrating, postgres, sqlite
from omniorder.adapters.sql.faults import fault
from omniorder.adapters.sql.joining import JoinedSqlStorage, Lender
from omniorder.adapters.sql.link import Link
from omniorder.adapters.sql.plans import PLANS
from omniorder.adapters.sql.transaction import SqlTransaction
from omniorder.adapters.sql.urls import parse
from omniorder.adapters.sql.versions import VersionCheck
from omniorder.errors import Misconfigured, StorageFault


def connect(url: str, *, schema: str | None = None, **options: Any) -> SqlStorage:
    """The storage at `url`, which is opened when it is first used.

    `sqlite:///shop.db` is a file, `sqlite://` a database in memory that lives as long as the storage;
    `postgresql://user:password@host/name` needs psycopg. `schema` says where the tables are on PostgreSQL.

    Options: `lock_timeout` (5 seconds) is how long a transaction waits for another, `statement_timeout`
    (30 seconds, PostgreSQL) how long a statement may take, `synchronous="NORMAL"` (SQLite) trades the last
    transactions before a power cut for speed. All others go to SQLAlchemy's `create_engine`, such as `pool_size`.

    Raises `Misconfigured` for a URL or option that makes no sense, `MissingExtra` where psycopg is missing.
    """
    parsed = parse(url)
    options.setdefault("lock_timeout", 5.0)
    try:
        if parsed.get_backend_name() == "postgresql":
            options.setdefault("statement_timeout", 30.0)
            return SqlStorage(postgres.engine(parsed, **options), schema)
        if schema is None:
            return SqlStorage(sqlite.engine(parsed, **options), None)
    except TypeError as error:
        raise Misconfigured(needs=f"other options for {parsed.get_backend_name()}: {error}") from error
    raise Misconfigured(needs="PostgreSQL for a schema: SQLite has none")


@final
class SqlStorage:
    """Implements `omniorder.ports.storage.Storage`; made by `connect`."""

    def __init__(self, engine: Engine, schema: str | None) -> None:
        self._engine: Final = engine
        self._schema: Final = schema
        # Every read is one statement and consistent in itself, so on PostgreSQL reading needs no BEGIN and END.
        reading = {"isolation_level": "AUTOCOMMIT"} if engine.name == "postgresql" else {sqlite.READING: True}
        self._for_reading: Final = engine.execution_options(**reading)
        self._check: Final = VersionCheck(schema)
        self._lender: Final = Lender(schema, self._check)

    @contextmanager
    def transaction(self) -> Generator[SqlTransaction]:
        with _connected(self._engine) as connection:
            link = Link(connection, self._schema)
            tx = SqlTransaction(link, may_write=True)
            try:
                self._check(link)
                yield tx
                tx.flush()
                _commit(link)
            except BaseException:
                with suppress(SQLAlchemyError):  # a connection that is gone has rolled back by itself
                    connection.rollback()
                raise
            finally:
                tx.end()

    @contextmanager
    def reading(self) -> Generator[SqlTransaction]:
        with _connected(self._for_reading) as connection:
            link = Link(connection, self._schema)
            tx = SqlTransaction(link, may_write=False)
            try:
                self._check(link)
                yield tx
            finally:
                tx.end()
                with suppress(SQLAlchemyError):
                    connection.rollback()

    def migrate(self) -> None:
        """Bring the tables to this version; several processes may start at once, one of them does it.

        Raises `SchemaOutdated` for tables of a newer version.
        """
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
def _connected(engine: Engine) -> Generator[Connection]:
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise fault(error) from error
    try:
        try:
            connection.begin()
        except SQLAlchemyError as error:
            raise fault(error) from error
        yield connection
    finally:
        with suppress(SQLAlchemyError):
            connection.close()


def _commit(link: Link) -> None:
    # PostgreSQL answers the COMMIT of a transaction in which a statement failed with a silent ROLLBACK. A handler
    # that swallowed such an error must not make a lost command look like a success.
    try:
        spoilt = PLANS[link.dialect].is_spoilt(link)
        if not spoilt:
            link.connection.commit()
    except SQLAlchemyError as error:
        raise fault(error) from error
    if spoilt:
        raise StorageFault(reason="a statement failed in this transaction, and its error was swallowed")
