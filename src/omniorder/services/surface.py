"""What callers hand in is what it says: a typed error at the surface rather than an AttributeError deep inside."""

from __future__ import annotations

from typing import TypeVar

from omniorder.errors import InvalidInput

T = TypeVar("T")


def given(value: object, kind: type[T], field: str, rule: str) -> T:
    """`value`, if it is a `kind`; raises `InvalidInput` naming `field` and `rule` otherwise."""
    if not isinstance(value, kind):
        raise InvalidInput(field, value, rule)
    return value
