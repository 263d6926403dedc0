"""Cells: how text, numbers and instants stand in CSV and JSON, read strictly and written so that they read back.

A spreadsheet runs a text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula. In CSV such a
text gets an apostrophe in front, and so does one that would otherwise be taken for an escaped one; reading takes one
apostrophe away from exactly those. Numbers are written plainly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from omniorder.domain.instants import instant, iso
from omniorder.errors import InvalidInput, InvalidInstant, InvalidQuantity, InvalidText


class Cell(Enum):
    """What may stand in a column; the value says so to a reader."""

    TEXT = "text"
    WHOLE = "whole number"
    DEGREES = "degrees, such as -33.8688"
    INSTANT = "instant with its offset, such as 2026-11-22T08:00:00Z"


_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,400})?")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_RUNS: Final = re.compile(r"'*(?:[=+\-@\t\r]|\Z)")
_ESCAPED: Final = re.compile(r"'+(?:[=+\-@\t\r]|\Z)")


def cell_of_text(kind: Cell, text: str, name: str) -> Any:
    """What a cell of CSV says, which isn't empty. Raises InvalidInput for what is no such thing."""
    return READERS[kind](text, name)


def cell_of_json(kind: Cell, value: object, name: str) -> Any:
    """What a value of JSON says, which isn't null. Nothing is converted. Raises InvalidInput for another type."""
    match kind, value:
        case (Cell.TEXT, str()):
            return value
        case (Cell.INSTANT, str() as text):
            return _instant(text, name)
        case (Cell.WHOLE, int()) if not isinstance(value, bool):
            return value
        case (Cell.DEGREES, int() | float()) if not isinstance(value, bool):
            return value
        case (Cell.WHOLE, _):
            raise InvalidQuantity(name, value, "must be a whole number")
        case (Cell.DEGREES, _):
            raise InvalidInput(name, value, "must be a number")
        case _:
            raise InvalidText(name, value, "must be text")


def text_of(value: Any) -> str:
    """A value as a cell of CSV; None is an empty one, and an empty text that is not None a single apostrophe."""
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if _RUNS.match(value) else value
        case float():
            return f"{Decimal(repr(value)):f}"
        case datetime():
            return iso(value)
        case _:
            return str(value)


def json_of(value: Any) -> Any:
    """A value as JSON."""
    return iso(value) if isinstance(value, datetime) else value


def _instant(text: str, name: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise InvalidInstant(name, text, f"must be an {Cell.INSTANT.value}")
    try:
        return instant(datetime.fromisoformat(text), name)
    except ValueError:  # the form is right, but there is no 30 February
        raise InvalidInstant(name, text, "must be a date and time that exist") from None


def _text(text: str, name: str) -> str:
    return text[1:] if text[0] == "'" and _ESCAPED.match(text) else text


def _whole(text: str, name: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise InvalidQuantity(name, text, "must be a whole number in digits 0-9")
    return int(text)


def _degrees(text: str, name: str) -> float:
    if not _DEGREES.fullmatch(text):
        raise InvalidInput(name, text, "must be degrees in digits 0-9 and a full stop")
    return float(text)


READERS: Final[Mapping[Cell, Callable[[str, str], Any]]] = {
    Cell.TEXT: _text,
    Cell.WHOLE: _whole,
    Cell.DEGREES: _degrees,
    Cell.INSTANT: _instant,
}
"""What reads a cell of CSV; it is given the column's name too, for its error."""
