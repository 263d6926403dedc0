"""What the money of an order may count on, and how it goes back: settings and providers, as the domain sees them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from omniorder.domain.capabilities import Capabilities
from omniorder.domain.no_show_policy import NoShowPolicy
from omniorder.domain.payments import Payment

__all__ = ["PLAIN", "RefundRule", "Terms"]


class RefundRule(Enum):
    """In which order the tenders of an order give back; the order in which they were used is first to last."""

    LAST_IN_FIRST_OUT = "last_in_first_out"
    """The tender that was used last gives back first."""
    FIRST_IN_FIRST_OUT = "first_in_first_out"
    """The tender that was used first gives back first."""
    PROPORTIONAL = "proportional"
    """Each gives back in proportion to what the shop still holds of it, to the cent (largest remainders first, the
    earlier tender among equals)."""


def _nothing() -> Mapping[str, Capabilities]:
    return MappingProxyType({})


@frozen
class Terms:
    """What may be counted on.

    `capabilities` by kind of tender (of kinds that aren't named nothing but the usual is expected), `margin` before an
    authorisation ends, `counter`: whether customers can pay in the store; `rule` by which money goes back, and the
    payment `to` which it goes first, if one was named. `no_show` says what is kept when nobody comes.
    """

    capabilities: Mapping[str, Capabilities] = field(factory=_nothing, hash=False)
    margin: timedelta = timedelta(0)
    counter: bool = True
    rule: RefundRule = RefundRule.LAST_IN_FIRST_OUT
    to: str = ""
    no_show: NoShowPolicy = field(factory=NoShowPolicy)

    def of(self, payment: Payment) -> Capabilities:
        """What the provider of this payment can do."""
        return self.capabilities.get(payment.gateway, _USUAL)


_USUAL: Final = Capabilities()
PLAIN: Final = Terms()
"""Where nothing was declared: authorisations are only looked at when they end."""
