"""Telling the hub what was handed over without a network: each hand-over by itself, as often as need be.

The same claim, capture and consumption as of any hand-over (`handing_over`), but that the goods are gone: a card that
is refused leaves them on the order's account rather than on the shelf.
"""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from omniorder import offline
from omniorder.domain import capturing, pickups
from omniorder.domain import events as e
from omniorder.domain.capturing import Taken
from omniorder.domain.events import Stamp, Units
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.offline_hand_overs import Synced, SyncOutcome, is_settled, told_before, why_not
from omniorder.domain.orders import Order, told
from omniorder.domain.receipts import receipt
from omniorder.domain.signed_passes import SKEW, PassFlaw, SignedPass, refused
from omniorder.errors import InvalidInstant, InvalidQuantity, NotFound, NotPaid, PassRefused, StillRunning
from omniorder.services import payments
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.units import Unit, in_transaction


@frozen
class Given:
    """One hand-over as the store tells of it: who gave the goods there and when, and what the till has taken."""

    signed: str = field(repr=False)
    store: str
    at: datetime
    giver: str
    units: tuple[Units, ...] | None
    taken: Taken | None


def tell(parts: Parts, touch: Touch, given: Given) -> Synced:
    """See `Pickups.sync`: one hand-over of those that it was told of."""
    stamp = touch.stamp(parts.clock)
    try:
        said = _read(parts, given, stamp)
        order = _without_a_dead_claim(parts, said.order, stamp)
        claimed, wanted, answer = in_transaction(parts, stamp, lambda unit: _claim(unit, order.id, said, given))
    except (PassRefused, InvalidInstant, NotFound) as error:
        return Synced(SyncOutcome.REFUSED, error=error)
    if answer is not None:
        return answer
    done = payments.drive(parts, claimed, stamp)
    if done.pickup.state is PickupState.HANDING_OVER:
        return _running(done)
    if is_settled(done, wanted):
        return Synced(SyncOutcome.DONE, done.id, receipt(done, wanted, given.at, given.giver))
    reasons = [p.reason for p in done.payments if p.reason] or ["not_captured"]
    missing = NotPaid(order=done.id, due=str(done.owed_after(wanted) - done.held), reason=reasons[-1])
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


def _claim(unit: Unit, order_id: str, said: SignedPass, given: Given) -> tuple[Order, tuple[Units, ...], Synced | None]:
    """The order with what left claimed and its capture planned, or an answer where there is nothing to capture."""
    order = unit.tx.order(order_id)
    if order is None:
        raise NotFound("order", order_id)
    history = unit.tx.journal(order.store, order.id, after=0, limit=order.version)
    known = told_before(history, said.id, given.store, given.at)
    if isinstance(known, e.PassUsedTwice):
        return order, (), _twice(order, known.reason)
    if known is not None and is_settled(order, known.units):
        before = receipt(order, known.units, given.at, given.giver)
        return order, known.units, Synced(SyncOutcome.REPEATED, order.id, before)
    if order.pickup.state is PickupState.HANDING_OVER:
        return order, (), _running(order)
    wanted, left = (known.units, ()) if known is not None else _leaving(order, said, given)
    if isinstance(left, e.PassUsedTwice):
        return carry_on(unit, order, [left]), (), _twice(order, left.reason)
    try:
        claim = capturing.hand_over(
            told(order, left, unit.stamp.at),
            wanted,
            capabilities=unit.parts.capabilities,
            taken=given.taken,
            look_at=unit.stamp.at + unit.parts.settings.hand_over_patience,
            offline=True,
        )
    except (NotPaid, StillRunning) as error:
        return carry_on(unit, order, left), wanted, Synced(SyncOutcome.UNPAID, order.id, error=error)
    return carry_on(unit, order, [*left, *claim]), wanted, None


def _leaving(
    order: Order, said: SignedPass, given: Given
) -> tuple[tuple[Units, ...], tuple[e.LeftOffline, ...] | e.PassUsedTwice]:
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
        return (), e.PassUsedTwice(said.id, given.store, given.at, given.giver, reason)
    return wanted, (left,)


def _running(order: Order) -> Synced:
    return Synced(SyncOutcome.RUNNING, order.id, error=StillRunning(command="pickups.sync", id=order.id))


def _twice(order: Order, reason: str) -> Synced:
    return Synced(SyncOutcome.TWICE, order.id, error=PassRefused(reason=reason, order=order.id))
