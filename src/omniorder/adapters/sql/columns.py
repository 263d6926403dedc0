"""Column types: the same Python value on every database, each in the form that suits it.

Identifiers compare by code point everywhere (collation "C" on PostgreSQL), so that lists and keysets have the
order that Python gives them. Instants are `timestamptz` on PostgreSQL and text of fixed width on SQLite, which
sorts alike. JSON is `jsonb` and text. SQLite's STRICT tables know INTEGER, REAL and TEXT only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from omniorder.domain.instants import iso
from omniorder.domain.quantities import EXACT

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_TEXT: Final = "1970-01-01T00:00:00.000000Z"


class Key(TypeDecorator[str]):
    """An identifier, or a code of ours."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return sa.Text(collation="C" if dialect.name == "postgresql" else None)


class Whole(TypeDecorator[int]):
    """A whole number of 63 bits: units, minor units of money, versions."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return sa.BigInteger() if dialect.name == "postgresql" else sa.Integer()


class Real(TypeDecorator[float]):
    """Degrees."""

    impl = sa.Double
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return sa.Double() if dialect.name == "postgresql" else sa.REAL()


class Instant(TypeDecorator[datetime]):
    """An aware instant; always UTC when read."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        on_postgres = dialect.name == "postgresql"
        return sa.DateTime(timezone=True) if on_postgres else sa.Text()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else iso(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


class Beginning(TypeDecorator[datetime]):
    """An instant, or none for what began before all: a key can't be null, so it is written as 1970."""

    impl = Instant
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Instant().load_dialect_impl(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is not None:
            return Instant().process_bind_param(value, dialect)
        return _EPOCH if dialect.name == "postgresql" else _EPOCH_TEXT

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        read = moment(value)
        return None if read == _EPOCH else read


class Json(TypeDecorator[Any]):
    """JSON data. Some drivers hand it out parsed, others as text, and a joined connection is either."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return JSONB(none_as_null=True) if dialect.name == "postgresql" else sa.Text()

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else as_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return json.loads(value) if isinstance(value, (str, bytes)) else value


class Keys(TypeDecorator[Sequence[str]]):
    """Any number of identifiers as one parameter, so that one statement serves them all; see `among`."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ARRAY(sa.Text()) if dialect.name == "postgresql" else sa.Text()

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        given = list(value or ())
        return given if dialect.name == "postgresql" else as_text(given)


_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def as_text(value: Any) -> str:
    """JSON data as compact text."""
    return _JSON.encode(value)


def moment(value: datetime | str) -> datetime:
    """The instant that a database handed out, in UTC."""
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read if read.tzinfo is UTC else read.astimezone(UTC)


def maybe_moment(value: datetime | str | None) -> datetime | None:
    """The same, where there may be none."""
    return None if value is None else moment(value)


def share(tolerance: Decimal) -> str | None:
    """A tolerance as it is stored: most things have none, and that costs nothing."""
    return f"{tolerance:f}" if tolerance else None


def exactly(written: str | None) -> Decimal:
    """The tolerance that is stored."""
    return EXACT if written is None else Decimal(written)
