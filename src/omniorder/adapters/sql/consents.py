"""Consents to substitutes beside the lines that they are about; a line that allows none has none."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from omniorder import wire
from omniorder.domain.consents import REFUSED, Consent

_EXCLUDED = "without_allergens"
"""What the wire leaves out, since no journal and no promise is to have it: it is kept with the line only."""


def consent_row(consent: Consent) -> Any:
    """The consent as it is stored."""
    return None if consent == REFUSED else {**wire.dump(consent), _EXCLUDED: list(consent.without_allergens)}


def consent_from(found: Any) -> Consent:
    """The consent that is stored."""
    if found is None:
        return REFUSED
    return evolve(wire.load(Consent, found), without_allergens=found[_EXCLUDED])
