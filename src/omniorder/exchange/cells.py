"""Cells: how text, numbers, instants and lists stand in CSV and JSON, read strictly and written so that they read back.

A spreadsheet runs a text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula. In CSV such a
text gets an apostrophe in front, and so does one that would otherwise be taken for an escaped one; reading takes one
apostrophe away from exactly those. Numbers are written plainly.

A list is one text too, in either format: services are words, and closures are lines, since the reason that ends each
of them may hold any mark but a line break.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from omniorder.domain.instants import instant, iso
from omniorder.domain.store_services import Service
from omniorder.domain.stores import Closure
from omniorder.errors import InvalidInput, InvalidInstant, InvalidQuantity, InvalidText


class Cell(Enum):
    """What may stand in a column; the value says so to a reader."""

    TEXT = "text"
    WHOLE = "whole number"
    DEGREES = "degrees, such as -33.8688"
    INSTANT = "instant with its offset, such as 2026-11-22T08:00:00Z"
    TIME = "time of day, such as 15:30"
    SERVICES = "services, such as pickup curbside"
    CLOSURES = "lines such as 2026-12-31T14:00:00Z/2027-01-02T06:00:00Z stocktake"


_WHOLE: Final = re.compile(r"-?[0-9]{1,19}")
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,400})?")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_RUNS: Final = re.compile(r"'*(?:[=+\-@\t\r]|\Z)")
_ESCAPED: Final = re.compile(r"'+(?:[=+\-@\t\r]|\Z)")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_BETWEEN: Final = re.compile("[ ,]+")
_LINE_END: Final = re.compile("\r?\n")


def cell_of_text(kind: Cell, text: str, name: str) -> Any:
    """What a cell of CSV says, which isn't empty. Raises InvalidInput for what is no such thing."""
    return READERS[kind](text, name)


def cell_of_json(kind: Cell, value: object, name: str) -> Any:
    """What a value of JSON says, which isn't null. Nothing is converted. Raises InvalidInput for another type."""
    match kind, value:
        case (Cell.TEXT, str()):
            return value
        case (Cell.INSTANT | Cell.TIME | Cell.SERVICES | Cell.CLOSURES, str() as text):
            return _WRITTEN[kind](text, name)
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


def words_of(services: Iterable[Service]) -> str:
    """Services as one text, always in the same order."""
    found = set(services)
    return " ".join(one.value for one in Service if one in found)


def lines_of(closures: Iterable[Closure]) -> str:
    """Closures as one text, a line for each."""
    spans = ((f"{iso(one.starts)}/{iso(one.ends)}", one.reason) for one in closures)
    return "\n".join(f"{span} {reason}" if reason else span for span, reason in spans)


def _instant(text: str, name: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise InvalidInstant(name, text, f"must be an {Cell.INSTANT.value}")
    try:
        return instant(datetime.fromisoformat(text), name)
    except ValueError:  # the form is right, but there is no 30 February
        raise InvalidInstant(name, text, "must be a date and time that exist") from None


def _time(text: str, name: str) -> time:
    if not _TIME.fullmatch(text):
        raise InvalidInput(name, text, f"must be a {Cell.TIME.value}")
    return time.fromisoformat(text)


def _services(text: str, name: str) -> frozenset[Service]:
    return frozenset(_service(word, name) for word in _BETWEEN.split(text)) if text else frozenset()


def _service(word: str, name: str) -> Service:
    try:
        return Service(word)
    except ValueError:
        known = ", ".join(one.value for one in Service)
        raise InvalidInput(name, word, f"must be among {known}, with spaces or commas between") from None


def _closures(text: str, name: str) -> tuple[Closure, ...]:
    return tuple(_closure(line, name) for line in _LINE_END.split(text)) if text else ()


def _closure(line: str, name: str) -> Closure:
    span, _, reason = line.partition(" ")
    starts, mark, ends = span.partition("/")
    if not mark:
        raise InvalidInput(name, line, f"must be {Cell.CLOSURES.value}")
    return Closure(_instant(starts, name), _instant(ends, name), reason)


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


_WRITTEN: Final[Mapping[Cell, Callable[[str, str], Any]]] = {
    Cell.INSTANT: _instant,
    Cell.TIME: _time,
    Cell.SERVICES: _services,
    Cell.CLOSURES: _closures,
}
"""What reads that which is text in JSON too, but not just any."""

READERS: Final[Mapping[Cell, Callable[[str, str], Any]]] = {
    **_WRITTEN,
    Cell.TEXT: _text,
    Cell.WHOLE: _whole,
    Cell.DEGREES: _degrees,
    Cell.SERVICES: lambda text, name: _services(_text(text, name), name),  # an apostrophe alone is none
    Cell.CLOSURES: lambda text, name: _closures(_text(text, name), name),
}
"""What reads a cell of CSV; it is given the column's name too, for its error."""
