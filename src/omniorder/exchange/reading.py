"""Rows of CSV and JSON Lines: numbered cells by column name, or what is wrong with the row.

Every row that can't be read is answered for by itself, and the rows after it are read on. Only a CSV file whose first
line isn't the columns is refused as a whole.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from attrs import frozen

from omniorder.domain.imports import Refusal
from omniorder.errors import InvalidFile, InvalidInput, InvalidRow
from omniorder.exchange.cells import READERS, cell_of_json
from omniorder.exchange.lines import Lines
from omniorder.exchange.shapes import Column, Shape


@frozen
class Raw:
    """What stands in a row, by column, read but not judged; `line` is where it begins."""

    line: int
    values: Mapping[str, Any]


Read: TypeAlias = Raw | Refusal

# --- CSV --------------------------------------------------------------------------------------------------


def csv_rows(lines: Lines, shape: Shape, delimiter: str = ",") -> Iterator[Read]:
    """The rows below the first, which names the columns. Empty lines are no rows.

    Raises InvalidFile for columns that are missing, unknown or named twice.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    columns = [(column.name, READERS[column.kind]) for column in _columns(lines, reader, shape)]
    while True:
        line = lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Refusal(line, "", lines.fault or InvalidRow("", "", f"must be CSV: {error}"))
            continue
        except InvalidRow as error:
            yield Refusal(line, "", error)
            continue
        if lines.fault is not None:
            yield Refusal(line, "", lines.fault)
        elif len(cells) == len(columns):
            yield _row(line, columns, cells)
        elif cells:
            rule = f"must have {len(columns)} cells, as the first line has"
            yield Refusal(line, "", InvalidRow("", f"{len(cells)} cells", rule))


def _columns(lines: Lines, reader: Iterator[list[str]], shape: Shape) -> tuple[Column, ...]:
    lines.begin_row()
    try:
        names = next(reader, list[str]())
    except (csv.Error, InvalidRow) as error:
        raise InvalidFile("columns", "", f"must be the first line: {error}") from error
    if lines.fault is not None:
        raise InvalidFile("encoding", lines.fault.facts["value"], str(lines.fault.facts["rule"]))
    return shape.columns_named(names)


def _row(line: int, readers: Sequence[tuple[str, Callable[[str, str], Any]]], cells: Sequence[str]) -> Read:
    values: dict[str, Any] = {}
    name = ""
    try:
        for (name, read), cell in zip(readers, cells, strict=True):
            if cell:
                values[name] = read(cell, name)
    except InvalidInput as error:
        return Refusal(line, name, error)
    return Raw(line, values)


# --- JSON Lines -------------------------------------------------------------------------------------------


def json_rows(lines: Lines, shape: Shape) -> Iterator[Read]:
    """One object per line, its keys the columns; null is as if it weren't there. Empty lines are no rows."""
    while True:
        line = lines.begin_row()
        try:
            text = next(lines)
        except StopIteration:
            return
        except InvalidRow as error:
            yield Refusal(line, "", error)
            continue
        if lines.fault is not None:
            yield Refusal(line, "", lines.fault)
        elif not text.isspace():
            yield _object(line, shape, text)


def _object(line: int, shape: Shape, text: str) -> Read:
    try:
        found: object = _DECODER.decode(text.strip(_SPACES))
    except InvalidRow as error:
        return Refusal(line, "", error)
    except RecursionError:
        return Refusal(line, "", InvalidRow("", text[:40], "must be one flat JSON object, not one in another"))
    except ValueError as error:  # no JSON, or a number with more digits than Python reads
        return Refusal(line, "", InvalidRow("", text[:40], f"must be one JSON object: {error}"))
    if not isinstance(found, dict):
        return Refusal(line, "", InvalidRow("", text[:40], "must be one JSON object"))
    values: dict[str, Any] = {}
    for name, cell in cast("dict[str, object]", found).items():
        column = shape.column(name)
        if column is None:
            return Refusal(line, "", InvalidRow("", name, "must have no other keys than the columns"))
        if cell is not None:
            try:
                values[name] = cell_of_json(column.kind, cell, name)
            except InvalidInput as error:
                return Refusal(line, name, error)
    return Raw(line, values)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidRow("", twice, "must have each key once")
    return found


def _no_number(name: str) -> Any:
    raise InvalidRow("", name, "must be one JSON object, which has no such number")


_SPACES: Final = " \t\r\n"
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
