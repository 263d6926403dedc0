"""For the tests of those who use omniorder: fakes, sample data, and contract suites for authors of adapters."""

from __future__ import annotations

from omniorder.testing.clock import FakeClock, SeededEntropy
from omniorder.testing.gateway import FakeGateway
from omniorder.testing.inventory import FakeInventory
from omniorder.testing.shop import Shop

__all__ = ["FakeClock", "FakeGateway", "FakeInventory", "SeededEntropy", "Shop"]
