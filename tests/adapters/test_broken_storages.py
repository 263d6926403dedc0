"""The storage contract notices what is broken: a storage with a mistake fails each promise that it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import product
from typing import Any

import pytest

from omniorder.adapters.memory import MemoryStorage
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.ports.storage import Storage
from omniorder.testing.contracts.storage import StorageContract
from tests.adapters.broken import (
    BROKEN,
    Broken,
    accounts,
    aggregates,
    bins,
    counts,
    handoffs,
    journal,
    levels,
    owners,
    refunds,
    shop,
    timers,
    transactions,
    transfers,
    webhooks,
)

PARTS = (
    accounts,
    aggregates,
    bins,
    counts,
    handoffs,
    journal,
    levels,
    owners,
    refunds,
    shop,
    timers,
    transactions,
    transfers,
    webhooks,
)
"""Importing them has listed their mistakes."""


class Contract(StorageContract):
    def open(self) -> MemoryStorage:
        return MemoryStorage()

    def joins(self, storage: Storage) -> AbstractContextManager[MemoryTransaction]:
        assert isinstance(storage, MemoryStorage)
        return storage.transaction()


PROMISES = sorted(name.removeprefix("test_") for name in dir(Contract) if name.startswith("test_"))


def keeps(promise: str) -> bool:
    """Whether the storage, as it is patched just now, passes the test of this promise in all its cases."""
    test = getattr(Contract(), f"test_{promise}")
    try:
        for case in _cases(test):
            storage = Contract().open()
            test(storage, **case)
    except (Exception, pytest.fail.Exception):
        return False
    return True


def _cases(test: Any) -> Iterator[dict[str, Any]]:
    """The arguments for which pytest would run a test, each set by name."""
    marks = [mark.args for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    for values in product(*(choices for _, choices in marks)):
        yield {name: value for (name, _), value in zip(marks, values, strict=True)}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.mistake.__name__)
def test_a_mistake_is_noticed_by_every_promise_that_it_breaks(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    broken.mistake(monkeypatch)
    assert [promise for promise in broken.promises if keeps(promise)] == []


def test_every_promise_is_broken_by_some_mistake() -> None:
    noticed = {promise for broken in BROKEN for promise in broken.promises}
    assert sorted(noticed) == PROMISES


@pytest.mark.parametrize("promise", ["a_cart_is_inserted_once", "one_refusal_undoes_everything_else"])
def test_a_storage_without_mistakes_keeps_its_promises(promise: str) -> None:
    """So that a failure above is the mistake's, not one of calling a test without pytest."""
    assert keeps(promise)
