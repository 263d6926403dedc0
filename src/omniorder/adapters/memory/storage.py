"""Transactions in memory: one at a time, undone when they fail, and made to fail when a test asks."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any

from attrs import frozen

from omniorder.adapters.memory.database import Database
from omniorder.adapters.memory.inspecting import MemoryInspection
from omniorder.adapters.memory.transaction import MemoryTransaction
from omniorder.errors import Misconfigured, StorageFault, StorageUnavailable


@frozen
class _Fault:
    error: StorageFault
    written: bool


class MemoryStorage:
    """Implements `omniorder.ports.storage.Storage`.

    One lock is held for the length of a transaction, reading or writing. A thread that waits for it for more
    than `patience` seconds gets `StorageUnavailable`; one that opens a second transaction inside its first
    would wait for itself, so it gets a `RuntimeError` at once.
    """

    def __init__(self, *, patience: float = 30.0) -> None:
        self._db = Database()
        self._patience = patience
        self._faults: deque[_Fault] = deque()

    @contextmanager
    def transaction(self) -> Generator[MemoryTransaction]:
        with self._alone():
            tx = MemoryTransaction(self._db, may_write=True)
            fault: _Fault | None = None
            try:
                yield tx
                tx.flush()
                if self._faults:
                    fault = self._faults.popleft()
                if fault is not None and not fault.written:
                    raise fault.error
            except BaseException:
                self._db.undo.back_to(0)
                raise
            finally:
                tx.running = False
                self._db.undo.forget()
            if fault is not None:
                raise fault.error

    @contextmanager
    def reading(self) -> Generator[MemoryTransaction]:
        with self._alone():
            tx = MemoryTransaction(self._db, may_write=False)
            try:
                yield tx
            finally:
                tx.running = False

    @contextmanager
    def inspecting(self) -> Generator[MemoryInspection]:
        """See `omniorder.ports.inspection.Inspectable`. Nobody else reads or writes meanwhile."""
        with self._alone():
            yield MemoryInspection(self._db)

    @contextmanager
    def _alone(self) -> Generator[None]:
        db = self._db
        if db.holder == get_ident():
            raise RuntimeError("this thread is inside a transaction already: one command, one transaction")
        if not db.lock.acquire(timeout=self._patience):
            raise StorageUnavailable(reason=f"another transaction took longer than {self._patience:g} s")
        db.holder = get_ident()
        try:
            yield
        finally:
            db.holder = None
            db.lock.release()

    def fail_next_commit(self, error: StorageFault | None = None, *, written: bool = False) -> None:
        """Make the next commit fail with `error` (default: `StorageUnavailable`); several calls queue up.

        Nothing is written then, unless `written`: the commit worked, and only the news of it was lost.
        """
        self._faults.append(_Fault(error or StorageUnavailable(reason="commit failed on purpose"), written))

    def migrate(self) -> None:
        """Nothing to do: tables in memory are always of this version."""

    def joined(self, connection: Any) -> JoinedMemoryStorage:
        """The same storage inside `connection`, its own running transaction; raises `Misconfigured` else."""
        return JoinedMemoryStorage(self._db, connection)

    @property
    def is_joined(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing to give back; what is stored stays until the last reference to it goes."""


class JoinedMemoryStorage:
    """Storage inside somebody else's transaction: each of its own is a savepoint there, never committed."""

    def __init__(self, db: Database, outer: Any) -> None:
        if not isinstance(outer, MemoryTransaction) or outer.database is not db or not outer.writable:
            raise Misconfigured(needs="a running read-write transaction of this very storage to join")
        self._db = db
        self._outer = outer

    @contextmanager
    def transaction(self) -> Generator[MemoryTransaction]:
        self._outer.flush()
        savepoint = self._db.undo.mark()
        tx = MemoryTransaction(self._db, may_write=True)
        try:
            yield tx
            tx.flush()
        except BaseException:
            self._db.undo.back_to(savepoint)
            raise
        finally:
            tx.running = False

    @contextmanager
    def reading(self) -> Generator[MemoryTransaction]:
        self._outer.flush()
        yield MemoryTransaction(self._db, may_write=False)

    def migrate(self) -> None:
        """Nothing to do."""

    def joined(self, connection: Any) -> JoinedMemoryStorage:
        """Raises `Misconfigured` unless `connection` is a running transaction of the same storage."""
        return JoinedMemoryStorage(self._db, connection)

    @property
    def is_joined(self) -> bool:
        return True

    def close(self) -> None:
        """The transaction is the caller's: it stays as it is."""


_named: dict[str, MemoryStorage] = {}
_naming = Lock()


def connect(url: str, **options: object) -> MemoryStorage:
    """The storage at `url`: `memory://` is a new one each time, `memory://name` one for the whole process.

    Raises `Misconfigured` for another URL or an option; `schema` is taken and means nothing here.
    """
    scheme, separator, name = url.partition("://")
    if scheme != "memory" or not separator:
        raise Misconfigured(needs="a URL that begins with memory://")
    unknown = sorted(option for option, value in options.items() if option != "schema" and value is not None)
    if unknown:
        raise Misconfigured(needs=f"no option {', '.join(unknown)} for {url}: it has none")
    if not name:
        return MemoryStorage()
    with _naming:
        return _named.setdefault(name, MemoryStorage())
