"""What a database complains about, as the errors that the storage port knows."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from omniorder.adapters.sql.schema import NEEDED
from omniorder.errors import AlreadyThere, SchemaOutdated, StorageFault, StorageFull, StorageUnavailable

# PostgreSQL, by SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING: Final = frozenset(
    {
        "25006",  # read-only: this server has just become a standby
        "25P03",  # idle in transaction for too long
        "26000",  # somebody else deallocated what we had prepared
        "40001",  # serialization failure
        "42P05",  # a statement is not prepared any more, or already, on this server's end of a pooler
        "40P01",  # deadlock
        "53300",  # too many connections
        "55P03",  # lock not granted in time
        "57014",  # statement took too long
        "57P01", "57P02", "57P03", "57P05",  # the server shuts down, starts up or hangs up
    }
)  # fmt: skip
_NO_SUCH_TABLE: Final = frozenset({"3F000", "42P01", "42703"})
_UNIQUE: Final = "23505"
_FULL: Final = frozenset({"53100"})

# SQLite, by primary result code: https://www.sqlite.org/rescode.html
_SQLITE_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_NOMEM,
    }
)
_SQLITE_UNIQUE: Final = frozenset({sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE})


def fault(error: Exception, kind: str = "row", id: str = "") -> StorageFault:
    """The storage error that says what `error`, SQLAlchemy's or the driver's, says.

    `kind` and `id` name what was being written.
    """
    if isinstance(error, PoolTimeout):
        return StorageUnavailable(reason="no connection became free in time")
    if isinstance(error, PendingRollbackError):
        return StorageUnavailable(reason="the connection was lost in this transaction")
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return StorageUnavailable(reason=_first_line(error.orig))
        return _of_driver(error.orig, kind, id)
    if isinstance(error, SQLAlchemyError):
        return StorageFault(reason=f"{type(error).__name__}: {_first_line(error)}")
    return _of_driver(error, kind, id)


def _of_driver(complaint: BaseException | None, kind: str, id: str) -> StorageFault:
    if isinstance(complaint, sqlite3.Error):
        return _of_sqlite(complaint, kind, id)
    return _of_postgres(complaint, kind, id)


def _of_sqlite(complaint: sqlite3.Error, kind: str, id: str) -> StorageFault:
    reason = _first_line(complaint)
    extended: int = getattr(complaint, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & 0xFF
    if extended in _SQLITE_UNIQUE:
        return AlreadyThere(kind=kind, id=id)
    if code == sqlite3.SQLITE_FULL:
        return StorageFull(reason=reason)
    if code in _SQLITE_PASSING:
        return StorageUnavailable(reason=reason)
    if code == sqlite3.SQLITE_ERROR and reason.startswith(("no such table", "no such column")):
        return SchemaOutdated(found="other tables", needed=NEEDED)
    return StorageFault(reason=reason)


def _of_postgres(complaint: BaseException | None, kind: str, id: str) -> StorageFault:
    # the first line only: what follows it may quote the row
    reason = _first_line(complaint)
    state: str | None = getattr(complaint, "sqlstate", None) or getattr(complaint, "pgcode", None)
    if state is None or state in _PASSING or state.startswith("08"):
        return StorageUnavailable(reason=reason)
    if state == _UNIQUE:
        return AlreadyThere(kind=kind, id=id)
    if state in _FULL:
        return StorageFull(reason=reason)
    if state in _NO_SUCH_TABLE:
        return SchemaOutdated(found="other tables", needed=NEEDED)
    return StorageFault(reason=reason)


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
