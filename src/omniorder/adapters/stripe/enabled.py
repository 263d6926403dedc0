"""What a merchant has switched on at Stripe, as data, and what that makes of the capabilities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from omniorder.domain.capabilities import Capabilities

__all__ = ["ONLINE", "Enabled"]

ONLINE: Final[Mapping[str, timedelta]] = MappingProxyType({"": timedelta(days=7)})
"""How long an online card payment can be captured: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method.

The date that counts for one payment comes with its authorisation, as `Approved.until`.
"""


@frozen
class Enabled:
    """What Stripe does for this merchant beyond what it does for all.

    Attributes:
        multicapture: several captures of one authorisation (IC+ pricing). Only where each kind of card that is taken
            has it: where a card turns out not to, its first capture is its last.
        incremental: raise what is set aside, where the card and the merchant's trade allow it.
        extended: ask for more days before an authorisation lapses. Those that are granted are in `Approved.until`;
            say in `lifetimes` what can be counted on.
        readers: card readers at the counter, driven from the server.
        wallets: those whose button may be shown; each needs the shop's web domain registered at Stripe.
        lifetimes: how long an authorisation lasts, by brand of card as Stripe spells it ("visa"); "" for the others.
        remembers: how long an idempotency key is counted on. Stripe prunes keys after 24 hours at the earliest.
        payment_methods: the types of payment method that a payment may be made by online.
        return_url: where a customer lands after a page of their bank. Without it Stripe.js or a mobile SDK shows the
            bank's challenge in place.
    """

    multicapture: bool = False
    incremental: bool = False
    extended: bool = False
    readers: bool = False
    wallets: frozenset[str] = frozenset({"apple_pay", "google_pay"})
    lifetimes: Mapping[str, timedelta] = field(default=ONLINE, hash=False)
    remembers: timedelta = timedelta(hours=23)
    payment_methods: tuple[str, ...] = ("card",)
    return_url: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """What the planner may count on."""
        return Capabilities(
            several_captures=self.multicapture,
            remembers=self.remembers,
            lifetimes=self.lifetimes,
            incremental=self.incremental,
            in_person=self.readers,
            links=True,
            wallets=self.wallets,
            lists=True,
        )
