"""What the parts of the storage contract share: opening the storage, writing and reading in one line, threads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Barrier
from typing import Any, ClassVar, TypeVar

import pytest

from omniorder.errors import OmniorderError
from omniorder.ports.storage import Storage, Transaction
from omniorder.ports.writes import Writes

T = TypeVar("T")

MANY_TRIES = 200
MOST_PAGES = 30


class StorageBench:
    """Opens the storage under test. `concurrent`: whether several threads may use it at once."""

    concurrent: ClassVar[bool] = True

    def open(self) -> Storage:
        """A fresh, empty, migrated storage: another one on every call."""
        raise NotImplementedError(f"{type(self).__name__} must say how to open its storage")

    def joins(self, storage: Storage) -> AbstractContextManager[Any] | None:
        """A transaction of the caller's own on the same database, committed when its block ends, undone when it
        raises; gives the connection to join. None (the default) where this adapter offers no such thing."""
        return None

    @pytest.fixture
    def storage(self) -> Generator[Storage]:
        opened = self.open()
        yield opened
        opened.close()

    @pytest.fixture
    def shared(self, storage: Storage) -> Storage:
        """The storage, where several threads may use it."""
        if not self.concurrent:
            pytest.skip("this storage is not meant for several threads (concurrent = False)")
        return storage


def put(storage: Storage, **writes: Any) -> None:
    """One transaction that writes these fields of `Writes`."""
    with storage.transaction() as tx:
        tx.write(Writes(**writes))


def read(storage: Storage, query: Callable[[Transaction], T]) -> T:
    """The answer to one query, in a reading transaction of its own."""
    with storage.reading() as tx:
        return query(tx)


def refuses(storage: Storage, error: type[OmniorderError], **writes: Any) -> dict[str, Any]:
    """Assert that these writes are refused with `error`; its facts."""
    with pytest.raises(error) as raised:
        put(storage, **writes)
    return dict(raised.value.facts)


class _Undo(Exception):
    """Ends a block whose writes are to be undone."""


@contextmanager
def undone(storage: Storage) -> Generator[Transaction]:
    """A transaction whose block raises at its end."""
    with suppress(_Undo), storage.transaction() as tx:
        yield tx
        raise _Undo


def repeated(storage: Storage, work: Callable[[Transaction], T]) -> T:
    """Do `work` in one transaction, again while the storage says that a repetition may help."""
    for _ in range(MANY_TRIES):
        try:
            with storage.transaction() as tx:
                return work(tx)
        except OmniorderError as error:
            if not error.retry:
                raise
    pytest.fail(f"still refused after {MANY_TRIES} tries")


def paged(page_after: Callable[[T | None], Sequence[T]]) -> list[T]:
    """Everything that a list gives page by page, each asked for after the last item of the one before."""
    found: list[T] = []
    for _ in range(MOST_PAGES):
        page = page_after(found[-1] if found else None)
        if not page:
            return found
        found += page
    pytest.fail(f"there is no end after {MOST_PAGES} pages")


def together(*works: Callable[[], T]) -> list[T | OmniorderError]:
    """Run each in a thread of its own, all let go at once; what each returned, or the typed error it raised."""
    gate = Barrier(len(works))

    def run(work: Callable[[], T]) -> T | OmniorderError:
        gate.wait(timeout=30)
        try:
            return work()
        except OmniorderError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))
