"""Signed passes at the hub: checked against the order as it is, which no device without a network can do."""

from __future__ import annotations

from datetime import datetime

from omniorder import offline
from omniorder.domain.orders import Order
from omniorder.domain.signed_passes import SKEW, PassFlaw, SignedPass, pass_for, refused
from omniorder.services.parts import Parts


def check(parts: Parts, order: Order, shown: str, now: datetime) -> SignedPass:
    """What the order's newest pass says, if this is it. Raises `PassRefused`; `Misconfigured` without signing keys.

    One that was shown before the deadline was moved, or before the goods were made ready anew, is not.
    """
    said = offline.verify(shown, keys=parts.signing_keys().public(), store=order.pickup.store, now=now, skew=SKEW)
    if said.order != order.id:
        raise refused(PassFlaw.OTHER_ORDER)
    if not is_newest(said, order):
        raise refused(PassFlaw.REPLACED, order.id)
    return said


def is_newest(said: SignedPass, order: Order) -> bool:
    """Whether the order would be given this very pass now, whenever it is shown and by whom.

    What is to be checked is asked of the order itself: it may have become less since, as goods left.
    """
    return said == pass_for(order, said.holder, said.key_id, said.issued_at, said.checks)
