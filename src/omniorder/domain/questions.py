"""Questions to the customer: what can't be done as it was promised, and what may be done instead.

An order that waits for an answer waits for a limited time, and says beforehand what silence means. So nothing is
decided over the customer's head, and nothing waits for ever.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Final

from attrs import frozen

from omniorder.domain.instants import iso
from omniorder.domain.quantities import Unit, Units
from omniorder.errors import NotFound
from omniorder.reasons.tree import Reason

TRANSFER_LATE: Final = "transfer.late"
"""Goods from another store come too late for the window that was promised."""
TRANSFER_SHORT: Final = "transfer.short"
"""Less came from another store than was to come."""


class Alternative(Enum):
    """What may be done about units that can't be had as promised."""

    LATER = "later"
    """Everything is collected at the same store, in a later window."""
    SENT = "sent"
    """Other stores send the units to this one, and everything is collected in a later window."""
    OTHER_STORE = "other_store"
    """Everything is collected at another store, which has all of it."""
    LESS = "less"
    """The units are called off and not paid; the rest is collected as promised."""
    NOTHING = "nothing"
    """The whole order is called off."""


@frozen
class Option:
    """One thing that the customer may choose, by its `id`, which is unique within its question.

    `store` and `slot` (with its window, in UTC) are where and when everything is collected then; they are None where
    that stays as it is. Nothing is held for an option: that it can still be had is found out when it is chosen.
    """

    id: str
    alternative: Alternative
    store: str | None = None
    slot: str | None = None
    starts: datetime | None = None
    ends: datetime | None = None


@frozen
class MissingUnits:
    """So many units of an article that can't be had as promised: what a question is about, in the customer's words.

    `arrives` (UTC) is when they are expected now, where they come from another store and that is known.
    """

    sku: str
    units: int
    unit: Unit = Unit.PIECE
    arrives: datetime | None = None


@frozen
class Question:
    """What the customer is asked: `about` these units of the order, for this `reason` (a stable code).

    They have `until` to answer (UTC). `silence` is the option that is taken if they don't. `missing` names the articles
    of these units; it is empty in questions that were stored before it was known.
    """

    about: tuple[Units, ...]
    reason: str
    options: tuple[Option, ...]
    silence: str
    until: datetime
    missing: tuple[MissingUnits, ...] = ()

    @property
    def why(self) -> Reason:
        """What is asked and why, as a tree of reasons; each option is one of its remedies.

        Its times are in UTC: say it in the store's `zone`.
        """
        options = [_facts(option) for option in self.options]
        trouble = tuple(_trouble(self.reason, _named(one)) for one in self.missing) or (_trouble(self.reason, {}),)
        silence = Reason(f"silence.{self.option(self.silence).alternative.value}")
        return Reason("question.open", {"until": iso(self.until), "options": options}, (*trouble, silence))

    def option(self, option_id: str) -> Option:
        """The option with this id; raises `NotFound`."""
        for option in self.options:
            if option.id == option_id:
                return option
        raise NotFound("option", option_id)


def _trouble(reason: str, named: dict[str, str | int]) -> Reason:
    """What went wrong with these units. A store's own words are told as they are, also where they look like a code."""
    if reason in (TRANSFER_LATE, TRANSFER_SHORT):
        return Reason(reason, named)
    return Reason("line.rejected", {**named, "reason": reason})


def _named(missing: MissingUnits) -> dict[str, str | int]:
    """The units as facts; that they are weighed is said only where they are."""
    weighed = {"unit": missing.unit.value} if missing.unit is Unit.GRAM else {}
    arrives = {"arrives": iso(missing.arrives)} if missing.arrives else {}
    return {"sku": missing.sku, "units": missing.units, **weighed, **arrives}


def _facts(option: Option) -> dict[str, str]:
    """An option as facts; what stays as it is is left out."""
    known = {
        "option": option.id,
        "alternative": option.alternative.value,
        "store": option.store,
        "slot": option.slot,
        "starts": iso(option.starts) if option.starts else None,
    }
    return {name: value for name, value in known.items() if value is not None}
