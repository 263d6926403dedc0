"""What every store directory must keep, told as tests: for authors of adapters.

class TestMyStores(StoreDirectoryContract):
    def open(self) -> StoreDirectory:
        return MyStores(...)  # at least two
"""

from __future__ import annotations

from omniorder.ports.stores import StoreDirectory
from omniorder.testing.contracts.storage.bench import together

__all__ = ["StoreDirectoryContract"]

UNKNOWN = "NOWHERE9"


class StoreDirectoryContract:
    """Subclass it as `Test...` and say in `open` how to open your directory."""

    def open(self) -> StoreDirectory:
        """A directory of at least two stores, none of them NOWHERE9; called for each promise."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its directory")

    def test_every_store_is_told_once_and_ordered_by_id(self) -> None:
        ids = [store.id for store in self.open().all()]
        assert len(ids) >= 2, "the contract needs two stores"
        assert ids == sorted(set(ids))

    def test_every_store_is_found_by_its_id(self) -> None:
        directory = self.open()
        for store in directory.all():
            assert directory.store(store.id) == store

    def test_a_store_that_takes_no_part_is_none(self) -> None:
        assert self.open().store(UNKNOWN) is None

    def test_many_threads_may_ask_at_once(self) -> None:
        directory = self.open()
        expected = directory.all()
        assert together(*[directory.all] * 4) == [expected] * 4
