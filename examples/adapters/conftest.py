"""The voucher service that the tests beside this file talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from voucher_service import VoucherService


@pytest.fixture(scope="session")
def service() -> Iterator[VoucherService]:
    """One for all tests: like a real test system it forgets nothing, so each test has payments of its own."""
    with VoucherService() as running:
        yield running
