"""Looking something up: a read is repeated once when the connection turned out to be lost, since that does no harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from omniorder.errors import StorageUnavailable
from omniorder.ports.storage import Storage, Transaction

T = TypeVar("T")


def look_in(storage: Storage, look: Callable[[Transaction], T]) -> T:
    """What `look` finds in a transaction that only reads. Raises `StorageUnavailable` when it is lost twice."""
    try:
        with storage.reading() as tx:
            return look(tx)
    except StorageUnavailable:
        if storage.is_joined:
            raise
    with storage.reading() as tx:
        return look(tx)
