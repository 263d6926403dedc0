"""What a case of bad input is, and how it is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from attrs import field, frozen

from omniorder.errors import OmniorderError, shown
from tests.bad_input.conftest import World


@frozen
class Case:
    """`call` must raise exactly `error`, with these facts. `name` is the test's id."""

    name: str
    call: Callable[[World], object]
    error: type[OmniorderError]
    facts: Mapping[str, Any] = field(factory=dict)


def each(
    what: str,
    call: Callable[[World, Any], object],
    values: Mapping[str, object] | Iterable[object],
    error: type[OmniorderError],
    **facts: Any,
) -> list[Case]:
    """A case per value; the error must show the value unless `facts` says otherwise."""
    named = values if isinstance(values, Mapping) else {shown(value): value for value in values}
    return [
        Case(f"{what}: {name}", given(call, value), error, {"value": shown(value), **facts})
        for name, value in named.items()
    ]


def given(call: Callable[[World, Any], object], value: object) -> Callable[[World], object]:
    """The call with this value, to be made in any world."""
    return lambda world: call(world, value)


def parametrised(*groups: Iterable[Case]) -> pytest.MarkDecorator:
    """The cases of all groups, each under its name."""
    cases = [case for group in groups for case in group]
    return pytest.mark.parametrize("case", [pytest.param(case, id=_ascii(case.name)) for case in cases])


def _ascii(name: str) -> str:
    return name.encode("unicode_escape").decode()


def judge(world: World, case: Case) -> None:
    """Assert that the case is refused as it must be, and that nothing is different afterwards."""
    before = world.state()
    with pytest.raises(OmniorderError) as raised:
        case.call(world)
    error = raised.value
    assert type(error) is case.error
    assert {name: error.facts.get(name) for name in case.facts} == dict(case.facts)
    assert error.code == case.error.code
    assert json.loads(json.dumps(error.problem(), allow_nan=False))["status"] in range(400, 500)
    assert not error.retry
    assert str(error).isascii()
    assert str(error).isprintable()
    assert world.state() == before
