"""Storage on SQLite and PostgreSQL.

`connect(url)` opens it. In a retailer's own database the tables are called `omniorder_*`; `include_name` keeps
their Alembic from proposing to drop them, and `migrate_sql` prints what `migrate` would run, for administrators.
"""

from __future__ import annotations

from omniorder.adapters.sql.migrating import include_name, migrate_sql
from omniorder.adapters.sql.storage import SqlStorage, connect
from omniorder.adapters.sql.urls import for_reading

__all__ = ["SqlStorage", "connect", "for_reading", "include_name", "migrate_sql"]
