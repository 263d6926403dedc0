"""The steps of a plan for an order's money: what will be done, when at the earliest, and why.

`reason` is a stable code, listed in `REASONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from attrs import frozen

from omniorder.domain.money import Money

__all__ = [
    "REASONS",
    "AuthoriseNow",
    "CaptureAtHandOver",
    "CaptureEarly",
    "Extend",
    "GiveBack",
    "Increase",
    "Lapse",
    "PayAtCounter",
    "Reauthorise",
    "Step",
    "TakeNow",
]

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tendered": "the customer chose to pay like this",
        "deposit": "the customer pays this part at once",
        "leaves": "each part is taken when it leaves the store",
        "leaves_whole": "the provider captures once: with the first part, everything that is still ready is taken",
        "leaves_only": "the provider captures once and refunds no parts: the first part is taken, the rest is paid at "
        "the counter",
        "captures_whole": "the provider captures no parts: all that is set aside is taken, and too much of it refunded",
        "ready": "the goods are ready, and what is set aside ends before their time to be collected does",
        "ends_early": "what is set aside ends before the order does",
        "heavier": "the goods are worth more than what is set aside",
        "authorisation_expired": "what was set aside has ended",
        "not_wanted": "more is set aside than the goods will cost",
        "undone": "the order is being undone",
        "excess": "more was taken than the goods cost",
    }
)
"""Why a step is taken, by code."""


@frozen
class Step:
    """Something that will be done at `at` or later: now, when it is in the past; None: when the customer comes."""

    at: datetime | None
    reason: str


@frozen
class AuthoriseNow(Step):
    """Set `amount` aside on this payment."""

    payment: str
    amount: Money


@frozen
class TakeNow(Step):
    """Take `amount` at once: a deposit."""

    payment: str
    amount: Money


@frozen
class CaptureAtHandOver(Step):
    """Take what the goods that leave cost from this payment, `most` at the most."""

    payment: str
    most: Money


@frozen
class CaptureEarly(Step):
    """Take `amount` before the customer has come, since it can't be had later. Who never comes gets it back."""

    payment: str
    amount: Money


@frozen
class Increase(Step):
    """Raise what is set aside to `to`, all in all."""

    payment: str
    to: Money


@frozen
class Extend(Step):
    """Have what is set aside kept for longer."""

    payment: str


@frozen
class Reauthorise(Step):
    """Set `amount` aside anew on the same token, as another payment; this one is voided once that is there."""

    payment: str
    amount: Money


@frozen
class Lapse(Step):
    """Count on this authorisation no longer. What is missing then is had by another step."""

    payment: str


@frozen
class PayAtCounter(Step):
    """Have the customer pay `amount` when they come."""

    amount: Money


@frozen
class GiveBack(Step):
    """Give `amount` of this payment back to the customer."""

    payment: str
    amount: Money
