"""Timers: every deadline is a row, and no deadline is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from omniorder.domain import coupling
from omniorder.domain.lifecycle import PromiseState
from omniorder.testing.invariants.checking import View, invariant


@invariant
def every_deadline_has_its_timer(view: View) -> Iterator[str]:
    """S7, T1: each held promise and each order that waits for something has one timer, due when it is, and no other."""
    timers = {(timer.store, timer.subject): timer.due_at for timer in view.rows.timers()}
    for promise in view.rows.promises():
        if promise.state is PromiseState.HELD:
            due = timers.pop((promise.store, promise.id), None)
            if due != promise.expires_at:
                yield f"{promise.id} ends at {promise.expires_at}, its timer is set to {due}"
    for order in view.rows.orders():
        due, needed = timers.pop((order.store, order.id), None), coupling.due(order)
        if due != needed:
            state = f"{order.state.value}, {order.pickup.state.value}"
            yield f"{order.id} ({state}) is to be looked at at {needed}, its timer is set to {due}"
    for (_, subject), due in timers.items():
        yield f"{subject}: a timer at {due} that nothing waits for"


@invariant
def nothing_is_overdue(view: View) -> Iterator[str]:
    """T1: right after a sweep, nothing is left that was due: neither a held promise nor an order."""
    for timer in view.rows.timers():
        if timer.due_at <= view.now - view.settings.grace:
            yield f"{timer.subject} was due at {timer.due_at}, it is {view.now}"
