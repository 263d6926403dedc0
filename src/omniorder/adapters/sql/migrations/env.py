"""Alembic runs this for every migration: on the connection that `migrating` lends, or offline, to print SQL.

Logging is left as the application has set it up.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy.schema import CreateSchema

from omniorder.adapters.sql.versions import VERSION_TABLE

given = context.config.attributes
schema: str | None = given["schema"]

if context.is_offline_mode():
    context.configure(
        dialect_name=given["dialect"],
        as_sql=True,
        literal_binds=True,
        transactional_ddl=True,
        version_table=VERSION_TABLE,
        version_table_schema=schema,
        omniorder_schema=schema,
    )
else:
    context.configure(
        connection=given["connection"],
        transactional_ddl=True,
        version_table=VERSION_TABLE,
        version_table_schema=schema,
        omniorder_schema=schema,
    )

with context.begin_transaction():
    if context.is_offline_mode() and schema is not None:
        context.execute(CreateSchema(schema, if_not_exists=True))
    context.run_migrations()
