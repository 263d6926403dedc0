"""Telling the hub what was handed over without a network: each hand-over by itself, as often as need be.

The same claim, capture and consumption as of any hand-over (`handing_over`), but that the goods are gone: a card that
is refused leaves them on the order's account rather than on the shelf.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from omniorder import offline
from omniorder.domain import capturing, ids, pickups, visits
from omniorder.domain import events as e
from omniorder.domain.actors import Associate
from omniorder.domain.capturing import Taken
from omniorder.domain.counter import checks_needed, not_passed
from omniorder.domain.events import Stamp, Units
from omniorder.domain.instants import instant
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.offline_hand_overs import Synced, SyncOutcome, is_settled, told_before, why_not
from omniorder.domain.orders import Order, told
from omniorder.domain.proofs import Check, Proof, Shown
from omniorder.domain.receipts import Receipt
from omniorder.domain.signed_passes import SKEW, Holder, PassFlaw, SignedPass, refused
from omniorder.errors import InvalidInstant, InvalidQuantity, NotFound, NotPaid, PassRefused, StillRunning
from omniorder.services import handing_over, payments
from omniorder.services.checks import checks_made
from omniorder.services.parts import Parts, Touch
from omniorder.services.picks import MOST_LINES, Pick, units_of
from omniorder.services.ripples import carry_on
from omniorder.services.surface import given as is_given
from omniorder.services.surface import several
from omniorder.services.units import Unit, in_transaction


def _at(value: datetime) -> datetime:
    return instant(value, "at")


def _by(value: str) -> str:
    return ids.customer_id(value, "by")


@frozen
class OfflineHandOver:
    """Goods that left against a `signed` pass while the store had no network.

    `at` is when, by the store's device, and `by` the id of the associate who gave them; all that was open, or only
    `lines`. `taken` is what the till took for what was due in the store, `checks` how a look at the person went, at
    most one of each kind. The same pass and instant are the same hand-over, however often it is told, and what was told
    of it first stands. Raises `InvalidInstant`, `InvalidId`, `InvalidInput`.
    """

    signed: str = field(repr=False)
    at: datetime = field(converter=_at)
    by: str = field(converter=_by)
    lines: Sequence[Pick] | None = None
    taken: Taken | None = None
    checks: Sequence[Check] = field(default=(), converter=checks_made)

    def __attrs_post_init__(self) -> None:
        is_given(self.signed, str, "signed", "what was scanned, as text")
        if self.taken is not None:
            is_given(self.taken, Taken, "taken", "a Taken")


@frozen
class Given:
    """One hand-over as the store tells of it: who gave the goods there and when, and what the till has taken."""

    signed: str = field(repr=False)
    store: str
    at: datetime
    giver: str
    units: tuple[Units, ...] | None
    taken: Taken | None
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, one: OfflineHandOver, store: str) -> Given:
        """What an associate of this store tells of."""
        units = None if one.lines is None else units_of(one.lines)
        return cls(one.signed, store, one.at, Associate(one.by, store).name, units, one.taken, tuple(one.checks))


def sync(parts: Parts, touch: Touch, hand_overs: Sequence[OfflineHandOver]) -> list[Synced]:
    """See `Counter.sync`."""
    payments.own_transaction(parts, "pickups.sync")
    parts.signing_keys()
    told_of = several(hand_overs, OfflineHandOver, "hand_overs", "a list of OfflineHandOver", most=MOST_LINES)
    store = touch.actor.store if isinstance(touch.actor, Associate) else ""
    return [_tell(parts, touch, Given.of(one, store)) for one in told_of]


def _tell(parts: Parts, touch: Touch, given: Given) -> Synced:
    """One hand-over of those that the store tells of."""
    stamp = touch.stamp(parts.clock)
    try:
        said = _read(parts, given, stamp)
        order = _without_a_dead_claim(parts, said.order, stamp)
        claimed = in_transaction(parts, stamp, lambda unit: _claim(unit, order.id, said, given))
    except (PassRefused, InvalidInstant, NotFound) as error:
        return Synced(SyncOutcome.REFUSED, error=error)
    if isinstance(claimed, Synced):
        return claimed
    order, left = claimed
    return evolve(_outcome(parts, payments.drive(parts, order, stamp), left), unchecked=left.unchecked)


def _outcome(parts: Parts, done: Order, left: e.LeftOffline) -> Synced:
    """What became of what left, once the provider was asked."""
    if done.pickup.state is PickupState.HANDING_OVER:
        return _running(done)
    if is_settled(done, left.units):
        return Synced(SyncOutcome.DONE, done.id, _receipt(handing_over.receipts(parts, done), left))
    reasons = [p.reason for p in done.payments if p.reason] or ["not_captured"]
    missing = NotPaid(order=done.id, due=str(done.owed_after(left.units) - done.held), reason=reasons[-1])
    return Synced(SyncOutcome.UNPAID, done.id, error=missing)


def _read(parts: Parts, given: Given, stamp: Stamp) -> SignedPass:
    """What the pass says, by the keys that counted when it was shown. Raises `PassRefused`, `InvalidInstant`."""
    if given.at > stamp.at + SKEW:
        raise InvalidInstant("at", given.at, "must not be in the future")
    said = offline.read(given.signed, keys=parts.signing_keys().public(), now=given.at)
    if said.store != given.store:
        raise refused(PassFlaw.OTHER_STORE, said.order)
    return said


def _without_a_dead_claim(parts: Parts, order_id: str, stamp: Stamp) -> Order:
    """The order; a hand-over whose claimant must have died is finished first, as any hand-over does."""
    order = payments.load(parts, order_id)
    pickup = order.pickup
    if pickup.state is PickupState.HANDING_OVER and (pickup.look_at is None or stamp.at >= pickup.look_at):
        return payments.drive(parts, order, stamp, due=stamp.at)
    return order


def _claim(unit: Unit, order_id: str, said: SignedPass, given: Given) -> Synced | tuple[Order, e.LeftOffline]:
    """The order with what left claimed and its capture planned, or an answer where there is nothing to capture."""
    order = unit.tx.order(order_id)
    if order is None:
        raise NotFound("order", order_id)
    history = unit.tx.journal(order.store, order.id, after=0, limit=order.version)
    known = told_before(history, said.id, given.store, given.at)
    if isinstance(known, e.PassUsedTwice):
        return _twice(order, known.reason)
    unchecked = known.unchecked if known is not None else ()
    if known is not None and is_settled(order, known.units):
        before = _receipt(visits.receipts(order, history, lambda _: ""), known)
        return Synced(SyncOutcome.REPEATED, order.id, before, unchecked=unchecked)
    if order.pickup.state is PickupState.HANDING_OVER:
        return evolve(_running(order), unchecked=unchecked)
    left = known if known is not None else _leaving(order, said, given, identify=unit.parts.settings.identify_proxy)
    if isinstance(left, e.PassUsedTwice):
        carry_on(unit, order, [left])
        return _twice(order, left.reason)
    seen = (e.PersonChecked(check.kind, check.passed) for check in given.checks)
    news = (*seen, left) if known is None else ()
    try:
        claim = capturing.hand_over(
            told(order, news, unit.stamp.at),
            left.units,
            capabilities=unit.parts.capabilities,
            taken=given.taken,
            look_at=unit.stamp.at + unit.parts.settings.hand_over_patience,
            shown=Shown(Proof.PASS),
            offline=True,
        )
    except (NotPaid, StillRunning) as error:
        carry_on(unit, order, news)
        return Synced(SyncOutcome.UNPAID, order.id, error=error, unchecked=left.unchecked)
    return carry_on(unit, order, [*news, *claim]), left


def _leaving(order: Order, said: SignedPass, given: Given, *, identify: bool) -> e.LeftOffline | e.PassUsedTwice:
    """What left, and how it is told: as units that left, or as a pass that was used although it opened nothing."""
    wanted = given.units or order.pickup.rest()
    left = e.LeftOffline(wanted, said.id, given.store, given.at, given.giver)
    reason = why_not(order, said)
    if not reason:
        try:
            pickups.apply(order.pickup, left, given.at)
        except InvalidQuantity:
            reason = PassFlaw.USED.value  # some of it had been collected
    if reason:
        return e.PassUsedTwice(said.id, given.store, given.at, given.giver, reason)
    needed = checks_needed(order, wanted, identify=identify and said.holder is Holder.PROXY)
    return evolve(left, unchecked=not_passed(needed, given.checks))


def _running(order: Order) -> Synced:
    return Synced(SyncOutcome.RUNNING, order.id, error=StillRunning(command="pickups.sync", id=order.id))


def _twice(order: Order, reason: str) -> Synced:
    return Synced(SyncOutcome.TWICE, order.id, error=PassRefused(reason=reason, order=order.id))


def _receipt(receipts: Sequence[Receipt], left: e.LeftOffline) -> Receipt:
    """The receipt of this very hand-over, or of that at the counter with which it was paid in the end."""
    units = {part.line for part in left.units}

    def fits(one: Receipt) -> tuple[bool, bool]:
        return (one.at, one.by) == (left.at, left.by), bool(units & {line.line for line in one.lines})

    return max(reversed(receipts), key=fits)
