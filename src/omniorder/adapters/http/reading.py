"""What a reply may hold: JSON with whole numbers, each name once, about what was asked and nothing else."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, NoReturn, cast

from omniorder.errors import shown

MOST: Final = 2**53
"""The largest number that every JSON library gets right."""

LONGEST: Final = 100_000
"""Entries of a list in a refusal."""


class Unbelievable(Exception):
    """This is no answer of a stock system to what was asked: a proxy's page, say, or half of one."""


def document(content: bytes) -> Mapping[str, Any]:
    """The JSON object in these bytes. Raises `Unbelievable`."""
    try:
        found: object = json.loads(
            content.decode(), object_pairs_hook=_once_each, parse_float=_no_number, parse_constant=_no_number
        )
    except (ValueError, RecursionError) as broken:
        raise Unbelievable("no JSON") from broken
    if not isinstance(found, dict):
        raise Unbelievable("no JSON object")
    return cast("Mapping[str, Any]", found)


def levels(found: Mapping[str, Any], wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """What is available, per (store, SKU): only of those wanted. Raises `Unbelievable`."""
    read: dict[tuple[str, str], int] = {}
    for store, units in _object(found, "available").items():
        for sku, number in _object({store: units}, store).items():
            if (store, sku) not in wanted:
                raise Unbelievable(f"{shown(sku)} at {shown(store)}, which was not asked for")
            read[store, sku] = _count(number)
    return read


def about(found: Mapping[str, Any], reservation: str) -> None:
    """Check that a yes is about this reservation. Raises `Unbelievable`."""
    if found.get("reservation") != reservation:
        raise Unbelievable(f"nothing about {reservation}")


def short(found: Mapping[str, Any], units: Mapping[str, int]) -> list[dict[str, Any]]:
    """The SKUs that are short, as facts. Raises `Unbelievable`, also where there is enough of it."""
    entries: object = found.get("short")
    if not isinstance(entries, list) or not 0 < len(cast("list[object]", entries)) <= LONGEST:
        raise Unbelievable("no list of what is short")
    facts: dict[str, dict[str, Any]] = {}
    for entry in cast("list[object]", entries):
        one = _object({"short": entry}, "short")
        sku: object = one.get("sku")
        if not isinstance(sku, str) or sku not in units:
            raise Unbelievable(f"{shown(sku)}, which was not asked for")
        if sku in facts:
            raise Unbelievable(f"{shown(sku)} twice")
        wanted, available = units[sku], _count(one.get("available"))
        if available >= wanted or _count(one.get("wanted", wanted)) != wanted:
            raise Unbelievable(f"{available} of {shown(sku)}, which is no reason against {wanted}")
        facts[sku] = {"sku": sku, "wanted": wanted, "available": available}
    return [facts[sku] for sku in sorted(facts)]


def state(found: Mapping[str, Any]) -> str:
    """What became of a reservation that is gone, as it may stand in a fact."""
    said: object = found.get("state")
    return said if isinstance(said, str) and said.isascii() and said.isalpha() and len(said) <= 20 else "gone"


def _object(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value: object = found.get(name)
    if not isinstance(value, dict):
        raise Unbelievable(f"no object {shown(name)}")
    return cast("Mapping[str, Any]", value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise Unbelievable(f"{shown(value)} units")
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")
