"""Policies for what can't be had as promised that no retailer could follow."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

from omniorder import Alternative, Rerouting
from omniorder.errors import InvalidInput
from tests.bad_input.cases import Case, each, judge, parametrised
from tests.bad_input.conftest import World


def _bad(name: str, *values: object) -> list[Case]:
    def call(world: World, value: Any) -> object:
        return Rerouting(**{name: value})

    return each(name, call, values, InvalidInput, field=name)


POLICIES = parametrised(
    _bad(
        "alternatives", None, 5, "later", ["later"], [], [[]], Alternative.LATER, [Alternative.LESS, Alternative.LESS]
    ),
    _bad("ask", None, 5, "later", ["later"], [[]], Alternative.LATER),
    _bad("patience", None, 4, "4 h", timedelta(0), timedelta(days=-1), timedelta(days=7, seconds=1)),
    _bad("silence", None, [], "less", Alternative.LATER),
    _bad("within_km", None, "5", True, 0, -1, math.nan, math.inf, 25_000, 10**400, Decimal(5), []),
    _bad("stores", None, "3", True, 1.5, 3.0, -1, 51, math.nan, []),
)


@POLICIES
def test_a_policy_is_one_that_can_be_followed(world: World, case: Case) -> None:
    judge(world, case)
