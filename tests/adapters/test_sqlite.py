"""Storage on SQLite keeps every promise of the port."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from omniorder.adapters.sql import SqlStorage, connect
from omniorder.testing.contracts.storage import StorageContract


class TestSqliteFile(StorageContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def open(self) -> SqlStorage:
        storage = connect(f"sqlite:///{(self.folder / f'{uuid4().hex}.db').as_posix()}")
        storage.migrate()
        return storage


class TestSqliteInMemory(StorageContract):
    def open(self) -> SqlStorage:
        storage = connect("sqlite://")
        storage.migrate()
        return storage
