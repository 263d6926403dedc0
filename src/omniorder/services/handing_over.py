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
from collections import Counter
from collections.abc import Callable, Sequence

from attrs import evolve, field, frozen

from omniorder.domain import capturing, counter, ids, passes, signed_passes, visits
from omniorder.domain import events as e
from omniorder.domain.capturing import Taken, Terminal
from omniorder.domain.counter import Wish
from omniorder.domain.events import Recorded, Stamp, Units
from omniorder.domain.lifecycle import AttemptState, PaymentState, PickupState
from omniorder.domain.money import Money
from omniorder.domain.orders import Order
from omniorder.domain.payments import TERMINAL, Attempt, Operation, PayInStore
from omniorder.domain.pickups import Pickup
from omniorder.domain.proofs import CheckKind, Proof, Shown
from omniorder.domain.receipts import Receipt
from omniorder.domain.signed_passes import Holder
from omniorder.errors import CodeLocked, InvalidInput, NotPaid, NotReady, StillRunning, TenderUnsupported, WrongCode
from omniorder.ports.storage import Transaction
from omniorder.services import offline_passes, payments
from omniorder.services.access import work_for
from omniorder.services.parts import Parts, Touch
from omniorder.services.ripples import carry_on
from omniorder.services.units import Unit, in_transaction, reading

_CODE_OPENS = (PickupState.READY, PickupState.HANDING_OVER, PickupState.COLLECTED)
_GONE = (PickupState.COLLECTED, PickupState.CANCELLED)
_TOLD = PickupState.COLLECTED.value  # for whoever asks: of what another associate took there may be a rest
_CODE = "what the customer said or showed, as text"
LONGEST_CODE = 100


@frozen
class Visitor:
    """Whoever stands at the counter: the `code` that they showed, if any, a `signature` that they gave, and whether
    they come `by_proxy`, for the customer."""

    code: str | None = field(repr=False)
    signature: str = ""
    by_proxy: bool = False


def hand_over(
    parts: Parts,
    touch: Touch,
    order_id: str,
    visitor: Visitor,
    wish: Wish,
    taken: Taken | Terminal | None,
    key: str | None,
) -> Receipt:
    """See `Counter.hand_over`."""
    if isinstance(taken, Terminal):
        _has_readers(parts)
    # also without a provider: a wrong code must count even if the caller rolls back
    payments.own_transaction(parts, "pickups.hand_over")
    stamp = touch.stamp(parts.clock)
    order = reading(parts, lambda tx: work_for(touch, tx, order_id))
    _opens(parts, order)
    shown = _proved(parts, order, visitor, wish, stamp)
    if order.pickup.state is PickupState.HANDING_OVER:
        at_reader = _at_reader(order) is not None
        order = _wait(parts, order, stamp)
        if at_reader and order.pickup.state is PickupState.READY:
            raise _not_paid(order, wish.units or order.pickup.rest(), _why(order))  # before the customer is asked again
    if order.pickup.state in _GONE:
        return _given_before(parts, order, wish, taken, stamp)

    if order.pickup.state is PickupState.READY:
        order = payments.settle_increases(parts, order, stamp)

    def claim(unit: Unit) -> tuple[Order, tuple[Units, ...] | None]:
        home, this = order.store, order.id
        request = [wish.units, taken, *_said(wish, visitor)]
        seen = unit.earlier(key, "pickups.hand_over", home=home, subject=this, request=request, result=this)
        before = work_for(touch, unit.tx, this)
        if seen:
            return before, None
        if before.pickup.state is not PickupState.READY:
            return before, None  # somebody was faster
        if before.pickup.generation != order.pickup.generation:
            raise WrongCode(order=order.id, tries_left=parts.settings.code_tries)
        events, leaving = counter.hand_over(
            before,
            repeated(wish, before, lambda: history(unit.tx, before)),
            shown,
            capabilities=parts.capabilities,
            taken=taken,
            at=stamp.at,
            look_at=stamp.at + parts.settings.hand_over_patience,
            hold_until=stamp.at + parts.settings.hold_unknown_money,
            identify_proxy=parts.settings.identify_proxy,
        )
        return carry_on(unit, before, events), leaving

    claimed, leaving = in_transaction(parts, stamp, claim)
    if leaving is None:
        _opens(parts, claimed)
        return _given_before(parts, _wait(parts, claimed, stamp), wish, taken, stamp)
    return _outcome(parts, order, payments.drive(parts, claimed, stamp), leaving)


def _said(wish: Wish, visitor: Visitor) -> list[object]:
    """For a request: of what is said of a hand-over beyond its units and money only what is out of the ordinary."""
    whole, plain = Wish(wish.units), Visitor(visitor.code)
    return [*([wish] if wish != whole else []), *([visitor.signature, visitor.by_proxy] if visitor != plain else [])]


def repeated(wish: Wish, order: Order, journal: Callable[[], Sequence[Recorded]]) -> Wish:
    """The wish without refusals that the journal tells of already: of a hand-over that failed, and is tried again."""
    if not wish.refused:
        return wish
    already = counter.refused_so_far(reversed(journal()))
    return evolve(wish, refused=counter.still_refused(wish.refused, already))


def receipts(parts: Parts, order: Order) -> tuple[Receipt, ...]:
    """The receipts of all hand-overs of the order, the oldest first."""
    journal = reading(parts, lambda tx: history(tx, order))
    return visits.receipts(order, journal, lambda store: _name(parts, store))


def history(tx: Transaction, order: Order) -> Sequence[Recorded]:
    """All that happened to the order, the oldest first."""
    return tx.journal(order.store, order.id, after=0, limit=order.version)


def _name(parts: Parts, store_id: str) -> str:
    store = parts.stores.store(store_id)
    return store.name if store else ""


def _opens(parts: Parts, order: Order) -> None:
    state = order.pickup.state
    if state in _CODE_OPENS or (state is PickupState.CANCELLED and _refused_here(parts, order)):
        return
    raise NotReady(order=order.id, reason=f"its pick-up is {state.value}", state=state.value)


def _refused_here(parts: Parts, order: Order) -> bool:
    """Whether its customer came, and wanted nothing any more."""
    return bool(order.pickup.key_id) and any(
        isinstance(entry.event, e.PickupCancelled) and entry.event.reason == counter.ALL_REFUSED
        for entry in reading(parts, lambda tx: history(tx, order))
    )


def _outcome(parts: Parts, before: Order, after: Order, units: tuple[Units, ...]) -> Receipt:
    if _left(before.pickup, after.pickup, units):
        return receipts(parts, after)[-1]
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


def _proved(parts: Parts, order: Order, visitor: Visitor, wish: Wish, stamp: Stamp) -> Shown:
    """How the visitor proves that they may have the goods; raises what says that they don't."""
    if visitor.code is None:
        identified = any(check.kind is CheckKind.IDENTITY and check.passed for check in wish.checks)
        if not (parts.settings.accept_signature and visitor.signature and identified):
            raise InvalidInput("code", "(hidden)", _CODE)
        return Shown(Proof.SIGNATURE, visitor.signature, visitor.by_proxy)
    shown = _check_code(parts, order, visitor.code, stamp)
    return evolve(shown, signature=visitor.signature, by_proxy=shown.by_proxy or visitor.by_proxy)


def _check_code(parts: Parts, order: Order, code: object, stamp: Stamp) -> Shown:
    """What the code proves. The try is counted in a transaction of its own, and only then compared.

    The one place where something is written before an error: else whoever guesses fast enough could guess for free.
    The right code forgets the tries at once, whatever becomes of the hand-over: it can be shown as often as need be.
    """
    if parts.pass_keys is not None and isinstance(code, str) and signed_passes.is_signed(code):
        said = offline_passes.check(parts, order, code, stamp.at)
        # nobody guesses a signature: there is nothing to count
        return Shown(Proof.PASS, by_proxy=said.holder is Holder.PROXY)
    if not isinstance(code, str) or not 1 <= len(code) <= LONGEST_CODE:
        raise InvalidInput("code", "(hidden)", _CODE)
    ring, settings, pickup = parts.key_ring(), parts.settings, order.pickup

    def count(unit: Unit) -> int | None:
        return unit.tx.count_try(order.id, pickup.generation, settings.code_tries)

    tries = in_transaction(parts, stamp, count)
    if tries is None:
        raise CodeLocked(order=order.id)
    secret = ring.secret(pickup.key_id)
    proof = passes.matches(code, secret, order.id, pickup.generation, settings.code_length)
    if proof is None:
        raise WrongCode(order=order.id, tries_left=settings.code_tries - tries)
    in_transaction(parts, stamp, lambda unit: unit.tx.forget_tries(order.id, pickup.generation))
    return Shown(proof)


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


def _given_before(parts: Parts, order: Order, wish: Wish, taken: Taken | Terminal | None, stamp: Stamp) -> Receipt:
    """The receipt of a hand-over that this associate made before; for anybody else the goods are simply gone.

    What was begun before and failed, or has not ended yet, is told as it was told then. Money that the counter took
    now, for goods that were paid otherwise then, is refused: it must go back to the customer.
    """
    ended = False
    counted: Money | None = None
    for entry in reversed(reading(parts, lambda tx: history(tx, order))):
        match entry.event:
            case e.Collected() | e.PartCollected():
                ended = True
            case e.PickupCancelled(reason) if reason == counter.ALL_REFUSED:
                break
            case e.RestCancelled(()):
                break
            case e.HandOverFailed(reason) if not ended:
                raise _not_paid(order, wish.units or order.pickup.rest(), reason)
            case e.CounterStarted(amount=amount, reader="") if ended:
                counted = amount
            case e.HandOverStarted():
                if not ended:
                    raise StillRunning(command="pickups.hand_over", id=order.id)
                break
            case _:
                pass
    if isinstance(taken, Taken) and taken.amount != counted:
        reason = f"it was paid and collected before: return {taken.amount}"
        raise NotReady(order=order.id, reason=reason, state=_TOLD, amount=str(taken.amount))
    found = receipts(parts, order)
    # whoever began it holds the goods, even if the sweep had to finish it for them
    if found and found[-1].by == stamp.actor and _same(found[-1], wish):
        return found[-1]
    raise NotReady(order=order.id, reason="it was collected already", state=_TOLD)


def _same(told: Receipt, wish: Wish) -> bool:
    """Whether the receipt is of this wish; who names no units and refuses none means whichever they were."""
    left = Counter({line.line: line.quantity for line in told.lines})
    unwanted = Counter[str]()
    for part in told.refused:
        unwanted[part.line] += part.quantity if part.reason != counter.CALLED_OFF else 0
    refused = Counter[str]()
    for one in wish.refused:
        refused[one.line] += one.quantity
    units = wish.units is None or Counter({part.line: part.quantity for part in wish.units}) == left
    return units and (not wish.refused or refused == unwanted)
