"""Making the tables, and bringing older ones to this version, with Alembic.

The revisions are in `migrations/versions`; what is in them stays as it was when it was released. They run offline
too, so that administrators can read, keep and run the SQL themselves.
"""

from __future__ import annotations

import io
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from omniorder.adapters.sql.faults import fault
from omniorder.adapters.sql.link import JoinedLink
from omniorder.adapters.sql.schema import NEEDED
from omniorder.adapters.sql.urls import parse
from omniorder.adapters.sql.versions import found_version
from omniorder.errors import Misconfigured, SchemaOutdated

PREFIX: Final = "omniorder_"
_SCRIPTS: Final = Path(__file__).with_name("migrations")
_ADVISORY_LOCK: Final = 0x6F6D6E69  # "omni": any number will do, if all versions take the same
_one_at_a_time: Final = Lock()  # Alembic keeps the migration that runs in a global


def migrate(engine: Engine, schema: str | None) -> None:
    """Bring the tables to this version, in one transaction. Raises `SchemaOutdated` for newer ones."""
    try:
        with _one_at_a_time, _transactional(engine).connect() as connection, connection.begin():
            if engine.name == "postgresql":
                _queue_up(connection, schema)
            found = found_version(JoinedLink(connection, schema), schema)
            if found != NEEDED:
                _upgrade(connection, schema, found)
    except SQLAlchemyError as error:
        raise fault(error) from error


def _transactional(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="READ COMMITTED") if engine.name == "postgresql" else engine


def migrate_sql(url: str, schema: str | None = None) -> str:
    """The SQL that `migrate` runs on an empty database like that at `url`, which is not connected to.

    Raises `Misconfigured` for another kind of database.
    """
    backend = parse(url).get_backend_name()
    if backend == "sqlite" and schema is not None:
        raise Misconfigured(needs="PostgreSQL for a schema: SQLite has none")
    from alembic import command

    written = io.StringIO()
    with _one_at_a_time:
        command.upgrade(_config(schema, written, dialect=backend), "head", sql=True)
    return written.getvalue()


def include_name(name: str | None, type_: str, parent_names: Any) -> bool:
    """For `include_name` of `context.configure` in a retailer's `env.py`: hides our tables from their Alembic."""
    return not (type_ == "table" and name is not None and name.startswith(PREFIX))


def _queue_up(connection: Connection, schema: str | None) -> None:
    """Wait until nobody else migrates, without a limit: making tables may take a while."""
    connection.execute(text("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if schema is not None and not connection.dialect.has_schema(connection, schema):
        connection.execute(CreateSchema(schema))


def _upgrade(connection: Connection, schema: str | None, found: str) -> None:
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(_config(schema, io.StringIO(), connection=connection), "head")
    except CommandError as error:  # a revision that only a newer version knows
        raise SchemaOutdated(found=found, needed=NEEDED) from error


def _config(schema: str | None, output: io.StringIO, **attributes: Any) -> Any:
    from alembic.config import Config

    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes.update(attributes, schema=schema)
    return config
