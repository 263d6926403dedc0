"""Telling reasons to people: `say`, for callers whose arguments nobody has looked at yet."""

from __future__ import annotations

from datetime import tzinfo
from typing import cast

from omniorder.errors import InvalidInput
from omniorder.reasons import saying
from omniorder.reasons.tree import Reason

__all__ = ["say"]


def say(reason: Reason, language: str = "en", *, zone: tzinfo | None = None) -> str:
    """The whole tree in one line of text for people, such as customers and staff.

    `language` is a BCP 47 tag as carts and orders have it (`sv`, `sv-SE`); English is spoken for the empty tag and for
    languages that we don't speak. Times are told in `zone`, or else with the offset that the facts give them: those of
    offers and slots are in the store's own. Never raises for what stands in the facts, and is the same every time.

    Raises `InvalidInput` for what is no Reason, no text and no time zone.
    """
    if not isinstance(cast("object", reason), Reason):
        raise InvalidInput("reason", reason, "must be a Reason")
    if not isinstance(cast("object", language), str):
        raise InvalidInput("language", language, "must be text, such as sv or sv-SE")
    if not (zone is None or isinstance(cast("object", zone), tzinfo)):
        raise InvalidInput("zone", zone, "must be a time zone, such as ZoneInfo('Europe/Sofia')")
    return saying.say(reason, language, zone=zone)
