"""Storage on SQLite and PostgreSQL.

`connect(url)` opens it. In a retailer's own database the tables are called `omniorder_*`; `include_name` keeps
their Alembic from proposing to drop them, and `migrate_sql` prints what `migrate` would run, for administrators.
"""

from __future__ import annotations

from omniorder.adapters.sql.migrating import include_name, migrate_sql
from omniorder.adapters.sql.storage import SqlStorage, connect

__all__ = ["SqlStorage", "connect", "include_name", "migrate_sql"]
