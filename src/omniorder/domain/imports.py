"""Imports: what kinds of rows come in, how far an import has come, and which of its rows were refused.

A retailer's system of record sends files. An import of one is remembered under an id: everything up to `offset` has
been decided, in the same transactions that wrote it, so that whoever goes on after a crash begins exactly there.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum

from attrs import field, frozen

from omniorder.domain import ids
from omniorder.domain.quantities import quantity
from omniorder.domain.text import looks_like_card_number
from omniorder.errors import InvalidId, InvalidInput, OmniorderError

__all__ = ["MOST_ON_HAND", "CountedLevel", "Import", "ImportKind", "Refusal", "import_id"]

MOST_ON_HAND = 1_000_000_000_000
"""Units that a store may have of one article: a million tonnes, in grams."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class ImportKind(Enum):
    """What the rows of a file are."""

    STORES = "stores"
    ARTICLES = "articles"
    PRICES = "prices"
    LEVELS = "levels"


def import_id(value: object) -> str:
    """`value` as an import's id: up to 64 ASCII letters, digits and `._:-`. Raises InvalidId."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InvalidId("id", value, "must be 1 to 64 of A-Z a-z 0-9 . _ : -, a letter or digit first")
    return value


@frozen
class Import:
    """How far an import has come: up to byte `offset` and line `line` of its file every row is decided.

    `digest` is the SHA-256 of these bytes in hexadecimal digits, so that a file that was changed meanwhile is noticed;
    `version` counts what was written. `taken` and `refused` are rows.
    """

    id: str
    kind: ImportKind
    version: int
    offset: int
    line: int
    digest: str
    taken: int
    refused: int
    finished: bool
    began_at: datetime
    changed_at: datetime


def _sku(value: str) -> str:
    return ids.sku(value)


def _store(value: str) -> str:
    return ids.store_id(value)


def _on_hand(value: int) -> int:
    return quantity(value, "on_hand", least=0, most=MOST_ON_HAND)


def _safety(value: int | None) -> int | None:
    return None if value is None else quantity(value, "safety", least=0, most=MOST_ON_HAND)


@frozen
class CountedLevel:
    """What a store has of an article, in the article's unit, as the retailer's system of record counts it.

    `safety` is what to keep back for walk-in customers; None leaves that as it is. Raises InvalidId, InvalidQuantity.
    """

    store: str = field(converter=_store)
    sku: str = field(converter=_sku)
    on_hand: int = field(converter=_on_hand)
    safety: int | None = field(default=None, converter=_safety)


@frozen
class Refusal:
    """A row that was not taken: on which line of the file it begins, in which column (empty: the row), and why."""

    line: int
    column: str
    error: OmniorderError

    @property
    def code(self) -> str:
        """The error's, for programs."""
        return self.error.code

    @property
    def message(self) -> str:
        """What is wrong, in one line, without the value."""
        told = str(self.error.facts["rule"]) if isinstance(self.error, InvalidInput) else str(self.error)
        return "not shown, for it may hold a card number" if looks_like_card_number(told) else told

    @property
    def value(self) -> str:
        """What stood there: one line of ASCII, at most 80 characters, and never a card number."""
        told = str(self.error.facts.get("value", self.error.facts.get("id", "")))
        return f"{len(told)} characters" if looks_like_card_number(told) else told
