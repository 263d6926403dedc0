"""The example shop, whose back office imports, on each of the three storages in turn, and files to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omniorder.testing.shop import Shop

WriteFile = Callable[..., Path]
"""Makes a file of these bytes (or text) under this name."""


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    with Shop.example(migrated_url) as example:
        yield example


@pytest.fixture
def shop_in_memory() -> Iterator[Shop]:
    with Shop.example() as example:
        yield example


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    def write(content: str | bytes, name: str = "levels.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
