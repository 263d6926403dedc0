"""Everything that can be tuned, in one frozen class with defaults that suit a grocery chain."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from attrs import fields, frozen

from omniorder.domain.passes import SHORTEST_CODE
from omniorder.domain.quantities import MAX_QUANTITY, quantity
from omniorder.errors import InvalidInput
from omniorder.services.surface import given


@frozen(kw_only=True)
class Settings:
    """Limits and durations of one hub. Raises `InvalidInput`, naming the field, for what can't be.

    Attributes:
        promise_lasts: how long a promise is held unless `promise(lasts=)` says otherwise.
        promise_shortest: the least that `lasts` may be.
        promise_longest: the most that `lasts` may be; a pay link needs hours.
        pay_within: the least time for paying once an order is placed, even if the promise would end sooner.
        hold_unknown_money: how long goods of an unpaid order wait for money in flight to be undone.
        grace: sweeps act this long after the due time; larger than the clock skew between hosts.
        look_again: how long after an unanswered provider call (or an action of the customer) to ask again.
        outside_margin: how much longer than promise and time to pay a stock system outside is asked to hold the units.
        hand_over_patience: how long a hand-over may take before the sweep finishes it for a dead claimant.
        lease: how long a sweep worker keeps a timer to itself.
        slot_horizon: how far ahead slots are offered.
        slots_offered: how many free slots an offer shows.
        code_length: digits of the spoken pick-up code (7 are 23 bits; fewer are refused).
        code_tries: wrong codes before the code is locked, a handoff's spoken code too.
        handoff_lasts: how long a handoff's token can be used unless `handoffs.offer(lasts=)` says otherwise.
        handoff_longest: the most that `lasts` may be there; a pay link needs hours.
        grant_lasts: how long whoever took a cart over may act.
        max_lines: lines per cart.
        max_quantity: units of one SKU in a cart, all its lines summed, in the article's unit.
        page_limit: the most items a list returns at once.
        idempotency_retention: how long answers to idempotency keys are kept, and handoffs after they ended.
        wait_for_other: how long a repeated command waits for the same one in flight before `StillRunning`.
        retry_for: how long a transaction is repeated after conflicts before the error is passed on.
    """

    promise_lasts: timedelta = timedelta(minutes=15)
    promise_shortest: timedelta = timedelta(minutes=1)
    promise_longest: timedelta = timedelta(hours=48)
    pay_within: timedelta = timedelta(minutes=10)
    hold_unknown_money: timedelta = timedelta(minutes=30)
    grace: timedelta = timedelta(seconds=5)
    look_again: timedelta = timedelta(seconds=30)
    outside_margin: timedelta = timedelta(minutes=30)
    hand_over_patience: timedelta = timedelta(minutes=2)
    lease: timedelta = timedelta(minutes=1)
    slot_horizon: timedelta = timedelta(days=7)
    slots_offered: int = 12
    code_length: int = SHORTEST_CODE
    code_tries: int = 5
    handoff_lasts: timedelta = timedelta(minutes=10)
    handoff_longest: timedelta = timedelta(hours=48)
    grant_lasts: timedelta = timedelta(hours=1)
    max_lines: int = 500
    max_quantity: int = MAX_QUANTITY
    page_limit: int = 100
    idempotency_retention: timedelta = timedelta(days=7)
    wait_for_other: timedelta = timedelta(seconds=5)
    retry_for: timedelta = timedelta(seconds=10)

    def __attrs_post_init__(self) -> None:
        for one in fields(type(self)):
            value: object = getattr(self, one.name)
            if isinstance(one.default, timedelta):
                lasts = given(value, timedelta, one.name, "must be a timedelta")
                if lasts < timedelta(0) or (one.name in _SOME and not lasts):
                    raise InvalidInput(one.name, value, "must not be negative, or nothing where it is a time to act")
            else:
                least, most = _BOUNDS.get(one.name, (1, MAX_QUANTITY))
                quantity(value, one.name, least=least, most=most)
        if not self.promise_shortest <= self.promise_lasts <= self.promise_longest:
            rule = f"must be between {self.promise_shortest} and {self.promise_longest}"
            raise InvalidInput("promise_lasts", self.promise_lasts, rule)
        if self.handoff_lasts > self.handoff_longest:
            raise InvalidInput("handoff_lasts", self.handoff_lasts, f"must be at most {self.handoff_longest}")


_SOME: Final = frozenset({"promise_shortest", "handoff_lasts", "handoff_longest", "grant_lasts", "lease"})
"""Durations that would make dead letters of what they are for, if they were zero."""

_BOUNDS: Final = {"code_length": (SHORTEST_CODE, 20), "page_limit": (1, 1000)}
"""What a number may be, where it is not simply at least 1."""
