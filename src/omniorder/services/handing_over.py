"""The hand-over: check the code, claim the pick-up, take the money, let the goods go.

Two transactions around the capture. The first claims the pick-up (so that no other hand-over and no sweep can come
between) and commits what is to be captured; the second, once the provider has answered, consumes the stock and
completes the order, or fails the hand-over and leaves the code valid. When there is nothing to capture the two are
one. A claimant that dies in between is finished by the sweep.

A card reader may wait for its customer for as long as it likes: the claim stands meanwhile, and whoever repeats the
hand-over asks what became of it, until the money is there, the card was refused, or the store stops waiting.
"""

from __future__ import annotations

import time
from datetime import datetime

from omniorder.domain import capturing, ids, passes, signed_passes
from omniorder.domain import events as e
from omniorder.domain.capturing import Taken, Terminal
from omniorder.domain.events import Stamp, Units
from omniorder.domain.lifecycle import AttemptState, PaymentState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import TERMINAL, Attempt, Operation, PayInStore
from omniorder.domain.pickups import Pickup
from omniorder.domain.receipts import Receipt, receipt
from omniorder.errors import CodeLocked, InvalidInput, NotPaid, NotReady, StillRunning, TenderUnsupported, WrongCode
from omniorder.services import offline_passes, payments
from omniorder.services.access import work_for
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.units import Unit, in_transaction, reading

_CODE_OPENS = (PickupState.READY, PickupState.HANDING_OVER, PickupState.COLLECTED)
_GONE = PickupState.COLLECTED.value  # for whoever asks: of what another associate took there may be a rest
LONGEST_CODE = 100


def hand_over(
    parts: Parts,
    touch: Touch,
    order_id: str,
    code: str,
    units: tuple[Units, ...] | None,
    taken: Taken | Terminal | None,
    key: str | None,
) -> Receipt:
    """See `Pickups.hand_over`."""
    if isinstance(taken, Terminal):
        _has_readers(parts)
    # also without a provider: a wrong code must count even if the caller rolls back
    payments.own_transaction(parts, "pickups.hand_over")
    stamp = touch.stamp(parts.clock)
    order = reading(parts, lambda tx: work_for(touch, tx, order_id))
    _opens(order)
    _check_code(parts, order, code, stamp)
    if order.pickup.state is PickupState.HANDING_OVER:
        at_reader = _at_reader(order) is not None
        order = _wait(parts, order, stamp)
        if at_reader and order.pickup.state is PickupState.READY:
            raise _not_paid(order, units or order.pickup.rest(), _why(order))  # before the customer is asked again
    if order.pickup.state is PickupState.COLLECTED:
        return _given_before(parts, order, units, taken, stamp)

    if order.pickup.state is PickupState.READY:
        order = payments.settle_increases(parts, order, stamp)

    def claim(unit: Unit) -> tuple[Order, tuple[Units, ...] | None]:
        request = [units, taken]
        home, this = order.store, order.id
        seen = unit.earlier(key, "pickups.hand_over", home=home, subject=this, request=request, result=this)
        before = work_for(touch, unit.tx, this)
        if seen:
            return before, None
        if before.pickup.state is not PickupState.READY:
            return before, None  # somebody was faster
        if before.pickup.generation != order.pickup.generation:
            raise WrongCode(order=order.id, tries_left=parts.settings.code_tries)
        wanted = units or before.pickup.rest()
        events = capturing.hand_over(
            before,
            wanted,
            capabilities=parts.capabilities,
            taken=taken,
            look_at=stamp.at + parts.settings.hand_over_patience,
        )
        return carry_on(unit, before, events), wanted

    claimed, wanted = in_transaction(parts, stamp, claim)
    if wanted is None:
        _opens(claimed)
        return _given_before(parts, _wait(parts, claimed, stamp), units, taken, stamp)
    done = payments.drive(parts, claimed, stamp)
    return _outcome(order, done, wanted, stamp)


def _opens(order: Order) -> None:
    if order.pickup.state not in _CODE_OPENS:
        state = order.pickup.state.value
        raise NotReady(order=order.id, reason=f"its pick-up is {state}", state=state)


def _outcome(before: Order, after: Order, units: tuple[Units, ...], stamp: Stamp) -> Receipt:
    if _left(before.pickup, after.pickup, units):
        return receipt(after, units, stamp.at, stamp.actor)
    if after.pickup.state is PickupState.HANDING_OVER:
        raise StillRunning(command="pickups.hand_over", id=after.id)
    raise _not_paid(after, units, _why(after))


def stop_payment(parts: Parts, touch: Touch, order_id: str, key: str | None) -> Order:
    """See `Pickups.stop_payment`."""
    payments.own_transaction(parts, "pickups.stop_payment")
    this = ids.check("order", order_id)
    stamp = touch.stamp(parts.clock)

    def work(unit: Unit) -> Order:
        home = ids.store_of(this)
        seen = unit.earlier(key, "pickups.stop_payment", home=home, subject=this, request=None, result=this)
        before = work_for(touch, unit.tx, this)
        return before if seen else carry_on(unit, before, capturing.stop(before, stamp.at))

    order = payments.drive(parts, in_transaction(parts, stamp, work), stamp, due=stamp.at)
    if any(p.kind == PayInStore.kind and p.state is PaymentState.VOIDING for p in order.payments):
        raise StillRunning(command="pickups.stop_payment", id=order.id)
    return order


def _has_readers(parts: Parts) -> None:
    if not parts.gateway(TERMINAL).capabilities.in_person:
        raise TenderUnsupported(tender=TERMINAL, reason="the gateway has no card readers")


def _at_reader(order: Order) -> Attempt | None:
    """What a card reader was asked for, if the answer is still open and nobody is waiting for it in a call."""
    for p in order.payments:
        for attempt in p.attempts:
            if (
                p.gateway == TERMINAL
                and attempt.operation is Operation.COLLECT
                and attempt.state is AttemptState.UNKNOWN
            ):
                return attempt
    return None


def _why(order: Order) -> str:
    reasons = [p.reason for p in order.payments if p.reason]
    return reasons[-1] if reasons else "not_captured"


def _not_paid(order: Order, units: tuple[Units, ...], reason: str) -> NotPaid:
    return NotPaid(order=order.id, due=str(order.owed_after(units) - order.held), reason=reason)


def _left(before: Pickup, after: Pickup, units: tuple[Units, ...]) -> bool:
    return all(after.line(u.line).collected >= before.line(u.line).collected + u.quantity for u in units)


def _check_code(parts: Parts, order: Order, code: object, stamp: Stamp) -> None:
    """Count the try in a transaction of its own, and only then compare.

    The one place where something is written before an error: else whoever guesses fast enough could guess for free.
    The right code forgets the tries at once, whatever becomes of the hand-over: it can be shown as often as need be.
    """
    if parts.pass_keys is not None and isinstance(code, str) and signed_passes.is_signed(code):
        offline_passes.check(parts, order, code, stamp.at)
        return  # nobody guesses a signature: there is nothing to count
    if not isinstance(code, str) or not 1 <= len(code) <= LONGEST_CODE:
        raise InvalidInput("code", "(hidden)", "what the customer said or showed, as text")
    ring, settings, pickup = parts.key_ring(), parts.settings, order.pickup

    def count(unit: Unit) -> int | None:
        return unit.tx.count_try(order.id, pickup.generation, settings.code_tries)

    tries = in_transaction(parts, stamp, count)
    if tries is None:
        raise CodeLocked(order=order.id)
    secret = ring.secret(pickup.key_id)
    if not passes.matches(code, secret, order.id, pickup.generation, settings.code_length):
        raise WrongCode(order=order.id, tries_left=settings.code_tries - tries)
    in_transaction(parts, stamp, lambda unit: unit.tx.forget_tries(order.id, pickup.generation))


def _wait(parts: Parts, order: Order, stamp: Stamp) -> Order:
    """Somebody is handing over: wait for them a little, or finish for them when they must have died.

    A card reader that waits is asked at once, and no longer waited for: its customer may take their time.
    """
    if at_reader := _at_reader(order):
        order = payments.drive(parts, order, stamp, due=max(at_reader.look_at, stamp.at))
        if order.pickup.state is PickupState.HANDING_OVER:
            raise StillRunning(command="pickups.hand_over", id=order.id)
        return order
    give_up = time.monotonic() + parts.settings.wait_for_other.total_seconds()
    pause = 0.01
    while order.pickup.state is PickupState.HANDING_OVER:
        if order.pickup.look_at is None or stamp.at >= order.pickup.look_at:
            order = payments.drive(parts, order, stamp, due=stamp.at)
            if order.pickup.state is PickupState.HANDING_OVER:
                raise StillRunning(command="pickups.hand_over", id=order.id)
            return order
        if time.monotonic() >= give_up:
            raise StillRunning(command="pickups.hand_over", id=order.id)
        time.sleep(pause)
        pause = min(pause * 2, 0.25)
        order = payments.load(parts, order.id)
    return order


def _given_before(
    parts: Parts, order: Order, units: tuple[Units, ...] | None, taken: Taken | Terminal | None, stamp: Stamp
) -> Receipt:
    """The receipt of a hand-over that this associate made before; for anybody else the goods are simply gone.

    What was begun before and failed, or has not ended yet, is told as it was told then. Money that the counter took
    now, for goods that were paid otherwise then, is refused: it must go back to the customer.
    """
    history = reading(parts, lambda tx: tx.journal(order.store, order.id, after=0, limit=order.version))
    gone_at: datetime | None = None
    counted: Money | None = None
    for entry in reversed(history):
        match entry.event:
            case e.Collected() | e.PartCollected() if gone_at is None:
                gone_at = entry.stamp.at
            case e.HandOverFailed(reason) if gone_at is None:
                raise _not_paid(order, units or order.pickup.rest(), reason)
            case e.CounterStarted(amount=amount, reader="") if gone_at is not None:
                counted = amount
            case e.HandOverStarted(claimed, offline=offline):
                if gone_at is None:
                    raise StillRunning(command="pickups.hand_over", id=order.id)
                if isinstance(taken, Taken) and taken.amount != counted:
                    reason = f"it was paid and collected before: return {taken.amount}"
                    raise NotReady(order=order.id, reason=reason, state=_GONE, amount=str(taken.amount))
                same = units is None or sorted(units, key=repr) == sorted(claimed, key=repr)
                # whoever began it holds the goods, even if the sweep had to finish it for them
                if entry.stamp.actor == stamp.actor and same and not offline:
                    return receipt(order, claimed, gone_at, stamp.actor)
                break
            case _:
                pass
    raise NotReady(order=order.id, reason="it was collected already", state=_GONE)
