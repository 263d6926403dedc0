"""One payment at a Stripe in memory, with a clock to turn: what the tests of the adapter have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from attrs import field, frozen

from omniorder.adapters.stripe import Enabled, StripeGateway
from omniorder.domain.money import Money
from omniorder.domain.payments import Operation
from omniorder.ports.payments import (
    Absent,
    Answer,
    Approved,
    Authorise,
    Capture,
    Collect,
    Denied,
    Increase,
    LookUp,
    NeedsAction,
    Refund,
    Void,
)
from omniorder.testing.clock import FakeClock
from omniorder.testing.stripe import FakeStripe

PAYMENT = "pay_SOF01_7K3F9Q_1"
READER = "tmr_counter"


def key(number: int) -> str:
    """The id of an attempt at the payment."""
    return f"att_SOF01_7K3F9Q_1_{number}"


def euros(cents: int) -> Money:
    return Money(cents, "EUR")


@frozen
class Bench:
    """A gateway to the fake, and requests about one payment. Keys are numbered as attempts are."""

    stripe: FakeStripe
    gateway: StripeGateway
    clock: FakeClock = field(factory=FakeClock)

    def authorise(self, token: str = "pm_card_visa", cents: int = 1000, n: int = 1, **more: Any) -> Answer:
        return self.gateway.authorise(Authorise(PAYMENT, key(n), "SOF01-7K3F9Q", token, euros(cents), **more))

    def capture(self, cents: int, n: int = 2, *, final: bool = True, number: str | None = None) -> Approved | Denied:
        return self.gateway.capture(Capture(PAYMENT, key(n), self._number(number), euros(cents), final))

    def void(self, n: int = 3, *, number: str | None = None) -> Approved | Denied | Absent:
        return self.gateway.void(Void(PAYMENT, key(n), self._number(number)))

    def refund(self, cents: int, n: int = 4, *, number: str | None = None) -> Approved | Denied:
        return self.gateway.refund(Refund(PAYMENT, key(n), self._number(number), euros(cents)))

    def increase(self, cents: int, n: int = 5) -> Approved | Denied:
        return self.gateway.increase(Increase(PAYMENT, key(n), self._number(None), euros(cents)))

    def collect(self, cents: int = 1000, n: int = 6) -> NeedsAction | Denied:
        return self.gateway.collect(Collect(PAYMENT, key(n), "SOF01-7K3F9Q", READER, euros(cents)))

    def look_up(self, operation: Operation, n: int, number: str = "") -> Answer:
        return self.gateway.look_up(LookUp(PAYMENT, key(n), operation, number))

    def _number(self, number: str | None) -> str:
        return self.stripe.payments[-1].id if number is None else number


def opened(enabled: Enabled | None = None, *, lag: timedelta = timedelta(minutes=5), **options: Any) -> Bench:
    """A bench with a fresh Stripe; `options` go to `FakeStripe`."""
    clock = FakeClock()
    stripe = FakeStripe(clock=clock, **options)
    gateway = StripeGateway(
        stripe.client,
        webhook_secret=stripe.webhook_secret,
        account=options.get("account"),
        enabled=enabled,
        search_lag=lag,
        clock=clock,
    )
    return Bench(stripe, gateway, clock)
