"""A stateful fake of Adyen, behind Adyen's own library: for tests and demonstrations without a network."""

from __future__ import annotations

from omniorder.errors import MissingExtra

try:
    from omniorder.testing.adyen.fake import CARDS, FakeAdyen, FakeCard
except ModuleNotFoundError as missing:
    if missing.name != "Adyen":
        raise
    raise MissingExtra(needs="Adyen", extra="adyen") from None

__all__ = ["CARDS", "FakeAdyen", "FakeCard"]
