"""A slip: lines of words and amounts, laid out as text for a receipt printer or as HTML for a page or a mail.

Whoever makes one has chosen the words and written the amounts; here nothing is known of what they mean.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator
from html import escape

from attrs import frozen

from omniorder.errors import InvalidInput

__all__ = ["Figure", "Row", "Section", "Slip", "as_html", "as_text"]

NARROWEST, WIDEST = 24, 200
"""The fewest and the most characters that a line of text may have."""


@frozen
class Figure:
    """An amount or a quantity: as people read it, and (`value`) as programs do."""

    shown: str
    value: str


@frozen
class Row:
    """Something with its figure; `under` it stands what explains it."""

    label: str
    figure: Figure | None = None
    under: tuple[str, ...] = ()


@frozen
class Section:
    """Rows that belong together, and what they add up to. `kind` is a name for style sheets and programs.

    Where it goes without saying (not `headed`) the heading is not printed as text: in HTML it always names the table.
    """

    kind: str
    heading: str
    rows: tuple[Row, ...]
    total: Row | None = None
    headed: bool = True


@frozen
class Slip:
    """All of it: `head` above the `title`, then `facts`. Its words are in `lang` (BCP 47), which runs left to right."""

    lang: str
    title: str
    head: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


# --- text -------------------------------------------------------------------------------------------------


def as_text(slip: Slip, width: int) -> str:
    """Lines of at most `width` columns, what is too long wrapped. Raises `InvalidInput` for fewer than 24 or over 200.

    Letters that are wide in East Asian type count as two columns. Names that run from right to left are in reading
    order: to show them in that direction is the printer's work.
    """
    if type(width) is not int or not NARROWEST <= width <= WIDEST:
        raise InvalidInput("width", width, f"must be columns, from {NARROWEST} to {WIDEST}")
    return "".join(f"{line.rstrip()}\n" for line in _lines(slip, width))


def _lines(slip: Slip, width: int) -> Iterator[str]:
    for text in (*slip.head, slip.title):
        for line in _wrapped(text, width):
            yield " " * ((width - _columns(line)) // 2) + line
    for name, value in slip.facts:
        yield from _side_by_side(name, value, width)
    for section in slip.sections:
        yield "-" * width
        if section.headed:
            yield from _wrapped(section.heading, width)
        for row in section.rows:
            yield from _row_of_text(row, width)
        if section.total:
            yield "-" * width
            yield from _row_of_text(section.total, width)


def _row_of_text(row: Row, width: int) -> Iterator[str]:
    yield from _side_by_side(row.label, row.figure.shown if row.figure else "", width)
    for text in row.under:
        yield from (f"  {line}" for line in _wrapped(text, width - 2))


def _side_by_side(left: str, right: str, width: int) -> Iterator[str]:
    """`left`, and `right` at the end of its last line, or on a line of its own where it doesn't fit."""
    room = width - _columns(right) - 1
    if not right or room < width // 3:
        yield from _wrapped(left, width)
        yield from (" " * (width - _columns(line)) + line for line in _wrapped(right, width))
        return
    *before, last = _wrapped(left, room) or [""]
    yield from before
    yield last + " " * (width - _columns(last) - _columns(right)) + right


def _wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most so many columns."""
    lines: list[str] = []
    for line in textwrap.wrap(text, width):
        while _columns(line) > width:  # wide letters: fewer of them fit
            fits = next(count for count in range(len(line), 0, -1) if _columns(line[:count]) <= width)
            lines.append(line[:fits])
            line = line[fits:]
        lines.append(line)
    return lines


def _columns(text: str) -> int:
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


# --- HTML -------------------------------------------------------------------------------------------------


def as_html(slip: Slip) -> str:
    """An `<article>` to put into a page or a mail: tables with captions and row headings, and nothing that runs.

    Everything is escaped, and each text keeps its own direction whatever stands around it. `<data>` tells programs
    what an amount is.
    """
    return "\n".join(_elements(slip)) + "\n"


def _elements(slip: Slip) -> Iterator[str]:
    yield f'<article class="receipt" lang="{escape(slip.lang)}" dir="ltr">'
    yield "<header>"
    yield from (f"<p>{_isolated(line)}</p>" for line in slip.head)
    yield f"<h2>{escape(slip.title)}</h2>"
    yield "</header>"
    yield "<dl>"
    for name, value in slip.facts:
        yield f"<div><dt>{escape(name)}</dt><dd>{_isolated(value)}</dd></div>"
    yield "</dl>"
    for section in slip.sections:
        yield f'<table class="receipt-{escape(section.kind)}">'
        yield f"<caption>{escape(section.heading)}</caption>"
        yield "<tbody>"
        yield from (_row(row) for row in section.rows)
        yield "</tbody>"
        if section.total:
            yield f"<tfoot>{_row(section.total)}</tfoot>"
        yield "</table>"
    yield "</article>"


def _row(row: Row) -> str:
    under = "".join(f"<br><small>{_isolated(text)}</small>" for text in row.under)
    if row.figure is None:
        return f'<tr><th scope="row" colspan="2">{_isolated(row.label)}{under}</th></tr>'
    figure = f'<data value="{escape(row.figure.value)}">{_isolated(row.figure.shown)}</data>'
    return f'<tr><th scope="row">{_isolated(row.label)}{under}</th><td>{figure}</td></tr>'


def _isolated(text: str) -> str:
    return f"<bdi>{escape(text)}</bdi>"
