"""What becomes of goods that can't be had as promised: the retailer's policy, and the order in which it is tried.

A store rejects lines, a transfer brings less or comes late. The policy lists what may be done then; what is possible
of it is found out by looking at stock and slots, and the first that is possible counts: it is done at once, or, where
the policy wants the customer's consent for it, the customer is asked and may choose any that is possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, cast

from attrs import field, frozen

from omniorder.domain.questions import Alternative, Option
from omniorder.errors import InvalidInput

ALWAYS: Final = frozenset({Alternative.LESS, Alternative.NOTHING})
"""What can be done whatever stock there is, so that silence can mean it."""


def _members(value: object, field: str, rule: str) -> tuple[Alternative, ...]:
    given = value
    if not isinstance(given, Iterable):
        raise InvalidInput(field, value, rule)
    found = tuple(cast("Iterable[object]", given))
    members = tuple(one for one in found if isinstance(one, Alternative))
    if len(members) != len(found):
        raise InvalidInput(field, value, rule)
    return members


def _alternatives(value: Iterable[Alternative]) -> tuple[Alternative, ...]:
    rule = "must be different members of Alternative, at least one"
    members = _members(value, "alternatives", rule)
    if not members or len(set(members)) != len(members):
        raise InvalidInput("alternatives", value, rule)
    return members


def _asked(value: Iterable[Alternative]) -> frozenset[Alternative]:
    return frozenset(_members(value, "ask", "must be members of Alternative"))


def _silence(value: Alternative) -> Alternative:
    if not isinstance(cast("object", value), Alternative) or value not in ALWAYS:
        raise InvalidInput("silence", value, "must be Alternative.LESS or Alternative.NOTHING")
    return value


def _patience(value: timedelta) -> timedelta:
    given = cast("object", value)
    if not isinstance(given, timedelta) or not timedelta(0) < given <= timedelta(days=7):
        raise InvalidInput("patience", given, "must be a timedelta of at most 7 days")
    return given


def _within_km(value: float) -> float:
    given = cast("object", value)
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < 25_000:
        raise InvalidInput("within_km", given, "must be kilometres above 0")
    return float(given)


def _stores(value: int) -> int:
    given = cast("object", value)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 50:
        raise InvalidInput("stores", given, "must be a whole number from 0 to 50")
    return given


@frozen(kw_only=True)
class Rerouting:
    """The policy. Raises `InvalidInput`, naming the field, for what can't be.

    Attributes:
        alternatives: what may be done, what is liked best first; customers may always choose `LESS` and `NOTHING`.
        ask: what needs the customer's consent (but where nothing is left than to call the order off, nobody is asked).
        patience: how long the customer has to answer.
        silence: what is done when they don't: `LESS` or `NOTHING`.
        within_km: how far another store may be from the one that was chosen; stores without a place are left out.
        stores: how many other stores are offered, the nearest first.
    """

    alternatives: tuple[Alternative, ...] = field(
        default=(Alternative.LATER, Alternative.SENT, Alternative.OTHER_STORE, Alternative.LESS),
        converter=_alternatives,
    )
    ask: frozenset[Alternative] = field(default=frozenset(Alternative), converter=_asked)
    patience: timedelta = field(default=timedelta(hours=4), converter=_patience)
    silence: Alternative = field(default=Alternative.LESS, converter=_silence)
    within_km: float = field(default=25.0, converter=_within_km)
    stores: int = field(default=3, converter=_stores)

    def chosen(self, possible: Iterable[Option]) -> tuple[Option, ...]:
        """The options that are possible, the best liked first: what is not in the policy, but always possible, last."""
        order = [*self.alternatives, *sorted(ALWAYS - set(self.alternatives), key=lambda one: one.value)]
        return tuple(sorted((one for one in possible if one.alternative in order),
                            key=lambda one: order.index(one.alternative)))  # fmt: skip
