"""What a payment provider can do, as data. The planner asks for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import cast

from attrs import field, frozen

from omniorder.errors import InvalidInput

__all__ = ["Capabilities"]


def _nothing() -> Mapping[str, timedelta]:
    return {}


def _lifetimes(value: Mapping[str, timedelta]) -> Mapping[str, timedelta]:
    """A copy that nobody can change."""
    given = cast("object", value)
    rule = "must be durations by kind of card, each longer than nothing"
    if not isinstance(given, Mapping):
        raise InvalidInput("lifetimes", given, rule)
    for kind, lasts in cast("Mapping[object, object]", given).items():
        if not isinstance(kind, str) or not isinstance(lasts, timedelta) or lasts <= timedelta(0):
            raise InvalidInput("lifetimes", {kind: lasts}, rule)
    return MappingProxyType(dict(value))


@frozen
class Capabilities:
    """What a payment provider can do. Raises `InvalidInput` for lifetimes that are none.

    A provider that can't be asked at all, or whose answers people bring (a bank transfer), says in `asks_after` that
    it need not be asked every half minute.

    Attributes:
        partial_capture: a capture may take less than what is set aside.
        several_captures: an authorisation takes more than one capture.
        partial_refund: a refund may give back less than what was captured.
        remembers: how long it knows an idempotency key: afterwards a request is only looked up, never resent.
        void: what is set aside can be given back before it lapses.
        immediate: it can take money at once, without setting it aside first: for deposits.
        lifetimes: how long money stays set aside, by kind of card, "" for all others; without either it has no end.
        extension: it can keep money set aside for longer (`ExtendingGateway`).
        incremental: it can raise what is set aside (`IncrementalGateway`).
        reuse: the same token can be authorised again while the customer is away.
        in_person: it takes cards at the counter (`InPersonGateway`).
        links: without a token, the customer chooses how to pay on their own device, and the authorisation waits.
        wallets: the wallets that it takes, "apple_pay" for example.
        lists: it can list what it has on file (`ListingGateway`).
        by_hand: people bring its answers: nothing is asked of anybody.
        asks_after: how long after an answer that leaves the outcome open to ask again; None: as the settings say.
    """

    partial_capture: bool = True
    several_captures: bool = False
    partial_refund: bool = True
    remembers: timedelta = timedelta(hours=24)
    void: bool = True
    immediate: bool = True
    lifetimes: Mapping[str, timedelta] = field(factory=_nothing, converter=_lifetimes, hash=False)
    extension: bool = False
    incremental: bool = False
    reuse: bool = False
    in_person: bool = False
    links: bool = False
    wallets: frozenset[str] = frozenset()
    lists: bool = False
    asks_after: timedelta | None = None
    by_hand: bool = False

    @property
    def shortest(self) -> timedelta | None:
        """How long money stays set aside at least, whichever card it is; None where it has no end."""
        return min(self.lifetimes.values(), default=None)
