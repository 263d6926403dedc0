"""Values as they travel to PostgreSQL and back: as text, which the server reads by the types in the statement.

So a statement means the same to it whatever values it is given, and needs to be prepared only once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, cast

from sqlalchemy import Integer, String, Text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from omniorder.adapters.sql.columns import Beginning, Instant, Json, Key, Keys, Real, Whole, as_text
from omniorder.adapters.sql.compiled import Convert, Tongue
from omniorder.errors import StorageFault

_DIALECT: Final[Dialect] = cast("Any", PGDialect_psycopg)(paramstyle="numeric_dollar")


def _write(kind: TypeEngine[Any]) -> Convert:
    if isinstance(kind, Json):
        return _json
    if isinstance(kind, Keys):
        return _keys
    if isinstance(kind, Beginning):
        return partial(_beginning, kind)
    if isinstance(kind, Instant):
        return _instant
    return _text if isinstance(kind, (Key, Text)) else _number


def _text(value: str) -> bytes:
    written = value.encode()
    if b"\0" in written:  # libpq would cut it off there
        raise StorageFault(reason="PostgreSQL stores no text with a NUL in it")
    return written


def _number(value: float) -> bytes:
    return str(value).encode()


def _instant(value: datetime) -> bytes:
    return value.isoformat().encode()


def _beginning(kind: Beginning, value: datetime | None) -> bytes:
    return _instant(kind.process_bind_param(value, _DIALECT))


def _json(value: Any) -> bytes:
    return as_text(value).encode()


def _keys(values: Sequence[str]) -> bytes:
    return _text(f"{{{','.join(map(_quoted, values))}}}")


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _read(kind: TypeEngine[Any]) -> Convert:
    if isinstance(kind, (Whole, Integer)):
        return int
    if isinstance(kind, Real):
        return float
    if isinstance(kind, Json):
        return json.loads
    if isinstance(kind, (Instant, Beginning)):
        return partial(_moment, kind)
    if isinstance(kind, (Key, String)):
        return bytes.decode
    raise TypeError(f"no column of ours is {kind!r}")


def _moment(kind: Instant | Beginning, value: bytes) -> datetime | None:
    return kind.process_result_value(value.decode(), _DIALECT)


TONGUE: Final = Tongue(_DIALECT, _write, _read)
