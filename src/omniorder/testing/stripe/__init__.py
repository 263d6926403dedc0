"""A Stripe in memory, for tests and demonstrations: stateful, exact about what it is sent, and unlucky on command.

    fake = FakeStripe(clock=clock)
    gateway = StripeGateway(fake.client, webhook_secret=fake.webhook_secret, clock=clock)

It stands behind stripe-python's own HTTP client, so that encoding, headers and errors are the real ones. Needs the
extra `stripe`.
"""

from __future__ import annotations

from omniorder.errors import MissingExtra

try:
    from omniorder.testing.stripe.fake import FakeStripe
except ModuleNotFoundError as missing:
    if missing.name != "stripe":
        raise
    raise MissingExtra(needs="stripe", extra="stripe") from None

__all__ = ["FakeStripe"]
