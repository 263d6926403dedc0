"""Everything that can be tuned, in one frozen class with defaults that suit a grocery chain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final, cast

from attrs import field, fields, frozen

from omniorder.domain.barcodes import SCALES, Label
from omniorder.domain.no_show_policy import NoShowPolicy
from omniorder.domain.passes import SHORTEST_CODE
from omniorder.domain.payments import BankTransfer, PayLink
from omniorder.domain.picking import Pace
from omniorder.domain.quantities import MAX_QUANTITY, quantity
from omniorder.domain.rerouting import Rerouting
from omniorder.domain.returns import ReturnPolicy
from omniorder.domain.terms import RefundRule
from omniorder.errors import InvalidInput
from omniorder.services.surface import given, several


def _nothing() -> Mapping[str, timedelta]:
    return {}


def _by_kind(value: Mapping[str, timedelta]) -> Mapping[str, timedelta]:
    """A copy that nobody can change, of durations by kind of tender."""
    limits = cast("object", value)
    if not isinstance(limits, Mapping):
        raise InvalidInput("pay_within_by_kind", limits, "must be a mapping from kinds of tender to durations")
    for kind, lasts in cast("Mapping[object, object]", limits).items():
        if not isinstance(kind, str) or not kind:
            raise InvalidInput("pay_within_by_kind", kind, "must be the kind of a tender")
        if not isinstance(lasts, timedelta) or lasts < timedelta(0):
            raise InvalidInput("pay_within_by_kind", lasts, f"must be a timedelta for {kind!r}, and not negative")
    return MappingProxyType(dict(value))


@frozen(kw_only=True)
class Settings:
    """Limits and durations of one hub. Raises `InvalidInput`, naming the field, for what can't be.

    Attributes:
        promise_lasts: how long a promise is held unless `promise(lasts=)` says otherwise.
        promise_shortest: the least that `lasts` may be.
        promise_longest: the most that `lasts` may be; a pay link needs hours.
        pay_within: the least time for paying once an order is placed, even if the promise would end sooner.
        pay_within_by_kind: the same by kind of tender; by default 3 days for "bank_transfer", 1 for "pay_link".
        hold_unknown_money: how long goods of an unpaid order wait for money in flight to be undone.
        grace: sweeps act this long after the due time; larger than the clock skew between hosts.
        look_again: how long after an unanswered provider call (or an action of the customer) to ask again.
        outside_margin: how much longer than promise and time to pay a stock system outside is asked to hold the units.
        authorisation_margin: how long before it lapses money set aside is looked after; a quarter of its time at most.
        falls_back_to_counter: money that can't be had otherwise any more is paid in the store, else the order waits.
        raises_authorisations: of what is weighed only the price of what was ordered is set aside, and raised if needed.
        substitute_patience: how long a customer has to say whether they take what the store proposes instead.
        hand_over_patience: how long a hand-over may take before the sweep finishes it for a dead claimant.
        unknown_longest: how long a provider's answer may be missing before `reconcile` and `verify` tell of it.
        transfer_waits: how long goods for another store's shelf may be overdue and unsent until a sweep calls them off.
        lease: how long a sweep worker keeps a timer to itself.
        slot_horizon: how far ahead slots are offered.
        slots_offered: how many free slots an offer shows.
        code_length: digits of the spoken pick-up code (7 are 23 bits; fewer are refused).
        code_tries: wrong codes before a pass or spoken handoff is locked; of gift cards, by one actor on one day.
        accept_signature: a signature and an identity check that passed stand in for a code that can't be shown.
        identify_proxy: whoever collects for the customer needs an identity check that passed.
        handoff_lasts: how long a handoff's token can be used unless `handoffs.offer(lasts=)` says otherwise.
        handoff_longest: the most that `lasts` may be there; a pay link needs hours.
        grant_lasts: how long whoever took a cart over may act.
        max_lines: lines per cart.
        max_quantity: units of one SKU in a cart, all its lines summed, in the article's unit.
        page_limit: the most items a list returns at once.
        idempotency_retention: how long answers to idempotency keys are kept, and handoffs after they ended.
        webhook_retention: how long webhooks are known again, and how long one waits for a payment that isn't there yet.
        wait_for_other: how long a repeated command waits for the same one in flight before `StillRunning`.
        retry_for: how long a transaction is repeated after conflicts before the error is passed on.
        refund_rule: by which of an order's tenders money goes back first, where there are several.
        pace: how long picking takes, and so which orders are at risk of being late.
        scale_labels: how the shop's own scales write weights or prices into barcodes.
        returns: what customers may bring back, and until when.
        rerouting: what becomes of units that can't be had as promised, and what of that the customer is asked.
        no_show: how customers are reminded of ready goods, how long these wait, and what is kept when nobody comes.
    """

    promise_lasts: timedelta = timedelta(minutes=15)
    promise_shortest: timedelta = timedelta(minutes=1)
    promise_longest: timedelta = timedelta(hours=48)
    pay_within: timedelta = timedelta(minutes=10)
    pay_within_by_kind: Mapping[str, timedelta] = field(factory=_nothing, converter=_by_kind, hash=False)
    hold_unknown_money: timedelta = timedelta(minutes=30)
    grace: timedelta = timedelta(seconds=5)
    look_again: timedelta = timedelta(seconds=30)
    outside_margin: timedelta = timedelta(minutes=30)
    authorisation_margin: timedelta = timedelta(hours=24)
    falls_back_to_counter: bool = True
    raises_authorisations: bool = False
    substitute_patience: timedelta = timedelta(minutes=15)
    hand_over_patience: timedelta = timedelta(minutes=2)
    unknown_longest: timedelta = timedelta(days=1)
    transfer_waits: timedelta = timedelta(days=2)
    lease: timedelta = timedelta(minutes=1)
    slot_horizon: timedelta = timedelta(days=7)
    slots_offered: int = 12
    code_length: int = SHORTEST_CODE
    code_tries: int = 5
    accept_signature: bool = False
    identify_proxy: bool = False
    handoff_lasts: timedelta = timedelta(minutes=10)
    handoff_longest: timedelta = timedelta(hours=48)
    grant_lasts: timedelta = timedelta(hours=1)
    max_lines: int = 500
    max_quantity: int = MAX_QUANTITY
    page_limit: int = 100
    idempotency_retention: timedelta = timedelta(days=7)
    webhook_retention: timedelta = timedelta(days=30)
    wait_for_other: timedelta = timedelta(seconds=5)
    retry_for: timedelta = timedelta(seconds=10)
    refund_rule: RefundRule = RefundRule.LAST_IN_FIRST_OUT
    rerouting: Rerouting = field(factory=Rerouting)
    pace: Pace = field(factory=Pace)
    scale_labels: tuple[Label, ...] = SCALES
    returns: ReturnPolicy = field(factory=ReturnPolicy)
    no_show: NoShowPolicy = field(factory=NoShowPolicy)

    def __attrs_post_init__(self) -> None:
        for one in fields(type(self)):
            if one.name == "pay_within_by_kind":
                continue
            value: object = getattr(self, one.name)
            if one.name == "rerouting":
                given(value, Rerouting, one.name, "must be a Rerouting")
            elif one.name == "pace":
                given(value, Pace, one.name, "must be a Pace")
            elif one.name == "scale_labels":
                several(self.scale_labels, Label, one.name, "a list of Label", most=100)
            elif one.name == "returns":
                given(value, ReturnPolicy, one.name, "must be a ReturnPolicy")
            elif one.name == "no_show":
                given(value, NoShowPolicy, one.name, "must be a NoShowPolicy")
            elif isinstance(one.default, bool):
                given(value, bool, one.name, "must be True or False")
            elif one.name == "refund_rule":
                given(value, RefundRule, one.name, "must be a RefundRule")
            elif isinstance(one.default, timedelta):
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

    def time_to_pay(self, kind: str) -> timedelta:
        """The least time for paying with this kind of tender."""
        return self.pay_within_by_kind.get(kind, _LONGER.get(kind, self.pay_within))


_LONGER: Final = {BankTransfer.kind: timedelta(days=3), PayLink.kind: timedelta(days=1)}
"""How long the customer has who pays from somewhere else."""

_SOME: Final = frozenset(
    {"promise_shortest", "substitute_patience", "handoff_lasts", "handoff_longest", "grant_lasts", "lease"}
)
"""Durations that would make dead letters of what they are for, if they were zero."""

_BOUNDS: Final = {"code_length": (SHORTEST_CODE, 20), "page_limit": (1, 1000)}
"""What a number may be, where it is not simply at least 1."""
