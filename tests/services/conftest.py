"""The shop that the desks are tested in, on each of the three storages in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from omniorder.testing.shop import Shop
from tests.services import contents

OpenShop = Callable[..., Shop]
"""`Shop.example` on this test's database; takes what `Shop.example` takes but the URL. One shop per test."""


@pytest.fixture
def open_shop(database_url: str) -> Iterator[OpenShop]:
    """Opens the shop with other settings than the usual ones."""
    with ExitStack() as stack:

        def open_it(**options: Any) -> Shop:
            return stack.enter_context(Shop.example(database_url, **options))

        yield open_it


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """The example shop, freshly stocked."""
    return open_shop()


@pytest.fixture
def stored(database_url: str, shop: Shop) -> Callable[[], contents.Rows]:
    """Every row of every table of `shop`, as the storage has it."""
    return lambda: contents.rows(database_url, shop.hub)
