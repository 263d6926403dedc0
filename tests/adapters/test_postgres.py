"""Storage on PostgreSQL keeps every promise of the port."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from omniorder.adapters.sql import SqlStorage, connect
from omniorder.testing.contracts.storage import StorageContract


class TestPostgres(StorageContract):
    @pytest.fixture(autouse=True)
    def _database(self, postgres_database: Callable[[], str]) -> None:
        self.create = postgres_database

    def open(self) -> SqlStorage:
        storage = connect(self.create())
        storage.migrate()
        return storage
