"""Proposals: what a store would give instead of units that it hasn't got, put to the customer for a limited time."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from omniorder.domain.order_lines import OrderLine


@frozen
class Proposal:
    """`quantity` units of `line` would be replaced by the line `coming`, in the same unit.

    The customer has `until` to answer (UTC); `silence_takes`: if they don't, it counts as accepted, as their consent
    says. The reservation `hold` keeps what is proposed meanwhile; `reason` (a stable code) is why units are missing.
    """

    line: str
    quantity: int
    coming: OrderLine
    hold: str
    until: datetime
    reason: str
    silence_takes: bool = False

    @property
    def id(self) -> str:
        """What it is answered by: the id that the line will have."""
        return self.coming.id
