"""What a database complains about is told as one of the storage port's errors, each with the right advice."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from psycopg import errors as pg
from sqlalchemy.exc import CompileError, DBAPIError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from omniorder.adapters.sql.faults import fault
from omniorder.errors import AlreadyThere, SchemaOutdated, StorageFault, StorageFull, StorageUnavailable

ON_POSTGRES: dict[type[psycopg.Error], type[StorageFault]] = {
    pg.SerializationFailure: StorageUnavailable,
    pg.DeadlockDetected: StorageUnavailable,
    pg.LockNotAvailable: StorageUnavailable,
    pg.QueryCanceled: StorageUnavailable,
    pg.AdminShutdown: StorageUnavailable,
    pg.CannotConnectNow: StorageUnavailable,
    pg.IdleInTransactionSessionTimeout: StorageUnavailable,
    pg.TooManyConnections: StorageUnavailable,
    pg.ReadOnlySqlTransaction: StorageUnavailable,
    pg.ConnectionFailure: StorageUnavailable,
    psycopg.OperationalError: StorageUnavailable,
    pg.DiskFull: StorageFull,
    pg.UniqueViolation: AlreadyThere,
    pg.UndefinedTable: SchemaOutdated,
    pg.UndefinedColumn: SchemaOutdated,
    pg.InvalidSchemaName: SchemaOutdated,
    pg.CheckViolation: StorageFault,
    pg.ForeignKeyViolation: StorageFault,
    pg.NumericValueOutOfRange: StorageFault,
    pg.InsufficientPrivilege: StorageFault,
}

ON_SQLITE: dict[int, type[StorageFault]] = {
    sqlite3.SQLITE_BUSY: StorageUnavailable,
    sqlite3.SQLITE_BUSY_SNAPSHOT: StorageUnavailable,
    sqlite3.SQLITE_LOCKED: StorageUnavailable,
    sqlite3.SQLITE_CANTOPEN: StorageUnavailable,
    sqlite3.SQLITE_IOERR_WRITE: StorageUnavailable,
    sqlite3.SQLITE_READONLY: StorageUnavailable,
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: AlreadyThere,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: AlreadyThere,
    sqlite3.SQLITE_CONSTRAINT_CHECK: StorageFault,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: StorageFault,
    sqlite3.SQLITE_CORRUPT: StorageFault,
}

MAY_HELP = {
    StorageUnavailable: True,
    AlreadyThere: True,
    StorageFull: False,
    SchemaOutdated: False,
    StorageFault: False,
}


def wrapped(complaint: BaseException) -> SQLAlchemyError:
    return DBAPIError("SELECT", {}, complaint)


@pytest.mark.parametrize(("complaint", "expected"), ON_POSTGRES.items(), ids=lambda kind: kind.__name__)
def test_what_postgres_complains_about(complaint: type[psycopg.Error], expected: type[StorageFault]) -> None:
    told = fault(wrapped(complaint("so it is")))
    assert (type(told), told.retry) == (expected, MAY_HELP[expected])


@pytest.mark.parametrize(("code", "expected"), ON_SQLITE.items())
def test_what_sqlite_complains_about(code: int, expected: type[StorageFault]) -> None:
    complaint = sqlite3.OperationalError("so it is")
    complaint.sqlite_errorcode = code
    told = fault(wrapped(complaint))
    assert (type(told), told.retry) == (expected, MAY_HELP[expected])


@pytest.mark.parametrize("missing", ["no such table: omniorder_cart", "no such column: zone"])
def test_tables_that_lack_something_are_outdated(missing: str) -> None:
    complaint = sqlite3.OperationalError(missing)
    complaint.sqlite_errorcode = sqlite3.SQLITE_ERROR
    assert isinstance(fault(wrapped(complaint)), SchemaOutdated)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PoolTimeout(), StorageUnavailable),
        (PendingRollbackError(), StorageUnavailable),
        (CompileError("no such thing"), StorageFault),
    ],
)
def test_what_sqlalchemy_itself_complains_about(error: SQLAlchemyError, expected: type[StorageFault]) -> None:
    assert type(fault(error)) is expected


def test_a_collision_names_what_was_written() -> None:
    told = fault(wrapped(pg.UniqueViolation("duplicate key")), "order", "SOF01-7K3F9Q")
    assert dict(told.facts) == {"kind": "order", "id": "SOF01-7K3F9Q"}


def test_what_was_stored_is_not_told() -> None:
    """PostgreSQL quotes the row in the second line."""
    complaint = pg.CheckViolation('violates "omniorder_payment_amounts"\nDETAIL:  Failing row contains (tok_secret).')
    assert "tok_secret" not in str(fault(wrapped(complaint)))
