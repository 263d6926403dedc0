"""What every adapter promises, as test classes: subclass one, say how to open the adapter, and run pytest."""

from __future__ import annotations

import pytest

# so that a failing promise shows its values, as a failing assertion in the adapter's own tests would
pytest.register_assert_rewrite(
    "omniorder.testing.contracts.catalogue",
    "omniorder.testing.contracts.inventory",
    "omniorder.testing.contracts.payments",
    "omniorder.testing.contracts.pricing",
    "omniorder.testing.contracts.storage",
    "omniorder.testing.contracts.stores",
)
