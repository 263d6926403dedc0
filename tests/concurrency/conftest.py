"""A stocked shop on the databases that many use at once: SQLite's file and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from omniorder.testing.shop import Shop
from tests.emptied import Fresh


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The example shop, on each of the two."""
    fresh: Fresh = request.getfixturevalue(f"fresh_{request.param}")
    with Shop.example(fresh(), migrate=False) as example:
        yield example


@pytest.fixture
def shop_on_postgres(fresh_postgres: Callable[[], str]) -> Iterator[Shop]:
    """The example shop where writers don't wait in one line."""
    with Shop.example(fresh_postgres(), migrate=False) as example:
        yield example
