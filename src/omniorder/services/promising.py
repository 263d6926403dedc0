"""Letting a promise go: what it held is free for others, in the transaction of whatever ended it."""

from __future__ import annotations

from omniorder.domain import events as e
from omniorder.domain import promises
from omniorder.domain.promises import Promise
from omniorder.ports.writes import Writes
from omniorder.services.places import given_back
from omniorder.services.units import Unit


def let_go(unit: Unit, before: Promise, event: e.PromiseWithdrawn | e.PromiseLapsed) -> Promise:
    """End a held promise, give its units and its place back. What it means to the cart is the caller's to save."""
    after = promises.apply(before, event)
    unit.save_promise(before, after)
    for reservation in before.reservations:
        unit.parts.inventory.release(unit.tx, reservation, expired=isinstance(event, e.PromiseLapsed))
    unit.tx.write(Writes(slots=(given_back(before),)))
    return after
