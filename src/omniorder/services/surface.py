"""What callers hand in is what it says: a typed error at the surface rather than an AttributeError deep inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from omniorder.errors import InvalidInput, TooMany

T = TypeVar("T")


def given(value: object, kind: type[T] | tuple[type[T], ...], field: str, rule: str) -> T:
    """`value`, if it is a `kind`; raises `InvalidInput` naming `field` and `rule` otherwise."""
    if not isinstance(value, kind):
        raise InvalidInput(field, value, rule)
    return value


def does(value: object, port: type[Any], field: str) -> None:
    """Raises `InvalidInput` unless `value` has every method of the protocol `port`, of whichever class it is.

    Properties are not looked at: reading one may be work.
    """
    methods = [name for name, member in vars(port).items() if callable(member) and not name.startswith("_")]
    if missing := [name for name in methods if not callable(getattr(value, name, None))]:
        raise InvalidInput(field, value, f"must be a {port.__name__}: it has no method {missing[0]}")


def several(values: object, kind: type[T] | tuple[type[T], ...], field: str, rule: str, *, most: int) -> tuple[T, ...]:
    """`values`, if they are a list of at most `most` of a `kind`; raises `InvalidInput` and `TooMany`."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Sequence):
        raise InvalidInput(field, values, rule)
    found = cast("Sequence[object]", values)
    if len(found) > most:
        raise TooMany(field, len(found), f"at most {most} in one call")
    return tuple(given(value, kind, field, rule) for value in found)
