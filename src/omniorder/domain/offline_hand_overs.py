"""What a store handed over without a network, and what becomes of it once the hub is told.

The goods have left already, so nothing is refused here for the sake of order: what can be settled is settled, what is
not paid is remembered on the pick-up until it is, and what was not to be given is told to people.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from attrs import frozen

from omniorder.domain import events as e
from omniorder.domain.lifecycle import PickupState
from omniorder.domain.orders import Order
from omniorder.domain.proofs import CheckKind
from omniorder.domain.receipts import Receipt
from omniorder.domain.signed_passes import PassFlaw, SignedPass, pass_id
from omniorder.errors import OmniorderError


class SyncOutcome(Enum):
    """What became of one hand-over that the hub was told of."""

    DONE = "done"
    """Paid and off the books."""
    REPEATED = "repeated"
    """It was told before, and is paid and off the books since."""
    UNPAID = "unpaid"
    """The goods have left, and the money is missing: the order waits for it, and neither lapses nor is called off."""
    RUNNING = "running"
    """It is not known yet whether it is paid: tell it again, or let the sweep find out."""
    TWICE = "twice"
    """The goods were not to be given: the order was collected, called off or over. It is in the order's journal."""
    REFUSED = "refused"
    """No pass of this store's, so no order that it could be told of; nothing was written."""


@frozen
class Synced:
    """What became of one hand-over: `receipt` where it is settled, else `error` says why not.

    `order` is the order's id, "" where the pass told of none. `unchecked` are the checks of the person that were needed
    for what left, and not made or not passed when it was first told: somebody should look into it.
    """

    outcome: SyncOutcome
    order: str = ""
    receipt: Receipt | None = None
    error: OmniorderError | None = None
    unchecked: tuple[CheckKind, ...] = ()


def told_before(
    history: Iterable[e.Recorded], pass_id: str, store: str, at: datetime
) -> e.LeftOffline | e.PassUsedTwice | None:
    """What the journal has of this hand-over: the same pass, store and instant are the same hand-over."""
    for entry in history:
        match entry.event:
            case e.LeftOffline() | e.PassUsedTwice() as told if (told.pass_id, told.store, told.at) == (
                pass_id,
                store,
                at,
            ):
                return told
            case _:
                pass
    return None


def why_not(order: Order, said: SignedPass) -> str:
    """Why this order was not to be handed over against this pass, by the order as it is now; "" if it was.

    The deadline is not looked at: goods that have not lapsed were still there for their customer.
    """
    if order.pickup.state is PickupState.COLLECTED:
        return PassFlaw.USED.value
    if pass_id(order) != said.id:
        return PassFlaw.REPLACED.value
    return "" if order.pickup.state is PickupState.READY else order.pickup.state.value


def is_settled(order: Order, units: tuple[e.Units, ...]) -> bool:
    """Whether none of these units, which left, is still to be paid."""
    waiting = {part.line for part in order.pickup.left}
    return not any(part.line in waiting for part in units)
