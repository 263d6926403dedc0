"""The book: what must be known of a payment for as long as anybody may ask, since Adyen can't be asked itself.

Adyen has no call that reads a payment. What it answered and what its notifications told is all that there is to know,
so it is put down, one page per payment. What is about to be sent is put down first: so a key that is not in the book
was never sent, and whether a capture or a refund is still within what there is can be decided race-free.
"""

from __future__ import annotations

from threading import Lock
from typing import Protocol

from omniorder.adapters.adyen.entries import Entry

__all__ = ["Book", "MemoryBook"]


class Book(Protocol):
    """Pages that outlive the process, shared by all processes that use the same merchant account.

    An entry that `append` returned for must be there for every later `read`, on every machine, after any crash.
    """

    def read(self, payment: str) -> tuple[Entry, ...]:
        """The page of this payment, the oldest entry first; empty for an unknown one."""
        ...

    def append(self, entry: Entry, after: int) -> bool:
        """Add an entry to its payment's page, where that has `after` entries. False, and nothing added, where it has
        more by now: of several who append at once, one wins."""
        ...

    def payment_of(self, psp: str) -> str:
        """The payment on whose page Adyen's reference `psp` stands, or empty."""
        ...


class MemoryBook:
    """A book that is gone with its process: for tests and demonstrations.

    After a restart a payment would be unknown, and an operation whose answer was lost could be taken for one that was
    never sent. Take `SqlBook` for anything real.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: dict[str, tuple[Entry, ...]] = {}
        self._payments: dict[str, str] = {}

    def read(self, payment: str) -> tuple[Entry, ...]:
        """The page of this payment."""
        with self._lock:
            return self._pages.get(payment, ())

    def append(self, entry: Entry, after: int) -> bool:
        """Add an entry where the page has `after` of them."""
        with self._lock:
            page = self._pages.get(entry.payment, ())
            if len(page) != after:
                return False
            self._pages[entry.payment] = (*page, entry)
            if entry.psp:
                self._payments.setdefault(entry.psp, entry.payment)
            return True

    def payment_of(self, psp: str) -> str:
        """The payment on whose page this reference stands."""
        with self._lock:
            return self._payments.get(psp, "")
