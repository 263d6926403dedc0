"""JSON that the database builds: a whole aggregate, children and all, as one document from one statement.

One statement sees one state, also under READ COMMITTED, and costs one round trip. A document reads the same
whatever driver, time zone or type adapters a connection has, which matters on a connection that is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, ScalarSelect, Table, Text, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from omniorder.adapters.sql.columns import Json, Keys
from omniorder.domain.text import Metadata


class _Document(FunctionElement[Any]):
    """`{name: value, ...}` from alternating names and columns."""

    name = "document"
    type = Json()
    inherit_cache = True


class _Collection(FunctionElement[Any]):
    """`[document, ...]`, one for each row and in no order."""

    name = "collection"
    type = Json()
    inherit_cache = True


class _Length(FunctionElement[int]):
    """How many members an array has that is a member of a JSON object."""

    name = "length_of"
    type = Integer()
    inherit_cache = True


class _Mapping(FunctionElement[Any]):
    """`{key: value, ...}`, one for each row and in no order."""

    name = "mapping"
    type = Json()
    inherit_cache = True


class _Among(FunctionElement[bool]):
    """Whether a column is one of the values of one list parameter."""

    name = "among"
    inherit_cache = True


@compiles(_Document, "postgresql")
def _document_postgres(element: _Document, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_build_object({compiler.process(element.clauses, **kw)})"


@compiles(_Document, "sqlite")
def _document_sqlite(element: _Document, compiler: SQLCompiler, **kw: Any) -> str:
    # SQLite forgets that a value is JSON once it was stored or came out of a subquery
    parts = [(clause, compiler.process(clause, **kw)) for clause in element.clauses]
    return f"json_object({', '.join(f'json({sql})' if _is_json(clause) else sql for clause, sql in parts)})"


def _is_json(clause: ColumnElement[Any]) -> bool:
    return isinstance(clause.type, Json)


@compiles(_Collection, "postgresql")
def _collection_postgres(element: _Collection, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_agg({compiler.process(element.clauses, **kw)})"


@compiles(_Collection, "sqlite")
def _collection_sqlite(element: _Collection, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **kw)})"


@compiles(_Length, "postgresql")
def _length_postgres(element: _Length, compiler: SQLCompiler, **kw: Any) -> str:
    column, member = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"jsonb_array_length({column} -> {member})"


@compiles(_Length, "sqlite")
def _length_sqlite(element: _Length, compiler: SQLCompiler, **kw: Any) -> str:
    column, member = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_array_length({column}, '$.' || {member})"


@compiles(_Mapping, "postgresql")
def _mapping_postgres(element: _Mapping, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_object_agg({compiler.process(element.clauses, **kw)})"


@compiles(_Mapping, "sqlite")
def _mapping_sqlite(element: _Mapping, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_object({compiler.process(element.clauses, **kw)})"


@compiles(_Among, "postgresql")
def _among_postgres(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


def document(table: Table, **more: ColumnElement[Any]) -> ColumnElement[Any]:
    """A row as a JSON object of all its columns, and more."""
    named: dict[str, ColumnElement[Any]] = {column.name: column for column in table.columns} | more
    parts: list[ColumnElement[Any]] = []
    for name, value in named.items():
        parts += [literal_column(f"'{name}'", Text()), value]
    return _Document(*parts)


def children(table: Table, *where: ColumnElement[bool], **more: ColumnElement[Any]) -> ScalarSelect[Any]:
    """The documents of the rows that belong to the row of the statement around it; null or empty for none."""
    rows = select(_Collection(document(table, **more))).select_from(table).where(*where)
    return rows.correlate_except(table).scalar_subquery()


def length_of(column: ColumnElement[Any], member: str) -> ColumnElement[int]:
    """How long the array is that the JSON object in `column` has as this member."""
    return _Length(column, literal_column(f"'{member}'", Text()))


def mapping(key: ColumnElement[str], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """All rows of a group as one JSON object: thousands of small rows arrive in a few large ones."""
    return _Mapping(key, value)


def among(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """`column` is one of the values of the list that parameter `name` holds: any number of them."""
    return _Among(column, BindParameter(name, type_=Keys()))


# --- reading them -----------------------------------------------------------------------------------------


def labels(data: Mapping[str, str]) -> Metadata:
    """Metadata as it was stored; `jsonb` doesn't keep the order of keys."""
    return Metadata(tuple(sorted(data.items())))


def by_position(documents: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Children in their order; none are null on PostgreSQL."""
    return sorted(documents or (), key=_position)


def _position(found: dict[str, Any]) -> int:
    position: int = found["position"]
    return position
