"""From a URL to a storage: the one place that knows which adapter serves which scheme.

Adapters are named, not imported: opening a hub on memory loads no SQL, and `import omniorder` loads neither.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final

from omniorder.errors import Misconfigured
from omniorder.ports.storage import Storage

ADAPTERS: Final = {
    "memory": "omniorder.adapters.memory",
    "sqlite": "omniorder.adapters.sql",
    "postgresql": "omniorder.adapters.sql",
}
"""Modules with a `connect(url, schema=...)` by URL scheme."""


def connect(url: str, *, schema: str | None = None) -> Storage:
    """The storage behind `url`; no connection is made yet. Raises `Misconfigured`, `MissingExtra`."""
    storage: Storage = _adapter(url).connect(url, schema=schema)
    return storage


def migration_sql(url: str, *, schema: str | None = None) -> str:
    """The statements that `migrate` would run on an empty database, for an administrator to read and run."""
    adapter = _adapter(url)
    if not hasattr(adapter, "migrate_sql"):
        raise Misconfigured(needs="a database that has a schema")
    statements: str = adapter.migrate_sql(url, schema=schema)
    return statements


def for_reading(url: str) -> str:
    """The URL for somebody who only looks: no file comes into being by being looked for, and none is changed.

    Raises `Misconfigured` for a database that lives no longer than this process.
    """
    return _existing(url, "for_reading")


def for_writing(url: str) -> str:
    """The URL for somebody who writes to what is there: no file comes into being. Raises `Misconfigured` as above."""
    return _existing(url, "for_writing")


def _existing(url: str, purpose: str) -> str:
    adapter = _adapter(url)
    if not hasattr(adapter, purpose):
        raise Misconfigured(needs="a database that is there already: sqlite:///file.db or postgresql://...")
    found: str = getattr(adapter, purpose)(url)
    return found


def _adapter(url: object) -> ModuleType:
    scheme = url.partition(":")[0].partition("+")[0] if isinstance(url, str) else ""
    if scheme not in ADAPTERS:
        raise Misconfigured(needs=f"a database URL that begins with one of {', '.join(sorted(ADAPTERS))}")
    return importlib.import_module(ADAPTERS[scheme])
