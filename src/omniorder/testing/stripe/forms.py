"""Forms as Stripe takes them: decoded, and held against the parameter types that stripe-python itself declares.

So what the fake accepts is what the library of this version can send, and a parameter that was renamed or taken away
is refused, as Stripe refuses it. Stricter than those types in one respect: a value beside those that are listed is
allowed by them, for the sake of old libraries, and refused here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, NotRequired, Required, Union, cast, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import stripe

from omniorder.testing.stripe.refusals import Refusal, invalid

__all__ = ["decoded", "fitting"]

_KEY: Final = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_OF_THE_LIBRARY: Final = frozenset(stripe.RequestOptions.__annotations__)
"""Its types of parameters also hold options that never reach Stripe."""


def decoded(form: str) -> dict[str, Any]:
    """A form (`a[b]=1&c[0]=2`) as the nested dictionaries that it stands for; lists are dictionaries by number."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        key = _KEY.fullmatch(name)
        if key is None:
            raise invalid("parameter_unknown", name)
        path = [key[1], *re.findall(r"\[([^\[\]]*)\]", key[2])]
        inner = found
        for step in path[:-1]:
            inner = inner.setdefault(step, {})
            if not isinstance(cast("object", inner), dict):
                raise invalid("parameter_invalid_string", name)
        inner[path[-1]] = value
    return found


def fitting(form: Mapping[str, Any], shape: type) -> dict[str, Any]:
    """The form with its values as what `shape`, a TypedDict of `stripe.params`, says that they are.

    Raises `Refusal` for what is unknown, missing or of another type.
    """
    return _document(form, shape, "")


def _document(form: Mapping[str, Any], shape: type, path: str) -> dict[str, Any]:
    fields, required = _fields(shape)
    for name in form:
        if name not in fields:
            raise invalid("parameter_unknown", _inside(path, name))
    for name in sorted(required - form.keys()):
        raise invalid("parameter_missing", _inside(path, name))
    return {name: _value(value, fields[name], _inside(path, name)) for name, value in form.items()}


@cache
def _fields(shape: type) -> tuple[Mapping[str, Any], frozenset[str]]:
    """What a TypedDict holds, and what of it must be there."""
    declared = {name: kind for name, kind in shape.__annotations__.items() if name not in _OF_THE_LIBRARY}
    # the options name types that exist for type checkers only, so they are left out before names are resolved
    stand_in = type("Fields", (), {"__annotations__": declared})
    kinds = get_type_hints(stand_in, vars(sys.modules[shape.__module__]), include_extras=True)
    required = cast("frozenset[str]", vars(shape)["__required_keys__"]) & declared.keys()
    return {name: _bare(kind) for name, kind in kinds.items()}, frozenset(required)


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) in (NotRequired, Required) else kind


def _value(value: Any, kind: Any, path: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _either(value, get_args(kind), path)
    if origin in (list, dict) or hasattr(kind, "__required_keys__"):
        if not isinstance(value, dict):
            raise invalid("parameter_invalid_empty" if value == "" else "parameter_invalid_object", path)
        return _nested(cast("dict[str, Any]", value), kind, origin, path)
    if not isinstance(value, str):
        raise invalid("parameter_invalid_string", path)
    return _scalar(value, kind, origin, path)


def _nested(value: dict[str, Any], kind: Any, origin: Any, path: str) -> Any:
    if origin is list:
        if list(value) != [str(number) for number in range(len(value))]:
            raise invalid("parameter_invalid_array", path)
        return [_value(one, get_args(kind)[0], _inside(path, name)) for name, one in value.items()]
    if origin is dict:
        return {name: _value(one, get_args(kind)[1], _inside(path, name)) for name, one in value.items()}
    return _document(value, kind, path)


def _scalar(value: str, kind: Any, origin: Any, path: str) -> Any:
    if origin is Literal and value in get_args(kind):
        return value
    if kind is int and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if kind is bool and value in ("true", "false"):
        return value == "true"
    if kind is str:
        return value
    raise invalid("parameter_invalid_integer" if kind is int else "parameter_invalid_string", path)


def _either(value: Any, kinds: tuple[Any, ...], path: str) -> Any:
    """The first of several types that fits; text beside listed texts is only for libraries of another age."""
    listed = any(get_origin(kind) is Literal and get_args(kind) != ("",) for kind in kinds)
    refusal = invalid("parameter_invalid_string", path)
    for kind in kinds:
        if kind is NoneType or (kind is str and listed):
            continue
        try:
            return _value(value, kind, path)
        except Refusal as why:
            refusal = why
    raise refusal


def _inside(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
