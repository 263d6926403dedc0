"""Statements as a driver takes them: compiled by SQLAlchemy once, and from then on text, parameters and rows.

SQLAlchemy would do it anew for every execution, which costs more than most of our statements do. How a value becomes
a parameter and comes back in a row is a matter of a column's type alone: each driver has a `Tongue` that says so.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, final

from attrs import frozen
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from omniorder.adapters.sql.columns import Beginning
from omniorder.adapters.sql.link import Params, PerDialect, Statement

Convert = Callable[[Any], Any]


@frozen
class Tongue:
    """A driver's way with values: the converter of a type, or None where values go as they are. NULL is None."""

    dialect: Dialect
    write: Callable[[TypeEngine[Any]], Convert | None]
    read: Callable[[TypeEngine[Any]], Convert | None]


_named: Final[Callable[[str, Iterable[str]], Any]] = namedtuple  # type checkers want the names in the source


@final
class Compiled:
    """One statement: its text, the values of its parameters in their order, and its rows."""

    def __init__(
        self,
        text: str,
        binds: Iterable[tuple[str | None, Convert | None, Any]],
        columns: Mapping[str, Convert | None],
    ) -> None:
        """Each of `binds` is a name, a converter and what NULL is; without a name that is the value."""
        self.text: Final = text
        self.returns_rows: Final = bool(columns)
        self._binds: Final = tuple(binds)
        self._readers: Final = tuple(columns.values())
        self._row: Final = _named("Row", columns)

    def values(self, params: Params) -> list[Any]:
        """What to give the driver."""
        return [
            null if name is None or (value := params[name]) is None else value if write is None else write(value)
            for name, write, null in self._binds
        ]

    def row(self, found: Iterable[Any]) -> Any:
        """What the driver gave, with columns as attributes."""
        pairs = zip(self._readers, found, strict=True)
        return self._row(*[value if value is None or read is None else read(value) for read, value in pairs])


@final
class Compiler:
    """Compiles for one driver, our tables being in `schema`, and remembers."""

    def __init__(self, tongue: Tongue, schema: str | None) -> None:
        self.schema: Final = schema
        self._tongue: Final = tongue
        options: dict[str, Any] = {"dialect": tongue.dialect, "for_executemany": True}
        if schema is not None:
            options |= {"schema_translate_map": {None: schema}, "render_schema_translate": True}
        self._options: Final = options
        self._known: Final[dict[tuple[Statement, tuple[str, ...]], Compiled]] = {}

    @property
    def dialect(self) -> str:
        """Its name."""
        return self._tongue.dialect.name

    def compiled(self, statement: Statement, params: Params) -> Compiled:
        """The statement as it is for parameters of these names, which decide what an INSERT or UPDATE sets."""
        key = (statement, tuple(params))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._compile(statement, list(params))
        return known

    def _compile(self, statement: Statement, names: Sequence[str]) -> Compiled:
        single: Any = statement.of(self.dialect) if isinstance(statement, PerDialect) else statement
        done = single.compile(column_keys=names, **self._options)
        binds = [self._bind(done.binds[name], name in names) for name in done.positiontup or ()]
        columns: Iterable[Any] = getattr(single, "exported_columns", ())
        read = self._tongue.read
        readers = {str(column.key or f"column_{n}"): read(column.type) for n, column in enumerate(columns)}
        return Compiled(done.string, binds, readers)

    def _bind(self, bind: Any, given: bool) -> tuple[str | None, Convert | None, Any]:
        write = self._tongue.write(bind.type)
        null = write(None) if write and isinstance(bind.type, Beginning) else None
        if given:
            return bind.key, write, null
        constant = bind.effective_value
        return None, None, null if constant is None else write(constant) if write else constant
