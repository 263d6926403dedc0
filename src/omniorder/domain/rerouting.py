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


def _alternatives(value: Iterable[Alternative]) -> tuple[Alternative, ...]:
    found = tuple(cast("Iterable[object]", value))
    if not found or not all(isinstance(one, Alternative) for one in found) or len(set(found)) != len(found):
        raise InvalidInput("alternatives", found, "must be different members of Alternative, at least one")
    return cast("tuple[Alternative, ...]", found)


def _asked(value: Iterable[Alternative]) -> frozenset[Alternative]:
    found = frozenset(cast("Iterable[object]", value))
    if not all(isinstance(one, Alternative) for one in found):
        raise InvalidInput("ask", sorted(map(str, found)), "must be members of Alternative")
    return cast("frozenset[Alternative]", found)


def _silence(value: Alternative) -> Alternative:
    if value not in ALWAYS:
        raise InvalidInput("silence", value, "must be Alternative.LESS or Alternative.NOTHING")
    return value


def _patience(value: timedelta) -> timedelta:
    given = cast("object", value)
    if not isinstance(given, timedelta) or not timedelta(0) < given <= timedelta(days=7):
        raise InvalidInput("patience", given, "must be a timedelta of at most 7 days")
    return given


@frozen(kw_only=True)
class Rerouting:
    """The policy. Raises `InvalidInput`, naming the field, for what can't be.

    Attributes:
        alternatives: what may be done, what is liked best first. `LESS` and `NOTHING` are always possible, and the
            customer may always choose them.
        ask: what needs the customer's consent; everything else is done without asking. Where nothing is left but to
            call the order off, nobody is asked.
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
    within_km: float = 25.0
    stores: int = 3

    def __attrs_post_init__(self) -> None:
        if isinstance(self.within_km, bool) or not 0 < self.within_km < 25_000:
            raise InvalidInput("within_km", self.within_km, "must be kilometres above 0")
        if isinstance(self.stores, bool) or not 0 <= self.stores <= 50:
            raise InvalidInput("stores", self.stores, "must be from 0 to 50")

    def chosen(self, possible: Iterable[Option]) -> tuple[Option, ...]:
        """The options that are possible, the best liked first: what is not in the policy, but always possible, last."""
        order = [*self.alternatives, *sorted(ALWAYS - set(self.alternatives), key=lambda one: one.value)]
        return tuple(sorted((one for one in possible if one.alternative in order),
                            key=lambda one: order.index(one.alternative)))  # fmt: skip
