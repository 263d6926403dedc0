"""Stripe as a `PaymentGateway`: cards, wallets, payment links of one's own, and card readers. Needs the extra `stripe`.

The page "Stripe" of the documentation says what to enable there, and what is stored where.
"""

from __future__ import annotations

from omniorder.errors import MissingExtra

try:
    from omniorder.adapters.stripe.enabled import Enabled
    from omniorder.adapters.stripe.gateway import StripeGateway
except ModuleNotFoundError as missing:
    if missing.name != "stripe":
        raise
    raise MissingExtra(needs="stripe", extra="stripe") from None

__all__ = ["Enabled", "StripeGateway"]
