"""Storage on SQLite and PostgreSQL.

`connect(url)` opens it. In a retailer's own database the tables are called `omniorder_*`; `include_name` keeps
their Alembic from proposing to drop them, and `migrate_sql` prints what `migrate` would run, for administrators.

The way through this package, as a command goes it:

- `storage` and `transaction` take it in; `joining` lends them somebody else's transaction instead;
- one file per thing that is kept - `carts`, `handoffs`, `orders`, `promises`, `stock`, `timers`, ... - reads its rows
  as one document (`documents`) and notes what is to be written in a `batch`;
- a `link` carries a batch out: `direct` on SQLite's driver, `pipeline` on PostgreSQL's, with statements that were
  `compiled` once; `literals`, `folding` and `guarding` are what PostgreSQL needs to take all of it in one round trip;
- where the databases differ otherwise, `plans` says how, and `postgres` and `sqlite` do it, `counting` for both;
- `schema` declares the tables, `migrating` and `versions` bring them about, `inspecting` reads them as a whole.
"""

from __future__ import annotations

from omniorder.adapters.sql.migrating import include_name, migrate_sql
from omniorder.adapters.sql.storage import SqlStorage, connect
from omniorder.adapters.sql.urls import for_reading, for_writing

__all__ = ["SqlStorage", "connect", "for_reading", "for_writing", "include_name", "migrate_sql"]
