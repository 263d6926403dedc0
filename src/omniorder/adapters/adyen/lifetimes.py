"""How long money stays set aside, by card scheme.

Adyen itself ends an authorisation after 28 days, one of Cartes Bancaires after 12; the schemes guarantee theirs for
less, and a capture after that may fail and costs more. These are the schemes' terms for a customer who pays online,
the shortest of them for all others. PayPal guarantees three days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

LIFETIMES: Final[Mapping[str, timedelta]] = MappingProxyType(
    {
        "": timedelta(days=7),
        "amex": timedelta(days=7),
        "cartebancaire": timedelta(days=12),
        "mc": timedelta(days=7),
        "paypal": timedelta(days=3),
        "visa": timedelta(days=10),
    }
)
"""By Adyen's names of payment methods; final authorisations."""


def lapses(lifetimes: Mapping[str, timedelta], brand: str, at: datetime) -> datetime | None:
    """When what was set aside at `at` lapses. A wallet's name holds its scheme's: "visa_applepay"."""
    scheme = brand.partition("_")[0]
    lasts = lifetimes.get(brand) or lifetimes.get(scheme) or lifetimes.get("")
    return at + lasts if lasts is not None else None
