"""What a file has spoken of already: keys and the lines they stood on, in bounded memory.

A million keys in a set take a hundred megabytes. So they are kept in a private temporary database, of which SQLite
holds a few megabytes in memory and the rest in a file of its own, which is gone when it is closed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from types import TracebackType
from typing import Final

_CACHE_KIB: Final = 8_192
_APART: Final = "\x1f"  # no value of ours holds one; SQLite's JSON would end a text at U+0000


class Seen:
    """Remembers keys and their first lines; a context manager."""

    def __init__(self) -> None:
        self._db: Final = sqlite3.connect("", isolation_level=None)
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID")

    def firsts(self, rows: Sequence[tuple[int, tuple[str, ...]]]) -> dict[int, int]:
        """Note these lines and keys, in the order of the file. For each line whose key was there: the first line."""
        keyed = [(line, _APART.join(key)) for line, key in rows]
        here: dict[str, int] = {}
        again: dict[int, int] = {}
        for line, key in keyed:
            if key in here:
                again[line] = here[key]
            else:
                here[key] = line
        asked = json.dumps(list(here), ensure_ascii=False)
        known = "SELECT key, line FROM seen WHERE key IN (SELECT value FROM json_each(?))"
        before: dict[str, int] = dict(self._db.execute(known, (asked,)).fetchall())
        if before:
            again |= {line: before[key] for line, key in keyed if key in before}
        self._db.execute("BEGIN")
        new = ((key, line) for key, line in here.items() if key not in before)
        self._db.executemany("INSERT INTO seen VALUES (?, ?)", new)
        self._db.execute("COMMIT")
        return again

    def __enter__(self) -> Seen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
