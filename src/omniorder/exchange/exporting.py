"""Exporting a table into a file that `import_file` reads back to the same: streamed, from one state of the database."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from omniorder.domain.imports import ImportKind
from omniorder.errors import InvalidFile, InvalidInput
from omniorder.exchange.cells import json_of, text_of
from omniorder.exchange.files import Format, delimiter_of, format_of, opened_for_writing
from omniorder.exchange.lines import MOST_BYTES
from omniorder.exchange.shapes import LABEL, SHAPES, Cells, Shape
from omniorder.ports.inspection import Inspection
from omniorder.services.touchpoints import SystemTouchpoint

Target: TypeAlias = str | Path | IO[bytes]

MOST_LABELS: Final = 1_000
"""Columns of labels that a CSV file may have."""

_EVERY: Final = 1_000
_TOO_LONG: Final = f"must have at most {MOST_BYTES} bytes to be imported again: are there closures that are over?"


def export_file(
    office: SystemTouchpoint,
    kind: ImportKind | str,
    target: Target,
    *,
    format: Format | str | None = None,
    delimiter: str = ",",
    on_progress: Callable[[int], object] = lambda _: None,
) -> int:
    """Write all stores, articles, prices or levels into a file, or into a stream of bytes; how many rows.

    A file appears, or is replaced, once it is whole. `on_progress` is told the rows so far, every thousand.

    Raises `InvalidInput` for arguments that make no sense, `InvalidFile`, `Misconfigured`, `StorageFault`.
    """
    try:
        shape = SHAPES[ImportKind(kind)]
        path = Path(target) if isinstance(target, (str, Path)) else None
        chosen = format_of(path) if format is None and path is not None else Format(format)
    except ValueError:
        raise InvalidInput("format", f"{kind}, {format}", "must be a kind of rows, and csv or jsonl") from None
    between = delimiter_of(delimiter)
    place = Path(target) if isinstance(target, (str, Path)) else target
    with office.exports.reading() as view, opened_for_writing(place) as file:
        writer = _csv(view, shape, between) if chosen is Format.CSV else _json(view, shape)
        count = 0
        for count, line in enumerate(writer):
            if len(line) > MOST_BYTES:
                raise InvalidFile("row", line[:40].decode(errors="replace"), _TOO_LONG)
            file.write(line)
            if count % _EVERY == 0:
                on_progress(count)
        return count


def _rows(view: Inspection, shape: Shape) -> Iterator[Cells]:
    found: Iterable[Any]
    match shape.kind:
        case ImportKind.STORES:
            found = view.stores()
        case ImportKind.ARTICLES:
            found = view.articles()
        case ImportKind.PRICES:
            found = view.prices()
        case ImportKind.LEVELS:
            found = view.levels()
    return map(shape.apart, found)


def _csv(view: Inspection, shape: Shape, delimiter: str) -> Iterator[bytes]:
    """The line of columns, and a line for each row."""
    names = [column.name for column in shape.columns]
    if shape.labelled:
        names += _labels(view, shape)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names)
    yield _taken(buffer)
    for cells in _rows(view, shape):
        writer.writerow([text_of(cells.get(name)) for name in names])
        yield _taken(buffer)


def _labels(view: Inspection, shape: Shape) -> list[str]:
    """The columns of all labels: known only once all rows were read."""
    found: set[str] = set()
    for cells in _rows(view, shape):
        found.update(name for name in cells if name.startswith(LABEL))
        if len(found) > MOST_LABELS:
            raise InvalidFile("columns", len(found), f"must be at most {MOST_LABELS} for labels: choose jsonl")
    return sorted(found)


def _taken(buffer: io.StringIO) -> bytes:
    written = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return written


def _json(view: Inspection, shape: Shape) -> Iterator[bytes]:
    """An empty beginning, which is where CSV has its columns, and a line for each row."""
    yield b""
    for cells in _rows(view, shape):
        told = {name: json_of(value) for name, value in cells.items() if value is not None}
        yield json.dumps(told, ensure_ascii=False).encode() + b"\n"
