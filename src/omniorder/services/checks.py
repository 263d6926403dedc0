"""The checks of a person at the counter, as an associate tells them."""

from __future__ import annotations

from omniorder.domain.proofs import Check
from omniorder.errors import InvalidInput
from omniorder.services.surface import several

_MOST = 10


def checks_made(checks: object) -> tuple[Check, ...]:
    """At most one check of each kind; raises `InvalidInput`, `TooMany`."""
    looked = several(checks, Check, "checks", "a list of Check", most=_MOST)
    if len({check.kind for check in looked}) < len(looked):
        raise InvalidInput("checks", checks, "one check of each kind")
    return looked
