"""Text from people and programs: what may be stored, shown and logged.

PostgreSQL refuses a NUL that SQLite stores; a lone surrogate fails only when it is encoded; a bidi override
shows another name than the one that is compared; a line break forges a log line. All of these are refused
here, once, so that every adapter gets the same text. What remains is NFC, so that equal names are equal.

Nobody needs a card number in a note, and whoever keeps one is in the scope of PCI DSS. So notes and metadata
are searched for one, and errors about them show a length instead of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from attrs import frozen

from omniorder.errors import CardNumberRefused, InvalidInput, InvalidKey, InvalidText, TooMany

__all__ = [
    "MAX_NOTE",
    "Metadata",
    "hidden_line",
    "key",
    "line",
    "looks_like_card_number",
    "metadata",
    "note",
    "words",
]

MAX_NOTE = 500
"""The length of a note and of a metadata value, in characters."""

_MAX_KEYS = 20
_KEY = re.compile(r"[ -~]{1,255}")
_WORD = re.compile(r"[a-z][a-z0-9-]{0,39}")
_METADATA_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Embeddings, overrides and isolates reorder what stands between them. The plain marks (U+200E, U+200F) stay
# allowed: Hebrew and Arabic text needs them for its punctuation, and they can't reverse a letter.
_BIDI = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_CARD_LENGTHS = range(13, 20)


def line(value: object, field: str, *, most: int = 200, least: int = 1) -> str:
    """`value` as one line of text: NFC, without surrounding spaces, `least` to `most` characters long.

    Raises InvalidText: not a string, too short or too long, or with a control character, line break, lone
    surrogate or bidi control.
    """
    return _clean(value, field, least=least, most=most, breaks="", show=True)


def note(value: object, field: str = "note") -> str:
    """`value` as free text of at most `MAX_NOTE` characters, where line breaks and tabs are allowed.

    Raises InvalidText as `line` does, and CardNumberRefused when there is a card number in it.
    """
    cleaned = _clean(value, field, least=0, most=MAX_NOTE, breaks="\n\r\t", show=False)
    return _without_card_number(cleaned, field)


def words(value: object, field: str) -> tuple[str, ...]:
    """`value` as a set of words such as "tree-nuts", sorted. Raises InvalidInput."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidInput(field, value, "must be a set of words")
    found = frozenset(cast("Iterable[object]", value))
    for one in found:
        if not isinstance(one, str) or not _WORD.fullmatch(one):
            raise InvalidInput(field, one, "must be words of a-z 0-9 - that begin with a letter")
    return tuple(sorted(cast("frozenset[str]", found)))


def hidden_line(value: object, field: str, *, most: int, least: int = 1) -> str:
    """`value` as `line` makes it, for what people say of themselves: an error never shows it.

    Raises InvalidText as `line` does, and CardNumberRefused when there is a card number in it.
    """
    return _without_card_number(_clean(value, field, least=least, most=most, breaks="", show=False), field)


def key(value: object) -> str:
    """`value` as an idempotency key: 1 to 255 printable ASCII characters, kept exactly as they are.

    Raises InvalidKey.
    """
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise InvalidKey("key", value, "must be 1 to 255 printable ASCII characters")
    return value


@frozen(eq=False, repr=False)
class Metadata(Mapping[str, str]):
    """A caller's own labels, in the order of their keys: a mapping that can't change and that has a hash.

    It equals a dict with the same items. Made and checked by `metadata`.
    """

    _items: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, key: str) -> str:
        for name, value in self._items:
            if name == key:
                return value
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return repr(dict(self._items))


def reason(value: object, field: str = "reason", *, least: int = 1) -> str:
    """A short reason that staff or customers give, on one line, kept in the journal: so no card number may be in it.

    Raises InvalidText or CardNumberRefused.
    """
    text = line(value, field, most=100, least=least)
    if looks_like_card_number(text):
        raise CardNumberRefused(field, "(hidden)", "must not contain a card number")
    return text


def metadata(value: object) -> Metadata:
    """`value` as Metadata: at most 20 keys like `loyalty.tier`, each with up to 500 characters of text.

    Raises InvalidText (also for a key of another form), CardNumberRefused, and TooMany for more keys.
    """
    if isinstance(value, Metadata):
        return value  # checked when it was made
    if not isinstance(value, Mapping):
        raise InvalidText("metadata", type(value).__name__, "must be a mapping of text to text")
    given = cast("Mapping[object, object]", value)
    if len(given) > _MAX_KEYS:
        raise TooMany("metadata", len(given), f"must have at most {_MAX_KEYS} keys")
    items: list[tuple[str, str]] = []
    for name, content in given.items():
        if not isinstance(name, str) or not _METADATA_KEY.fullmatch(name):
            shown = _length(name) if isinstance(name, str) else type(name).__name__
            raise InvalidText("metadata", shown, "a key must match [a-z][a-z0-9_.-]{0,39}")
        _without_card_number(name, "metadata")
        field = f"metadata.{name}"
        cleaned = _clean(content, field, least=0, most=MAX_NOTE, breaks="", show=False)
        items.append((name, _without_card_number(cleaned, field)))
    return Metadata(tuple(sorted(items)))


def looks_like_card_number(text: str) -> bool:
    """Whether 13 to 19 digits that pass the Luhn check stand in `text`, in one piece or in groups.

    Groups are divided by spaces, line breaks or dashes of any kind; digits of every script count. A number
    is always made of whole groups: sixteen digits inside a tracking number of thirty are none.
    Source: ISO/IEC 7812-1, annex B.
    """
    if sum(map(str.isdigit, text)) < _CARD_LENGTHS.start:
        return False
    groups: list[str] = []
    digits = ""
    for character in text:
        digit = unicodedata.digit(character, None)
        category = unicodedata.category(character)
        if digit is not None:
            digits += str(digit)
        elif category == "Cf":
            continue  # a zero-width character between two digits is not seen by the reader
        elif category in ("Zs", "Zl", "Zp", "Pd") or character in "\n\r\t\u2212":
            if digits:
                groups.append(digits)
            digits = ""
        else:
            if _holds_card_number([*groups, digits]):
                return True
            groups, digits = [], ""
    return _holds_card_number([*groups, digits])


def _holds_card_number(groups: list[str]) -> bool:
    for first in range(len(groups)):
        number = ""
        for group in groups[first:]:
            number += group
            if len(number) >= _CARD_LENGTHS.stop:
                break
            if len(number) in _CARD_LENGTHS and _passes_luhn(number):
                return True
    return False


def _passes_luhn(number: str) -> bool:
    checksum = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        checksum += value
    return checksum % 10 == 0


def _without_card_number(text: str, field: str) -> str:
    if looks_like_card_number(text):
        raise CardNumberRefused(field, _length(text), "must not contain a card number")
    return text


def _clean(value: object, field: str, *, least: int, most: int, breaks: str, show: bool) -> str:
    if not isinstance(value, str):
        raise InvalidText(field, value if show else type(value).__name__, "must be text")
    # NFC makes at most one character of four, so far longer text is refused before any work is done on it.
    if len(value) > 4 * most:
        raise InvalidText(field, _length(value), f"must have {least} to {most} characters")
    shown = value if show and not looks_like_card_number(value) else _length(value)
    for character in value:
        if character in _BIDI or (unicodedata.category(character) in _CONTROL and character not in breaks):
            rule = f"must not contain U+{ord(character):04X}"
            raise InvalidText(field, shown, rule)
    cleaned = unicodedata.normalize("NFC", value).strip()
    if not least <= len(cleaned) <= most:
        raise InvalidText(field, shown, f"must have {least} to {most} characters")
    return cleaned


def _length(text: str) -> str:
    return f"{len(text)} characters"
