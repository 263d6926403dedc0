"""Sweeps: doing what time asks for. Safe to run from any number of workers, in small batches.

Every deadline is a row (`ports.writes.Timer`), one per promise, order and transfer to a shelf that is not sent yet,
that always says when to look next; so is every reservation of which a stock system outside is still to be told, and
every webhook that is not followed yet. A sweep claims due rows store by store, so no store starves another, and handles
each through the same code as a command: the aggregate's own version guard makes the effect happen at most once, however
many workers look. Time is `due + grace`, the grace being larger than the clocks of the hosts are apart.

Who is told to stop in the middle of a batch finishes the timer in hand and gives the others back at once. Who is
killed leaves them to their lease, after which another worker takes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from omniorder.domain import coupling, waiting
from omniorder.domain import events as e
from omniorder.domain.actors import System
from omniorder.domain.channels import Channel
from omniorder.domain.events import Event, Stamp
from omniorder.domain.lifecycle import PickupState, PromiseState
from omniorder.domain.orders import Order
from omniorder.domain.slots import Slot
from omniorder.errors import InventoryFault, InventoryUnavailable, OmniorderError
from omniorder.ports.writes import Timer, TimerWrite, Writes
from omniorder.services import outside, payments, rerouting, transfers, webhooks
from omniorder.services.checkout import give_back
from omniorder.services.free_windows import moved_if_over, with_a_window
from omniorder.services.logs import log
from omniorder.services.notices import deliver
from omniorder.services.parts import Parts
from omniorder.services.ripples import carry_on, happened_since
from omniorder.services.units import Unit, in_transaction, reading

BATCH = 50
"""Timers claimed in one transaction."""

MOST_SILENCES = 3
"""Calls in a row to a stock system outside that stay without an answer, before a sweep takes it for down."""


@frozen
class SweepReport:
    """What a sweep did. `looked`: timers handled; `happened`: how often each event; `failed`: by error code.

    `more`: the limit was reached, or it was stopped, and more may be due; call again.
    """

    looked: int
    happened: Mapping[str, int]
    failed: Mapping[str, int]
    notified: int
    more: bool


def sweep(parts: Parts, limit: int, stop: Callable[[], bool]) -> SweepReport:
    """Do what is due, at most `limit` timers of it; begin nothing more once `stop` says so."""
    now = parts.clock.now()
    stamp = Stamp(now, Channel.SYSTEM, System("sweep").name)
    at = now - parts.settings.grace
    happened: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    looked, silences = 0, 0
    waiting: list[Timer] = []
    while looked < limit and not stop():
        timers = _claim(parts, stamp, at, min(BATCH, limit - looked))
        if not timers:
            break
        timers = tuple(sorted(timers, key=_is_told_outside))  # nothing that is ours waits for others
        for place, timer in enumerate(timers):
            if stop():
                waiting += timers[place:]
                break
            looked += 1
            if _is_told_outside(timer) and silences >= MOST_SILENCES:
                waiting.append(timer)
                continue
            try:
                happened.update(_handle(parts, timer, at, stamp))
                silences = 0 if _is_told_outside(timer) else silences
            except OmniorderError as error:
                if isinstance(error, InventoryFault):
                    silences = silences + 1 if isinstance(error, InventoryUnavailable) else 0
                    outside.put_off(parts, timer, stamp, error)
                failed[error.code] += 1
                log().warning("sweep could not finish", subject=timer.subject, outcome=error.code)
            except Exception:
                failed["unexpected"] += 1
                log().exception("sweep failed", subject=timer.subject)
    if waiting:
        _give_back(parts, stamp, waiting)
    notified, unsent = deliver(parts, stamp, limit, stop)
    if unsent:
        failed["notifier"] += unsent
    if not stop():
        in_transaction(parts, stamp, lambda unit: _tidy_up(unit, now, limit))
    return SweepReport(looked, dict(happened), dict(failed), notified, looked >= limit or stop())


def _tidy_up(unit: Unit, now: datetime, limit: int) -> None:
    """Forget what nobody can use any more: old answers and webhooks, and handoffs that ended. The journal remembers."""
    settings = unit.parts.settings
    unit.tx.forget_answers(now - settings.idempotency_retention, limit)
    unit.tx.forget_handoffs(now - settings.idempotency_retention, limit)
    unit.tx.forget_webhooks(now - settings.webhook_retention, limit)


def _claim(parts: Parts, stamp: Stamp, at: datetime, limit: int) -> tuple[Timer, ...]:
    """Some due timers, of as many stores as fit, that no other worker holds."""
    stores = reading(parts, lambda tx: tx.stores_due(at, limit))
    until = stamp.at + parts.settings.lease
    claimed: list[Timer] = []
    for store in stores:
        room = limit - len(claimed)
        if room <= 0:
            break

        def claim(unit: Unit, store: str = store, room: int = room) -> tuple[Timer, ...]:
            return unit.tx.claim_timers(store, at, until=until, limit=room, now=stamp.at)

        claimed += in_transaction(parts, stamp, claim)
    return tuple(claimed)


def _give_back(parts: Parts, stamp: Stamp, timers: Sequence[Timer]) -> None:
    """Let other workers have them now, rather than when the lease ends."""
    free = Writes(timers=tuple(TimerWrite(one.store, one.subject, one.due_at, if_due_at=one.due_at) for one in timers))
    in_transaction(parts, stamp, lambda unit: unit.tx.write(free))


def _handle(parts: Parts, timer: Timer, at: datetime, stamp: Stamp) -> list[str]:
    if _is_told_outside(timer):
        return outside.follow(parts, timer, stamp)
    if timer.subject.startswith("prm_"):
        return in_transaction(parts, stamp, lambda unit: _lapse(unit, timer, at))
    if timer.subject.startswith("trf_"):
        return in_transaction(parts, stamp, lambda unit: transfers.give_up(unit, timer, at))
    if timer.subject.startswith("whk_"):
        return webhooks.follow_again(parts, timer, stamp)
    return _look_at_order(parts, timer, at, stamp)


def _is_told_outside(timer: Timer) -> bool:
    return timer.subject.startswith("rsv_")


def _lapse(unit: Unit, timer: Timer, at: datetime) -> list[str]:
    promise = unit.tx.promise(timer.subject)
    if promise is None or promise.state is not PromiseState.HELD or promise.expires_at > at:
        held = promise is not None and promise.state is PromiseState.HELD
        _set(unit, timer, promise.expires_at if promise and held else None)
        return []
    give_back(unit, promise, e.PromiseLapsed(promise.id))
    return [e.PromiseLapsed.__name__]


def _look_at_order(parts: Parts, timer: Timer, at: datetime, stamp: Stamp) -> list[str]:
    """Let time act on the order, then make and ask after the provider calls that are due."""
    seen = reading(parts, lambda tx: tx.order(timer.subject))
    store = parts.stores.store(seen.pickup.store) if seen and waiting.due(seen) else None

    def act(unit: Unit, window: Slot | None) -> tuple[int, Order] | None:
        before = unit.tx.order(timer.subject)
        if before is None:
            _set(unit, timer, None)
            return None
        moved = waiting.moved(before, store, parts.settings.no_show, at) if store else ()
        terms = waiting.fair(before, store, parts.terms) if store else parts.terms
        late: tuple[Event, ...] = moved or coupling.overdue(
            before, at, stamp.at + parts.settings.hold_unknown_money, terms
        )
        return before.version, carry_on(unit, before, (*late, *moved_if_over(unit, before, late, window)))

    found = with_a_window(parts, seen, stamp, act)
    if found is None:
        return []
    version, order = found
    order = payments.drive(parts, order, stamp, due=at)
    if coupling.undecided(order.pickup) or order.pickup.state is PickupState.AWAITING_STOCK:
        order = rerouting.settle(parts, order, stamp)
    in_transaction(parts, stamp, lambda unit: _free(unit, timer))
    return happened_since(parts, order, version)


def _free(unit: Unit, timer: Timer) -> None:
    """Give the claim back: set the timer to what the order needs next."""
    order = unit.tx.order(timer.subject)
    _set(unit, timer, coupling.due(order, unit.parts.terms) if order else None)


def _set(unit: Unit, timer: Timer, due: datetime | None) -> None:
    """Set a claimed timer, unless a command has set it anew meanwhile."""
    unit.tx.write(Writes(timers=(TimerWrite(timer.store, timer.subject, due, if_due_at=timer.due_at),)))
